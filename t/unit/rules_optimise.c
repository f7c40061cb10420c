/* Merged rules and narrowed masks decide every event as the rules that were written, on every kernel whose classes
 * of system calls are recorded in classes.inc, or are in the file given: `rules_optimise FILE` (t/unit/classes). */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/judge/lint.h"
#include "rules/match/perm.h"
#include "rules/rule/data.h"
#include "rules/rule/lex.h"
#include "rules/rule/names.h"
#include "rules/rules.h"

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = path[1] == 'd';
	return 1;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	return 0;
}

static const struct rules_host host = { path_type, look_up, look_up, NULL, NULL, NULL };

static struct rule_set read_set(const char *content, const char *machine, bool optimise)
{
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "w");
	struct rules_env env = {
		.log = log_new(null), .host = &host, .machine = machine, .optimise = optimise,
	};
	struct rule_set set = { 0 };

	if (rules_read(&set, &env, "F", content, strlen(content)) < 0 || rules_finish(&set, &env) < 0)
		fail_msg("a mistake in: %s", content);
	log_free(env.log);
	return set;
}

/* --- merging ------------------------------------------------------------------------------ */

/* "LINE,LINE: rule" for every rule. */
static char *print_set(const struct rule_set *set)
{
	struct text out = { 0 };

	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule *rule = &set->rules[i];

		text_addf(&out, "%u", rule->line);
		for (size_t j = 0; j < rule->n_merged; j++)
			text_addf(&out, ",%u", rule->merged[j].line);
		text_add(&out, ": ");
		assert_true(rule_print(&out, rule->data, rule->size));
		text_add(&out, "\n");
	}
	return text_take(&out);
}

static void check_merged(const char *content, const char *wanted)
{
	struct rule_set set = read_set(content, "x86_64", true);
	_cleanup_free_ char *got = print_set(&set);

	assert_string_equal(got, wanted);
	rule_set_done(&set);
}

static void rules_that_differ_in_system_calls_only_become_one(void **state)
{
	check_merged("-a always,exit -F arch=b64 -S 1000 -F uid=0 -k a\n"
		     "-a always,exit -F arch=b64 -S 1002,1001 -F uid=0 -k a\n"
		     "-a always,exit -F arch=b64 -S 1003 -F uid=0 -k a\n",
		     "1,2,3: -a always,exit -F arch=x86_64 -F uid=0 -S 1000,1001,1002,1003 -F key=a\n");
	check_merged("-a never,exit -S 1000 -F uid=0\n-a never,exit -S 1001 -F uid=0\n",
		     "1,2: -a never,exit -F uid=0 -S 1000,1001\n");
	/* Both architectures in turn, as people write them. */
	check_merged("-a always,exit -F arch=b64 -S 1000 -k a\n-a always,exit -F arch=b32 -S 1000 -k a\n"
		     "-a always,exit -F arch=b64 -S 1001 -k a\n-a always,exit -F arch=b32 -S 1001 -k a\n",
		     "1,3: -a always,exit -F arch=x86_64 -S 1000,1001 -F key=a\n"
		     "2,4: -a always,exit -F arch=i386 -S 1000,1001 -F key=a\n");
	/* Over rules for other system calls, into the first one's place. */
	check_merged("-a always,exit -S 1000 -k a\n-a never,exit -S 1001 -F uid=1\n-a always,exit -S 1002 -k a\n",
		     "1,3: -a always,exit -S 1000,1002 -F key=a\n2: -a never,exit -F uid=1 -S 1001\n");
	check_merged("-a always,exit -F path=/x -S 1000 -k a\n-a always,exit -F path=/x -S 1001 -k a\n",
		     "1,2: -a always,exit -F path=/x -S 1000,1001 -F key=a\n");
	/* Other lists decide other things. */
	check_merged("-a always,exit -S 1000 -k a\n-a never,task -F uid=1\n-a never,exclude -F uid=1\n"
		     "-a always,exit -S 1001 -k a\n",
		     "1,4: -a always,exit -S 1000,1001 -F key=a\n2: -a never,task -F uid=1\n"
		     "3: -a never,exclude -F uid=1\n");
	/* Prepended ones stand in the kernel last first. */
	check_merged("-A always,exit -S 1000 -k a\n-A never,exit -S 1001\n-A always,exit -S 1002 -k a\n",
		     "2: -A never,exit -S 1001\n3,1: -A always,exit -S 1000,1002 -F key=a\n");
	/* Calls that an earlier rule with the same fields has already. */
	check_merged("-a always,exit -S 1000,1001 -k a\n-a never,exit -S 1000 -F uid=1\n"
		     "-a always,exit -S 1000 -k a\n",
		     "1,3: -a always,exit -S 1000,1001 -F key=a\n2: -a never,exit -F uid=1 -S 1000\n");
	check_merged("-a always,exit -S 1000 -k a\n-a always,exit -S 1001 -k a\n-a never,exit -S 1000 -F uid=1\n"
		     "-a always,exit -S 1000,1001 -k a\n",
		     "1,2,4: -a always,exit -S 1000,1001 -F key=a\n3: -a never,exit -F uid=1 -S 1000\n");
	check_merged("-a always,exit -S 1000 -k a\n-a always,exit -S 1001,1002 -k a\n"
		     "-a never,exit -S 1001 -F uid=1\n-a always,exit -S 1001 -k a\n",
		     "1,2,4: -a always,exit -S 1000,1001,1002 -F key=a\n3: -a never,exit -F uid=1 -S 1001\n");
}

static void rules_with_the_same_result_in_between_do_not_hinder(void **state)
{
	check_merged("-a always,exit -S 1000 -k a\n-a always,exit -S 1001 -F uid=1 -k a\n-a always,exit -S 1001 -k a\n",
		     "1,3: -a always,exit -S 1000,1001 -F key=a\n2: -a always,exit -F uid=1 -S 1001 -F key=a\n");
	/* Behind one with another result there may be more with the same. */
	check_merged("-a always,exit -S 1000 -k a\n-a always,exit -S 1001 -F uid=1 -k b\n"
		     "-a always,exit -S 1001 -F uid=2 -k a\n-a always,exit -S 1001 -k a\n",
		     "1: -a always,exit -S 1000 -F key=a\n2: -a always,exit -F uid=1 -S 1001 -F key=b\n"
		     "3: -a always,exit -F uid=2 -S 1001 -F key=a\n4: -a always,exit -S 1001 -F key=a\n");
}

