#include "setup/commands/commands.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "rules/match/people.h"
#include "rules/rule/show.h"
#include "setup/base/nearest.h"
#include "setup/checks/boot.h"
#include "setup/checks/checks.h"
#include "setup/checks/groups.h"
#include "setup/checks/kept.h"
#include "setup/node/settings.h"
#include "setup/output/diff.h"
#include "setup/output/evidence.h"
#include "setup/output/report.h"
#include "setup/steps/steps_runtime.h"
#include "setup/output/short.h"
#include "setup/screen/summary.h"
#include "setup/steps/files.h"
#include "units/transient.h"

/* Two texts to be compared, built line by line. */
struct pair {
	struct text before, after;
};

static void pair_done(struct pair *pair)
{
	text_done(&pair->before);
	text_done(&pair->after);
}

static int print_pair(struct text *out, const char *name, const struct pair *pair)
{
	if (text_error(&pair->before) < 0 || text_error(&pair->after) < 0)
		return -ENOMEM;
	return diff_unified(out, name, pair->before.s ? pair->before.s : "",
			    pair->after.s ? pair->after.s : "");
}

static int plan_files(const struct context *c, struct text *out, size_t first)
{
	for (size_t i = first; i < N_FILES; i++) {
		_cleanup_text_ struct text store = {0};
		const struct text *have = &c->node.files[i], *want = file_content(&c->wanted, i, have, &store);
		const char *path = wanted_path(&c->wanted, i);
		int r = 0;

		if (!want)
			return -ENOMEM;
		if (!path || text_equal(have, want))
			continue;
		if (wanted_files[i].binary)
			text_addf(out, "Binary files %s and %s differ\n", have->s ? path : "/dev/null",
				  want->s ? path : "/dev/null");
		else
			r = diff_unified(out, path, have->s, want->s);
		if (r < 0)
			return r;
	}
	return 0;
}

static int plan_all_files(const struct context *c, struct text *out)
{
	return plan_files(c, out, 0);
}

static int plan_transient(const struct context *c, struct text *out)
{
	const char *have = c->node.transient.s, *want = c->wanted.transient.s;

	/* Under the lock a unit that is gone says nothing. */
	if (want && node_locked(&c->node))
		return 0;
	return diff_unified(out, TRANSIENT_UNIT " (StandardInputData)", have, want);
}

static void add_unit(struct text *out, const char *unit, bool enabled, const char *from)
{
	text_addf(out, "%s %s, loaded from %s\n", unit, enabled ? "enabled" : "disabled", from);
}

static int plan_units(const struct context *c, struct text *out)
{
	_cleanup_(pair_done) struct pair pair = {0};

	for (size_t i = 0; i < N_FILES; i++) {
		const struct unit_state *state = &c->node.units[i];

		/* A vendor's unit that none of ours is to override is no business of ours. */
		if (wanted_files[i].unit && state->exists &&
		    (c->wanted.files[i].s || strcmp(state->fragment, wanted_files[i].path) == 0))
			add_unit(&pair.before, wanted_files[i].unit, state->enabled, state->fragment);
		if (wanted_files[i].unit && c->wanted.files[i].s)
			add_unit(&pair.after, wanted_files[i].unit, c->config.unit_enable,
				 wanted_files[i].path);
	}
	return print_pair(out, "systemd units", &pair);
}

/* The form that a listing has: the kernel clears the prepend flag. */
static void add_wanted_rule(struct text *out, const struct rule *rule)
{
	_cleanup_free_ struct audit_rule_data *copy = malloc(rule->size);

	if (!copy) {
		out->failed = true;
		return;
	}
	memcpy(copy, rule->data, rule->size);
	copy->flags &= ~(uint32_t)AUDIT_FILTER_PREPEND;
	rule_show(out, copy, rule->size);
	text_add(out, "\n");
}

/* The kernel's rules that apply takes away though rules are kept. */
static int find_left(const struct context *c, bool **ret, size_t *ret_n)
{
	return kept_left_behind(ret, ret_n, &c->wanted, &c->config, &c->node, &c->host);
}

