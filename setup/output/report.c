#include "setup/output/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "setup/base/sha256.h"
#include "setup/checks/hazards.h"
#include "setup/checks/kept.h"
#include "setup/checks/taken.h"
#include "setup/kernel/rulesdiff.h"
#include "setup/node/wanted_node.h"
#include "setup/config/config_keys.h"
#include "setup/containers/place.h"
#include "setup/output/evidence.h"
#include "setup/output/prometheus.h"
#include "setup/output/short.h"
#include "setup/output/tap.h"
#include "setup/screen/verdict.h"
#include "units/host_units.h"

static void add_checks(struct text *out, const char *name, const struct checks *checks, bool notices)
{
	bool first = true;

	text_addf(out, "\"%s\":[", name);
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];
		_cleanup_text_ struct text words = {0};

		if ((check->kind == CHECK_NOTICE) != notices || check->skip)
			continue;
		text_addf(out, "%s{\"ok\":%s,\"name\":", first ? "" : ",", text_truth(check->ok));
		check_add_name(check, &words);
		text_add_json(out, text_error(&words) < 0 ? "out of memory" : words.s);
		if (!check->ok) {
			text_add(out, ",\"found\":");
			text_add_json(out, check->detail);
		}
		text_add(out, "}");
		first = false;
	}
	text_add(out, "]");
}

static int print_json(const struct context *c, const struct checks *checks, enum exit_status status)
{
	_cleanup_text_ struct text out = {0};

	text_addf(&out, "{\"command\":\"verify\",\"matches\":%s,\"status\":%d%s",
		  text_truth(status == STATUS_DONE), (int)status, c->options->brief ? "" : ",");
	if (!c->options->brief) {
		add_checks(&out, "checks", checks, false);
		text_add(&out, ",");
		add_checks(&out, "notices", checks, true);
	}
	evidence_add(&out, c);
	if (c->options->brief) {
		short_add(&out, c, checks);
		evidence_add_reader(&out, c);
	} else {
		evidence_add_parts(&out, c);
	}
	text_add(&out, "}\n");
	if (text_error(&out) < 0)
		return -ENOMEM;
	fputs(out.s, stdout);
	return 0;
}

/* But its digits: counts that go on, such as of what waits, make no other result. */
static void add_without_counts(struct sha256 *sha, const char *s)
{
	for (; *s; s++)
		if (*s < '0' || *s > '9')
			sha256_add(sha, s, 1);
}

/* Is it the same as the last one that was printed? reason: of a run that failed, else NULL. */
static bool is_same(struct context *c, const struct checks *checks, enum exit_status status, const char *reason)
{
	struct sha256 sha;
	char digest[65];

	if (!c->digest)
		return false;
	sha256_begin(&sha);
	sha256_add(&sha, &status, sizeof(status));
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];

		if (check->ok)
			continue;
		sha256_add(&sha, check->name, strlen(check->name) + 1);
		if (check->kind != CHECK_NOTICE && check->counts)
			add_without_counts(&sha, check->detail);
		else if (check->kind != CHECK_NOTICE)
			sha256_add(&sha, check->detail, strlen(check->detail));
		sha256_add(&sha, "", 1);
	}
	if (reason)
		add_without_counts(&sha, reason);
	sha256_end(&sha, digest);
	c->same = strcmp(c->digest, digest) == 0;
	memcpy(c->digest, digest, sizeof(digest));
	return c->same;
}

static int print_prometheus(const struct context *c, const struct checks *checks, enum exit_status status)
{
	_cleanup_text_ struct text out = {0};
	int r = prometheus_add(&out, c, checks, status);

	if (r == 0)
		fputs(out.s, stdout);
	return r;
}

static int print_checks(const struct context *c, const struct checks *checks, enum exit_status status)
{
	switch (c->options->output) {
	case OUTPUT_TEXT:
		return verdict_print(c, checks, status);
	case OUTPUT_TAP:
		tap_print(checks);
		return 0;
	case OUTPUT_JSON:
		return print_json(c, checks, status);
	case OUTPUT_PROMETHEUS:
		return print_prometheus(c, checks, status);
	case OUTPUT_SARIF:	/* of render only */
	default:
		return 0;
	}
}

