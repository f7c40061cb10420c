#include "units/unit_file.h"

#include <errno.h>
#include <string.h>

#include "setup/base/strings.h"

#define WHITESPACE " \t\n\r"

static bool is_end(char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

/* The next line, from *at on, which is moved behind its end: each kind of end at most once (read_line_full() in
 * systemd's src/basic/fileio.c). False behind the last. */
static bool next_line(const struct text *content, size_t *at, struct text *ret)
{
	size_t from = *at;
	char seen[4] = "";
	size_t n = 0;

	if (from >= content->len)
		return false;
	while (*at < content->len && !is_end(content->s[*at]))
		(*at)++;
	text_add_bytes(ret, content->s + from, *at - from);
	text_add(ret, "");
	while (*at < content->len && is_end(content->s[*at]) && !memchr(seen, content->s[*at], n))
		seen[n++] = content->s[(*at)++];
	return true;
}

/* Does an odd number of backslashes stand at the end? */
static bool goes_on(const char *line)
{
	size_t n = strlen(line), backslashes = 0;

	while (backslashes < n && line[n - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

/* Lines that go on made one; comments among them are passed over. */
static bool next_statement(const struct text *content, size_t *at, struct text *ret)
{
	_cleanup_text_ struct text line = {0};
	bool any = false;

	while (text_done(&line), next_line(content, at, &line)) {
		const char *start = line.failed ? "" : line.s + strspn(line.s, WHITESPACE);

		ret->failed = ret->failed || line.failed;
		if (*start == '#' || *start == ';')
			continue;
		any = true;
		text_add(ret, start);
		if (ret->failed || !goes_on(start))
			break;
		ret->s[ret->len - 1] = ' ';
	}
	return any;
}

/* The same without white space at both ends, in place. */
static char *strip(char *s)
{
	size_t n;

	s += strspn(s, WHITESPACE);
	n = strlen(s);
	while (n > 0 && strchr(WHITESPACE, s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int add(char ***values, const char *value)
{
	size_t n = 0;
	char **grown;

	while (*values && (*values)[n])
		n++;
	grown = reallocarray(*values, n + 2, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*values = grown;
	grown[n + 1] = NULL;
	grown[n] = strdup(value);
	return grown[n] ? 0 : -ENOMEM;
}

/* One statement; *inside: the section that is asked for has begun, and not ended. */
static int take(char *statement, const char *section, const char *key, bool *inside, char ***values, bool *said)
{
	char *line = strip(statement), *equals = strchr(line, '=');
	size_t n = strlen(line);

	if (*line == '[' && line[n - 1] == ']') {
		*inside = n - 2 == strlen(section) && strncmp(line + 1, section, n - 2) == 0;
		return 0;
	}
	/* A line that is not UTF-8 is passed over with a warning. */
	if (!*inside || !equals || !text_is_utf8(line))
		return 0;
	*equals = '\0';
	if (strcmp(strip(line), key) != 0)
		return 0;
	*said = true;
	line = strip(equals + 1);
	if (*line)
		return add(values, line);
	strings_free(TAKE(*values));
	return 0;
}

int unit_file_read(const struct text *content, const char *section, const char *key, char ***values, bool *ret_said)
{
	_cleanup_text_ struct text statement = {0};
	bool inside = false;
	size_t at = 0;
	int r = 0;

	*ret_said = false;
	while (r == 0 && next_statement(content, &at, &statement)) {
		r = text_error(&statement);
		if (r == 0)
			r = take(statement.s, section, key, &inside, values, ret_said);
		text_done(&statement);
	}
	return r;
}

/* Behind the word at s; *ret_separator: it is the bare semicolon that stands between two commands. */
static const char *skip_word(const char *s, bool *ret_separator)
{
	const char *start = s;
	char quote = '\0';

	for (; *s && (quote || !strchr(WHITESPACE, *s)); s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (quote)
			quote = *s == quote ? '\0' : quote;
		else if (*s == '"' || *s == '\'')
			quote = *s;
	}
	*ret_separator = s - start == 1 && *start == ';';
	return s + strspn(s, WHITESPACE);
}

bool unit_command_is_plain(const char *command)
{
	const char *program = command + (*command == '-');
	bool separator = false;

	/* What stands for something else in the words behind it stands for itself in a program's path. */
	if (*program != '/' || strcspn(program, "\"'\\$") < strcspn(program, WHITESPACE))
		return false;
	while (*program && !separator)
		program = skip_word(program, &separator);
	return !separator;
}

/* The next assignment at *at, unquoted, into ret; false at the end. */
static bool next_assignment(const char **at, struct text *ret)
{
	const char *s = *at + strspn(*at, WHITESPACE);
	char quote = '\0';

	if (!*s)
		return false;
	text_add(ret, "");
	for (; *s && (quote || !strchr(WHITESPACE, *s)); s++) {
		/* Which of systemd's escapes it is, and whether it is one, is not asked: the backslash stays to be seen. */
		if (*s == '\\' && s[1])
			text_add_bytes(ret, s++, 2);
		else if (*s == quote || (!quote && (*s == '"' || *s == '\'')))
			quote = quote ? '\0' : *s;
		else
			text_add_bytes(ret, s, 1);
	}
	text_add(ret, "");
	*at = s;
	return true;
}

int unit_environment_path(const char *value, char **ret)
{
	static const char name[] = "PATH=";
	_cleanup_text_ struct text word = {0};
	char *found = NULL;
	int r = 0;

	for (; r == 0 && next_assignment(&value, &word); text_done(&word)) {
		r = text_error(&word);
		if (r < 0 || strncmp(word.s, name, strlen(name)) != 0)
			continue;
		free(found);
		found = strdup(word.s + strlen(name));
		r = found ? 0 : -ENOMEM;
	}
	if (r < 0) {
		free(found);
		return r;
	}
	*ret = found;
	return found ? 1 : 0;
}

bool unit_path_is_plain(const char *path)
{
	for (const char *s = path; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || strchr("\"'\\%", *s))
			return false;
	return *path && text_is_utf8(path);
}
