/* Whatever allocation fails: a function that reads, compares or prints says so, or does all that it does without; it
 * never hands out a part as the whole. */
#include "t/unit/memory.h"
#include "t/unit/test.h"

#include <getopt.h>
#include <linux/audit.h>

#include "rules/parse/warnings.h"
#include "rules/rule/show.h"
#include "rules/rules.h"
#include "setup/config/config.h"
#include "setup/config/config_keys.h"
#include "setup/config/options.h"
#include "setup/host/host.h"
#include "setup/host/pam.h"
#include "setup/output/diff.h"
#include "units/audit_units.h"
#include "units/host_units.h"
#include "units/transient.h"

/* --- what is done, each into a text --- */

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = path[1] == 'd';
	return path[1] == 'n' ? 0 : 1;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	*ret_id = 7;
	return 1;
}

static const char rules[] =
	"-D\n-b 8192\n"
	"-w /d -p wa -k etc\n-w /x -p r -k a\n"
	"-a always,exit -F arch=b64 -S open,openat -F dir=/d -F perm=wa -F auid>=1000 -F auid!=unset -k one\n"
	"-a always,exit -F arch=b32 -S open,openat -F dir=/d -F perm=wa -F auid>=1000 -F auid!=unset -k one\n"
	"-a always,exit -F arch=b64 -S execve -C uid!=euid -F exit=-EACCES -F success=0 -k two\n"
	"-a always,exit -F arch=b64 -S execve -F exe=/bin/true -F uid=name -F gid=group -k three\n"
	"-a always,exit -S 1000 -F a0&=0x3f -F ppid=1\n"
	"-a always,exit -F arch=b64 -S socket -F a0=2 -F key=four\n"
	"-a always,exit -F arch=b64 -S socket -F a0=2 -F key=four\n"
	"-a always,exit -F arch=b64 -S mount -k m\n-a always,exit -F arch=b64 -S umount2 -k m\n"
	"-a never,exclude -F msgtype=CWD\n-a always,exclude -F msgtype>=PATH\n-a never,task\n"
	"-a never,filesystem -F fstype=tracefs\n-a never,user -F subj_user=u\n-A always,exit -S all -F filetype=file -F inode=5\n"
	"-a always,exit -F path=/n/one -F perm=x -F obj_uid=0 -F saddr_fam=2 -F sessionid=4 -F pers=0 -F devmajor=8\n"
	"-w /a!=b -p wa\n# lint: accept no-key\n-a always,exit -S 1001\n-d always,exit -S 1000 -F a0&=0x3f -F ppid=1\n";

static int do_rules(struct text *out, struct log *log)
{
	static const struct rules_host host = { .path_type = path_type, .user_id = look_up, .group_id = look_up };
	static const struct rules_setting settings[] = {
		{ "-b", "8192", "backlog_limit = 8192", "config:1", false }, { "-D", "", "existing = replace", "config:3", false },
	};
	struct rules_env env = { .log = log, .host = &host, .machine = "x86_64", .optimise = true,
		.settings = settings, .n_settings = ARRAY_SIZE(settings), .warnings = warnings_new(log) };
	_cleanup_(rule_set_done) struct rule_set set = {0};
	int r = env.warnings ? rules_read(&set, &env, "F", rules, strlen(rules)) : -ENOMEM;

	if (r == 0)
		r = rules_finish(&set, &env);
	warnings_tell(env.warnings);
	warnings_free(env.warnings);
	if (r == 0)
		r = rules_check_features(&set, log, 0x7f);
	for (size_t i = 0; r == 0 && i < set.n_rules; i++) {
		text_addf(out, "%u", set.rules[i].line);
		text_add(out, " ");
		if (!rule_print(out, set.rules[i].data, set.rules[i].size))
			out->failed = true;
		text_add(out, " | ");
		rule_show(out, set.rules[i].data, set.rules[i].size);
		text_add(out, "\n");
	}
	return r < 0 ? r : text_error(out);
}

static int do_mistakes(struct text *out, struct log *log)
{
	static const char mistakes[] = "-a always,exit -F arch=b65 -S opne\n-w rel\n-F uid=1\n-e 2\n-q\n-a x,y\n";
	static const struct rules_host host = { .path_type = path_type, .user_id = look_up, .group_id = look_up };
	const struct rules_env env = { .log = log, .host = &host, .machine = "x86_64" };
	_cleanup_(rule_set_done) struct rule_set set = {0};
	int r = rules_read(&set, &env, "F", mistakes, strlen(mistakes));

	text_addf(out, "%u", log_count(log, LEVEL_ERROR));
	return r == -EINVAL ? text_error(out) : r;
}

static char config_file[256];

static int do_config(struct text *out, struct log *log)
{
	struct config config;
	int r = config_init(&config);

	if (r == 0)
		r = config_read(&config, config_file, log);
	if (r == 0)
		r = config_override(&config, "filter.exclude_types=CWD,PATH", log);
	if (r == 0)
		r = config_override(&config, "unit.start_timeout=7s", log);
	if (r == 0)
		r = config_check(&config, log);
	for (const char *const *key = (const char *const []){ "exclude_types", "exclude_exe", "exclude_uid", NULL }; r == 0 && *key;
	     key++)
		text_addf(out, "%s=%s (%s)\n", *key, config_value(&config, "filter", *key), config_source(&config, "filter", *key));
	config_done(&config);
	return r < 0 ? r : text_error(out);
}

