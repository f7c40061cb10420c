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
	*ret_directory = strcmp(path, "/etc") == 0 || strcmp(path, "/") == 0 || strcmp(path, "/etc/ssh") == 0;
	if (strcmp(path, "/link") == 0 || strcmp(path, "/etc/link") == 0)
		return RULES_LINK;
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

static const struct rules_host host = { path_type, look_up, look_up, NULL, late, NULL };

/* The messages about a file S that is shipped (NULL: none) and one F that is not, both without mistakes. */
static char *said_of(const char *shipped, const char *content, const char *machine, unsigned *ret_warnings)
{
	char *messages = NULL;
	size_t size;
	FILE *f = open_memstream(&messages, &size);
	struct rules_env env = { .log = log_new(f), .host = &host, .machine = machine, .shipped = true };
	struct rule_set set = { 0 };

	if (shipped)
		assert_int_equal(rules_read(&set, &env, content ? "S" : "F", shipped, strlen(shipped)), 0);
	env.shipped = false;
	if (content)
		assert_int_equal(rules_read(&set, &env, "F", content, strlen(content)), 0);
	assert_int_equal(rules_finish(&set, &env), 0);
	*ret_warnings = log_count(env.log, LEVEL_WARNING);
	rule_set_done(&set);
	log_free(env.log);
	fclose(f);
	return messages;
}

