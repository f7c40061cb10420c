#include "setup/output/short.h"

#include "rules/parse/warnings.h"
#include "setup/checks/groups.h"
#include "setup/checks/told.h"

enum { ROOM = 9000 };	/* for differences: what comes before and after is bounded */

static void add_groups(struct text *out, const struct context *c)
{
	_cleanup_(groups_done) struct groups groups = {0};

	if (groups_count(&groups, &c->wanted, &c->config, &c->node) < 0) {
		out->failed = true;
		return;
	}
	text_add(out, ",\"groups\":[");
	for (size_t i = 0; i < groups.n; i++) {
		text_add(out, i ? ",{\"name\":" : "{\"name\":");
		text_add_json(out, groups.items[i].name);
		text_addf(out, ",\"on\":%s,\"wanted\":%zu,\"in_force\":%zu}", text_truth(!groups.items[i].off), groups.items[i].wanted,
			  groups.items[i].in_force);
	}
	text_addf(out, "],\"rules_of_others\":%zu,\"rules_left_out\":%zu", groups.others, c->wanted.left_out.n_rules);
}

static void add_one(struct text *out, bool first, enum check_kind kind, const char *wanted, const char *there)
{
	text_addf(out, "%s{\"kind\":\"%s\",\"wanted\":", first ? "" : ",", check_kind_name(kind));
	text_add_json(out, wanted);
	text_add(out, ",\"there\":");
	text_add_json(out, there);
	text_add(out, "}");
}

/* gone: what is said in the place of each rule that is missing, NULL for nothing. Returns how many found no room. */
static size_t add_failed(struct text *out, const struct context *c, const struct checks *checks, bool notices, const char *gone)
{
	size_t start = out->len, omitted = 0;
	char all[64];
	bool first = true;

	snprintf(all, sizeof(all), "all %zu rules in force", c->wanted.rules.n_rules);
	if (gone && !notices) {
		add_one(out, true, CHECK_RULE, all, gone);
		first = false;
	}
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];
		_cleanup_text_ struct text wanted = {0}, there = {0};

		if (check->ok || check->skip || (check->kind == CHECK_NOTICE) != notices || (gone && check->rule))
			continue;
		told_add(check, &wanted, &there);
		out->failed = out->failed || text_error(&wanted) < 0 || text_error(&there) < 0;
		if (out->len - start + wanted.len + there.len > ROOM / (notices ? 4 : 1)) {
			omitted++;
			continue;
		}
		add_one(out, first, check->kind, wanted.s ? wanted.s : "", there.s ? there.s : "");
		first = false;
	}
	return omitted;
}

static void add_checks(struct text *out, const struct context *c, const struct checks *checks)
{
	_cleanup_text_ struct text gone = {0};
	bool all_gone = told_all_gone(c, checks, &gone);
	size_t omitted;

	text_addf(out, ",\"checks\":{\"counted\":%zu,\"failed\":%zu},\"differs\":[", checks_counted(checks), checks_failed(checks));
	omitted = add_failed(out, c, checks, false, all_gone ? gone.s : NULL);
	text_add(out, "],\"notices\":[");
	omitted += add_failed(out, c, checks, true, all_gone ? gone.s : NULL);
	text_addf(out, "],\"omitted\":%zu", omitted);
}

struct lints {
	struct text *out;
	bool any;
};

static void add_lint(void *context, const char *name, const char *file, unsigned line, size_t n)
{
	struct lints *lints = context;
	const struct rule_place place = { .file = (char *)(uintptr_t)file, .line = line };
	_cleanup_text_ struct text at = {0};

	rule_add_place(&at, &place);
	text_addf(lints->out, "%s{\"name\":\"%s\",\"count\":%zu,\"first\":", lints->any ? "," : "", name, n);
	text_add_json(lints->out, at.s ? at.s : "");
	text_add(lints->out, "}");
	lints->any = true;
}

void short_add(struct text *out, const struct context *c, const struct checks *checks)
{
	struct lints lints = { .out = out };

	if (c->options->command == COMMAND_REMOVE)
		return;
	add_groups(out, c);
	if (checks)
		add_checks(out, c, checks);
	text_add(out, ",\"lints\":[");
	warnings_kinds(c->wanted.warnings, add_lint, &lints);
	text_add(out, "]");
}
