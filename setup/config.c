#include "setup/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "setup/host.h"
#include "setup/nearest.h"
#include "setup/sha256.h"

#define WHITE " \t\r\n\v\f"

struct config_row_state {
	char *value;		/* as written; lists: items joined by commas */
	char *source;		/* for people */
	const char *file;	/* NULL: default */
	unsigned line;
	unsigned pass;		/* the reading that set it last, for repeats */
};

struct row;
/* Takes value into *target; 0, -EINVAL when it is not as row->expected says, -ENOMEM. */
typedef int (*row_parser)(const struct row *row, const char *value, void *target);

struct row {
	const char *section, *key;
	row_parser parse;
	size_t offset;
	const char *value;		/* the default */
	const char *expected;		/* what a good value looks like */
	int64_t min, max;
	const char *const *choices;	/* last: gcc 10 takes a list in a row for one that ends too early */
};

static int parse_bool(const struct row *row, const char *value, void *target)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return -EINVAL;
	*(bool *)target = yes;
	return 0;
}

static int parse_choice(const struct row *row, const char *value, void *target)
{
	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], value) == 0) {
			*(int *)target = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_event(const struct row *row, const char *value, void *target)
{
	int unused;

	return parse_choice(row, value, &unused);
}

/* Decimal digits only, then one of the suffixes of systemd.time(7) that make sense here. */
static int parse_digits(const char *value, int64_t *ret, const char **ret_end)
{
	int64_t n = 0;

	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	for (; isdigit((unsigned char)*value); value++) {
		n = n * 10 + (*value - '0');
		if (n > UINT32_MAX)
			return -EINVAL;
	}
	*ret = n;
	*ret_end = value;
	return 0;
}

static int parse_number(const struct row *row, const char *value, void *target)
{
	const char *end;
	int64_t n;

	if (parse_digits(value, &n, &end) < 0 || *end || n < row->min || n > row->max)
		return -EINVAL;
	*(int64_t *)target = n;
	return 0;
}

static int parse_number_or_keep(const struct row *row, const char *value, void *target)
{
	if (strcmp(value, "keep") != 0)
		return parse_number(row, value, target);
	*(int64_t *)target = -1;
	return 0;
}

static int parse_number_or_empty(const struct row *row, const char *value, void *target)
{
	if (*value)
		return parse_number(row, value, target);
	*(int64_t *)target = -1;
	return 0;
}

static int parse_duration(const struct row *row, const char *value, void *target)
{
	static const struct {
		const char *suffix;
		int64_t usec;
	} units[] = {
		{ "", 1000000 }, { "s", 1000000 }, { "ms", 1000 }, { "min", 60000000 },
	};
	const char *end;
	int64_t n;

	if (parse_digits(value, &n, &end) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].suffix) != 0)
			continue;
		n *= units[i].usec;
		if (n < row->min || n > row->max)
			return -EINVAL;
		*(int64_t *)target = n;
		return 0;
	}
	return -EINVAL;
}

static int set_string(const char *value, void *target)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*(char **)target);
	*(char **)target = copy;
	return 0;
}

static int parse_path(const struct row *row, const char *value, void *target)
{
	return *value == '/' ? set_string(value, target) : -EINVAL;
}

/* Empty, or a name as systemd.unit(5) has it; its drop-in's directory is made from it. */
static int parse_service(const struct row *row, const char *value, void *target)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		":-_.\\@";
	size_t n = strlen(value);

	if (n > 0 && (n < 9 || n > 255 || value[0] == '.' || strcmp(value + n - 8, ".service") != 0 ||
		      strspn(value, characters) != n))
		return -EINVAL;
	return set_string(value, target);
}

/* "auto", or what sd_bus_set_address() takes: transport:key=value[;...]. */
static int parse_address(const struct row *row, const char *value, void *target)
{
	if (strcmp(value, "auto") != 0 && !(strchr(value, ':') && strchr(value, '=')))
		return -EINVAL;
	return set_string(value, target);
}

