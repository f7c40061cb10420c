/* The program with whatever may fail failing: calls of systemd, jobs, the kernel's answers, memory. FAULTS=all in the
 * environment: each one, else a part. */
#include "t/unit/program.h"

/* A run, and one before it that makes the node what it is then. status: of the run. */
struct scenario {
	const char *before, *words;
	int status;
	int again;		/* what it may end with, too, when a run before it failed */
	const char *verify;	/* after it these match */
};

static const struct scenario scenarios[] = {
	{ "", "apply", 0, 0, "verify" },
	{ UNLOCKED "apply", UNLOCKED CHANGED "apply", 0, 0, UNLOCKED CHANGED "verify" },
	{ "", MORE "apply", 0, 0, MORE "verify" },
	{ MORE "apply", UNLOCKED "apply", 0, 0, UNLOCKED "verify" },
	{ MORE "apply", "remove", 0, 0, NULL },
	{ "", TRANSIENT "apply", 0, 0, TRANSIENT "verify" },
	{ TRANSIENT "apply", TRANSIENT CHANGED "apply", 0, 0, TRANSIENT CHANGED "verify" },
	{ TRANSIENT "apply", UNLOCKED "apply", 0, 0, UNLOCKED "verify" },
	{ UNLOCKED "apply", TRANSIENT "apply", 0, 0, TRANSIENT "verify" },
	{ TRANSIENT "apply", "remove", 0, 0, NULL },
	{ KEEP "apply", KEEP CHANGED "apply", 0, 0, KEEP CHANGED "verify" },
	{ KEEP "apply", "remove", 0, 0, NULL },
	{ "apply", "remove", 5, 0, NULL },
	{ "apply", CHANGED "apply", 0, 0, NULL },
	{ "apply", CHANGED MORE "-s audit.on_locked=fail apply", 5, 5, NULL },
	{ "", TRANSIENT "-s audit.lock=yes apply", 0, 0, TRANSIENT "-s audit.lock=yes verify" },
	{ UNLOCKED "apply", MORE "plan", 4, 4, NULL },
	{ UNLOCKED "apply", MORE "verify", 4, 4, NULL },
	{ UNLOCKED "apply", MORE "-o json plan", 4, 4, NULL },
	{ UNLOCKED "apply", MORE "-o json verify", 4, 4, NULL },
	{ UNLOCKED "apply", CHANGED MORE "-o tap verify", 4, 4, NULL },
	{ "", UNLOCKED "-s unit.enable=no -v apply", 0, 0, UNLOCKED "-s unit.enable=no verify" },
	{ "apply", "-o json remove", 5, 0, NULL },
	{ MORE "apply", BOTH "apply", 0, 0, BOTH "verify" },
	{ BOTH "apply", IDENTITY "-s container.restart=yes apply", 0, 0, IDENTITY "verify" },
	{ BOTH "apply", "remove", 0, 0, NULL },
	{ "", "render rules", 0, 0, NULL },
	{ "", MORE "-o json render kernel", 0, 0, NULL },
};

static void each_scenario_ends_as_it_should(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		const struct scenario *s = &scenarios[i];

		begin(s->before);
		expect(s->words, s->status);
		if (s->verify)
			expect(s->verify, 0);
	}
}

static unsigned complaints;

/* All that is wrong is shown. */
static _printf_format_(1, 2) void complain(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	complaints++;
}

/* What somebody else does to the kernel while apply is at work, before the rules are loaded or after, and what is
 * said of it. */
