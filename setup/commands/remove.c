#include "setup/commands/commands.h"

#include <errno.h>
#include <string.h>

#include "setup/host/atboot.h"
#include "setup/node/wanted_node.h"
#include "setup/output/report.h"
#include "setup/rights/confine.h"
#include "setup/rights/rights.h"
#include "setup/steps/files.h"
#include "setup/steps/loader.h"
#include "setup/steps/steps.h"
#include "units/audit_units.h"

static bool is_ours(const struct context *c, size_t i)
{
	const struct unit_state *state = &c->node.units[i];

	return wanted_files[i].unit && (c->node.files[i].s ||
		(state->fragment && strcmp(state->fragment, wanted_files[i].path) == 0));
}

static bool any_file_ours(const struct context *c)
{
	bool any = wanted_any_ours(&c->wanted, &c->node);

	for (size_t i = 0; i < N_FILES; i++)
		any = any || is_ours(c, i);
	return any;
}

/* Before anything is stopped or deleted: half of a remove leaves a node that records nothing. */
static int find_obstacle(const struct context *c)
{
	for (size_t i = 0; i < N_FILES; i++) {
		const char *path = wanted_path(&c->wanted, i);
		int r;

		if (!path || !c->node.files[i].s || text_equal(&c->node.files[i], &c->wanted.files[i]))
			continue;
		r = host_may_write(&c->host, path);
		if (r < 0) {
			log_say(c->log, LEVEL_ERROR, "%s cannot be %s below %s: %s%s; nothing was changed", path,
				c->wanted.files[i].s ? "written" : "deleted", c->host.root, strerror(-r),
				rights_advice_write(&c->host, r));
			return r;
		}
	}
	return 0;
}

/* Through a root that does not show the unit's file it cannot be deleted. */
static int find_rest(struct context *c)
{
	int r = node_read_units(&c->node, &c->wanted, &c->host, c->bus, c->log);

	for (size_t i = 0; r == 0 && i < N_FILES; i++) {
		const char *fragment = c->node.units[i].fragment;

		if (!wanted_files[i].unit || !fragment || strcmp(fragment, wanted_files[i].path) != 0)
			continue;
		log_say(c->log, LEVEL_ERROR, "systemd still has %s, loaded from %s, which is not below %s: run remove "
			"where the host's files can be seen", wanted_files[i].unit, fragment, c->host.root);
		r = -EBUSY;
	}
	return r;
}

/* Stops and disables; the lock first, as it requires the other. */
static int stop_units(struct context *c)
{
	for (size_t i = N_FILES; i-- > 0;) {
		const char *unit = wanted_files[i].unit;
		int r;

		if (!is_ours(c, i))
			continue;
		r = step_stop_unit(c, i);
		if (r == 0)
			r = bus_disable(c->bus, unit);
		if (r < 0)
			return r;
		c->node.units[i].enabled = false;
	}
	return step_sync_links(c);
}

/* Where somebody has put something into it, it stays; so under the lock, where its end would take a rule along. */
static void delete_directory(const struct context *c)
{
	if (!node_locked(&c->node) && host_remove_directory(&c->host, OWN_DIRECTORY) == 0)
		log_say(c->log, LEVEL_DEBUG, "deleted " OWN_DIRECTORY);
}

static int delete_files(struct context *c)
{
	uint32_t enabled = c->node.status.enabled;
	int r = step_write_files(c);

	if (r == 0 && any_file_ours(c))
		r = bus_reload(c->bus);
	if (r == 0)
		r = step_journald(c, &c->node);
	/* A restart of journald may have switched auditing off. */
	if (r == 0 && enabled == 1 && c->node.status.enabled == 0)
		r = step_enable(c);
	if (r == 0)
		r = node_read_status(&c->node, c->kernel, &c->host, c->log);
	if (r == 0)
		delete_directory(c);
	return r < 0 ? r : step_stop_transient(c);
}

