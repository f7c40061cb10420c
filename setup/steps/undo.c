#include "setup/steps/undo.h"

#include <errno.h>
#include <string.h>

#include "rules/rule/show.h"
#include "setup/host/atboot.h"
#include "setup/kernel/rulesdiff.h"
#include "setup/steps/files.h"
#include "setup/steps/steps.h"
#include "units/audit_units.h"

enum { NAMED = 8 };	/* rules, of each kind */

/* Rule sets own their rules; this one borrows those of a listing. */
static struct rule_set borrow(const struct kernel_rules *listed, struct rule *store)
{
	for (size_t i = 0; i < listed->n; i++)
		store[i] = (struct rule){ .data = listed->rules[i].data, .size = listed->rules[i].size };
	return (struct rule_set){ .rules = store, .n_rules = listed->n };
}

static bool same_rules(const struct node *a, const struct node *b)
{
	_cleanup_free_ struct rule *store = calloc(a->rules.n + 1, sizeof(*store));
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	struct rule_set set;

	if (!store)
		return false;
	set = borrow(&a->rules, store);
	return rulesdiff_compare(&diff, &set, &b->rules, false) == 0 && rulesdiff_same(&diff) &&
		a->status.enabled == b->status.enabled;
}

static bool same_settings(const struct node *a, const struct node *b)
{
	return a->status.backlog_limit == b->status.backlog_limit &&
		a->status.failure == b->status.failure &&
		a->status.rate_limit == b->status.rate_limit &&
		a->status.backlog_wait_time == b->status.backlog_wait_time;
}

static bool same_kernel(const struct node *a, const struct node *b)
{
	return same_rules(a, b) && same_settings(a, b) && a->loginuid_immutable == b->loginuid_immutable;
}

/* Names the rules of `of` that `in` lacks, some of many. */
static void say_rules(struct context *c, const struct node *of, const struct node *in, const char *what)
{
	_cleanup_free_ struct rule *store = calloc(of->rules.n + 1, sizeof(*store));
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	struct rule_set set;
	size_t n = 0;

	if (!store)
		return;
	set = borrow(&of->rules, store);
	if (rulesdiff_compare(&diff, &set, &in->rules, true) < 0)
		return;
	for (size_t i = 0; i < set.n_rules; i++) {
		_cleanup_text_ struct text line = {0};

		if (!diff.missing[i] || n++ >= NAMED)
			continue;
		rule_show(&line, set.rules[i].data, set.rules[i].size);
		log_conclude(c->log, "%s: %s", what, line.s ? line.s : "");
	}
	if (n > NAMED)
		log_conclude(c->log, "%s: %zu more", what, n - NAMED);
}

static void say_kernel(struct context *c, const struct node *before)
{
	const struct kernel_status *now = &c->node.status, *old = &before->status;

	say_rules(c, before, &c->node, "this rule of the kernel's could not be brought back");
	say_rules(c, &c->node, before, "this rule is in force, and was not before");
	if (!same_rules(before, &c->node))
		log_conclude(c->log, "the kernel has %zu audit rules and enabled=%u, before it had %zu and enabled=%u; see "
			     "auditctl -l on the node, and reboot it to start anew", c->node.rules.n, now->enabled,
			     before->rules.n, old->enabled);
	if (!same_settings(before, &c->node))
		log_conclude(c->log, "the kernel has backlog_limit %u, failure %u, rate_limit %u, backlog_wait_time %u, before it "
			     "had %u, %u, %u, %u; auditctl -b, -f, -r, --backlog_wait_time change them", now->backlog_limit,
			     now->failure, now->rate_limit, now->backlog_wait_time, old->backlog_limit, old->failure,
			     old->rate_limit, old->backlog_wait_time);
	if (c->node.loginuid_immutable && !before->loginuid_immutable)
		log_conclude(c->log, "loginuid_immutable stays on until the next boot");
}

static int undo_file(struct context *c, const struct node *before, size_t i)
{
	const char *path = wanted_path(&c->wanted, i);
	const struct text *old = &before->files[i];
	_cleanup_text_ struct text now = {0};
	int r;

	/* What this run has not written is not its to put back. */
	if (!path || (wanted_files[i].foreign && !c->wrote_pam))
		return 0;
	r = host_read(&c->host, path, &now);
	if (r < 0 && r != -ENOENT)
		/* A mask was there before, see node_read_files(). */
		return r == -ELOOP && !old->s ? 0 : r;
	if (text_equal(old, &now))
		return 0;
	if (old->s)
		return file_write(&c->host, &c->wanted, i, old, &c->wanted.files[i]);
	/* A directory that the host had stays, empty or not. */
	return i == FILE_SCANNER && !c->made_host_rules ? host_remove(&c->host, path) : file_delete(&c->host, &c->wanted, i);
}

