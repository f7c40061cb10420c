/* Tables of rules files and what is said about them; complete messages. */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "rules/rules.h"

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = strcmp(path, "/etc") == 0 || strcmp(path, "/run/made") == 0;
	return strncmp(path, "/absent", 7) != 0 && strcmp(path, "/etc/absent") != 0;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	*ret_id = 33;
	return strcmp(name, "www-data") == 0;
}

static const struct rules_host host = { path_type, look_up, look_up, NULL, NULL, NULL };

static const struct rules_setting settings[] = {
	{ "-b", "8192", "[audit] backlog_limit = 8192", "config.ini:4", true },
	{ "-e", "2", "[audit] lock = yes", "built-in default", false },
	{ "-f", "1", "[audit] failure = printk", "config.ini:5", true },
	{ "-D", NULL, "[rules] existing = keep", "config.ini:9", true },
	{ "--backlog_wait_time", NULL, "[audit] backlog_wait_time = keep", "config.ini:6", true },
};

static const struct rules_setting unset[] = {
	{ "-b", "8192", "[audit] backlog_limit = 8192", "built-in default", false },
	{ "-e", "2", "[audit] lock = yes", "built-in default", false },
	{ "-f", "1", "[audit] failure = printk", "built-in default", false },
	{ "-r", "0", "[audit] rate_limit = 0", "built-in default", false },
	{ "-D", "", "[rules] existing = replace", "built-in default", false },
	{ "--backlog_wait_time", NULL, "[audit] backlog_wait_time = keep", "built-in default", false },
	{ "--loginuid-immutable", NULL, "[audit] loginuid_immutable = auto", "built-in default", false },
};

/* What reading and finishing a file says, without the program's name; *ret gets the rules. */
static char *said_with(const struct rules_setting *with, size_t n_with, struct rules_backlog *backlog,
		       const char *machine, const char *content, size_t size, struct rule_set *ret)
{
	char *messages = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&messages, &n);
	struct rules_env env = { .log = log_new(f), .host = &host, .settings = with, .n_settings = n_with,
				 .backlog = backlog, .machine = machine };
	int r = rules_read(ret, &env, "F", content, size);

	if (r == 0)
		r = rules_finish(ret, &env);
	assert_int_equal(r, log_count(env.log, LEVEL_ERROR) ? -EINVAL : 0);
	log_free(env.log);
	fclose(f);
	return messages;
}

static char *said(const char *machine, const char *content, size_t size, struct rule_set *ret)
{
	return said_with(settings, ARRAY_SIZE(settings), NULL, machine, content, size, ret);
}

/* AUDIT_WATCH or AUDIT_DIR of the only rule. */
static uint32_t form_of(const char *content, bool shipped)
{
	struct rules_env env = { .log = log_new(stderr), .host = &host, .machine = "x86_64", .shipped = shipped };
	struct rule_set set = { 0 };
	uint32_t form;

	assert_int_equal(rules_read(&set, &env, "F", content, strlen(content)), 0);
	form = set.rules[0].data->fields[0];
	rule_set_done(&set);
	log_free(env.log);
	return form;
}

static void a_watch_below_run_that_comes_with_the_program_is_what_it_says(void **state)
{
	assert_int_equal(form_of("-w /run/made\n", true), AUDIT_WATCH);
	assert_int_equal(form_of("-w /run/made/\n", true), AUDIT_DIR);
	assert_int_equal(form_of("-w /run/made\n", false), AUDIT_DIR);
	assert_int_equal(form_of("-w /etc\n", true), AUDIT_DIR);
}

struct row {
	const char *content, *messages;
	size_t size;	/* of content, where it has a NUL; 0: strlen() */
};

#define E "cloud-audit-setup: error: "
#define W "cloud-audit-setup: warning: "

static void check_rows(const char *machine, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rule_set set = { 0 };
		_cleanup_free_ char *messages = said(machine, rows[i].content, rows[i].size ? rows[i].size :
						     strlen(rows[i].content), &set);

		assert_string_equal(messages, rows[i].messages);
		rule_set_done(&set);
	}
}

