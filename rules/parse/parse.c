/* The options of a line, as getopt_long() finds them for auditctl, by one table. */
#include "rules/parse/parse.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>

#include "rules/parse/draft.h"
#include "rules/parse/kernel.h"
#include "rules/rule/names.h"
#include "setup/base/nearest.h"

struct option_row {
	const char *name;	/* "-a", "--signal" */
	bool value;	/* takes one: the rest of the token, after "=", or the next token */
	bool (*read)(struct draft *draft, const struct option_row *row, const char *value);
	const char *why;	/* why a checked set has no place for it */
};

static bool read_append(struct draft *draft, const struct option_row *row, const char *value);
static bool read_prepend(struct draft *draft, const struct option_row *row, const char *value);
static bool read_delete(struct draft *draft, const struct option_row *row, const char *value);
static bool read_watch(struct draft *draft, const struct option_row *row, const char *value);
static bool read_unwatch(struct draft *draft, const struct option_row *row, const char *value);
static bool read_permissions(struct draft *draft, const struct option_row *row, const char *value);
static bool read_key_option(struct draft *draft, const struct option_row *row, const char *value);
static bool read_syscalls(struct draft *draft, const struct option_row *row, const char *value);
static bool read_field(struct draft *draft, const struct option_row *row, const char *value);
static bool read_comparison(struct draft *draft, const struct option_row *row, const char *value);
static bool read_control(struct draft *draft, const struct option_row *row, const char *value);
static bool refuse(struct draft *draft, const struct option_row *row, const char *value);

static const struct option_row options[] = {
	{ "-a", true, read_append, NULL },
	{ "-A", true, read_prepend, NULL },
	{ "-d", true, read_delete, NULL },
	{ "-w", true, read_watch, NULL },
	{ "-W", true, read_unwatch, NULL },
	{ "-p", true, read_permissions, NULL },
	{ "-k", true, read_key_option, NULL },
	{ "-S", true, read_syscalls, NULL },
	{ "-F", true, read_field, NULL },
	{ "-C", true, read_comparison, NULL },
	{ "-b", true, read_control, NULL },
	{ "-r", true, read_control, NULL },
	{ "-f", true, read_control, NULL },
	{ "-e", true, read_control, NULL },
	{ "-D", false, read_control, NULL },
	{ "--backlog_wait_time", true, read_control, NULL },
	{ "--loginuid-immutable", false, read_control, NULL },
	{ "-i", false, read_control, NULL },
	{ "-c", false, read_control, NULL },
	{ "-q", true, refuse, "changes directory watches that are loaded already, not the set" },
	{ "-t", false, refuse, "trims directory watches that are loaded already; a rule on the same line "
	  "would be dropped" },
	{ "-m", true, refuse, "writes a record whenever the rules are loaded" },
	{ "-s", false, refuse, "only reports the status" },
	{ "-l", false, refuse, "only lists what is loaded" },
	{ "-v", false, refuse, "only prints auditctl's version; a rule on the same line would be dropped" },
	{ "-h", false, refuse, "only prints auditctl's help" },
	{ "-R", true, refuse, "reads another file, which auditctl does not do from a file" },
	{ "--signal", true, refuse, "sends a signal to auditd; a rule on the same line would be dropped" },
	{ "--reset-lost", false, refuse, "clears the count of lost records; a rule on the same line would be "
	  "dropped" },
	{ "--reset_backlog_wait_time_actual", false, refuse, "clears a counter; a rule on the same line would "
	  "be dropped" },
};

static bool refuse(struct draft *draft, const struct option_row *row, const char *value)
{
	return draft_fail(draft, "%s has no place in a checked set: it %s", row->name, row->why);
}

static const struct {
	const char *word;
	uint32_t number;
	bool list;
} keywords[] = {
	{ "task", AUDIT_FILTER_TASK, true }, { "exit", AUDIT_FILTER_EXIT, true },
	{ "user", AUDIT_FILTER_USER, true }, { "exclude", AUDIT_FILTER_EXCLUDE, true },
	{ "filesystem", AUDIT_FILTER_FS, true },
	{ "always", AUDIT_ALWAYS, false }, { "never", AUDIT_NEVER, false },
};

/* The row of word[0..len), -1 when it is no keyword. */
static int find_keyword(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (strlen(keywords[i].word) == len && memcmp(keywords[i].word, word, len) == 0)
			return (int)i;
	return -1;
}