/* The messages about one file; *ret_warnings counts the warnings. */
static char *said(const char *content, bool shipped, unsigned *ret_warnings)
{
	return said_of(shipped ? content : NULL, shipped ? NULL : content, "x86_64", ret_warnings);
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

/* What a public rule set loses to the groups and to itself, by kind. */
static void rules_that_a_wider_one_takes_are_told(void **state)
{
	static const struct row rows[] = {
		/* A range in a wider one, and what its end leaves. */
		{ "-a never,exit -F arch=b64 -S 1000 -F auid>=500\n-a never,exit -F arch=b64 -S 1000 -F auid>=1000\n", "2:unreachable " },
		{ "-a never,exit -F arch=b64 -S 1000 -F auid>=1000\n-a never,exit -F arch=b64 -S 1000 -F auid>=500\n", "" },
		{ "-a never,exit -F arch=b64 -S 1000 -F auid>500\n-a never,exit -F arch=b64 -S 1000 -F auid>=501\n", "2:unreachable " },
		{ "-a never,exit -F arch=b64 -S 1000 -F auid!=unset\n"
		  "-a never,exit -F arch=b64 -S 1000 -F auid>=7 -F auid<=9\n", "2:unreachable " },
		{ "-a never,exit -F arch=b64 -S 1000 -F auid!=unset\n-a never,exit -F arch=b64 -S 1000 -F auid>=7\n", "" },
		{ "-a never,exit -F arch=b64 -S 1000 -F success=0\n-a never,exit -F arch=b64 -S 1000 -F exit=-EPERM\n",
		  "2:unreachable " },
		{ "-a never,exit -F arch=b64 -S 1000 -F success=1\n-a never,exit -F arch=b64 -S 1000 -F exit=-EPERM\n", "" },
		/* A group may be a supplementary one, and a file one of several. */
		{ "-a never,exit -F arch=b64 -S 1000 -F gid>=5\n-a never,exit -F arch=b64 -S 1000 -F gid=9\n", "" },
		{ "-a never,exit -F arch=b64 -S 1000 -F obj_uid>=5\n-a never,exit -F arch=b64 -S 1000 -F obj_uid=9\n", "" },
		/* Any condition on an address leaves those without one. */
		{ "-a never,exit -F arch=b64 -S 1000 -F saddr_fam>=0\n-a never,exit -F arch=b64 -S 1000 -F uid=9\n", "" },
		/* Both architectures are needed, and enough. */
		{ "-a never,exit -F arch=b64 -S execve,execveat\n-a never,exit -F path=/x -F perm=x\n", "" },
		{ "-a never,exit -F arch=b64 -S execve,execveat\n-a never,exit -F arch=b32 -S execve,execveat\n"
		  "-w /x -p x -k k\n-w /y -p xr -k k\n", "3:unreachable " },
		{ "-a never,exit -F arch=b64 -S execve\n-a never,exit -F arch=b32 -S execve,execveat\n-w /x -p x -k k\n", "" },
		{ "-a never,exit -F arch!=b32 -S all\n-a always,exit -F arch=b64 -S swapoff -F dir=/etc -k k\n", "2:unreachable 2:no-b32 " },
		/* A directory, and what is below it. */
		{ "-w /etc -p wa -k a\n-w /etc/ssh/x -p wa -k b\n-w /etc/ssh -p w -k b\n-w /etc/z -p a -k b\n",
		  "2:unreachable 3:unreachable 4:unreachable " },
		{ "-w /etc/ssh -p wa -k a\n-w /etc/z -p wa -k b\n-w /etc/sshx -p wa -k b\n-w /etc -p wa -k b\n", "" },
		{ "-w /etc -p wa -k a\n-w /etc/z -p war -k b\n", "" },
		{ "-w / -p wa -k a\n-w /z -p wa -k b\n", "2:unreachable " },
		/* ... unless a link leads out of it. */
		{ "-w /etc -p wa -k a\n-w /etc/link/z -p wa -k b\n", "" },
		/* A call that the class of every kernel has; one that some have; an open, whose flags decide. */
		{ "-w /etc -p wa -k a\n-a never,exit -F arch=b64 -S chmod,unlink -F path=/etc/z\n", "2:unreachable " },
		{ "-w /etc -p wa -k a\n-a never,exit -F arch=b64 -S chmod,fchmodat2 -F path=/etc/z\n", "" },
		{ "-w /etc -p wa -k a\n-a never,exit -F arch=b64 -S openat -F path=/etc/z\n", "" },
		{ "-w /etc -p war -k a\n-a never,exit -F arch=b64 -S openat -F path=/etc/z\n", "2:unreachable " },
		/* All calls that perm= may mean have to be the other rule's, those of newer kernels as well. */
		{ "-a never,exit -F dir=/etc -S chmod,fchmod,fchmodat\n-w /etc/z -p a -k b\n", "1:no-arch " },
		/* The list exclude knows no system calls. */
		{ "-a always,exclude -F msgtype>=1400\n-a always,exclude -F msgtype=1401\n", "1:exclude 2:unreachable " },
		{ "-a always,exclude -F msgtype=1401 -F uid=5\n-a always,exclude -F msgtype=1401\n", "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static const char exec_group[] = "-a always,exit -F arch=b64 -S execve,execveat -k exec\n"
				 "-a always,exit -F arch=b32 -S execve,execveat -k exec\n";

static void what_a_shipped_group_takes_is_told_with_what_helps(void **state)
{
	static const char rules[] = "-w /x -p x -k mine\n-a always,exit -F path=/y -F perm=x -F auid>=1000 -k mine\n"
				    "-A always,exit -F path=/z -F perm=x -k first\n"
				    "-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -k mine\n";
	unsigned warnings;
	_cleanup_free_ char *messages = said_of(exec_group, rules, "x86_64", &warnings);

	assert_string_equal(messages,
		"cloud-audit-setup: warning: F:1: this rule never comes to act: shipped S:1 together with shipped S:2 takes every event that "
		"it matches; first comes a rule with -A, -F path= and -F perm=, or with [rules] order = user-first every rule "
		"of yours; [events] exec = no takes the shipped one away [lint: unreachable]\n"
		"cloud-audit-setup: warning: F:2: this rule never comes to act: shipped S:1 together with shipped S:2 takes every event that "
		"it matches; first comes a rule with -A, -F path= and -F perm=, or with [rules] order = user-first every rule "
		"of yours; [events] exec = no takes the shipped one away [lint: unreachable]\n"
		"cloud-audit-setup: warning: F:4: this rule never comes to act: shipped S:1 takes every event that it matches; first "
		"comes a rule with -A, or with [rules] order = user-first every rule of yours; [events] exec = no takes the "
		"shipped one away [lint: unreachable]\n"
		"cloud-audit-setup: warning: F:4: no rule with arch=b32 does the same: 32-bit programs are not seen [lint: "
		"no-b32]\n");
}

static void the_rule_that_the_kernel_comes_to_first_is_named(void **state)
{
	unsigned warnings;
	_cleanup_free_ char *messages = said("-w /etc -p wa -k a\n-a never,exit -F auid>=5\n"
					     "-a never,exit -F path=/etc/z -F perm=wa -F auid>=5\n", false, &warnings);

	assert_string_equal(messages, "cloud-audit-setup: warning: F:3: this rule never comes to act: F:1, a watch of a directory "
			    "above it, takes every event that it matches; to act, it has to stand first [lint: unreachable]\n");
}

static void a_file_watched_twice_changes_hands(void **state)
{
	unsigned warnings;
	_cleanup_free_ char *messages = said("-w /z -p wa -k a\n-w /z -p w -k b\n", false, &warnings);

	assert_string_equal(messages, "cloud-audit-setup: warning: F:2: this rule never comes to act: F:1 takes every event that "
			    "it matches, until the file is replaced: the kernel turns round the order of its rules then; to act, "
			    "it has to stand first [lint: unreachable]\n");
}

static void a_rule_with_never_behind_the_shipped_ones_is_told(void **state)
{
	static const char shipped[] = "-w /etc -p wa -k audit-config\n"
				      "-a always,exit -F arch=b64 -S connect,bind -F saddr_fam=2 -k network\n"
				      "-a always,exit -F arch=b32 -S connect,bind -F saddr_fam=2 -k network\n";
	static const struct row rows[] = {
		{ "-a never,exit -F exe=/x\n", "1:late-never " },
		{ "-A never,exit -F exe=/x\n", "" },
		{ "-a never,exit -F arch=b32 -S bind -F auid=unset\n", "1:late-never " },
		{ "-a never,exit -F arch=b64 -S mount -F auid=unset\n", "" },
		{ "-a never,exit -F arch=b64 -S bind -F saddr_fam=10\n", "" },
		{ "-a never,exit -F dir=/etc -F exe=/x\n", "1:late-never " },
		{ "-a never,user -F uid=5\n", "" },
	};
	unsigned warnings;
	_cleanup_free_ char *messages = said_of(shipped, "-a never,exit -F exe=/x\n", "x86_64", &warnings);

	assert_string_equal(messages, "cloud-audit-setup: warning: F:1: this comes too late for 2 rules, the first shipped S:2: what "
			    "they match is recorded all the same; first comes a rule with -A, or with [rules] order = user-first "
			    "every rule of yours; [events] network = no takes the shipped one away; [filter] exclude_exe leaves a "
			    "program out of everything [lint: late-never]\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_text_ struct text lints = { 0 };
		_cleanup_free_ char *text = said_of(shipped, rows[i].content, "x86_64", &warnings);

		collect(&lints, text);
		assert_string_equal(lints.s ? lints.s : "", rows[i].lints);
	}
}

static void rules_that_no_event_matches_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch=b64 -S chown -F perm=x -k k\n-a always,exit -F arch=b32 -S chown -F perm=x -k k\n",
		  "1:never-matches 2:never-matches " },
		{ "-a never,exit -F arch=b64 -S chown,execve -F perm=x\n-a never,exit -F arch=b64 -S chown -F perm=wa\n"
		  "-a never,exit -F arch=b64 -S openat2 -F perm=r\n-a never,exit -F arch=b64 -S 600 -F perm=r\n", "" },
		{ "-a always,exclude -F msgtype=CWD -F msgtype=PATH\n", "1:never-matches " },
		{ "-a always,exclude -F msgtype>=1302 -F msgtype<=1303\n", "" },
		{ "-a never,exit -F auid>=1000 -F auid<500\n", "1:never-matches " },
		{ "-a never,exit -F a0=2 -F a0=3\n-a never,exit -F a0!=2 -F a0=2\n", "1:never-matches 2:never-matches " },
		{ "-a never,exit -F uid>=5 -F uid<=7 -F uid!=5 -F uid!=7 -F uid!=6\n", "1:never-matches " },
		{ "-a never,exit -F uid>=5 -F uid<=7 -F uid!=5 -F uid!=7\n", "" },
		/* Files and groups are several. */
		{ "-a never,exit -F gid=5 -F gid=6\n-a never,exit -F obj_uid=5 -F obj_uid=6\n", "" },
		{ "-a never,exit -F exit<0\n", "1:never-matches " },
		{ "-a never,exit -F success=1 -F exit=-EPERM\n", "1:never-matches " },
		{ "-a never,exit -F success=0 -F exit=3\n", "1:never-matches " },
		{ "-a never,exit -F success=0 -F success!=0\n", "1:never-matches " },
		{ "-a never,exit -F success=0 -F exit=-EPERM\n-a never,exit -F success=1 -F exit=3\n", "" },
		{ "-a never,exit -F arch=aarch64 -S mount\n-a never,exit -F arch=s390x\n", "1:never-matches 2:never-matches " },
		{ "-a never,exit -F arch!=b64 -F arch!=b32\n", "1:never-matches " },
		{ "-a never,exit -F arch=b32 -S mount\n-a never,exit -F arch!=b64\n", "" },
		{ "-a always,exclude\n-a never,user\n-a never,filesystem\n",
		  "1:never-matches 2:never-matches 3:never-matches " },
		{ "-a never,task\n", "1:never-task " },
		/* What this list does not look at. */
		{ "-a never,user -F euid=0\n-a never,user -F uid=0 -F msgtype=USER_CMD\n-a never,user -F auid=5 -F pers=1\n",
		  "1:never-matches 3:never-matches " },
		{ "-a never,user -F exe=/bin/sh -k s\n-a never,exit -F exe=/bin/sh -k s\n", "1:never-matches " },
	};
	static const char reason[] = "cloud-audit-setup: warning: F:1: this rule can never match: perm= is true of the system "
				     "calls of its letters only, and -S names none of these; leave out one of the two [lint: "
				     "never-matches]\n";
	unsigned warnings;
	_cleanup_free_ char *messages = said("-a never,exit -F arch=b64 -S chown -F perm=x\n", false, &warnings);

	assert_string_equal(messages, reason);
	check_rows(rows, ARRAY_SIZE(rows));
}

static void a_link_that_is_watched_is_told(void **state)
{
	unsigned warnings;
	_cleanup_free_ char *messages = said("-w /link -p wa -k k\n-a never,exit -F exe=/link\n", false, &warnings);

	assert_string_equal(messages,
		"cloud-audit-setup: warning: F:1: /link is a symbolic link, and what it leads to is not watched: the kernel "
		"watches the link itself; write the path that it leads to, in another rule if the link matters [lint: link]\n"
		"cloud-audit-setup: warning: F:2: /link is a symbolic link, and what it leads to is not watched: no program is "
		"the link; write the path that it leads to [lint: link]\n");
}

static void records_that_go_missing_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-a never,task\n", "1:never-task " },
		{ "-a always,task\n", "" },
		{ "-a always,exclude -F msgtype=SYSCALL\n", "1:exclude " },
		{ "-a never,exclude -F msgtype>0\n", "1:exclude " },
		{ "-a never,exclude -F msgtype=CWD\n", "" },
		{ "-a always,exclude -F msgtype>=1300 -F msgtype<=1399\n", "1:exclude " },
		{ "-a always,exclude -F msgtype=CWD\n-a always,exclude -F msgtype=PROCTITLE\n", "" },
		{ "-a always,exclude -F msgtype=SYSCALL -F auid=5\n", "" },
		{ "-a always,exclude -F auid=5\n", "" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* Who mounts today calls another one. */
static void a_call_without_its_newer_one_is_told(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -F arch=b64 -S mount -F uid=0 -k k\n-a always,exit -F arch=b32 -S mount -F uid=0 -k k\n",
		  "1:newer-call 2:newer-call " },
		{ "-a always,exit -F arch=b64 -S mount,move_mount -F uid=0 -k k\n"
		  "-a always,exit -F arch=b32 -S mount,move_mount -F uid=0 -k k\n", "" },
		/* Another rule may have it, before or behind, with other conditions, but not of the other architecture. */
		{ "-a always,exit -F arch=b64 -S move_mount -F uid=1 -k k\n-a always,exit -F arch=b64 -S mount -F uid=0 -k k\n"
		  "-a always,exit -F arch=b32 -S mount -F uid=0 -k k\n", "1:no-b32 3:newer-call " },
		{ "-a always,exit -F arch=b64 -S mount -F uid=0 -k k\n-a always,exit -F arch=b32 -S mount,move_mount -F uid=0 -k k\n",
		  "1:newer-call " },
		/* Without an architecture it is that of the machine; a watch and -S all name no call, and never records none. */
		{ "-a always,exit -S mount -F uid=0 -k k\n-w /etc -p wa -k w\n", "1:no-arch 1:newer-call " },
		{ "-a always,exit -F arch=b64 -S mount -F uid=0 -k k\n-a always,exit -F arch=b32 -S mount,move_mount -F uid=0 -k k\n"
		  "-a never,exit -F arch=b64 -S move_mount -F uid=3\n", "1:newer-call " },
		{ "-a never,exit -F arch=b64 -S mount\n-w /etc -p wa -k w\n", "" },
		{ "-a always,exit -F arch=b64 -S move_mount -F uid=0 -k k\n-a always,exit -F arch=b32 -S move_mount -F uid=0 -k k\n", "" },
		{ "-a always,exit -F uid=0 -F exe=/bin/x -S all -k k\n", "" },
		/* 21 is access there, and mount to 32-bit programs. */
		{ "-a always,exit -S access -F uid=0 -k k\n", "1:no-arch " },
	};
	unsigned warnings;
	_cleanup_free_ char *messages = said("-a always,exit -F arch=b64 -S mount -S umount2 -F uid=0 -k k\n"
					     "-a always,exit -F arch=b32 -S mount -S umount2 -S move_mount -F uid=0 -k k\n", false, &warnings);

	check_rows(rows, ARRAY_SIZE(rows));
	assert_string_equal(messages, "cloud-audit-setup: warning: F:1: mount(8) of util-linux 2.41 and later calls move_mount instead of "
			    "mount, and no rule has that: add -S move_mount [lint: newer-call]\n");
}