static void rules_that_differ_in_one_number_only_become_one(void **state)
{
	check_merged("-a always,exit -S 1000 -F exit=-EACCES -F uid=1 -k a\n-a always,exit -S 1000 -F exit=-EPERM -F uid=1 -k a\n",
		     "1,2: -a always,exit -F uid=1 -F exit>=-EACCES -F exit!=-ENOENT -F exit!=-ESRCH -F exit!=-EINTR -F exit!=-EIO "
		     "-F exit!=-ENXIO -F exit!=-E2BIG -F exit!=-ENOEXEC -F exit!=-EBADF -F exit!=-ECHILD -F exit!=-EAGAIN "
		     "-F exit!=-ENOMEM -S 1000 -F key=a\n");
	/* What stands side by side needs nothing left out, and one in the other is gone. */
	check_merged("-a always,exit -F arch=b64 -S 1000 -F a0=4 -k a\n-a always,exit -F arch=b32 -S 1000 -F a0=4 -k a\n"
		     "-a always,exit -F arch=b64 -S 1000 -F a0=5 -k a\n-a always,exit -F arch=b32 -S 1000 -F a0=5 -k a\n"
		     "-a always,exit -F arch=b64 -S 1000 -F a0=6 -k a\n-a always,exit -F arch=b64 -S 1000 -F a0>=1 -F a0<=3 -k a\n"
		     "-a always,exit -F arch=b64 -S 1000 -F a0>=2 -F a0<=5 -F a0!=4 -k a\n",
		     "1,3,5,6,7: -a always,exit -F arch=x86_64 -F a0>=1 -F a0<=6 -S 1000 -F key=a\n"
		     "2,4: -a always,exit -F arch=i386 -F a0>=4 -F a0<=5 -S 1000 -F key=a\n");
	check_merged("-a always,exit -S 1000 -F saddr_fam=2 -F a1&4 -k a\n-a always,exit -S 1000 -F a1&4 -F saddr_fam=4 -k a\n",
		     "1,2: -a always,exit -F a1&4 -F saddr_fam>=2 -F saddr_fam<=4 -F saddr_fam!=3 -S 1000 -F key=a\n");
	/* Any address at all is more than no condition. */
	check_merged("-a always,exit -S 1000 -F saddr_fam!=2 -k a\n-a always,exit -S 1000 -F saddr_fam=2 -k a\n",
		     "1,2: -a always,exit -F saddr_fam>=0 -S 1000 -F key=a\n");
	/* Two numbers, one after the other, and calls that have become the same in all else. */
	check_merged("-a always,exit -S 1000 -F a0=1 -F a1=1 -k a\n-a always,exit -S 1000 -F a0=2 -F a1=1 -k a\n"
		     "-a always,exit -S 1000 -F a0=1 -F a1=2 -k a\n-a always,exit -S 1000 -F a0=2 -F a1=2 -k a\n"
		     "-a always,exit -S 1001 -F a0>=1 -F a0<=2 -F a1>=1 -F a1<=2 -k a\n",
		     "1,2,3,4,5: -a always,exit -F a0>=1 -F a0<=2 -F a1>=1 -F a1<=2 -S 1000,1001 -F key=a\n");
	/* Where records are dropped the order counts for nothing, nor does what else is dropped. */
	check_merged("-a always,exclude -F msgtype=CWD\n-a never,exclude -F uid=1\n-a always,exclude -F msgtype=1308\n"
		     "-a always,exit -S 1000 -k a\n-a always,exclude -F msgtype=1309\n",
		     "1,3,5: -a always,exclude -F msgtype>=CWD -F msgtype<=EXECVE\n"
		     "2: -a never,exclude -F uid=1\n4: -a always,exit -S 1000 -F key=a\n");
	/* What has become equal to another, the kernel refuses. */
	check_merged("-a always,exclude -F msgtype>=1300 -F msgtype<=1301\n-a always,exclude -F msgtype=1309\n"
		     "-a always,exclude -F msgtype=1300\n-a always,exclude -F msgtype=1301\n",
		     "1,3,4: -a always,exclude -F msgtype>=SYSCALL -F msgtype<=1301\n2: -a always,exclude -F msgtype=EXECVE\n");
}

/* The last has all calls of a word of the mask, so that the rule in between that went up in an earlier one, which has others of
 * that word, is not seen call by call. */
static void rules_do_not_move_over_one_that_went_up(void **state)
{
	_cleanup_text_ struct text rules = {0}, wanted = {0};

	text_add(&rules, "-a never,exit -S 1100 -F uid=0\n-a always,exit -S 1200 -k a\n-a never,exit -S 1000 -F uid=5\n"
		 "-a always,exit -S 1001 -k a\n-a never,exit -F uid=0 -S ");
	text_add(&wanted, "1: -a never,exit -F uid=0 -S 1100\n2,4: -a always,exit -S 1001,1200 -F key=a\n"
		 "3: -a never,exit -F uid=5 -S 1000\n5: -a never,exit -F uid=0 -S ");
	for (unsigned call = 992; call < 1024; call++) {
		text_addf(&rules, "%u%s", call, call < 1023 ? "," : "\n");
		text_addf(&wanted, "%u%s", call, call < 1023 ? "," : "\n");
	}
	check_merged(rules.s, wanted.s);
}

/* What a rule would become may stand elsewhere: the kernel would refuse the second one, or, in a bucket that is turned round, what
 * stood behind it would come first. */
