/* Every warning about a set: a file that earns it, and one beside it that does not. */
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rules/judge/lint.h"
#include "rules/parse/warnings.h"
#include "rules/rules.h"

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = strcmp(path, "/etc") == 0 || strcmp(path, "/") == 0;
	return strcmp(path, "/absent") != 0 && strncmp(path, "/absent/", 8) != 0 &&
	       strcmp(path, "/etc/absent") != 0;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	return 0;
}

static void late(void *context, const char *directory, struct text *out)
{
	if (strcmp(directory, "/etc/later") == 0)
		text_add(out, "it comes later");
}

static const struct rules_host host = { path_type, look_up, look_up, late, NULL };

/* The messages about a file without mistakes; *ret_warnings counts the warnings. */
static char *said(const char *content, bool shipped, unsigned *ret_warnings)
{
	char *messages = NULL;
	size_t size;
	FILE *f = open_memstream(&messages, &size);
	struct rules_env env = { .log = log_new(f), .host = &host, .machine = "x86_64", .shipped = shipped };
	struct rule_set set = { 0 };

	assert_int_equal(rules_read(&set, &env, "F", content, strlen(content)), 0);
	assert_int_equal(rules_finish(&set, &env), 0);
	*ret_warnings = log_count(env.log, LEVEL_WARNING);
	rule_set_done(&set);
	log_free(env.log);
	fclose(f);
	return messages;
}

struct row {
	const char *content;
	const char *lints;	/* "LINE:NAME LINE:NAME " */
};

/* "LINE:NAME " for every warning in messages. */
static void collect(struct text *out, char *messages)
{
	char *line, *rest = NULL, *name;

	for (line = strtok_r(messages, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		assert_true(strncmp(line, "cloud-audit-setup: warning: F:", 30) == 0);
		name = strstr(line, " [lint: ");
		assert_non_null(name);
		text_addf(out, "%lu:%.*s ", strtoul(line + 30, NULL, 10), (int)strcspn(name + 8, "]"),
			  name + 8);
	}
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_text_ struct text lints = { 0 };
		unsigned warnings;
		_cleanup_free_ char *messages = said(rows[i].content, false, &warnings);

		collect(&lints, messages);
		assert_string_equal(lints.s ? lints.s : "", rows[i].lints);
	}
}

