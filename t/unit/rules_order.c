/* rules/judge/order.c: what the user's rules take from shipped groups behind them. */
#include "t/unit/test.h"

#include "rules/judge/order.h"
#include "rules/rules.h"

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = strcmp(path, "/etc") == 0 || strcmp(path, "/etc/ssh") == 0;
	return 1;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	return 0;
}

static const struct rules_host host = { path_type, look_up, look_up, NULL, NULL, NULL };

static void add(struct rule_set *set, struct rules_env *env, bool shipped, const char *rules)
{
	env->shipped = shipped;
	assert_int_equal(rules_read(set, env, shipped ? "S" : "F", rules, strlen(rules)), 0);
}

/* What is said of rules between the first shipped group and the others, and of rules behind them all. */
static void check_both(const char *rules, const char *behind, const char *messages)
{
	struct capture said;
	struct rule_set set = {0};
	struct rules_env env = { .host = &host, .machine = "x86_64" };

	capture_begin(&said);
	env.log = said.log;
	/* [filter] stands before all. */
	env.filter = true;
	add(&set, &env, false, "-a never,exit -F auid<1000\n");
	env.filter = false;
	add(&set, &env, true, "-w /etc/audit -p wa -k audit-config\n");
	add(&set, &env, false, rules);
	add(&set, &env, true, "-a always,exit -F arch=b64 -S execve,execveat -k exec\n"
	    "-a always,exit -F arch=b32 -S execve,execveat -k exec\n"
	    "-a always,exit -F arch=b64 -S connect,bind -F saddr_fam=2 -k network\n"
	    "-a always,exit -F arch=b32 -S socketcall -F a0=2 -F saddr_fam=2 -k network\n"
	    "-w /etc/passwd -p wa -k logins\n-w /etc/ssh -p wa -k logins\n");
	add(&set, &env, false, behind);
	assert_int_equal(order_check(&set, &env), 0);
	assert_string_equal(capture_text(&said), messages);
	rule_set_done(&set);
	capture_end(&said);
}

static void check(const char *rules, const char *messages)
{
	check_both(rules, "-a never,exit -F uid=5\n", messages);
}

static void check_behind(const char *rules, const char *messages)
{
	check_both("", rules, messages);
}

#define I "cloud-audit-setup: info: F:"
#define W "cloud-audit-setup: warning: F:"
#define ONE(group) ": events of the group " group " that this rule matches carry its key, not the group's\n"
#define NEVER(groups) ": this rule with never stands before the shipped groups: events of " groups " that it matches are not " \
	"recorded [lint: silences]\n"

static void events_that_change_their_key_are_told_by_group(void **state)
{
	check("", "");
	check("-w /etc/passwd -p wa -k identity\n", I "1" ONE("logins"));
	check("-w /etc -p wa -k etc\n", I "1" ONE("logins"));
	check("-w /etc/ssh/sshd_config -p wa -k sshd\n", I "1" ONE("logins"));
	check("-w /etc/shadow -p wa -k identity\n", "");
	check("-w /etc/ssh2 -p wa -k identity\n", "");
	/* What is opened to be read and written is an event of both, what is executed of another. */
	check("-w /etc/passwd -p r -k identity\n", I "1" ONE("logins"));
	check("-a always,exit -F path=/bin/su -F perm=x -k su\n-a always,exit -F path=/bin/sudo -F perm=x -k sudo\n",
	      I "1: events of the group exec that this rule and 1 more of yours match carry their keys, not the group's\n");
	check("-a always,exit -F arch=b64 -S execve -F euid=0 -k root\n-a always,exit -F arch=b64 -S bind -k bind\n",
	      I "1" ONE("exec") I "2" ONE("network"));
	check("-a always,exit -F arch=b64 -S bind -F saddr_fam=10 -k bind6\n", "");
	check("-a always,exit -F arch=b32 -S bind -k bind\n", "");
	check("-a always,exit -F arch=b64 -S mount -k mount\n", "");
	check("-a always,exclude -F msgtype=CWD\n", "");
}

static void a_rule_with_never_names_the_groups_that_it_silences(void **state)
{
	check("-a never,exit -F exe=/usr/bin/agent\n", W "1" NEVER("exec, network, logins"));
	check("-a never,exit -F arch=b64 -S connect -F uid=5\n", W "1" NEVER("network"));
	check("-a never,exit -F dir=/etc/ssh -F perm=wa\n", W "1" NEVER("logins"));
	check("-a never,exit -F dir=/etc/other -F perm=wa\n", "");
}

/* It stands before all, wherever it is written. */
static void a_rule_that_is_prepended_is_before_every_group(void **state)
{
	check("-A never,exit -F arch=b64 -S execve\n", W "1" NEVER("exec"));
	check("-A never,exit -S all\n", W "1" NEVER("audit-config, exec, network, logins"));
	check_behind("-a never,exit -S all\n", "");
	/* With a condition it is meant so. */
	check_behind("-A never,exit -F uid=7\n", "");
	check_behind("-A always,exit -F arch=b64 -S bind -k bind\n", "");
	check_behind("-A never,exit -F arch=b64 -S execve\n", W "1" NEVER("exec"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("events of a shipped group that carry the user's key are told by group", events_that_change_their_key_are_told_by_group),
		TEST("a user's rule with never names the groups that it silences", a_rule_with_never_names_the_groups_that_it_silences),
		TEST("so does one that is prepended without a condition, wherever it is written", a_rule_that_is_prepended_is_before_every_group),
	};

	return RUN(tests);
}