static void no_rule_becomes_equal_to_one_that_has_another_place(void **state)
{
	check_merged("-A always,exit -S 1000,1001 -F uid=1 -k a\n-a always,exit -S 1000 -F uid=1 -k a\n"
		     "-a always,exit -S 1001 -F uid=1 -k a\n",
		     "1: -A always,exit -F uid=1 -S 1000,1001 -F key=a\n2: -a always,exit -F uid=1 -S 1000 -F key=a\n"
		     "3: -a always,exit -F uid=1 -S 1001 -F key=a\n");
	check_merged("-A always,exit -S 1000 -F a0>=1 -F a0<=2 -k a\n-a always,exit -S 1000 -F a0=1 -k a\n"
		     "-a always,exit -S 1000 -F a0=2 -k a\n",
		     "1: -A always,exit -F a0>=1 -F a0<=2 -S 1000 -F key=a\n2: -a always,exit -F a0=1 -S 1000 -F key=a\n"
		     "3: -a always,exit -F a0=2 -S 1000 -F key=a\n");
	check_merged("-a always,exit -F path=/x -S 1000,1001 -k a\n-a never,exit -F path=/x -S 1000 -F uid=1\n"
		     "-a always,exit -F path=/x -S 1000 -k a\n-a always,exit -F path=/x -S 1001 -k a\n",
		     "1: -a always,exit -F path=/x -S 1000,1001 -F key=a\n2: -a never,exit -F path=/x -F uid=1 -S 1000\n"
		     "3: -a always,exit -F path=/x -S 1000 -F key=a\n4: -a always,exit -F path=/x -S 1001 -F key=a\n");
	check_merged("-a always,exit -F path=/x -S 1000 -k a\n-a always,exit -F path=/x -S 1001 -k a\n"
		     "-a never,exit -F path=/x -S 1000 -F uid=1\n-a always,exit -F path=/x -S 1000,1001 -k a\n",
		     "1: -a always,exit -F path=/x -S 1000 -F key=a\n2: -a always,exit -F path=/x -S 1001 -F key=a\n"
		     "3: -a never,exit -F path=/x -F uid=1 -S 1000\n4: -a always,exit -F path=/x -S 1000,1001 -F key=a\n");
}

/* Sets in which no rule may move. */
static const char *const staying[] = {
	/* The second decides some events of the third. */
	"-a always,exit -S 1000 -k a\n-a never,exit -S 1001 -F uid=1\n-a always,exit -S 1001 -k a\n",
	"-a always,exit -F arch=b64 -S 1000 -k a\n-a never,exit -S 1001 -F uid=1\n"
	"-a always,exit -F arch=b64 -S 1001 -k a\n",
	"-a always,exit -S 1000 -k a\n-a never,exit -F arch=b32 -S 1001 -F uid=1\n-a always,exit -S 1001 -k a\n",
	"-a always,exit -S 1000 -k a\n-a always,exit -F dir=/d -k b\n-a always,exit -S 1001 -k a\n",
	/* A file has two names: the rules may be about the same one. */
	"-a always,exit -F path=/x -S 1000 -k a\n-a always,exit -F path=/y -S 1001 -k b\n"
	"-a always,exit -F path=/x -S 1001 -k a\n",
	/* A rule for a file wins by its place, too. */
	"-a always,exit -S 1000 -k a\n-a always,exit -F path=/x -S 1001 -k b\n-a always,exit -S 1001 -k a\n",
	"-A always,exit -S 1001 -k a\n-A never,exit -S 1001 -F uid=1\n-A always,exit -S 1000 -k a\n",
	/* Where a file is replaced, the order of these is turned round. */
	"-a always,exit -F path=/x -S 1000,1001 -k a\n-a always,exit -F path=/x -S 1001 -k b\n"
	"-a always,exit -F path=/x -S 1001 -k a\n",
	/* So it is where one in between has the same result: once it is turned round, the first would decide what the last of the
	 * bucket did, or the other way round. */
	"-a always,exit -F path=/x -S 1000 -F uid=1 -k b\n-a never,exit -F path=/x -S 1001\n-a never,exit -S 1000 -F uid=1\n"
	"-a never,exit -F path=/x -S 1000\n",
	"-a never,exit -F path=/x -S 1000 -F uid=1\n-a always,exit -S 1001 -k a\n-a always,exit -F path=/x -S 1000 -k a\n"
	"-a always,exit -S 1000 -k a\n",
	/* What class bits mean only the kernel knows. */
	"-a always,exit -S 1000 -k a\n-a always,exit -S 2040 -k b\n-a always,exit -S 1001 -k a\n",
	"-a always,exit -S 2040 -k a\n-a always,exit -S 1001 -k a\n",
	/* Different in more than the system calls. */
	"-a always,exit -S 1000 -k a\n-a always,exit -S 1001 -k b\n",
	"-a always,exit -S 1000 -k a\n-a always,exit -S 1001\n",
	"-a always,exit -S 1000 -F uid=1 -k a\n-a always,exit -S 1001 -F uid=2 -k a\n",
	"-a always,exit -S 1000 -F uid=1 -k a\n-a always,exit -S 1001 -F uid!=1 -k a\n",
	"-a always,exit -S 1000 -F uid=1 -k a\n-a always,exit -S 1001 -F gid=1 -k a\n",
	"-a always,exit -S 1000 -F uid=1\n-a never,exit -S 1001 -F uid=1\n",
	/* Too many numbers lie between; groups are several numbers; what > and < leave may be refused. */
	"-a always,exit -S 1000 -F a0=0 -k a\n-a always,exit -S 1000 -F a0=33 -k a\n",
	"-a always,exit -S 1000 -F gid=1 -k a\n-a always,exit -S 1000 -F gid=2 -k a\n",
	"-a always,exit -S 1000 -F saddr_fam>43 -k a\n-a always,exit -S 1000 -F saddr_fam=43 -k a\n",
	"-a always,exit -S 1000 -F a0&1 -k a\n-a always,exit -S 1000 -F a0&2 -k a\n",
	/* Different in one number, and more. */
	"-a always,exit -S 1000 -F a0=1 -k a\n-a always,exit -S 1000 -F a0=2 -k b\n",
	"-a always,exit -S 1000 -F a0=1 -k a\n-a always,exit -S 1000,1001 -F a0=2 -k a\n",
	"-a always,exit -S 1000 -F a0=1 -F a1=1 -k a\n-a always,exit -S 1000 -F a0=2 -F a1=2 -k a\n",
	"-a always,exit -S 1000 -F a0=1 -F uid=1 -k a\n-a always,exit -S 1000 -F a0=2 -F uid=2 -k a\n",
	"-a always,exit -S 1000 -F a0=1 -k a\n-a always,exit -S 1000 -F a1=1 -k a\n",
	"-a always,exit -S 1000 -F a0=1 -k a\n-a always,exit -S 1000 -k a\n",
	"-a always,exit -S 1000 -F a0=1 -k a\n-a never,exit -S 1000 -F uid=1\n-a always,exit -S 1000 -F a0=2 -k a\n",
	"-a always,exclude -F msgtype=CWD\n-a always,exclude -F msgtype=EXECVE\n",
	"-a always,exclude -F msgtype=CWD -F uid=1\n-a always,exclude -F msgtype=PATH -F uid=2\n",
	"-a never,user -F msgtype=1100\n-a never,user -F msgtype=1101\n",
	"-a always,exit -S 1000 -k a\n-A always,exit -S 1001 -k a\n",
	"-a always,exit -F arch=b64 -S 1000 -k a\n-a always,exit -F arch=b32 -S 1001 -k a\n",
	"-a always,exit -F path=/x -S 1000 -k a\n-a always,exit -F path=/y -S 1001 -k a\n",
	/* The mask is not looked at in other lists. */
	"-S 1000 -a never,user -F uid=1\n-S 1001 -a never,user -F uid=1\n",
	/* Nothing to narrow. */
	"-a always,exit -F dir=/d -k a\n",
	"-a always,exit -F path=/x -F perm=w -S 1000 -k a\n",
	"-a always,exit -F arch=s390x -F dir=/d -F perm=w -k a\n",
	"-w /etc/a!=b -p r -k a\n",
};