static void rules_that_an_earlier_one_hides_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-w /etc -p wa -k a\n-w /etc -p wa -k b\n", "2:unreachable " },
		{ "-w /etc -p wa -k a\n-w /etc -p r -k b\n", "" },
		{ "-a never,exit -F auid=5\n-a always,exit -F path=/x -F auid=5 -k k\n", "2:unreachable " },
		{ "-a always,exit -F path=/x -F auid=5 -k k\n-a never,exit -F auid=5\n", "" },
		{ "-a always,exit -F path=/x -F auid=5 -k k\n-A never,exit -F auid=5\n", "1:unreachable " },
		{ "-a never,exit -F auid=5\n-a always,exit -F path=/x -F auid>5 -k k\n", "" },
		/* Two rules together take all system calls of the third. */
		{ "-a never,exit -F arch=b64 -S 1000 -F uid=0\n-a never,exit -F arch=b64 -S 1001 -F uid=0\n"
		  "-a never,exit -F arch=b64 -S 1000,1001 -F uid=0 -F gid=0\n", "3:unreachable " },
		{ "-a never,exit -F arch=b64 -S 1000 -F uid=0\n"
		  "-a never,exit -F arch=b64 -S 1000,1001 -F uid=0 -F gid=0\n", "" },
		/* Another list hides nothing. */
		{ "-a never,user -F uid=0\n-a never,exit -F uid=0 -F gid=0\n", "" },
		{ "-a never,exit -F a0=1\n-a never,exit -F uid=0 -F gid=0 -F pid=1 -F a1=1 -F a2=1 -F a3=1 -F a0=1\n",
		  "2:unreachable " },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void records_that_go_missing_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-a never,task\n", "1:never-task " },
		{ "-a always,task\n", "" },
		{ "-a always,exclude -F msgtype=SYSCALL\n", "1:exclude " },
		{ "-a never,exclude -F msgtype>0\n", "1:exclude " },
		{ "-a always,exclude -F msgtype>=1300 -F msgtype<=1399\n", "1:exclude " },
		{ "-a always,exclude -F msgtype=CWD\n-a always,exclude -F msgtype=PROCTITLE\n", "" },
		{ "-a always,exclude -F msgtype=SYSCALL -F auid=5\n", "" },
		{ "-a always,exclude -F auid=5\n", "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void system_calls_of_one_architecture_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -S mount -F uid=0 -k k\n", "1:no-arch " },
		{ "-a always,exit -F uid=0 -S all -k k\n", "" },
		{ "-a always,exit -F arch=b64 -S mount -F uid=0 -k k\n", "1:no-b32 " },
		{ "-a always,exit -F arch=b64 -S mount -F uid=0 -k k\n"
		  "-a always,exit -F arch=b32 -S mount,umount -F uid=0 -k other\n", "" },
		{ "-a always,exit -F arch=b64 -S mount -F uid=0 -k k\n"
		  "-a always,exit -F arch=b32 -S mount -F uid=1 -k k\n", "1:no-b32 " },
		/* 32-bit programs have no such call. */
		{ "-a always,exit -F arch=b64 -S newfstatat -F uid=0 -k k\n", "" },
		{ "-a never,exit -F arch=b64 -S mount\n", "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void paths_that_the_kernel_does_not_find_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-w /etc/absent -p wa -k k\n", "1:absent " },
		/* What the kernel would refuse is left out, and told then. */
		{ "-w /absent/file -p wa -k k\n", "" },
		{ "-a always,exit -F dir=/absent -k k\n", "" },
		{ "-a always,exit -F exe=/absent/x -F uid=0 -k k\n", "" },
		{ "-w /etc/later/x -p wa -k k\n", "1:late " },
		{ "-w /etc/later -p wa -k k\n", "" },
		{ "-a always,exit -F dir=/etc/later -k k\n", "1:late " },
		{ "-a always,exit -F exe=/etc/later/x -F uid=0 -k k\n", "1:late " },
		{ "-w /etc/*.conf -p wa -k k\n", "1:literal " },
		{ "-w /etc/../x -p wa -k k\n", "1:literal " },
		{ "-w /etc/..x -p wa -k k\n", "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void rules_that_log_too_much_or_namelessly_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch=b32 -S read,mount -k k\n", "1:hot " },
		{ "-a always,exit -F arch=b32 -S read -F auid>5 -k k\n", "" },
		{ "-a always,exit -F arch=b32 -S mmap -k k\n", "" },
		{ "-a always,exit -F arch=b32 -S mmap2 -k k\n", "1:hot " },
		{ "-a never,exit -F arch=b32 -S read\n", "" },
		{ "-a always,exit -S all -k k\n", "1:hot " },
		{ "-w /etc -p wa\n", "1:no-key " },
		{ "-a always,exit -F subj_role=x -S all -k k\n", "1:label " },
		{ "-a always,exit -F field_compare=99 -S all -k k\n", "1:comparison " },
		{ "-a always,exit -F field_compare=25 -S all -k k\n", "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* What is said of several warnings, in how many lines. */
static char *told(const char *content, enum log_level level)
{
	char *messages = NULL;
	size_t size;
	FILE *f = open_memstream(&messages, &size);
	struct rules_env env = { .log = log_new(f), .host = &host, .machine = "x86_64" };
	struct rule_set set = { 0 };

	log_set_level(env.log, level);
	env.warnings = warnings_new(env.log);
	assert_int_equal(rules_read(&set, &env, "F", content, strlen(content)), 0);
	assert_int_equal(rules_finish(&set, &env), 0);
	warnings_tell(env.warnings);
	warnings_tell(env.warnings);
	warnings_free(env.warnings);
	rule_set_done(&set);
	log_free(env.log);
	fclose(f);
	return messages;
}

#define W "cloud-audit-setup: warning: "
#define D "cloud-audit-setup: debug: "
#define NO_KEY ": a rule without a key (-k): its records cannot be told from others [lint: no-key]"

static void warnings_of_a_kind_are_one_line_with_the_first_place_and_the_count(void **state)
{
	static const char content[] = "-w /etc/a -p wa\n-w /etc/absent -p wa -k k\n-w /etc/b -p wa\n-w /etc/c -p wa\n";
	_cleanup_free_ char *few = told(content, LEVEL_INFO), *all = told(content, LEVEL_DEBUG);

	assert_string_equal(few, W "F:1" NO_KEY " (the first of 3; --verbose shows all)\n"
			    W "F:2: /etc/absent does not exist on the host [lint: absent]\n");
	assert_string_equal(all, W "F:1" NO_KEY "\n" W "F:3" NO_KEY "\n" W "F:4" NO_KEY "\n"
			    W "F:2: /etc/absent does not exist on the host [lint: absent]\n");
}

static void a_comment_on_the_line_before_accepts_a_warning(void **state)
{
	static const struct { const char *content, *messages; } rows[] = {
		{ "# lint: accept no-key\n-w /etc/a -p wa\n", "" },
		{ "# lint: accept no-key, absent\n-w /etc/absent -p wa\n", "" },
		{ "# lint: accept no-key\n-w /etc/a -p wa\n-w /etc/b -p wa\n", W "F:3" NO_KEY "\n" },
		{ "# lint: accept no-key\n\n-w /etc/a -p wa\n", W "F:3" NO_KEY "\n" W "F:1: no-key does not occur on the next "
		  "line any more; delete the comment [lint: accepted]\n" },
		{ "# lint: accept no-key\n-w /etc/a -p wa -k k\n", W "F:1: no-key does not occur on the next line any more; "
		  "delete the comment [lint: accepted]\n" },
		/* What depends on the host may occur on another. */
		{ "# lint: accept absent\n-w /etc/a -p wa -k k\n", "" },
		{ "# lint: accept nokey\n-w /etc/a -p wa -k k\n", W "F:1: there is no warning 'nokey'; did you mean 'no-key'? "
		  "[lint: accepted]\n" },
	};
	_cleanup_free_ char *shown = told(rows[0].content, LEVEL_DEBUG);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *messages = told(rows[i].content, LEVEL_INFO);

		assert_string_equal(messages, rows[i].messages);
	}
	assert_string_equal(shown, D "F:2: accepted" NO_KEY "\n");
}

