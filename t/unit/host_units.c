/* units/host_units.c */
#include "t/unit/test.h"

#include "setup/base/strings.h"
#include "units/host_units.h"
#include "units/unit_file.h"

static int print(bool log_passwords, const char *command, const char *path, struct text *out)
{
	const struct runtime_drop_in want = { .program = "/opt/cloud-audit-tty", .command = command, .log_passwords = log_passwords,
		.path = path };

	return print_runtime_drop_in(&want, out);
}

static void drop_in_is(bool log_passwords, const char *command, const char *path, const char *line)
{
	_cleanup_text_ struct text out = {0};
	char *at;

	assert_int_equal(print(log_passwords, command, path, &out), 0);
	at = strstr(out.s, "[Service]\n");
	assert_non_null(at);
	assert_string_equal(at, line);
}

static void runtime_is(bool log_passwords, const char *command, const char *line)
{
	drop_in_is(log_passwords, command, NULL, line);
}

static void runtime_path(void **state)
{
	static const char *const odd[] = { "", "/a\"b", "/a'b", "/a\\b", "/%h", "/a\nUser=x", "/\xff" };
	_cleanup_text_ struct text out = {0};

	drop_in_is(false, NULL, "/opt/x.d:/usr/bin", "[Service]\nEnvironment=\"PATH=/opt/x.d:/usr/bin\"\n");
	drop_in_is(false, "/x", "/a b:/$c", "[Service]\nEnvironment=\"PATH=/a b:/$c\"\nExecStart=\nExecStart=/bin/sh -c "
		   "\"\\\"$$0\\\" --check && exec \\\"$$0\\\" \\\"$$@\\\"; exec \\\"$$@\\\"\" /opt/cloud-audit-tty /x\n");
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		assert_int_equal(print(false, NULL, odd[i], &out), -EINVAL);
}

/* What a value of Environment= makes of PATH; NULL: nothing. */
static void environment_is(const char *value, const char *want)
{
	_cleanup_free_ char *path = NULL;

	assert_int_equal(unit_environment_path(value, &path), want ? 1 : 0);
	if (want)
		assert_string_equal(path, want);
}

static void environment(void **state)
{
	environment_is("PATH=/a:/b", "/a:/b");
	environment_is("A=1 \"PATH=/a b\" B=2", "/a b");
	environment_is("A=\"x\" 'PATH=/a' PATH=/c", "/c");
	environment_is("PATH=\"/a\":/b", "/a:/b");
	environment_is("PATH=/a\\x20b \"B=\\\"PATH=/c\"", "/a\\x20b");
	environment_is("\"PATH=/a\\\"b\"", "/a\\\"b");
	environment_is("PATH=", "");
	environment_is("XPATH=/a \"A=PATH=/b\" PATHS=/c", NULL);
	environment_is("", NULL);
}

static void runtime(void **state)
{
	_cleanup_text_ struct text out = {0};

	runtime_is(false, "/usr/bin/containerd", "[Service]\nExecStart=\nExecStart=/bin/sh -c \"\\\"$$0\\\" --check && exec "
		   "\\\"$$0\\\" \\\"$$@\\\"; exec \\\"$$@\\\"\" /opt/cloud-audit-tty /usr/bin/containerd\n");
	runtime_is(true, "-/usr/bin/x $OPTIONS ${X} $$ 50%% \"say \\\"x\\\"\" %n \\;", "[Service]\nExecStart=\nExecStart=-/bin/sh -c "
		   "\"\\\"$$0\\\" --check && exec \\\"$$0\\\" --log-passwords \\\"$$@\\\"; exec \\\"$$@\\\"\" "
		   "/opt/cloud-audit-tty /usr/bin/x $OPTIONS ${X} $$ 50%% \"say \\\"x\\\"\" %n \\;\n");
	assert_int_equal(print(false, "/x \\", NULL, &out), -EINVAL);
	assert_int_equal(print(false, "/x\nUser=nobody", NULL, &out), -EINVAL);
}

static void plain(void **state)
{
	static const struct {
		const char *command;
		bool plain;
	} rows[] = {
		{ "/usr/bin/containerd", true }, { "-/usr/bin/containerd --x", true }, { "/x \"a ; b\" \\; ';' a;", true },
		{ "/x $A ${B} %n", true }, { "/%p/x", true },
		{ "", false }, { "x", false }, { "@/x y", false }, { "+/x", false }, { "!/x", false }, { ":/x", false },
		{ "--/x", false }, { "/x ; /y", false }, { "/x a ;", false }, { "\"/x y\" z", false }, { "/x\\x20y", false },
		{ "/$X/y", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (unit_command_is_plain(rows[i].command) != rows[i].plain)
			fail_msg("%s", rows[i].command);
}

/* What the files, one after the other, leave of ExecStart= in [Service], with | between. */
static void reads(const char *const *files, const char *want, bool want_said)
{
	_cleanup_strings_ char **values = NULL;
	_cleanup_text_ struct text all = {0};
	bool said = false;

	for (; *files; files++) {
		_cleanup_text_ struct text content = {0};

		text_add(&content, *files);
		assert_int_equal(unit_file_read(&content, "Service", "ExecStart", &values, &said), 0);
	}
	for (size_t i = 0; values && values[i]; i++)
		text_addf(&all, "%s%s", i ? "|" : "", values[i]);
	assert_string_equal(all.s ? all.s : "", want);
	assert_int_equal(said, want_said);
}

#define READS(want, said, ...) reads((const char *const[]){ __VA_ARGS__, NULL }, want, said)

static void unit_files(void **state)
{
	READS("/a", true, "[Unit]\nExecStart=/no\n[Service]\n ExecStart = /a \nExecStartPre=/no\n[Install]\nExecStart=/no\n");
	READS("/a|/b", true, "[Service]\nExecStart=/a\nExecStart=/b");
	READS("/b", true, "[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\n");
	READS("/b", true, "[Service]\nExecStart=/a\n", "[Service]\nExecStart=\nExecStart=/b\n");
	READS("/a", false, "[Service]\nExecStart=/a\n", "[Service]\nEnvironment=X=1\n");
	READS("", true, "[Service]\nExecStart=/a\n", "[Service]\nExecStart=\n");
	READS("/a  --x  --y", true, "[Service]\nExecStart=/a \\\n# a comment \\\n --x \\\n; another\n  --y\nType=notify\n");
	READS("/a", true, "[Service]\nExecStart=/a \\\n\n--no\n");
	READS("/a \\\\", true, "[Service]\nExecStart=/a \\\\\n");
	READS("/a  --x", true, "[Service]\r\nExecStart=/a \\\r\n--x\r\n");
	READS("/a", true, "#[Service]\nExecStart=/no\n[Service]\n;ExecStart=/no\n# ExecStart=/no\n# \\\nExecStart=/a\n");
	READS("/a", true, "[Service]\nexecstart=/no\nExecStart\nExecStart=/a\nExecStart=/\xff\n");
	READS("", false, "");
	READS("", false, "[", "[]\n=\n\\");
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
		TEST("a runtime's PATH stands alone in Environment=, and an odd one is refused", runtime_path),
		TEST("PATH of an assignment is read as systemd reads it", environment),
		TEST("a command that other ways of running would change, or more than one, is not plain", plain),
		TEST("a key of a unit file is read as systemd reads it: sections, lines that go on, resets", unit_files),
		TEST("the host unit has a command for each thing asked for, and takes AppArmor back", host_unit),
	};

	return RUN(tests);
}
