#include "setup/steps/steps.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/checks/boot.h"
#include "setup/checks/checks.h"
#include "setup/checks/told.h"
#include "setup/host/atboot.h"
#include "setup/node/wanted_node.h"
#include "setup/rights/rights.h"
#include "setup/steps/files.h"
#include "setup/steps/steps_runtime.h"
#include "units/audit_units.h"
#include "units/transient.h"

static int say_file(struct context *c, size_t i, bool write, int r)
{
	const char *path = wanted_path(&c->wanted, i);

	if (r < 0)
		log_say(c->log, LEVEL_ERROR, "%s cannot be %s below %s: %s%s", path, write ? "written" : "deleted",
			c->host.root, file_error(r), rights_advice_write(&c->host, r));
	else
		log_say(c->log, LEVEL_DEBUG, "%s %s", write ? "wrote" : "deleted", path);
	return r;
}

int step_stop_unit(struct context *c, size_t i)
{
	_cleanup_(unit_state_done) struct unit_state now = {0};
	struct unit_state *state = &c->node.units[i];
	const char *unit = wanted_files[i].unit;
	int r = 0;

	if (state->active || state->changing)
		r = bus_run_job(c->bus, BUS_STOP, unit);
	/* One that was on its way ends as failed. */
	if (r == 0 && state->changing)
		r = bus_unit_state(c->bus, unit, &now);
	if (r == 0 && (state->failed || now.failed))
		r = bus_reset_failed(c->bus, unit);
	if (r == 0)
		state->active = state->changing = state->failed = false;
	return r;
}

static int write_file(struct context *c, size_t i, const struct text *content)
{
	bool directory, proven = i == FILE_RUNTIME || i == FILE_RUNTIME_RUNC || i == FILE_RUNTIME_CRUN;
	int r = proven ? step_prove_runtime(c, i) : 0;

	/* Its end sets AppArmor back, which the new one may not know of. */
	if (i == FILE_HOST_UNIT && c->node.units[i].active && !wanted_same(&c->wanted, i, &c->node.files[i]))
		r = bus_run_job(c->bus, BUS_STOP, HOST_UNIT);
	if (i == FILE_SCANNER && host_path_type(&c->host, HOST_RULES_DIRECTORY, &directory) == 0)
		c->made_host_rules = true;
	if (r == 0)
		r = say_file(c, i, true, file_write(&c->host, &c->wanted, i, content, &c->wanted.pam));
	/* Where it failed, perhaps, too. */
	if (i == FILE_PAM_SSHD)
		c->wrote_pam = r != -ESTALE && r != -ELOOP;
	/* A drop-in may name it already. */
	if (r == 0 && i == FILE_RUNTIME_PROGRAM)
		r = step_prove_runtime(c, i + 1);
	if (r == 0 && i == FILE_SCANNER && c->config.lock)
		log_say(c->log, LEVEL_INFO, "no file of rules says -e 2, for which scanners look: it would lock before the rules that "
			"count are loaded; auditctl -s tells of the lock (enabled 2)");
	return r;
}

static int delete_file(struct context *c, size_t i)
{
	const char *unit = wanted_files[i].unit;
	/* HOST_UNIT's end sets AppArmor back, which systemd knows of only as long as the file is there. */
	int r = unit ? step_stop_unit(c, i) : 0;

	if (r == 0 && unit && c->node.units[i].enabled) {
		r = bus_disable(c->bus, unit);
		r = r < 0 ? r : step_sync_links(c);
	}
	return r < 0 ? r : say_file(c, i, false, file_delete(&c->host, &c->wanted, i));
}

void step_clean(const struct context *c)
{
	for (size_t i = 0; i < N_FILES; i++)
		if (wanted_path(&c->wanted, i))
			host_clean(&c->host, wanted_path(&c->wanted, i));
}

int step_make_directory(struct context *c)
{
	struct text *text = c->wanted.transient.s ? &c->wanted.transient : &c->wanted.files[FILE_RULES];
	int r;

	if (!wanted_lacks_directory(&c->wanted))
		return 0;
	r = host_make_directory(&c->host, OWN_DIRECTORY);
	if (r < 0) {
		log_say(c->log, LEVEL_DEBUG, OWN_DIRECTORY " cannot be made below %s: %s; it is watched as a path", c->host.root,
			strerror(-r));
		return 0;
	}
	c->made_directory = true;
	log_say(c->log, LEVEL_DEBUG, "made " OWN_DIRECTORY);
	r = wanted_read_again(&c->wanted, &c->config, &c->host, text);
	if (r < 0)
		log_say(c->log, LEVEL_ERROR, "the rules cannot be read again: %s", strerror(-r));
	return r;
}