/* Enables or disables the units that were so before. */
static int undo_links(struct context *c, const struct node *before, bool enabled)
{
	bool any = false;
	int worst = 0, r;

	for (size_t i = 0; i < N_FILES; i++) {
		const char *unit = wanted_files[i].unit;

		if (!unit || before->units[i].enabled != enabled)
			continue;
		any = true;
		r = enabled ? bus_enable(c->bus, unit) : bus_disable(c->bus, unit);
		worst = worst < 0 ? worst : r;
	}
	r = any ? step_sync_links(c) : 0;
	return worst < 0 ? worst : r;
}

/* Those that were there in the order in which they are written, then those that were not in the opposite one: no unit
 * names a file that is gone. */
static int undo_contents(struct context *c, const struct node *before)
{
	int worst = 0;

	for (size_t k = 0; k < 2 * N_FILES; k++) {
		size_t i = k < N_FILES ? k : 2 * N_FILES - 1 - k;
		bool now = !before->files[i].s == (k >= N_FILES);
		int r = now ? undo_file(c, before, i) : 0;

		/* What failed may have come after the change, or was but the look at it: only what is then still not
		 * as before is said to be so. */
		if (r < 0)
			r = undo_file(c, before, i);
		if (r < 0)
			log_conclude(c->log, "%s could not be put back as it was: %s; compare it with a node that "
				     "works", wanted_path(&c->wanted, i), file_error(r));
		worst = worst < 0 ? worst : r;
	}
	return worst;
}

/* Files and links, then what systemd makes of them. 0, or the first failure after trying all. */
static int undo_files(struct context *c, const struct node *before)
{
	int worst = undo_links(c, before, false), r;

	r = undo_contents(c, before);
	worst = worst < 0 ? worst : r;
	r = undo_links(c, before, true);
	worst = worst < 0 ? worst : r;
	r = bus_reload(c->bus);
	return worst < 0 ? worst : r;
}

static int undo_kernel(struct context *c, const struct node *before)
{
	int r = node_read_kernel(&c->node, c->kernel, &c->host, c->log), s;

	if (r < 0 || same_kernel(before, &c->node))
		return r;
	if (node_locked(&c->node))
		return -EPERM;
	r = step_restore_kernel(c, &before->status, &before->rules);
	/* It may have done half, and that is said. */
	s = node_read_kernel(&c->node, c->kernel, &c->host, c->log);
	r = r < 0 ? r : s;
	return r < 0 ? r : same_kernel(before, &c->node) ? 0 : -EBADE;
}

/* Brings the kernel to what it held besides the rules of an earlier run: a unit that does not delete
 * first would find its own rules there and fail. */
static int make_room(struct context *c, const struct node *before, const struct rule_set *earlier)
{
	_cleanup_free_ struct kernel_rule *foreign = calloc(before->rules.n + 1, sizeof(*foreign));
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	struct kernel_rules rest = { .rules = foreign };

	if (!foreign || rulesdiff_compare(&diff, earlier, &before->rules, true) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < before->rules.n; i++)
		if (diff.unexpected[i])
			foreign[rest.n++] = before->rules.rules[i];
	return step_restore_kernel(c, &before->status, &rest);
}

/* Starts the unit that was active before, with the rules that it had. */
static int start_earlier(struct context *c, const struct node *before)
{
	_cleanup_(rule_set_done) struct rule_set earlier = {0};
	const struct text *rules = node_own_rules(before);
	bool replaced;
	int r = wanted_earlier_rules(&c->host, rules->s, &earlier, &replaced);

	if (r == 0 && !replaced)
		r = make_room(c, before, &earlier);
	if (r < 0)
		return r;
	return rules == &before->transient ? bus_start_rules(c->bus, c->wanted.auditctl, rules) :
		bus_run_job(c->bus, BUS_START, SETUP_UNIT);
}

static int undo_transient(struct context *c, const struct node *before)
{
	int r = node_read_transient(&c->node, c->bus);

	if (r < 0 || text_equal(&c->node.transient, &before->transient))
		return r;
	r = step_stop_transient(c);
	return r == 0 && before->transient_active && !node_locked(&c->node) ? start_earlier(c, before) : r;
}

static int undo_unit(struct context *c, const struct node *before, size_t i)
{
	const struct unit_state *now = &c->node.units[i], *old = &before->units[i];
	bool stop = (now->active || now->changing) && !old->active;
	int r = stop || (now->failed && !old->failed) ? step_stop_unit(c, i) : 0;

	/* Only ours: what a vendor's unit would run is not known. */
	if (r == 0 && i == FILE_SETUP_UNIT && !now->active && old->active &&
	    before->files[i].s && before->files[FILE_RULES].s)
		r = start_earlier(c, before);
	if (r == 0 && i == FILE_HOST_UNIT && !now->active && old->active && before->files[i].s)
		r = bus_run_job(c->bus, BUS_START, HOST_UNIT);
	return r;
}