static void others_are_noticed(void **state)
{
	static const struct {
		const char *on_start, *meanwhile, *words;
		int status;
		const char *said;
	} rows[] = {
		{ NULL, "-w /etc/issue -p wa -k z", "apply", 1, "/etc/issue" },
		{ NULL, "-D", "apply", 1, "read back from the kernel: none of the " },
		{ NULL, "-e 0", "apply", 1, "auditing is off (enabled=0) after the rules were loaded" },
		{ NULL, "-w /etc/issue -p wa -k z\n-e 2", "apply", 5, "somebody else locked the audit configuration meanwhile" },
		{ NULL, "-w /etc/issue -p wa -k z", TRANSIENT "apply", 1, "/etc/issue" },
		{ NULL, "-e 2", TRANSIENT "-s audit.backlog_limit=7 apply", 0, "in force" },
		{ NULL, "-r 5", "apply", 1, "-r 5" },
		{ "-e 2", NULL, "apply", 5, "the job ended with 'failed'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct result *result;

		begin("");
		model->on_start = rows[i].on_start;
		model->meanwhile = rows[i].meanwhile;
		result = run_words(rows[i].words);
		model->on_start = model->meanwhile = NULL;
		if (result->status != rows[i].status || !(strstr(result->err, rows[i].said) || strstr(result->out, rows[i].said)))
			fail_msg("%s, while %s: exit %d, %s%s", rows[i].words, rows[i].meanwhile ? rows[i].meanwhile : rows[i].on_start,
				 result->status, result->err, result->out);
	}
}

/* What keeps a run from beginning, or from ending well, made with a shell. */
static void obstacles_are_named(void **state)
{
	static const struct {
		const char *before, *shell, *words;
		int status;
		const char *said;
	} rows[] = {
		{ UNLOCKED "apply", "rm node/usr/sbin/auditctl", "remove", 1, "there is no auditctl in /sbin or /usr/sbin" },
		{ "", "rm node/usr/sbin/auditctl", "apply", 1, "auditctl" },
		{ "", "rm node/usr/lib/x86_64-linux-gnu/security/pam_tty_audit.so", MORE "apply", 1, "pam_tty_audit.so" },
		{ "", "rm node/etc/pam.d/sshd", MORE "apply", 1, "/etc/pam.d/sshd" },
		{ "", "mkdir node/etc/systemd/system/cloud-audit-setup.service", "apply", 1, "cloud-audit-setup.service" },
		{ "", "mkdir node/etc/audit/cloud-audit-setup.rules", "apply", 1, "cloud-audit-setup.rules" },
		{ "", "printf 'a\\0b' >node/etc/pam.d/sshd", MORE "apply", 1, "is not a regular text file" },
		{ "", "true", MORE "-s tty.runtime_unit=absent.service apply", 1, "absent.service" },
		{ "", "true", IDENTITY "-s container.runtime_unit=absent.service apply", 3,
		  "absent.service: there is no such unit on this host; name the one" },
		{ "", "true", "-R /nonexistent apply", 1, "/nonexistent cannot be opened" },
		{ "", "true", "-s dbus.address=unix:path=/nonexistent verify", 1, "no D-Bus connection" },
		{ "", "true", "-s audit.lock=perhaps apply", 3, "expected yes or no" },
		{ "", "true", "-s nonsense apply", 2, "expected SECTION.KEY=VALUE" },
		{ "", "true", "-c /nonexistent/c.ini apply", 3, "does not exist" },
	};

	complaints = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct result *result;

		begin(rows[i].before);
		shell(rows[i].shell);
		result = run_words(rows[i].words);
		if (result->status != rows[i].status || !strstr(result->err, rows[i].said))
			complain("%s, %s: exit %d, %s%s", rows[i].words, rows[i].shell, result->status, result->err, result->out);
		shell("rm -rf node/etc/systemd/system/cloud-audit-setup.service node/etc/audit/cloud-audit-setup.rules");
	}
	assert_int_equal(complaints, 0);
}

/* The program and the drop-in of version 0.1 go for those of today. */
static void version_0_1_is_taken_over(void **state)
{
	static const char *const words[] = { MORE, BOTH };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char apply[512], verify[512];

		snprintf(apply, sizeof(apply), "%s apply", words[i]);
		snprintf(verify, sizeof(verify), "%s verify", words[i]);
		begin("");
		shell("d=node/etc/systemd/system/containerd.service.d && mkdir -p $d && echo x >node/opt/cloud-audit-tty && "
		      "printf '[Service]\\nExecStart=\\nExecStart=/bin/sh -c x /opt/cloud-audit-tty /usr/bin/containerd --x\\n' "
		      ">$d/cloud-audit-setup.conf");
		expect(apply, 0);
		shell("! test -e node/opt/cloud-audit-tty && test -x node/opt/cloud-audit-runtime && "
		      "! grep -r cloud-audit-tty node/etc");
		expect(verify, 0);
		expect("remove", 0);
		shell("! ls node/opt | grep . && ! test -e node/etc/systemd/system/containerd.service.d");
	}
}