static void system_calls_of_one_architecture_are_told(void **state)
{
	static const struct row rows[] = {
		{ "-a always,exit -S swapoff -F uid=0 -k k\n", "1:no-arch " },
		{ "-a always,exit -F uid=0 -S all -k k\n", "1:hot " },
		{ "-a always,exit -F arch=b64 -S swapoff -F uid=0 -k k\n", "1:no-b32 " },
		{ "-a always,exit -F arch=b64 -S swapoff -F uid=0 -k k\n"
		  "-a always,exit -F arch=b32 -S swapoff,umount -F uid=0 -k other\n", "" },
		{ "-a always,exit -F arch=b64 -S swapoff -F uid=0 -k k\n"
		  "-a always,exit -F arch=b32 -S swapoff -F uid=1 -k k\n", "1:no-b32 " },
		/* The twin has to have these calls: that of the group exec has others. */
		{ "-a always,exit -F arch=b64 -S swapoff,umount2 -k k\n-a always,exit -F arch=b32 -S execve,execveat -k e\n",
		  "1:no-b32 " },
		{ "-a always,exit -F arch=b64 -S swapoff,umount2 -k k\n-a always,exit -F arch=b32 -S umount2 -k k\n"
		  "-a always,exit -F arch=b32 -S swapoff,swapon -k k\n", "" },
		{ "-a always,exit -F arch=b64 -S swapoff,umount2 -k k\n-a always,exit -F arch=b32 -S umount2 -k k\n", "1:no-b32 " },
		{ "-a always,exit -F arch=b64 -S mmap -F a2=4 -k k\n-a always,exit -F arch=b32 -S mmap2 -F a2=4 -k k\n", "" },
		{ "-a always,exit -F arch=b64 -S fchmodat2 -F uid=0 -k k\n", "1:no-b32 " },
		{ "-a always,exit -F arch=b64 -F uid=0 -S all -k k\n-a always,exit -F arch=b32 -F uid=0 -S swapoff -k k\n",
		  "1:no-b32 1:hot " },
		/* 32-bit programs have no such call. */
		{ "-a always,exit -F arch=b64 -S newfstatat -F uid=0 -k k\n", "" },
		{ "-a never,exit -F arch=b64 -S swapoff\n", "" },
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
		{ "-a always,exit -F arch=b32 -S read,swapoff -k k\n", "1:hot " },
		{ "-a always,exit -F arch=b32 -S read -F auid>5 -k k\n", "" },
		{ "-a always,exit -F arch=b32 -S mmap -k k\n", "" },
		{ "-a always,exit -F arch=b32 -S mmap2 -k k\n", "1:hot " },
		{ "-a never,exit -F arch=b32 -S read\n", "" },
		{ "-a always,exit -S all -k k\n", "1:hot " },
		{ "-a always,exit -F auid>=1000 -F auid!=unset -S all -k k\n", "1:hot " },
		{ "-a always,exit -F auid>=1000 -F path=/etc/passwd -S all -k k\n", "" },
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
		"every event that it matches; to act, it has to stand first [lint: unreachable]\n"
		"cloud-audit-setup: warning: F:4: this rule never comes to act: F:1, a rule with never, together with F:3 "
		"takes every event that it matches; to act, it has to stand first [lint: unreachable]\n");
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

/* How many rules of the file earn a warning of this kind, where containers have login uids of their own or not. */
static unsigned of_kind(const char *content, bool identity, bool forgeable, const char *kind)
{
	_cleanup_free_ char *messages = NULL;
	size_t size;
	FILE *f = open_memstream(&messages, &size);
	struct rules_env env = { .log = log_new(f), .host = &host, .identity = identity, .forgeable = forgeable };
	struct rule_set set = { 0 };
	unsigned n = 0;

	assert_int_equal(rules_read(&set, &env, "F", content, strlen(content)), 0);
	assert_int_equal(rules_finish(&set, &env), 0);
	rule_set_done(&set);
	log_free(env.log);
	fclose(f);
	for (const char *s = messages; (s = strstr(s, kind)); s++)
		n++;
	return n;
}

static void login_uids_of_containers_are_told(void **state)
{
	static const struct {
		const char *fields;
		unsigned forgeable, sees;
	} rows[] = {
		{ "-F auid>=1000 -F auid!=unset", 1, 1 }, { "-F auid!=unset", 1, 1 }, { "-F auid>=1000", 1, 0 },
		{ "-F auid>=1000 -F auid<3221225472", 1, 0 }, { "-F auid>=3758096384 -F auid!=unset", 1, 0 },
		{ "-F auid>=1000 -F auid<3221225473", 1, 1 }, { "-F auid=1000", 0, 0 }, { "-F auid=unset", 0, 0 }, { "-F uid>=1000", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_text_ struct text rule = { 0 };

		text_addf(&rule, "-a always,exit -F arch=b64 -S mount %s -k k\n-a always,exit -F arch=b32 -S mount -F auid=0 -k k\n",
			  rows[i].fields);
		assert_int_equal(of_kind(rule.s, false, true, "[lint: forgeable]"), rows[i].forgeable);
		assert_int_equal(of_kind(rule.s, false, false, "[lint: forgeable]"), 0);
		assert_int_equal(of_kind(rule.s, true, false, "[lint: sees-containers]"), rows[i].sees);
		assert_int_equal(of_kind(rule.s, false, true, "[lint: sees-containers]"), 0);
	}
	assert_int_equal(of_kind("-a never,exit -F auid<1000\n", false, true, "[lint: forgeable]"), 1);
	assert_int_equal(of_kind("-a never,exit -F auid!=unset\n", true, false, "[lint: sees-containers]"), 0);
}

/* A roll-back file may have the line of a rule that comes with the program. */
static void a_deletion_of_what_is_not_the_users_is_told(void **state)
{
	static const char shipped[] = "-w /etc/audit -p wa -k audit-config\n-a always,exit -F arch=b64 -S bind -k network\n"
		"-a always,exit -F arch=b32 -S bind -k network\n";
	static const struct {
		const char *rules;
		unsigned warnings;
	} rows[] = {
		{ "-W /etc/audit -p wa -k audit-config\n", 1 },
		{ "-d always,exit -F arch=b64 -S bind -k network\n-d always,exit -F arch=b32 -S bind -k network\n", 2 },
		{ "-w /etc/mine -p wa -k x\n-W /etc/mine -p wa -k x\n", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned warnings, n = 0;
		_cleanup_free_ char *messages = said_of(shipped, rows[i].rules, "x86_64", &warnings);

		for (const char *s = messages; (s = strstr(s, "[lint: deletes]")); s++)
			n++;
		assert_int_equal(n, rows[i].warnings);
	}
}

static void with_identity_the_records_of_starts_are_wanted(void **state)
{
	static const char *const rules[] = { "-a always,exclude -F msgtype=VIRT_CONTROL\n",
		"-a never,exclude -F msgtype>=2500 -F msgtype<=2599\n" };

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		assert_int_equal(of_kind(rules[i], true, false, "[lint: exclude]"), 1);
		assert_int_equal(of_kind(rules[i], false, false, "[lint: exclude]"), 0);
	}
}

static void every_lint_has_a_name_and_a_line_about_it(void **state)
{
	size_t n = 0;

	for (; lint_at(n); n++) {
		assert_true(strspn(lint_at(n)->name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
			    strlen(lint_at(n)->name));
		assert_null(strchr(lint_at(n)->what, '\n'));
	}
	assert_int_equal(n, 29);
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
		cmocka_unit_test(rules_that_a_wider_one_takes_are_told),
		cmocka_unit_test(what_a_shipped_group_takes_is_told_with_what_helps),
		cmocka_unit_test(the_rule_that_the_kernel_comes_to_first_is_named),
		cmocka_unit_test(a_file_watched_twice_changes_hands),
		cmocka_unit_test(a_rule_with_never_behind_the_shipped_ones_is_told),
		cmocka_unit_test(rules_that_no_event_matches_are_told),
		cmocka_unit_test(a_link_that_is_watched_is_told),
		cmocka_unit_test(records_that_go_missing_are_told),
		cmocka_unit_test(system_calls_of_one_architecture_are_told),
		cmocka_unit_test(a_call_without_its_newer_one_is_told),
		cmocka_unit_test(paths_that_the_kernel_does_not_find_are_told),
		cmocka_unit_test(rules_that_log_too_much_or_namelessly_are_told),
		cmocka_unit_test(warnings_of_a_kind_are_one_line_with_the_first_place_and_the_count),
		cmocka_unit_test(a_comment_on_the_line_before_accepts_a_warning),
		cmocka_unit_test(a_rule_hidden_by_several_says_so),
		cmocka_unit_test(what_shipped_rules_are_meant_to_do_is_no_warning),
		cmocka_unit_test(login_uids_of_containers_are_told),
		cmocka_unit_test(a_deletion_of_what_is_not_the_users_is_told),
		cmocka_unit_test(with_identity_the_records_of_starts_are_wanted),
		cmocka_unit_test(every_lint_has_a_name_and_a_line_about_it),
		cmocka_unit_test(ten_thousand_rules_take_less_than_200_ms),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
