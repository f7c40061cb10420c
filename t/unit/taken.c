/* setup/checks/taken.c and kept.c: whose rules replacing takes away, and what rules that are kept take from ours. */
#include "t/unit/test.h"

#include <linux/audit.h>

#include "rules/rules.h"
#include "setup/checks/kept.h"
#include "setup/checks/taken.h"
#include "setup/host/lookups.h"

#define OURS "-w /etc/shadow -p wa -k ours\n"

static struct rule_set read_rules(const char *text, const struct host *host)
{
	_cleanup_(lookups_done) struct lookups lookups = { .n = 0 };
	const struct rules_host ask = lookups_for(&lookups, host);
	const struct rules_env env = { .machine = "x86_64", .log = log_new(stderr), .host = &ask };
	struct rule_set set = {0};

	assert_int_equal(rules_read(&set, &env, "x", text, strlen(text)), 0);
	log_free(env.log);
	return set;
}

/* Whose rules are taken away from a kernel that lists these. */
static void check(const char *listed, const char *earlier, bool keep, int expected, const char *keys)
{
	const struct config config = { .existing = keep ? EXISTING_KEEP : EXISTING_REPLACE };
	_cleanup_text_ struct text out = {0};
	struct wanted wanted = { .auditctl = NULL };
	struct kernel_rule rules[16];
	struct rule_set kernel;
	struct node node;
	struct host host;

	assert_int_equal(host_open_root(&host, "/"), 0);
	kernel = read_rules(listed, &host);
	wanted.rules = read_rules("-w /etc/passwd -p wa -k wanted\n", &host);
	node = (struct node){ .rules = { .rules = rules, .n = kernel.n_rules } };
	for (size_t i = 0; i < kernel.n_rules; i++)
		rules[i] = (struct kernel_rule){ kernel.rules[i].data, kernel.rules[i].size };
	if (earlier)
		text_add(&node.files[FILE_RULES], earlier);
	assert_int_equal(taken_list(&out, &wanted, &config, &node, &host), expected);
	assert_string_equal(out.s ? out.s : "", keys);
	text_done(&node.files[FILE_RULES]);
	rule_set_done(&wanted.rules);
	rule_set_done(&kernel);
	host_done(&host);
}

#define WANTED "-w /etc/passwd -p wa -k wanted\n-a always,exit -F arch=b64 -S mount -k m\n-a never,exclude -F msgtype=CWD\n"

/* How many of the two wanted rules that record something a kernel's take, and which is named. */
static bool check_kept(const char *listed, const char *earlier, size_t taken, const char *by)
{
	const struct config config = { .existing = EXISTING_KEEP };
	_cleanup_(kept_done) struct kept kept = {0};
	struct wanted wanted = { .auditctl = NULL };
	struct kernel_rule rules[16];
	struct rule_set kernel;
	struct node node;
	struct host host;

	assert_int_equal(host_open_root(&host, "/"), 0);
	kernel = read_rules(listed, &host);
	wanted.rules = read_rules(WANTED, &host);
	node = (struct node){ .rules = { .rules = rules, .n = kernel.n_rules } };
	for (size_t i = 0; i < kernel.n_rules; i++) {
		/* as a kernel lists them */
		if (kernel.rules[i].data->mask[AUDIT_BITMASK_SIZE - 1] == UINT32_MAX)
			kernel.rules[i].data->mask[AUDIT_BITMASK_SIZE - 1] = 0xffff;
		rules[i] = (struct kernel_rule){ kernel.rules[i].data, kernel.rules[i].size };
	}
	if (earlier)
		text_add(&node.files[FILE_RULES], earlier);
	assert_int_equal(kept_judge(&kept, &wanted, &config, &node, &host), 0);
	assert_int_equal(kept.ours, 2);
	assert_int_equal(kept.taken, taken);
	if (by)
		assert_string_equal(kept.by.s ? kept.by.s : "", by);
	text_done(&node.files[FILE_RULES]);
	rule_set_done(&wanted.rules);
	rule_set_done(&kernel);
	host_done(&host);
	return kept.headless;
}