/* No unit is left failed, and one that was active is so again. 0, or the first failure after trying all. */
static int undo_units(struct context *c, const struct node *before)
{
	int worst = node_read_units(&c->node, &c->wanted, &c->host, c->bus, c->log), r;
	bool read = worst == 0;

	for (size_t i = 0; read && i < N_FILES; i++) {
		r = wanted_files[i].unit ? undo_unit(c, before, i) : 0;
		worst = worst < 0 ? worst : r;
	}
	r = undo_transient(c, before);
	return worst < 0 ? worst : r;
}

static bool differs(const struct context *c, const struct node *before, size_t i)
{
	return !wanted_same(&c->wanted, i, &before->files[i]);
}

/* Before its file goes: the end of the unit as this run left it sets AppArmor back. */
static int stop_host(struct context *c, const struct node *before)
{
	_cleanup_(unit_state_done) struct unit_state now = {0};
	int r;

	if (!differs(c, before, FILE_HOST_UNIT))
		return 0;
	r = bus_unit_state(c->bus, HOST_UNIT, &now);
	return r < 0 || !now.active ? r : bus_run_job(c->bus, BUS_STOP, HOST_UNIT);
}

/* After the files: journald as they have it now. */
static int undo_journald(struct context *c, const struct node *before)
{
	int r = 0;

	if (!differs(c, before, FILE_JOURNALD) && !differs(c, before, FILE_JOURNALD_SOCKET))
		return 0;
	if (!before->files[FILE_JOURNALD].s || differs(c, before, FILE_JOURNALD_SOCKET))
		r = bus_run_job(c->bus, BUS_STOP, JOURNALD_SOCKET);
	return r < 0 ? r : bus_run_job(c->bus, BUS_RESTART, JOURNALD_UNIT);
}

/* What loads or locks and is on its way, as after a connection that was lost. */
static int stop_loading(struct context *c)
{
	static const size_t loading[] = { FILE_LOCK_UNIT, FILE_SETUP_UNIT };
	int worst = node_read_units(&c->node, &c->wanted, &c->host, c->bus, c->log), r;
	bool read = worst == 0;

	for (size_t i = 0; read && i < ARRAY_SIZE(loading); i++) {
		r = c->node.units[loading[i]].changing ? step_stop_unit(c, loading[i]) : 0;
		worst = worst < 0 ? worst : r;
	}
	return worst;
}

static void say_undone(struct context *c, const struct node *before, int files, int units, int kernel)
{
	bool ima;

	recording_done(&c->node.recording);
	recording_read(&c->node.recording, &c->host);
	ima = !text_equal(&c->node.recording.ima_policy, &before->recording.ima_policy);
	if (files == 0 && units == 0 && kernel == 0 && !ima) {
		log_conclude(c->log, "nothing is left of this run: files, units and kernel rules are as before "
			     "(%zu rules, enabled=%u)", before->rules.n, before->status.enabled);
		return;
	}
	if (files == 0)
		log_conclude(c->log, "the files are as before");
	if (kernel < 0)
		say_kernel(c, before);
	if (ima)
		log_conclude(c->log, "the IMA policy that was loaded stays in force until the next boot");
	if (units < 0)
		log_conclude(c->log, "see systemctl status %s %s %s %s on the node", SETUP_UNIT, LOCK_UNIT, HOST_UNIT,
			     JOURNALD_UNIT);
}

/* Somebody may have put something into it. */
static void undo_directory(struct context *c, bool made, const char *path)
{
	int r = made ? host_remove_directory(&c->host, path) : 0;

	if (r < 0 && r != -ENOENT)
		log_conclude(c->log, "%s was made, and stays: %s", path, strerror(-r));
}

int undo(struct context *c, const struct node *before, bool loaded)
{
	int host, files, units, kernel = 0, journald, loading, revived = bus_revive(c->bus);

	/* What needs systemd then fails, and says so. */
	if (revived < 0)
		log_say(c->log, LEVEL_DEBUG, "systemd cannot be reached: %s", strerror(-revived));
	loading = loaded ? stop_loading(c) : 0;
	if (loaded)
		kernel = undo_kernel(c, before);
	if (loaded && kernel < 0 && node_locked(&c->node))
		return -EKEYREJECTED;
	host = stop_host(c, before);
	files = undo_files(c, before);
	units = undo_units(c, before);
	journald = undo_journald(c, before);
	/* An earlier unit has loaded its rules, and a restart of journald may have switched auditing off. */
	kernel = undo_kernel(c, before);
	undo_directory(c, c->made_host_rules, HOST_RULES_DIRECTORY);
	undo_directory(c, c->made_directory, OWN_DIRECTORY);
	say_undone(c, before, files, loading < 0 ? loading : host < 0 ? host : journald < 0 ? journald : units, kernel);
	return 0;
}