static int plan_rules(const struct context *c, struct text *out)
{
	const struct rule_set *set = &c->wanted.rules;
	_cleanup_free_ size_t *order = calloc(set->n_rules + 1, sizeof(*order));
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	_cleanup_(pair_done) struct pair pair = {0};
	bool keep = c->config.existing == EXISTING_KEEP;
	_cleanup_free_ bool *left = NULL;
	size_t n_left = 0;

	if (!order || rulesdiff_compare(&diff, set, &c->node.rules, keep) < 0 || find_left(c, &left, &n_left) < 0)
		return -ENOMEM;
	if (rulesdiff_same(&diff) && n_left == 0)
		return 0;
	for (size_t i = 0; i < c->node.rules.n; i++) {
		const struct kernel_rule *rule = &c->node.rules.rules[i];
		size_t at = pair.before.len;

		rule_show(&pair.before, rule->data, rule->size);
		text_add(&pair.before, "\n");
		if (keep && !left[i] && pair.before.s)
			text_add(&pair.after, pair.before.s + at);
	}
	rulesdiff_listing_order(set, order);
	for (size_t i = 0; i < set->n_rules; i++)
		if (!keep || diff.missing[order[i]])
			add_wanted_rule(&pair.after, &set->rules[order[i]]);
	return print_pair(out, "kernel rules", &pair);
}

static void add_setting(void *context, const char *wanted, const char *actual)
{
	struct pair *pair = context;

	if (*actual)
		text_addf(&pair->before, "%s\n", actual);
	text_addf(&pair->after, "%s\n", wanted);
}

static int plan_settings(const struct context *c, struct text *out)
{
	_cleanup_(pair_done) struct pair pair = {0};
	uint32_t enabled = c->node.status.enabled;

	settings_compare(&c->wanted.settings, &c->node.status, c->node.loginuid_immutable, add_setting, &pair);
	text_addf(&pair.before, "-e %u\n", enabled);
	/* A lock that nobody asked for stays all the same. */
	text_addf(&pair.after, "-e %u\n", c->config.lock || enabled == 2 ? 2u : 1u);
	return print_pair(out, "kernel settings", &pair);
}

static int plan_host(const struct context *c, struct text *out)
{
	const struct recording *recording = &c->node.recording;
	_cleanup_(pair_done) struct pair pair = {0};
	struct host_recording want;

	recording_wanted(&c->config, &want);
	if (!recording_apparmor_ok(recording, &want)) {
		text_addf(&pair.before, "AppArmor audit %s\n", recording->apparmor);
		text_addf(&pair.after, "AppArmor audit %s\n", want.apparmor);
	}
	if (!recording_ima_ok(recording, &want) && !recording_ima_needs_boot(recording, &want)) {
		text_add(&pair.before, recording->ima_policy.s ? recording->ima_policy.s : "");
		text_addf(&pair.after, "%s\n", want.ima);
	}
	if (c->config.reader == READER_ENABLE && !c->node.reader.journal) {
		text_add(&pair.before, JOURNALD_SOCKET " off\n");
		text_add(&pair.after, JOURNALD_SOCKET " on\n");
	}
	return print_pair(out, "host settings", &pair);
}

/* Everything that apply would change, in the order in which it would. 0 or -ENOMEM. */
static int plan_all(const struct context *c, struct text *out)
{
	static int (*const parts[])(const struct context *c, struct text *out) = {
		plan_all_files, plan_transient, plan_units, plan_host, plan_settings, plan_rules,
	};
	int r = 0;

	/* Each says with 1 that it differs, which is no end. */
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](c, out);
	return r < 0 ? r : 0;
}

/* A rule of the configuration as it is written, with its place behind it. */
static void add_written(struct text *out, const struct rule *rule)
{
	struct rule_place place = rule_place(rule);

	for (size_t i = 0; i <= rule->n_merged; i++) {
		if (i > 0)
			place = rule->merged[i - 1];
		text_addf(out, "%s  # ", place.written ? place.written : "");
		rule_add_place(out, &place);
		text_add(out, "\n");
	}
}