/* What is left of each event? */
static void headless(void **state)
{
	static const struct { const char *listed; bool headless; } rows[] = {
		{ "-a never,task\n", false }, { "-a never,exit -S all\n", false },
		{ "-a always,exclude -F msgtype=SYSCALL\n", true },
		{ "-a always,exclude -F msgtype>=SYSCALL -F msgtype<=PATH\n", true },
		{ "-a never,exclude -F msgtype!=CONFIG_CHANGE -F msgtype!=AVC\n", false },
		{ "-a always,exclude -F msgtype=SYSCALL\n-a never,task\n", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(check_kept(rows[i].listed, NULL, 2, NULL), rows[i].headless);
}

static void takers(void **state)
{
	check_kept("", NULL, 0, "");
	check_kept("-w /etc/shadow -p wa -k other\n", NULL, 0, "");
	check_kept(WANTED, NULL, 0, "");
	check_kept("-a never,task\n", NULL, 2, "-a never,task");
	check_kept("-a never,task -F uid=7\n", NULL, 0, "");
	check_kept("-a never,exit -S all\n", NULL, 2, "-a never,exit");
	/* What a Container-Optimized OS loads at boot, and rules that leave an event its SYSCALL record. */
	check_kept("-a never,exclude -F msgtype!=CONFIG_CHANGE -F msgtype!=AVC\n", NULL, 2,
		   "-a never,exclude -F msgtype!=CONFIG_CHANGE -F msgtype!=AVC");
	check_kept("-a always,exclude -F msgtype=SYSCALL\n", NULL, 2, "-a always,exclude -F msgtype=SYSCALL");
	check_kept("-a always,exclude -F msgtype!=SYSCALL -F msgtype!=EXECVE\n-a always,exclude -F msgtype=PATH\n"
		   "-a always,exclude -F msgtype=SYSCALL -F uid=7\n", NULL, 0, "");
	check_kept("-a never,exit -F arch=b64 -S mount\n", NULL, 1, "-a never,exit -F arch=x86_64 -S mount");
	check_kept("-w /etc/passwd -p rwxa -k agent\n", NULL, 1,
		   "-a always,exit -F path=/etc/passwd -F perm=rwxa -F key=agent");
	/* What an earlier run brought goes before ours come. */
	check_kept("-a never,exit -S all\n", "-a never,exit -S all\n", 0, "");
}

static void nobody(void **state)
{
	check("", NULL, false, 0, "");
	check("-w /etc/passwd -p wa -k wanted\n", NULL, false, 0, "");
}

static void others(void **state)
{
	check("-a never,task\n-w /a -p wa -k mdatp\n-w /b -p wa -k wazuh_fim\n-w /etc/passwd -p wa -k wanted\n"
	      "-w /c -p wa -k mdatp\n-w /d -p wa\n-w /e -p x -k one -k two\n", NULL, false, 6,
	      "without a key 2 (-a never,task, ...), mdatp 2, wazuh_fim 1, one+two 1");
}

static void earlier(void **state)
{
	check(OURS "-w /f -p wa -k other\n", OURS, false, 1, "other 1");
	check(OURS, OURS, false, 0, "");
}

static void kept(void **state)
{
	check("-w /a -p wa -k mdatp\n", NULL, true, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("nothing is taken from a kernel that has no rules, or the wanted ones", nobody),
		TEST("rules of others are told by key and count, those without one by the first of them", others),
		TEST("what an earlier run brought is no one else's", earlier),
		TEST("existing = keep takes nothing", kept),
		TEST("that a kept rule takes the SYSCALL records alone is told apart from one that takes all", headless),
		TEST("rules that are kept and take what ours are to record are counted, and the first is named", takers),
	};

	return RUN(tests);
}
