#include "setup/checks/checks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "rules/rule/show.h"
#include "setup/checks/hazards.h"
#include "setup/checks/kept.h"
#include "setup/containers/files.h"
#include "setup/node/settings.h"
#include "setup/node/wanted_node.h"
#include "setup/systemd/others.h"
#include "units/audit_units.h"
#include "units/host_units.h"
#include "units/transient.h"

/* Takes name, and detail, NULL for none. */
static void add_check(struct checks *checks, enum check_kind kind, bool ok, char *detail, char *name)
{
	struct check check = { .kind = kind, .ok = ok, .detail = detail ? detail : strdup(""), .name = name };
	struct check *items = realloc(checks->items, (checks->n + 1) * sizeof(*items));

	if (items)
		checks->items = items;
	if (!items || !check.detail || (!ok && !name)) {
		free(check.name);
		free(check.detail);
		checks->out_of_memory = true;
		return;
	}
	items[checks->n++] = check;
	checks->failed[kind] += !ok;
}

/* Adds a check whose name follows; takes detail, NULL for none. */
static void add(struct checks *checks, enum check_kind kind, bool ok, char *detail,
		const char *format, ...) _printf_format_(5, 6);
static void add(struct checks *checks, enum check_kind kind, bool ok, char *detail,
		const char *format, ...)
{
	va_list args;
	char *name;
	int r;

	va_start(args, format);
	r = vasprintf(&name, format, args);
	va_end(args);
	if (r >= 0) {
		add_check(checks, kind, ok, detail, name);
		return;
	}
	free(detail);
	checks->out_of_memory = true;
}

/* What the check that was added last is about. */
static void about(struct checks *checks, const struct rule *rule, const struct kernel_rule *listed, bool elsewhere)
{
	if (checks->out_of_memory)
		return;
	checks->items[checks->n - 1].rule = rule;
	checks->items[checks->n - 1].listed = listed;
	checks->items[checks->n - 1].elsewhere = elsewhere;
}

/* What was added last is known to systemd alone, and that was not asked: neither good nor bad. */
static void pass_over(struct checks *checks, bool unasked)
{
	struct check *check;

	if (!unasked || checks->out_of_memory)
		return;
	check = &checks->items[checks->n - 1];
	checks->failed[check->kind] -= !check->ok;
	check->kind = CHECK_NOTICE;
	check->ok = true;
	check->detail[0] = '\0';
	check->skip = "systemd was not asked ([dbus] address = none)";
}

/* That there is such a thing at all: what is passed over is in TAP alone. */
static void check_asked(struct checks *checks, const struct config *config)
{
	if (config_without_bus(config))
		add(checks, CHECK_NOTICE, false, strdup("it was not ([dbus] address = none): units are judged by their files and links; "
		    "not looked at: whether systemd has read them, whether they are active or have failed, how old the runtime is, other "
		    "agents"), "systemd was asked");
}

const char *check_kind_name(enum check_kind kind)
{
	static const char *const kinds[CHECK_KINDS] = {
		[CHECK_FILE] = "file", [CHECK_UNIT] = "unit", [CHECK_REPLACED] = "replaced",
		[CHECK_DROP_IN] = "drop-in", [CHECK_KEPT] = "kept", [CHECK_RULE] = "rule", [CHECK_SETTING] = "setting",
		[CHECK_LOCK] = "lock", [CHECK_HOST] = "host", [CHECK_PENDING] = "pending", [CHECK_NOTICE] = "notice",
	};

	return kinds[kind];
}

void checks_done(struct checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		free(checks->items[i].name);
		free(checks->items[i].detail);
	}
	free(checks->items);
	*checks = (struct checks){0};
}

size_t checks_counted(const struct checks *checks)
{
	size_t n = 0;

	for (size_t i = 0; i < checks->n; i++)
		n += checks->items[i].kind != CHECK_NOTICE;
	return n;
}

size_t checks_failed(const struct checks *checks)
{
	size_t n = 0;

	for (size_t i = 0; i < CHECK_KINDS; i++)
		n += i == CHECK_NOTICE ? 0 : checks->failed[i];
	return n;
}

size_t checks_to_change(const struct checks *checks)
{
	return checks_failed(checks) - checks->failed[CHECK_PENDING] - checks->failed[CHECK_REPLACED] -
		checks->failed[CHECK_DROP_IN] - checks->failed[CHECK_KEPT];
}