static void a_rule_hidden_by_several_says_so(void **state)
{
	static const char content[] = "-a never,exit -F arch=b64 -S 1000 -F uid=0\n"
				      "-a always,exit -F arch=b64 -S 1000 -F uid=0 -F gid=0 -k k\n"
				      "-a always,exit -F arch=b64 -S 1001 -F uid=0 -k k\n"
				      "-a always,exit -F arch=b64 -S 1000,1001 -F uid=0 -F gid=0 -k k\n";
	unsigned warnings;
	_cleanup_free_ char *messages = said(content, false, &warnings);

	assert_string_equal(messages,
		"cloud-audit-setup: warning: F:2: this rule never comes to act: F:1, a rule with never, takes "
		"every event that it matches [lint: unreachable]\n"
		"cloud-audit-setup: warning: F:4: this rule never comes to act: F:1, a rule with never, together "
		"with others of the same fields takes every event that it matches [lint: unreachable]\n");
}

static void what_shipped_rules_are_meant_to_do_is_no_warning(void **state)
{
	static const char content[] = "-w /etc/absent -p wa -k k\n-w /etc/absent -p wa -k other\n";
	unsigned user, shipped;

	free(said(content, false, &user));
	free(said(content, true, &shipped));
	assert_int_equal(user, 3);
	assert_int_equal(shipped, 1);	/* unreachable */
}

static void every_lint_has_a_name_and_a_line_about_it(void **state)
{
	size_t n = 0;

	for (; lint_at(n); n++) {
		assert_true(strspn(lint_at(n)->name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
			    strlen(lint_at(n)->name));
		assert_null(strchr(lint_at(n)->what, '\n'));
	}
	assert_int_equal(n, 18);
}

static void ten_thousand_rules_take_less_than_200_ms(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
	const double limit = 5.0;	/* with every access checked */
#elif defined(EMULATED)
	const double limit = 60.0;	/* of a processor that is forty times slower, and not alone */
#else
	const double limit = 0.2;
#endif
	_cleanup_text_ struct text content = { 0 };
	FILE *null = fopen("/dev/null", "w");
	struct rules_env env = { .log = log_new(null), .host = &host };
	struct rule_set set = { 0 };
	clock_t start;

	for (int i = 0; i < 10000; i++)
		text_addf(&content, "-a always,exit -F arch=b64 -S open,openat,creat,truncate -F exit=-EACCES -F "
			  "auid>=%d -F auid!=unset -F path=/etc/%d -k access\n", i, i);
	start = clock();
	assert_int_equal(rules_read(&set, &env, "F", content.s, content.len), 0);
	assert_int_equal(rules_finish(&set, &env), 0);
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < limit);
	assert_int_equal(set.n_rules, 10000);
	rule_set_done(&set);
	log_free(env.log);
	fclose(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_an_earlier_one_hides_are_told),
		cmocka_unit_test(records_that_go_missing_are_told),
		cmocka_unit_test(system_calls_of_one_architecture_are_told),
		cmocka_unit_test(paths_that_the_kernel_does_not_find_are_told),
		cmocka_unit_test(rules_that_log_too_much_or_namelessly_are_told),
		cmocka_unit_test(warnings_of_a_kind_are_one_line_with_the_first_place_and_the_count),
		cmocka_unit_test(a_comment_on_the_line_before_accepts_a_warning),
		cmocka_unit_test(a_rule_hidden_by_several_says_so),
		cmocka_unit_test(what_shipped_rules_are_meant_to_do_is_no_warning),
		cmocka_unit_test(every_lint_has_a_name_and_a_line_about_it),
		cmocka_unit_test(ten_thousand_rules_take_less_than_200_ms),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
