#include "setup/screen/summary.h"

#include <errno.h>
#include <string.h>

#include "rules/match/people.h"
#include "setup/checks/boot.h"
#include "setup/checks/groups.h"
#include "setup/checks/kept.h"
#include "setup/checks/taken.h"
#include "setup/checks/told.h"
#include "setup/kernel/rulesdiff.h"
#include "setup/node/settings.h"
#include "setup/node/wanted_node.h"
#include "setup/screen/rows.h"
#include "units/host_units.h"

enum { RULES_SHOWN = 6 };

/* "NAME N, ..." of the rules that are to come. */
static int add_group_counts(const struct context *c, const struct rulesdiff *diff, struct text *out)
{
	const struct rule_set *set = &c->wanted.rules;
	_cleanup_free_ char *last = NULL;
	size_t n = 0;

	/* Rules of a group stand together. */
	for (size_t i = 0; i <= set->n_rules; i++) {
		_cleanup_free_ char *name = i < set->n_rules ? group_name(&set->rules[i]) : NULL;

		if (i < set->n_rules && !name)
			return -ENOMEM;
		if (last && (!name || strcmp(last, name) != 0)) {
			if (n > 0)
				text_addf(out, "%s%s" SCREEN_STAY "%zu", out->s ? ", " : "", last, n);
			n = 0;
		}
		n += name && diff->missing[i];
		free(last);
		last = TAKE(name);
	}
	return text_error(out);
}

/* Each rule that comes or goes, as it is written. */
static int add_each_rule(struct screen *screen, const struct context *c, const struct rulesdiff *diff)
{
	for (size_t i = 0; i < c->wanted.rules.n_rules; i++) {
		_cleanup_text_ struct text line = {0};

		if (!diff->missing[i])
			continue;
		told_add_rule(&c->wanted.rules.rules[i], "; ", &line);
		if (text_error(&line) < 0)
			return -ENOMEM;
		screen_detail(screen, "  add", line.s, NULL);
	}
	for (size_t i = 0; i < c->node.rules.n; i++) {
		const struct kernel_rule *rule = &c->node.rules.rules[i];
		_cleanup_text_ struct text line = {0};

		if (!diff->unexpected[i])
			continue;
		rule_show_people(&line, rule->data, rule->size);
		if (text_error(&line) < 0)
			return -ENOMEM;
		screen_detail(screen, "  delete", line.s, NULL);
	}
	return 0;
}

static void add_node(struct screen *screen, const struct context *c)
{
	static const char *const locks[] = { "auditing off", "not locked", "locked" };
	uint32_t enabled = c->node.status.enabled;
	char and[64];

	snprintf(and, sizeof(and), ": %zu rule%s, %s", c->node.rules.n, c->node.rules.n == 1 ? "" : "s",
		 locks[enabled > 2 ? 0 : enabled]);
	rows_node(screen, c, and);
}

/* The difference that apply makes: where rules are kept an earlier run's go all the same. */
static int compare_rules(const struct context *c, struct rulesdiff *ret)
{
	bool keep = c->config.existing == EXISTING_KEEP;
	int r = rulesdiff_compare(ret, &c->wanted.rules, &c->node.rules, keep);

	if (r < 0 || !keep)
		return r;
	free(ret->unexpected);
	ret->unexpected = NULL;
	return kept_left_behind(&ret->unexpected, &ret->n_unexpected, &c->wanted, &c->config, &c->node, &c->host);
}

static int add_rules(struct screen *screen, const struct context *c)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	_cleanup_text_ struct text counts = {0}, gone = {0};
	size_t n = c->wanted.rules.n_rules, all = c->node.rules.n;

	if (compare_rules(c, &diff) < 0 || add_group_counts(c, &diff, &counts) < 0 ||
	    taken_by_key(&gone, &c->node.rules, diff.unexpected, SCREEN_STAY) < 0)
		return -ENOMEM;
	if (rulesdiff_same(&diff)) {
		screen_row(screen, "Rules", "%zu, as they are", n);
		return 0;
	}
	if (diff.n_missing == 0 && diff.n_unexpected == 0) {
		screen_row(screen, "Rules", "%zu, in another order: the first that matches decides", n);
		return 0;
	}
	if (diff.n_missing == n && diff.n_unexpected == 0 && all == 0)
		screen_row(screen, "Rules", "%zu to add: %s", n, counts.s ? counts.s : "");
	else
		screen_row(screen, "Rules", "%zu to add, %zu to delete, %zu stay%s%s", diff.n_missing, diff.n_unexpected,
			   all - diff.n_unexpected, counts.s ? "; to add: " : "", counts.s ? counts.s : "");
	if (diff.n_missing + diff.n_unexpected <= RULES_SHOWN)
		return add_each_rule(screen, c, &diff);
	if (gone.s)
		screen_row(screen, "", "to delete, by key: %s", gone.s);
	return 0;
}