/* Keywords of other versions of auditctl, by what becomes of them. */
static const struct {
	const char *word, *why;
} old_keywords[] = {
	{ "entry", "the kernel has no list entry any more; use exit" },
	{ "possible", "the action possible is gone; auditctl would silently skip the rule" },
	{ "io_uring", "auditctl 3.0 does not know the list io_uring" },
	{ "fs", "the list is called filesystem" },
};

/* The keyword that the first misspelt word of a list was meant to be, NULL when none is near. */
static const char *nearest_keyword(const char *value)
{
	const char *names[ARRAY_SIZE(keywords)];
	_cleanup_free_ char *copy = strdup(value);
	char *rest = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		names[i] = keywords[i].word;
	for (char *word = copy ? strtok_r(copy, ",", &rest) : NULL; word; word = strtok_r(NULL, ",", &rest))
		if (find_keyword(word, strlen(word)) < 0)
			return nearest_name(word, names, ARRAY_SIZE(names));
	return NULL;
}

static bool fail_keyword(struct draft *draft, const struct option_row *row, const char *value)
{
	const char *nearest;
	size_t len = strlen(value);

	if (strchr("0123", *value) && len > 1 && strchr("=!<>&", value[1]))
		return draft_fail(draft, "%s%s: %s takes a list and an action; for a field of this name write -F a%s",
				  row->name, value, row->name, value);
	if (len && value[len - 1] == ',' && draft->next)
		return draft_fail(draft, "%s %s %s: no blank may stand behind the comma; write %s%s", row->name, value,
				  draft->next, value, draft->next);
	for (size_t i = 0; i < ARRAY_SIZE(old_keywords); i++) {
		len = strlen(old_keywords[i].word);
		if (strncmp(value, old_keywords[i].word, len) == 0 && value[len] == ',')
			return draft_fail(draft, "%s %s: %s", row->name, value, old_keywords[i].why);
		if (strlen(value) > len && strcmp(value + strlen(value) - len, old_keywords[i].word) == 0)
			return draft_fail(draft, "%s %s: %s", row->name, value, old_keywords[i].why);
	}
	nearest = nearest_keyword(value);
	return draft_fail(draft, "%s %s: expected LIST,ACTION with a list of task, exit, user, exclude, "
			  "filesystem and an action of always, never%s%s%s", row->name, value,
			  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static bool read_list(struct draft *draft, const struct option_row *row, const char *value)
{
	const char *comma = strchr(value, ',');
	int first, second, list, action;

	if (draft->list_given)
		return draft_fail(draft, "%s %s: the line has a list already", row->name, value);
	if (!comma)
		return fail_keyword(draft, row, value);
	first = find_keyword(value, (size_t)(comma - value));
	second = find_keyword(comma + 1, strlen(comma + 1));
	if (first < 0 || second < 0 || keywords[first].list == keywords[second].list)
		return fail_keyword(draft, row, value);
	list = keywords[first].list ? first : second;
	action = keywords[first].list ? second : first;
	if (draft->watch && list != first)
		return draft_fail(draft, "%s %s: after -w auditctl takes LIST,ACTION in this order only",
				  row->name, value);
	if (keywords[list].number == AUDIT_FILTER_TASK && draft->syscalls)
		return draft_fail(draft, "%s %s: the list task has no system calls", row->name, value);
	draft->list_given = true;
	draft->list = keywords[list].number;
	draft->action = keywords[action].number;
	return true;
}

static bool read_append(struct draft *draft, const struct option_row *row, const char *value)
{
	return read_list(draft, row, value);
}

static bool read_prepend(struct draft *draft, const struct option_row *row, const char *value)
{
	draft->prepend = true;
	return read_list(draft, row, value);
}

static bool read_delete(struct draft *draft, const struct option_row *row, const char *value)
{
	if (draft->watch)
		return draft_fail(draft, "-d %s: the line has a watch already", value);
	draft->delete = true;
	return read_list(draft, row, value);
}

/* auditctl.c check_path(): its limits, which are narrower than the kernel's. */
static bool check_watch_path(struct draft *draft, const struct option_row *row, const char *path)
{
	const char *end = path + strlen(path), *base;

	if (*path == '"' || *path == '\'')
		return draft_fail(draft, "%s %s: auditctl knows no quotes; write the path without them, a "
				  "space as \"\\ \"", row->name, path);
	if (*path != '/')
		return draft_fail(draft, "%s %s: the path must begin with /", row->name, path);
	if (end - path >= PATH_MAX)
		return draft_fail(draft, "%s: the path is longer than %d bytes", row->name, PATH_MAX - 1);
	while (end > path + 1 && end[-1] == '/')
		end--;
	base = memrchr(path, '/', (size_t)(end - path));
	if (base && end - base - 1 > NAME_MAX)
		return draft_fail(draft, "%s: the last part of the path is longer than %d bytes", row->name,
				  NAME_MAX);
	return true;
}

/* auditctl.c audit_setup_watch_name(): cuts the slashes at the end, then looks what is there. */
static bool add_watch(struct draft *draft, const struct option_row *row, const char *path)
{
	_cleanup_free_ char *trimmed = strdup(path);
	size_t len = strlen(path);
	bool directory = false, slash = path[len - 1] == '/';
	int r;

	if (!trimmed)
		return draft_fail(draft, "out of memory");
	/* A path of two slashes keeps them. */
	while (slash && strlen(path) > 2 && len > 1 && trimmed[len - 1] == '/')
		trimmed[--len] = '\0';
	r = draft->env->host->path_type(draft->env->host->context, trimmed, &directory);
	if (r < 0)
		return draft_fail(draft, "%s %s: cannot look at the path: %s", row->name, path, strerror(-r));
	if (r == 0 || r == RULES_UNKNOWN)
		directory = slash;
	/* A boot makes /run anew, and the kernel refuses a rule for a directory that is not there yet: what the program
	 * brings says with a slash that it is. */
	if (draft->env->shipped && strncmp(trimmed, "/run/", strlen("/run/")) == 0)
		directory = slash;
	memset(draft->mask, 0xff, sizeof(draft->mask));
	draft->syscalls = draft->permissions = true;
	return draft_add_string(draft, directory ? AUDIT_DIR : AUDIT_WATCH, AUDIT_EQUAL, trimmed) &&
	       draft_add(draft, AUDIT_PERM, AUDIT_EQUAL,
			 AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR);
}

static bool read_watch(struct draft *draft, const struct option_row *row, const char *value)
{
	if (draft->list != DRAFT_LIST_UNSET)
		return draft_fail(draft, "%s %s: a watch cannot be given with -a, -A, -d or another watch",
				  row->name, value);
	if (draft->syscalls)
		return draft_fail(draft, "%s %s: auditctl would throw away the -S before it", row->name,
				  value);
	draft->list = AUDIT_FILTER_EXIT;
	draft->action = AUDIT_ALWAYS;
	draft->watch = true;
	return check_watch_path(draft, row, value) && add_watch(draft, row, value);
}

static bool read_unwatch(struct draft *draft, const struct option_row *row, const char *value)
{
	draft->delete = true;
	draft->list_given = true;
	return read_watch(draft, row, value);
}

/* libaudit.c audit_update_watch_perms(): replaces what is there, or appends. */
static bool set_permissions(struct draft *draft, const char *letters, uint32_t value)
{
	uint32_t at;

	for (at = 0; at < draft->n_fields && draft->fields[at] != AUDIT_PERM; at++)
		;
	if (at == draft->n_fields)
		return draft_add(draft, AUDIT_PERM, AUDIT_EQUAL, value);
	/* The field that -w itself made is the second one. */
	if (!draft->watch || at != 1)
		return draft_fail(draft, "-p %s: auditctl would overwrite the -F perm= before it", letters);
	for (uint32_t i = at + 1; i < draft->n_fields; i++)
		if (draft->fields[i] == AUDIT_PERM)
			return draft_fail(draft, "-p %s: auditctl would overwrite the -F perm= before it",
					  letters);
	draft->values[at] = value;
	return true;
}

static bool read_permissions(struct draft *draft, const struct option_row *row, const char *value)
{
	uint32_t bits;

	if (draft->list == DRAFT_LIST_UNSET)
		return draft_fail(draft, "-p %s: a watch or a list must stand before it", value);
	if (draft->n_fields == 0)
		return draft_fail(draft, "-p %s: a watch or a field must stand before it", value);
	if (draft->perm_given)
		return draft_fail(draft, "-p %s: given twice; auditctl would forget the first", value);
	if (!draft_permissions(draft, value, &bits) || !set_permissions(draft, value, bits))
		return false;
	draft->perm_given = draft->permissions = true;
	return true;
}

static bool read_key_option(struct draft *draft, const struct option_row *row, const char *value)
{
	if (draft->list == DRAFT_LIST_UNSET || !draft_key_allowed(draft))
		return draft_fail(draft, "-k %s: a key needs a watch, -S, -F path=, dir=, perm= or exe= "
				  "before it", value);
	return draft_key(draft, value);
}

static bool read_syscalls(struct draft *draft, const struct option_row *row, const char *value)
{
	return draft_syscalls(draft, value);
}

static bool read_field(struct draft *draft, const struct option_row *row, const char *value)
{
	return draft_field(draft, value);
}

static bool read_comparison(struct draft *draft, const struct option_row *row, const char *value)
{
	return draft_compare(draft, value);
}

static bool read_control(struct draft *draft, const struct option_row *row, const char *value)
{
	return draft_control(draft, row->name, value);
}

/* The row of a token; *ret_value is what is attached to it, NULL when nothing is. */
static const struct option_row *find_option(const char *token, const char **ret_value)
{
	bool is_long = token[1] == '-';
	size_t len = is_long ? strcspn(token, "=") : 2;

	*ret_value = token[len] ? token + len + (is_long ? 1 : 0) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i].name) == len && memcmp(options[i].name, token, len) == 0)
			return &options[i];
	return NULL;
}

