/* libFuzzer target for unit files: strings between NULs, whose first byte says what they are: "c" begins a
 * command, "w" is a word of it, any other a value. What is printed is read back by a reader of systemd.syntax(7) and systemd.service(5) that shares
 * nothing with the printer: the same entries, nothing else. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>

#include "setup/base/strings.h"
#include "t/fuzz/fuzz.h"
#include "units/audit_units.h"
#include "units/host_units.h"
#include "units/unit.h"
#include "units/unit_file.h"

enum { ENTRIES_MAX = 32, WORDS_MAX = 16 };

struct entry {
	bool command;
	char *words[WORDS_MAX + 1];	/* a value has one */
	size_t n;
};

struct input {
	struct entry entries[ENTRIES_MAX];
	size_t n;
};

static void take_input(struct input *input, struct bytes *bytes)
{
	char *s;

	while ((s = take_string(bytes))) {
		struct entry *last = input->n ? &input->entries[input->n - 1] : NULL;
		bool word = *s == 'w' && last && last->command && last->n < WORDS_MAX;

		if (!word && input->n == ENTRIES_MAX) {
			free(s);
			break;
		}
		if (!word) {
			last = &input->entries[input->n++];
			*last = (struct entry){ .command = *s == 'c' };
		}
		last->words[last->n++] = strdup(*s ? s + 1 : s);
		free(s);
	}
}

static void done(struct input *input)
{
	for (size_t i = 0; i < input->n; i++)
		for (size_t k = 0; k < input->entries[i].n; k++)
			free(input->entries[i].words[k]);
}

/* One specifier or character: the %% that stands for a %. */
static char read_specifier(const char **s)
{
	char c = *(*s)++;

	if (c == '%' && *(*s)++ != '%')
		FAIL("a specifier before: %s", *s);
	return c;
}

static unsigned hex(char c)
{
	if (!isxdigit((unsigned char)c))
		FAIL("no hexadecimal digit: %c", c);
	return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
}

/* One character of a quoted word. */
static char read_escape(const char **s)
{
	char c = *(*s)++;

	if (c == 'x') {
		unsigned high = hex(*(*s)++), low = hex(*(*s)++);

		if (high == 0 && low == 0)
			FAIL("a NUL byte");
		return (char)(high << 4 | low);
	}
	if (c != '\\' && c != '"')
		FAIL("an escape that is not ours: \\%c", c);
	return c;
}

/* The next word of a command line; NULL at its end. Prefixes count in front of the first only. */
static char *read_word(const char **s, bool first, bool dollar)
{
	struct text word = { 0 };
	bool quoted;

	*s += strspn(*s, " \t");
	if (!**s)
		return NULL;
	quoted = **s == '"';
	if (!quoted && strspn(*s, first ? ";'\\@-:+!" : ";'\\"))
		FAIL("a word that means something: %s", *s);
	*s += quoted;
	while (**s && (quoted ? **s != '"' : **s != ' ' && **s != '\t')) {
		char c;

		if (quoted && **s == '\\') {
			(*s)++;
			c = read_escape(s);
		} else {
			c = read_specifier(s);
		}
		if (!quoted && strchr("\"'\\", c))
			FAIL("a quote inside a word: %s", *s);
		if (c == '$' && dollar && *(*s)++ != '$')
			FAIL("a variable before: %s", *s);
		text_add_bytes(&word, &c, 1);
	}
	if (quoted && *(*s)++ != '"')
		FAIL("a quote that does not end");
	if (**s && **s != ' ' && **s != '\t')
		FAIL("no space behind a word: %s", *s);
	return text_take(&word);
}

static void check_command(const struct entry *entry, const char *value)
{
	for (size_t i = 0; i < entry->n; i++) {
		char *word = read_word(&value, i == 0, i > 0);

		if (!word || strcmp(word, entry->words[i]) != 0)
			FAIL("word %zu is '%s', not '%s'", i, word ? word : "missing", entry->words[i]);
		free(word);
	}
	if (value[strspn(value, " \t")])
		FAIL("a word too many: %s", value);
}

static void check_value(const struct entry *entry, const char *value)
{
	struct text read = { 0 };

	while (*value) {
		char c = read_specifier(&value);

		text_add_bytes(&read, &c, 1);
	}
	text_add(&read, "");
	if (strcmp(read.s, entry->words[0]) != 0)
		FAIL("the value is '%s', not '%s'", read.s, entry->words[0]);
	text_done(&read);
}

/* systemd.syntax(7): a line ends with \n, \r or NUL (read_line() in src/basic/fileio.c), goes on after a
 * backslash at its end, is a comment with # or ; in front; white space around key and value goes. */
