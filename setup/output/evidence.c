#include "setup/output/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/utsname.h>

#include "rules/rule/show.h"
#include "setup/base/sha256.h"
#include "setup/config/config_keys.h"
#include "setup/host/own.h"
#include "setup/kernel/rulesdiff.h"
#include "setup/node/settings.h"
#include "setup/output/short.h"
#include "units/transient.h"

/* Of the form: goes up when a member goes or means something else. */
enum { FORMAT_LONG = 1, FORMAT_SHORT = 2 };

/* "NAME":"VALUE", NULL as null. */
static void add_member(struct text *out, const char *name, const char *value)
{
	text_addf(out, "\"%s\":", name);
	if (value)
		text_add_json(out, value);
	else
		text_add(out, "null");
}

/* The same with the first line of a file. */
static void add_line(struct text *out, const char *name, const struct text *content)
{
	_cleanup_free_ char *line = content->s ? strndup(content->s, strcspn(content->s, "\r\n")) : NULL;

	add_member(out, name, line && *line ? line : NULL);
}

static void add_digest(struct text *out, const char *name, const struct text *content)
{
	char digits[65];

	sha256_of(content->s ? content->s : "", content->len, digits);
	add_member(out, name, content->s ? digits : NULL);
}

static void add_node(struct text *out, const struct host *host)
{
	_cleanup_text_ struct text name = {0}, machine = {0}, boot = {0};
	struct utsname uts;

	if (uname(&uts) < 0)
		uts = (struct utsname){0};
	node_name(host, &name);
	if (!host->root || host_read(host, "/etc/machine-id", &machine) < 0)
		text_done(&machine);
	if (host_read_own("/proc/sys/kernel/random/boot_id", &boot) < 0)
		text_done(&boot);
	text_add(out, ",\"node\":{");
	add_line(out, "name", &name);
	text_add(out, ",");
	add_line(out, "machine_id", &machine);
	text_add(out, ",");
	add_line(out, "boot_id", &boot);
	text_add(out, ",");
	add_member(out, "kernel", uts.release);
	text_add(out, ",");
	add_member(out, "machine", uts.machine);
	text_add(out, "}");
}

static void add_configuration(struct text *out, const struct options *options, const struct config *config)
{
	const char *file = options->config ? options->config : DEFAULT_CONFIG;
	const char *section, *key, *last = NULL;

	text_add(out, ",\"configuration\":{");
	add_member(out, "file", file);
	text_add(out, ",");
	add_member(out, "sha256", *config->sha256 ? config->sha256 : NULL);
	text_add(out, ",\"set\":[");
	short_add_set(out, options);
	text_add(out, "]");
	if (options->brief) {
		text_add(out, "}");
		return;
	}
	text_add(out, ",\"settings\":{");
	for (size_t i = 0; config_row(i, &section, &key); i++) {
		bool more = last && strcmp(last, section) == 0;

		if (more)
			text_add(out, ",");
		else
			text_addf(out, "%s\"%s\":{", last ? "}," : "", section);
		add_member(out, key, config_value(config, section, key));
		last = section;
	}
	text_add(out, "}}}");
}

static void add_kernel(struct text *out, const struct node *node)
{
	const struct kernel_status *s = &node->status;
	const struct {
		const char *name;
		uint32_t value;
	} fields[] = {
		{ "enabled", s->enabled }, { "failure", s->failure }, { "pid", s->pid }, { "rate_limit", s->rate_limit },
		{ "backlog_limit", s->backlog_limit }, { "backlog_wait_time", s->backlog_wait_time },
		{ "backlog", s->backlog }, { "lost", s->lost },
	};

	text_add(out, ",\"kernel\":{");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		text_addf(out, "\"%s\":%" PRIu32 ",", fields[i].name, fields[i].value);
	text_addf(out, "\"loginuid_immutable\":%s}", text_truth(node->loginuid_immutable));
}

/* As a kernel lists it, so that the same rules have the same digest on both sides. */
static int digest_rule(struct sha256 *sha, const struct audit_rule_data *data, size_t size)
{
	_cleanup_free_ struct audit_rule_data *copy = malloc(size);
	size_t n = sizeof(*data) + data->buflen;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	rulesdiff_as_listed(copy);
	sha256_add(sha, copy, n < size ? n : size);
	return 0;
}

