/* The steps that lock and that take back, on a made-up root with a systemd and a kernel that fail in every way: a lock that
 * took effect keeps its files, and what is taken back is all of what was there. */
#include "t/unit/test.h"

#include <linux/audit.h>
#include <linux/netlink.h>

#include "setup/host/lookups.h"
#include "setup/node/context.h"
#include "setup/node/wanted_node.h"
#include "setup/steps/files.h"
#include "setup/steps/steps.h"
#include "setup/steps/undo.h"
#include "t/unit/peer.h"
#include "units/audit_units.h"

#define SOCKET "root/run/systemd/private"
#define ONE_REST " always,exit -F arch=x86_64 -F auid=0 -S mount -F key=one"
#define ONE "-a" ONE_REST
#define TWO "-a never,exclude -F msgtype=CWD"
#define THREE "-a always,exit -S all -F auid=0"
#define CALLS "-S 5,6 -a always,user -F uid=0"

static struct context c;

/* --- a kernel --- */

struct fake {
	struct audit_status status;
	struct rule_set rules;		/* what it lists */
	bool mute;
	struct nlmsghdr request;
	bool asked;
};

static ssize_t fake_send(void *context, const void *message, size_t size)
{
	struct fake *f = context;

	memcpy(&f->request, message, sizeof(f->request));
	f->asked = true;
	return f->mute ? -EPERM : (ssize_t)size;
}

static void put(const struct fake *f, struct text *out, uint16_t type, const void *payload, size_t size)
{
	struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size), .nlmsg_type = type, .nlmsg_seq = f->request.nlmsg_seq,
	};

	text_add_bytes(out, &header, sizeof(header));
	text_add_bytes(out, payload, size);
	while (out->len % NLMSG_ALIGNTO)
		text_add_bytes(out, "", 1);
}

static ssize_t fake_receive(void *context, void *buffer, size_t size, uint32_t *ret_sender, int timeout)
{
	const struct nlmsgerr ack = { .error = 0 };
	const struct audit_features features = { .features = 0 };
	struct fake *f = context;
	_cleanup_text_ struct text out = {0};

	if (!f->asked)
		return -ETIMEDOUT;
	f->asked = false;
	*ret_sender = 0;
	put(f, &out, NLMSG_ERROR, &ack, sizeof(ack));
	if (f->request.nlmsg_type == AUDIT_GET)
		put(f, &out, AUDIT_GET, &f->status, sizeof(f->status));
	if (f->request.nlmsg_type == AUDIT_GET_FEATURE)
		put(f, &out, AUDIT_GET_FEATURE, &features, sizeof(features));
	if (f->request.nlmsg_type == AUDIT_LIST_RULES) {
		for (size_t i = 0; i < f->rules.n_rules; i++)
			put(f, &out, AUDIT_LIST_RULES, f->rules.rules[i].data, f->rules.rules[i].size);
		put(f, &out, NLMSG_DONE, "", 0);
	}
	assert_true(out.len <= size);
	memcpy(buffer, out.s, out.len);
	return (ssize_t)out.len;
}

static void fake_close(void *context)
{
}

static void read_rules(struct rule_set *set, const char *const *lines)
{
	FILE *nowhere = fopen("/dev/null", "we");
	struct log *quiet = log_new(nowhere);
	_cleanup_(lookups_done) struct lookups lookups = { .n = 0 };
	struct rules_host ask = lookups_for(&lookups, &c.host);
	struct rules_env env = { .log = quiet, .machine = "x86_64", .host = &ask };

	rule_set_done(set);
	*set = (struct rule_set){ .n_rules = 0 };
	for (; *lines; lines++)
		assert_int_equal(rules_read_line(set, &env, "f", 1, *lines), 0);
	log_free(quiet);
	fclose(nowhere);
}

static void fake_list(struct fake *f, const char *const *lines)
{
	read_rules(&f->rules, lines);
}

/* --- a systemd --- */

enum end { DONE, FAILED, NEVER, CLOSED, GONE };

/* What becomes of a job, and of the kernel meanwhile. */
struct plan {
	const char *title;
	bool transient;
	enum end end;
	bool locks, others, mute;	/* the kernel: is locked, has other rules, says nothing */
	int result;
	const char *said;
};

static struct fake fake;
static const struct plan *plan;
static const char *const *restored;	/* what the kernel has after a helper, NULL: as before */
static bool file_seen;

