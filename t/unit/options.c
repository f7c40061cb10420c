#include "t/unit/test.h"

#include <getopt.h>

#include "setup/config/options.h"

/* A command line and what comes of it; emptied by done(). */
struct line {
	struct options options;
	struct capture said;
	char *argv[32];
	int argc, result;
};

static void parse(struct line *l, const char *const *words)
{
	*l = (struct line){0};
	l->argv[l->argc++] = strdup("./cloud-audit-setup");
	for (; *words; words++)
		l->argv[l->argc++] = strdup(*words);
	optind = 0;	/* getopt(3): a new command line */
	capture_begin(&l->said);
	l->result = options_parse(&l->options, l->argc, l->argv, l->said.log);
	capture_text(&l->said);
}

static void done(struct line *l)
{
	options_done(&l->options);
	capture_end(&l->said);
	for (int i = 0; i < l->argc; i++)
		free(l->argv[i]);
}

#define LINE(name, ...) \
	_cleanup_(done) struct line name; \
	parse(&name, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void refused(const char *message, const char *const *words)
{
	_cleanup_(done) struct line l;
	_cleanup_free_ char *want = NULL;

	parse(&l, words);
	assert_true(asprintf(&want, "cloud-audit-setup: error: %s\n", message) > 0);
	assert_string_equal(l.said.s, want);
	assert_int_equal(l.result, -EINVAL);
}

#define REFUSED(message, ...) refused(message, (const char *const[]){ __VA_ARGS__, NULL })

static void nothing(void **state)
{
	LINE(l);

	assert_int_equal(l.result, 1);
	assert_int_equal(l.options.command, COMMAND_APPLY);
	assert_int_equal(l.options.output, OUTPUT_TEXT);
	assert_int_equal(l.options.level, LEVEL_INFO);
	assert_string_equal(l.options.root, DEFAULT_ROOT);
	assert_null(l.options.config);
	assert_null(l.options.machine);
	assert_int_equal(l.options.n_set, 0);
	assert_string_equal(l.said.s, "");
}

static void commands(void **state)
{
	static const struct {
		const char *word;
		enum command command;
	} rows[] = {
		{ "apply", COMMAND_APPLY }, { "plan", COMMAND_PLAN }, { "verify", COMMAND_VERIFY },
		{ "remove", COMMAND_REMOVE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		LINE(l, rows[i].word);

		assert_int_equal(l.result, 1);
		assert_int_equal(l.options.command, rows[i].command);
	}
}

static void renders(void **state)
{
	static const char *const words[] = { "rules", "unit", "kernel", "hash", "cloud-config" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		LINE(l, "render", words[i]);

		assert_int_equal(l.result, 1);
		assert_int_equal(l.options.command, COMMAND_RENDER);
		assert_int_equal(l.options.render, i);
	}
	REFUSED("render needs one of rules, unit, kernel, hash, cloud-config", "render");
	REFUSED("unknown thing to render 'rule'; did you mean 'rules'? (see --help)", "render", "rule");
	REFUSED("unknown thing to render 'everything': expected rules, unit, kernel, hash or cloud-config (see --help)",
		"render", "everything");
	REFUSED("unexpected argument 'rules' (see --help)", "render", "kernel", "rules");
	LINE(l, "render", "rules", "-q", "a.rules", "-");
	assert_int_equal(l.result, 1);
	assert_int_equal(l.options.n_files, 2);
	assert_string_equal(l.options.files[0], "a.rules");
	assert_string_equal(l.options.files[1], "-");
}

static void values(void **state)
{
	static const char *const forms[][9] = {
		{ "-c", "f", "-R", "/r", "-o", "json" }, { "-cf", "-R/r", "-ojson" },
		{ "--config", "f", "--root", "/r", "--output", "json" },
		{ "--config=f", "--root=/r", "--output=json" }, { "--conf=f", "--ro", "/r", "--out=json" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		_cleanup_(done) struct line l;

		parse(&l, forms[i]);
		assert_string_equal(l.said.s, "");
		assert_int_equal(l.result, 1);
		assert_string_equal(l.options.config, "f");
		assert_string_equal(l.options.root, "/r");
		assert_int_equal(l.options.output, OUTPUT_JSON);
	}
}

static void sets(void **state)
{
	LINE(l, "-s", "a.b=1", "--set", "c.d=2", "plan", "--set=e.f=3", "-sg.h=4");

	assert_int_equal(l.result, 1);
	assert_int_equal(l.options.n_set, 4);
	assert_string_equal(l.options.set[0], "a.b=1");
	assert_string_equal(l.options.set[1], "c.d=2");
	assert_string_equal(l.options.set[2], "e.f=3");
	assert_string_equal(l.options.set[3], "g.h=4");
	assert_int_equal(l.options.command, COMMAND_PLAN);
}

static void levels(void **state)
{
	LINE(q, "-q");
	LINE(quiet, "--quiet");
	LINE(v, "-v");
	LINE(verbose, "verify", "--verbose");
	LINE(last, "-qv");

	assert_int_equal(q.options.level, LEVEL_WARNING);
	assert_int_equal(quiet.options.level, LEVEL_WARNING);
	assert_int_equal(v.options.level, LEVEL_DEBUG);
	assert_int_equal(verbose.options.level, LEVEL_DEBUG);
	assert_int_equal(last.options.level, LEVEL_DEBUG);
}

static void machines(void **state)
{
	static const char *const names[] = { "x86_64", "aarch64" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		LINE(l, "render", "kernel", "--machine", names[i]);

		assert_int_equal(l.result, 1);
		assert_string_equal(l.options.machine, names[i]);
	}
	LINE(amd, "render", "kernel", "--machine", "amd64");
	assert_string_equal(amd.options.machine, "x86_64");
	LINE(arm, "render", "kernel", "--machine", "arm64");
	assert_string_equal(arm.options.machine, "aarch64");
	REFUSED("unknown machine 'x86-64'; did you mean 'x86_64'? (see --help)", "render", "rules",
		"--machine=x86-64");
	REFUSED("unknown machine 's390x': expected x86_64 or aarch64 (see --help)",
		"render", "rules", "--machine", "s390x");
}

static void together(void **state)
{
	static const char *const not_render[] = { "apply", "plan", "verify", "remove" };
	static const char *const not_verify[] = { "apply", "plan", "remove" };

	for (size_t i = 0; i < ARRAY_SIZE(not_render); i++)
		REFUSED("--machine works with render only: a node is always its own machine",
			not_render[i], "--machine=aarch64");
	REFUSED("--machine works with render only: a node is always its own machine", "--machine=aarch64");
	for (size_t i = 0; i < ARRAY_SIZE(not_verify); i++)
		REFUSED("--output tap works with verify only", "-o", "tap", not_verify[i]);
	REFUSED("--output tap works with verify only", "-o", "tap", "render", "rules");
	REFUSED("--output tap works with verify only", "-otap");
	for (size_t i = 0; i < ARRAY_SIZE(not_verify); i++)
		REFUSED("--output sarif works with render only: it has what is wrong with rules", "-o", "sarif", not_verify[i]);
	REFUSED("--output prometheus works with verify only", "-o", "prometheus", "plan");
	REFUSED("--diff works with plan only", "verify", "--diff");
	REFUSED("--short works with -o json only, of plan, apply, verify and remove", "verify", "--short");
	REFUSED("--short works with -o json only, of plan, apply, verify and remove", "render", "hash", "--short");
	REFUSED("--every works with verify only", "plan", "--every=5s");
	REFUSED("--every has several results, and TAP is one", "verify", "-o", "tap", "--every=5s");
	REFUSED("--textfile works with verify only", "plan", "--textfile=x");
	REFUSED("--changes works with --every only", "verify", "--changes");
	REFUSED("--changes is for who reads each result; a file is to have the last one", "verify", "--changes", "--every=1h",
		"--output-file=x");
	LINE(l, "verify", "-o", "tap");
	assert_int_equal(l.result, 1);
	assert_int_equal(l.options.output, OUTPUT_TAP);
}

static void durations(void **state)
{
	static const struct { const char *word; uint64_t seconds; } rows[] = {
		{ "1s", 1 }, { "30s", 30 }, { "5min", 300 }, { "5m", 300 }, { "24h", 86400 },
	};
	static const char *const bad[] = { "0s", "5", "25h", "1d", "-1s", "s", "1 s", "999999s", "1.5h", "" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		LINE(l, "verify", "--every", rows[i].word);

		assert_int_equal(l.result, 1);
		assert_int_equal(l.options.every, rows[i].seconds * 1000000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *message = NULL;

		assert_true(asprintf(&message, "--every %s: expected a time from 1s to 24h, with s, min or h", bad[i]) > 0);
		REFUSED(message, "verify", "--every", bad[i]);
	}
}

#define COMMANDS ": expected apply, plan, render, verify, volume, explain or remove (see --help)"

static void words(void **state)
{
	REFUSED("unknown command 'aply'; did you mean 'apply'? (see --help)", "aply");
	REFUSED("unknown command 'configure'" COMMANDS, "configure");
	REFUSED("unknown command 'status'; did you mean 'verify'? (see --help)", "status");
	REFUSED("unknown command 'uninstall'; did you mean 'remove'? (see --help)", "uninstall");
	REFUSED("unknown command ''" COMMANDS, "");
	REFUSED("unexpected argument 'now' (see --help)", "apply", "now");
	REFUSED("unexpected argument '-x' (see --help)", "apply", "--", "-x");
	REFUSED("unknown output format 'yaml': expected text, json, tap, sarif or prometheus (see --help)", "-o", "yaml");
	REFUSED("unknown output format 'jason'; did you mean 'json'? (see --help)", "--output=jason");
}

static void unknown(void **state)
{
	REFUSED("unknown option -x (see --help)", "-x");
	REFUSED("unknown option -x (see --help)", "-xq");
	REFUSED("unknown option -x (see --help)", "-qx");
	REFUSED("unknown option -x (see --help)", "--quiet", "-xq");
	REFUSED("unknown option -x (see --help)", "-qxv", "plan");
	REFUSED("unknown option -m (see --help)", "-m", "aarch64");
	REFUSED("unknown option -? (see --help)", "-?");
	REFUSED("unknown option -: (see --help)", "-:");
	REFUSED("unknown option --xyz (see --help)", "--xyz");
	REFUSED("unknown option --xyz=1 (see --help)", "plan", "--xyz=1");
	REFUSED("option --ver is ambiguous (see --help)", "--ver");
	REFUSED("unknown option --xyz (see --help)", "-q", "--xyz", "-v");
	REFUSED("unknown option --verbos3; did you mean '--verbose'? (see --help)", "--verbos3");
	REFUSED("unknown option --rot=/x; did you mean '--root'? (see --help)", "--rot=/x");
	REFUSED("unknown option --dry-run; did you mean 'plan'? (see --help)", "apply", "--dry-run");
	REFUSED("unknown option --check; did you mean 'verify'? (see --help)", "--check");
}

static void no_value(void **state)
{
	REFUSED("option -c needs a value (see --help)", "-c");
	REFUSED("option -s needs a value (see --help)", "plan", "-qs");
	REFUSED("option --root needs a value (see --help)", "--root");
	REFUSED("option --machine needs a value (see --help)", "render", "rules", "--machine");
	REFUSED("option --quiet takes no value (see --help)", "--quiet=yes");
	REFUSED("option --help takes no value (see --help)", "--help=me");
}

static void json(void **state)
{
	LINE(l, "-o", "json", "--xyz");

	assert_int_equal(l.result, -EINVAL);
	assert_non_null(strstr(l.said.s, "\"message\":\"unknown option --xyz (see --help)\"}\n"));
	assert_memory_equal(l.said.s, "{\"severity\":\"ERROR\",", 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("no words mean apply, text, the default root and configuration", nothing),
		TEST("each command has its word", commands),
		TEST("render takes one word, with rules files behind it, and refuses none, or another", renders),
		TEST("values are taken short, joined, long, with =, and abbreviated", values),
		TEST("--set is repeatable and keeps its order", sets),
		TEST("--quiet and --verbose, the last one counts", levels),
		TEST("--machine takes the machines that there are", machines),
		TEST("--machine is refused without render, -o tap without verify", together),
		TEST("--every takes seconds, minutes and hours, up to a day", durations),
		TEST("a wrong word is refused, with the nearest one", words),
		TEST("an unknown option is named, wherever it stands", unknown),
		TEST("an option without its value, or with one too many, is named", no_value),
		TEST("after -o json usage errors are JSON, too", json),
	};

	return RUN(tests);
}