/* wanted: where the rule is written, NULL for one that nobody wrote. */
static void add_rule_members(struct text *out, const struct rule *wanted, const struct audit_rule_data *data,
			     size_t size)
{
	_cleanup_text_ struct text place = {0}, line = {0};

	if (wanted) {
		const struct rule_place at = rule_place(wanted);

		rule_add_place(&place, &at);
	}
	rule_show(&line, data, size);
	add_member(out, "source", place.s);
	text_add(out, ",\"merged\":[");
	for (size_t i = 0; wanted && i < wanted->n_merged; i++) {
		_cleanup_text_ struct text merged = {0};

		rule_add_place(&merged, &wanted->merged[i]);
		text_add(out, i ? "," : "");
		text_add_json(out, merged.s ? merged.s : "");
	}
	text_add(out, "],");
	add_member(out, "rule", line.s ? line.s : "");
}

static void add_left_out(struct text *out, const struct rule_set *left_out)
{
	text_add(out, ",\"rules_left_out\":[");
	for (size_t i = 0; i < left_out->n_rules; i++) {
		const struct rule *rule = &left_out->rules[i];

		text_add(out, i ? ",{" : "{");
		add_rule_members(out, rule, rule->data, rule->size);
		text_add(out, ",");
		add_member(out, "absent", rule->absent);
		text_addf(out, ",\"refused_at_boot\":%s}", text_truth(rule->refused));
	}
	text_add(out, "]");
}

static void add_rule_digests(struct text *out, const struct context *c)
{
	const struct rule_set *wanted = &c->wanted.rules;
	const struct kernel_rules *listed = &c->node.rules;
	_cleanup_free_ size_t *order = calloc(wanted->n_rules + 1, sizeof(*order));
	struct sha256 sha;
	char digits[65];
	int r = order ? 0 : -ENOMEM;

	text_add(out, ",\"rule_set\":{");
	sha256_begin(&sha);
	if (r == 0)
		rulesdiff_listing_order(wanted, order);
	for (size_t i = 0; r == 0 && i < wanted->n_rules; i++)
		r = digest_rule(&sha, wanted->rules[order[i]].data, wanted->rules[order[i]].size);
	sha256_end(&sha, digits);
	if (c->options->command != COMMAND_REMOVE)
		text_addf(out, "\"source_sha256\":\"%s\",\"wanted\":{\"rules\":%zu,\"sha256\":\"%s\"},",
			  c->wanted.source_sha256, wanted->n_rules, digits);
	sha256_begin(&sha);
	for (size_t i = 0; r == 0 && i < listed->n; i++)
		r = digest_rule(&sha, listed->rules[i].data, listed->rules[i].size);
	sha256_end(&sha, digits);
	text_addf(out, "\"in_force\":{\"rules\":%zu,\"sha256\":\"%s\"}}", listed->n, digits);
	out->failed = out->failed || r < 0;
}

void evidence_add_origin(struct text *out, const struct options *options, const struct host *host)
{
	text_addf(out, ",\"format\":%d,\"program\":{\"name\":\"cloud-audit-setup\",\"version\":\"" VERSION "\"},"
		  "\"time\":\"", options->brief ? FORMAT_SHORT : FORMAT_LONG);
	text_add_now(out);
	text_add(out, "\"");
	add_node(out, host);
}

void evidence_add(struct text *out, const struct context *c)
{
	evidence_add_origin(out, c->options, &c->host);
	add_configuration(out, c->options, &c->config);
	add_kernel(out, &c->node);
	add_rule_digests(out, c);
	if (c->options->command != COMMAND_REMOVE && !c->options->brief)
		add_left_out(out, &c->wanted.left_out);
}

static void add_rule(struct text *out, bool *first, const struct rule *wanted, const struct audit_rule_data *data,
		     size_t size)
{
	text_add(out, *first ? "{" : ",{");
	add_rule_members(out, wanted, data, size);
	text_add(out, "}");
	*first = false;
}

