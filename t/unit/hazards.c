/* setup/checks/hazards.c: what bites on a node although nothing differs. The kernel command line is this machine's, which
 * was not booted with audit=1, or was: what follows from it is expected by it. */
#include "t/unit/test.h"

#include "setup/base/cmdline.h"
#include "setup/checks/hazards.h"

static struct config config;
static struct node node;
static struct capture said;

static int begin(void **state)
{
	node = (struct node){ .status = { .pid = 12, .backlog_wait_time = 15000, .hz = 250 } };
	strcpy(node.reader.name, "auditd");
	capture_begin(&said);
	return config_init(&config);
}

static int end(void **state)
{
	text_done(&node.auditd_conf);
	config_done(&config);
	capture_end(&said);
	return 0;
}

static void set(const char *setting)
{
	assert_int_equal(config_override(&config, setting, said.log), 0);
}

/* Warns exactly so, and the notices say the same. */
static void check_says(const char *expected)
{
	assert_int_equal(hazards_warn(&config, &node, said.log), 0);
	assert_string_equal(capture_text(&said) ? capture_text(&said) : "", expected);
}

#define WARNING "cloud-audit-setup: warning: at risk: "
#define STALL WARNING "the lock makes no long waits permanent: the lock makes backlog_wait_time = "
#define SLOW " permanent: so long may every program that causes a record have to wait while auditd (PID 12) is slow; for "

static void stall_default(void **state)
{
	check_says(STALL "15000 jiffies (60 s)" SLOW "a second: [audit] backlog_wait_time = 250\n");
}

static void stall_other(void **state)
{
	/* As Debian's audit.rules has it. */
	node.status.backlog_wait_time = 60000;
	check_says(STALL "60000 jiffies (240 s)" SLOW "a second: [audit] backlog_wait_time = 250\n");
}

static void no_stall(void **state)
{
	/* Set by the user; locked already; nobody to wait for; no wait; no lock. */
	set("audit.backlog_wait_time=15000");
	check_says("");
	set("audit.backlog_wait_time=keep");
	node.status.enabled = 2;
	check_says("");
	node.status.enabled = 1;
	node.status.pid = 0;
	check_says("");
	node.status.pid = 12;
	node.status.backlog_wait_time = 0;
	check_says("");
	node.status.backlog_wait_time = 15000;
	set("audit.lock=no");
	check_says("");
}

static void lowered(void **state)
{
	set("audit.lock=no");
	node.status.backlog_limit = 65536;
	node.status.failure = 2;
	check_says("");
	set("audit.backlog_limit=64");
	set("audit.failure=printk");
	check_says(WARNING "no setting takes from what the kernel has: --set audit.backlog_limit=64: backlog_limit = 64 is less than "
		   "the kernel's 65536; --set audit.failure=printk: failure = printk, and the kernel has 2 (auditctl -f)\n");
}

#define UNLIMITED WARNING "records that wait cannot fill the kernel's memory: --set audit.backlog_limit=0: [audit] backlog_limit = 0: " \
	"there is no limit, and while nobody takes the records, or too slowly, they fill the kernel's memory, about 1 kB each, " \
	"until the node runs out of it; a number, such as 8192, bounds that\n"
#define MAY_PANIC WARNING "a lost record does not stop the node: --set audit.failure=panic: [audit] failure = panic: a record that the " \
	"kernel cannot keep, as in a burst that fills the backlog, stops the node at once, with all that runs on it; failure = " \
	"printk says so in the kernel log and goes on\n"

static void nothing_lowered(void **state)
{
	set("audit.lock=no");
	node.status.backlog_limit = 64;
	set("audit.backlog_limit=64");
	check_says("");
	/* What is locked is not lowered. */
	set("audit.backlog_limit=1");
	node.status.enabled = 2;
	check_says("");
}

/* No limit is more than any, which is told for what it is. */
static void unlimited(void **state)
{
	set("audit.lock=no");
	node.status.backlog_limit = 64;
	set("audit.backlog_limit=0");
	check_says(UNLIMITED);
}

static void agents(void **state)
{
	set("audit.lock=no");
	node.neighbours[NEIGHBOUR_AUDITD] = node.neighbours[NEIGHBOUR_WAZUH] = true;
	check_says(WARNING "no other agent manages audit rules: wazuh-agent.service runs, which has audit rules of its own: it "
		   "loads them again beside ours, or in their place; use no whodata=\"yes\" in its syscheck\n");
}