/* What remove cannot end. */
static void say_what_stays(const struct context *c)
{
	if (c->node.recording.ima_policy.s)
		log_say(c->log, LEVEL_WARNING, "the IMA policy that was loaded stays in force until the next boot: "
			"the kernel takes none back");
	if (c->node.files[FILE_RUNTIME].s)
		log_say(c->log, LEVEL_WARNING, "a container runtime that was started with its terminals recorded, or "
			"with an identity for its containers, goes on so until its next start (%s is gone; where its PATH names a "
			"directory of ours, that is gone, too, and passed over), and so do its containers",
			wanted_path(&c->wanted, FILE_RUNTIME));
	if (c->node.loginuid_immutable)
		log_say(c->log, LEVEL_WARNING, "loginuid_immutable stays on until the next boot");
	if (!node_locked(&c->node) && (c->node.status.failure != 1 || c->node.status.rate_limit != 0))
		log_say(c->log, LEVEL_WARNING, "the kernel's settings stay as they are: failure %u, rate_limit %u; auditctl -f "
			"and -r change them", c->node.status.failure, c->node.status.rate_limit);
}

/* Deletes our rules from the kernel: all of them if our file said -D, else those it names. */
static int delete_rules(struct context *c, bool *ret_replaced)
{
	_cleanup_(rule_set_done) struct rule_set set = {0};
	const char *content = node_own_rules(&c->node)->s;
	/* Without our file a first remove has deleted them, or a boot, unless the kernel has what ends a set that replaced the host's. */
	int r = content ? wanted_earlier_rules(&c->host, content, &set, ret_replaced) : step_find_end(c);

	if (r < 0)
		return log_no_memory(c->log);
	if (!content)
		*ret_replaced = r > 0;
	if (!content && r == 0)
		return 0;
	r = *ret_replaced ? step_reset_kernel(c, content) : step_delete_rules(c, &set);
	if (r == 0)
		r = node_read_kernel(&c->node, c->kernel, &c->host, c->log);
	if (r < 0 || !*ret_replaced || c->node.rules.n == 0)
		return r;
	log_say(c->log, LEVEL_ERROR, "auditctl -D ran, but the kernel still lists %zu rules; see auditctl -l "
		"on the node", c->node.rules.n);
	return -EBADE;
}

/* The host's augenrules, NULL for none; of a host whose programs cannot be seen the usual place is taken. */
static const char *find_augenrules(const struct context *c)
{
	static const char *const paths[] = { "/sbin/augenrules", "/usr/sbin/augenrules" };
	bool directory;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (host_path_type(&c->host, paths[i], &directory) == 1)
			return paths[i];
	return host_path_type(&c->host, "/usr/sbin", &directory) == 1 ? NULL : paths[0];
}

/* What the host's own loader says no to is no failure of ours, nor would it be another time: a boot goes on, too. */
static int forgive(const struct context *c, int r)
{
	if (r != -EIO)
		return r;
	log_say(c->log, LEVEL_WARNING, "the host's own loader of audit rules has failed, as it would at a boot, so that of those rules the "
		"kernel may have some or none; mend them (/etc/audit/rules.d, or %s) and load them: augenrules --load", HOST_RULES);
	return 0;
}

static int run_command(struct context *c, const char *what, const char *program, const char *option, const char *file)
{
	return program ? bus_run_transient(c->bus, what, (const char *const[]){ program, option, file, NULL }) : 0;
}

/* Has the host load its own rules, the way it does at boot; a host that loads none is left with none. */
static int load_host_rules(struct context *c)
{
	static const char what[] = "Load the host's own audit rules";
	_cleanup_(loader_done) struct loader loader = {0};
	int r = loader_find(&loader, &c->host, c->bus, c->log);

	if (r < 0)
		return r;
	switch (loader.kind) {
	case LOADER_NONE:
		return 0;
	case LOADER_UNIT:
		return forgive(c, bus_run_job(c->bus, loader.active ? BUS_RESTART : BUS_START, loader.unit));
	case LOADER_AUGENRULES:
		return forgive(c, run_command(c, what, find_augenrules(c), "--load", NULL));
	case LOADER_AUDITCTL:
		return forgive(c, run_command(c, what, c->wanted.auditctl, "-R", loader.file));
	}
	return 0;
}

/* The copy for scanners goes before the host loads its own rules, with which it would be loaded, and out of what augenrules
 * has made of it; under the lock that makes nothing, and the next boot does. */
