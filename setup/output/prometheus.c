#include "setup/output/prometheus.h"

#include <errno.h>
#include <string.h>

#include "setup/checks/groups.h"

static void add_head(struct text *out, const char *name, const char *type, const char *help)
{
	text_addf(out, "# HELP cloud_audit_%s %s\n# TYPE cloud_audit_%s %s\n", name, help, name, type);
}

static void add_number(struct text *out, const char *name, const char *type, const char *help, size_t value)
{
	add_head(out, name, type, help);
	text_addf(out, "cloud_audit_%s %zu\n", name, value);
}

/* The name of a user's file may have anything; of a text with a label that is no UTF-8 a reader takes nothing. */
static void add_label(struct text *out, const char *value)
{
	_cleanup_text_ struct text shown = {0};

	text_add_shown(&shown, value, strlen(value));
	for (const char *s = shown.s ? shown.s : ""; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_add(out, "\\");
		text_add_bytes(out, s, 1);
	}
	out->failed = out->failed || text_error(&shown) < 0;
}

static void add_rules(struct text *out, const char *group, size_t wanted, size_t in_force)
{
	const struct { const char *state; size_t n; } states[] = { { "wanted", wanted }, { "in_force", in_force } };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		text_add(out, "cloud_audit_rules{group=\"");
		add_label(out, group);
		text_addf(out, "\",state=\"%s\"} %zu\n", states[i].state, states[i].n);
	}
}

/* By kind, so that an alert can tell a rule from a file. */
static void add_differences(struct text *out, const struct checks *checks)
{
	add_head(out, "differences", "gauge", "Points in which the node differs from the configuration, by kind.");
	for (size_t i = 0; i < CHECK_KINDS; i++)
		if (i != CHECK_NOTICE)
			text_addf(out, "cloud_audit_differences{kind=\"%s\"} %zu\n", check_kind_name((enum check_kind)i),
				  checks->failed[i]);
	add_number(out, "notices", "gauge", "What is no difference, but worth knowing: verify shows it.", checks->failed[CHECK_NOTICE]);
}

static void add_info(struct text *out, const char *ruleset)
{
	add_head(out, "info", "gauge", "The hash of the rules as written, and the version that compared.");
	text_addf(out, "cloud_audit_info{ruleset=\"%s\",version=\"" VERSION "\"} 1\n", ruleset);
}

#define MATCHES "matches", "gauge", "Whether the node is as configured."

int prometheus_add(struct text *out, const struct context *c, const struct checks *checks, enum exit_status status)
{
	_cleanup_(groups_done) struct groups groups = {0};

	if (groups_count(&groups, &c->wanted, &c->config, &c->node) < 0)
		return -ENOMEM;
	add_number(out, MATCHES, status == STATUS_DONE);
	add_number(out, "locked", "gauge", "Whether the audit configuration is locked until the next boot.", node_locked(&c->node));
	add_head(out, "rules", "gauge", "Audit rules by group, as configured and as the kernel has them.");
	for (size_t i = 0; i < groups.n; i++)
		add_rules(out, groups.items[i].name, groups.items[i].wanted, groups.items[i].in_force);
	/* What nobody here asked for. */
	add_rules(out, "other", 0, groups.others);
	add_number(out, "lost_total", "counter", "Audit records that the kernel has lost since boot.", c->node.status.lost);
	add_number(out, "backlog", "gauge", "Audit records that wait in the kernel.", c->node.status.backlog);
	add_differences(out, checks);
	add_info(out, c->wanted.source_sha256);
	return text_error(out);
}

void prometheus_add_failure(struct text *out)
{
	add_number(out, MATCHES, 0);
	add_info(out, "");
}
