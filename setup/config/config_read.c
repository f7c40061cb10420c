#include "setup/config/config_private.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>

#include "setup/base/nearest.h"
#include "setup/base/sha256.h"
#include "setup/host/host.h"
#include "setup/host/own.h"

#define WHITE " \t\r\n\v\f"

/* Keeps a copy of a file name as long as the configuration lives. */
static const char *keep_name(struct config *config, const char *name)
{
	char **names = realloc(config->names, (config->n_names + 1) * sizeof(*names));

	if (!names)
		return NULL;
	config->names = names;
	names[config->n_names] = strdup(name);
	return names[config->n_names] ? names[config->n_names++] : NULL;
}

/* A reading of one file: where inih's next call to the handler comes from. */
struct pass {
	struct config *config;
	struct log *log;
	unsigned number;
	const char *file;
	const char *next, *end;
	unsigned line;
	bool indented, have_key;
	bool lost;	/* after a [section that ends nowhere: whose keys these are is unknown */
	int r;
};

static void pass_error(struct pass *pass, const char *format, ...) _printf_format_(2, 3);
static void pass_error(struct pass *pass, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	log_at(pass->log, LEVEL_ERROR, pass->file, pass->line, "%s",
	       message ? message : "out of memory");
	pass->r = -EINVAL;
}

static void say_unknown(struct pass *pass, const char *what, const char *word,
			const char *const *names, size_t n)
{
	const char *near = nearest_name(word, names, n);

	if (near)
		pass_error(pass, "unknown %s '%s'; did you mean '%s'?", what, word, near);
	else
		pass_error(pass, "unknown %s '%s'", what, word);
}

/* 1 when the section exists; otherwise says so. */
static int check_section(struct pass *pass, const char *section)
{
	const char *names[CONFIG_ROWS_MAX];
	size_t n = 0;

	for (int i = 0; i < config_n_rows; i++) {
		if (strcmp(config_rows[i].section, section) == 0)
			return 1;
		if (n == 0 || strcmp(names[n - 1], config_rows[i].section) != 0)
			names[n++] = config_rows[i].section;
	}
	say_unknown(pass, "section", section, names, n);
	return 0;
}

static void say_unknown_key(struct pass *pass, const char *section, const char *key)
{
	const char *names[CONFIG_ROWS_MAX];
	size_t n = 0;

	for (int i = 0; i < config_n_rows; i++)
		if (strcmp(config_rows[i].section, section) == 0)
			names[n++] = config_rows[i].key;
	if (n > 0)
		say_unknown(pass, "key", key, names, n);
}

/* What other formats write for yes and no. */
static const char *meant_by(const char *value, const char *expected)
{
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{ "true", "yes" }, { "on", "yes" }, { "1", "yes" }, { "enabled", "yes" }, { "y", "yes" }, { "yes", "yes" },
		{ "false", "no" }, { "off", "no" }, { "0", "no" }, { "disabled", "no" }, { "n", "no" }, { "no", "no" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcasecmp(rows[i].word, value) == 0 && strstr(expected, rows[i].meant))
			return rows[i].meant;
	return NULL;
}

/* Appends why a value that is not valid may stand there: what is a comment, a quote or a word elsewhere. */
static void add_hint(struct text *out, const char *value, const char *expected)
{
	size_t n = strlen(value), comment = n;
	const char *meant = meant_by(value, expected);

	for (size_t i = 1; i < n && comment == n; i++)
		if (value[i] == '#' && isspace((unsigned char)value[i - 1]))
			comment = i;
	if (comment < n)
		text_add(out, " (behind a value a comment begins with ';', or stands on a line of its own)");
	else if (n > 1 && (*value == '"' || *value == '\'') && value[n - 1] == *value)
		text_addf(out, " (quotes are part of the value: write %.*s)", (int)n - 2, value + 1);
	else if (meant)
		text_addf(out, "; did you mean '%s'?", meant);
}

static void take_value(struct pass *pass, int i, const char *value, bool add)
{
	struct config_row_state *state = &pass->config->state[i];
	_cleanup_text_ struct text hint = {0};
	int r;

	if (add && !config_row_is_list(&config_rows[i])) {
		pass_error(pass, "an indented line continues the value of %s, which takes only one line; "
			   "remove the spaces in front", config_rows[i].key);
		return;
	}
	if (!add && state->pass == pass->number) {
		pass_error(pass, "key '%s' is set twice; the first is at %s", config_rows[i].key, state->source);
		return;
	}
	state->pass = pass->number;
	r = config_set_row(pass->config, i, value, add, pass->file, pass->line);
	if (r == -EINVAL) {
		state->bad = true;
		/* The place of a bad value still counts when the key comes again. */
		if (!add && config_note_place(state, pass->file, pass->line) < 0)
			pass->r = -ENOMEM;
		add_hint(&hint, value, config_rows[i].expected);
		pass_error(pass, "%s = '%s' is not valid; expected %s%s", config_rows[i].key, value,
			   config_rows[i].expected, hint.s ? hint.s : "");
	} else if (r < 0) {
		pass->r = r;
	}
}

/* Length of what stands before a comment as inih knows it: a semicolon after white space. */
static size_t content_length(const char *s)
{
	size_t n = 0;

	while (s[n] && !(s[n] == ';' && n > 0 && isspace((unsigned char)s[n - 1])))
		n++;
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		n--;
	return n;
}

