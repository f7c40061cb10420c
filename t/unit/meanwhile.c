/* What others do to the host while the program is at work, and what a run leaves that came to no end. */
#include "t/unit/program.h"

#include <sys/file.h>

/* What somebody does below the root just before the host's lock is ours. */
static const char *before_lock;

int flock(int fd, int operation)
{
	char command[1024];

	if (!before_lock)
		return 0;
	snprintf(command, sizeof(command), "cd '%s' && %s", root, before_lock);
	return system(command) == 0 ? 0 : -1;
}

#define PAM "etc/pam.d/sshd"
#define SSHD UNLOCKED "-s events.tty=yes -s tty.sshd=yes "

/* Whether it was to be changed, or not. */
static void who_edits_pam_loses_nothing(void **state)
{
	static const struct {
		const char *before, *words, *act;
		unsigned job, fail;
		int again;
	} rows[] = {
		/* Not ours to change: the run fails for another reason. */
		{ "", UNLOCKED "apply", "echo theirs >>" PAM, 1, 1, 0 },
		{ "", UNLOCKED "apply", "echo theirs >>" PAM " && mv " PAM " real && ln -s /real " PAM, 1, 1, 0 },
		/* Ours goes: between its being read and written. */
		{ SSHD "apply", "remove", "echo theirs >>" PAM, 1, 0, 0 },
		{ SSHD "apply", "remove", "echo theirs >>" PAM " && mv " PAM " real && ln -s /real " PAM, 1, 0, 0 },
		/* Ours was written. */
		{ "", SSHD "apply", "echo theirs >>" PAM, 1, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct result *result;
		bool link = strstr(rows[i].act, "ln -s");

		begin(rows[i].before);
		model->drop_call = model->fail_call = model->half_job = model->fail_ask = 0;
		model->act = rows[i].act;
		model->act_job = rows[i].job;
		model->fail_job = rows[i].fail;
		result = run_failing(rows[i].words, 0, false);
		model->act = NULL;
		model->fail_job = 0;
		if (result->status != 1)
			fail_msg("row %zu: exit %d: %s", i, result->status, result->err);
		if (*rows[i].before && !strstr(result->err, "somebody else has changed it meanwhile"))
			fail_msg("row %zu: %s", i, result->err);
		shell(link ? "grep -q theirs node/real && test -L node/" PAM : "grep -q theirs node/" PAM);
		if (!*rows[i].before)
			expect(UNLOCKED "apply", 0);
		expect(rows[i].words, rows[i].again);
		if (!link)
			shell("grep -q theirs node/" PAM);
		shell("rm -f node/real");
	}
}

/* A rule is for what there is when nobody else may change it any more. */
static void rules_are_read_under_the_lock(void **state)
{
	begin(UNLOCKED "apply");
	shell("mkdir -p node/etc/watched && echo '-w /etc/watched -p wa -k w' >rules.d/b.rules");
	before_lock = "rm -rf etc/watched";
	expect(UNLOCKED "apply", 0);
	before_lock = NULL;
	expect(UNLOCKED "verify", 0);
	shell("rm rules.d/b.rules");
}

static void a_directory_of_the_host_stays(void **state)
{
	static const char *const words[] = { "remove", UNLOCKED "apply" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		begin("");
		shell("mkdir node/etc/audit/rules.d");
		expect(UNLOCKED "-s rules.scanner_copy=yes apply", 0);
		expect(words[i], 0);
		shell("test -d node/etc/audit/rules.d && ! ls node/etc/audit/rules.d | grep .");
	}
}

/* The socket that it was given goes with the end of the remove, however many runs that takes. */
static void journald_is_as_before_after_half_a_remove(void **state)
{
	static const char words[] = UNLOCKED "-s journal.reader=enable apply";
	static const struct {
		size_t fault, count;
	} kinds[] = {
		{ offsetof(struct model, fail_call), offsetof(struct model, calls) },
		{ offsetof(struct model, drop_call), offsetof(struct model, calls) },
		{ offsetof(struct model, fail_job), offsetof(struct model, jobs) },
	};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned total;

		begin(words);
		assert_true(model_unit(model, JOURNALD_SOCKET)->active);
		expect("remove", 0);
		assert_false(model_unit(model, JOURNALD_SOCKET)->active);
		total = *(unsigned *)(void *)((char *)model + kinds[k].count);
		for (unsigned n = 1; n <= total; n++) {
			begin(words);
			model->switches_off = true;
			model->fail_call = model->drop_call = model->fail_job = model->half_job = model->fail_ask = 0;
			*(unsigned *)(void *)((char *)model + kinds[k].fault) = n;
			run_failing("remove", 0, false);
			expect("remove", 0);
			if (model_unit(model, JOURNALD_SOCKET)->active || model->is.status.enabled != 1)
				fail_msg("fault %zu, %u: the socket stays on, or auditing off", k, n);
			model->switches_off = false;
			shell("! ls node/etc/systemd/system | grep journald");
		}
	}
}

