#include "setup/output/short.h"

#include "rules/parse/warnings.h"
#include "setup/checks/groups.h"
#include "setup/checks/told.h"

/* Bytes of JSON for each array: with the rest, which is bounded, they are below 16 kB. */
enum { ROOM_SET = 1000, ROOM_GROUPS = 3000, ROOM_DIFFERS = 7000, ROOM_NOTICES = 1500, ROOM_LINTS = 1000 };

void bounded_add(struct bounded *bounded, struct text *item)
{
	size_t need = item->len + bounded->any;

	if (text_error(item) < 0) {
		bounded->out->failed = true;
	} else if (need > bounded->room) {
		bounded->omitted++;
	} else {
		text_add(bounded->out, bounded->any ? "," : "");
		text_add_bytes(bounded->out, item->s, item->len);
		bounded->room -= need;
		bounded->any = true;
	}
	text_done(item);
}

size_t short_add_set(struct text *out, const struct options *options)
{
	struct bounded set = { .out = out, .room = options->brief ? ROOM_SET : SIZE_MAX };

	for (size_t i = 0; i < options->n_set; i++) {
		struct text item = {0};

		text_add_json(&item, options->set[i]);
		bounded_add(&set, &item);
	}
	return set.omitted;
}

static size_t add_groups(struct text *out, const struct context *c)
{
	_cleanup_(groups_done) struct groups groups = {0};
	struct bounded bounded = { .out = out, .room = ROOM_GROUPS };

	if (groups_count(&groups, &c->wanted, &c->config, &c->node) < 0) {
		out->failed = true;
		return 0;
	}
	text_add(out, ",\"groups\":[");
	for (size_t i = 0; i < groups.n; i++) {
		struct text item = {0};

		text_add(&item, "{\"name\":");
		text_add_json(&item, groups.items[i].name);
		text_addf(&item, ",\"on\":%s,\"wanted\":%zu,\"in_force\":%zu}", text_truth(!groups.items[i].off), groups.items[i].wanted,
			  groups.items[i].in_force);
		bounded_add(&bounded, &item);
	}
	text_addf(out, "],\"rules_of_others\":%zu,\"rules_left_out\":%zu", groups.others, c->wanted.left_out.n_rules);
	return bounded.omitted;
}

static void add_one(struct bounded *bounded, enum check_kind kind, const char *wanted, const char *there)
{
	struct text item = {0};

	text_addf(&item, "{\"kind\":\"%s\",\"wanted\":", check_kind_name(kind));
	text_add_json(&item, wanted);
	text_add(&item, ",\"there\":");
	text_add_json(&item, there);
	text_add(&item, "}");
	bounded_add(bounded, &item);
}

/* gone: what is said in the place of each rule that is missing, NULL for nothing. Returns how many found no room. */
static size_t add_failed(struct text *out, const struct context *c, const struct checks *checks, bool notices, const char *gone)
{
	struct bounded bounded = { .out = out, .room = notices ? ROOM_NOTICES : ROOM_DIFFERS };
	char all[64];

	snprintf(all, sizeof(all), "all %zu rules in force", c->wanted.rules.n_rules);
	if (gone && !notices)
		add_one(&bounded, CHECK_RULE, all, gone);
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];
		_cleanup_text_ struct text wanted = {0}, there = {0};

		if (check->ok || check->skip || (check->kind == CHECK_NOTICE) != notices || (gone && check->rule))
			continue;
		told_add(check, &wanted, &there);
		out->failed = out->failed || text_error(&wanted) < 0 || text_error(&there) < 0;
		add_one(&bounded, check->kind, wanted.s ? wanted.s : "", there.s ? there.s : "");
	}
	return bounded.omitted;
}

static size_t add_checks(struct text *out, const struct context *c, const struct checks *checks)
{
	_cleanup_text_ struct text gone = {0};
	bool all_gone = told_all_gone(c, checks, &gone);
	size_t omitted;

	text_addf(out, ",\"checks\":{\"counted\":%zu,\"failed\":%zu},\"differs\":[", checks_counted(checks), checks_failed(checks));
	omitted = add_failed(out, c, checks, false, all_gone ? gone.s : NULL);
	text_add(out, "],\"notices\":[");
	omitted += add_failed(out, c, checks, true, all_gone ? gone.s : NULL);
	text_add(out, "]");
	return omitted;
}

static void add_lint(void *context, const char *name, const char *file, unsigned line, size_t n)
{
	const struct rule_place place = { .file = (char *)(uintptr_t)file, .line = line };
	_cleanup_text_ struct text at = {0};
	struct text item = {0};

	rule_add_place(&at, &place);
	text_addf(&item, "{\"name\":\"%s\",\"count\":%zu,\"first\":", name, n);
	text_add_json(&item, at.s ? at.s : "");
	text_add(&item, "}");
	bounded_add(context, &item);
}

void short_add(struct text *out, const struct context *c, const struct checks *checks)
{
	struct bounded lints = { .out = out, .room = ROOM_LINTS };
	_cleanup_text_ struct text said = {0};
	/* Those that evidence_add() had no room for. */
	size_t omitted = short_add_set(&said, c->options);

	if (c->options->command != COMMAND_REMOVE) {
		omitted += add_groups(out, c);
		omitted += checks ? add_checks(out, c, checks) : 0;
		text_add(out, ",\"lints\":[");
		warnings_kinds(c->wanted.warnings, add_lint, &lints);
		text_add(out, "]");
	}
	text_addf(out, ",\"omitted\":%zu", omitted + lints.omitted);
}