static void agents_locked(void **state)
{
	set("audit.backlog_wait_time=0");
	node.neighbours[NEIGHBOUR_OSQUERY] = node.neighbours[NEIGHBOUR_MDATP] = true;
	check_says(WARNING "no other agent manages audit rules: osqueryd.service runs, which has audit rules of its own: the lock "
		   "refuses them, and it may fail; start it with --audit_allow_config=false; mdatp.service runs, which has audit "
		   "rules of its own: the lock refuses them, and it may fail; have it use eBPF (mdatp config "
		   "ebpf-supplementary-event-provider)\n");
}

static void silenced(void **state)
{
	struct own_line lines[] = { { (char[]){"/etc/audit/rules.d/a.rules"}, 3 }, { (char[]){"/etc/audit/audit.rules"}, 1 } };

	set("audit.lock=no");
	node.silences = (struct own_lines){ lines, 2 };
	check_says(WARNING "no rule of the host's own hides programs from a boot on: /etc/audit/rules.d/a.rules:3, "
		   "/etc/audit/audit.rules:1: -a never,task is in force at each boot until ours are loaded: what is started before "
		   "that stays unseen by every rule until it is started again; take it out\n");
}

static void disk(void **state)
{
	set("audit.lock=no");
	text_add(&node.auditd_conf, "#disk_full_action = halt\nlog_file = /var/log/audit/audit.log\n"
		 "max_log_file_action = ROTATE\nspace_left_action = SYSLOG\n  Disk_Full_Action=halt\n"
		 "admin_space_left_action =suspend\nmax_log_file_action = keep_logs");
	/* It does not run: its configuration does nothing. */
	check_says("");
	node.neighbours[NEIGHBOUR_AUDITD] = true;
	check_says(WARNING "auditd's disk ends neither the node nor the trail: /etc/audit/auditd.conf:5: disk_full_action = halt: "
		   "the node shuts down; /etc/audit/auditd.conf:6: admin_space_left_action = suspend: auditd stops writing; "
		   "/etc/audit/auditd.conf:7: max_log_file_action = keep_logs: its files fill the disk; where the journal is "
		   "what is shipped, write_logs = no, else rotate, and suspend or halt nothing\n");
}

#define HOUR (3600ull * 1000000)

static void auditd_files(void **state)
{
	set("audit.lock=no");
	node.trail.auditd = (struct auditd_files){ .seen = true, .per_day = 120000000, .holds = 25 * HOUR, .n = 4, .room = 41943040,
		.groups = { { "exec", 90000000 }, { "", 20000000 }, { "network", 999999 }, { "tty", 1 } } };
	check_says("");
	node.trail.auditd.holds = 8 * HOUR;
	check_says(WARNING "auditd's files hold the records of a day: they hold 8 hours at the present 120 MB a day (exec 90 MB, "
		   "without a key 20 MB, network 999 kB); max_log_file times num_logs in /etc/audit/auditd.conf is 41 MB: raise it, or "
		   "record less; where the journal is what is shipped, write_logs = no\n");
	/* No limit, no end. */
	node.trail.auditd.room = 0;
}

static void journal_span(void **state)
{
	set("audit.lock=no");
	node.trail.journal = (struct journal_span){ .oldest = 1, .newest = 2, .begins = 1, .recent = 1000, .window = HOUR / 6, .holds = 24 * HOUR };
	check_says("");
	node.trail.journal.holds = HOUR;
	check_says(WARNING "the journal holds the records of a day: it holds 60 minutes at the present 100 audit records a minute: a "
		   "shipper that is down for longer misses some; raise SystemMaxUse= in journald.conf, or record less\n");
}

static void shippers(void **state)
{
	set("audit.lock=no");
	node.trail.journal = (struct journal_span){ .oldest = 1, .newest = 2, .begins = 1700000000123456 };
	node.trail.shippers[0] = 1700000000123456;
	check_says("");
	node.trail.shippers[1] = 1699999999000000;
	check_says(WARNING "the journal has all that a shipper has not read: fluent-bit (/var/lib/cloud-audit-logging/fluent-bit/cursor.db) "
		   "has read up to 2023-11-14T22:13:19.000000Z, and the journal begins at 2023-11-14T22:13:20.123456Z: audit "
		   "records that came between may be lost to it; look at its log and metrics; where none runs any more, delete the file\n");
	/* Where the journal could not be read. */
	node.trail.journal = (struct journal_span){ .oldest = 0 };
}