/* What the host cannot run stands in front of no runtime, not for a moment: neither at first nor when it comes anew. */
static void no_program_comes_unproven(void **state)
{
	static const struct {
		const char *before, *refuse;
		const char *seen;	/* of runc, when the host was to run the program */
	} rows[] = {
		{ "", "--check", "absent" }, { "", "runc", "absent" }, { IDENTITY "apply", "--check", "old\n" },
		{ IDENTITY "apply", "runc", "old\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct result *result;

		begin(rows[i].before);
		if (*rows[i].before)
			shell("for f in '' .d/runc .d/crun; do echo old >node/opt/cloud-audit-runtime$f; done");
		model->refuse = rows[i].refuse;
		result = run_words(IDENTITY "apply");
		model->refuse = NULL;
		assert_int_equal(result->status, 1);
		assert_non_null(strstr(result->err, "the host cannot run /opt/cloud-audit-runtime"));
		assert_string_equal(model->seen, rows[i].seen);
		shell(*rows[i].before ? "for f in '' .d/runc .d/crun; do echo old | cmp - node/opt/cloud-audit-runtime$f || exit 1; done" :
		      "! ls node/opt | grep .");
		expect(IDENTITY "apply", 0);
		expect(IDENTITY "verify", 0);
	}
}

/* Who looks for a runtime by its name finds those that the host has. */
static void what_the_host_lacks_gets_no_wrapper(void **state)
{
	const struct result *result;

	begin("");
	shell("rm node/usr/local/bin/crun");
	expect(IDENTITY "apply", 0);
	shell("test -x node/opt/cloud-audit-runtime.d/runc && ! test -e node/opt/cloud-audit-runtime.d/crun");
	/* What lies in its place, and in the empty one, is unseen only without a login uid. */
	shell("grep 'exe=/opt/cloud-audit-runtime.d/.*execve' node/etc/audit/cloud-audit-setup.rules >starts && "
	      "test \"$(grep -c '^-a never,exit .*-F auid=unset ' starts) $(wc -l <starts)\" = '2 2'");
	expect(IDENTITY "verify", 0);
	shell("mv node/usr/bin/runc node/usr/bin/crun");
	expect(IDENTITY "apply", 0);
	shell("test -x node/opt/cloud-audit-runtime.d/crun && ! test -e node/opt/cloud-audit-runtime.d/runc");
	shell("rm node/usr/bin/crun");
	result = run_words(IDENTITY "plan");
	assert_int_equal(result->status, 3);
	assert_non_null(strstr(result->err, "neither runc nor crun is on the host in its PATH or a usual directory"));
	shell("rm -f node/usr/bin/crun");
}

/* On a fresh node; last: which job of an apply is the restart. */
static void let_a_restart_fail(const char *apply, unsigned last)
{
	const struct result *result;

	begin("");
	model_unit(model, "containerd.service")->active = true;
	model->drop_call = model->fail_call = model->half_job = model->fail_ask = 0;
	model->fail_job = last;
	result = run_failing(apply, 0, false);
	assert_int_equal(result->status, 1);
	assert_non_null(strstr(result->err, "was put back as it was, and containerd.service runs again; all else is as configured; "
			       "that is not tried again in this boot"));
	assert_int_equal(model->jobs, last + 1);
	shell("test -s node/opt/cloud-audit-runtime.d/failed && "
	      "! test -e node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf");
}

/* Neither by the same run nor in plan's words, until a boot, other files, or somebody who says so. */
static void a_failed_restart_is_not_tried_again(void **state)
{
	static const char *const ways[] = {
		"rm node/opt/cloud-audit-runtime.d/failed", "sed -i 's/in boot [^ ]*/in boot 0/' node/opt/cloud-audit-runtime.d/failed",
		"sed -i 's/files: ./files: x/' node/opt/cloud-audit-runtime.d/failed",
	};
	unsigned last;

	begin("");
	model_unit(model, "containerd.service")->active = true;
	expect(RESTART "apply", 0);
	last = model->jobs;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_free_ char *before = NULL, *after = NULL;
		const struct result *result;

		let_a_restart_fail(RESTART "apply", last);
		before = files();
		expect(RESTART "plan", 1);
		result = run_words(RESTART "apply");
		assert_int_equal(result->status, 1);
		assert_non_null(strstr(result->err, "is not restarted again for the same in this boot; all else is as configured; "
				       "journalctl"));
		assert_int_equal(model->jobs, 0);
		after = files();
		assert_string_equal(before, after);
		shell(ways[i]);
		expect(RESTART "apply", 0);
		expect(IDENTITY "verify", 0);
		shell("! test -e node/opt/cloud-audit-runtime.d/failed");
	}
	let_a_restart_fail(RESTART "apply", last);
	expect(IDENTITY "apply", 0);
	expect(IDENTITY "verify", 0);
	let_a_restart_fail(RESTART "apply", last);
	expect("remove", 0);
	shell("! ls node/opt | grep .");
}