static void rules_that_may_not_move_stay(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(staying); i++) {
		struct rule_set plain = read_set(staying[i], "x86_64", false);
		struct rule_set optimised = read_set(staying[i], "x86_64", true);
		_cleanup_free_ char *before = print_set(&plain), *after = print_set(&optimised);

		assert_string_equal(after, before);
		for (size_t j = 0; j < plain.n_rules; j++)
			assert_memory_equal(plain.rules[j].data, optimised.rules[j].data, plain.rules[j].size);
		rule_set_done(&plain);
		rule_set_done(&optimised);
	}
}

static void a_merged_list_that_no_line_has_room_for_is_not_made(void **state)
{
	_cleanup_text_ struct text content = { 0 };
	struct rule_set set;

	for (unsigned half = 0; half < 2; half++) {
		text_add(&content, "-a always,exit -F uid=1 -S 0");
		for (unsigned n = 1 + half; n < 1900; n += 2)
			text_addf(&content, ",%u", n);
		text_add(&content, " -k a\n");
	}
	set = read_set(content.s, "x86_64", true);
	assert_int_equal(set.n_rules, 2);
	rule_set_done(&set);
}

/* --- what a kernel's classes have --------------------------------------------------------- */

static const char recorded[] =
#include "t/unit/classes.inc"
;
static const char *classes = recorded;

enum { CLASS_MAX = 128 };

/* KERNEL... | ARCH CLASS NAME=NUMBER... */
struct row {
	char kernels[64], arch[16], class;
	const char *calls;
};

struct call {
	char name[32];
	uint32_t number;
};

/* Returns where the one after it begins; NULL: there is no row more. */
static const char *next_row(const char *at, struct row *ret)
{
	int calls = 0;

	if (!*at)
		return NULL;
	if (sscanf(at, "%63[^|]| %15s %c %n", ret->kernels, ret->arch, &ret->class, &calls) != 3 || !calls)
		fail_msg("no row: %.60s", at);
	ret->calls = at + calls;
	return strchr(at, '\n') + 1;
}

static size_t row_calls(const struct row *row, struct call calls[CLASS_MAX])
{
	const char *at = row->calls;
	size_t n = 0;

	for (int used; *at != '\n'; at += used, n++) {
		assert_true(n < CLASS_MAX);
		if (sscanf(at, "%31[^= \n]=%u%n", calls[n].name, &calls[n].number, &used) != 2)
			fail_msg("no call: %.60s", at);
		used += at[used] == ' ';
	}
	assert_true(n > 0);
	return n;
}

/* With each class, the letters that its calls go with; n: those that the newest kernel has, in whatever class. */
static const struct {
	char class;
	uint32_t perms;
} class_perms[] = {
	{ 'w', AUDIT_PERM_WRITE }, { 'r', AUDIT_PERM_READ }, { 'a', AUDIT_PERM_ATTR }, { 'x', AUDIT_PERM_EXEC },
	{ 'o', AUDIT_PERM_READ | AUDIT_PERM_WRITE }, { 's', AUDIT_PERM_WRITE },
};

static uint32_t perms_of(const struct row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(class_perms); i++)
		if (class_perms[i].class == row->class)
			return class_perms[i].perms;
	return 0;
}

/* From here on a call goes with every letter (NEW_FIRST in perm.c); what is older must be in the table. */
enum { NEW_FIRST = 470 };

static bool in_masks(const struct perm_masks *masks, uint32_t number, uint32_t perms)
{
	uint32_t missing = number < 2048 ? perms : UINT32_MAX;

	for (uint32_t bit = 0; number < 2048 && bit < ARRAY_SIZE(masks->of_bit); bit++)
		if (masks->of_bit[bit][AUDIT_WORD(number)] & AUDIT_BIT(number))
			missing &= ~(1U << bit);
	return missing == 0;
}

static void every_call_of_every_class_is_in_the_table(void **state)
{
	struct call calls[CLASS_MAX];
	struct perm_masks masks;
	size_t n_classes = 0;
	struct row row;

	for (const char *at = classes; (at = next_row(at, &row));) {
		uint32_t arch = names_machine(row.arch), perms = perms_of(&row);

		assert_true(perms || row.class == 'n');
		assert_true(perm_masks_init(&masks, arch));
		for (size_t i = 0, n = row_calls(&row, calls); i < n; i++)
			if (!in_masks(&masks, calls[i].number,
				      row.class != 'n' ? perms : calls[i].number < NEW_FIRST ? 0 : 15))
				fail_msg("%s (%s %u), class %c of Linux %s, does not go with each of its letters",
					 calls[i].name, row.arch, calls[i].number, row.class, row.kernels);
		n_classes++;
	}
	/* w, r, a, x, o on four architectures, s on one. */
	assert_true(n_classes >= 21);
}

/* --- narrowing ---------------------------------------------------------------------------- */

static bool has(const struct audit_rule_data *data, uint32_t number)
{
	return number < 2048 && data->mask[AUDIT_WORD(number)] & AUDIT_BIT(number);
}

