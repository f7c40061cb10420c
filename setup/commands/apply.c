#include "setup/commands/commands.h"

#include <errno.h>
#include <string.h>

#include "setup/checks/boot.h"
#include "setup/checks/checks.h"
#include "setup/checks/kept.h"
#include "setup/host/outlast.h"
#include "setup/output/report.h"
#include "setup/rights/confine.h"
#include "setup/screen/layout.h"
#include "setup/steps/steps.h"
#include "setup/steps/steps_runtime.h"
#include "setup/steps/undo.h"
#include "units/audit_units.h"

/* Rows for what is said once something has been changed, and for the result. */
enum { AFTER_CHANGES = 9 };

/* Files, units, journald: what neither the lock forbids nor undo cannot take back. */
static int change_host(struct context *c, const struct checks *checks, const struct node *before)
{
	/* Over D-Bus alone there is nothing for systemd to read again. */
	bool units = checks->failed[CHECK_UNIT] > 0 && !c->wanted.transient.s;
	int r = 0;

	if (units || checks->failed[CHECK_FILE] > 0) {
		r = step_write_files(c);
		if (r == 0)
			r = step_load_units(c);
		if (r == 0)
			r = step_read_path_back(c);
	}
	return r < 0 ? r : step_journald(c, before);
}

static int change_locked(struct context *c, const struct checks *checks, const struct node *before)
{
	int r = bus_subscribe(c->bus);

	if (r == 0)
		r = change_host(c, checks, before);
	if (r == 0)
		r = step_host(c, &before->files[FILE_HOST_UNIT]);
	/* What it was to do is done, by whomever. */
	if (r == 0 && c->wanted.files[FILE_LOCK_UNIT].s && before->units[FILE_LOCK_UNIT].failed)
		r = bus_reset_failed(c->bus, LOCK_UNIT);
	/* Last, because under the lock it cannot be started again. */
	return r == 0 && !c->wanted.transient.s ? step_stop_transient(c) : r;
}

/* Why the next boot does not load what was staged; NULL where it does. */
static const char *find_obstacle(struct context *c)
{
	_cleanup_(unit_state_done) struct unit_state unit = {0};

	if (!c->config.unit_enable)
		return "[unit] enable = no, so no boot loads them: apply again after it";
	if (bus_unit_state(c->bus, wanted_files[FILE_SETUP_UNIT].unit, &unit) < 0)
		return "systemd does not say whether it starts the unit that loads them";
	if (!unit.fragment || strcmp(unit.fragment, wanted_files[FILE_SETUP_UNIT].path) != 0)
		return "systemd has another unit in the place of the one that loads them: see systemctl cat "
			"cloud-audit-setup.service";
	return unit.enabled ? NULL : "the unit that loads them is not enabled: see systemctl is-enabled "
		"cloud-audit-setup.service";
}

/* What becomes of files that were staged. */
static const char *staged_words(enum outlast outlast)
{
	static const char *const words[] = {
		[OUTLAST_UNKNOWN] = "the new rules are in place for the next boot: reboot or recreate the node (where /etc does not "
			"survive a reboot, as on COS, apply again after it)",
		[OUTLAST_YES] = "the new rules are in place for the next boot: reboot or recreate the node",
		[OUTLAST_NO] = "the new rules are on the host, whose /etc is in memory and does not survive a boot: reboot or "
			"recreate the node, and apply again after it",
	};

	return words[outlast];
}

/* True where the next boot loads it, as far as it is known. */
static bool say_staged(struct context *c, enum log_level level)
{
	const char *obstacle;

	c->staged = true;
	if (c->wanted.transient.s) {
		log_say(c->log, level, "the kernel's audit configuration is locked with other rules and cannot "
			"change before a reboot; [unit] mode = transient leaves nothing on the host for the next "
			"boot: reboot or recreate the node, and apply again");
		report_done(c, "apply", "locked", "the kernel is unchanged");
		return true;
	}
	obstacle = find_obstacle(c);
	if (obstacle) {
		log_say(c->log, c->config.unit_enable ? LEVEL_ERROR : level, "the kernel's audit configuration is locked with other "
			"rules and cannot change before a reboot; the new rules are on the host, but %s", obstacle);
		report_done(c, "apply", "locked", "the new rules are on the host; the kernel is unchanged");
		return !c->config.unit_enable;
	}
	log_say(c->log, level, "the kernel's audit configuration is locked with other rules and cannot change "
		"before a reboot; %s", staged_words(host_outlasts(&c->host, "/etc/audit")));
	report_done(c, "apply", "staged", "the new rules are in place for the next boot; the kernel is "
		    "unchanged");
	return true;
}