/* Rules and lock do not wait for whoever looks after the runtime. */
static void a_failed_restart_leaves_the_rest(void **state)
{
	static const struct {
		const char *words;
		int status;
		const char *rest;	/* what is said of all else */
	} runs[] = {
		{ RESTART "-s filter.exclude_types=CWD apply", 1, "in this boot; all else is as configured; " },
		{ RESTART "-s filter.exclude_types=CWD -s audit.lock=yes apply", 1, "in this boot; all else is as configured; " },
		{ RESTART "-s filter.exclude_types=CWD,PATH -s audit.lock=yes apply", 1, "in this boot; all else is done as far as the lock allows; " },
		{ RESTART "-s filter.exclude_types=CWD,PATH -s audit.lock=yes -s events.mmap=no -s audit.on_locked=fail apply", 5, "in this boot; journalctl" },
	};
	const struct result *result;
	unsigned last;

	begin("");
	model_unit(model, "containerd.service")->active = true;
	expect(RESTART "apply", 0);
	last = model->jobs;
	let_a_restart_fail(RESTART "apply", last);
	expect(RESTART "-s filter.exclude_types=CWD plan", 1);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		result = run_words(runs[i].words);
		assert_int_equal(result->status, runs[i].status);
		assert_non_null(strstr(result->err, "is not restarted again for the same in this boot"));
		if (!strstr(result->err, runs[i].rest))
			fail_msg("%s: no %s: %s", runs[i].words, runs[i].rest, result->err);
		shell("grep -q msgtype=CWD node/etc/audit/cloud-audit-setup.rules && "
		      "test -s node/opt/cloud-audit-runtime.d/failed && "
		      "! test -e node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf");
		assert_int_equal(model->is.status.enabled, i == 0 ? 1 : 2);
	}
	expect("remove", 5);
	shell("! test -e node/opt/cloud-audit-runtime.d");

	/* What somebody has moved away comes back without a drop-in that names it, and is not tried. */
	let_a_restart_fail(RESTART "apply", last);
	shell("rm node/opt/cloud-audit-runtime.d/runc");
	model->refuse = "runc";
	expect(RESTART "-s filter.exclude_types=CWD apply", 1);
	shell("grep -q msgtype=CWD node/etc/audit/cloud-audit-setup.rules && test -s node/opt/cloud-audit-runtime.d/runc");
	model->refuse = NULL;

	/* What was put back is the drop-in of an earlier version: it is let stand. */
	let_a_restart_fail(RESTART "apply", last);
	shell("mkdir -p node/etc/systemd/system/containerd.service.d && "
	      "echo '[Service]' >node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf");
	expect(RESTART "-s filter.exclude_types=CWD apply", 1);
	shell("grep -q msgtype=CWD node/etc/audit/cloud-audit-setup.rules && test -s node/opt/cloud-audit-runtime.d/failed && "
	      "test \"$(cat node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf)\" = '[Service]'");
}