static void add_wanted_rules(struct text *out, const char *name, const struct rule_set *wanted, const bool *only)
{
	bool first = true;

	text_addf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < wanted->n_rules; i++)
		if (!only || only[i])
			add_rule(out, &first, &wanted->rules[i], wanted->rules[i].data, wanted->rules[i].size);
	text_add(out, "]");
}

static void add_listed_rules(struct text *out, const char *name, const struct context *c,
			     const struct rulesdiff *diff, bool unexpected)
{
	const struct kernel_rules *listed = &c->node.rules;
	bool first = true;

	text_addf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < listed->n; i++) {
		const struct rule *from = diff->unexpected[i] ? NULL : &c->wanted.rules.rules[diff->wanted[i]];

		if (!unexpected || diff->unexpected[i])
			add_rule(out, &first, from, listed->rules[i].data, listed->rules[i].size);
	}
	text_add(out, "]");
}

static void add_rules(struct text *out, const struct context *c)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};

	if (rulesdiff_compare(&diff, &c->wanted.rules, &c->node.rules, c->config.existing == EXISTING_KEEP) < 0) {
		out->failed = true;
		return;
	}
	/* As a check it is a notice there: check_rules() in setup/checks/checks.c. */
	if (node_locked(&c->node) && c->wanted.rules.n_rules > 0)
		diff.missing[c->wanted.rules.n_rules - 1] = false;
	add_wanted_rules(out, "rules_wanted", &c->wanted.rules, NULL);
	add_listed_rules(out, "rules_in_force", c, &diff, false);
	add_wanted_rules(out, "rules_missing", &c->wanted.rules, diff.missing);
	add_listed_rules(out, "rules_unexpected", c, &diff, true);
}

static void add_setting(void *context, const char *wanted, const char *actual)
{
	struct text *out = context;

	text_addf(out, "%s{\"ok\":%s,", out->len == 0 || out->s[out->len - 1] == '[' ? "" : ",",
		  text_truth(strcmp(wanted, actual) == 0));
	add_member(out, "wanted", wanted);
	text_add(out, ",");
	add_member(out, "found", *actual ? actual : NULL);
	text_add(out, "}");
}

static void add_files(struct text *out, const struct context *c)
{
	bool first = true;

	text_add(out, ",\"files\":[");
	for (size_t i = 0; i < N_FILES; i++) {
		const struct text *want = &c->wanted.files[i], *have = &c->node.files[i];
		const char *path = wanted_path(&c->wanted, i);

		if (!path || (!want->s && !have->s))
			continue;
		text_addf(out, "%s{\"ok\":%s,", first ? "" : ",", text_truth(wanted_same(&c->wanted, i, have)));
		add_member(out, "path", path);
		text_add(out, ",");
		add_digest(out, "wanted_sha256", want);
		text_add(out, ",");
		add_digest(out, "found_sha256", have);
		text_add(out, "}");
		first = false;
	}
	text_add(out, "]");
}

/* What systemd alone knows, where it was asked. */
static const char *known(const struct unit_state *state, bool value)
{
	return state->unasked ? "null" : text_truth(value);
}

static void add_units(struct text *out, const struct context *c)
{
	bool first = true;

	text_add(out, ",\"units\":[");
	for (size_t i = 0; i < N_FILES; i++) {
		const struct unit_state *state = &c->node.units[i];

		if (!wanted_files[i].unit || !c->wanted.files[i].s)
			continue;
		text_add(out, first ? "{" : ",{");
		add_member(out, "name", wanted_files[i].unit);
		text_add(out, ",");
		add_member(out, "wanted_path", wanted_files[i].path);
		text_add(out, ",");
		add_member(out, "path", state->fragment && *state->fragment ? state->fragment : NULL);
		text_addf(out, ",\"active\":%s,\"failed\":%s,\"enabled\":%s,\"needs_reload\":%s}", known(state, state->active),
			  known(state, state->failed), text_truth(state->enabled), known(state, state->needs_reload));
		first = false;
	}
	if (c->wanted.transient.s || c->node.transient.s) {
		text_add(out, first ? "{" : ",{");
		add_member(out, "name", TRANSIENT_UNIT);
		text_addf(out, ",\"wanted_path\":null,\"path\":null,\"active\":%s,\"failed\":false,\"enabled\":false,"
			  "\"needs_reload\":false}", config_without_bus(&c->config) ? "null" : text_truth(c->node.transient_active));
	}
	text_add(out, "]");
}

