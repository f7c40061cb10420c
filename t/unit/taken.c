/* setup/checks/taken.c: whose rules replacing takes away. */
#include "t/unit/test.h"

#include "rules/rules.h"
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
	};

	return RUN(tests);
}