static void check_rights(struct checks *checks, const struct node *node, size_t i, const char *path)
{
	bool ok = node_rights_ok(node, i);
	char *detail = NULL;

	if (!ok && asprintf(&detail, "it belongs to uid %u and has mode %04o: a boot may refuse it, and others may "
			    "write it; apply writes it anew", (unsigned)node->rights[i].owner, (unsigned)node->rights[i].mode) < 0)
		detail = NULL;
	add(checks, CHECK_FILE, ok, detail, "%s belongs to root and has mode %04o", path,
	    (unsigned)wanted_files[i].mode);
}

static void check_files(struct checks *checks, const struct wanted *wanted, const struct node *node)
{
	for (size_t i = 0; i < N_FILES; i++) {
		const struct text *want = &wanted->files[i], *have = &node->files[i];
		const char *path = wanted_path(wanted, i);
		bool same = wanted_same(wanted, i, have);
		const char *is = have->s ? want->s ? "its content differs" : "it exists" : "it is absent";

		if (!path || (same && wanted_files[i].optional && !want->s))
			continue;
		add(checks, CHECK_FILE, same, same ? NULL : strdup(is),
		    want->s ? "%s is as configured" : "%s does not exist", path);
		if (want->s && have->s && !wanted_files[i].foreign)
			check_rights(checks, node, i, path);
	}
}

static void check_reader(struct checks *checks, enum check_kind kind, const struct node *node)
{
	bool ok = node->reader.journal;
	char why[160];

	reader_print(&node->reader, why, sizeof(why));
	add(checks, kind, ok, ok ? NULL : strdup(why), "the journal gets the audit records");
	about(checks, NULL, NULL, true);
	if (!checks->out_of_memory)
		checks->items[checks->n - 1].counts = true;
	pass_over(checks, node->reader.unknown);
}

/* What a reader of the multicast group misses is in no count of the kernel's. */
static void check_missed(struct checks *checks, const struct audit_reader *reader, bool has_room)
{
	const char *mend = has_room ? "fewer events keep it from missing more" : "[journal] reader = enable gives it more room";
	uint64_t missed = reader->listeners.missed;
	char *detail = NULL;

	if (!reader->listeners.seen && reader->socket) {
		add(checks, CHECK_NOTICE, true, NULL, "the journal has missed no audit record");
		if (!checks->out_of_memory)
			checks->items[checks->n - 1].skip = "/proc/1/net/netlink, which would tell, cannot be read";
	}
	/* Others listen, too: what they have missed is theirs. */
	if (!reader->listeners.seen || reader->unknown)
		return;
	if (missed > 0 && asprintf(&detail, "%" PRIu64 " since its socket was opened: it was too slow for them; %s", missed, mend) < 0)
		detail = NULL;
	add(checks, CHECK_NOTICE, missed == 0, detail, "the journal has missed no audit record");
}

static void add_lost(struct checks *checks, const struct node *node)
{
	_cleanup_text_ struct text detail = {0};

	text_addf(&detail, "%" PRIu32 " since boot, or the last auditctl --reset-lost: ", node->status.lost);
	hazards_explain_lost(&detail, node);
	add(checks, CHECK_NOTICE, node->status.lost == 0, node->status.lost ? text_take(&detail) : NULL,
	    "the kernel has lost no audit record");
	about(checks, NULL, NULL, true);
}

static void add_hazard(void *context, const char *name, const char *detail)
{
	add(context, CHECK_NOTICE, !detail, detail ? strdup(detail) : NULL, "%s", name);
}

static void add_rule_name(const struct rule *rule, struct text *out)
{
	const struct rule_place at = rule_place(rule);

	text_add(out, "rule in force: ");
	rule_add_place(out, &at);
	text_add(out, ": ");
	rule_show(out, rule->data, rule->size);
}

void check_add_name(const struct check *check, struct text *out)
{
	if (check->name)
		text_add(out, check->name);
	else
		add_rule_name(check->rule, out);
}

static char *print_rule(const struct audit_rule_data *data, size_t size)
{
	_cleanup_text_ struct text line = {0};

	rule_show(&line, data, size);
	return text_take(&line);
}

