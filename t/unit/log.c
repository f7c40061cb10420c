#include "t/unit/test.h"

#include <time.h>

#include "setup/base/text.h"

static void form(void **state)
{
	struct capture c;

	capture_begin(&c);
	log_say(c.log, LEVEL_ERROR, "no %s in %d", "rule", 7);
	log_say(c.log, LEVEL_WARNING, "careful");
	log_say(c.log, LEVEL_INFO, "done");
	assert_string_equal(capture_text(&c), "cloud-audit-setup: error: no rule in 7\n"
			    "cloud-audit-setup: warning: careful\ncloud-audit-setup: info: done\n");
	capture_end(&c);
}

static void places(void **state)
{
	struct capture c;

	capture_begin(&c);
	log_at(c.log, LEVEL_ERROR, "/etc/x.ini", 12, "bad %s", "key");
	log_at(c.log, LEVEL_ERROR, "/etc/x.ini", 0, "cannot be read");
	log_at(c.log, LEVEL_ERROR, NULL, 3, "nowhere");
	assert_string_equal(capture_text(&c), "cloud-audit-setup: error: /etc/x.ini:12: bad key\n"
			    "cloud-audit-setup: error: /etc/x.ini: cannot be read\n"
			    "cloud-audit-setup: error: nowhere\n");
	capture_end(&c);
}

static void one_line(void **state)
{
	struct capture c;

	capture_begin(&c);
	log_say(c.log, LEVEL_ERROR, "first\nsecond\n\n");
	log_say(c.log, LEVEL_ERROR, "%s", "");
	log_say(c.log, LEVEL_ERROR, "\n");
	assert_string_equal(capture_text(&c), "cloud-audit-setup: error: first; second\n"
			    "cloud-audit-setup: error: \ncloud-audit-setup: error: \n");
	capture_end(&c);
}

static void one_line_file(void **state)
{
	struct capture c;

	capture_begin(&c);
	log_at(c.log, LEVEL_ERROR, "a\nb", 1, "x");
	log_at(c.log, LEVEL_ERROR, "a\nb\n", 0, "y\nz");
	assert_string_equal(capture_text(&c), "cloud-audit-setup: error: a; b:1: x\n"
			    "cloud-audit-setup: error: a; b: y; z\n");
	capture_end(&c);
}

/* A process, a file or who logs as auditctl chooses what root's terminal gets. */
static void no_control(void **state)
{
	struct capture c;

	capture_begin(&c);
	log_at(c.log, LEVEL_ERROR, "a\x1b[2Jb", 1, "%s", "\x1b]0;x\x07 \x9b\n\x7f");
	assert_string_equal(capture_text(&c), "cloud-audit-setup: error: a\\x1b[2Jb:1: \\x1b]0;x\\x07 \\x9b; \\x7f\n");
	assert_string_equal(log_last_error(c.log), "a\\x1b[2Jb:1: \\x1b]0;x\\x07 \\x9b; \\x7f");
	capture_end(&c);
}

static void levels(void **state)
{
	struct capture c;

	capture_begin(&c);
	log_say(c.log, LEVEL_DEBUG, "hidden by default");
	log_set_level(c.log, LEVEL_WARNING);
	log_say(c.log, LEVEL_INFO, "quiet");
	log_say(c.log, LEVEL_WARNING, "loud");
	log_set_level(c.log, LEVEL_DEBUG);
	log_say(c.log, LEVEL_DEBUG, "verbose");
	assert_string_equal(capture_text(&c), "cloud-audit-setup: warning: loud\n"
			    "cloud-audit-setup: debug: verbose\n");
	capture_end(&c);
}

static void counts(void **state)
{
	struct capture c;

	capture_begin(&c);
	assert_null(log_last_error(c.log));
	log_set_level(c.log, LEVEL_ERROR);
	log_say(c.log, LEVEL_WARNING, "a warning");
	assert_null(log_last_error(c.log));
	log_at(c.log, LEVEL_ERROR, "f", 1, "one");
	log_at(c.log, LEVEL_ERROR, "f", 2, "two\nlines");
	log_say(c.log, LEVEL_WARNING, "another");
	assert_int_equal(log_count(c.log, LEVEL_ERROR), 2);
	assert_int_equal(log_count(c.log, LEVEL_WARNING), 2);
	assert_int_equal(log_count(c.log, LEVEL_INFO), 0);
	assert_string_equal(log_last_error(c.log), "f:2: two; lines");
	log_conclude(c.log, "and %s", "so");
	log_conclude(c.log, "again");
	assert_string_equal(log_last_error(c.log), "f:2: two; lines; and so; again");
	assert_int_equal(log_count(c.log, LEVEL_ERROR), 4);
	assert_non_null(strstr(capture_text(&c), "\ncloud-audit-setup: error: and so\ncloud-audit-setup: error: again\n"));
	capture_end(&c);
}

static const char *errors_of(struct capture *c, struct text *errors)
{
	text_done(errors);
	log_add_errors(c->log, errors);
	return errors->s;
}

