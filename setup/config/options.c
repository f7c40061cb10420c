#include "setup/config/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge/lint.h"
#include "rules/rule/names.h"
#include "setup/base/nearest.h"
#include "setup/base/terminal.h"
#include "setup/config/config.h"
#include "setup/config/config_keys.h"

static const char *const command_names[] = {
	[COMMAND_APPLY] = "apply", [COMMAND_PLAN] = "plan", [COMMAND_RENDER] = "render",
	[COMMAND_VERIFY] = "verify", [COMMAND_VOLUME] = "volume",
	[COMMAND_EXPLAIN] = "explain", [COMMAND_REMOVE] = "remove",
};
static const char *const render_names[] = {
	[RENDER_RULES] = "rules", [RENDER_UNIT] = "unit", [RENDER_KERNEL] = "kernel",
	[RENDER_HASH] = "hash",
	[RENDER_CLOUD_CONFIG] = "cloud-config",
};
static const char *const output_names[] = {
	[OUTPUT_TEXT] = "text", [OUTPUT_JSON] = "json", [OUTPUT_TAP] = "tap",
	[OUTPUT_SARIF] = "sarif", [OUTPUT_PROMETHEUS] = "prometheus",
};
static const char *const machine_names[] = { "x86_64", "aarch64" };

static const char usage[] =
	"Usage: cloud-audit-setup [OPTIONS] [COMMAND]\n"
	"Turn this node's Linux audit configuration into a known, checked, locked state.\n"
	"\n"
	"Commands:\n"
	"  apply    make this node match the configuration (default off a terminal)\n"
	"  plan     show what apply would change, in a screenful; change nothing\n"
	"  render   print what would be written: rules|unit|kernel|hash|cloud-config;\n"
	"           needs no node and no root. render rules FILE... (-: standard input):\n"
	"           check these in place of the configured ones\n"
	"  verify   compare a node with the configuration; change nothing\n"
	"  volume   what costs most in the journal, and which setting would save what\n"
	"  explain  what a rule (FILE:LINE, or as text), a group or a setting means\n"
	"  remove   undo what apply wrote\n";

static const char option_help[] =
	"\nOptions:\n"
	"  -c, --config FILE             default " DEFAULT_CONFIG "\n"
	"  -R, --root DIR                the host's root (default " DEFAULT_ROOT ")\n"
	"  -o, --output FORMAT           text|json; verify: tap|prometheus; render: sarif\n"
	"  -s, --set SECTION.KEY=VALUE   override one setting, repeatable\n"
	"      --diff                    plan: a unified diff; --diff=GROUP: of a group\n"
	"      --short                   -o json: what differs in full, else counts\n"
	"      --every DURATION          verify: again and again, such as 30s, 5min, 1h\n"
	"      --changes                 with --every: results that differ from the last\n"
	"      --output-file FILE        the result into FILE, by rename\n"
	"      --textfile FILE           verify: besides, -o prometheus into FILE\n"
	"      --machine NAME            render: rules for x86_64 or aarch64\n"
	"      --since TIME              volume: from then on: 1d, 1h, today, 08:00\n"
	"  -q, --quiet                   warnings and errors only\n"
	"  -v, --verbose                 tell every step\n"
	"  -h, --help                    this text; --help settings, --help render: more\n"
	"  -V, --version                 the version\n"
	"\n"
	"Exit status: 0 done, or node matches; 1 failed on the node; 2 usage; 3 invalid\n"
	"configuration or rules; 4 differs (plan, verify); 5 locked with other rules:\n"
	"reboot or recreate the node.\n";

static const char render_help[] =
	"\nWarnings about rules, each with FILE:LINE and [lint: NAME]:\n";
static const char settings_help[] =
	"\nSettings (for --set as they stand here; in the file [SECTION] and KEY = VALUE),\n"
	"with their defaults and what they take:\n";

/* --help; with the word render what render may warn about, with the word settings all of them. */
static void print_help(int argc, char **argv)
{
	enum { NAMES = 15 };
	const struct lint *lint;
	bool render = false, settings = false;

	for (int i = 1; i < argc; i++) {
		render = render || strcmp(argv[i], command_names[COMMAND_RENDER]) == 0;
		settings = settings || strcmp(argv[i], "settings") == 0;
	}
	fputs(usage, stdout);
	fputs(option_help, stdout);
	if (settings) {
		fputs(settings_help, stdout);
		config_print_settings(stdout);
	}
	if (!render)
		return;
	fputs(render_help, stdout);
	for (size_t i = 0; (lint = lint_at(i)); i++) {
		printf("  %-12s ", lint->name);
		terminal_print_folded(stdout, NAMES, NAMES, lint->what);
	}
}