/* Dashes that word processors and web pages put in the place of "-", in UTF-8. */
static size_t typographic_dash(const char *token)
{
	static const char *const dashes[] = {
		"\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95",
		"\xe2\x88\x92",
	};

	for (size_t i = 0; i < ARRAY_SIZE(dashes); i++)
		if (strncmp(token, dashes[i], strlen(dashes[i])) == 0)
			return strlen(dashes[i]);
	return 0;
}

static bool is_auditctl(const char *token)
{
	const char *slash = strrchr(token, '/');

	return strcmp(slash ? slash + 1 : token, "auditctl") == 0;
}

static bool fail_parameter(struct draft *draft, const char *const *tokens, size_t at)
{
	const char *token = tokens[at];
	size_t dash = typographic_dash(token), before = at ? strlen(tokens[at - 1]) : 0;

	if (*token == '#')
		return draft_fail(draft, "\"%s\": a comment must stand on a line of its own; auditctl would "
				  "fail here", token);
	if (dash)
		return draft_fail(draft, "\"%s\": this dash is a typographic one; write -%s", token, token + dash);
	if (at == 0 && is_auditctl(token))
		return draft_fail(draft, "\"%s\": a rules file has the options only; leave out the program's name", token);
	if (at == 0 && strcmp(token, "-") == 0 && draft->n_tokens > 1)
		return draft_fail(draft, "\"-\": a rules file is no YAML list; leave out the dash before the rule");
	if (before && tokens[at - 1][before - 1] == ',')
		return draft_fail(draft, "\"%s %s\": no blank may stand behind a comma; write %s%s", tokens[at - 1], token,
				  tokens[at - 1], token);
	return draft_fail(draft, "\"%s\": expected an option%s", token,
			  at == 0 ? "" : " (auditctl knows no quotes; a space is written \"\\ \")");
}