static void act(void)
{
	static const char *const others[] = { TWO, NULL };

	if (plan->locks)
		fake.status.enabled = 2;
	if (plan->others)
		fake_list(&fake, others);
	if (restored)
		fake_list(&fake, restored);
	fake.mute = plan->mute;
}

static bool answer(struct peer *peer, const struct peer_call *call)
{
	static const char *const words[] = { [DONE] = "done", [FAILED] = "failed" };

	if (strcmp(call->name, "ActiveState") == 0 && plan->end == FAILED)
		return peer_reply_variant(peer, call, "s", "failed", 0);
	if (strcmp(call->name, "RestartUnit") != 0 && strcmp(call->name, "StartTransientUnit") != 0)
		return peer_answer_well(peer, call);
	file_seen = access(test_path("root/etc/audit/cloud-audit-setup.rules"), F_OK) == 0;
	act();
	if (plan->end == GONE)
		unlink(test_path(SOCKET));
	if (!peer_reply_path(peer, call, PEER_JOB) || plan->end == CLOSED || plan->end == GONE)
		return false;
	return plan->end == NEVER || peer_job_removed(peer, PEER_JOB, words[plan->end]);
}

/* --- a node --- */

static struct peer peer;
static struct capture said;
static const struct options options = { .command = COMMAND_APPLY };

/* ONE, and files whose content nobody reads here. */
static void want(bool transient)
{
	static const size_t files[] = { FILE_RULES, FILE_SETUP_UNIT, FILE_LOCK_UNIT };
	static const char *const rules[] = { ONE, NULL };

	c.wanted.auditctl = "/sbin/auditctl";
	assert_int_equal(settings_init(&c.wanted.settings, &c.config, NULL), 0);
	read_rules(&c.wanted.rules, rules);
	if (transient)
		text_add(&c.wanted.transient, ONE "\n");
	for (size_t i = 0; !transient && i < ARRAY_SIZE(files); i++)
		text_add(&c.wanted.files[files[i]], "# of this run\n");
}

static void begin(const struct plan *how)
{
	static const char *const rules[] = { ONE, NULL };
	static const char *const directories[] = {
		"root", "root/run", "root/run/systemd", "root/run/dbus", "root/usr", "root/usr/sbin", "root/etc", "root/etc/audit",
		"root/etc/systemd", "root/etc/systemd/system",
	};
	struct kernel_io io = { fake_send, fake_receive, fake_close, &fake };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		mkdir(test_path(directories[i]), 0755);
	test_file("root/usr/sbin/auditctl", "");
	plan = how;
	peer = (struct peer){ .answer = answer, .job = how->end == NEVER ? 7 : 0 };
	peer_start(&peer, test_path(SOCKET));
	capture_begin(&said);
	c = (struct context){ .options = &options, .log = said.log, .lock = -1 };
	assert_int_equal(config_init(&c.config), 0);
	assert_int_equal(config_override(&c.config, how->end == DONE ? "unit.start_timeout=50s" : "unit.start_timeout=1s", said.log), 0);
	assert_int_equal(host_open_root(&c.host, test_path("root")), 0);
	want(how->transient);
	fake = (struct fake){ .status = { .enabled = 1, .failure = 1, .backlog_limit = 8192, .backlog_wait_time = 15000 } };
	fake_list(&fake, rules);
	assert_int_equal(kernel_open_io(&c.kernel, &io), 0);
	assert_int_equal(bus_open(&c.bus, &c.host, "auto", (uint64_t)c.config.start_timeout, said.log), 0);
	assert_int_equal(node_read_kernel(&c.node, c.kernel, &c.host, said.log), 0);
	assert_int_equal(node_read_units(&c.node, &c.wanted, &c.host, c.bus, c.log), 0);
	restored = NULL;
	alarm(60);
}

static void end(void)
{
	alarm(0);
	context_done(&c);
	rule_set_done(&fake.rules);
	fake.rules = (struct rule_set){ .n_rules = 0 };
	capture_end(&said);
	peer_stop(&peer);
}

#define LOCKED_ALL_THE_SAME "warning: the kernel is locked all the same"