#define RUNTIME_DROP_IN "node/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf"

/* Of one whose end is not known, or that was refused, nothing is taken back; and no run that ends well has left it out. */
static void a_restart_that_did_not_fail_is_not_taken_back(void **state)
{
	static const char words[] = IDENTITY "-s container.restart=yes apply";
	unsigned calls, jobs, unknown = 0;

	begin("");
	model_unit(model, "containerd.service")->active = true;
	expect(words, 0);
	calls = model->calls;
	jobs = model->jobs;
	for (unsigned n = 1; n <= 2 * calls; n++) {
		const struct result *result;

		begin("");
		model_unit(model, "containerd.service")->active = true;
		model->fail_job = model->half_job = model->fail_ask = 0;
		model->fail_call = n <= calls ? n : 0;
		model->drop_call = n <= calls ? 0 : n - calls;
		result = run_failing(words, 0, false);
		if (result->status == 0 && model->jobs < jobs)
			fail_msg("call %u: %u of %u jobs, and exit status 0: %s", n, model->jobs, jobs, result->err);
		if (!strstr(result->err, "systemd restarts containerd.service") || result->status == 0)
			continue;
		unknown++;
		if (!strstr(result->err, "whether containerd.service was restarted is not known"))
			fail_msg("call %u: %s", n, result->err);
		shell("test -s " RUNTIME_DROP_IN " && ! test -e node/opt/cloud-audit-runtime.d/failed");
		expect(words, 0);
		shell("test -s " RUNTIME_DROP_IN);
	}
	printf("# %u restarts of which the end is not known\n", unknown);
	assert_true(unknown > 0);
}

/* Half of it would be a node without rules, or without a lock. */
static void a_signal_waits_for_the_end(void **state)
{
	static const char *const signals[] = { "INT", "TERM", "HUP" };
	char act[400];

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		for (int remove = 0; remove < 2; remove++) {
			const struct result *result;

			begin(remove ? UNLOCKED "apply" : "");
			snprintf(act, sizeof(act), "kill -%s $(cat '%s')", signals[i], test_path("pid"));
			model->act = act;
			model->act_job = 1;
			result = run_words(remove ? "remove" : UNLOCKED "apply");
			model->act = NULL;
			assert_int_equal(result->status, 0);
			assert_non_null(strstr(result->err, "what it had begun was brought to its end"));
			assert_non_null(strstr(result->err, signals[i]));
			if (!remove)
				expect(UNLOCKED "verify", 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("who edits PAM's file meanwhile loses nothing", who_edits_pam_loses_nothing),
		TEST("rules are for what there is once the host's lock is held", rules_are_read_under_the_lock),
		TEST("a directory that the host had stays, when what was in it goes", a_directory_of_the_host_stays),
		TEST("after half a remove and a whole one journald has no socket of ours", journald_is_as_before_after_half_a_remove),
		TEST("only a restart of the runtime that failed is taken back", a_restart_that_did_not_fail_is_not_taken_back),
		TEST("a signal does not end a run that changes the node, and is told of", a_signal_waits_for_the_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("meanwhile", tests, ARRAY_SIZE(tests), set_up, NULL);
}
