#include "setup/base/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "setup/base/text.h"

struct terminal terminal_look(void)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool able = term && *term && strcmp(term, "dumb") != 0, may = able && !(no_colour && *no_colour);

	return (struct terminal){
		.out = may && isatty(STDOUT_FILENO) == 1, .err = may && isatty(STDERR_FILENO) == 1,
		.screen = isatty(STDERR_FILENO) == 1, .progress = able && isatty(STDERR_FILENO) == 1,
		.typed = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1,
	};
}

unsigned terminal_columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

const char *terminal_colour(bool on, enum colour colour)
{
	/* ECMA-48, SGR: what every terminal with colours has. */
	static const char *const sequences[] = {
		[COLOUR_BAD] = "\033[31m", [COLOUR_WARN] = "\033[33m", [COLOUR_GOOD] = "\033[32m",
		[COLOUR_PLACE] = "\033[36m", [COLOUR_HEAD] = "\033[1m", [COLOUR_DIM] = "\033[2m",
		[COLOUR_NONE] = "\033[0m",
	};

	return on ? sequences[colour] : "";
}

static enum colour line_colour(const char *line, bool header)
{
	if (header)
		return COLOUR_HEAD;
	switch (*line) {
	case '-':
		return COLOUR_BAD;
	case '+':
		return COLOUR_GOOD;
	case '@':
		return COLOUR_PLACE;
	default:
		return COLOUR_NONE;
	}
}

void terminal_print_diff(bool on, const char *diff)
{
	const char *plus = NULL;

	/* In a file it is for programs, byte by byte. */
	if (isatty(STDOUT_FILENO) != 1) {
		fputs(diff, stdout);
		return;
	}
	while (*diff) {
		size_t length = strcspn(diff, "\n");
		const char *next = diff + length + (diff[length] == '\n');
		/* A removed line may begin with two dashes more: what follows a header tells. */
		bool head = strncmp(diff, "--- ", 4) == 0 && strncmp(next, "+++ ", 4) == 0;
		_cleanup_text_ struct text line = {0};

		plus = head ? next : plus;
		text_add_shown(&line, diff, length);
		printf("%s%s%s%s", terminal_colour(on, line_colour(diff, head || diff == plus)), line.s ? line.s : "",
		       terminal_colour(on, COLOUR_NONE), diff[length] ? "\n" : "");
		diff = next;
	}
}

void terminal_print_folded(FILE *out, size_t at, size_t column, const char *words)
{
	size_t begin = at;

	while (*words) {
		size_t n = strcspn(words, " ");

		if (at > begin && at + 1 + n > 80) {
			fprintf(out, "\n%*s", (int)column, "");
			at = begin = column;
		}
		fprintf(out, "%s%.*s", at > begin ? " " : "", (int)n, words);
		at += n + (at > begin);
		words += n;
		words += strspn(words, " ");
	}
	fputs("\n", out);
}