/* None of names that this architecture knows has its bit. */
static void assert_without(const struct rule *rule, const char *machine, const char *names)
{
	_cleanup_free_ char *copy = strdup(names);
	char *rest = NULL;

	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		int number = names_syscall(name, names_machine(machine));

		if (number >= 0 && has(rule->data, (uint32_t)number))
			fail_msg("%s (%s %d) is in the mask", name, machine, number);
	}
}

/* Every call of these classes on any kernel has its bit, and kill, by which a kernel counts the rule. */
static void assert_with(const struct rule *rule, const char *arch, const char *of)
{
	struct call calls[CLASS_MAX];
	struct row row;

	assert_true(has(rule->data, (uint32_t)names_syscall("kill", names_machine(arch))));
	for (const char *at = classes; (at = next_row(at, &row));) {
		if (strcmp(row.arch, arch) != 0 || !strchr(of, row.class))
			continue;
		for (size_t i = 0, n = row_calls(&row, calls); i < n; i++)
			if (!has(rule->data, calls[i].number))
				fail_msg("%s (%s %u) of class %c of Linux %s is not in the mask", calls[i].name, arch,
					 calls[i].number, row.class, row.kernels);
	}
}

static void check_narrowed(const char *line, const char *machine, const char *arch, const char *in,
			   const char *out)
{
	struct rule_set set = read_set(line, machine, true);
	_cleanup_text_ struct text printed = { 0 };

	assert_int_equal(set.n_rules, 1);
	assert_with(&set.rules[0], arch, in);
	assert_without(&set.rules[0], arch, out);
	for (uint32_t n = NEW_FIRST; n < 1000; n++)
		assert_true(has(set.rules[0].data, n));
	assert_int_equal(set.rules[0].data->mask[63] & DATA_CLASS_BITS, 0);
	assert_true(rule_print(&printed, set.rules[0].data, set.rules[0].size));
	assert_true(printed.len < 4000);
	rule_set_done(&set);
}

static void a_rule_with_perm_has_the_calls_that_perm_can_match(void **state)
{
	check_narrowed("-a always,exit -F arch=b64 -F dir=/d -F perm=w -k a", "x86_64", "x86_64", "wos",
		       "getppid getpid read write close execve chmod mmap fstat stat futex readlink getxattr");
	check_narrowed("-a always,exit -F arch=b64 -F dir=/d -F perm=r -k a", "x86_64", "x86_64", "ro",
		       "getppid unlink truncate creat chmod execve");
	check_narrowed("-a always,exit -F arch=b64 -F dir=/d -F perm=a -k a", "x86_64", "x86_64", "a",
		       "getppid open openat openat2 unlink execve");
	check_narrowed("-a always,exit -F arch=b64 -F path=/x -F perm=x -k a", "x86_64", "x86_64", "x",
		       "getppid open openat openat2 unlink chmod link");
	check_narrowed("-a always,exit -F arch=b64 -F path=/x -F perm=rwxa -k a", "x86_64", "x86_64",
		       "wrosax", "getppid getpid read write close mmap fstat");
	check_narrowed("-a always,exit -F arch=b32 -F dir=/d -F perm=wa -k a", "x86_64", "i386",
		       "wosa", "getppid getpid read write close execve readlink");
	check_narrowed("-a always,exit -F arch=b64 -F dir=/d -F perm=wa -k a", "aarch64", "aarch64",
		       "wosa", "getppid getpid read write close execve readlinkat");
	check_narrowed("-a always,exit -F arch=b32 -F dir=/d -F perm=rx -k a", "aarch64", "arm", "rox",
		       "getppid getpid read write close unlink chmod");
	/* Without an architecture, or with all but one, it meets both. */
	check_narrowed("-w /d -p wa -k a", "x86_64", "x86_64", "wosa", "getppid read write close");
	check_narrowed("-w /d -p wa -k a", "x86_64", "i386", "wosa", "read write");
	check_narrowed("-w /x -k a", "aarch64", "aarch64", "wrosax", "getppid read write close");
	check_narrowed("-w /x -k a", "aarch64", "arm", "wrosax", "read write");
	check_narrowed("-a never,exit -F arch!=b64 -F dir=/d -F perm=wa", "x86_64", "i386", "wosa", "");
	check_narrowed("-A always,exit -F dir=/d -F perm=wa -F auid>=1000 -k a", "x86_64", "x86_64", "wos", "getppid");
}

static void calls_that_libaudit_is_too_old_to_know_are_among_them(void **state)
{
	struct rule_set set = read_set("-a always,exit -F arch=b64 -F dir=/d -F perm=wa -k a", "x86_64", true);
	static const uint32_t numbers[] = { 437, 443, 452, 463, 466, 467, 469 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_true(has(set.rules[0].data, numbers[i]));
	rule_set_done(&set);
}

static void a_rule_with_a_path_too_long_for_its_list_keeps_all_calls(void **state)
{
	_cleanup_text_ struct text line = { 0 };
	struct rule_set set;

	text_add(&line, "-w /x");
	while (line.len < 4000)
		text_add(&line, "/abcdefghi");
	text_add(&line, " -p wa -k a");
	set = read_set(line.s, "x86_64", true);
	assert_true(data_mask_all(set.rules[0].data));
	rule_set_done(&set);
}

static void optimising_again_changes_nothing(void **state)
{
	static const char set_text[] =
		"-w /d -p wa -k a\n-w /x -p wa -k b\n-a always,exit -F arch=b64 -S 1000 -k a\n"
		"-a never,exit -S 1001 -F uid=1\n-a always,exit -F arch=b64 -S 1001 -k a\n"
		"-a always,exit -F arch=b64 -S 1002 -k a\n-A always,exit -F dir=/d -F perm=x\n";
	struct rule_set once = read_set(set_text, "x86_64", true), twice = { 0 };
	_cleanup_text_ struct text content = { 0 };

	for (size_t i = 0; i < once.n_rules; i++) {
		assert_true(rule_print(&content, once.rules[i].data, once.rules[i].size));
		text_add(&content, "\n");
	}
	twice = read_set(content.s, "x86_64", true);
	assert_int_equal(twice.n_rules, once.n_rules);
	for (size_t i = 0; i < once.n_rules; i++)
		assert_memory_equal(once.rules[i].data, twice.rules[i].data, once.rules[i].size);
	rule_set_done(&once);
	rule_set_done(&twice);
}

/* --- a model of the kernel ---------------------------------------------------------------- */

struct event {
	uint32_t arch, number, uid, flags;	/* flags: of an open, or the call of socketcall */
	uint32_t exit, a0, family;	/* family: 0 for none */
	uint32_t n_names;
	char names[2];	/* the last letters of the paths of its files; in /d when in lower case */
};

/* xorshift64 */
static uint32_t draw(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 33) % n;
}