/* What a program reads is one result, with the exit status that it ends with. */
static void a_failed_restart_as_a_result(void **state)
{
	const struct result *result;

	begin("");
	model_unit(model, "containerd.service")->active = true;
	expect(RESTART "apply", 0);
	let_a_restart_fail(RESTART "apply", model->jobs);
	result = run_words(RESTART "-o json plan");
	assert_int_equal(result->status, 1);
	assert_non_null(strstr(result->out, "\"result\":\"failed\",\"status\":1"));
	assert_null(strstr(result->out, "\"matches\""));
	/* apply's own result may have been read before the runtime's restart: the last one counts. */
	result = run_words(RESTART "-o json apply");
	assert_int_equal(result->status, 1);
	assert_non_null(strstr(result->out, "\"result\":\"failed\",\"status\":1"));
	assert_non_null(strstr(result->out, "\"result\":\"unchanged\""));
	assert_true(strstr(result->out, "\"result\":\"failed\"") > strstr(result->out, "\"result\":\"unchanged\""));
}

/* plan foretells what apply says: of a kernel that has been changed, too. */
static void a_kernel_without_a_feature(void **state)
{
	static const char *const commands[] = { "-s filter.exclude_exe=/usr/bin/runc plan", "-s filter.exclude_exe=/usr/bin/runc apply" };
	_cleanup_free_ char *before = NULL, *after = NULL;

	begin("");
	model->is.status.feature_bitmap &= ~(uint32_t)AUDIT_FEATURE_BITMAP_EXECUTABLE_PATH;
	before = files();
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct result *result = run_words(commands[i]);

		assert_int_equal(result->status, 3);
		assert_non_null(strstr(result->err, "does not have the field exe, which Linux has from 4.17 on; nothing was changed: boot "
				       "such a kernel, or leave the rule out"));
		assert_string_equal(result->out, "");
	}
	after = files();
	assert_string_equal(before, after);
	expect("plan", 4);
}

/* Each restart may cost a Pod. */
static void a_runtime_is_restarted_once(void **state)
{
	static const char drop_in[] = "test -e node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf";
	static const char drop_in_gone[] = "! test -e node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf";
	static const char words[] = IDENTITY "-s container.restart=yes apply";
	static const char *const patience[] = { "1s", "5s", "25s", "125s" };
	const struct result *result = NULL;

	model->hang = "containerd.service";
	model->hung = 0;
	/* A machine that is slow does not come to the job within a second. */
	for (size_t i = 0; i < ARRAY_SIZE(patience) && model->hung == 0; i++) {
		char hanging[sizeof(words) + 40];

		begin("");
		model_unit(model, "containerd.service")->active = true;
		snprintf(hanging, sizeof(hanging), "-s unit.start_timeout=%s %s", patience[i], words);
		result = run_words(hanging);
	}
	model->hang = NULL;
	assert_int_equal(result->status, 1);
	assert_non_null(strstr(result->err, "containerd.service is still on its way up after [unit] start_timeout, and is left to it"));
	assert_int_equal(model->hung, 1);
	shell(drop_in);
	/* Nor has it ever run with a drop-in that an earlier run has written, and did not restart it for. */
	begin(IDENTITY "apply");
	model_unit(model, "containerd.service")->active = true;
	model->fail_job = 1;
	model->drop_call = model->fail_call = model->half_job = model->fail_ask = 0;
	result = run_failing(words, 0, false);
	model->fail_job = 0;
	assert_int_equal(result->status, 1);
	assert_non_null(strstr(result->err, "containerd.service.d/cloud-audit-setup.conf was deleted, and containerd.service runs again"));
	assert_int_equal(model->jobs, 2);
	shell(drop_in_gone);
	assert_non_null(strstr(run_words(words)->err, "is not restarted again for the same in this boot"));
	shell(drop_in_gone);
	begin(IDENTITY "apply");
	shell("touch -d '+1 hour' node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf");
	model_unit(model, "containerd.service")->active = true;
	result = run_words(words);
	assert_int_equal(result->status, 0);
	assert_non_null(strstr(result->err, "the clock was set back"));
	assert_int_equal(model->jobs, 0);
}