static int name_index(const char *word, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], word) == 0)
			return (int)i;
	return -1;
}

/* What other programs call what one of ours does. */
static const struct {
	const char *word, *ours;
} elsewhere[] = {
	{ "--dry-run", "plan" }, { "--check", "verify" }, { "--noop", "plan" }, { "--diff-only", "plan --diff" },
	{ "--format", "--output" }, { "--file", "--config" }, { "--no-lock", "-s audit.lock=no" },
	{ "check", "verify" }, { "status", "verify" }, { "test", "verify" }, { "diff", "plan" }, { "dry-run", "plan" },
	{ "show", "render rules" }, { "print", "render rules" }, { "install", "apply" }, { "load", "apply" }, { "run", "apply" },
	{ "start", "apply" }, { "setup", "apply" }, { "uninstall", "remove" }, { "undo", "remove" }, { "delete", "remove" },
	{ "help", "--help" }, { "version", "--version" }, { "lint", "render rules FILE" },
};

static const char *called_elsewhere(const char *word, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		if (strlen(elsewhere[i].word) == length && strncmp(elsewhere[i].word, word, length) == 0)
			return elsewhere[i].ours;
	return NULL;
}

static void say_unknown_long(struct log *log, const char *word, const struct option *longs)
{
	size_t length = 2 + strcspn(word + 2, "="), n = 0;
	_cleanup_free_ char *name = strndup(word + 2, length - 2);
	const char *names[64], *near = called_elsewhere(word, length);

	if (near) {
		log_say(log, LEVEL_ERROR, "unknown option %s; did you mean '%s'? (see --help)", word, near);
		return;
	}
	/* What stands behind it is short for others. */
	for (; longs[n].name && n < ARRAY_SIZE(names) && (n == 0 || longs[n - 1].val != 'V'); n++)
		names[n] = longs[n].name;
	near = name ? nearest_name(name, names, n) : NULL;
	if (near)
		log_say(log, LEVEL_ERROR, "unknown option %s; did you mean '--%s'? (see --help)", word, near);
	else
		log_say(log, LEVEL_ERROR, "unknown option %s (see --help)", word);
}

/* Says which option getopt_long(3) did not like, and why; word is the one it read last. */
static void say_option(struct log *log, int c, const char *word, const struct option *longs)
{
	bool is_long = strncmp(word, "--", 2) == 0;
	size_t length = is_long ? strcspn(word + 2, "=") : 0;
	unsigned like = 0;

	for (const struct option *o = longs; is_long && o->name; o++)
		like += strncmp(word + 2, o->name, length) == 0;
	if (c == ':' && is_long)
		log_say(log, LEVEL_ERROR, "option %s needs a value (see --help)", word);
	else if (c == ':')
		log_say(log, LEVEL_ERROR, "option -%c needs a value (see --help)", optopt);
	else if (optopt && (!is_long || !like || !strchr("qvhV", optopt)))
		log_say(log, LEVEL_ERROR, "unknown option -%c (see --help)", optopt);
	else if (optopt)
		log_say(log, LEVEL_ERROR, "option %.*s takes no value (see --help)", (int)length + 2, word);
	else if (like)
		log_say(log, LEVEL_ERROR, "option %s is ambiguous (see --help)", word);
	else
		say_unknown_long(log, word, longs);
}

/* The index of word among names; otherwise says so and returns -EINVAL. */
static int find_name(struct log *log, const char *what, const char *word,
		     const char *const *names, size_t n)
{
	int i = name_index(word, names, n);
	const char *near;

	if (i >= 0)
		return i;
	near = nearest_name(word, names, n);
	if (!near && names == command_names)
		near = called_elsewhere(word, strlen(word));
	if (near)
		log_say(log, LEVEL_ERROR, "unknown %s '%s'; did you mean '%s'? (see --help)", what,
			word, near);
	else {
		_cleanup_text_ struct text all = {0};

		for (size_t k = 0; k < n; k++)
			text_addf(&all, "%s%s", k == 0 ? "" : k + 1 < n ? ", " : " or ", names[k]);
		log_say(log, LEVEL_ERROR, "unknown %s '%s': expected %s (see --help)", what, word, all.s ? all.s : "another");
	}
	return -EINVAL;
}