static bool fail_option(struct draft *draft, const char *token)
{
	const char *names[ARRAY_SIZE(options)], *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		names[i] = options[i].name;
	/* Of two letters each is near to every other. */
	nearest = token[1] == '-' && token[2] ? nearest_name(token, names, ARRAY_SIZE(names)) : NULL;
	return draft_fail(draft, "%s: unknown option%s%s%s", token, nearest ? "; did you mean " : "",
			  nearest ? nearest : "", nearest ? "?" : "");
}

static bool is_option(const char *token)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].name, token) == 0)
			return true;
	return false;
}

/* An option in the place of a value. Only a key may be "-F" to auditctl, where the line goes on as if it were meant. */
static bool check_swallowed(struct draft *draft, const struct option_row *row, const char *const *tokens, size_t at)
{
	const char *value = tokens[at];

	if (*value != '-' || !is_option(value))
		return true;
	if (strcmp(row->name, "-k") != 0 || (at + 1 < draft->n_tokens && tokens[at + 1][0] != '-'))
		return draft_fail(draft, "%s: the value is missing; auditctl would take the next word, %s, for it",
				  row->name, value);
	draft_warn(draft, "swallowed", "-k %s: this option becomes the key; is a word missing before it?", value);
	return true;
}

/* The value of an option: what is attached to it, or the next word. Returns NULL after logging. */
static const char *find_value(struct draft *draft, const struct option_row *row, const char *attached,
			      const char *const *tokens, size_t *at)
{
	/* These say themselves what is wrong with a quote; a key may have one. */
	static const char *const with_quotes[] = { "-w", "-W", "-F", "-C", "-k" };
	const char *value = attached;

	if (!row->value)
		return "";
	if (!value && *at + 1 == draft->n_tokens) {
		draft_fail(draft, "%s: the value is missing", row->name);
		return NULL;
	}
	if (!value) {
		value = tokens[++*at];
		if (!check_swallowed(draft, row, tokens, *at))
			return NULL;
	}
	if (*value != '"' && *value != '\'')
		return value;
	for (size_t i = 0; i < ARRAY_SIZE(with_quotes); i++)
		if (strcmp(row->name, with_quotes[i]) == 0)
			return value;
	draft_fail(draft, "%s %s: auditctl knows no quotes; write the value without them", row->name, value);
	return NULL;
}