/* A rule may have several. */
static bool has_key(const char *line, const char *key)
{
	static const char option[] = " -k ";
	const size_t n = strlen(key);

	for (const char *at = strstr(line, option); at; at = strstr(at, option)) {
		at += strlen(option);
		if (strncmp(at, key, n) == 0 && strchr(" ", at[n]))
			return true;
		/* The space in front of the next option is that behind this key. */
		at += strcspn(at, " ");
	}
	return false;
}

/* Is the rule of this group? Of one that nobody here wrote its key tells. */
static bool is_of_group(const char *group, const struct rule *rule, const char *line)
{
	_cleanup_free_ char *name = rule ? group_name(rule) : NULL;

	return !group || (name && strcmp(name, group) == 0) || (line && has_key(line, group));
}

/* plan_rules() for people: each rule once, as it is written, and none of its derived list. */
static int plan_written(const struct context *c, struct text *out)
{
	const struct rule_set *set = &c->wanted.rules;
	const char *group = c->options->group;
	_cleanup_free_ size_t *order = calloc(set->n_rules + 1, sizeof(*order));
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	_cleanup_(pair_done) struct pair pair = {0};
	bool keep = c->config.existing == EXISTING_KEEP;
	_cleanup_free_ bool *left = NULL;
	size_t n_left = 0;

	if (!order || rulesdiff_compare(&diff, set, &c->node.rules, keep) < 0 || find_left(c, &left, &n_left) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < c->node.rules.n; i++) {
		const struct kernel_rule *listed = &c->node.rules.rules[i];
		const struct rule *wanted = diff.unexpected[i] ? NULL : &set->rules[diff.wanted[i]];
		_cleanup_text_ struct text line = {0};

		if (!wanted)
			rule_show_people(&line, listed->data, listed->size);
		if (!is_of_group(group, wanted, line.s))
			continue;
		if (wanted)
			add_written(&pair.before, wanted);
		else
			text_addf(&pair.before, "%s\n", line.s ? line.s : "");
		if (keep && !wanted && !left[i])
			text_addf(&pair.after, "%s\n", line.s ? line.s : "");
	}
	rulesdiff_listing_order(set, order);
	for (size_t i = 0; i < set->n_rules; i++)
		if (is_of_group(group, &set->rules[order[i]], NULL))
			add_written(&pair.after, &set->rules[order[i]]);
	return print_pair(out, "rules in force", &pair);
}

/* The rules file has derived lists, and each rule a second time. */
static int plan_other_files(const struct context *c, struct text *out)
{
	if (!wanted_same(&c->wanted, FILE_RULES, &c->node.files[FILE_RULES]))
		text_addf(out, "# %s is written%s, with the rules below as auditctl reads them (-v: every byte)\n",
			  wanted_path(&c->wanted, FILE_RULES), c->node.files[FILE_RULES].s ? " anew" : "");
	return plan_files(c, out, FILE_RULES + 1);
}

/* For people. 0 or -ENOMEM. */
static int plan_people(const struct context *c, struct text *out)
{
	static int (*const parts[])(const struct context *c, struct text *out) = {
		plan_other_files, plan_units, plan_host, plan_settings, plan_written,
	};
	size_t first = c->options->group ? ARRAY_SIZE(parts) - 1 : 0;
	int r = 0;

	for (size_t i = first; r >= 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](c, out);
	return r < 0 ? r : 0;
}

/* What has no form that a diff could show, such as a unit that has stopped. */
static void add_failed(const struct checks *checks, struct text *out)
{
	for (size_t i = 0; i < checks->n; i++)
		if (!checks->items[i].ok && checks->items[i].kind != CHECK_NOTICE)
			text_addf(out, "# to hold: %s; now: %s\n", checks->items[i].name, checks->items[i].detail);
}