/* No difference: it was decided when rules were loaded. */
static void check_left_out(struct checks *checks, const struct rule_set *left_out)
{
	for (size_t i = 0; i < left_out->n_rules; i++) {
		const struct rule *rule = &left_out->rules[i];
		const struct rule_place at = rule_place(rule);
		_cleanup_free_ char *line = print_rule(rule->data, rule->size);
		_cleanup_text_ struct text place = {0};
		char *detail = NULL;

		rule_add_place(&place, &at);
		if (rule->refused)
			detail = strdup("left out: the kernel has refused it at boot");
		else if (!rule->absent)
			detail = strdup("left out when rules were loaded; the directory of its path has come, and the next load "
					"takes it");
		else if (asprintf(&detail, "left out: %s is not there", rule->absent) < 0)
			detail = NULL;
		add(checks, CHECK_NOTICE, false, detail, "rule not left out: %s: %s", place.s ? place.s : "", line ? line : "");
		about(checks, NULL, NULL, true);
		if (!checks->out_of_memory)
			checks->items[checks->n - 1].left_out = rule;
	}
}

/* A watch is what it was loaded as: seen when the path has become something else, and the lock is in the way. */
static void check_forms(struct checks *checks, const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n_forms; i++) {
		add(checks, CHECK_NOTICE, false, strdup(wanted_form_note(&wanted->forms[i])),
		    "%s is watched as what it is", wanted->forms[i].path);
		about(checks, NULL, NULL, true);
	}
}

/* What apply could not mend, or was not asked to. */
static void check_notices(struct checks *checks, const struct config *config, const struct wanted *wanted,
			  const struct node *node)
{
	if (config->reader == READER_CHECK)
		check_reader(checks, CHECK_NOTICE, node);
	if (config->reader == READER_IGNORE) {
		add(checks, CHECK_NOTICE, true, NULL, "the journal gets the audit records");
		if (!checks->out_of_memory)
			checks->items[checks->n - 1].skip = "[journal] reader = ignore";
	}
	check_missed(checks, &node->reader, config->reader == READER_ENABLE);
	add_lost(checks, node);
	check_forms(checks, wanted);
	if (hazards_look(config, node, add_hazard, checks) < 0)
		checks->out_of_memory = true;
}

/* Then a start of the service does not run what our drop-in says. */
static void check_overrides(struct checks *checks, const struct config *config, const struct wanted *wanted)
{
	char *detail = NULL;

	if (wanted->overrides && asprintf(&detail, "%s does, and its name comes after " DROP_IN ": give it one that comes "
					  "before, as 10-NAME.conf, then systemctl daemon-reload", wanted->overrides) < 0)
		detail = NULL;
	add(checks, CHECK_REPLACED, !wanted->overrides, detail, "nothing sets ExecStart= of %s after %s",
	    config->runtime_unit, wanted_path(wanted, FILE_RUNTIME));
}

/* What the unit's own files say is one thing, what systemd makes of it, and what runs, are others. */
static void check_path(struct checks *checks, const struct config *config, const struct wanted *wanted,
		       const struct node *node)
{
	const char *path = runtime_path_in(node->runtime.environment);
	bool same = path && wanted->runtime_path && strcmp(path, wanted->runtime_path) == 0;
	char *detail = NULL;

	/* What an earlier run left is let stand. */
	if (!wanted->runtime_path)
		return;
	if (wanted->path_overrides && asprintf(&detail, "%s does: move it into a drop-in whose name comes before " DROP_IN ", as "
					       "10-NAME.conf, then systemctl daemon-reload", wanted->path_overrides) < 0)
		detail = NULL;
	add(checks, CHECK_REPLACED, !wanted->path_overrides, detail, "nothing sets PATH of %s after %s", config->runtime_unit,
	    wanted_path(wanted, FILE_RUNTIME));
	/* Of a drop-in that differs systemd cannot have what is wanted. */
	if (!wanted_same(wanted, FILE_RUNTIME, &node->files[FILE_RUNTIME]))
		return;
	detail = NULL;
	if (!same && asprintf(&detail, "it has %s: systemctl daemon-reload", path ? path : "none of its own") < 0)
		detail = NULL;
	add(checks, CHECK_UNIT, same, detail, "systemd has PATH of %s as configured", config->runtime_unit);
	pass_over(checks, node->runtime.unit.unasked);
}

/* A start of the runtime is the node's owner's to choose: what waits for it is no difference of the node. But that keystrokes
 * count as one is version 0.1's promise. */