static int take_back_copy(struct context *c)
{
	const char *path = wanted_files[FILE_SCANNER].path;
	int r;

	if (!c->node.files[FILE_SCANNER].s)
		return 0;
	r = file_delete(&c->host, &c->wanted, FILE_SCANNER);
	if (r < 0) {
		log_say(c->log, LEVEL_ERROR, "%s cannot be deleted below %s: %s%s", path, c->host.root, strerror(-r),
			rights_advice_write(&c->host, r));
		return r;
	}
	text_done(&c->node.files[FILE_SCANNER]);
	/* What somebody has written by hand it would write over. */
	if (node_locked(&c->node) || !atboot_merged(&c->host))
		return 0;
	return forgive(c, run_command(c, "Merge the host's own audit rules", find_augenrules(c), NULL, NULL));
}

/* The kernel's part, while the files still tell a next run that there is something to take back. */
static int take_back_rules(struct context *c)
{
	bool replaced;
	int r = delete_rules(c, &replaced), s;

	if (r == 0 && replaced)
		r = load_host_rules(c);
	s = node_read_kernel(&c->node, c->kernel, &c->host, c->log);
	if (r < 0 && s == 0 && node_locked(&c->node)) {
		log_say(c->log, LEVEL_WARNING, "somebody locked the audit configuration meanwhile, so the kernel's rules stay as "
			"they are now");
		return 0;
	}
	r = r < 0 ? r : s;
	if (r < 0)
		log_conclude(c->log, "the kernel's rules are not those of the host's own set-up; load them on the node "
			     "(augenrules --load), or reboot it");
	return r;
}

enum exit_status command_remove(struct context *c)
{
	if (context_observe(c) < 0)
		return STATUS_NODE;
	step_clean(c);
	if (!any_file_ours(c) && !c->node.transient.s) {
		delete_directory(c);
		report_done(c, "remove", "unchanged", "nothing to remove: no unit or file of "
			    "cloud-audit-setup is on this node");
		if (node_locked(&c->node) && c->node.rules.n > 0)
			log_say(c->log, LEVEL_WARNING, "the audit configuration is locked, so the kernel keeps its %zu rules, "
				"whoever loaded them, until a reboot: reboot or recreate the node", c->node.rules.n);
		return STATUS_DONE;
	}
	c->wanted.auditctl = wanted_find_auditctl(&c->host);
	/* Of a host whose files cannot be seen the usual place is taken, as apply did. */
	if (!c->wanted.auditctl && c->node.transient.s)
		c->wanted.auditctl = "/sbin/auditctl";
	if (!c->wanted.auditctl && !node_locked(&c->node)) {
		log_say(c->log, LEVEL_ERROR, "there is no auditctl in /sbin or /usr/sbin below %s, so the rules "
			"in the kernel cannot be taken back; install the host's audit package, or reboot; "
			"nothing was changed", c->host.root);
		return STATUS_NODE;
	}
	if (find_obstacle(c) < 0)
		return STATUS_NODE;
	confine_signals();
	if (bus_subscribe(c->bus) < 0 || stop_units(c) < 0 || take_back_copy(c) < 0 ||
	    (!node_locked(&c->node) && take_back_rules(c) < 0) || delete_files(c) < 0) {
		log_conclude(c->log, "remove stopped half-way: units may be stopped, and the kernel had %zu rules when it was "
			     "last looked at; mend the cause and run it again", c->node.rules.n);
		return STATUS_NODE;
	}
	if (find_rest(c) < 0) {
		log_conclude(c->log, "it was stopped and disabled, and the kernel has the %zu rules of the host's own set-up",
			     c->node.rules.n);
		return STATUS_NODE;
	}
	say_what_stays(c);
	if (!node_locked(&c->node)) {
		report_done(c, "remove", "removed", "units and files are gone; the kernel has the %zu rules of the "
			    "host's own set-up", c->node.rules.n);
		return STATUS_DONE;
	}
	report_done(c, "remove", "locked", "units and files are gone; the kernel keeps its rules until the "
		    "next boot");
	log_say(c->log, LEVEL_ERROR, "the audit configuration is locked, so the kernel keeps its %zu rules until "
		"a reboot: reboot or recreate the node", c->node.rules.n);
	return STATUS_LOCKED;
}