/* Is a rule in force that an earlier run brought, and that is wanted no more? */
static bool left_behind(const struct context *c, const struct node *before)
{
	_cleanup_free_ bool *left = NULL;
	size_t n = 0;

	return kept_left_behind(&left, &n, &c->wanted, &c->config, before, &c->host) == 0 && n > 0;
}

/* Under the lock only files can change; the kernel takes the rules at the next boot. */
static enum exit_status apply_locked(struct context *c, const struct checks *checks, const struct node *before)
{
	bool other_rules = checks->failed[CHECK_RULE] + checks->failed[CHECK_SETTING] > 0;
	bool host = checks->failed[CHECK_FILE] + checks->failed[CHECK_UNIT] + checks->failed[CHECK_HOST] > 0;
	bool fail = other_rules && c->config.on_locked == ON_LOCKED_FAIL;

	/* Before anything is staged that no boot would load. */
	if (other_rules && c->locks.n > 0) {
		boot_say_locks(c, LEVEL_ERROR);
		report_done(c, "apply", "locked", "nothing was changed: the host locks by itself before the rules are loaded");
		return STATUS_LOCKED;
	}
	if (host && change_locked(c, checks, before) < 0) {
		undo(c, before, false);
		return STATUS_NODE;
	}
	if (left_behind(c, before))
		log_say(c->log, LEVEL_WARNING, "rules of the earlier configuration that are wanted no more stay in force "
			"until the next boot");
	if (!other_rules && c->wanted.n_refused == 0) {
		report_in_force(c, "applied", "the files are as configured; ");
		return STATUS_DONE;
	}
	if (boot_locked_by_others(c))
		log_say(c->log, LEVEL_WARNING, "it was not cloud-audit-setup that locked: where that is done at each boot before "
			"cloud-audit-setup.service loads its rules, none of them come into force; look for who does (grep -rl auditctl "
			"/etc/systemd /usr/lib/systemd, journalctl -b _TRANSPORT=audit)");
	if (boot_say_hopeless(c)) {
		report_done(c, "apply", "locked", "the files are as configured; the kernel is unchanged");
		return STATUS_LOCKED;
	}
	return !say_staged(c, fail ? LEVEL_ERROR : LEVEL_WARNING) || fail ? STATUS_LOCKED : STATUS_DONE;
}

/* Has the unit that loads the rules done so, as it is wanted? */
static bool loader_active(const struct context *c, const struct node *before)
{
	if (c->wanted.transient.s)
		return before->transient_active && wanted_same_rules(&c->wanted, &before->transient);
	return before->units[FILE_SETUP_UNIT].active && before->files[FILE_SETUP_UNIT].s;
}

/* *ret_loaded: the kernel may have rules of this run. */
static int change_node(struct context *c, const struct checks *checks, const struct node *before, bool *ret_loaded)
{
	const char *earlier = node_own_rules(before)->s;
	bool start = checks->failed[CHECK_RULE] + checks->failed[CHECK_SETTING] > 0 ||
		!loader_active(c, before) || left_behind(c, before);
	int r = bus_subscribe(c->bus);

	if (r == 0 && start && c->config.existing == EXISTING_KEEP)
		r = step_delete_earlier(c, earlier);
	if (r == 0)
		r = change_host(c, checks, before);
	*ret_loaded = r == 0 && start;
	if (r == 0 && start)
		r = step_start(c);
	/* A restart of journald may have switched auditing off. */
	else if (r == 0 && c->node.status.enabled == 0)
		r = step_enable(c);
	if (r == 0)
		r = step_read_back(c);
	/* An IMA policy is not taken back: when nothing else can go wrong. */
	if (r == 0)
		r = step_host(c, &before->files[FILE_HOST_UNIT]);
	if (r == 0 && c->config.lock)
		r = step_lock(c);
	return r;
}

/* The kernel is locked, but not with what was read back. */
static void say_raced(struct context *c)
{
	bool files = !c->wanted.transient.s;

	log_say(c->log, LEVEL_ERROR, "the kernel is locked with rules that are not those asked for, and cannot change before "
		"a reboot; %sreboot or recreate the node%s", files ? "the new rules are in place for the next boot: " : "",
		files ? "" : ", and apply again");
	report_done(c, "apply", files ? "staged" : "locked", "the kernel is locked with other rules");
}