int report_checks(struct context *c, const struct checks *checks, enum exit_status status)
{
	int r = c->options->textfile ? prometheus_add(&c->metrics, c, checks, status) : 0;

	if (r == 0 && is_same(c, checks, status, NULL))
		return 0;
	if (r == 0)
		r = print_checks(c, checks, status);
	if (r < 0)
		log_say(c->log, LEVEL_ERROR, "out of memory; the result is not printed");
	return r;
}

/* Rules in force of those that the kernel has; the others are kept, before them. */
static size_t count_ours(const struct context *c)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};

	if (c->config.existing != EXISTING_KEEP ||
	    rulesdiff_compare(&diff, &c->wanted.rules, &c->node.rules, false) < 0)
		return c->node.rules.n;
	return c->node.rules.n - diff.n_unexpected;
}

void report_in_force(const struct context *c, const char *result, const char *before)
{
	const char *lock = node_locked(&c->node) ? "locked" : "not locked";
	size_t ours = count_ours(c), kept = c->node.rules.n - ours;

	if (kept > 0)
		report_done(c, "apply", result, "%s%zu rules are in force, %s, beside %zu that the kernel had", before, ours, lock, kept);
	else
		report_done(c, "apply", result, "%s%zu rules are in force, %s", before, ours, lock);
}

/* What is done is done: the exit status says it, and the next run. */
static void say_unprinted(const struct context *c)
{
	log_say(c->log, LEVEL_ERROR, "out of memory; the result is not printed: the exit status tells it, and verify");
}

void report_done(const struct context *c, const char *command, const char *result,
		 const char *format, ...)
{
	_cleanup_free_ char *sentence = NULL;
	_cleanup_text_ struct text out = {0};
	va_list args;

	va_start(args, format);
	if (vasprintf(&sentence, format, args) < 0)
		sentence = NULL;
	va_end(args);
	if (!sentence) {
		say_unprinted(c);
	} else if (c->options->output == OUTPUT_JSON) {
		text_addf(&out, "{\"command\":\"%s\",\"result\":\"%s\",\"rules\":%zu,", command, result, c->node.rules.n);
		if (c->options->command == COMMAND_APPLY)
			text_addf(&out, "\"rules_ours\":%zu,", count_ours(c));
		text_addf(&out, "\"enabled\":%u,\"message\":", c->node.status.enabled);
		text_add_json(&out, sentence);
		evidence_add(&out, c);
		if (c->options->brief)
			short_add(&out, c, NULL);
		text_add(&out, "}");
		if (text_error(&out) < 0)
			say_unprinted(c);
		else
			puts(out.s);
	} else if (c->options->level >= LEVEL_INFO) {
		puts(sentence);
	}
}

void report_failed(struct context *c, enum exit_status status)
{
	const char *reason = log_last_error(c->log);
	_cleanup_text_ struct text out = {0};

	if (c->options->textfile) {
		text_done(&c->metrics);
		prometheus_add_failure(&c->metrics);
	}
	if (is_same(c, &(struct checks){ .n = 0 }, status, reason))
		return;
	if (c->options->output == OUTPUT_TAP) {
		tap_print_failure(reason);
		return;
	}
	if (c->options->output == OUTPUT_PROMETHEUS) {
		prometheus_add_failure(&out);
		fputs(text_error(&out) < 0 ? "" : out.s, stdout);
		return;
	}
	if (c->options->output != OUTPUT_JSON)
		return;
	text_addf(&out, "{\"command\":\"%s\",\"result\":\"failed\",\"status\":%d,\"message\":",
		  options_command(c->options), (int)status);
	text_add_json(&out, reason ? reason : "");
	evidence_add_origin(&out, c->options, &c->host);
	text_add(&out, "}");
	if (text_error(&out) < 0)
		log_say(c->log, LEVEL_ERROR, "out of memory; the result is not printed");
	else
		puts(out.s);
}

bool report_others(const struct context *c, const struct checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];

		if (!check->ok && check->kind == CHECK_DROP_IN)
			log_say(c->log, LEVEL_WARNING, "this does not hold: %s: %s", check->name, check->detail);
		if (!check->ok && check->kind == CHECK_REPLACED)
			log_say(c->log, LEVEL_ERROR, "this does not hold: %s: %s; nothing was changed", check->name,
				check->detail);
	}
	return checks->failed[CHECK_REPLACED] > 0;
}

