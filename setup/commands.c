#include "setup/commands.h"

#include <stdlib.h>
#include <string.h>

#include "setup/strings.h"

void commands_done(struct commands *commands)
{
	for (size_t i = 0; i < commands->n; i++) {
		union {
			const char *const *read;
			char **own;
		} argv = { .read = commands->items[i].argv };

		strings_free(argv.own);
	}
	free(commands->items);
	*commands = (struct commands){0};
}

/* The word at line without its escapes; *ret_end is set behind it. */
static char *take_word(const char *line, const char **ret_end)
{
	_cleanup_text_ struct text word = {0};

	for (; *line && *line != ' '; line++) {
		if (*line == '\\' && (line[1] == ' ' || line[1] == '\\'))
			line++;
		text_add_bytes(&word, line, 1);
	}
	*ret_end = line;
	return text_take(&word);
}

static char **split(const char *program, const char *line)
{
	char **argv = calloc(strlen(line) + 3, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n] = strdup(program);
	while (argv[n] && *line) {
		line += strspn(line, " ");
		if (*line)
			argv[++n] = take_word(line, &line);
	}
	if (argv[n])
		return argv;
	strings_free(argv);
	return NULL;
}

void commands_add(struct commands *commands, const char *program, const char *line)
{
	struct bus_command *items = realloc(commands->items, (commands->n + 1) * sizeof(*items));
	char **argv = items ? split(program, line) : NULL;

	if (items)
		commands->items = items;
	if (!argv) {
		commands->failed = true;
		return;
	}
	items[commands->n++] = (struct bus_command){ .argv = (const char *const *)argv };
}