/* A kernel's classes and what its classifier singles out. As a later kernel might, it has put calls from
 * NEW_FIRST on into classes, at random. */
struct model {
	uint32_t arch;
	uint8_t perms[2048];
	bool by_flags[2048];
	uint32_t socketcall;
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

static void add_class(struct model *model, const struct row *row)
{
	struct call calls[CLASS_MAX];

	for (size_t i = 0, n = row_calls(row, calls); i < n; i++) {
		assert_true(calls[i].number < ARRAY_SIZE(model->perms));
		if (row->class == 'o')
			model->by_flags[calls[i].number] = true;
		else if (row->class == 's')
			model->socketcall = calls[i].number;
		else
			model->perms[calls[i].number] |= (uint8_t)perms_of(row);
	}
}

static void init_model(struct model *model, const char *arch, const char *kernel)
{
	uint64_t random = 99;
	struct row row;

	*model = (struct model){ .arch = names_machine(arch), .socketcall = UINT32_MAX };
	for (const char *at = classes; (at = next_row(at, &row));)
		if (strcmp(row.arch, arch) == 0 && has_word(row.kernels, kernel))
			add_class(model, &row);
	for (uint32_t n = NEW_FIRST; n < 1000; n++)
		model->perms[n] = (uint8_t)draw(&random, 16);
}

/* The kernels that there are rows of, by name; at most 8. */
static size_t find_kernels(char kernels[8][16])
{
	struct row row;
	size_t n = 0;

	for (const char *at = classes; (at = next_row(at, &row));) {
		char *rest = NULL;

		for (char *name = strtok_r(row.kernels, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
			bool known = false;

			for (size_t i = 0; i < n; i++)
				known = known || strcmp(kernels[i], name) == 0;
			if (known)
				continue;
			assert_true(n < 8);
			snprintf(kernels[n++], sizeof(kernels[0]), "%s", name);
		}
	}
	return n;
}

/* kernel/auditsc.c audit_match_perm() */
static bool match_perm(const struct model *model, const struct event *e, uint32_t perms)
{
	static const uint32_t access[] = {
		AUDIT_PERM_READ, AUDIT_PERM_WRITE, AUDIT_PERM_READ | AUDIT_PERM_WRITE,
		AUDIT_PERM_READ | AUDIT_PERM_WRITE,
	};

	if (e->number >= 2048)
		return false;
	if (model->by_flags[e->number])
		return perms & access[e->flags & 3];
	if (e->number == model->socketcall)
		return perms & AUDIT_PERM_WRITE && e->flags == 2;
	return perms & model->perms[e->number];
}

/* A set as the kernel has it: in the order of its lists and buckets, an earlier one of higher prio. */
struct kernel {
	const struct model *models;
	const struct rule_set *set;
	uint32_t order[64];
	bool turned;	/* the files were replaced: the buckets are in the other order */
	bool linked;	/* /d/a is the same file as /x/A */
};

/* One field; name is the file at hand in a bucket, or 0. */
static bool match_field(const struct kernel *kernel, const struct event *e, char name,
			const struct data_field *f)
{
	const struct model *models = kernel->models;
	bool result = false;

	switch (f->field) {
	case AUDIT_ARCH:
		result = e->arch == f->value;
		break;
	case AUDIT_UID:
		result = e->uid == f->value;
		break;
	case AUDIT_EXIT:
		return data_compare(e->exit, f->operator, f->value);
	case AUDIT_ARG0:
		return data_compare(e->a0, f->operator, f->value);
	case AUDIT_SADDR_FAM:
		return e->family && data_compare(e->family, f->operator, f->value);
	case AUDIT_PERM:
		result = match_perm(e->arch == models[0].arch ? &models[0] : &models[1], e, f->value);
		break;
	case AUDIT_WATCH:
		return name == f->text[f->len - 1] ||
		       (kernel->linked && (name ^ f->text[f->len - 1]) == ('a' ^ 'A'));
	case AUDIT_DIR:
		for (uint32_t i = 0; i < e->n_names; i++)
			result = result || e->names[i] >= 'a';
		return result;
	case AUDIT_FILTERKEY:
		return true;
	default:
		fail_msg("field %u", f->field);
	}
	return f->operator == AUDIT_EQUAL ? result : !result;
}

static bool matches(const struct kernel *kernel, const struct event *e, char name,
		    const struct audit_rule_data *data)
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	/* The class bits are gone when the kernel has the rule. */
	if (e->number >= 2032 || !has(data, e->number))
		return false;
	while (data_next(data, &at, &offset, &field))
		if (!match_field(kernel, e, name, &field))
			return false;
	return true;
}

static const struct rule *find_in_bucket(const struct kernel *kernel, const struct event *e, char name,
					 size_t before)
{
	size_t n = kernel->set->n_rules;

	for (size_t i = 0; i < n; i++) {
		size_t place = kernel->turned ? n - 1 - i : i;
		const struct rule *rule = &kernel->set->rules[kernel->order[place]];

		if (data_list(rule->data) == AUDIT_FILTER_EXIT && data_has(rule->data, AUDIT_WATCH) &&
		    place < before && matches(kernel, e, name, rule->data))
			return rule;
	}
	return NULL;
}

/* audit_filter_syscall(), then audit_filter_inodes(). */
static const struct rule *decide(const struct kernel *kernel, const struct event *e)
{
	size_t place = 0, n = kernel->set->n_rules;
	const struct rule *rule, *found;

	for (; place < n; place++) {
		rule = &kernel->set->rules[kernel->order[place]];
		if (data_list(rule->data) == AUDIT_FILTER_EXIT && !data_has(rule->data, AUDIT_WATCH) &&
		    matches(kernel, e, 0, rule->data))
			break;
	}
	for (uint32_t i = 0; i < e->n_names; i++) {
		found = find_in_bucket(kernel, e, e->names[i], place);
		if (found)
			return found;
	}
	return place < n ? &kernel->set->rules[kernel->order[place]] : NULL;
}

/* The key, for an event that is written down. */
static void read_key(const struct audit_rule_data *data, char ret[8])
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	strcpy(ret, "");
	while (data_next(data, &at, &offset, &field))
		if (field.field == AUDIT_FILTERKEY)
			snprintf(ret, 8, "%.*s", (int)field.len, field.text);
}