static void add_reader(struct text *out, const struct audit_reader *reader)
{
	text_addf(out, ",\"reader\":{\"pid\":%" PRIu32 ",", reader->pid);
	add_member(out, "name", *reader->name ? reader->name : NULL);
	text_addf(out, ",\"journald_socket\":%s,\"journal\":%s", reader->unknown ? "null" : text_truth(reader->socket),
		  reader->unknown ? "null" : text_truth(reader->journal));
	/* Without the kernel's table of sockets nothing is known of them. */
	if (reader->listeners.seen)
		text_addf(out, ",\"listeners\":%zu,\"missed\":%" PRIu64 ",\"stopped\":%s}", reader->listeners.n,
			  reader->listeners.missed, text_truth(reader->listeners.stopped));
	else
		text_add(out, ",\"listeners\":null,\"missed\":null,\"stopped\":null}");
}

static void add_time(struct text *out, const char *name, uint64_t usec)
{
	text_addf(out, "\"%s\":\"", name);
	text_add_time(out, usec);
	text_add(out, "\"");
}

/* Seconds, or null for a span that is not known. */
static void add_seconds(struct text *out, const char *name, uint64_t usec)
{
	if (usec)
		text_addf(out, "\"%s\":%" PRIu64, name, usec / 1000000);
	else
		text_addf(out, "\"%s\":null", name);
}

static void add_journal(struct text *out, const struct journal_span *span)
{
	if (span->newest == 0) {
		text_add(out, ",\"journal\":null");
		return;
	}
	text_add(out, ",\"journal\":{");
	add_time(out, "oldest", span->oldest);
	text_add(out, ",");
	add_time(out, "newest", span->newest);
	text_addf(out, ",\"recent\":%" PRIu64 ",", span->recent);
	add_seconds(out, "recent_seconds", span->window);
	text_add(out, ",");
	add_seconds(out, "holds_seconds", span->holds);
	text_add(out, "}");
}

static void add_shippers(struct text *out, const struct node *node)
{
	bool first = true;

	text_add(out, ",\"shippers\":[");
	for (size_t i = 0; i < N_SHIPPERS; i++) {
		if (node->trail.shippers[i] == 0)
			continue;
		text_add(out, first ? "{" : ",{");
		add_member(out, "name", shipper_rows[i].name);
		text_add(out, ",");
		add_time(out, "read_until", node->trail.shippers[i]);
		text_addf(out, ",\"overtaken\":%s}", text_truth(node->trail.shippers[i] < node->trail.journal.begins));
		first = false;
	}
	text_add(out, "]");
}

static void add_auditd(struct text *out, const struct auditd_files *files)
{
	if (!files->seen) {
		text_add(out, ",\"auditd\":null");
		return;
	}
	text_addf(out, ",\"auditd\":{\"bytes_per_day\":%" PRIu64 ",", files->per_day);
	add_seconds(out, "holds_seconds", files->holds);
	text_add(out, ",\"groups\":[");
	for (size_t i = 0; i < files->n; i++) {
		text_add(out, i ? ",{" : "{");
		add_member(out, "key", *files->groups[i].key ? files->groups[i].key : NULL);
		text_addf(out, ",\"bytes_per_day\":%" PRIu64 "}", files->groups[i].per_day);
	}
	text_add(out, "]}");
}

void evidence_add_reader(struct text *out, const struct context *c)
{
	if (c->config.reader == READER_IGNORE)
		text_add(out, ",\"reader\":null");
	else
		add_reader(out, &c->node.reader);
	add_journal(out, &c->node.trail.journal);
	add_shippers(out, &c->node);
}

void evidence_add_parts(struct text *out, const struct context *c)
{
	add_rules(out, c);
	text_add(out, ",\"settings\":[");
	settings_compare(&c->wanted.settings, &c->node.status, c->node.loginuid_immutable, add_setting, out);
	text_add(out, "]");
	add_files(out, c);
	add_units(out, c);
	evidence_add_reader(out, c);
	add_auditd(out, &c->node.trail.auditd);
}
