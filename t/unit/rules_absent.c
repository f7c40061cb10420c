/* rules/judge/absent.c: what the kernel refuses for want of a directory, and what was meant instead. */
#include "t/unit/test.h"

#include "rules/judge/absent.h"
#include "rules/rules.h"

/* A host with /etc, /usr and /data, /etc/a in the first; one whose files cannot be seen. */
static int path_type(void *context, const char *path, bool *ret_directory)
{
	static const char *const there[] = { "/", "/etc", "/usr", "/data", "/etc/a", "/etc/dir" };

	*ret_directory = strcmp(path, "/etc/a") != 0;
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		if (strcmp(path, there[i]) == 0)
			return 1;
	return 0;
}

static int unseen(void *context, const char *path, bool *ret_directory)
{
	return RULES_UNKNOWN;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	return 0;
}

static const struct rules_host host = { path_type, look_up, look_up, NULL, NULL, NULL };
static const struct rules_host blind = { unseen, look_up, look_up, NULL, NULL, NULL };

/* The directory that a rule lacks; NULL for none. */
static char *lacks(const char *rule, const struct rules_host *from)
{
	struct capture said;
	struct rule_set set = {0};
	struct text directory = {0};
	struct rules_env env = { .host = from, .machine = "x86_64" };
	bool refused;

	capture_begin(&said);
	env.log = said.log;
	assert_int_equal(rules_read_line(&set, &env, "F", 1, rule), 0);
	refused = absent_refuses(set.rules[0].data, from, &directory);
	assert_int_equal(refused, directory.s != NULL);
	rule_set_done(&set);
	capture_end(&said);
	return directory.s;
}

static void a_missing_directory_is_what_the_kernel_refuses(void **state)
{
	static const struct { const char *rule, *directory; } rows[] = {
		{ "-w /etc/a -p wa -k k", NULL },
		{ "-w /etc/new -p wa -k k", NULL },
		{ "-w /new -p wa -k k", NULL },
		{ "-w /run/x/new -p wa -k k", "/run/x" },
		/* auditctl would watch it as a file that is never there. */
		{ "-w /etc/new/ -p wa -k k", "/etc/new" },
		{ "-w /etc/dir/ -p wa -k k", NULL },
		{ "-w /etc/a/b -p wa -k k", "/etc/a" },
		{ "-a always,exit -F path=/run/x/new -F perm=wa -k k", "/run/x" },
		{ "-a always,exit -F dir=/etc/new -F perm=wa -k k", "/etc/new" },
		{ "-a always,exit -F dir=/etc/dir -F perm=wa -k k", NULL },
		{ "-a always,exit -F exe=/run/x/program -F uid=0 -k k", "/run/x" },
		{ "-a never,exclude -F exe!=/run/x/program", "/run/x" },
		{ "-a always,exit -F exe=/etc/program -F uid=0 -k k", NULL },
		{ "-a always,exit -F arch=b64 -S mount -k /run/x/y", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *directory = lacks(rows[i].rule, &host), *none = lacks(rows[i].rule, &blind);

		if (rows[i].directory)
			assert_string_equal(directory ? directory : "none", rows[i].directory);
		else
			assert_null(directory);
		assert_null(none);
	}
}

static void check(const char *rule, bool fails, const struct rules_host *from, const char *errors)
{
	struct capture said;
	struct rule_set set = {0};
	struct rules_env env = { .host = from, .machine = "x86_64", .absent_fails = fails };
	int r;

	capture_begin(&said);
	env.log = said.log;
	assert_int_equal(rules_read_line(&set, &env, "F", 7, rule), 0);
	r = absent_check(&set, &env);
	assert_string_equal(capture_text(&said), errors);
	assert_int_equal(r, *errors ? -EINVAL : 0);
	rule_set_done(&set);
	capture_end(&said);
}

#define E "cloud-audit-setup: error: F:7: "

static void a_first_part_that_is_misspelt_is_an_error(void **state)
{
	static const char *const fine[] = {
		/* A name of somebody's own, or one that hosts may have. */
		"/dat/x", "/data2/x", "/srv/x", "/app/x", "/usr2/x", "/nsm/x", "/etc/a", "/etcetera/x", "/usr/nothing/x",
	};

	check("-w /ect/passwd -p wa -k k", false, &host, E "/ect/passwd: there is no /ect on the host; did you mean /etc? (make "
	      "/ect before, if it is meant)\n");
	check("-a always,exit -F exe=/user/bin/x -F uid=0 -k k", false, &host, E "/user/bin/x: there is no /user on the host; did "
	      "you mean /usr? (make /user before, if it is meant)\n");
	check("-a always,exit -F dir=/et -F perm=wa -k k", false, &host, E "/et: there is no /et on the host; did you mean /etc? "
	      "(make /et before, if it is meant)\n");
	check("-w /ect/passwd -p wa -k k", false, &blind, "");
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
		_cleanup_free_ char *rule = NULL;

		assert_true(asprintf(&rule, "-w %s -p wa -k k", fine[i]) > 0);
		check(rule, false, &host, "");
	}
}

static void absent_fail_makes_each_an_error(void **state)
{
	check("-w /run/x/y -p wa -k k", true, &host, E "the kernel would refuse this rule: /run/x is not on the host, and [rules] "
	      "absent = fail; make it, or leave the rule out with absent = warn\n");
	check("-w /run/x/y -p wa -k k", false, &host, "");
	check("-w /run/x/y -p wa -k k", true, &blind, "");
	check("-w /etc/new -p wa -k k", true, &host, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a rule on a path whose directory is not there is one that the kernel refuses", a_missing_directory_is_what_the_kernel_refuses),
		TEST("a path whose first part is misspelt is an error", a_first_part_that_is_misspelt_is_an_error),
		TEST("absent = fail makes each of them an error", absent_fail_makes_each_an_error),
	};

	return RUN(tests);
}