void report_reader(const struct context *c)
{
	if (c->config.reader == READER_CHECK)
		reader_warn(&c->node.reader, c->config.unit_mode == MODE_FILE, c->log);
}

static int report_taken(const struct context *c)
{
	_cleanup_text_ struct text keys = {0};
	int n = node_locked(&c->node) ? 0 : taken_list(&keys, &c->wanted, &c->config, &c->node, &c->host);

	if (n > 0 && kept_has_silencer(&c->node))
		log_say(c->log, LEVEL_WARNING, "the kernel has -a never,task: programs that were started under it stay unseen by every "
			"rule until they are started again, also when it has been replaced; reboot the node, or restart its services");
	if (n > 0)
		log_say(c->log, LEVEL_WARNING, "existing = replace deletes the kernel's %d rules of others, by key: %s; to have "
			"them stay, set [rules] existing = keep, or put them into [rules] directory", n, keys.s);
	return n < 0 ? log_no_memory(c->log) : 0;
}

void report_forms(const struct context *c)
{
	for (size_t i = 0; i < c->wanted.n_forms; i++)
		log_say(c->log, LEVEL_WARNING, "a watch stays what it was loaded as: %s: %s", c->wanted.forms[i].path,
			wanted_form_note(&c->wanted.forms[i]));
}

static int report_kept(const struct context *c)
{
	_cleanup_(kept_done) struct kept kept = {0};

	if (kept_judge(&kept, &c->wanted, &c->config, &c->node, &c->host) < 0)
		return log_no_memory(c->log);
	if (kept.taken == 0)
		return 0;
	if (kept.taken == kept.ours)
		log_say(c->log, LEVEL_ERROR, "%s: existing = keep leaves this rule in the kernel, before ours, and %s: %s; delete it on "
			"the node (auditctl -d ...), or set existing = replace; nothing was changed",
			config_source(&c->config, "rules", "existing"), kept.headless ? "it drops the SYSCALL record "
			"of each of their events, which alone has the rule's key, and who did it" : "behind it none of them would record "
			"anything", kept.by.s);
	else
		log_say(c->log, LEVEL_WARNING, "existing = keep leaves a rule in the kernel, before ours, behind which %zu of our %zu "
			"rules record nothing: %s", kept.taken, kept.ours, kept.by.s);
	return kept.taken == kept.ours ? -EINVAL : 0;
}

/* What sets PATH of the runtime's unit after us makes identity nothing, and the node is better untouched. */
static bool say_path_overridden(const struct context *c)
{
	if (!c->wanted.path_overrides)
		return false;
	log_say(c->log, LEVEL_ERROR, "%s: [container] identity = yes: %s sets PATH of %s after our drop-in, or takes it away; move that "
		"into a drop-in whose name comes before " DROP_IN ", as 10-NAME.conf; nothing was changed",
		config_source(&c->config, "container", "identity"), c->wanted.path_overrides, c->config.runtime_unit);
	return true;
}

/* Where verify sees what is missing, and nothing can be written. */
static bool say_no_place(const struct context *c)
{
	if (!c->wanted.files[FILE_RUNTIME_PROGRAM].s || place_can_have(&c->host))
		return false;
	log_say(c->log, LEVEL_ERROR, "%s: [container] runtime_unit = %s: " PLACE_NONE "; nothing was changed",
		config_source(&c->config, "container", "runtime_unit"), c->config.runtime_unit);
	return true;
}

int report_risks(const struct context *c)
{
	int r;

	if (say_no_place(c))
		return -ENOTSUP;
	r = say_path_overridden(c) ? -EINVAL : hazards_warn(&c->config, &c->node, c->log);

	if (r == 0)
		r = report_taken(c);
	return r == 0 && !node_locked(&c->node) ? report_kept(c) : r;
}

void report_lost(const struct context *c)
{
	_cleanup_text_ struct text means = {0};

	hazards_explain_lost(&means, &c->node);
	if (c->node.status.lost > 0)
		log_say(c->log, LEVEL_WARNING, "the kernel has lost %" PRIu32 " audit records since boot, or since the "
			"last auditctl --reset-lost: %s", c->node.status.lost, means.s ? means.s : "");
}
