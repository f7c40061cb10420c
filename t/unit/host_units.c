/* units/host_units.c */
#include "t/unit/test.h"

#include "units/host_units.h"

static char *const *argv_of(const char *const *words)
{
	union {
		const char *const *read;
		char *const *own;
	} argv = { .read = words };

	return argv.own;
}

static void runtime_is(bool log_passwords, const char *const *words, const char *line)
{
	_cleanup_text_ struct text out = {0};
	char *at;

	assert_int_equal(print_runtime_drop_in("/opt/cloud-audit-tty", log_passwords, argv_of(words), &out), 0);
	at = strstr(out.s, "[Service]\n");
	assert_non_null(at);
	assert_string_equal(at, line);
}

static void runtime(void **state)
{
	static const char *const plain[] = { "/usr/bin/containerd", NULL };
	static const char *const odd[] = {
		"/usr/bin/a b", "$OPTIONS", "${X}", "$$", "50%", "say \"x\"", ";", "a\nb", NULL,
	};

	runtime_is(false, plain, "[Service]\nExecStart=\nExecStart=/bin/sh -c \"\\\"$$0\\\" --check && exec "
		   "\\\"$$0\\\" \\\"$$@\\\"; exec \\\"$$@\\\"\" /opt/cloud-audit-tty /usr/bin/containerd\n");
	runtime_is(true, odd, "[Service]\nExecStart=\nExecStart=/bin/sh -c \"\\\"$$0\\\" --check && exec "
		   "\\\"$$0\\\" --log-passwords \\\"$$@\\\"; exec \\\"$$@\\\"\" /opt/cloud-audit-tty "
		   "\"/usr/bin/a b\" \"$OPTIONS\" \"${X}\" \"$$\" \"50%%\" \"say \\\"x\\\"\" \";\" \"a\\x0ab\"\n");
}

static void own_command(void **state)
{
	static const char *const wrapped[] = {
		"/bin/sh", "-c", "whatever", "/opt/cloud-audit-tty", "/usr/bin/containerd", "--x", NULL,
	};
	static const char *const others[][6] = {
		{ "/usr/bin/containerd", NULL }, { "/bin/sh", "-c", "x", NULL },
		{ "/bin/sh", "-c", "x", "/opt/other", "/y", NULL },
		{ "/bin/sh", "-c", "x", "/opt/cloud-audit-tty", NULL },
	};

	assert_ptr_equal(runtime_own_command(argv_of(wrapped)), argv_of(wrapped) + 4);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_ptr_equal(runtime_own_command(argv_of(others[i])), argv_of(others[i]));
}

/* How many lines of the unit begin so. */
static size_t count(const struct host_recording *want, const char *begin)
{
	_cleanup_text_ struct text out = {0};
	size_t n = 0;

	assert_int_equal(print_host_unit(want, 30000000, &out), 0);
	for (const char *at = out.s; (at = strstr(at, begin)); at++)
		n += at == out.s || at[-1] == '\n';
	return n;
}

static void host_unit(void **state)
{
	const struct host_recording both = { "all", "rule" }, apparmor = { .apparmor = "all" },
		ima = { .ima = "one\ntwo" };

	assert_int_equal(count(&both, "ExecStart="), 2);
	assert_int_equal(count(&apparmor, "ExecStart="), 1);
	assert_int_equal(count(&ima, "ExecStart="), 1);
	assert_int_equal(count(&apparmor, "ExecStopPost="), 1);
	assert_int_equal(count(&ima, "ExecStopPost="), 0);
	assert_int_equal(count(&both, "TimeoutStartSec=30000ms\n"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a runtime's command keeps its words and variables behind the wrapper", runtime),
		TEST("the runtime's own command is found behind the wrapper again", own_command),
		TEST("the host unit has a command for each thing asked for, and takes AppArmor back", host_unit),
	};

	return RUN(tests);
}