/* It is decided by rules with the same action and key. */
static void assert_same(const struct rule *a, const struct rule *b, const char *content,
			const struct event *e)
{
	struct text line = { 0 }, other = { 0 };
	char keys[2][8] = { "", "" };

	if (a)
		read_key(a->data, keys[0]);
	if (b)
		read_key(b->data, keys[1]);
	if ((!a && !b) || (a && b && a->data->action == b->data->action && strcmp(keys[0], keys[1]) == 0))
		return;
	if (a)
		rule_print(&line, a->data, a->size);
	if (b)
		rule_print(&other, b->data, b->size);
	fail_msg("call %u of %x, uid %u, flags %u, exit %d, a0 %u, family %u, %u files %.2s: decided by \"%s\", optimised by \"%s\", in\n%s",
		 e->number, e->arch, e->uid, e->flags, (int)e->exit, e->a0, e->family, e->n_names, e->names, line.s ? line.s : "",
		 other.s ? other.s : "", content);
}

/* Numbers that some rule may have, and some that none has. */
static uint32_t draw_number(uint64_t *random, uint32_t arch)
{
	static const char *const names[] = {
		"open", "openat", "creat", "unlink", "rename", "chmod", "fchmod", "setxattr", "execve",
		"readlink", "getppid", "close", "socketcall", "link", "truncate", "quotactl",
	};
	uint32_t kind = draw(random, 9);
	int number = names_syscall(names[draw(random, ARRAY_SIZE(names))], arch);

	if (kind == 0)
		return draw(random, 2048);
	if (kind == 1)
		return 437 + draw(random, 40);
	if (kind == 2)
		return number < 0 ? 2047 : (uint32_t)number | 0x40000000;
	if (kind == 3)
		return 990 + draw(random, 36);
	return number < 0 ? draw(random, 450) : (uint32_t)number;
}

#define WORD "992,993,994,995,996,997,998,999,1000,1001,1002,1003,1004,1005,1006,1007,1008,1009,1010,1011,1012,1013,1014,1015," \
	"1016,1017,1018,1019,1020,1021,1022,1023"

/* The same kind gives rules that differ in their system calls only. */
static void add_random_rule(struct text *out, uint64_t *random, uint64_t kind)
{
	static const char *const arches[] = { "", " -F arch=b64", " -F arch=b64", " -F arch=b32" };
	static const char *const calls[] = {
		"all", "all", "all", "openat", "openat,execve", "unlink,rename", "chmod,fchmod", "fchmod", "chmod", "chmod", "fchmod",
		"getppid", "setxattr,close", "470,999,1000",
		/* All of a word of the mask, and some of it. */
		WORD, "999,1001", "1001,chmod",
	};
	static const char *const places[] = {
		"", "", " -F dir=/d", " -F dir=/d", " -F path=/d/a", " -F path=/d/b", " -F path=/x/A",
	};
	static const char *const perms[] = {
		"", "", " -F perm=w", " -F perm=wa", " -F perm=r", " -F perm=x",
	};
	static const char *const fields[] = { "", "", "", " -F uid=1", " -F uid!=1" };
	static const char *const keys[] = { "", " -k a", " -k a", " -k b" };
	static const char *const numbers[] = {
		"", "", "", " -F exit=-1", " -F exit=-13", " -F exit=-2", " -F exit!=0", " -F a0=1", " -F a0=3", " -F a0>=2 -F a0<=4",
		" -F a0!=2", " -F a0=1 -F exit=-1", " -F a0=2 -F exit=-1", " -F saddr_fam=2", " -F saddr_fam=10", " -F saddr_fam!=2",
		" -F saddr_fam<=10 -F saddr_fam>=3", " -F a0>1 -F exit=-13",
	};
#define ONE(of) of[draw(&kind, ARRAY_SIZE(of))]

	text_addf(out, "%s %s,exit%s", draw(draw(&kind, 2) ? random : &kind, 8) ? "-a" : "-A", draw(&kind, 5) ? "always" : "never",
		  ONE(arches));
	text_addf(out, "%s%s%s", ONE(places), ONE(perms), ONE(fields));
	/* Or in their numbers only. */
	if (draw(&kind, 2))
		text_addf(out, "%s -S %s%s\n", numbers[draw(random, ARRAY_SIZE(numbers))], ONE(calls), ONE(keys));
	else
		text_addf(out, "%s -S %s%s\n", ONE(numbers), calls[draw(random, ARRAY_SIZE(calls))], ONE(keys));
#undef ONE
}

static struct event draw_event(uint64_t *random, const struct model *models)
{
	static const uint32_t exits[] = { 0, 3, (uint32_t)-1, (uint32_t)-2, (uint32_t)-13 }, families[] = { 0, 1, 2, 3, 10, 11 };
	static const char files[] = "abAB";
	struct event e = {
		.arch = models[draw(random, 3) == 0].arch, .uid = draw(random, 3), .flags = draw(random, 4),
		.n_names = draw(random, 3), .exit = exits[draw(random, ARRAY_SIZE(exits))], .a0 = draw(random, 6),
		.family = families[draw(random, ARRAY_SIZE(families))],
	};

	e.number = draw_number(random, e.arch);
	for (uint32_t i = 0; i < e.n_names; i++)
		e.names[i] = files[draw(random, 4)];
	return e;
}

/* kernel/auditfilter.c audit_compare_rule(): which two are the same decides what is behind the list and the prepend bit, which is
 * gone once a rule is in. */
static bool is_refused(const struct rule *later, const struct rule *earlier)
{
	const size_t flags = sizeof(later->data->flags);

	return later->size == earlier->size && later->data->flags == data_list(earlier->data) &&
	       memcmp((const char *)later->data + flags, (const char *)earlier->data + flags, later->size - flags) == 0;
}