/* A run that failed, when somebody locked what it had loaded: its files stay, as the kernel cannot go back. */
static enum exit_status keep_locked(struct context *c)
{
	_cleanup_(checks_done) struct checks checks = {0};

	if (checks_build_kernel(&checks, &c->wanted, &c->config, &c->node) < 0 || checks_failed(&checks) > 0) {
		say_raced(c);
		return STATUS_LOCKED;
	}
	log_conclude(c->log, "somebody locked the audit configuration meanwhile, with the rules asked for, so units and files of "
		     "this run stay in place; mend the cause and run apply again");
	return STATUS_NODE;
}

static enum exit_status apply_unlocked(struct context *c, const struct checks *checks, const struct node *before)
{
	_cleanup_(checks_done) struct checks again = {0};
	bool loaded = false;
	int r = step_make_directory(c);

	/* With it other rules are wanted. */
	if (r == 0 && c->made_directory) {
		r = checks_build(&again, &c->wanted, &c->config, &c->node);
		checks = &again;
		if (r < 0)
			log_no_memory(c->log);
	}
	if (r == 0)
		r = change_node(c, checks, before, &loaded);
	if (r == -EKEYREJECTED) {
		say_raced(c);
		return STATUS_LOCKED;
	}
	if (r == -EINPROGRESS)
		return STATUS_NODE;
	if (r < 0)
		return undo(c, before, loaded) == -EKEYREJECTED ? keep_locked(c) : STATUS_NODE;
	report_in_force(c, "applied", "");
	return STATUS_DONE;
}

/* The runtime writes the log of our own container, so that what is said after its restart may never be read there. */
static int restart_runtime(struct context *c, const struct node *before)
{
	if (fflush(stdout) != 0)
		c->out_error = -errno;
	return step_restart_runtime(c, before);
}

/* runtime_left: see step_leave_runtime(). */
static enum exit_status apply_observed(struct context *c, bool runtime_left)
{
	_cleanup_(checks_done) struct checks checks = {0};
	_cleanup_(node_done) struct node before = {0};
	enum exit_status status;

	if (checks_build(&checks, &c->wanted, &c->config, &c->node) < 0) {
		log_say(c->log, LEVEL_ERROR, "out of memory; nothing was changed");
		return STATUS_NODE;
	}
	log_wait_with_errors(c->log);
	if (report_others(c, &checks))
		return STATUS_NODE;
	report_forms(c);
	report_reader(c);
	if (!node_locked(&c->node))
		boot_say_locks(c, LEVEL_WARNING);
	/* What was foretold is read before it happens, also when this run is killed. */
	log_use_room(c->log, SCREEN_ROWS - AFTER_CHANGES);
	step_clean(c);
	if (checks_to_change(&checks) == 0) {
		report_in_force(c, "unchanged", "nothing to do: ");
		confine_signals();
		if (restart_runtime(c, &c->node) < 0)
			return STATUS_NODE;
		step_say_pending(c);
		return STATUS_DONE;
	}
	/* The steps read parts of the node anew. */
	if (node_copy(&before, &c->node) < 0) {
		log_say(c->log, LEVEL_ERROR, "out of memory; nothing was changed");
		return STATUS_NODE;
	}
	confine_signals();
	status = node_locked(&c->node) ? apply_locked(c, &checks, &before) : apply_unlocked(c, &checks, &before);
	if (status == STATUS_NODE)
		return status;
	if (runtime_left)
		return status;
	/* Whether the runtime has been started with its drop-in is seen by the files as they are now. */
	if (c->wanted.files[FILE_RUNTIME].s && context_read(c) < 0) {
		log_conclude(c->log, "the rest was done; whether %s has been started with it is not known: run apply again",
			     c->config.runtime_unit);
		return STATUS_NODE;
	}
	if (restart_runtime(c, &before) < 0)
		return STATUS_NODE;
	step_say_pending(c);
	return status;
}

enum exit_status command_apply(struct context *c)
{
	bool left = false;
	enum exit_status status = begin_change(c, &left);

	if (status == STATUS_DONE)
		status = apply_observed(c, left);
	if (!left)
		return status;
	step_say_left(c, status != STATUS_DONE ? "" : c->staged ? "; all else is done as far as the lock allows" :
		      "; all else is as configured");
	return status == STATUS_DONE ? STATUS_NODE : status;
}