static void check_runtime(struct checks *checks, const struct config *config, const struct wanted *wanted,
			  const struct node *node)
{
	bool ok = node->runtime.in_effect;
	_cleanup_text_ struct text since = {0};

	text_addf(&since, "not in effect: %s runs since ", config->runtime_unit);
	text_add_time(&since, node->runtime.started);
	text_add(&since, ", from before it was set up: systemctl restart it, or set [container] restart = yes");
	if (config->keystrokes) {
		check_overrides(checks, config, wanted);
		add(checks, CHECK_PENDING, ok, ok ? NULL : strdup("it was started before that was set up: "
		    "restart it, or wait for its next start"), "%s runs with its terminals recorded",
		    config->runtime_unit);
		pass_over(checks, node->runtime.unit.unasked);
	}
	if (config->identity) {
		check_path(checks, config, wanted, node);
		add(checks, CHECK_NOTICE, ok, ok ? NULL : text_take(&since), "%s gives new containers an identity",
		    config->runtime_unit);
		pass_over(checks, node->runtime.unit.unasked);
	}
}

static void check_host(struct checks *checks, const struct config *config, const struct wanted *wanted,
		       const struct node *node)
{
	const struct recording *recording = &node->recording;
	struct host_recording want;
	bool ok;

	recording_wanted(config, &want);
	ok = recording_apparmor_ok(recording, &want);
	if (want.apparmor)
		add(checks, CHECK_HOST, ok, ok ? NULL : strdup(recording->apparmor),
		    "AppArmor's audit parameter is %s", want.apparmor);
	ok = recording_ima_ok(recording, &want);
	if (want.ima && recording_ima_needs_boot(recording, &want))
		add(checks, CHECK_PENDING, ok, strdup("another was loaded since boot, and the kernel takes "
		    "one a boot: reboot or recreate the node"), "the IMA policy is loaded");
	else if (want.ima)
		add(checks, CHECK_HOST, ok, ok ? NULL : strdup("no"), "the IMA policy is loaded");
	if (config->reader == READER_ENABLE)
		check_reader(checks, CHECK_HOST, node);
	if (wanted->files[FILE_RUNTIME].s)
		check_runtime(checks, config, wanted, node);
}

/* What a boot takes in the place of file i. */
static void check_replaced(struct checks *checks, const struct node *node, const char *unit, const char *path,
			   size_t i)
{
	const char *instead = node->instead[i];
	bool ok = !instead;
	char *detail = NULL;
	int r = 0;

	if (!ok && strcmp(instead, path) == 0)
		r = asprintf(&detail, "it is masked, so that no boot starts it: systemctl unmask %s", unit);
	else if (!ok)
		r = asprintf(&detail, "%s comes first: delete it, then systemctl daemon-reload; systemctl cat %s shows what "
			     "it does", instead, unit);
	add(checks, CHECK_REPLACED, ok, r < 0 ? NULL : detail, "a boot reads %s", path);
}

static void check_drop_ins(struct checks *checks, const struct unit_state *state, const char *unit)
{
	size_t others = 0;

	for (size_t k = 0; state->drop_ins && state->drop_ins[k]; k++) {
		const char *drop_in = state->drop_ins[k];
		bool usual = others_is_default(drop_in);
		char *detail = NULL;

		if (asprintf(&detail, "%s: systemctl cat %s shows what it does; %s", drop_in, unit, usual ?
			     "it came with the host, for all services" : "delete it, then systemctl daemon-reload") < 0)
			detail = NULL;
		add(checks, usual ? CHECK_NOTICE : CHECK_DROP_IN, false, detail, usual ?
		    "no drop-in for all services changes %s" : "no drop-in of others changes %s", unit);
		others += !usual;
	}
	if (others == 0)
		add(checks, CHECK_DROP_IN, true, NULL, "no drop-in of others changes %s", unit);
}

/* Is a drop-in of ours for somebody else's unit among those that systemd reads? */
static void check_own_drop_in(struct checks *checks, const struct wanted *wanted, const struct node *node,
			      size_t i)
{
	const char *path = wanted_path(wanted, i), *instead = NULL;
	char *const *drop_ins = node->units[i].drop_ins;
	char *detail = NULL;
	bool found = false;
	int r = 0;

	for (size_t k = 0; drop_ins && drop_ins[k]; k++) {
		found = found || strcmp(drop_ins[k], path) == 0;
		if (strcmp(strrchr(drop_ins[k], '/') ? strrchr(drop_ins[k], '/') + 1 : "", DROP_IN) == 0)
			instead = drop_ins[k];
	}
	if (!found && instead)
		r = asprintf(&detail, "%s has the same name and comes first: delete it, then systemctl daemon-reload",
			     instead);
	else if (!found)
		r = asprintf(&detail, "it does not");
	add(checks, instead && !found ? CHECK_REPLACED : CHECK_UNIT, found, r < 0 ? NULL : detail,
	    "a start of its unit reads %s", path);
	/* The file may be newer than what systemd has read. */
	pass_over(checks, found && node->units[i].unasked);
}