static int do_options(struct text *out, struct log *log)
{
	static char words[][24] = { "x", "-s", "audit.lock=no", "--set=unit.enable=no", "render", "rules" };
	char *argv[ARRAY_SIZE(words) + 1] = { NULL };
	struct options options = {0};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		argv[i] = words[i];
	optind = 0;
	r = options_parse(&options, ARRAY_SIZE(words), argv, log);
	if (r > 0)
		text_addf(out, "%s %zu", options_command(&options), options.n_set);
	options_done(&options);
	return r < 0 ? r : text_error(out);
}

static int do_units(struct text *out, struct log *log)
{
	const struct host_recording want = { "all", "measure func=BPRM_CHECK\naudit func=BPRM_CHECK" };
	const struct runtime_drop_in runtime = { .program = "/opt/x", .command = "/usr/bin/containerd --x", .log_passwords = true,
		.path = "/opt/x.d:/bin" };
	struct text data = { .s = (char[]){"-D\n"}, .len = 3 };
	int r = print_setup_unit("/sbin/auditctl", "/etc/audit/a b.rules", 5000000, out);

	if (r == 0)
		r = print_lock_unit("/sbin/auditctl", 5000000, out);
	if (r == 0)
		r = print_host_unit(&want, 5000000, out);
	if (r == 0)
		r = print_journald_drop_in(out);
	if (r == 0)
		r = print_runtime_drop_in(&runtime, out);
	return r < 0 ? r : print_transient_unit("/sbin/auditctl", 5000000, &data, out);
}

static int do_diff(struct text *out, struct log *log)
{
	int r = diff_unified(out, "/a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "1\n2\nx\n4\n5\n6\n7\n8\n9\n10\n11\n12\ny\n");

	return r < 0 ? r : diff_unified(out, "/b", NULL, "new\n");
}

static int do_pam(struct text *out, struct log *log)
{
	_cleanup_text_ struct text set = {0};
	int r = pam_set(&set, "session required pam_unix.so", true);

	if (r >= 0)
		r = pam_set(out, set.s, false);
	if (r >= 0)
		r = pam_strip(out, set.s);
	return r < 0 ? r : text_error(out);
}

static int do_files(struct text *out, struct log *log)
{
	_cleanup_(host_done) struct host host = { .fd = -1 };
	int r = host_open_root(&host, test_dir());

	if (r == 0)
		r = host_write(&host, "/etc/x/file", "content\n", 8, 0644, 0755);
	if (r == 0)
		r = host_read(&host, "/etc/x/file", out);
	if (r == 0)
		r = host_remove(&host, "/etc/x/file");
	return r < 0 ? r : text_error(out);
}

/* --- */

static const struct work {
	const char *name;
	int (*work)(struct text *out, struct log *log);
	size_t least;	/* allocations that there are at least */
} works[] = {
	{ "rules", do_rules, 300 }, { "mistakes in rules", do_mistakes, 20 }, { "configuration", do_config, 50 },
	{ "command line", do_options, 1 }, { "units", do_units, 50 }, { "diff", do_diff, 3 }, { "pam", do_pam, 2 },
	{ "files", do_files, 3 },
};

static void check_work(const struct work *w, bool for_good)
{
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	struct text whole = {0};
	struct log *log = log_new(null);
	size_t total;

	memory_begin(0, false);
	assert_true(w->work(&whole, log) >= 0);
	total = memory_n;
	log_free(log);
	if (total < w->least)
		fail_msg("%s: %zu allocations", w->name, total);
	for (size_t n = 1; n <= total; n++) {
		struct text part = {0};
		bool same, said;
		int r;

		log = log_new(null);
		memory_begin(n, for_good);
		r = w->work(&part, log);
		memory_begin(0, false);
		same = text_equal(&whole, &part);
		said = log_count(log, LEVEL_ERROR) > 0;
		log_free(log);
		text_done(&part);
		if (r < 0 ? r != -ENOMEM && !said : !same)
			fail_msg("%s, allocation %zu of %zu%s: %d, %s, %s", w->name, n, total, for_good ? " and all after it" : "",
				 r, same ? "whole" : "in part", said ? "said" : "not said");
	}
	text_done(&whole);
}

static void one_fails(void **state)
{
	for (size_t i = 0; MEMORY_FAILS && i < ARRAY_SIZE(works); i++)
		check_work(&works[i], false);
}

static void all_fail(void **state)
{
	for (size_t i = 0; MEMORY_FAILS && i < ARRAY_SIZE(works); i++)
		check_work(&works[i], true);
}

static int set_up(void **state)
{
	const char *file = test_file("config.ini", "[filter]\nexclude_types = AVC, CWD,\n  PATH\n"
				     "exclude_exe = /bin/x\nexclude_uid = 5\n[audit]\nlock = no\n");

	assert_int_equal(chmod(file, 0600), 0);
	snprintf(config_file, sizeof(config_file), "%s", file);
	return mkdir(test_path("etc"), 0755) < 0 || mkdir(test_path("etc/x"), 0755) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("whichever allocation fails, it is said, or all is done", one_fails),
		TEST("from whichever on all of them fail, it is said, or all is done", all_fail),
	};

	if (!MEMORY_FAILS) {
		puts("1..0 # SKIP the sanitizers have a heap of their own");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