/* A number and a unit, up to a day. */
static int take_duration(const char *value, uint64_t *ret, struct log *log)
{
	static const struct { const char *unit; uint64_t seconds; } units[] = {
		{ "s", 1 }, { "min", 60 }, { "m", 60 }, { "h", 3600 },
	};
	size_t digits = strspn(value, "0123456789");
	uint64_t n = digits > 0 && digits < 6 ? strtoull(value, NULL, 10) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].unit, value + digits) != 0 || n == 0 || n * units[i].seconds > 86400)
			continue;
		*ret = n * units[i].seconds * 1000000;
		return 0;
	}
	log_say(log, LEVEL_ERROR, "--every %s: expected a time from 1s to 24h, with s, min or h", value);
	return -EINVAL;
}

static int take_option(struct options *o, int c, char *value, struct log *log)
{
	int i;

	switch (c) {
	case 'c':
		o->config = value;
		return 0;
	case 'R':
		o->root = value;
		o->root_given = true;
		return 0;
	case 'o':
		i = find_name(log, "output format", value, output_names, ARRAY_SIZE(output_names));
		o->output = i < 0 ? OUTPUT_TEXT : (enum output)i;
		log_set_json(log, o->output == OUTPUT_JSON);
		return i < 0 ? i : 0;
	case 's':
		o->set[o->n_set++] = value;
		return 0;
	case 'd':
		o->diff = true;
		o->group = value;
		return 0;
	case 'B':
		o->brief = true;
		return 0;
	case 'e':
		return take_duration(value, &o->every, log);
	case 'C':
		o->changes = true;
		return 0;
	case 'f':
		o->output_file = value;
		return 0;
	case 't':
		o->textfile = value;
		return 0;
	case 'm':
		o->machine = names_canonical_machine(value);
		return find_name(log, "machine", o->machine, machine_names, ARRAY_SIZE(machine_names)) < 0 ?
			-EINVAL : 0;
	case 'S':
		o->since = value;
		return 0;
	case 'q':
		o->level = LEVEL_WARNING;
		return 0;
	case 'v':
		o->level = LEVEL_DEBUG;
		return 0;
	default:
		return -EINVAL;
	}
}

static int take_what(struct options *o, int argc, char **words, struct log *log)
{
	if (o->n_what == 0) {
		o->what = words;
		o->n_what = (size_t)argc;
	}
	if (o->n_what > 0)
		return 0;
	log_say(log, LEVEL_ERROR, "explain needs one of FILE:LINE, a group, a key of the configuration, the name of a warning, or a "
		"rule");
	return -EINVAL;
}

static int take_words(struct options *o, int argc, char **words, struct log *log)
{
	int i;

	if (argc == 0)
		return 0;
	o->command_given = true;
	i = find_name(log, "command", words[0], command_names, ARRAY_SIZE(command_names));
	if (i < 0)
		return i;
	o->command = (enum command)i;
	if (o->command == COMMAND_RENDER) {
		if (argc < 2) {
			log_say(log, LEVEL_ERROR, "render needs one of rules, unit, kernel, hash, cloud-config");
			return -EINVAL;
		}
		i = find_name(log, "thing to render", words[1], render_names, ARRAY_SIZE(render_names));
		if (i < 0)
			return i;
		o->render = (enum render)i;
		argc--;
		words++;
	}
	if (o->command == COMMAND_RENDER && o->render == RENDER_RULES && argc > 1) {
		o->files = words + 1;
		o->n_files = (size_t)argc - 1;
		return 0;
	}
	if (o->command == COMMAND_EXPLAIN)
		return take_what(o, argc - 1, words + 1, log);
	if (argc > 1) {
		const char *diff = o->command == COMMAND_PLAN ? "; did you mean 'plan --diff=" : "";

		log_say(log, LEVEL_ERROR, "unexpected argument '%s'%s%s%s (see --help)", words[1], diff, *diff ? words[1] : "",
			*diff ? "'?" : "");
		return -EINVAL;
	}
	return 0;
}

static bool has_short(enum command command)
{
	return command == COMMAND_PLAN || command == COMMAND_APPLY || command == COMMAND_VERIFY || command == COMMAND_REMOVE;
}

