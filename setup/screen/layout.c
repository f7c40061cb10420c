#include "setup/screen/layout.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 15 };

void screen_line(struct screen *screen, enum colour colour, const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	if (!line) {
		screen->out.failed = true;
		return;
	}
	text_addf(&screen->out, "%s%s%s\n", terminal_colour(screen->colour, colour), line,
		  terminal_colour(screen->colour, COLOUR_NONE));
	screen->rows += 1 + (strlen(line) - (*line != '\0')) / SCREEN_COLUMNS;
}

/* How many bytes of the words fit into a row: up to the last space that leaves room, or one word that is longer. */
static size_t fit(const char *words)
{
	size_t room = SCREEN_COLUMNS - LABEL, n = strlen(words), last = 0;

	if (n <= room)
		return n;
	for (size_t i = 0; i <= room; i++)
		last = words[i] == ' ' ? i : last;
	return last ? last : strcspn(words, " ");
}

size_t screen_height(const char *words)
{
	size_t rows = 0;

	do {
		size_t n = fit(words);

		rows += n > SCREEN_COLUMNS - LABEL ? (n + LABEL + SCREEN_COLUMNS - 1) / SCREEN_COLUMNS : 1;
		words += n;
		words += strspn(words, " ");
	} while (*words);
	return rows;
}

void screen_row(struct screen *screen, const char *label, const char *format, ...)
{
	_cleanup_free_ char *words = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&words, format, args) < 0)
		words = NULL;
	va_end(args);
	if (!words) {
		screen->out.failed = true;
		return;
	}
	screen->rows += screen_height(words);
	for (char *s = words;;) {
		size_t n = fit(s);

		for (char *stay = memchr(s, *SCREEN_STAY, n); stay; stay = memchr(stay, *SCREEN_STAY, n - (size_t)(stay - s)))
			*stay = ' ';
		text_addf(&screen->out, "%s%-*s%s%.*s\n", terminal_colour(screen->colour && *label, COLOUR_HEAD), LABEL, label,
			  terminal_colour(screen->colour && *label, COLOUR_NONE), (int)n, s);
		s += n;
		s += strspn(s, " ");
		if (!*s)
			break;
		label = "";
	}
}