static bool read_option(struct draft *draft, const char *const *tokens, size_t *at)
{
	const char *token = tokens[*at], *attached, *value;
	const struct option_row *row;

	if (token[0] != '-' || !token[1])
		return fail_parameter(draft, tokens, *at);
	row = find_option(token, &attached);
	if (!row)
		return fail_option(draft, token);
	if (!row->value && attached)
		return draft_fail(draft, "%s: %s takes no value", token, row->name);
	value = find_value(draft, row, attached, tokens, at);
	if (!value)
		return false;
	++*at;
	draft->next = *at < draft->n_tokens ? tokens[*at] : NULL;
	return row->read(draft, row, value);
}

static bool read_tokens(struct draft *draft, const char *const *tokens)
{
	size_t at = 0;

	while (at < draft->n_tokens)
		if (!read_option(draft, tokens, &at))
			return false;
	if (draft->list == DRAFT_LIST_UNSET && (draft->syscalls || !draft->control))
		return draft_fail(draft, "the line has no list (-a LIST,ACTION) and no watch");
	if (draft->key.len == 0)
		return true;
	/* libaudit has the same rule for the field that the keys are joined to. */
	if (draft->list == AUDIT_FILTER_EXCLUDE)
		return draft_fail(draft, "the list exclude takes no key");
	if (!draft_key_allowed(draft))
		return draft_fail(draft, "-F key=: a key needs a watch, -S, -F path=, dir=, perm= or exe=");
	return draft_add_string(draft, AUDIT_FILTERKEY, AUDIT_EQUAL, draft->key.s);
}

/* The rule of a line that was read; PARSE_NOTHING when it asks for nothing. */
static int finish_rule(struct draft *draft, struct rule *ret)
{
	const char *why;
	int r;

	if (draft->list == DRAFT_LIST_UNSET)
		return PARSE_NOTHING;
	if (draft_say_absent(draft))
		return PARSE_NOTHING;
	r = draft_compile(draft, &ret->data, &ret->size);
	if (r < 0)
		return r;
	why = kernel_refuses(ret->data, ret->size);
	if (why) {
		free(ret->data);
		ret->data = NULL;
		draft_fail(draft, "the kernel would refuse this rule: %s", why);
		return -EINVAL;
	}
	return draft->delete ? PARSE_DELETE : PARSE_ADD;
}

int parse_line(const struct rules_env *env, const char *file, unsigned line, const char *const *tokens,
	       size_t n_tokens, struct rule *ret)
{
	struct draft draft = {
		.env = env, .file = file, .line = line, .n_tokens = n_tokens, .list = DRAFT_LIST_UNSET,
		/* Asked for once: a line may name hundreds of system calls, and this asks the kernel. */
		.machine = names_machine(env->machine),
	};
	int r = -EINVAL;

	if (read_tokens(&draft, tokens))
		r = finish_rule(&draft, ret);
	if (text_error(&draft.strings) < 0 || text_error(&draft.key) < 0 || text_error(&draft.absent) < 0)
		r = -ENOMEM;
	text_done(&draft.strings);
	text_done(&draft.key);
	text_done(&draft.absent);
	return r;
}