int step_write_files(struct context *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < N_FILES; i++) {
		_cleanup_text_ struct text store = {0};
		const struct text *content = file_content(&c->wanted, i, &c->node.files[i], &store);

		if (!content)
			r = log_no_memory(c->log);
		else if (content->s && (!text_equal(content, &c->node.files[i]) || !node_rights_ok(&c->node, i)))
			r = write_file(c, i, content);
	}
	for (size_t i = N_FILES; r == 0 && i-- > 0;)
		if (!c->wanted.files[i].s && c->node.files[i].s)
			r = delete_file(c, i);
	return r;
}

int step_sync_links(struct context *c)
{
	/* The links, then the directory of links, which systemd makes when it is missing and deletes when it is empty. */
	static const char *const directories[] = { UNIT_DIRECTORY "/multi-user.target.wants", UNIT_DIRECTORY };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		int r = host_sync_directory(&c->host, directories[i]);

		if (r < 0) {
			log_say(c->log, LEVEL_ERROR, "%s below %s cannot be synced to the disk: %s; without that, which units "
				"are enabled may be lost with the power", directories[i], c->host.root, strerror(-r));
			return r;
		}
	}
	return 0;
}

int step_load_units(struct context *c)
{
	int r;

	for (size_t i = 0; i < N_FILES; i++) {
		const char *unit = wanted_files[i].unit;

		if (!unit || !c->wanted.files[i].s)
			continue;
		/* Also when it is enabled already: its link may point to a unit below /usr. */
		if (c->config.unit_enable)
			r = bus_enable(c->bus, unit);
		else
			r = c->node.units[i].enabled ? bus_disable(c->bus, unit) : 0;
		if (r < 0)
			return r;
	}
	r = step_sync_links(c);
	if (r < 0)
		return r;
	log_say(c->log, LEVEL_DEBUG, "systemd reads its units again");
	return bus_reload(c->bus);
}

/* The option of a line, as its second letter, and that of a watch. */
enum how { ADD, PREPEND, DELETE };

/* Adds a rule of the kernel's as a line that adds it, or deletes it. */
static void add_rule(struct context *c, struct text *lines, enum how how,
		     const struct audit_rule_data *data, size_t size)
{
	/* Of a watch there is no form that puts it in front. */
	static const char option[] = { [ADD] = 'a', [PREPEND] = 'A', [DELETE] = 'd' };
	static const char watch[] = { [ADD] = 'w', [PREPEND] = 'w', [DELETE] = 'W' };
	_cleanup_text_ struct text line = {0};
	char *list = NULL;

	if (!rule_print(&line, data, size)) {
		log_say(c->log, LEVEL_WARNING, "auditctl has no line of a rules file for this rule of the kernel's, so it "
			"is left out: %s", line.s ? line.s : "");
		return;
	}
	/* "-a LIST,ACTION ...", "-w PATH ...", or "-S CALLS -a LIST,ACTION ..." */
	if (line.s)
		list = strncmp(line.s, "-S ", 3) == 0 ? strchr(line.s + 3, ' ') + 1 : line.s;
	if (list)
		list[1] = list[1] == 'w' ? watch[how] : option[how];
	lines->failed = lines->failed || text_error(&line) < 0;
	text_addf(lines, "%s\n", line.s ? line.s : "");
}

static int load(struct context *c, const struct text *lines, const char *description)
{
	_cleanup_text_ struct text all = {0};

	if (!lines->s)
		return text_error(lines) < 0 ? log_no_memory(c->log) : 0;
	/* A line that is refused costs that line alone; the exit status says that there was one. */
	text_addf(&all, "-c\n%s", lines->s);
	if (text_error(lines) < 0 || text_error(&all) < 0)
		return log_no_memory(c->log);
	return bus_load_rules(c->bus, description, c->wanted.auditctl, &all);
}

static int set_option(struct context *c, const char *option, const char *value, const char *description)
{
	return bus_run_transient(c->bus, description,
				 (const char *const[]){ c->wanted.auditctl, option, value, NULL });
}

int step_delete_rules(struct context *c, const struct rule_set *set)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	_cleanup_text_ struct text lines = {0};

	if (rulesdiff_compare(&diff, set, &c->node.rules, true) < 0)
		return log_no_memory(c->log);
	for (size_t i = 0; i < set->n_rules; i++)
		if (!diff.missing[i])
			add_rule(c, &lines, DELETE, set->rules[i].data, set->rules[i].size);
	return load(c, &lines, "Delete audit rules for cloud-audit-setup");
}

int step_reset_kernel(struct context *c, const char *earlier)
{
	/* kernel/audit.c: audit_failure, audit_rate_limit. The backlog's limit may be another on the kernel's command line,
	 * and does no harm. */
	static const struct {
		const char *written, *reset;
	} settings[] = { { "\n-f ", "-f 1\n" }, { "\n-r ", "-r 0\n" } };
	_cleanup_text_ struct text lines = {0};

	text_add(&lines, "-D\n");
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (earlier && strstr(earlier, settings[i].written))
			text_add(&lines, settings[i].reset);
	return load(c, &lines, "Delete all audit rules for cloud-audit-setup");
}