static int list_add(struct config_list *list, const char *value, size_t length)
{
	struct config_item *items = realloc(list->items, (list->n + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n] = (struct config_item){ .value = strndup(value, length) };
	if (!items[list->n].value)
		return -ENOMEM;
	list->n++;
	return 0;
}

static void list_cut(struct config_list *list, size_t n)
{
	while (list->n > n)
		free(list->items[--list->n].value);
}

static void list_clear(struct config_list *list)
{
	list_cut(list, 0);
	free(list->items);
	*list = (struct config_list){0};
}

static int parse_list(const struct row *row, const char *value, void *target)
{
	struct config_list *list = target;

	while (*value) {
		size_t length = strcspn(value, ","), used;

		while (isspace((unsigned char)*value))
			value++, length--;
		used = length;
		while (used > 0 && isspace((unsigned char)value[used - 1]))
			used--;
		if (used == 0 || (row->choices && *value != '/'))
			return -EINVAL;
		if (list_add(list, value, used) < 0)
			return -ENOMEM;
		value += length;
		if (*value == ',')
			value++;
	}
	return 0;
}

#define CHOICES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define IN(member) offsetof(struct config, member)
#define YES_NO .expected = "yes or no"
#define EVENT(name, def, exp, ...) \
	{ "events", name, parse_event, 0, def, .expected = exp, .choices = CHOICES(__VA_ARGS__) }
#define SWITCH(name) EVENT(name, "yes", "yes or no", "no", "yes")

static const struct row rows[] = {
	{ "audit", "lock", parse_bool, IN(lock), "yes", YES_NO },
	{ "audit", "on_locked", parse_choice, IN(on_locked), "stage",
	  .expected = "stage or fail", .choices = CHOICES("stage", "fail") },
	{ "audit", "backlog_limit", parse_number, IN(backlog_limit), "8192",
	  .expected = "a number of records from 0 to 4294967295", .max = UINT32_MAX },
	/* kernel/audit.c: at most 10 * AUDIT_BACKLOG_WAIT_TIME = 600 s, in jiffies of up to 1000 Hz */
	{ "audit", "backlog_wait_time", parse_number_or_keep, IN(backlog_wait_time), "keep",
	  .expected = "keep, or a number from 0 to 600000", .max = 600000 },
	{ "audit", "rate_limit", parse_number, IN(rate_limit), "0",
	  .expected = "a number of records per second from 0 to 4294967295", .max = UINT32_MAX },
	{ "audit", "failure", parse_choice, IN(failure), "printk",
	  .expected = "silent, printk or panic", .choices = CHOICES("silent", "printk", "panic") },
	{ "audit", "loginuid_immutable", parse_bool, IN(loginuid_immutable), "no", YES_NO },

	SWITCH("audit-config"),
	SWITCH("apparmor"),
	SWITCH("exec"),
	EVENT("socket", "unusual", "no, unusual or all", "no", "unusual", "all"),
	EVENT("mmap", "anonymous", "no, anonymous, exec or all", "no", "anonymous", "exec", "all"),
	SWITCH("network"),
	SWITCH("logins"),
	SWITCH("tty"),

	{ "filter", "exclude_types", parse_list, IN(exclude_types), "",
	  .expected = "record types separated by commas" },
	{ "filter", "exclude_exe", parse_list, IN(exclude_exe), "",
	  .expected = "absolute paths separated by commas", .choices = CHOICES("/") },
	{ "filter", "exclude_uid", parse_list, IN(exclude_uid), "",
	  .expected = "user names or numbers separated by commas" },
	{ "filter", "min_auid", parse_number_or_empty, IN(min_auid), "",
	  .expected = "empty, or a user id from 0 to 4294967294", .max = UINT32_MAX - 1 },

	{ "rules", "directory", parse_path, IN(rules_directory), "/etc/cloud-audit-setup/rules.d",
	  .expected = "an absolute path" },
	{ "rules", "existing", parse_choice, IN(existing), "replace",
	  .expected = "replace or keep", .choices = CHOICES("replace", "keep") },
	{ "rules", "optimise", parse_bool, IN(optimise), "yes", YES_NO },

	{ "unit", "mode", parse_choice, IN(unit_mode), "file", .expected = "file or transient",
	  .choices = CHOICES("file", "transient") },
	{ "unit", "enable", parse_bool, IN(unit_enable), "yes", YES_NO },
	{ "unit", "start_timeout", parse_duration, IN(start_timeout), "30s",
	  .expected = "a time from 1s to 60min, with ms, s or min", .min = 1000000,
	  .max = 3600000000 },

	{ "dbus", "address", parse_address, IN(dbus_address), "auto",
	  .expected = "auto, or a D-Bus address such as unix:path=/run/dbus/system_bus_socket" },

	{ "journal", "reader", parse_choice, IN(reader), "check",
	  .expected = "check, enable or ignore", .choices = CHOICES("check", "enable", "ignore") },

	{ "apparmor", "audit", parse_choice, IN(apparmor_audit), "keep",
	  .expected = "keep, normal, all, noquiet, quiet or quiet_denied",
	  .choices = CHOICES("keep", "normal", "all", "noquiet", "quiet", "quiet_denied") },

	{ "ima", "policy", parse_choice, IN(ima_policy), "no", .expected = "no, exec or exec,mmap",
	  .choices = CHOICES("no", "exec", "exec,mmap") },

	{ "tty", "sshd", parse_bool, IN(tty_sshd), "no", YES_NO },
	{ "tty", "runtime_unit", parse_service, IN(runtime_unit), "",
	  .expected = "empty, or the name of a systemd service such as containerd.service" },
	{ "tty", "log_passwords", parse_bool, IN(log_passwords), "no", YES_NO },
};

enum { N_ROWS = ARRAY_SIZE(rows) };

static int find_row(const char *section, const char *key)
{
	for (int i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
			return i;
	return -1;
}

static bool is_list(const struct row *row)
{
	return row->parse == parse_list;
}

static void set_item_places(struct config_list *list, size_t from, const char *file, unsigned line)
{
	for (size_t i = from; i < list->n; i++) {
		list->items[i].file = file;
		list->items[i].line = line;
	}
}

static int note_value(struct config_row_state *state, const char *value, bool add)
{
	_cleanup_text_ struct text text = {0};
	size_t n = add && state->value ? strlen(state->value) : 0;

	if (n > 0)
		text_addf(&text, "%s%s", state->value, state->value[n - 1] == ',' ? "" : ",");
	text_add(&text, value);
	if (text_error(&text) < 0)
		return -ENOMEM;
	free(state->value);
	state->value = text_take(&text);
	return 0;
}

static int note_place(struct config_row_state *state, const char *file, unsigned line)
{
	_cleanup_text_ struct text source = {0};

	if (!file)
		text_add(&source, "built-in default");
	else if (line)
		text_addf(&source, "%s:%u", file, line);
	else
		text_add(&source, file);
	if (text_error(&source) < 0)
		return -ENOMEM;
	free(state->source);
	state->source = text_take(&source);
	state->file = file;
	state->line = line;
	return 0;
}

/* add: the value goes on from the line before; its place is still where it began. */
static int set_row(struct config *config, int i, const char *value, bool add, const char *file,
		   unsigned line)
{
	const struct row *row = &rows[i];
	void *target = (char *)config + row->offset;
	struct config_list *list = is_list(row) ? target : NULL;
	size_t from;
	int r;

	if (list && !add)
		list_clear(list);
	from = list ? list->n : 0;
	r = row->parse(row, value, target);
	if (r < 0 && list)
		list_cut(list, from);
	if (r < 0)
		return r;
	if (list)
		set_item_places(list, from, file, line);
	r = note_value(&config->state[i], value, add);
	return r < 0 || add ? r : note_place(&config->state[i], file, line);
}

int config_init(struct config *config)
{
	*config = (struct config){0};
	config->state = calloc(N_ROWS, sizeof(*config->state));
	if (!config->state)
		return -ENOMEM;
	for (int i = 0; i < N_ROWS; i++) {
		int r = set_row(config, i, rows[i].value, false, NULL, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

void config_done(struct config *config)
{
	for (int i = 0; config->state && i < N_ROWS; i++) {
		free(config->state[i].value);
		free(config->state[i].source);
		if (is_list(&rows[i]))
			list_clear((void *)((char *)config + rows[i].offset));
	}
	free(config->state);
	for (size_t i = 0; i < config->n_names; i++)
		free(config->names[i]);
	free(config->names);
	free(config->rules_directory);
	free(config->dbus_address);
	free(config->runtime_unit);
	*config = (struct config){0};
}

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
	const char *names[N_ROWS];
	size_t n = 0;

	for (int i = 0; i < N_ROWS; i++) {
		if (strcmp(rows[i].section, section) == 0)
			return 1;
		if (n == 0 || strcmp(names[n - 1], rows[i].section) != 0)
			names[n++] = rows[i].section;
	}
	say_unknown(pass, "section", section, names, n);
	return 0;
}

static void say_unknown_key(struct pass *pass, const char *section, const char *key)
{
	const char *names[N_ROWS];
	size_t n = 0;

	for (int i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].section, section) == 0)
			names[n++] = rows[i].key;
	if (n > 0)
		say_unknown(pass, "key", key, names, n);
}

static void take_value(struct pass *pass, int i, const char *value, bool add)
{
	struct config_row_state *state = &pass->config->state[i];
	int r;

	if (add && !is_list(&rows[i])) {
		pass_error(pass, "an indented line continues the value of %s, which takes only one line; "
			   "remove the spaces in front", rows[i].key);
		return;
	}
	if (!add && state->pass == pass->number) {
		pass_error(pass, "key '%s' is set twice; the first is at %s", rows[i].key, state->source);
		return;
	}
	state->pass = pass->number;
	r = set_row(pass->config, i, value, add, pass->file, pass->line);
	if (r == -EINVAL) {
		/* The place of a bad value still counts when the key comes again. */
		if (!add && note_place(state, pass->file, pass->line) < 0)
			pass->r = -ENOMEM;
		pass_error(pass, "%s = '%s' is not valid; expected %s", rows[i].key, value,
			   rows[i].expected);
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
	int i = find_row(section, name);

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
	bool bad;

	if (pass->next >= pass->end)
		return NULL;
	pass->line++;
	while (pass->next + length < pass->end && pass->next[length] != '\n')
		length++;
	bad = true;
	if (memchr(pass->next, '\0', length))
		pass_error(pass, "a NUL byte; the file is not text");
	else if (length + 2 > (size_t)size)
		pass_error(pass, "the line has %zu bytes, %d are possible; continue a list on the next "
			   "line, indented", length, size - 2);
	else
		bad = false;
	if (bad) {
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
	if (ini_parse_stream(next_line, &pass, on_value, &pass) != 0 && pass.r == 0)
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
	i = find_row(section, key);
	if (i >= 0)
		take_value(&pass, i, equals + 1, false);
	else if (check_section(&pass, section) == 1)
		say_unknown_key(&pass, section, key);
	return pass.r;
}

const char *config_value(const struct config *config, const char *section, const char *key)
{
	return config->state[find_row(section, key)].value;
}

const char *config_source(const struct config *config, const char *section, const char *key)
{
	return config->state[find_row(section, key)].source;
}

void config_place(const struct config *config, const char *section, const char *key,
		  const char **ret_file, unsigned *ret_line)
{
	const struct config_row_state *state = &config->state[find_row(section, key)];

	*ret_file = state->file;
	*ret_line = state->line;
}

bool config_row(size_t n, const char **ret_section, const char **ret_key)
{
	if (n >= N_ROWS)
		return false;
	*ret_section = rows[n].section;
	*ret_key = rows[n].key;
	return true;
}

const char *config_key(const char *section, size_t n)
{
	for (int i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].section, section) == 0 && n-- == 0)
			return rows[i].key;
	return NULL;
}

void config_print_settings(FILE *out)
{
	for (int i = 0; i < N_ROWS; i++) {
		const struct row *row = &rows[i];
		int n = fprintf(out, "  %s.%s=%s", row->section, row->key, row->value);

		fprintf(out, "%*s", n < 30 ? 32 - n : 2, "");
		if (row->parse == parse_bool)
			fputs("no|yes", out);
		else if (row->parse != parse_choice && row->parse != parse_event)
			fputs(row->expected, out);
		else
			for (size_t k = 0; row->choices[k]; k++)
				fprintf(out, "%s%s", k ? "|" : "", row->choices[k]);
		fputc('\n', out);
	}
}