static void locks(void **state)
{
	static const struct plan plans[] = {
		{ "done", false, DONE, true, .result = 0, .said = NULL },
		{ "failed after it", false, FAILED, true, .result = 0, .said = LOCKED_ALL_THE_SAME },
		{ "failed after it, over D-Bus alone", true, FAILED, true, .result = 0, .said = LOCKED_ALL_THE_SAME },
		{ "no end", false, NEVER, true, .result = 0, .said = LOCKED_ALL_THE_SAME },
		{ "no end, over D-Bus alone", true, NEVER, true, .result = 0, .said = LOCKED_ALL_THE_SAME },
		{ "the connection ends", false, CLOSED, true, .result = 0, .said = NULL },
		{ "the connection ends, over D-Bus alone", true, CLOSED, true, .result = 0, .said = NULL },
		{ "systemd is out of reach", false, GONE, true, .result = 0, .said = LOCKED_ALL_THE_SAME },
		{ "and no lock came", false, GONE, false, .result = -EINPROGRESS, .said = "nothing of this run is taken back" },
		{ "failed before it", false, FAILED, false, .result = -EIO, .said = "the job ended with 'failed'" },
		{ "no end, no lock", false, NEVER, false, .result = -ETIMEDOUT, .said = "no result within 1 s" },
		{ "other rules", false, DONE, true, .others = true, .result = -EKEYREJECTED, .said = "somebody changed the rules" },
		{ "other rules, failed", false, FAILED, true, .others = true, .result = -EKEYREJECTED,
		  .said = "somebody changed the rules" },
		{ "other rules, out of reach", false, GONE, true, .others = true, .result = -EKEYREJECTED,
		  .said = "somebody changed the rules" },
		{ "done, and not", false, DONE, false, .result = -EBADE, .said = "not locked" },
		{ "a kernel that says nothing", false, DONE, true, .mute = true, .result = -EINPROGRESS,
		  .said = "nothing of this run is taken back" },
		{ "failed, and nothing", false, FAILED, true, .mute = true, .result = -EINPROGRESS,
		  .said = "nothing of this run is taken back" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		const struct plan *p = &plans[i];
		int r;

		begin(p);
		r = step_lock(&c);
		print_message("# %s: %d\n", p->title, r);
		if (r != p->result || (p->said ? !strstr(capture_text(&said), p->said) : *capture_text(&said)))
			fail_msg("%s: %s, not %s: %s", p->title, strerror(-r), strerror(-p->result), capture_text(&said));
		end();
	}
}

/* --- taking back --- */

/* A run that has written and loaded on a node that had nothing, or these rules. */
static void run_so_far(struct node *before, const char *const *had)
{
	static const char *const rules[] = { ONE, NULL };

	fake_list(&fake, had);
	assert_int_equal(node_read_kernel(&c.node, c.kernel, &c.host, said.log), 0);
	assert_int_equal(wanted_complete(&c.wanted, &c.config, &c.host, &c.node, said.log), 0);
	assert_int_equal(node_read_files(&c.node, &c.wanted, &c.host, said.log), 0);
	assert_int_equal(node_copy(before, &c.node), 0);
	for (size_t i = 0; i < N_FILES; i++)
		if (c.wanted.files[i].s)
			assert_int_equal(file_write(&c.host, &c.wanted, i, &c.wanted.files[i], &c.node.files[i]), 0);
	fake_list(&fake, rules);
}

static bool is_there(void)
{
	return access(test_path("root/etc/audit/cloud-audit-setup.rules"), F_OK) == 0 &&
		access(test_path("root/etc/systemd/system/" SETUP_UNIT), F_OK) == 0;
}

/* The text that a helper was given. */
static bool loaded(const char *text)
{
	return peer.heard.s && memmem(peer.heard.s, peer.heard.len, text, strlen(text));
}

#define SETTINGS "-b 8192\n-f 1\n-r 0\n--backlog_wait_time 15000\n-e 1\n"

static void takes_back(void **state)
{
	static const char *const had[] = { CALLS, TWO, NULL };
	const struct plan works = { .title = "works", .end = DONE };
	_cleanup_(node_done) struct node before = {0};

	begin(&works);
	run_so_far(&before, had);
	restored = had;
	assert_int_equal(undo(&c, &before, true), 0);
	if (!strstr(capture_text(&said), "nothing is left of this run"))
		fail_msg("%s", capture_text(&said));
	assert_true(file_seen);
	assert_false(is_there());
	if (!loaded("-c\n-D\n" CALLS "\n" TWO "\n" SETTINGS))
		fail_msg("%s", (const char *)memmem(peer.heard.s, peer.heard.len, "-D", 2));
	end();
}

/* The same rule twice, which only -A does: from the last on, in front of what is there once. */
static void takes_back_twice(void **state)
{
	static const char *const had[] = { CALLS, ONE, THREE, ONE, TWO, NULL };
	const struct plan works = { .title = "works", .end = DONE };
	_cleanup_(node_done) struct node before = {0};

	begin(&works);
	run_so_far(&before, had);
	restored = had;
	assert_int_equal(undo(&c, &before, true), 0);
	if (!loaded("-c\n-D\n" TWO "\n" "-A" ONE_REST "\n-A always,exit -F auid=0\n-A" ONE_REST "\n" "-S 5,6 -A always,user -F uid=0\n" SETTINGS))
		fail_msg("%s", (const char *)memmem(peer.heard.s, peer.heard.len, "-D", 2));
	end();
}

/* A rule that the kernel takes no more is named; the rest is as before. */
static void names_what_is_lost(void **state)
{
	static const char *const had[] = { CALLS, TWO, NULL }, *const rest[] = { CALLS, NULL };
	const struct plan fails = { .title = "auditctl says that a line was refused", .end = FAILED };
	_cleanup_(node_done) struct node before = {0};

	begin(&fails);
	run_so_far(&before, had);
	restored = rest;
	assert_int_equal(undo(&c, &before, true), 0);
	if (!strstr(capture_text(&said), "this rule of the kernel's could not be brought back: " TWO "\n") ||
	    !strstr(capture_text(&said), "the files are as before") || strstr(capture_text(&said), "brought back: " CALLS))
		fail_msg("%s", capture_text(&said));
	assert_false(is_there());
	end();
}

/* Locked before it begins, or while rules are taken back: files and kernel stay together. */
static void locked_meanwhile(void **state)
{
	static const char *const had[] = { TWO, NULL };

	for (int late = 0; late < 2; late++) {
		const struct plan locks = { .title = "somebody locks", .end = late ? DONE : FAILED, .locks = late };
		_cleanup_(node_done) struct node before = {0};

		begin(&locks);
		run_so_far(&before, had);
		if (!late)
			fake.status.enabled = 2;
		assert_int_equal(undo(&c, &before, true), -EKEYREJECTED);
		assert_true(is_there());
		end();
		unlink(test_path("root/etc/audit/cloud-audit-setup.rules"));
	}
}

/* --- what an earlier run wrote --- */

static void reads_earlier(void **state)
{
	static const char *const lines[] = {
		ONE, TWO, CALLS, "-S 1 -A never,filesystem -F fstype=0x74726163", "-A always,exit -S all -F auid=0",
		"-w /srv/odd!=name -p wa -k odd", NULL,
	};
	const struct plan works = { .title = "works", .end = DONE };
	_cleanup_(rule_set_done) struct rule_set set = {0};
	_cleanup_text_ struct text content = {0};
	bool replaced;

	begin(&works);
	fake_list(&fake, lines);
	text_add(&content, "# a comment\n-c\n-D\n-b 64\n");
	for (size_t i = 0; i < fake.rules.n_rules; i++) {
		assert_true(rule_print(&content, fake.rules.rules[i].data, fake.rules.rules[i].size));
		text_add(&content, "\n");
	}
	text_add(&content, "-e 1\n");
	assert_int_equal(wanted_earlier_rules(&c.host, content.s, &set, &replaced), 0);
	assert_true(replaced);
	if (set.n_rules != fake.rules.n_rules)
		fail_msg("%zu of %zu: %s", set.n_rules, fake.rules.n_rules, content.s);
	for (size_t i = 0; i < set.n_rules; i++) {
		assert_int_equal(set.rules[i].size, fake.rules.rules[i].size);
		assert_memory_equal(set.rules[i].data, fake.rules.rules[i].data, set.rules[i].size);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("however the job that locks ends, the kernel decides, and a lock is never taken for none", locks),
		TEST("the kernel's rules and settings are taken back before any file is", takes_back),
		TEST("a rule that was there twice is so again, in its place", takes_back_twice),
		TEST("a rule that cannot be brought back is named, and the rest is as before", names_what_is_lost),
		TEST("where somebody locks what was loaded its files stay", locked_meanwhile),
		TEST("every form in which a rule is written is read again", reads_earlier),
	};

	return RUN(tests);
}