int step_enable(struct context *c)
{
	return set_option(c, "-e", "1", "Switch audit on for cloud-audit-setup");
}

/* How many rules from the start are needed to have each that is there twice. */
static size_t repeated(const struct kernel_rules *rules)
{
	size_t n = 0;

	for (size_t i = 0; i < rules->n; i++)
		for (size_t k = 0; k < i && n <= i; k++)
			if (rules->rules[i].size == rules->rules[k].size &&
			    memcmp(rules->rules[i].data, rules->rules[k].data, rules->rules[i].size) == 0)
				n = i + 1;
	return n;
}

int step_restore_kernel(struct context *c, const struct kernel_status *status,
			const struct kernel_rules *rules)
{
	size_t twice = repeated(rules);
	_cleanup_text_ struct text lines = {0};

	text_add(&lines, "-D\n");
	for (size_t i = twice; i < rules->n; i++)
		add_rule(c, &lines, ADD, rules->rules[i].data, rules->rules[i].size);
	/* What is there already the kernel takes once more in front only (audit_compare_rule()): so from the last on. */
	for (size_t i = twice; i-- > 0;)
		add_rule(c, &lines, PREPEND, rules->rules[i].data, rules->rules[i].size);
	text_addf(&lines, "-b %" PRIu32 "\n-f %" PRIu32 "\n-r %" PRIu32 "\n--backlog_wait_time %" PRIu32 "\n-e %" PRIu32
		  "\n", status->backlog_limit, status->failure, status->rate_limit, status->backlog_wait_time,
		  status->enabled);
	return load(c, &lines, "Bring back the audit rules from before cloud-audit-setup");
}

int step_find_end(const struct context *c)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	_cleanup_(rule_set_done) struct rule_set end = {0};
	bool unused;

	if (wanted_earlier_rules(&c->host, END_RULE "\n", &end, &unused) < 0 ||
	    rulesdiff_compare(&diff, &end, &c->node.rules, true) < 0)
		return -ENOMEM;
	return diff.n_missing == 0;
}

int step_delete_earlier(struct context *c, const char *earlier)
{
	_cleanup_(rule_set_done) struct rule_set set = {0};
	bool replaced;

	if (!earlier) {
		int r = step_find_end(c);

		return r == 0 ? 0 : r < 0 ? log_no_memory(c->log) : step_delete_rules(c, &c->wanted.rules);
	}
	if (wanted_earlier_rules(&c->host, earlier, &set, &replaced) < 0)
		return log_no_memory(c->log);
	return step_delete_rules(c, &set);
}

int step_stop_transient(struct context *c)
{
	/* Also one that is on its way: a run that was killed does not take its job along. */
	return c->node.transient.s ? bus_run_job(c->bus, BUS_STOP, TRANSIENT_UNIT) : 0;
}

/* auditctl names the lines of the file that it was given; where they come from is what can be mended. */
static int say_refused(struct context *c, int r)
{
	const char *last = log_last_error(c->log);
	_cleanup_free_ char *said = last ? strdup(last) : NULL;

	if (node_read_kernel(&c->node, c->kernel, &c->host, c->log) == 0)
		boot_say_missing(c, said);
	return r;
}

int step_start(struct context *c)
{
	int r = step_stop_transient(c);

	/* Not to lock before the rules are read back: one may be on its way, and version 0.1's comes with every restart of the
	 * other (Requires=). */
	if (r == 0 && (c->node.units[FILE_LOCK_UNIT].active || c->node.units[FILE_LOCK_UNIT].changing))
		r = bus_run_job(c->bus, BUS_STOP, LOCK_UNIT);
	if (r < 0)
		return r;
	log_say(c->log, LEVEL_DEBUG, "systemd starts %s", c->wanted.transient.s ? TRANSIENT_UNIT : SETUP_UNIT);
	r = c->wanted.transient.s ? bus_start_rules(c->bus, c->wanted.auditctl, &c->wanted.transient) :
		bus_run_job(c->bus, BUS_RESTART, SETUP_UNIT);
	return r == -EIO || r == -ECANCELED ? say_refused(c, r) : r;
}