static void panic(void **state)
{
	bool kept = cmdline_has("audit=1") || cmdline_has("audit=on");

	set("audit.failure=panic");
	set("audit.lock=no");
	check_says(MAY_PANIC);
	node.status.pid = 0;
	assert_int_equal(hazards_warn(&config, &node, said.log), 0);
	assert_int_equal(strstr(capture_text(&said), "do not panic the kernel") != NULL, kept);
	set("audit.lock=yes");
	assert_int_equal(hazards_warn(&config, &node, said.log), kept ? -EINVAL : 0);
}

static void lost(void **state)
{
	_cleanup_text_ struct text out = {0};

	hazards_explain_lost(&out, &node);
	assert_string_equal(out.s, "a larger [audit] backlog_limit, or fewer events, keep it from losing more");
}

static void restart(void **state)
{
	const char *const sentence = "a restart of journald leaves auditing on: ";

	set("audit.lock=no");
	node.systemd.major = 252;
	node.trail.journald.audit = JOURNALD_OFF;
	/* It has no audit socket to open. */
	check_says("");
	node.reader.socket = true;
	set("audit.lock=yes");
	set("audit.backlog_wait_time=0");
	check_says("");
	set("audit.lock=no");
	node.trail.journald.audit = JOURNALD_ON;
	check_says("");
	node.trail.journald.audit = JOURNALD_OFF;
	assert_int_equal(hazards_warn(&config, &node, said.log), 0);
	assert_non_null(strstr(capture_text(&said), sentence));
	assert_non_null(strstr(capture_text(&said), "Audit= is not set in journald.conf, and its default is no, as Debian's before systemd "
			       "254 (here it is 252): it ends with any restart of journald, until apply runs again; set Audit= (to "
			       "nothing) in /etc/systemd/journald.conf, or [audit] lock = yes\n"));
	strcpy(node.trail.journald.file, "/etc/systemd/journald.conf.d/x.conf");
	node.systemd.major = 262;
	assert_int_equal(hazards_warn(&config, &node, said.log), 0);
	assert_non_null(strstr(capture_text(&said), "/etc/systemd/journald.conf.d/x.conf has Audit=no: it ends with any restart of "
			       "journald, until apply runs again; set Audit=keep in"));
	node.systemd.major = 247;
	assert_int_equal(hazards_warn(&config, &node, said.log), 0);
	assert_non_null(strstr(capture_text(&said), "set Audit=yes in /etc/systemd/journald.conf"));
}

static void long_records(void **state)
{
	set("audit.lock=no");
	node.systemd = (struct systemd_version){ 250, 4 };
	check_says("");
	node.systemd = (struct systemd_version){ 251, 0 };
	check_says("");
	node.systemd = (struct systemd_version){ 250, 3 };
	check_says(WARNING "journald takes records of more than 64 fields: that of systemd 250.3 aborts at one, of a program that was "
		   "started with that many arguments: update systemd to 250.4 or later\n");
}

#define NODE(sentence, function) { sentence, function, begin, end, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE("a long wait for an audit daemon is told of before the lock makes it permanent", stall_default),
		NODE("of a number that is nobody's default no seconds are said", stall_other),
		NODE("a wait that was chosen, or that nobody has to wait, is no hazard", no_stall),
		NODE("a setting that was given, and takes from what the kernel has, is told of", lowered),
		NODE("one that nobody gave, gives more, or cannot take effect, is not", nothing_lowered),
		NODE("that there is no limit to what waits is told, and what that does", unlimited),
		NODE("an agent with rules of its own is named, and auditd is none", agents),
		NODE("under the lock it is said that the agent may fail", agents_locked),
		NODE("never,task in the host's own rules is told of, with the place of each", silenced),
		NODE("what auditd does when its disk is full is told with its line, where auditd runs", disk),
		NODE("auditd's files that hold less than a day are told of, with whose events fill them", auditd_files),
		NODE("so is a journal that does", journal_span),
		NODE("a shipper's cursor that the journal has dropped is told of", shippers),
		NODE("a journald whose restart would switch auditing off is told of, where nothing locks it", restart),
		NODE("so is one that aborts at long records", long_records),
		NODE("failure = panic with records that nobody fetches is told, and refused under the lock", panic),
		NODE("lost records are the backlog's, where an audit daemon fetches them", lost),
	};

	return RUN(tests);
}
