/* setup/host/pam.c: the block in a PAM file. */
#include "t/unit/test.h"

#include "setup/host/pam.h"

#define BLOCK(options) \
	"# BEGIN cloud-audit-setup: keystrokes of SSH sessions; undo: cloud-audit-setup remove\n" \
	"-session optional pam_tty_audit.so enable=*" options "\n" \
	"# END cloud-audit-setup"

static void add_is(const char *content, bool log_passwords, const char *want)
{
	_cleanup_text_ struct text out = {0}, back = {0};

	assert_int_equal(pam_set(&out, content, log_passwords), 0);
	assert_string_equal(out.s, want);
	assert_int_equal(pam_strip(&back, out.s), 1);
	assert_string_equal(back.s, content);
}

static void round_trips(void **state)
{
	add_is("session required pam_unix.so\n", false, "session required pam_unix.so\n" BLOCK("") "\n");
	add_is("a\n", true, "a\n" BLOCK(" log_passwd") "\n");
	add_is("", false, BLOCK("") "\n");
	add_is("no newline", false, "no newline\n" BLOCK(""));
	add_is("\n\n", false, "\n\n" BLOCK("") "\n");
}

static void stays_in_place(void **state)
{
	_cleanup_text_ struct text out = {0};

	assert_int_equal(pam_set(&out, "a\n" BLOCK("") "\nb\n", true), 0);
	assert_string_equal(out.s, "a\n" BLOCK(" log_passwd") "\nb\n");
}

static void strip_is(const char *content, int r, const char *want)
{
	_cleanup_text_ struct text out = {0};

	assert_int_equal(pam_strip(&out, content), r);
	if (r >= 0)
		assert_string_equal(out.s, want);
}

static void strips(void **state)
{
	strip_is("nothing of ours\n", 0, "nothing of ours\n");
	strip_is("", 0, "");
	strip_is("before\n" BLOCK("") "\nadded by somebody\n", 1, "before\nadded by somebody\n");
	strip_is("# BEGIN something else\nx\n# END something else\n", 0,
		 "# BEGIN something else\nx\n# END something else\n");
}

static void refuses(void **state)
{
	strip_is("# BEGIN cloud-audit-setup: keystrokes of SSH sessions; undo: cloud-audit-setup remove\nx\n",
		 -EBADMSG, NULL);
	strip_is("x " BLOCK("") "\n", -EBADMSG, NULL);
}

static struct host host;

static void has(const char *content, int want)
{
	if (pam_has_tty_audit(&host, content) != want)
		fail_msg("not %d: %s", want, content);
}

static int begin(void **state)
{
	if (mkdir(test_path("root"), 0755) < 0 || mkdir(test_path("root/etc"), 0755) < 0 ||
	    mkdir(test_path("root/etc/pam.d"), 0755) < 0)
		return -1;
	test_file("root/etc/pam.d/yes", "auth required a.so\nsession required pam_tty_audit.so enable=*\n");
	test_file("root/etc/pam.d/no", "session required b.so\n");
	test_file("root/etc/pam.d/deep", "session include no\nsession substack yes\n");
	test_file("root/etc/pam.d/loop", "@include loop\nsession include loop\n");
	return host_open_root(&host, test_path("root"));
}

static int end(void **state)
{
	host_done(&host);
	return 0;
}

static void finds(void **state)
{
	has("session required pam_tty_audit.so enable=*\n", 1);
	has("-session [success=ok default=ignore] /lib/security/pam_tty_audit.so open_only enable=*", 1);
	has("session required pam_tty_audit.so disable=* enable=root,*\n", 1);
	has("session include yes\n", 1);
	has("session substack deep\n", 1);
	has("@include deep\n", 1);
	has("session\tinclude\tyes # comment\n", 1);
}

static void finds_not(void **state)
{
	has("", 0);
	has("# session required pam_tty_audit.so enable=*\n", 0);
	has("session required pam_tty_audit.so disable=*\n", 0);
	/* Of some users alone. */
	has("session required pam_tty_audit.so disable=* enable=root\n", 0);
	has("session required pam_tty_audit.so enable=* disable=*\n", 0);
	has("session required pam_unix.so # pam_tty_audit.so enable=*\n", 0);
	has("auth include yes\n", 0);
	has("session include no\n", 0);
	has("session include absent\n@include\nsession include\n", 0);
	has("session include ../../../../etc/hostname\n", 0);
	has("@include loop\n", 0);
}

static void module(void **state)
{
	assert_false(pam_module_exists(&host));
	assert_int_equal(mkdir(test_path("root/usr"), 0755), 0);
	assert_int_equal(mkdir(test_path("root/usr/lib64"), 0755), 0);
	assert_int_equal(mkdir(test_path("root/usr/lib64/security"), 0755), 0);
	assert_false(pam_module_exists(&host));
	test_file("root/usr/lib64/security/pam_tty_audit.so", "x");
	assert_true(pam_module_exists(&host));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a block added and taken back leaves the file to the byte", round_trips),
		TEST("a block that is there is changed in its place", stays_in_place),
		TEST("only our block is taken out, what stands around it stays", strips),
		TEST("a block without an end, or in the middle of a line, is refused", refuses),
		TEST("pam_tty_audit is found in the file and in those that it includes", finds),
		TEST("comments, other types, disable= and loops are not taken for it", finds_not),
		TEST("the module is looked for where PAM looks", module),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
