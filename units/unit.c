#include "units/unit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct unit_entry {
	const char *section;
	char *key;
	char *value;	/* as it stands in the file */
};

void unit_done(struct unit *unit)
{
	for (size_t i = 0; i < unit->n; i++) {
		free(unit->entries[i].key);
		free(unit->entries[i].value);
	}
	free(unit->entries);
	*unit = (struct unit){0};
}

static void fail(struct unit *unit, int error)
{
	if (unit->error == 0)
		unit->error = error;
}

/* Takes the text as the value of a new entry. */
static void add_entry(struct unit *unit, const char *section, const char *key, struct text *value)
{
	struct unit_entry *entries = realloc(unit->entries, (unit->n + 1) * sizeof(*entries));
	struct unit_entry entry = { section, strdup(key), text_take(value) };

	if (entries)
		unit->entries = entries;
	if (!entries || !entry.key || !entry.value) {
		free(entry.key);
		free(entry.value);
		fail(unit, -ENOMEM);
		return;
	}
	unit->entries[unit->n++] = entry;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool value_fits(const char *value)
{
	size_t n = strlen(value);

	if (n == 0)
		return true;
	if (is_space(value[0]) || is_space(value[n - 1]) || value[n - 1] == '\\')
		return false;
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
			return false;
	/* systemd passes over a line that is not UTF-8 (config_parse() in src/shared/conf-parser.c). */
	return text_is_utf8(value);
}

void unit_add(struct unit *unit, const char *section, const char *key, const char *value)
{
	_cleanup_text_ struct text text = {0};

	if (!value_fits(value)) {
		fail(unit, -EINVAL);
		return;
	}
	for (; *value; value++)
		text_add_bytes(&text, *value == '%' ? "%%" : value, *value == '%' ? 2 : 1);
	add_entry(unit, section, key, &text);
}

/* systemd.syntax(7), "Quoting": inside double quotes C escapes count. systemd.service(5), "Command
 * lines": $ is doubled against variables, which the program's path does not have, % against
 * specifiers. */
static void add_word(struct text *text, const char *word, bool program)
{
	text_add(text, "\"");
	for (; *word; word++) {
		unsigned char c = (unsigned char)*word;

		if (c == '"' || c == '\\')
			text_addf(text, "\\%c", c);
		else if (c == '%' || (c == '$' && !program))
			text_addf(text, "%c%c", c, c);
		else if (c < 0x20 || c >= 0x7f)
			text_addf(text, "\\x%02x", c);
		else
			text_add_bytes(text, word, 1);
	}
	text_add(text, "\"");
}

static bool is_plain(const char *word)
{
	return *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			       "/._-+,=:") == strlen(word);
}

/* The characters @ - : + ! in front of a program are prefixes: it must be a path, and one that
 * config_parse_exec() of systemd's src/core/load-fragment.c takes. */
static bool is_program(const char *path)
{
	for (const char *s = path; *s; s++)
		if ((unsigned char)*s < 0x20 || strchr("\"'\\\x7f", *s))
			return false;
	return path[0] == '/';
}

/* Appends the words with spaces between them; false when the first is no program. */
static bool add_words(struct unit *unit, struct text *text, const char *const *argv)
{
	if (!argv[0] || !is_program(argv[0])) {
		fail(unit, -EINVAL);
		return false;
	}
	for (size_t i = 0; argv[i]; i++) {
		text_add(text, i ? " " : "");
		if (is_plain(argv[i]))
			text_add(text, argv[i]);
		else
			add_word(text, argv[i], i == 0);
	}
	return true;
}

void unit_add_command(struct unit *unit, const char *section, const char *key,
		      const char *const *argv)
{
	_cleanup_text_ struct text text = {0};

	if (add_words(unit, &text, argv))
		add_entry(unit, section, key, &text);
}

void unit_add_wrapped_command(struct unit *unit, const char *section, const char *key, const char *const *argv,
			      const char *command)
{
	bool may_fail = *command == '-';
	_cleanup_text_ struct text text = {0};

	if (!value_fits(command)) {
		fail(unit, -EINVAL);
		return;
	}
	text_add(&text, may_fail ? "-" : "");
	if (!add_words(unit, &text, argv))
		return;
	text_addf(&text, " %s", command + may_fail);
	add_entry(unit, section, key, &text);
}

int unit_print(const struct unit *unit, const char *comment, struct text *out)
{
	const char *section = "";

	if (unit->error < 0)
		return unit->error;
	text_add(out, comment);
	for (size_t i = 0; i < unit->n; i++) {
		const struct unit_entry *entry = &unit->entries[i];

		if (strcmp(section, entry->section) != 0) {
			section = entry->section;
			text_addf(out, "\n[%s]\n", section);
		}
		text_addf(out, "%s=%s\n", entry->key, entry->value);
	}
	return text_error(out);
}