static void add_setting(void *context, const char *wanted, const char *actual)
{
	struct text *out = context;

	if (strcmp(wanted, actual) != 0)
		text_addf(out, "%s%s (now %s)", out->s ? ", " : "", wanted, *actual ? actual : "not");
}

static void add_settings(struct screen *screen, const struct context *c)
{
	_cleanup_text_ struct text out = {0};

	settings_compare(&c->wanted.settings, &c->node.status, c->node.loginuid_immutable, add_setting, &out);
	if (c->node.status.enabled == 0)
		add_setting(&out, "-e 1", "-e 0");
	if (out.s)
		screen_row(screen, "Settings", "%s", out.s);
	screen->failed = screen->failed || text_error(&out) < 0;
}

static void add_files(struct screen *screen, const struct context *c)
{
	_cleanup_text_ struct text list = {0}, gone = {0};
	size_t write = 0, delete = 0;

	for (size_t i = 0; i < N_FILES; i++) {
		const struct text *want = &c->wanted.files[i], *have = &c->node.files[i];
		const char *path = wanted_path(&c->wanted, i);

		if (!path || (!want->s && (!have->s || wanted_files[i].foreign)) ||
		    (wanted_same(&c->wanted, i, have) && (!want->s || wanted_files[i].foreign || node_rights_ok(&c->node, i))))
			continue;
		write += want->s != NULL;
		delete += want->s == NULL;
		text_addf(want->s ? &list : &gone, "%s%s", (want->s ? list.s : gone.s) ? ", " : "", path);
	}
	if (write > 0)
		screen_row(screen, "Files", "%zu to write: %s", write, list.s ? list.s : "");
	if (delete > 0)
		screen_row(screen, write ? "" : "Files", "%zu to delete: %s", delete, gone.s ? gone.s : "");
	screen->failed = screen->failed || text_error(&list) < 0 || text_error(&gone) < 0;
}

/* Only what is more than that our files are there and run. */
static void add_units(struct screen *screen, const struct context *c)
{
	for (size_t i = 0; i < N_FILES; i++) {
		const struct unit_state *state = &c->node.units[i];
		const char *unit = wanted_files[i].unit;

		if (!unit || !c->wanted.files[i].s)
			continue;
		if (state->fragment && *state->fragment && strcmp(state->fragment, wanted_files[i].path) != 0)
			screen_row(screen, "Units", "%s replaces the image's own, %s", unit, state->fragment);
	}
	if (c->config.reader == READER_ENABLE && !c->node.reader.journal)
		screen_row(screen, "Journal", JOURNALD_SOCKET " is switched on, and journald restarted");
}

/* What else is no file and no rule: a unit that has stopped, AppArmor's parameter, what somebody else's file is in the way of. */
static int add_others(struct screen *screen, const struct checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];
		/* Of files that are to be written it is said with them. */
		bool follows = check->kind == CHECK_UNIT && checks->failed[CHECK_FILE] > 0;
		_cleanup_text_ struct text line = {0};

		if (check->ok || follows || check->kind == CHECK_NOTICE || check->kind == CHECK_FILE || check->kind == CHECK_RULE ||
		    check->kind == CHECK_SETTING || check->kind == CHECK_LOCK)
			continue;
		text_addf(&line, "%s; now: %s", check->name, *check->detail ? check->detail : "not");
		if (text_error(&line) < 0)
			return -ENOMEM;
		screen_detail(screen, "To hold", line.s, NULL);
	}
	return 0;
}

static void add_lock(struct screen *screen, const struct context *c, const struct checks *checks)
{
	bool rules = checks->failed[CHECK_RULE] + checks->failed[CHECK_SETTING] > 0;
	const char *mend = rules && node_locked(&c->node) ? boot_mend(c) : NULL;

	if (mend)
		screen_row(screen, "Lock", "locked already, and a boot alone changes nothing: %s", mend);
	else if (node_locked(&c->node))
		screen_row(screen, "Lock", rules ? "locked already: rules and settings change at the next boot" :
			   "locked already, and until the next boot");
	else if (c->config.lock)
		screen_row(screen, "Lock", "yes, until the next boot (-s audit.lock=no: not)");
	else
		screen_row(screen, "Lock", "no ([audit] lock = no): root can change the rules");
}

int summary_print(const struct context *c, const struct checks *checks)
{
	struct screen screen = { .colour = c->terminal.out };
	int r;

	rows_configuration(&screen, c);
	add_node(&screen, c);
	r = add_rules(&screen, c);
	add_settings(&screen, c);
	add_files(&screen, c);
	add_units(&screen, c);
	if (r == 0)
		r = add_others(&screen, checks);
	add_lock(&screen, c, checks);
	screen_row(&screen, "Next", "cloud-audit-setup apply; details: plan --diff[=GROUP], plan -v");
	screen.failed = screen.failed || r < 0;
	return rows_print(&screen, c);
}