/* The runtime writes the log of our own container: what comes after its restart may never be read. */
static void the_result_is_told_before_a_restart(void **state)
{
	const struct result *result;

	begin("");
	model_unit(model, "containerd.service")->active = true;
	snprintf(model->out, sizeof(model->out), "%s", test_path("out"));
	result = run_words(IDENTITY "-s container.restart=yes apply");
	assert_int_equal(result->status, 0);
	assert_non_null(strstr(result->out, "rules are in force"));
	assert_int_equal(model->printed, strlen(result->out));
	/* Where all else was done before, too. */
	begin(IDENTITY "apply");
	model_unit(model, "containerd.service")->active = true;
	result = run_words(IDENTITY "-s container.restart=yes apply");
	model->out[0] = '\0';
	assert_int_equal(result->status, 0);
	assert_non_null(strstr(result->out, "nothing to do: "));
	assert_int_equal(model->printed, strlen(result->out));
	assert_non_null(strstr(result->err, "all else is done; systemd restarts containerd.service, as [container] restart = yes"));
}

/* What remove has the host load in the place of ours. */
static void the_host_has_its_own_rules_again(void **state)
{
	static const struct {
		const char *unit;
		bool active, enabled;
		const char *path;	/* of its rule */
		bool masked, shipped;	/* audit-rules.service */
	} rows[] = {
		{ "audit-rules.service", true, false, "/etc/passwd", false, false }, { "audit-rules.service", false, true, "/etc/passwd", false, false },
		{ "auditd.service", false, true, "/etc/group", false, false }, { "auditd.service", true, false, "/etc/group", false, false },
		{ "auditd.service", false, false, NULL, false, false }, { "auditd.service", true, true, NULL, true, true },
		{ "auditd.service", true, true, "/etc/group", true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct model_unit *unit;

		begin(UNLOCKED "apply");
		shell("mkdir node/etc/audit/rules.d");
		model_unit(model, "auditd.service")->active = false;
		unit = model_unit(model, rows[i].unit);
		unit->active = rows[i].active;
		unit->enabled = rows[i].enabled;
		if (rows[i].masked)
			shell("ln -s /dev/null node/etc/systemd/system/audit-rules.service");
		if (rows[i].shipped)
			shell("mkdir -p node/usr/lib/systemd/system && touch node/usr/lib/systemd/system/audit-rules.service");
		expect("remove", 0);
		shell("rm -f node/usr/lib/systemd/system/audit-rules.service");
		assert_int_equal(model->is.n_rules, rows[i].path ? 1 : 0);
		if (rows[i].path)
			assert_non_null(memmem(model->is.rules[0].data, MODEL_RULE_MAX, rows[i].path, strlen(rows[i].path)));
	}
}

/* --- faults --- */

/* What may be said of a node only when it is so. */
static bool claims_as_before(const char *said)
{
	return strstr(said, "nothing is left of this run") || strstr(said, "nothing was changed") ||
		strstr(said, "the node is untouched");
}

/* A fault, by the counter that it is set in. */
struct kind {
	const char *name;
	size_t fault, count;	/* offsets in struct model; 0: memory */
	unsigned every;		/* of these, without FAULTS=all */
	bool for_good;
};

#define COUNTED(fault, count, every) { #fault, offsetof(struct model, fault), offsetof(struct model, count), every, false }

static const struct kind kinds[] = {
	COUNTED(fail_call, calls, 5), COUNTED(drop_call, calls, 17), COUNTED(fail_job, jobs, 2), COUNTED(half_job, jobs, 2),
	COUNTED(fail_ask, asked, 5),
}, memory[] = { { "memory once", 0, 0, 401, false }, { "memory for good", 0, 0, 997, true } };

static unsigned *counter(size_t offset)
{
	return (unsigned *)(void *)((char *)model + offset);
}

static const struct result *run_with(const struct scenario *s, const struct kind *kind, size_t n)
{
	model->fail_call = model->drop_call = model->fail_job = model->half_job = model->fail_ask = 0;
	if (kind->count)
		*counter(kind->fault) = (unsigned)n;
	return run_failing(s->words, kind->count ? 0 : n, kind->for_good);
}

/* A node that a scenario begins with. */
static struct {
	struct model_state is;
	char *files;
} before;

static void begin_scenario(const struct scenario *s)
{
	begin(s->before);
	shell("rm -rf before && cp -a node before && rm -rf before/run");
	free(before.files);
	before.files = files();
	before.is = model->is;
}

/* What a run that failed left: true when the node is as before. */
static bool check_left(const struct scenario *s, const struct kind *kind, size_t n, const struct result *result)
{
	_cleanup_free_ char *now = files();
	bool kernel = same_kernel(&before.is, &model->is), same_files = strcmp(before.files, now) == 0;

	if (!strstr(result->err, "error: ") && !strstr(result->err, "\"severity\":\"ERROR\""))
		complain("%s, %s %zu: exit %d without an error: %s", s->words, kind->name, n, result->status, result->err);
	if (claims_as_before(result->err) && !kernel)
		complain("%s, %s %zu: the kernel is not as before: %s", s->words, kind->name, n, result->err);
	if (claims_as_before(result->err) && !same_files)
		complain("%s, %s %zu: files are not as before: %s", s->words, kind->name, n, result->err);
	return kernel && same_files && memcmp(&before.is, &model->is, sizeof(before.is)) == 0;
}

/* A run with a fault: it ends as it would have without, or as failed, with a reason; what it says of the node is
 * so; and the next run ends as this one would have. */
static void check_fault(const struct scenario *s, const struct kind *kind, size_t n)
{
	const struct result *result = run_with(s, kind, n);

	/* sd_journal_add_match() of libsystemd 252 frees what it has not got; then and there it ends, having only read. */
	if (!kind->count && result->status == 134 && strstr(result->err, "match_free"))
		return;
	/* 5: what is on the host, and whether a boot loads it, cannot be asked. */
	if (result->status != s->status && result->status != 1 && result->status != 3 &&
	    !(result->status == 5 && strstr(result->err, "locked with other rules")))
		complain("%s, %s %zu: exit %d: %s", s->words, kind->name, n, result->status, result->err);
	if (result->status != s->status) {
		if (check_left(s, kind, n, result))
			return;
		result = run_words(s->words);
		if (result->status != s->status && result->status != s->again)
			complain("%s, after %s %zu: exit %d: %s", s->words, kind->name, n, result->status, result->err);
		if (s->verify && run_words(s->verify)->status != 0)
			complain("%s, after %s %zu: verify finds a difference", s->words, kind->name, n);
	}
	if (!strstr(s->words, "apply") && !strstr(s->words, "remove"))
		return;
	shell("rm -rf node/etc node/opt node/sys && cp -a before/. node/");
	model->is = before.is;
}

/* Each fault of a kind in a scenario: as many as there are calls, jobs or allocations. Returns how many. */
static size_t check_faults(const struct scenario *s, const struct kind *kind, size_t *start)
{
	size_t every = getenv("FAULTS") && strcmp(getenv("FAULTS"), "all") == 0 ? 1 : kind->every, total, n = 0;
	const struct result *result;

	begin(s->before);
	result = run_words(s->words);
	total = kind->count ? *counter(kind->count) : result->allocations;
	begin_scenario(s);
	*start = *start % every + 1;
	for (size_t i = *start; i <= total; i += every, n++)
		check_fault(s, kind, i);
	return n;
}

static void check_kinds(const struct kind *of, size_t n)
{
	/* With sanitizers in it all takes three times as long, and runs without, too. */
	bool few = !MEMORY_FAILS;

	complaints = 0;
	for (size_t k = 0; k < n; k++) {
		size_t start = 0, faults = 0;

		for (size_t i = 0; i < ARRAY_SIZE(scenarios); i += few ? 3 : 1)
			faults += check_faults(&scenarios[i], &of[k], &start);
		printf("# %s: %zu faults\n", of[k].name, faults);
		assert_true(faults >= (few ? 4 : 12));
	}
	assert_int_equal(complaints, 0);
}

static void whatever_systemd_or_the_kernel_refuses(void **state)
{
	check_kinds(kinds, ARRAY_SIZE(kinds));
}

static void wherever_memory_ends(void **state)
{
	check_kinds(memory, ARRAY_SIZE(memory));
}

/* Half a result would be taken for one; none, and nothing said, for a run that was killed. */
static void a_result_is_whole_or_none(void **state)
{
	static const char *const words[] = { UNLOCKED "-o json apply", UNLOCKED "apply", UNLOCKED "-o json --short apply" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t total, unsaid = 0;

		begin(UNLOCKED "apply");
		total = run_words(words[i])->allocations;
		for (size_t n = total > 300 ? total - 300 : 1; n <= total; n++) {
			const struct result *result = run_failing(words[i], n, true);
			size_t len = strlen(result->out);

			if (len > 0 && strstr(words[i], "json") && !strstr(result->out + len - 2, "}\n"))
				complain("%s, memory %zu: half a result: %s", words[i], n, result->out);
			if (len == 0 && !strstr(result->err, "out of memory"))
				complain("%s, memory %zu: no result, and nothing is said: %s", words[i], n, result->err);
			unsaid += len == 0;
		}
		assert_true(unsaid > 0);
	}
	assert_int_equal(complaints, 0);
}

/* For ever is long. A block more is found however small it is, and one that grows, too. */
static void no_look_keeps_anything(void **state)
{
	static const struct {
		const char *words;
		int status;
	} rows[] = {
		{ UNLOCKED "verify --every 1s", 0 }, { UNLOCKED "-o json verify --every 1s", 0 },
		{ UNLOCKED "-o json --short verify --every 1s --changes", 0 },
		{ UNLOCKED CHANGED "-o json --short verify --every 1s", 4 }, { UNLOCKED CHANGED "verify --every 1s", 4 },
		{ UNLOCKED "-o prometheus --output-file metrics verify --every 1s", 0 },
		{ UNLOCKED "-s dbus.address=none -o json --short --textfile metrics verify --every 1s", 4 },
		{ BOTH "-o json verify --every 1s", 4 }, { UNLOCKED "-s dbus.address=unix:path=/x -o json verify --every 1s", 1 },
		{ "-s audit.lock=perhaps verify --every 1s", 3 },
	};

	complaints = 0;
	begin(UNLOCKED "apply");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct look *settled = &shared->held[SETTLED], *last = &shared->held[LOOKS - 1];

		expect(rows[i].words, rows[i].status);
		assert_int_equal(shared->looks, LOOKS);
		if (last->blocks != settled->blocks || last->files != settled->files || last->bytes > settled->bytes + 1024)
			complain("%s: of %zu blocks, %zu bytes, %zu files %d looks made %zu, %zu, %zu", rows[i].words, settled->blocks,
				 settled->bytes, settled->files, LOOKS - 1 - SETTLED, last->blocks, last->bytes, last->files);
	}
	assert_int_equal(complaints, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each run ends as it should, and verify agrees", each_scenario_ends_as_it_should),
		TEST("what others do to the kernel meanwhile is noticed and named", others_are_noticed),
		TEST("what keeps a run from doing its work is named", obstacles_are_named),
		TEST("what a changed kernel lacks is said by plan as by apply, before anything is touched", a_kernel_without_a_feature),
		TEST("what version 0.1 left for a runtime is taken over, and removed", version_0_1_is_taken_over),
		TEST("a program for hosts stands in front of a runtime only after the host has run it", no_program_comes_unproven),
		TEST("the program stands in front of the runtimes that the host has, and of no other", what_the_host_lacks_gets_no_wrapper),
		TEST("a runtime is restarted once, however long it takes and whatever the clock says", a_runtime_is_restarted_once),
		TEST("the result of apply is told before the runtime is restarted", the_result_is_told_before_a_restart),
		TEST("a restart that failed is not tried again in that boot with the same files", a_failed_restart_is_not_tried_again),
		TEST("rules and lock are as configured all the same", a_failed_restart_leaves_the_rest),
		TEST("a program reads of it in one result, the last", a_failed_restart_as_a_result),
		TEST("remove has the host load its own rules", the_host_has_its_own_rules_again),
		TEST("whatever systemd or the kernel refuses is said, and what is said of the node is so",
		     whatever_systemd_or_the_kernel_refuses),
		TEST("wherever memory ends, that is said, and what is said of the node is so", wherever_memory_ends),
		TEST("a result is printed whole or not at all, which is said", a_result_is_whole_or_none),
		TEST("verify again and again holds no more memory and no more files than after its first looks", no_look_keeps_anything),
	};

	if (!MEMORY_FAILS)
		puts("# SKIP where memory ends, and what is held: the sanitizers have a heap of their own");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("node", tests, ARRAY_SIZE(tests) - (MEMORY_FAILS ? 0 : 3), set_up, NULL);
}
