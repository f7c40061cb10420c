#include "setup/checks/told.h"

#include "rules/match/people.h"
#include "setup/checks/boot.h"
#include "units/audit_units.h"

void told_add_rule(const struct rule *rule, const char *between, struct text *out)
{
	struct rule_place place = rule_place(rule);

	for (size_t i = 0; i <= rule->n_merged; i++) {
		if (i > 0)
			place = rule->merged[i - 1];
		text_add(out, i ? between : "");
		rule_add_place(out, &place);
		text_add(out, ": ");
		text_add(out, place.written ? place.written : "");
	}
}

void told_add(const struct check *check, struct text *wanted, struct text *there)
{
	if (check->rule) {
		told_add_rule(check->rule, "; ", wanted);
		text_add(there, "not in force");
	} else if (check->listed) {
		text_add(wanted, "no rule but those of the configuration");
		text_add(there, "in force, and not asked for: ");
		rule_show_people(there, check->listed->data, check->listed->size);
	} else if (check->left_out) {
		told_add_rule(check->left_out, "; ", wanted);
		text_add(there, check->detail);
	} else {
		text_add(wanted, check->name);
		text_add(there, check->detail);
	}
}

/* Why none of ours is there. */
static const char *likely_cause(const struct context *c)
{
	const struct unit_state *unit = &c->node.units[FILE_SETUP_UNIT];

	if (c->wanted.transient.s)
		return c->node.transient_active ? "somebody has deleted them" : "they were not loaded since this node booted";
	if (!c->node.files[FILE_SETUP_UNIT].s)
		return "they were never loaded here, or were removed";
	if (node_locked(&c->node))
		return "the node was locked before they were loaded";
	if (unit->unasked)
		return "somebody has deleted them, or " SETUP_UNIT ", which loads them, has failed or not run: systemctl status "
		       SETUP_UNIT;
	if (unit->failed)
		return SETUP_UNIT ", which loads them, has failed: systemctl status " SETUP_UNIT;
	if (!unit->active)
		return SETUP_UNIT ", which loads them, has not run since this node booted";
	return "somebody has deleted them since (auditctl -D, augenrules --load, another agent): journalctl _TRANSPORT=audit "
		"shows op=remove_rule with who it was";
}

bool told_all_gone(const struct context *c, const struct checks *checks, struct text *out)
{
	size_t missing = 0, wanted = c->wanted.rules.n_rules;

	for (size_t i = 0; i < checks->n; i++)
		missing += checks->items[i].rule && !checks->items[i].ok;
	if (missing == 0 || missing < wanted)
		return false;
	text_addf(out, "none of the %zu rules is in force, and this node records nothing of what they are about: %s", wanted,
		  likely_cause(c));
	return true;
}

const char *told_do(const struct context *c, enum check_kind kind)
{
	const char *mend;

	switch (kind) {
	case CHECK_RULE:
	case CHECK_SETTING:
		if (!node_locked(&c->node))
			return "cloud-audit-setup apply";
		mend = boot_mend(c);
		return mend ? mend : "reboot or recreate the node: it is locked until then";
	case CHECK_FILE:
	case CHECK_UNIT:
	case CHECK_LOCK:
	case CHECK_HOST:
		return "cloud-audit-setup apply";
	case CHECK_REPLACED:
	case CHECK_DROP_IN:
	case CHECK_KEPT:
	case CHECK_PENDING:
	case CHECK_NOTICE:
	case CHECK_KINDS:
	default:
		return NULL;
	}
}