/* What goes with what; the first that is wrong is said. */
static int check_together(const struct options *o, struct log *log)
{
	const bool verify = o->command == COMMAND_VERIFY;
	const struct { bool wrong; const char *message; } rows[] = {
		{ o->machine && o->command != COMMAND_RENDER,
		  "--machine works with render only: a node is always its own machine" },
		{ o->since && o->command != COMMAND_VOLUME, "--since works with volume only" },
		{ o->diff && o->command != COMMAND_PLAN, "--diff works with plan only" },
		{ o->output == OUTPUT_TAP && !verify, "--output tap works with verify only" },
		{ o->output == OUTPUT_PROMETHEUS && !verify, "--output prometheus works with verify only" },
		{ o->output == OUTPUT_SARIF && o->command != COMMAND_RENDER,
		  "--output sarif works with render only: it has what is wrong with rules" },
		{ o->brief && (o->output != OUTPUT_JSON || !has_short(o->command)),
		  "--short works with -o json only, of plan, apply, verify and remove" },
		{ o->textfile && !verify, "--textfile works with verify only" },
		{ o->every && !verify, "--every works with verify only" },
		{ o->every && o->output == OUTPUT_TAP, "--every has several results, and TAP is one" },
		{ o->changes && !o->every, "--changes works with --every only" },
		{ o->changes && o->output_file, "--changes is for who reads each result; a file is to have the last one" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].wrong)
			continue;
		log_say(log, LEVEL_ERROR, "%s", rows[i].message);
		return -EINVAL;
	}
	return 0;
}

/* Where a rule begins that is to be explained: as no option of ours does, so that it needs no quotes, and takes all that
 * follows. argc where there is none. */
static int find_rule(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++) {
		const char *next = argv[i + 1];

		if (strcmp(argv[i], command_names[COMMAND_EXPLAIN]) == 0 && next[0] == '-' && next[1] && strchr("aAwWd", next[1]))
			return i + 1;
	}
	return argc;
}

int options_parse(struct options *ret, int argc, char **argv, struct log *log)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' }, { "root", required_argument, NULL, 'R' },
		{ "output", required_argument, NULL, 'o' }, { "set", required_argument, NULL, 's' },
		{ "machine", required_argument, NULL, 'm' }, { "since", required_argument, NULL, 'S' },
		{ "diff", optional_argument, NULL, 'd' },
		{ "short", no_argument, NULL, 'B' }, { "every", required_argument, NULL, 'e' },
		{ "changes", no_argument, NULL, 'C' }, { "output-file", required_argument, NULL, 'f' },
		{ "textfile", required_argument, NULL, 't' }, { "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		/* What was short enough in version 0.1. */
		{ "o", required_argument, NULL, 'o' }, { "ou", required_argument, NULL, 'o' },
		{ "out", required_argument, NULL, 'o' }, { "outp", required_argument, NULL, 'o' },
		{ "outpu", required_argument, NULL, 'o' }, { "s", required_argument, NULL, 's' },
		{ "c", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 },
	};
	int c, r, rule;

	*ret = (struct options){ .root = DEFAULT_ROOT, .level = LEVEL_INFO };
	ret->set = calloc((size_t)argc + 1, sizeof(*ret->set));
	if (!ret->set)
		return -ENOMEM;
	rule = find_rule(argc, argv);
	ret->what = argv + rule;
	ret->n_what = (size_t)(argc - rule);
	argc = rule;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":c:R:o:s:qvhV", longs, NULL)) >= 0) {
		if (c == 'h' || c == 'V') {
			if (c == 'h')
				print_help(argc, argv);
			else
				puts("cloud-audit-setup " VERSION);
			return 0;
		}
		if (c == '?' || c == ':') {
			say_option(log, c, argv[optind - 1], longs);
			return -EINVAL;
		}
		r = take_option(ret, c, optarg, log);
		if (r < 0)
			return r;
	}
	r = take_words(ret, argc - optind, argv + optind, log);
	if (r == 0)
		r = check_together(ret, log);
	return r < 0 ? r : 1;
}

void options_print_usage(FILE *out)
{
	fputs(usage, out);
	fputs("\nName a command: apply changes this node, and locks its audit configuration until the next boot;\n"
	      "plan shows what it would do. --help: options\n", out);
}

const char *options_command(const struct options *options)
{
	return command_names[options->command];
}

void options_done(struct options *options)
{
	free(options->set);
	*options = (struct options){0};
}