/* inih leaves a comment behind a continuation line in the value. */
static void continue_value(struct pass *pass, int i, const char *value)
{
	_cleanup_free_ char *content = strndup(value, content_length(value));

	if (content)
		take_value(pass, i, content, true);
	else
		pass->r = -ENOMEM;
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
	struct pass *pass = user;
	bool add = pass->indented && pass->have_key;
	int i = config_row_find(section, name);

	pass->have_key = *name;
	/* What is wrong was said already: by check_line(), or where the continued key stands. */
	if (!*name || pass->lost || (add && i < 0))
		return 1;
	if (add)
		continue_value(pass, i, value);
	else if (!*section)
		pass_error(pass, "'%s' stands before any [section]", name);
	else if (i >= 0)
		take_value(pass, i, value, false);
	else
		say_unknown_key(pass, section, name);
	return 1;
}

/* A line that begins with '[', of length bytes. */
static void check_section_line(struct pass *pass, const char *s, size_t length)
{
	const char *end = memchr(s, ']', length), *rest;
	_cleanup_free_ char *name = NULL;

	pass->lost = !end;
	if (!end) {
		pass_error(pass, "'[' without ']'");
		return;
	}
	pass->have_key = false;
	name = strndup(s + 1, (size_t)(end - s) - 1);
	if (!name) {
		pass->r = -ENOMEM;
		return;
	}
	check_section(pass, name);
	rest = end + 1 + strspn(end + 1, WHITE);
	if (rest < s + length && *rest != '#' && *rest != ';')
		pass_error(pass, "'%.*s' after [%s] is not read; put it on a line of its own",
			   (int)(s + length - rest), rest, name);
}

/* What inih passes over in silence, or reports without saying what it was. */
static void check_line(struct pass *pass, const char *line)
{
	const char *s = line + strspn(line, WHITE);
	size_t length = content_length(s);

	pass->indented = s > line;
	if (length == 0 || *s == ';' || *s == '#')
		return;
	if (pass->indented && pass->have_key)
		return;
	if (*s == '[')
		check_section_line(pass, s, length);
	else if (*s == '=' || *s == ':')
		pass_error(pass, "a value without a key in front of the '%c'", *s);
	else if (!memchr(s, '=', length) && !memchr(s, ':', length))
		pass_error(pass, "'%.*s' is neither [section] nor key = value", (int)length, s);
}

/* inih's reader: gives out the content line by line, so that the handler knows its line. */
static char *next_line(char *buffer, int size, void *user)
{
	struct pass *pass = user;
	size_t length = 0;

	if (pass->next >= pass->end)
		return NULL;
	pass->line++;
	while (pass->next + length < pass->end && pass->next[length] != '\n')
		length++;
	if (length + 2 > (size_t)size) {
		pass_error(pass, "the line has %zu bytes, %d are possible; continue a list on the next "
			   "line, indented", length, size - 2);
		buffer[0] = '\0';
	} else {
		memcpy(buffer, pass->next, length);
		buffer[length] = '\0';
		if (pass->line == 1 && strncmp(buffer, "\xef\xbb\xbf", 3) == 0)
			check_line(pass, buffer + 3);
		else
			check_line(pass, buffer);
	}
	pass->next += length + 1;
	return buffer;
}

/* Else a program given by mistake has as many mistakes as lines. */
static bool is_text(struct pass *pass)
{
	const char *nul = pass->next ? memchr(pass->next, '\0', (size_t)(pass->end - pass->next)) : NULL;

	if (!nul)
		return true;
	pass->line = 1;
	for (const char *s = pass->next; s < nul; s++)
		pass->line += *s == '\n';
	pass_error(pass, "a NUL byte: the file is not text, and nothing of it was read");
	return false;
}

int config_read(struct config *config, const char *file, struct log *log)
{
	_cleanup_text_ struct text content = {0};
	struct pass pass = { .config = config, .log = log, .number = ++config->passes };
	int r = host_read_own(file, &content);

	if (r == -ENOENT)
		return r;
	if (r < 0) {
		const char *reason = host_own_reason(r);

		log_at(log, LEVEL_ERROR, file, 0, "%s%s", reason ? reason : "cannot be read: ",
		       reason ? "" : strerror(-r));
		return r;
	}
	pass.file = keep_name(config, file);
	if (!pass.file)
		return -ENOMEM;
	sha256_of(content.s ? content.s : "", content.len, config->sha256);
	pass.next = content.s;
	pass.end = content.s + content.len;
	if (is_text(&pass) && ini_parse_stream(next_line, &pass, on_value, &pass) != 0 && pass.r == 0)
		pass_error(&pass, "cannot be parsed");
	return pass.r;
}

int config_override(struct config *config, const char *setting, struct log *log)
{
	const char *dot = strchr(setting, '.'), *equals = strchr(setting, '=');
	_cleanup_free_ char *section = NULL, *key = NULL, *name = NULL;
	struct pass pass = { .config = config, .log = log, .number = ++config->passes };
	int i;

	if (!dot || !equals || dot > equals || dot == setting || dot + 1 == equals)
		return -EBADMSG;
	section = strndup(setting, (size_t)(dot - setting));
	key = strndup(dot + 1, (size_t)(equals - dot - 1));
	if (!section || !key || asprintf(&name, "--set %s", setting) < 0)
		return -ENOMEM;
	pass.file = keep_name(config, name);
	if (!pass.file)
		return -ENOMEM;
	i = config_row_find(section, key);
	if (i >= 0)
		take_value(&pass, i, equals + 1, false);
	else if (check_section(&pass, section) == 1)
		say_unknown_key(&pass, section, key);
	return pass.r;
}