static void check_file(const struct input *input, char *s, size_t size)
{
	size_t n = 0;

	for (char *end = s + size, *line = s; line < end; line += strlen(line) + 1) {
		char *stop = line, *value;
		size_t length;

		while (stop < end && !strchr("\n\r", *stop))
			stop++;
		*stop = '\0';
		length = strlen(line);
		if (length && line[length - 1] == '\\')
			FAIL("a line that goes on: %s", line);
		if (line[strspn(line, " \t")] == '\0' || *line == '#' || strcmp(line, "[Service]") == 0)
			continue;
		value = strchr(line, '=');
		if (n == input->n || !value || strncmp(line, "Key=", 4) != 0)
			FAIL("a line that was not put in: %s", line);
		value++;
		length = strlen(value);
		if (length && (strchr(" \t", value[0]) || strchr(" \t", value[length - 1])))
			FAIL("white space that is lost: %s", line);
		if (!text_is_utf8(value))
			FAIL("not UTF-8: %s", line);
		(input->entries[n].command ? check_command : check_value)(&input->entries[n], value);
		n++;
	}
	if (n != input->n)
		FAIL("%zu of %zu entries", n, input->n);
}

/* Nothing that is harmless is refused. */
static bool harmless(const struct input *input)
{
	for (size_t i = 0; i < input->n; i++) {
		const struct entry *entry = &input->entries[i];

		for (const char *s = entry->words[0]; *s; s++)
			if (!isalnum((unsigned char)*s) && *s != '/')
				return false;
		if (entry->command && entry->words[0][0] != '/')
			return false;
	}
	return true;
}

static void print(const struct input *input)
{
	_cleanup_(unit_done) struct unit unit = { 0 };
	_cleanup_text_ struct text out = { 0 };

	for (size_t i = 0; i < input->n; i++) {
		const struct entry *entry = &input->entries[i];
		const char *argv[WORDS_MAX + 1] = { 0 };

		for (size_t k = 0; k < entry->n; k++)
			argv[k] = entry->words[k];
		if (entry->command)
			unit_add_command(&unit, "Service", "Key", argv);
		else
			unit_add(&unit, "Service", "Key", entry->words[0]);
	}
	if (unit_print(&unit, "# comment\n", &out) == 0)
		check_file(input, out.s, out.len);
	else if (harmless(input))
		FAIL("refused without need");
}

/* The files of units/ with these paths and words in them: as many lines as always. */
static size_t lines(const struct text *out)
{
	size_t n = 0;

	for (size_t i = 0; i < out->len; i++)
		n += out->s[i] == '\n' || out->s[i] == '\r' || out->s[i] == '\0';
	return n;
}

static void print_ours(const struct input *input)
{
	static char program[] = "/x";
	const struct runtime_drop_in plain = { .program = program, .command = program, .path = program };
	struct runtime_drop_in drop_in;
	struct text out[4] = { { 0 } };

	if (input->n < 2)
		return;
	if (print_setup_unit(input->entries[0].words[0], input->entries[1].words[0], 1000, &out[0]) == 0 &&
	    print_setup_unit(program, program, 1000, &out[1]) == 0 && lines(&out[0]) != lines(&out[1]))
		FAIL("smuggled into the setup unit:\n%s", out[0].s);
	drop_in = (struct runtime_drop_in){ .program = input->entries[0].words[0], .command = input->entries[1].words[0],
					    .path = input->entries[0].words[0] };
	if (print_runtime_drop_in(&drop_in, &out[2]) == 0 && print_runtime_drop_in(&plain, &out[3]) == 0 &&
	    lines(&out[2]) != lines(&out[3]))
		FAIL("smuggled into the drop-in:\n%s", out[2].s);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		text_done(&out[i]);
}

/* The same bytes as a unit file of somebody's: whatever it says, a value is one line, and a command that can be wrapped
 * is. */
static void read_theirs(const uint8_t *bytes, size_t size)
{
	_cleanup_strings_ char **values = NULL;
	_cleanup_text_ struct text content = { 0 };
	bool said;

	text_add(&content, "[Service]\nKey=");
	text_add_bytes(&content, bytes, size);
	if (unit_file_read(&content, "Service", "Key", &values, &said) < 0 || (values && values[0] && !said))
		FAIL("a unit file cannot be read");
	for (size_t i = 0; values && values[i]; i++) {
		const struct runtime_drop_in drop_in = { .program = "/x", .command = values[i] };
		_cleanup_text_ struct text out = { 0 };

		if (!*values[i] || strpbrk(values[i], "\n\r") || !text_is_utf8(values[i]))
			FAIL("no value: %s", values[i]);
		if (unit_command_is_plain(values[i]) && print_runtime_drop_in(&drop_in, &out) == 0 &&
		    !strstr(out.s, values[i] + (*values[i] == '-')))
			FAIL("another command:\n%s", out.s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { .n = 0 };
	struct bytes b = { bytes, size };

	take_input(&input, &b);
	print(&input);
	print_ours(&input);
	read_theirs(bytes, size);
	done(&input);
	return 0;
}