/* The kernel takes each of them. */
static void assert_loads(const struct rule_set *set, const char *content)
{
	for (size_t i = 0; i < set->n_rules; i++)
		for (size_t k = 0; k < i; k++)
			if (is_refused(&set->rules[i], &set->rules[k])) {
				_cleanup_text_ struct text line = { 0 };

				rule_print(&line, set->rules[i].data, set->rules[i].size);
				fail_msg("the kernel has \"%s\" already, of\n%s", line.s ? line.s : "", content);
			}
}

/* Returns how many rules the optimiser did away with. */
static size_t check_random_set(uint64_t *random, const char *machine, const struct model *models)
{
	_cleanup_text_ struct text content = { 0 };
	struct kernel plain = { .models = models }, optimised;
	struct rule_set before, after;
	uint32_t n_rules = 2 + draw(random, 14);
	uint64_t kinds[6];
	size_t gone;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		kinds[i] = 1 + draw(random, UINT32_MAX);
	for (uint32_t i = 0; i < n_rules; i++)
		add_random_rule(&content, random, kinds[draw(random, ARRAY_SIZE(kinds))]);
	before = read_set(content.s, machine, false);
	after = read_set(content.s, machine, true);
	assert_loads(&after, content.s);
	plain.turned = draw(random, 2);
	plain.linked = draw(random, 2);
	optimised = plain;
	plain.set = &before;
	optimised.set = &after;
	lint_kernel_order(&before, plain.order);
	lint_kernel_order(&after, optimised.order);
	for (unsigned i = 0; i < 200; i++) {
		struct event e = draw_event(random, models);

		assert_same(decide(&plain, &e), decide(&optimised, &e), content.s, &e);
	}
	gone = before.n_rules - after.n_rules;
	rule_set_done(&before);
	rule_set_done(&after);
	return gone;
}

static void random_sets_decide_random_events_alike(void **state)
{
	static const char *const machines[][2] = { { "x86_64", "i386" }, { "aarch64", "arm" } };
	struct model models[8][2];
	uint64_t random = 20240229;
	char kernels[8][16];
	size_t gone = 0, n_kernels = find_kernels(kernels);

	assert_true(n_kernels > 0);
	for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
		for (size_t k = 0; k < n_kernels; k++)
			for (size_t of = 0; of < 2; of++)
				init_model(&models[k][of], machines[m][of], kernels[k]);
		for (unsigned i = 0; i < 1500; i++)
			gone += check_random_set(&random, machines[m][0], models[i % n_kernels]);
	}
	/* The sets are such that there is something to do. */
	assert_true(gone > 2000);
}

/* kernel/auditfilter.c audit_filter(): one rule whose fields are all true drops the record, whatever its action. */
static bool drops(const struct rule_set *set, uint32_t type, uint32_t uid)
{
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct audit_rule_data *data = set->rules[i].data;
		bool all = data->field_count > 0;

		for (uint32_t k = 0; k < data->field_count; k++)
			all = all && data_compare(data->fields[k] == AUDIT_MSGTYPE ? type : uid, data->fieldflags[k], data->values[k]);
		if (all)
			return true;
	}
	return false;
}

static void random_sets_drop_the_same_records(void **state)
{
	static const char *const operators[] = { "=", "=", "=", "!=", ">=", "<=", ">", "<" };
	static const char *const users[] = { "", "", "", " -F uid=1", " -F uid!=1" };
	enum { FIRST = 1300, TYPES = 16 };
	uint64_t random = 20261129;
	size_t gone = 0;

	for (unsigned n = 0; n < 2000; n++) {
		_cleanup_text_ struct text content = { 0 };
		struct rule_set before, after;

		for (uint32_t i = 2 + draw(&random, 8); i > 0; i--) {
			text_addf(&content, "%s %s,exclude", draw(&random, 8) ? "-a" : "-A", draw(&random, 5) ? "always" : "never");
			for (uint32_t k = 1 + draw(&random, 2); k > 0; k--)
				text_addf(&content, " -F msgtype%s%u", operators[draw(&random, ARRAY_SIZE(operators))],
					  FIRST + draw(&random, TYPES));
			text_addf(&content, "%s\n", users[draw(&random, ARRAY_SIZE(users))]);
		}
		before = read_set(content.s, "x86_64", false);
		after = read_set(content.s, "x86_64", true);
		assert_loads(&after, content.s);
		for (uint32_t type = FIRST - 1; type <= FIRST + TYPES; type++)
			for (uint32_t uid = 0; uid < 3; uid++)
				if (drops(&before, type, uid) != drops(&after, type, uid))
					fail_msg("type %u, uid %u, in\n%s", type, uid, content.s);
		gone += before.n_rules - after.n_rules;
		rule_set_done(&before);
		rule_set_done(&after);
	}
	assert_true(gone > 300);
}

/* The rows of a file, in place of the recorded ones. */
static char *read_classes(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct text text = { 0 };
	char line[8192];

	if (!f) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
	while (fgets(line, sizeof(line), f))
		text_add(&text, line);
	return text_take(&text);
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *given = argc > 1 ? read_classes(argv[1]) : NULL;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_differ_in_system_calls_only_become_one),
		cmocka_unit_test(rules_with_the_same_result_in_between_do_not_hinder),
		cmocka_unit_test(rules_that_differ_in_one_number_only_become_one),
		cmocka_unit_test(no_rule_becomes_equal_to_one_that_has_another_place),
		cmocka_unit_test(rules_that_may_not_move_stay),
		cmocka_unit_test(rules_do_not_move_over_one_that_went_up),
		cmocka_unit_test(a_merged_list_that_no_line_has_room_for_is_not_made),
		cmocka_unit_test(every_call_of_every_class_is_in_the_table),
		cmocka_unit_test(a_rule_with_perm_has_the_calls_that_perm_can_match),
		cmocka_unit_test(calls_that_libaudit_is_too_old_to_know_are_among_them),
		cmocka_unit_test(a_rule_with_a_path_too_long_for_its_list_keeps_all_calls),
		cmocka_unit_test(optimising_again_changes_nothing),
		cmocka_unit_test(random_sets_decide_random_events_alike),
		cmocka_unit_test(random_sets_drop_the_same_records),
	};

	if (given)
		classes = given;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