/* One sentence where all that was to be loaded is missing. */
static void say_differences(const struct context *c, const struct checks *checks)
{
	size_t n = c->wanted.rules.n_rules, missing = 0;

	for (size_t i = 0; i < checks->n; i++)
		missing += checks->items[i].rule && !checks->items[i].ok;
	if (missing > 0 && missing == n)
		log_say(c->log, LEVEL_ERROR, "read back from the kernel: none of the %zu rules is in force, although the unit that "
			"loads them has run; see journalctl -u " SETUP_UNIT " on the node", n);
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];
		_cleanup_text_ struct text wanted = {0}, there = {0};

		if (check->ok || check->kind == CHECK_NOTICE || (check->rule && missing == n))
			continue;
		told_add(check, &wanted, &there);
		log_say(c->log, LEVEL_ERROR, "read back from the kernel: wanted: %s; there: %s", wanted.s ? wanted.s : "",
			there.s ? there.s : "");
	}
}

static int compare(struct context *c, const char *locked)
{
	_cleanup_(checks_done) struct checks checks = {0};
	int r = node_read_kernel(&c->node, c->kernel, &c->host, c->log);

	if (r < 0)
		return r;
	if (checks_build_kernel(&checks, &c->wanted, &c->config, &c->node) < 0)
		return log_no_memory(c->log);
	say_differences(c, &checks);
	if (node_locked(&c->node) && checks_failed(&checks) > 0)
		log_say(c->log, LEVEL_ERROR, "%s, with other rules; reboot the node", locked);
	if (c->node.status.enabled == 0)
		log_say(c->log, LEVEL_ERROR, "read back from the kernel: auditing is off (enabled=0) after the "
			"rules were loaded; look for who switches it off: journalctl _TRANSPORT=audit");
	return checks_failed(&checks) > 0 || c->node.status.enabled == 0 ? -EBADE : 0;
}

int step_read_back(struct context *c)
{
	return compare(c, "somebody else locked the audit configuration meanwhile");
}

/* In transient mode nothing has to lock again at the next boot. */
static int run_lock(struct context *c)
{
	log_say(c->log, LEVEL_DEBUG, "systemd locks");
	if (!c->wanted.transient.s)
		return bus_run_job(c->bus, BUS_RESTART, LOCK_UNIT);
	return set_option(c, "-e", "2", "Lock the Linux audit configuration until the next boot");
}

static int say_unknown(struct context *c)
{
	log_conclude(c->log, "whether the lock is in force, and with which rules, is not known: nothing of this run is taken "
		     "back; see auditctl -s on the node, and run apply again");
	return -EINPROGRESS;
}

/* Out of systemd's reach: the job ends by itself, as its unit has a time limit. */
static int wait_for_lock(struct context *c)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	int r = 0;

	for (int64_t left = c->config.start_timeout; r == 0 && !node_locked(&c->node) && left > 0; left -= 200000) {
		nanosleep(&pause, NULL);
		r = node_read_status(&c->node, c->kernel, &c->host, c->log);
	}
	return r == 0 && node_locked(&c->node) ? 0 : -ENOTCONN;
}

/* So that it neither goes on nor counts as failed. */
static int end_lock(struct context *c)
{
	_cleanup_(unit_state_done) struct unit_state now = {0};
	int r = 0;

	/* One that was not started from a file is gone. */
	if (!c->wanted.transient.s)
		r = bus_unit_state(c->bus, LOCK_UNIT, &now);
	if (r == 0 && now.changing)
		r = bus_run_job(c->bus, BUS_STOP, LOCK_UNIT);
	if (r == 0)
		r = node_read_status(&c->node, c->kernel, &c->host, c->log);
	/* That one is failed though it did its work is no reason to fail, even where it stays so. */
	if (r == 0 && now.failed && node_locked(&c->node) && bus_reset_failed(c->bus, LOCK_UNIT) < 0)
		return 0;
	return r;
}

/* Whatever failed, the kernel knows whether there is a lock. 0 when there is; cause when there is none and none comes. */
static int settle_lock(struct context *c, int cause)
{
	int r = bus_revive(c->bus) < 0 ? wait_for_lock(c) : end_lock(c);

	if (r < 0)
		return say_unknown(c);
	if (!node_locked(&c->node))
		return cause;
	log_say(c->log, LEVEL_WARNING, "the kernel is locked all the same: what was written stays");
	return 0;
}

int step_lock(struct context *c)
{
	int r = run_lock(c);

	if (r < 0)
		r = settle_lock(c, r);
	else if (node_read_status(&c->node, c->kernel, &c->host, c->log) < 0)
		r = say_unknown(c);
	if (r < 0)
		return r;
	if (!node_locked(&c->node)) {
		log_say(c->log, LEVEL_ERROR, "auditctl -e 2 succeeded, but the kernel says enabled=%u, not 2: not "
			"locked; see journalctl _TRANSPORT=audit on the node", c->node.status.enabled);
		return -EBADE;
	}
	/* A job lay between the reading back and the lock. */
	r = compare(c, "somebody changed the rules just before they were locked, and they are locked");
	return r == -EBADE ? -EKEYREJECTED : r < 0 ? say_unknown(c) : 0;
}
