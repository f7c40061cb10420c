/* Rules as lines that auditctl 3.0.9 and 4.0.2 read into the same bytes. */
#include <libaudit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "rules/rule/data.h"
#include "rules/rule/names.h"
#include "rules/rules.h"

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = strcmp(path, "/etc") == 0;
	return path[1] != '/' && path[1] != '\0';
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	*ret_id = 33;
	return 1;
}

static const struct rules_host host = { path_type, look_up, look_up, NULL, NULL, NULL };

/* The only rule of a line; data is the caller's. */
static struct audit_rule_data *read_one(const char *line, size_t *ret_size)
{
	struct rules_env env = { .log = log_new(stderr), .host = &host, .machine = "x86_64" };
	struct audit_rule_data *data;
	struct rule_set set = { 0 };

	assert_int_equal(rules_read_line(&set, &env, "F", 1, line), 0);
	assert_int_equal(set.n_rules, 1);
	data = TAKE(set.rules[0].data);
	*ret_size = set.rules[0].size;
	rule_set_done(&set);
	log_free(env.log);
	return data;
}

static void assert_printed(const struct audit_rule_data *data, size_t size, const char *line, bool exact)
{
	_cleanup_text_ struct text printed = { 0 };

	assert_int_equal(rule_print(&printed, data, size), exact);
	assert_string_equal(printed.s, line);
}