static int print_json(const struct context *c, const struct checks *checks, const struct text *diff, enum exit_status status)
{
	_cleanup_text_ struct text out = {0};

	text_addf(&out, "{\"command\":\"plan\",\"matches\":%s,\"status\":%d", text_truth(status == STATUS_DONE),
		  (int)status);
	if (!c->options->brief) {
		text_add(&out, ",\"diff\":");
		text_add_json(&out, diff->s ? diff->s : "");
	}
	evidence_add(&out, c);
	if (c->options->brief)
		short_add(&out, c, checks);
	text_add(&out, "}\n");
	if (text_error(&out) < 0)
		return -ENOMEM;
	fputs(out.s, stdout);
	return 0;
}

/* In the form that was asked for. 0 or -ENOMEM. */
static int print_plan(const struct context *c, const struct checks *checks, enum exit_status status)
{
	bool json = c->options->output == OUTPUT_JSON, verbose = c->options->level >= LEVEL_DEBUG;
	bool bytes = json || (verbose && !c->options->group);
	_cleanup_text_ struct text out = {0};
	int r = 0;

	if (status != STATUS_DONE && !json && !c->options->diff)
		r = summary_print(c, checks);
	if (r == 0 && status != STATUS_DONE && (bytes || c->options->diff))
		r = bytes ? plan_all(c, &out) : plan_people(c, &out);
	if (r == 0 && status != STATUS_DONE && out.len == 0 && (bytes || c->options->diff) && !c->options->group)
		add_failed(checks, &out);
	if (r < 0 || text_error(&out) < 0)
		return -ENOMEM;
	if (json)
		return print_json(c, checks, &out, status);
	terminal_print_diff(c->terminal.out, out.s ? out.s : "");
	return 0;
}

/* A group that has no rule, here or in the kernel, is misspelt. */
static int check_group(const struct context *c)
{
	const char *group = c->options->group, *near, *names[64];
	_cleanup_(groups_done) struct groups groups = {0};
	size_t n = 0;

	if (!group)
		return 0;
	if (groups_count(&groups, &c->wanted, &c->config, &c->node) < 0)
		return log_no_memory(c->log);
	for (; n < groups.n && n < ARRAY_SIZE(names); n++) {
		names[n] = groups.items[n].name;
		if (strcmp(names[n], group) == 0)
			return 0;
	}
	near = nearest_name(group, names, n);
	log_say(c->log, LEVEL_ERROR, "--diff=%s: there is no such group of rules%s%s%s; verify lists them", group,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return -EINVAL;
}

enum exit_status command_plan(struct context *c)
{
	_cleanup_(checks_done) struct checks checks = {0};
	bool differs, left = false;
	enum exit_status status = begin_change(c, &left);
	int r;

	if (status != STATUS_DONE)
		return status;
	r = check_group(c);
	if (r < 0)
		return r == -EINVAL ? STATUS_USAGE : STATUS_NODE;
	if (checks_build(&checks, &c->wanted, &c->config, &c->node) < 0) {
		log_say(c->log, LEVEL_ERROR, "out of memory; nothing was changed");
		return STATUS_NODE;
	}
	/* Comments alone are no change, though one that changes more writes them, too. */
	differs = checks_to_change(&checks) + checks.failed[CHECK_REPLACED] > 0;
	if (differs)
		status = node_locked(&c->node) &&
			checks.failed[CHECK_RULE] + checks.failed[CHECK_SETTING] + c->wanted.n_refused > 0 ?
			STATUS_LOCKED : STATUS_DIFFERS;
	log_wait_with_errors(c->log);
	report_others(c, &checks);
	if (status == STATUS_LOCKED && !boot_say_hopeless(c))
		log_say(c->log, LEVEL_WARNING, "the kernel is locked: the changes of its rules and settings "
			"need a reboot");
	if (left)
		step_say_left(c, "; apply does all else");
	/* A program reads one result: report_failed() says this one. */
	if (left && status != STATUS_LOCKED && c->options->output == OUTPUT_JSON)
		return STATUS_NODE;
	if (print_plan(c, &checks, status) < 0) {
		log_say(c->log, LEVEL_ERROR, "out of memory; nothing was changed");
		return STATUS_NODE;
	}
	if (status == STATUS_DONE && !left)
		log_say(c->log, LEVEL_INFO, "no changes: the node matches the configuration");
	return left && status != STATUS_LOCKED ? STATUS_NODE : status;
}