static void text_that_auditctl_would_misread_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "-w /a\0 -k k\nx\0y\nnonsense", E "F:1: a NUL byte: auditctl would ignore the rest of the line; what follows was not "
		  "read\n", 24 },
		{ "\n-w /a -k k\r\n", E "F:2: a carriage return: auditctl would take it as part of the word; "
		  "the line ends in CR LF, others do not: write them all with LF\n", 0 },
		{ "-w /a\rb -k k\n", E "F:1: a carriage return: auditctl would take it as part of the word\n", 0 },
		{ "\t-w /a", E "F:1: a tab: auditctl separates words by spaces only and would take it as part of "
		  "the word\n", 0 },
		{ "\xef\xbb\xbf# x\n", E "F:1: the file begins with a byte order mark; auditctl would fail at the "
		  "first line\n", 0 },
		{ "-w /a -k a\\\n-w b", E "F:1: a backslash at the end of the line; auditctl has no continuation "
		  "lines and would take it as it is (write \\\\ for a backslash)\n"
		  E "F:2: -w b: the path must begin with /\n", 0 },
		{ "-w/a\\ b -k k", E "F:1: an escape in the first word, where auditctl does not resolve it; put a "
		  "space after the option\n", 0 },
		{ "-a always,exit -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 0 -S 1",
		  E "F:1: too many short words for the length of the line; auditctl would silently drop the "
		  "last ones (join system calls with commas, write -F key= for -k)\n", 0 },
		{ "-w /a # why", E "F:1: \"#\": a comment must stand on a line of its own; auditctl would fail "
		  "here\n", 0 },
		{ "-a always,exit -F \"auid>=500\"", E "F:1: -F \"auid>=500\": auditctl knows no quotes; write "
		  "the field without them\n", 0 },
		{ "-w \"/a\"", E "F:1: -w \"/a\": auditctl knows no quotes; write the path without them, a space as "
		  "\"\\ \"\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void a_line_that_auditctl_would_cut_is_refused(void **state)
{
	static char content[7000];
	const struct row longest = { content, "", 6143 }, longer = { content, E "F:1: the line is longer than "
		"6143 bytes; auditctl would cut it and read the pieces as lines of their own\n", 6144 };

	memset(content, '#', sizeof(content));
	check_rows("x86_64", &longest, 1);
	check_rows("x86_64", &longer, 1);
}

static void a_whole_file_with_cr_lf_is_read_with_one_warning(void **state)
{
	static const char content[] = "# x\r\n\r\n-w /etc -p wa -k k\r\n-w /b -p wa -k k";
	struct rule_set set = { 0 };
	_cleanup_free_ char *messages = said("x86_64", content, strlen(content), &set);

	assert_string_equal(messages, W "F:1: the lines end in CR LF and are read as LF; auditctl would take "
			    "each CR as part of the last word\n");
	assert_int_equal(set.n_rules, 2);
	assert_int_equal(set.rules[0].line, 3);
	assert_int_equal(set.rules[0].size, sizeof(struct audit_rule_data) + strlen("/etck"));
	rule_set_done(&set);
}

static void options_without_a_place_say_why(void **state)
{
	static const struct row rows[] = {
		{ "-w /a -k k -i", E "F:1: -i must stand alone on its line: auditctl would drop a rule before it, and refuse "
		  "what comes after it\n", 0 },
		{ "-q /a,/b", E "F:1: -q has no place in a checked set: it changes directory watches that are "
		  "loaded already, not the set\n", 0 },
		{ "-t", E "F:1: -t has no place in a checked set: it trims directory watches that are loaded "
		  "already; a rule on the same line would be dropped\n", 0 },
		{ "-m hello", E "F:1: -m has no place in a checked set: it writes a record whenever the rules are "
		  "loaded\n", 0 },
		{ "-s", E "F:1: -s has no place in a checked set: it only reports the status\n", 0 },
		{ "-l", E "F:1: -l has no place in a checked set: it only lists what is loaded\n", 0 },
		{ "-R /x", E "F:1: -R has no place in a checked set: it reads another file, which auditctl does not "
		  "do from a file\n", 0 },
		{ "--signal HUP", E "F:1: --signal has no place in a checked set: it sends a signal to auditd; a "
		  "rule on the same line would be dropped\n", 0 },
		{ "--reset-lost", E "F:1: --reset-lost has no place in a checked set: it clears the count of lost "
		  "records; a rule on the same line would be dropped\n", 0 },
		{ "-x", E "F:1: -x: unknown option\n", 0 },
		{ "--reset", E "F:1: --reset: unknown option\n", 0 },
		{ "-Di", E "F:1: -Di: -D takes no value\n", 0 },
		{ "garbage", E "F:1: \"garbage\": expected an option\n", 0 },
		{ "-", E "F:1: \"-\": expected an option\n", 0 },
		{ "-w /a --", E "F:1: --: unknown option\n", 0 },
		{ "-w /a -k", E "F:1: -k: the value is missing\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void settings_that_agree_are_taken_and_others_name_both_places(void **state)
{
	static const struct row rows[] = {
		{ "-b 8192\n-b 0x2000\n-f 1\n-e 2\n", "", 0 },
		{ "-f 1 -e 1\n", W "F:1: -e 1: the audit configuration is locked all the same, as [audit] lock = yes asks; "
		  "[audit] lock = no sets it [lint: control]\n", 0 },
		{ "-b 64", E "F:1: -b 64 contradicts [audit] backlog_limit = 8192 (config.ini:4)\n", 0 },
		{ "-f 2", E "F:1: -f 2 contradicts [audit] failure = printk (config.ini:5)\n", 0 },
		{ "-e 0", E "F:1: -e 0 would switch auditing off\n", 0 },
		{ "-e 3", E "F:1: -e 3: expected 0, 1 or 2\n", 0 },
		{ "-b 08192", E "F:1: -b 08192: this is a number with trailing characters; auditctl would read it "
		  "as 0\n", 0 },
		{ "-b many", E "F:1: -b many: expected a number\n", 0 },
		{ "-D", E "F:1: -D contradicts [rules] existing = keep (config.ini:9)\n", 0 },
		{ "-D -k x", E "F:1: -D must stand alone on its line: auditctl would crash, or with -k delete every "
		  "rule whose key has that text in it\n", 0 },
		{ "--backlog_wait_time=60000", E "F:1: --backlog_wait_time 60000 contradicts [audit] "
		  "backlog_wait_time = keep (config.ini:6)\n", 0 },
		{ "-r 100", E "F:1: -r 100: the configuration has no such setting\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

#define ONLY ": not done: only the configuration sets this; "
#define LOWER ": a rules file does not lower the limit, which stays at its default or what the kernel has; "
#define ANYWAY ": this program reads every line anyway, and loads nothing while one has a mistake [lint: control]\n"

static void a_control_line_asks_where_the_configuration_says_nothing(void **state)
{
	static const struct { const char *content, *messages; unsigned line, limit; } rows[] = {
		{ "-D\n-b 8192\n-f 1\n-r 0\n-e 2\n", "", 0, 0 },
		{ "-b 65536\n", "", 1, 65536 },
		{ "-b 65536\n-b 9000\n", "", 1, 65536 },
		{ "-b 9000\n-b 65536\n", "", 2, 65536 },
		{ "-b 64\n", W "F:1: -b 64" LOWER "[audit] backlog_limit = 64 sets it [lint: control]\n", 0, 0 },
		{ "-b 0\n", W "F:1: -b 0: only the configuration lifts the limit; [audit] backlog_limit = 0 sets it "
		  "[lint: control]\n", 0, 0 },
		{ "-f 2\n", W "F:1: -f 2" ONLY "[audit] failure = panic sets it [lint: control]\n", 0, 0 },
		{ "-r 100\n", W "F:1: -r 100" ONLY "[audit] rate_limit = 100 sets it [lint: control]\n", 0, 0 },
		{ "--backlog_wait_time 0\n", W "F:1: --backlog_wait_time 0" ONLY "[audit] backlog_wait_time = 0 sets it "
		  "[lint: control]\n", 0, 0 },
		{ "--loginuid-immutable\n", W "F:1: --loginuid-immutable" ONLY "[audit] loginuid_immutable = yes sets it "
		  "[lint: control]\n", 0, 0 },
		{ "-i\n", W "F:1: -i" ANYWAY, 0, 0 },
		{ "-c\n", W "F:1: -c" ANYWAY, 0, 0 },
		{ "-e 0\n", E "F:1: -e 0 would switch auditing off\n", 0, 0 },
		{ "-w /etc/a -p wa -i\n", E "F:1: -i must stand alone on its line: auditctl would drop a rule before it, and "
		  "refuse what comes after it\n", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rules_backlog backlog = { .file = NULL };
		struct rule_set set = { 0 };
		_cleanup_free_ char *messages = said_with(unset, ARRAY_SIZE(unset), &backlog, "x86_64", rows[i].content,
							  strlen(rows[i].content), &set);

		assert_string_equal(messages, rows[i].messages);
		assert_int_equal(backlog.limit, rows[i].limit);
		assert_int_equal(backlog.line, rows[i].line);
		free(backlog.file);
		rule_set_done(&set);
	}
}

static void what_auditctl_would_misread_is_an_error(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch!=b64 -S execve -k k", E "F:1: -S execve: after -F arch!= a name is another call to "
		  "every other architecture; auditctl would take the number of the one that is left out; write a rule for "
		  "each architecture that is meant\n", 0 },
		{ "-a always,exit -F arch!=b64 -S all -k k\n-a always,exit -F arch!=b32 -S 59 -k k\n", "", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void a_deletion_of_all_rules_stands_first(void **state)
{
	static const struct rules_setting replace = { "-D", "", "[rules] existing = replace", "config.ini:9", true };
	static const struct { const char *content, *messages; } rows[] = {
		{ "-D\n-w /etc/a -p wa -k k\n", "" },
		{ "-D\n-D\n", "" },
		{ "-w /etc/a -p wa -k k\n-D\n", E "F:2: -D after rules: auditctl would delete those before it; put it first, "
		  "or leave them out\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rule_set set = {0};
		char *messages = NULL;
		size_t n = 0;
		FILE *f = open_memstream(&messages, &n);
		struct rules_env env = { .log = log_new(f), .host = &host, .settings = &replace, .n_settings = 1,
					 .machine = "x86_64" };
		int r = rules_read(&set, &env, "F", rows[i].content, strlen(rows[i].content));

		assert_int_equal(r, *rows[i].messages ? -EINVAL : 0);
		log_free(env.log);
		fclose(f);
		assert_string_equal(messages, rows[i].messages);
		free(messages);
		rule_set_done(&set);
	}
}

static void every_mistake_of_a_file_is_said(void **state)
{
	static const struct row rows[] = {
		{ "-w a\n-a always,exit -S opne -k k\n# fine\n-a always,exit -F uid=nobody\n",
		  E "F:1: -w a: the path must begin with /\n"
		  E "F:2: -S opne: x86_64 has no such system call; did you mean open?\n"
		  E "F:4: -F uid=nobody: the host has no user \"nobody\"\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void a_given_option_is_never_forgotten(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -a never,exit", E "F:1: -a never,exit: the line has a list already\n", 0 },
		{ "-w /a -p r -p w", E "F:1: -p w: given twice; auditctl would forget the first\n", 0 },
		{ "-w /a -w /b", E "F:1: -w /b: a watch cannot be given with -a, -A, -d or another watch\n", 0 },
		{ "-S open -w /a", E "F:1: -w /a: auditctl would throw away the -S before it\n", 0 },
		{ "-a always,exit -F dir=/etc -F perm=r -p w", E "F:1: -p w: auditctl would overwrite the -F perm= "
		  "before it\n", 0 },
		{ "-a always,exit -S ,", E "F:1: -S ,: expected a system call; auditctl would load a rule that "
		  "never matches\n", 0 },
		{ "-a exit,possible", E "F:1: -a exit,possible: the action possible is gone; auditctl would "
		  "silently skip the rule\n", 0 },
		{ "-S open", E "F:1: the line has no list (-a LIST,ACTION) and no watch\n", 0 },
		{ "-w /a -k a!=b", E "F:1: -k a!=b: a key with \"!=\" in it cannot be loaded; auditctl would take "
		  "that for the operator\n", 0 },
		{ "-a always,exit -F arch=b64 -S open -F exe=/a -F exe=/b -k k", E "F:1: the kernel would refuse "
		  "this rule: it has two exe= fields; write a rule for each program (to leave some out: rules with never "
		  "and exe= before this one)\n", 0 },
		{ "-a always,exit -F uid&5 -S open -k k", E "F:1: the kernel would refuse this rule: uid does not "
		  "take the operators & and &=\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void deletions_take_equal_earlier_rules_away(void **state)
{
	static const char content[] = "-w /b -p wa -k k\n-w /c -p wa -k k\n-A always,exit -F path=/b -F perm=wa "
				      "-k k\n-W /b -p wa -k k\n-w /etc -p r -k k\n-d always,exit -F path=/x\n";
	struct rule_set set = { 0 };
	_cleanup_free_ char *messages = said("x86_64", content, strlen(content), &set);

	assert_string_equal(messages, E "F:6: this deletes a rule that is not there: no equal rule stands before "
			    "it\n");
	assert_int_equal(set.n_rules, 2);
	assert_int_equal(set.rules[0].line, 2);
	assert_int_equal(set.rules[1].line, 5);
	rule_set_done(&set);
}

static void a_rule_can_be_deleted_once_and_given_again(void **state)
{
	static const struct row rows[] = {
		{ "-w /b -p wa -k k\n-W /b -p wa -k k\n-W /b -p wa -k k\n", E "F:3: this deletes a rule that is "
		  "not there: no equal rule stands before it\n", 0 },
		{ "-w /b -p wa -k k\n-W /b -p wa -k k\n-w /b -p wa -k k\n", "", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void doubles_are_loaded_once(void **state)
{
	static const struct row rows[] = {
		{ "-w /b -p wa -k k\n-a always,exit -F path=/b -F perm=wa -k k\n",
		  W "F:2: the same rule as F:1; it is loaded once [lint: double]\n", 0 },
		/* The kernel comes to the later one first. */
		{ "-w /b -p wa -k k\n-A always,exit -F path=/b -F perm=wa -k k\n",
		  W "F:1: the same rule as F:2; it is loaded once [lint: double]\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void another_machine_has_other_system_calls(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch=b64 -S open,openat -F uid=0 -k k\n"
		  "-a always,exit -F arch=b32 -S open,openat -F uid=0 -k k\n",
		  W "F:1: -S open: aarch64 has no such system call; left out [lint: other-arch]\n", 0 },
		{ "-a always,exit -F arch=b64 -S opne -k k", E "F:1: -S opne: aarch64 has no such system call\n", 0 },
		{ "-a always,exit -F arch=aarch64 -S open -k k", E "F:1: -S open: aarch64 has no such system call, "
		  "only arm has it; write it in a rule with -F arch=b32 alone\n", 0 },
	};
	static const char content[] = "-a always,exit -F arch=b64 -S openat -F uid=0 -k k\n"
				      "-a always,exit -F arch=b32 -S openat -F uid=0 -k k\n"
				      "-a always,exit -F arch=b64 -S creat -F uid=0 -k k\n";
	struct rule_set set = { 0 };
	_cleanup_free_ char *messages = NULL;

	check_rows("aarch64", rows, ARRAY_SIZE(rows));
	messages = said("aarch64", content, strlen(content), &set);
	assert_int_equal(set.n_rules, 2);
	assert_int_equal(set.rules[0].data->values[0], AUDIT_ARCH_AARCH64);
	assert_int_equal(set.rules[0].data->mask[AUDIT_WORD(56)], AUDIT_BIT(56));
	assert_int_equal(set.rules[1].data->values[0], AUDIT_ARCH_ARM);
	assert_int_equal(set.rules[1].data->mask[AUDIT_WORD(322)], AUDIT_BIT(322));
	rule_set_done(&set);
}

static void slips_of_the_pen_are_told_as_what_they_are(void **state)
{
	static const struct row rows[] = {
		{ "auditctl -w /a -k k", E "F:1: \"auditctl\": a rules file has the options only; leave out the program's "
		  "name\n", 0 },
		{ "/sbin/auditctl -D", E "F:1: \"/sbin/auditctl\": a rules file has the options only; leave out the "
		  "program's name\n", 0 },
		{ "- -w /a -k k", E "F:1: \"-\": a rules file is no YAML list; leave out the dash before the rule\n", 0 },
		{ "\xe2\x80\x93w /a -k k", E "F:1: \"\xe2\x80\x93w\": this dash is a typographic one; write -w\n", 0 },
		{ "-w /a \xe2\x88\x92k k", E "F:1: \"\xe2\x88\x92k\": this dash is a typographic one; write -k\n", 0 },
		{ "-w /a -k\xc2\xa0k", E "F:1: a no-break space: auditctl separates words by spaces only and would take it "
		  "as part of the word\n", 0 },
		{ "# a\xc2\xa0z", "", 0 },
		{ "-a always, exit -S mount -k k", E "F:1: -a always, exit: no blank may stand behind the comma; write "
		  "always,exit\n", 0 },
		{ "-a always,exit -F arch=b32 -S mount, umount2 -k k", E "F:1: \"mount, umount2\": no blank may stand behind "
		  "a comma; write mount,umount2\n", 0 },
		{ "-a always,exit -F auid >= 500 -S mount -k k", E "F:1: -F auid >=: FIELD, operator and value are one word; "
		  "leave out the blanks\n", 0 },
		{ "-a always,exit -F auid>= 500 -S mount -k k", E "F:1: -F auid>= 500: FIELD, operator and value are one "
		  "word; leave out the blanks\n", 0 },
		{ "-a always,exit -F auid>= -S mount -k k", E "F:1: -F auid>=: the value is missing\n", 0 },
		{ "-a0=2 -a always,exit -S mount", E "F:1: -a0=2: -a takes a list and an action; for a field of this name "
		  "write -F a0=2\n", 0 },
		{ "-a always,exit -S mount -k -F auid>=500", E "F:1: -k: the value is missing; auditctl would take the next "
		  "word, -F, for it\n", 0 },
		{ "-a always,exit -F -S mount -k k", E "F:1: -F: the value is missing; auditctl would take the next word, -S, "
		  "for it\n", 0 },
		{ "-w /a -k -p", W "F:1: -k -p: this option becomes the key; is a word missing before it? [lint: "
		  "swallowed]\n", 0 },
		{ "-w /a -k \"k\"", W "F:1: -k \"k\": the quotes become part of the key, for auditctl knows none; write the "
		  "key without them [lint: quotes]\n", 0 },
		{ "-w /a -k k'", "", 0 },
		{ "-a always,exit -F path=\"/a\" -k k", E "F:1: the kernel would refuse this rule: the path begins with a "
		  "quote; auditctl knows none, write it without\n", 0 },
		{ "-w /a -p \"wa\"", E "F:1: -p \"wa\": auditctl knows no quotes; write the value without them\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void a_misspelt_name_is_told_the_nearest(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch=b32 -S fchmodt,mont,getppid,sethostnam -F uid=0 -k k",
		  E "F:1: -S fchmodt: i386 has no such system call; did you mean fchmod?\n"
		  E "F:1: -S mont: i386 has no such system call; did you mean mount?\n"
		  E "F:1: -S sethostnam: i386 has no such system call; did you mean sethostname?\n", 0 },
		{ "-a always,exit -F arch=b64 -S cachestta -F uid=0 -k k",
		  E "F:1: -S cachestta: x86_64 has no such system call; did you mean cachestat?\n", 0 },
		{ "-a always,exit -F audi=5 -S mount -k k", E "F:1: -F audi=5: unknown field \"audi\"; did you mean auid?\n", 0 },
		{ "-a always,exit -C uid!=obj_udi -S mount -k k", E "F:1: -C uid!=obj_udi: unknown field \"obj_udi\"; did "
		  "you mean obj_uid?\n", 0 },
		{ "-a always,exclude -F msgtype=SYSCAL", E "F:1: -F msgtype=SYSCAL: unknown record type \"SYSCAL\"; did you "
		  "mean SYSCALL?\n", 0 },
		{ "-a always,exit -F exit=-EACESS -S open -k k", E "F:1: -F exit=-EACESS: expected a number or an error name "
		  "such as -EACCES, not \"-EACESS\"; did you mean -EACCES?\n", 0 },
		{ "-a allways,exit -S mount -k k", E "F:1: -a allways,exit: expected LIST,ACTION with a list of task, exit, "
		  "user, exclude, filesystem and an action of always, never; did you mean always?\n", 0 },
		{ "--backlog_wait_tim 5", E "F:1: --backlog_wait_tim: unknown option; did you mean --backlog_wait_time?\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

/* Numbers by the kernel's tables (scripts/syscall.tbl); auditctl 3.0 has none of these names. */
static void system_calls_newer_than_auditctl_are_known(void **state)
{
	static const struct { const char *machine, *arch, *name; uint32_t number; } rows[] = {
		{ "x86_64", "b64", "fchmodat2", 452 }, { "x86_64", "b32", "cachestat", 451 },
		{ "aarch64", "b64", "mseal", 462 }, { "aarch64", "b32", "futex_wake", 454 },
		{ "x86_64", "amd64", "openat2", 437 }, { "aarch64", "arm64", "FCHMODAT2", 452 },
		{ "x86_64", "b32", "kexec_load", 283 }, { "x86_64", "b64", "pread64", 17 },
		{ "aarch64", "b64", "pread64", 67 }, { "arm64", "b64", "file_setattr", 469 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_text_ struct text line = { 0 }, printed = { 0 }, by_name = { 0 };
		_cleanup_free_ char *messages = NULL;
		struct rule_set set = { 0 };

		text_addf(&by_name, " -S %s", rows[i].name);
		text_addf(&line, "-a never,exit -F arch=%s -S %s", rows[i].arch, rows[i].name);
		messages = said(rows[i].machine, line.s, line.len, &set);
		assert_string_equal(messages, "");
		assert_int_equal(set.n_rules, 1);
		assert_int_equal(set.rules[0].data->mask[AUDIT_WORD(rows[i].number)], AUDIT_BIT(rows[i].number));
		/* What auditctl is given, it has to know. */
		assert_true(rule_print(&printed, set.rules[0].data, set.rules[0].size));
		assert_null(strcasestr(printed.s, by_name.s));
		rule_set_done(&set);
	}
}

static void an_error_without_its_sign_is_told(void **state)
{
	static const struct row rows[] = {
		{ "-a never,exit -F arch=b64 -S openat -F exit=EPERM", W "F:1: -F exit=EPERM: a call that fails returns "
		  "-EPERM; EPERM is 1, which only a call that succeeds can return, such as the descriptor of an open; write "
		  "-EPERM [lint: exit-sign]\n", 0 },
		{ "-a never,exit -F arch=b64 -S openat -F exit=-EPERM\n-a never,exit -F arch=b64 -S openat -F exit=1", "", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

static void a_rule_that_a_machine_leaves_nothing_of_is_told(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch=b64 -S chmod,lchown,chown,rename -F uid=0 -k k", W "F:1: -S chmod,lchown,chown,rename: "
		  "aarch64 has no such system call, and nothing is left of the rule; write -S "
		  "fchmodat,fchownat,renameat,renameat2 [lint: nothing-left]\n", 0 },
		{ "-a always,exit -F arch=b64 -S iopl -F uid=0 -k k", W "F:1: -S iopl: aarch64 has no such system call, and "
		  "nothing is left of the rule [lint: nothing-left]\n", 0 },
	};

	check_rows("aarch64", rows, ARRAY_SIZE(rows));
}

static void calls_of_the_other_architecture_only_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch=b64 -S stat64 -F uid=0 -k k", E "F:1: -S stat64: x86_64 has no such system call, only "
		  "i386 has it; write it in a rule with -F arch=b32 alone\n", 0 },
		{ "-a always,exit -F arch=b32 -S newfstatat -F uid=0 -k k", E "F:1: -S newfstatat: i386 has no such system "
		  "call, only x86_64 has it; write it in a rule with -F arch=b64 alone\n", 0 },
	};

	check_rows("x86_64", rows, ARRAY_SIZE(rows));
}

#define LATER ", which Linux has from 4.17 on; nothing was changed: boot such a kernel, or leave the rule out"
static void features_of_the_running_kernel_are_asked_for(void **state)
{
	static const char content[] = "-a always,exclude -F msgtype=CWD\n-a always,exclude -F auid=5\n"
				      "-a never,filesystem -F fstype=debugfs\n-a always,exit -F exe=/a -k k\n"
				      "-a always,exit -F sessionid=3 -S 400 -k k\n";
	struct rule_set set = { 0 };
	_cleanup_free_ char *messages = said("x86_64", content, strlen(content), &set), *found = NULL;
	size_t n;
	FILE *f = open_memstream(&found, &n);
	struct log *log = log_new(f);

	assert_non_null(messages);
	assert_int_equal(rules_check_features(&set, log, 0x7f), 0);
	assert_int_equal(rules_check_features(&set, log, 0x03), -EINVAL);
	log_free(log);
	fclose(f);
	assert_string_equal(found,
		E "F:2: the running kernel does not have other fields than msgtype in the list exclude" LATER "\n"
		E "F:3: the running kernel does not have the list filesystem" LATER "\n"
		E "F:4: the running kernel does not have the field exe" LATER "\n"
		E "F:5: the running kernel does not have the field sessionid" LATER "\n");
	rule_set_done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_auditctl_would_misread_is_refused),
		cmocka_unit_test(a_line_that_auditctl_would_cut_is_refused),
		cmocka_unit_test(a_whole_file_with_cr_lf_is_read_with_one_warning),
		cmocka_unit_test(options_without_a_place_say_why),
		cmocka_unit_test(a_watch_below_run_that_comes_with_the_program_is_what_it_says),
		cmocka_unit_test(settings_that_agree_are_taken_and_others_name_both_places),
		cmocka_unit_test(a_control_line_asks_where_the_configuration_says_nothing),
		cmocka_unit_test(what_auditctl_would_misread_is_an_error),
		cmocka_unit_test(a_deletion_of_all_rules_stands_first),
		cmocka_unit_test(every_mistake_of_a_file_is_said),
		cmocka_unit_test(a_given_option_is_never_forgotten),
		cmocka_unit_test(deletions_take_equal_earlier_rules_away),
		cmocka_unit_test(a_rule_can_be_deleted_once_and_given_again),
		cmocka_unit_test(doubles_are_loaded_once),
		cmocka_unit_test(slips_of_the_pen_are_told_as_what_they_are),
		cmocka_unit_test(a_misspelt_name_is_told_the_nearest),
		cmocka_unit_test(system_calls_newer_than_auditctl_are_known),
		cmocka_unit_test(an_error_without_its_sign_is_told),
		cmocka_unit_test(a_rule_that_a_machine_leaves_nothing_of_is_told),
		cmocka_unit_test(calls_of_the_other_architecture_only_are_told),
		cmocka_unit_test(another_machine_has_other_system_calls),
		cmocka_unit_test(features_of_the_running_kernel_are_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
