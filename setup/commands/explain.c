#include "setup/commands/commands.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "rules/rule/names.h"
#include "setup/config/config_keys.h"
#include "setup/config/rulefiles.h"
#include "setup/explain/explain.h"
#include "setup/host/own.h"
#include "setup/output/evidence.h"

/* A line of a rules file that is to be explained. */
struct line {
	const char *file;	/* as asked for, without "shipped " */
	unsigned number;
	bool shipped;		/* asked for so, or found so */
	char *path;		/* where the file is */
	char machine[16];	/* of a file for one alone */
	struct text content;
};

static void line_done(struct line *line)
{
	free(line->path);
	text_done(&line->content);
}

/* "[shipped ]FILE:LINE" into its parts; what is cut. */
static bool read_place(char *what, struct line *ret)
{
	char *colon = strrchr(what, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

	if (!colon || colon == what || digits == 0 || digits > 8 || colon[1 + digits])
		return false;
	*colon = '\0';
	ret->number = (unsigned)strtoul(colon + 1, NULL, 10);
	ret->shipped = strncmp(what, "shipped ", 8) == 0;
	ret->file = what + (ret->shipped ? 8 : 0);
	return true;
}

/* NN-GROUP@MACHINE.rules is for that. */
static void read_machine(struct line *line)
{
	const char *at = strrchr(text_base_name(line->file), '@'), *dot = at ? strchr(at, '.') : NULL;

	if (dot && (size_t)(dot - at) <= sizeof(line->machine))
		snprintf(line->machine, sizeof(line->machine), "%.*s", (int)(dot - at - 1), at + 1);
	/* Of any other name it is part. */
	if (names_machine(*line->machine ? line->machine : NULL) == 0)
		*line->machine = '\0';
}

/* A file of this name in a directory. 1 found, 0 not, negative errno. */
static int read_in(const char *directory, const char *name, struct line *line)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	r = host_read_own(path, &line->content);
	if (r == 0) {
		line->path = path;
		return 1;
	}
	free(path);
	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

/* Is it the file that apply writes? */
static bool is_generated(const struct line *line)
{
	const char *path = wanted_files[FILE_RULES].path;

	return strcmp(line->file, path) == 0 || strcmp(line->file, text_base_name(path)) == 0;
}

/* What apply has written, or would. */
static int read_generated(const struct context *c, struct line *line)
{
	const char *path = wanted_files[FILE_RULES].path;
	const struct text *wanted = wanted_rules_text(&c->wanted);
	int r;

	r = host_read(&c->host, path, &line->content);
	if (r == -ENOENT && wanted->s) {
		text_add(&line->content, wanted->s);
		r = text_error(&line->content);
	}
	line->path = strdup(path);
	return r < 0 ? r : line->path ? 1 : -ENOMEM;
}

/* What apply writes; shipped files, the user's, then any file by its path. Returns 1, 0 where there is none, negative
 * errno. */
static int read_file(const struct context *c, struct line *line)
{
	_cleanup_free_ char *shipped = rulefiles_shipped_directory();
	bool named = strchr(line->file, '/');
	int r = shipped ? 0 : -ENOMEM;

	if (r == 0 && is_generated(line))
		return read_generated(c, line);
	if (r == 0 && !named)
		r = read_in(shipped, line->file, line);
	if (r > 0 || line->shipped) {
		line->shipped = true;
		return r;
	}
	if (r == 0 && !named)
		r = read_in(c->config.rules_directory, line->file, line);
	if (r == 0)
		r = read_in(named && *line->file == '/' ? "" : ".", line->file + (named && *line->file == '/'), line);
	if (r > 0 && line->path && strncmp(line->path, shipped, strlen(shipped)) == 0 && line->path[strlen(shipped)] == '/')
		line->shipped = true;
	return r;
}

/* --- the rules that it stands among ----------------------------------------------------------- */

/* The configuration's rules for a machine (NULL: this one), optimised or as they are written. 0 or negative errno, logged. */
static int build(struct context *c, bool optimise, const char *machine)
{
	struct config config = c->config;
	int r;

	config.optimise = optimise;
	/* Warnings about other rules answer nothing that was asked. */
	log_set_level(c->log, LEVEL_ERROR);
	r = wanted_build(&c->wanted, &config, &c->host, machine, LEVEL_DEBUG, c->log);
	log_set_level(c->log, c->options->level);
	return r == -ENOMEM ? log_no_memory(c->log) : r;
}

/* Reads text as a rule and appends what it means. 1, or 0 for a line that is none; negative errno, logged. */
static int explain_text(const struct context *c, const char *text, const struct line *line, struct text *out)
{
	/* What apply wrote is among the configuration's rules at another place. */
	bool written = !line || !is_generated(line);
	const char *file = !line ? "the rule" : written ? line->path : "";
	_cleanup_(lookups_done) struct lookups lookups = {0};
	_cleanup_(rule_set_done) struct rule_set set = {0};
	struct rules_host ask = wanted_ask(&lookups, &c->host, &c->config);
	struct utsname uts;
	struct rules_env env = {
		.log = c->log, .host = &ask, .machine = line && *line->machine ? line->machine : NULL,
		.shipped = line && line->shipped,
	};
	const struct explain_rules rules = {
		.set = &c->wanted.rules, .env = &env, .user_first = c->config.order == ORDER_USER_FIRST,
		.optimise = c->config.optimise && written, .all = c->options->level == LEVEL_DEBUG,
	};
	int r;

	if (!env.machine && uname(&uts) == 0)
		env.machine = uts.machine;
	text += strspn(text, " ");
	if (text[0] != '-' || !strchr("aAwWdSF", text[1])) {
		explain_other(out, text);
		return 0;
	}
	r = rules_read_line(&set, &env, file, line && written ? line->number : 0, text);
	if (r < 0)
		return r;
	if (set.n_rules == 0) {
		explain_other(out, text);
		return 0;
	}
	if (set.rules[0].remove)
		explain_add(out, "Does", "takes away the equal rules that stand before it:");
	r = explain_rule(out, &set.rules[0], &rules);
	return r < 0 ? log_no_memory(c->log) : 1;
}

/* --- a line ----------------------------------------------------------------------------------- */

/* The comment above the rules that the line is among, as one text. */
static void add_comment(struct text *out, const char *label, const char *content, const char *line)
{
	_cleanup_text_ struct text words = {0};
	const char *starts[64], *s = content;
	size_t n = 0, first, last;

	/* The lines before it, the nearest of them. */
	while (s < line) {
		if (n == ARRAY_SIZE(starts))
			memmove(starts, starts + 1, --n * sizeof(*starts));
		starts[n++] = s;
		s += strcspn(s, "\n");
		s += *s == '\n';
	}
	for (last = n; last > 0 && starts[last - 1][0] == '-'; last--)
		;
	for (first = last; first > 0 && starts[first - 1][0] == '#'; first--)
		;
	for (; first < last; first++)
		text_addf(&words, "%.*s ", (int)strcspn(starts[first] + 1, "\n"), starts[first] + 1);
	if (words.s)
		explain_add(out, label, words.s + strspn(words.s, " "));
}

/* A shipped file's group, which the configuration may not have. */
static void add_switch(struct text *out, const struct context *c, const struct line *line)
{
	const char *name = text_base_name(line->path), *group;

	name += strspn(name, "0123456789");
	for (size_t i = 0; line->shipped && *name == '-' && (group = config_key("events", i)); i++) {
		_cleanup_text_ struct text words = {0};

		if (strncmp(name + 1, group, strlen(group)) != 0)
			continue;
		text_addf(&words, "%s; now [events] %s = %s", group, group, config_value(&c->config, "events", group));
		explain_add(out, "Group", words.s ? words.s : "");
	}
}

static int explain_line(const struct context *c, const struct line *line, struct text *out)
{
	_cleanup_free_ char *text = NULL;
	const char *s = NULL;
	unsigned lines = 0;

	for (const char *at = line->content.s; at && *at; at += *at == '\n') {
		s = ++lines == line->number ? at : s;
		at += strcspn(at, "\n");
	}
	if (!s) {
		log_say(c->log, LEVEL_ERROR, "%s has the lines 1 to %u, not %u", line->path, lines, line->number);
		return -ERANGE;
	}
	text = strndup(s, strcspn(s, "\r\n"));
	if (!text)
		return log_no_memory(c->log);
	text_addf(out, "%s%s:%u\n", line->shipped ? "shipped " : "", line->shipped ? text_base_name(line->path) : line->path,
		  line->number);
	explain_add(out, "Written", text);
	if (*text == '-')
		add_comment(out, is_generated(line) ? "Made of" : "Comment", line->content.s, s);
	add_switch(out, c, line);
	return explain_text(c, text, line, out);
}

/* --- the command ------------------------------------------------------------------------------ */

static int explain_place(struct context *c, struct line *line, struct text *out)
{
	int r;

	read_machine(line);
	r = build(c, is_generated(line) && c->config.optimise, *line->machine ? line->machine : NULL);
	if (r < 0)
		return r;
	r = read_file(c, line);
	if (r > 0)
		return explain_line(c, line, out);
	if (r == -ENOMEM)
		return log_no_memory(c->log);
	log_say(c->log, LEVEL_ERROR, "%s: %s; shipped are NN-GROUP.rules, yours are in %s", line->file,
		r < 0 ? (host_own_reason(r) ? host_own_reason(r) : strerror(-r)) : "there is no such rules file",
		c->config.rules_directory);
	return -ENOENT;
}

static int explain_words(struct context *c, char *what, struct text *out)
{
	_cleanup_(line_done) struct line line = {0};
	const char *near;

	if (*what == '-') {
		int r = build(c, false, NULL);

		if (r == 0)
			r = explain_text(c, what, NULL, out);
		return r;
	}
	if (explain_group(out, &c->config, what) || explain_setting(out, &c->config, what) || explain_lint(out, what))
		return 0;
	if (read_place(what, &line))
		return explain_place(c, &line, out);
	near = explain_nearest(what);
	log_say(c->log, LEVEL_ERROR, "explain knows no '%s'%s%s%s takes FILE:LINE, a group, a key of the configuration, the name "
		"of a warning, or a rule", what, near ? "; did you mean '" : "", near ? near : "", near ? "'? It" : ": it");
	return -ENOENT;
}

/* The words of the command line as one. */
static char *join(char *const *words, size_t n)
{
	struct text text = {0};

	for (size_t i = 0; i < n; i++)
		text_addf(&text, "%s%s", i ? " " : "", words[i]);
	return text_take(&text);
}

static int print(const struct context *c, struct text *out)
{
	_cleanup_text_ struct text json = {0};

	/* A rules file may hold any byte. */
	for (size_t i = 0; i < out->len; i++)
		if (((unsigned char)out->s[i] < 0x20 && out->s[i] != '\n') || (unsigned char)out->s[i] >= 0x7f)
			out->s[i] = '?';
	if (c->options->output == OUTPUT_JSON) {
		text_add(&json, "{\"command\":\"explain\",\"status\":0,\"text\":");
		text_add_json(&json, out->s ? out->s : "");
		evidence_add_origin(&json, c->options, &c->host);
		text_add(&json, "}\n");
	}
	if (text_error(out) < 0 || text_error(&json) < 0)
		return log_no_memory(c->log);
	fputs(json.s ? json.s : out->s ? out->s : "", stdout);
	return 0;
}

enum exit_status command_explain(struct context *c)
{
	_cleanup_free_ char *what = join(c->options->what, c->options->n_what);
	_cleanup_text_ struct text out = {0};
	int r = what ? explain_words(c, what, &out) : log_no_memory(c->log);

	if (r >= 0)
		r = print(c, &out);
	switch (r) {
	case -ENOENT:
	case -ERANGE:
		return STATUS_USAGE;
	case -EINVAL:
		return STATUS_CONFIG;
	default:
		return r < 0 ? STATUS_NODE : STATUS_DONE;
	}
}