static void all_errors(void **state)
{
	_cleanup_text_ struct text errors = {0};
	char many[1001], huge[5001];
	struct capture c;

	memset(many, 'm', sizeof(many) - 1);
	memset(huge, 'h', sizeof(huge) - 1);
	many[sizeof(many) - 1] = huge[sizeof(huge) - 1] = '\0';
	capture_begin(&c);
	log_say(c.log, LEVEL_ERROR, "one");
	log_say(c.log, LEVEL_WARNING, "a warning");
	log_say(c.log, LEVEL_ERROR, "two");
	log_conclude(c.log, "so");
	assert_string_equal(errors_of(&c, &errors), "one\ntwo; so\n");
	for (int i = 0; i < 9; i++)
		log_say(c.log, LEVEL_ERROR, "%s", many);
	log_say(c.log, LEVEL_ERROR, "last");
	assert_true(strlen(errors_of(&c, &errors)) <= 4096);
	assert_non_null(strstr(errors.s, "\n(5 more errors)\nlast\n"));
	assert_int_equal(strncmp(errors.s, "one\ntwo; so\nmmm", 14), 0);
	/* One that alone is too long has its beginning there. */
	log_say(c.log, LEVEL_ERROR, "%s", huge);
	assert_int_equal(strlen(errors_of(&c, &errors)), 4096);
	log_begin_anew(c.log);
	log_say(c.log, LEVEL_ERROR, "anew");
	assert_string_equal(errors_of(&c, &errors), "anew\n");
	capture_end(&c);
}

static void waiting(void **state)
{
	struct capture c;

	capture_begin(&c);
	log_wait_for_room(c.log);
	log_wait_with_errors(c.log);
	log_at(c.log, LEVEL_WARNING, "mine.rules", 1, "a line");
	log_say(c.log, LEVEL_WARNING, "the node");
	log_at(c.log, LEVEL_ERROR, "mine.rules", 2, "refused");
	log_at(c.log, LEVEL_ERROR, "mine.rules", 3, "refused");
	log_say(c.log, LEVEL_ERROR, "at once");
	/* The first of what weighs most has room always; where one of its kind has none, nothing has that weighs less. */
	assert_int_equal(log_end_room(c.log, 3), 3);
	assert_string_equal(capture_text(&c), "cloud-audit-setup: error: at once\n"
			    "cloud-audit-setup: error: mine.rules:2: refused\ncloud-audit-setup: error: 3 more messages: -v shows all\n");
	/* What has room by then is said then. */
	log_wait_for_room(c.log);
	log_say(c.log, LEVEL_WARNING, "sooner");
	assert_int_equal(log_use_room(c.log, 24), 4);
	log_say(c.log, LEVEL_WARNING, "later");
	assert_null(strstr(capture_text(&c), "later"));
	assert_int_equal(log_end_room(c.log, 24), 5);
	/* What comes then has nothing to wait for. */
	log_say(c.log, LEVEL_WARNING, "late");
	assert_int_equal(log_end_room(c.log, 1), 6);
	assert_non_null(strstr(capture_text(&c), "warning: late\n"));
	capture_end(&c);

	capture_begin(&c);
	log_wait_for_room(c.log);
	log_say(c.log, LEVEL_WARNING, "%0*d", 6 * 80, 1);
	log_say(c.log, LEVEL_WARNING, "the node");
	assert_int_equal(log_end_room(c.log, 4), 2);
	assert_string_equal(capture_text(&c), "cloud-audit-setup: warning: the node\n"
			    "cloud-audit-setup: warning: 1 more message: -v shows all\n");
	capture_end(&c);
}

static void json(void **state)
{
	static const char *const severities[] = { "ERROR", "WARNING", "INFO", "DEBUG" };

	for (int i = 0; i < LEVEL_MAX; i++) {
		struct capture c;
		char severity[16], rest[64];
		int year, end = 0;

		capture_begin(&c);
		log_set_json(c.log, true);
		log_set_level(c.log, LEVEL_DEBUG);
		log_at(c.log, (enum log_level)i, "f", 3, "say \"%s\"\n", "\xff");
		assert_int_equal(sscanf(capture_text(&c), "{\"severity\":\"%15[A-Z]\",\"time\":\"%4d-%*2d-%*2dT%*2d:"
					"%*2d:%*2d.%*6dZ\",\"message\":%n%63[^\n]", severity, &year, &end,
					rest), 3);
		assert_string_equal(severity, severities[i]);
		assert_true(year >= 2024);
		assert_string_equal(c.s + end, "\"f:3: say \\\"\\\\xff\\\"\"}\n");
		capture_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("text: program, level, message, one line each", form),
		TEST("FILE:LINE stands in front; without a line FILE alone", places),
		TEST("a message with newlines stays one line", one_line),
		TEST("a file name with newlines does not break the line either", one_line_file),
		TEST("what a terminal would act on is shown by its number, in what Kubernetes keeps, too", no_control),
		TEST("messages above the level are dropped", levels),
		TEST("dropped messages are counted; the last error is kept", counts),
		TEST("all errors are kept within 4 KiB, the last always, the others counted", all_errors),
		TEST("for a screen messages wait, and what weighs most is said first", waiting),
		TEST("JSON: severity of Cloud Logging, time in RFC 3339, message escaped", json),
	};

	return RUN(tests);
}
