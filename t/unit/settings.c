/* setup/node/settings.c: what the settings come to that nobody set. */
#include "t/unit/test.h"

#include "setup/base/text.h"
#include "setup/node/settings.h"

static void add_line(void *context, const char *control, const char *source)
{
	if (strcmp(control, "-D") != 0 && strncmp(control, "-e", 2) != 0)
		text_addf(context, "%s (%s)\n", control, source);
}

#define KERNEL "as the kernel had it: [audit] backlog_limit is not set"
#define EARLIER "as an earlier run had it: [audit] backlog_limit is not set"
#define DEFAULT "built-in default"

/* The lines of the rules file that --set SETTINGS (separated by spaces), a rules file's -b, a kernel and an earlier
 * run's rules give. */
static void check(const char *set, unsigned limit, const struct kernel_status *status, const char *earlier, const char *lines)
{
	struct rules_backlog backlog = { limit ? strdup("/x/a.rules") : NULL, 3, limit };
	_cleanup_free_ char *copy = strdup(set);
	struct settings settings = {0};
	struct text text = {0};
	struct config config;
	struct capture said;
	char *rest = NULL;
	bool changed;

	capture_begin(&said);
	assert_int_equal(config_init(&config), 0);
	for (char *s = strtok_r(copy, " ", &rest); s; s = strtok_r(NULL, " ", &rest))
		assert_int_equal(config_override(&config, s, said.log), 0);
	assert_int_equal(settings_init(&settings, &config, &backlog), 0);
	if (status)
		assert_int_equal(settings_meet_kernel(&settings, &config, status, earlier, &changed), 0);
	settings_lines(&settings, &config, true, add_line, &text);
	settings_lines(&settings, &config, false, add_line, &text);
	assert_string_equal(text.s ? text.s : "", lines);
	text_done(&text);
	settings_done(&settings);
	config_done(&config);
	free(backlog.file);
	capture_end(&said);
}

static void a_backlog_that_nobody_set_is_the_largest(void **state)
{
	const struct kernel_status small = { .failure = 1, .backlog_limit = 64 }, large = { .failure = 1, .backlog_limit = 65536 },
		none = { .failure = 1 };
#define REST "-f 1 (" DEFAULT ")\n-r 0 (" DEFAULT ")\n"

	check("", 0, NULL, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	check("", 0, &small, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	check("", 0, &large, NULL, "-b 65536 (" KERNEL ")\n" REST);
	/* 0 is no limit. */
	check("", 0, &none, "-D\n-b 9000\n", "-b 0 (" KERNEL ")\n" REST);
	check("", 0, &small, "-D\n-b 9000\n", "-b 9000 (" EARLIER ")\n" REST);
	check("", 0, &large, "-D\n-b 9000\n", "-b 65536 (" KERNEL ")\n" REST);
	check("", 0, &small, "# -b 9000\n", "-b 8192 (" DEFAULT ")\n" REST);
	check("", 10000, &small, NULL, "-b 10000 (a.rules:3)\n" REST);
	check("", 10000, &large, NULL, "-b 65536 (" KERNEL ")\n" REST);
	check("", 64, &small, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	check("audit.backlog_limit=100", 10000, &large, "-D\n-b 9000\n", "-b 100 (--set audit.backlog_limit=100)\n" REST);
}

static void failure_is_the_kernels_while_somebody_holds_the_pid(void **state)
{
	static const char *const kept = "-b 8192 (" DEFAULT ")\n-r 0 (" DEFAULT ")\n";
	const struct kernel_status held = { .failure = 2, .pid = 7, .backlog_limit = 64 }, free_pid = { .failure = 2, .backlog_limit = 64 },
		usual = { .failure = 1, .pid = 7, .backlog_limit = 64 }, locked = { .failure = 2, .enabled = 2, .backlog_limit = 64 };

	check("", 0, &held, NULL, kept);
	check("", 0, &free_pid, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	/* So that the file does not change when a daemon stops. */
	check("", 0, &usual, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	/* The kernel had another when the file was written, and has the usual one since a boot: no difference. */
	check("", 0, &usual, "-D\n-b 8192\n-r 0\n", kept);
	check("", 0, &usual, "-D\n-b 8192\n-f 1\n-r 0\n", "-b 8192 (" DEFAULT ")\n" REST);
	/* Under the lock nothing could come of it, but at a boot it would lower the host's. */
	check("", 0, &locked, "-D\n-b 8192\n-r 0\n", kept);
	check("audit.failure=silent", 0, &held, NULL, "-b 8192 (" DEFAULT ")\n-f 0 (--set audit.failure=silent)\n-r 0 (" DEFAULT ")\n");
}

static void loginuid_immutable_is_off_unless_asked_for(void **state)
{
	check("audit.loginuid_immutable=auto", 0, NULL, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	check("audit.loginuid_immutable=no", 0, NULL, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	check("audit.loginuid_immutable=yes", 0, NULL, NULL, "-b 8192 (" DEFAULT ")\n" REST
	      "--loginuid-immutable (--set audit.loginuid_immutable=yes)\n");
	check("container.identity=yes", 0, NULL, NULL, "-b 8192 (" DEFAULT ")\n" REST "--loginuid-immutable (" DEFAULT ")\n");
	check("container.identity=yes audit.loginuid_immutable=no", 0, NULL, NULL, "-b 8192 (" DEFAULT ")\n" REST);
}

static void identity_makes_waits_short(void **state)
{
	/* 60000 is what Debian's audit.rules sets, whatever HZ is. */
	static const struct {
		unsigned hz, kernel;
		const char *wait;
	} rows[] = {
		{ 250, 15000, "100" }, { 250, 60000, "100" }, { 1000, 60000, "400" }, { 100, 6000, "40" }, { 300, 18000, "120" },
		{ 250, 0, "0" }, { 250, 100, "100" }, { 250, 101, "100" }, { 250, 7, "7" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct kernel_status status = {
			.failure = 1, .backlog_limit = 64, .backlog_wait_time = rows[i].kernel, .hz = rows[i].hz,
		};
		_cleanup_text_ struct text lines = {0};

		text_addf(&lines, "-b 8192 (" DEFAULT ")\n--backlog_wait_time %s (at most 0.4 s with [container] identity, as [audit] "
			  "backlog_wait_time is not set)\n" REST "--loginuid-immutable (" DEFAULT ")\n", rows[i].wait);
		check("container.identity=yes", 0, &status, NULL, lines.s);
		check("container.identity=yes audit.backlog_wait_time=keep", 0, &status, NULL, "-b 8192 (" DEFAULT ")\n" REST
		      "--loginuid-immutable (" DEFAULT ")\n");
		check("", 0, &status, NULL, "-b 8192 (" DEFAULT ")\n" REST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a backlog limit that nobody set is the largest of the default, the kernel's, a rules file's and an earlier run's",
		     a_backlog_that_nobody_set_is_the_largest),
		TEST("failure that nobody set is the kernel's while somebody holds the audit PID", failure_is_the_kernels_while_somebody_holds_the_pid),
		TEST("loginuid_immutable = auto is no, and with identity yes", loginuid_immutable_is_off_unless_asked_for),
		TEST("with identity backlog_wait_time that nobody set is at most 0.4 s, whatever HZ is and the kernel had",
		     identity_makes_waits_short),
	};

	return RUN(tests);
}