static void rules_are_printed_so_that_both_auditctl_agree(void **state)
{
	static const struct {
		const char *line, *printed;
	} rows[] = {
		{ "-w /etc/passwd -p wa -k id", "-a always,exit -F path=/etc/passwd -F perm=wa -F key=id" },
		{ "-w // -k id", "-a always,exit -F dir=// -F perm=rwxa -F key=id" },
		{ "-w /// -k id", "-a always,exit -F dir=/ -F perm=rwxa -F key=id" },
		{ "-w /etc/ -k id", "-a always,exit -F dir=/etc -F perm=rwxa -F key=id" },
		/* auditctl 4.0 would make a list of system calls of -F perm= after an architecture. */
		{ "-a always,exit -F arch=b64 -F path=/a -F perm=wa", "-a always,exit -F arch=x86_64 -F path=/a -p wa "
		  "-S all" },
		{ "-a always,exit -F arch=b64 -S open -F path=/a -F perm=wa -k x", "-a always,exit -F arch=x86_64 "
		  "-F path=/a -p wa -S open -F key=x" },
		{ "-a always,exit -F arch=b32 -S open,59,451 -k x", "-a always,exit -F arch=i386 -S "
		  "open,oldolduname,451 -F key=x" },
		{ "-a always,exit -S 59,2 -F uid=www-data", "-a always,exit -F uid=33 -S 2,59" },
		{ "-A never,exit -F auid=-1 -F sessionid!=-1 -F exit=-13 -F exit>5", "-A never,exit -F auid=unset -F "
		  "sessionid!=unset -F exit=-EACCES -F exit>5" },
		{ "-a always,exit -C auid!=obj_uid -F a1&0100 -F a2&=8", "-a always,exit -C auid!=obj_uid -F a1&64 -F "
		  "a2&=8" },
		{ "-a never,user -F field_compare=10 -F msgtype=1100", "-a never,user -F field_compare=10 -F "
		  "msgtype=USER_AUTH" },
		{ "-a always,exit -F exe=/a\\ b\\\\c -k a -k b\\ c", "-a always,exit -F exe=/a\\ b\\\\c -F key=a -F "
		  "key=b\\ c" },
		/* Only -w can have an operator in its path. */
		{ "-w /etc/a!=b -p r -k x", "-w /etc/a!=b -p r -F key=x" },
		{ "-w //etc/a!=b/ -p r -k x", "-w //etc/a!=b/ -p r -F key=x" },
		{ "-w /etc/a!=b -p r -F uid=0", "-w /etc/a!=b -p r -F uid=0" },
		{ "-S 2 -a never,user -F uid=0", "-S 2 -a never,user -F uid=0" },
		{ "-a always,exit -S 5 -F KEY=a -F uid=0", "-a always,exit -S 5 -F KEY=a -F uid=0" },
		{ "-a always,exit -F dir=/a -F KEY=a -F arch=b64", "-a always,exit -F dir=/a -F KEY=a -F "
		  "arch=x86_64 -S all" },
		{ "-a always,exit -F uid=0 -S all -k x", "-a always,exit -F uid=0 -S all -F key=x" },
		{ "-a task,always", "-a always,task" },
		{ "-a never,filesystem -F fstype=tracefs -k fs", "-a never,filesystem -F fstype=0x74726163 -F key=fs" },
		{ "-a always,exit -F filetype!=dir -F saddr_fam=10 -S all", "-a always,exit -F filetype!=dir -F "
		  "saddr_fam=10" },
		{ "-a always,exit -F arch!=0x16 -F uid=0", "-a always,exit -F arch!=s390 -F uid=0 -S all" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size;
		_cleanup_free_ struct audit_rule_data *data = read_one(rows[i].line, &size);

		assert_printed(data, size, rows[i].printed, true);
	}
}

static void a_rule_as_the_kernel_lists_it_is_printed_like_the_rule_sent(void **state)
{
	size_t size;
	_cleanup_free_ struct audit_rule_data *data = read_one("-A always,exit -F arch=b64 -S all -k x", &size);

	data->flags &= ~(uint32_t)AUDIT_FILTER_PREPEND;
	data->mask[AUDIT_BITMASK_SIZE - 1] &= ~DATA_CLASS_BITS;
	assert_printed(data, size, "-a always,exit -F arch=x86_64 -S all -F key=x", true);
}

static void what_no_rules_file_can_say_is_printed_for_people(void **state)
{
	struct audit_rule_data data = { .flags = 7, .action = AUDIT_ALWAYS, .field_count = 1,
					.fields = { AUDIT_UID }, .fieldflags = { AUDIT_EQUAL } };
	struct audit_rule_data odd = { .flags = AUDIT_FILTER_EXIT, .action = AUDIT_ALWAYS, .field_count = 2,
				       .fields = { 77, AUDIT_PERM }, .fieldflags = { 5, AUDIT_NOT_EQUAL },
				       .values = { 9, AUDIT_PERM_READ } };
	size_t size;
	_cleanup_free_ struct audit_rule_data *cut = read_one("-a always,exit -F exe=/a", &size);

	data.mask[0] = 6;
	assert_printed(&data, sizeof(data), "-a always,io_uring -F uid=0 -S 1,2", false);
	odd.mask[0] = 1;
	assert_printed(&odd, sizeof(odd), "-a always,exit -F field77?9 -F perm!=r -S 0", false);
	cut->buf[1] = '\n';
	assert_printed(cut, size, "-a always,exit -F exe=/\\x0a", false);
	cut->buflen = 1000;
	assert_printed(cut, size, "# malformed rule", false);
}

static void comparisons_are_those_of_libaudit(void **state)
{
	static const char *const names[] = {
		"auid", "uid", "euid", "suid", "fsuid", "obj_uid", "gid", "egid", "sgid", "fsgid", "obj_gid",
		"pid", "exit", "a0",
	};
	char pair[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
			struct audit_rule_data *data = audit_rule_create_data();
			uint32_t ours = names_comparison((uint32_t)names_field(names[i]),
							 (uint32_t)names_field(names[j]));

			snprintf(pair, sizeof(pair), "%s=%s", names[i], names[j]);
			if (audit_rule_interfield_comp_data(&data, pair, AUDIT_FILTER_EXIT) == 0)
				assert_int_equal(ours, data->values[0]);
			else
				assert_int_equal(ours, 0);
			audit_rule_free_data(data);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_printed_so_that_both_auditctl_agree),
		cmocka_unit_test(a_rule_as_the_kernel_lists_it_is_printed_like_the_rule_sent),
		cmocka_unit_test(what_no_rules_file_can_say_is_printed_for_people),
		cmocka_unit_test(comparisons_are_those_of_libaudit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