static void check_unit(struct checks *checks, const struct config *config, const struct node *node,
		       size_t i)
{
	const struct unit_state *state = &node->units[i];
	const char *unit = wanted_files[i].unit;
	/* The lock keeps a unit that is not active from loading rules; the kernel's state is what counts. */
	bool must_run = i == FILE_HOST_UNIT || (i == FILE_SETUP_UNIT && !node_locked(node));
	bool ours = state->fragment && strcmp(state->fragment, wanted_files[i].path) == 0;
	char *from = NULL;

	if (!ours && asprintf(&from, "loaded from %s", state->fragment && *state->fragment ?
			      state->fragment : "nowhere") < 0)
		from = NULL;
	add(checks, CHECK_UNIT, ours, from, "%s is loaded from %s", unit, wanted_files[i].path);
	pass_over(checks, state->unasked);
	add(checks, CHECK_UNIT, !state->needs_reload, state->needs_reload ?
	    strdup("the file changed after systemd read it") : NULL, "%s is loaded as it is on disk",
	    unit);
	pass_over(checks, state->unasked);
	add(checks, CHECK_UNIT, state->enabled == config->unit_enable,
	    state->enabled == config->unit_enable ? NULL : strdup(state->enabled ? "enabled" : "disabled"),
	    config->unit_enable ? "%s is enabled" : "%s is not enabled", unit);
	if (must_run) {
		add(checks, CHECK_UNIT, state->active, state->active ? NULL :
		    strdup(state->failed ? "failed" : "inactive"), "%s is active", unit);
		pass_over(checks, state->unasked);
	}
	if (i == FILE_LOCK_UNIT) {
		add(checks, CHECK_UNIT, !state->failed, state->failed ?
		    strdup("it has: systemctl status " LOCK_UNIT " says why; the next boot may stay unlocked") : NULL,
		    "%s has not failed", unit);
		pass_over(checks, state->unasked);
	}
	check_replaced(checks, node, unit, wanted_files[i].path, i);
	check_drop_ins(checks, state, unit);
}

/* Under the lock it is the kernel's state that counts, as for SETUP_UNIT. */
static void check_transient(struct checks *checks, const struct wanted *wanted, const struct node *node)
{
	const struct text *want = &wanted->transient, *have = &node->transient;
	bool same = want->s && wanted_same_rules(wanted, have);

	if (!want->s && have->s)
		add(checks, CHECK_UNIT, false, strdup("it is there"), TRANSIENT_UNIT " does not exist");
	if (!want->s || node_locked(node))
		return;
	add(checks, CHECK_UNIT, same, same ? NULL : strdup(have->s ? "it has others" : "it is absent"),
	    TRANSIENT_UNIT " has the configured rules");
	add(checks, CHECK_UNIT, node->transient_active, node->transient_active ? NULL : strdup("inactive"),
	    TRANSIENT_UNIT " is active");
}

static void add_rule(struct checks *checks, enum check_kind kind, const struct rule *rule, bool missing)
{
	_cleanup_text_ struct text name = {0};

	if (missing)
		add_rule_name(rule, &name);
	add_check(checks, kind, !missing, missing ? strdup("missing") : NULL, missing ? text_take(&name) : NULL);
	about(checks, rule, NULL, false);
}

static void check_rules(struct checks *checks, const struct wanted *wanted,
			const struct kernel_rules *listed, const struct rulesdiff *diff, bool keep, bool locked)
{
	for (size_t i = 0; i < wanted->rules.n_rules; i++) {
		const struct rule *rule = &wanted->rules.rules[i];
		/* What ends the file changes nothing that is recorded; a version that did not have it locked without. */
		enum check_kind kind = locked && i + 1 == wanted->rules.n_rules ? CHECK_NOTICE : CHECK_RULE;

		add_rule(checks, kind, rule, diff->missing[i]);
	}
	for (size_t i = 0; i < listed->n && !keep; i++) {
		_cleanup_free_ char *line = NULL;

		if (!diff->unexpected[i])
			continue;
		line = print_rule(listed->rules[i].data, listed->rules[i].size);
		add(checks, CHECK_RULE, false, strdup("unexpected"), "no such rule in force: %s",
		    line ? line : "");
		about(checks, NULL, &listed->rules[i], false);
	}
	if (diff->n_unexpected == 0 && !keep)
		add(checks, CHECK_RULE, true, NULL, "no other rule is in force");
	add(checks, CHECK_RULE, !diff->order, diff->order ?
	    strdup("the first rule that matches decides, so the order counts") : NULL,
	    "the rules are in the order of the configuration");
}

static void check_setting(void *context, const char *wanted, const char *actual)
{
	bool same = strcmp(wanted, actual) == 0;
	char *detail = NULL;

	if (!same && asprintf(&detail, "the kernel has %s", *actual ? actual : "not") < 0)
		detail = NULL;
	add(context, CHECK_SETTING, same, detail, "kernel setting %s", wanted);
}

int checks_build_kernel(struct checks *ret, const struct wanted *wanted,
			const struct config *config, const struct node *node)
{
	bool keep = config->existing == EXISTING_KEEP;
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	struct checks checks = {0};
	int r;

	settings_compare(&wanted->settings, &node->status, node->loginuid_immutable, check_setting, &checks);
	r = rulesdiff_compare(&diff, &wanted->rules, &node->rules, keep);
	if (r == 0)
		check_rules(&checks, wanted, &node->rules, &diff, keep, node_locked(node));
	if (r < 0 || checks.out_of_memory) {
		checks_done(&checks);
		return -ENOMEM;
	}
	*ret = checks;
	return 0;
}

/* Of other rules than those wanted an earlier run's are still among what is kept, which says nothing. */
static void check_kept(struct checks *checks, const struct wanted *wanted, const struct config *config,
		       const struct node *node)
{
	_cleanup_(kept_done) struct kept kept = {0};
	char *detail = NULL;

	if (config->existing != EXISTING_KEEP || !wanted_same_rules(wanted, node_own_rules(node)))
		return;
	if (kept_judge(&kept, wanted, config, node, NULL) < 0)
		checks->out_of_memory = true;
	if (kept.taken > 0 && asprintf(&detail, "%zu of %zu rules of ours %s behind it: %s", kept.taken, kept.ours, kept.headless ?
				       "have no SYSCALL record, so neither key nor who did it," : "record nothing", kept.by.s) < 0)
		detail = NULL;
	add(checks, CHECK_KEPT, kept.taken == 0, detail, "no rule that is kept takes what ours are to record");
}

int checks_build(struct checks *ret, const struct wanted *wanted, const struct config *config,
		 const struct node *node)
{
	static const char *const states[] = { "off", "on, not locked", "locked" };
	uint32_t enabled = node->status.enabled;
	bool on = enabled >= 1, locked = node_locked(node);
	struct checks checks = {0};
	int r = checks_build_kernel(&checks, wanted, config, node);

	if (r < 0)
		return r;
	add(&checks, CHECK_LOCK, on, on ? NULL : strdup(states[0]), "kernel auditing is on");
	if (config->lock)
		add(&checks, CHECK_LOCK, locked, locked ? NULL : strdup(states[enabled > 2 ? 0 : enabled]),
		    "the audit configuration is locked");
	check_files(&checks, wanted, node);
	check_host(&checks, config, wanted, node);
	check_transient(&checks, wanted, node);
	for (size_t i = 0; i < N_FILES; i++) {
		if (wanted_files[i].unit && wanted->files[i].s)
			check_unit(&checks, config, node, i);
		/* One that differs is not read as it is to be in any case. */
		if (wanted_files[i].drop_in && wanted->files[i].s && wanted_same(wanted, i, &node->files[i]))
			check_own_drop_in(&checks, wanted, node, i);
	}
	check_asked(&checks, config);
	check_left_out(&checks, &wanted->left_out);
	check_kept(&checks, wanted, config, node);
	check_notices(&checks, config, wanted, node);
	if (checks.out_of_memory) {
		checks_done(&checks);
		return -ENOMEM;
	}
	*ret = checks;
	return 0;
}
