/* units/unit.c and units/audit_units.c. What the text means to systemd is t/21-units.t's to ask: with
 * words on the command line this prints a unit that runs them, a word "|" between two commands. */
#include "t/unit/test.h"

#include "setup/base/text.h"
#include "units/audit_units.h"
#include "units/transient.h"
#include "units/unit.h"

static void command_is(const char *const *argv, const char *line)
{
	_cleanup_(unit_done) struct unit unit = {0};
	_cleanup_text_ struct text out = {0}, want = {0};

	unit_add_command(&unit, "Service", "ExecStart", argv);
	assert_int_equal(unit_print(&unit, "", &out), 0);
	text_addf(&want, "\n[Service]\nExecStart=%s\n", line);
	assert_string_equal(out.s, want.s);
}

#define COMMAND(line, ...) command_is((const char *const[]){ __VA_ARGS__, NULL }, line)

static void value_is(const char *value, const char *line)
{
	_cleanup_(unit_done) struct unit unit = {0};
	_cleanup_text_ struct text out = {0}, want = {0};

	unit_add(&unit, "Unit", "Description", value);
	assert_int_equal(unit_print(&unit, "", &out), 0);
	text_addf(&want, "\n[Unit]\nDescription=%s\n", line);
	assert_string_equal(out.s, want.s);
}

static void value_refused(const char *value)
{
	_cleanup_(unit_done) struct unit unit = {0};
	_cleanup_text_ struct text out = {0};

	unit_add(&unit, "Unit", "Description", "good");
	unit_add(&unit, "Unit", "Description", value);
	unit_add(&unit, "Unit", "Description", "good");
	if (unit_print(&unit, "", &out) != -EINVAL)
		fail_msg("accepted: %s", value);
	assert_null(out.s);
}

static void sections(void **state)
{
	_cleanup_(unit_done) struct unit unit = {0};
	_cleanup_text_ struct text out = {0};

	unit_add(&unit, "Unit", "Description", "x");
	unit_add(&unit, "Unit", "After", "a b");
	unit_add(&unit, "Service", "Type", "oneshot");
	unit_add(&unit, "Service", "Environment", "");
	assert_int_equal(unit_print(&unit, "# by hand\n", &out), 0);
	assert_string_equal(out.s, "# by hand\n\n[Unit]\nDescription=x\nAfter=a b\n\n[Service]\n"
			    "Type=oneshot\nEnvironment=\n");
}

static void values(void **state)
{
	value_is("plain", "plain");
	value_is("a\tb", "a\tb");
	value_is("100%, %n", "100%%, %%n");
	value_is("\"quoted\" and \\n", "\"quoted\" and \\n");
	value_is("# no comment ; here", "# no comment ; here");
	value_is("h\xc3\xb6he", "h\xc3\xb6he");
}

static void smuggled(void **state)
{
	value_refused("a\nExecStart=/bin/sh");
	value_refused("a\n[Install]");
	value_refused("a\r");
	value_refused("a\rb");
	value_refused("\n");
	value_refused("joins the next line \\");
	value_refused("\\");
	value_refused("a\x01");
	value_refused("a\x0b");
	value_refused("a\x0c");
	value_refused("a\x7f");
}

static void changed_on_reading(void **state)
{
	value_refused(" a");
	value_refused("a ");
	value_refused("\ta");
	value_refused("a\t");
	/* systemd ignores a line that is not UTF-8. */
	value_refused("h\xf6he");
	value_refused("\xed\xa0\x80");
}

static void words(void **state)
{
	COMMAND("/sbin/auditctl -R /etc/audit/x.rules", "/sbin/auditctl", "-R", "/etc/audit/x.rules");
	COMMAND("/bin/x a-b_c.d,e=f:g+h/i", "/bin/x", "a-b_c.d,e=f:g+h/i");
	COMMAND("/bin/x \"\"", "/bin/x", "");
	COMMAND("/bin/x \"a b\" \" \"", "/bin/x", "a b", " ");
	COMMAND("/bin/x \";\" \"a;b\" \"'\" \"#\" \"!a\" \"~\" \"*?[{\"", "/bin/x", ";", "a;b", "'", "#", "!a",
		"~", "*?[{");
	COMMAND("/bin/x \"\\\"q\\\"\" \"\\\\\" \"\\\\n\"", "/bin/x", "\"q\"", "\\", "\\n");
	COMMAND("/bin/x \"%%n\" \"$$HOME\" \"$${x}\" \"a=$$b\"", "/bin/x", "%n", "$HOME", "${x}", "a=$b");
	COMMAND("/bin/x \"a\\x0ab\" \"\\x09\" \"\\x0d\" \"\\x01\" \"\\x7f\"", "/bin/x", "a\nb", "\t", "\r", "\x01",
		"\x7f");
	COMMAND("/bin/x \"\\xc3\\xb6\" \"\\xff\"", "/bin/x", "\xc3\xb6", "\xff");
	COMMAND("/bin/x \"\\x0a[Install]\\x0aAlias=y\"", "/bin/x", "\n[Install]\nAlias=y");
}

/* systemd.service(5): specifiers and quotes work in the path of the program, variables do not. */
static void program(void **state)
{
	COMMAND("\"/opt/my tools/x\"", "/opt/my tools/x");
	COMMAND("\"/opt/50%%/x\" -y", "/opt/50%/x", "-y");
	COMMAND("\"/opt/a$b/x\"", "/opt/a$b/x");
}

static void program_refused(void **state)
{
	static const char *const programs[] = {
		"auditctl", "", "-/bin/x", "@/bin/x", "+/bin/x", "!/bin/x", ":/bin/x", " /bin/x",
		"/bin/\"x", "/bin/it's", "/bin/x\\", "/bin/x\n", "/bin/\x7f", NULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		_cleanup_(unit_done) struct unit unit = {0};
		_cleanup_text_ struct text out = {0};
		const char *const argv[] = { programs[i], "x", NULL };

		unit_add_command(&unit, "Service", "ExecStart", argv);
		assert_int_equal(unit_print(&unit, "", &out), -EINVAL);
	}
}

/* Whether the section of the text has the line. */
static bool has(const char *unit, const char *section, const char *line)
{
	_cleanup_free_ char *head = NULL, *whole = NULL, *part = NULL;
	const char *start, *stop;

	assert_true(asprintf(&head, "\n[%s]\n", section) > 0);
	assert_true(asprintf(&whole, "\n%s\n", line) > 0);
	start = strstr(unit, head);
	if (!start)
		return false;
	start += strlen(head) - 1;
	stop = strstr(start, "\n[");
	part = strndup(start, stop ? (size_t)(stop - start) : strlen(start));
	assert_non_null(part);
	return strstr(part, whole);
}

#define HAS(unit, section, line) do { \
	if (!has(unit, section, line)) \
		fail_msg("[%s] %s is not in:\n%s", section, line, unit); \
} while (0)

static void common(const char *unit)
{
	HAS(unit, "Unit", "DefaultDependencies=no");
	HAS(unit, "Unit", "Conflicts=shutdown.target");
	HAS(unit, "Unit", "Before=systemd-user-sessions.service multi-user.target shutdown.target");
	HAS(unit, "Service", "Type=oneshot");
	HAS(unit, "Service", "RemainAfterExit=yes");
	HAS(unit, "Service", "NoNewPrivileges=yes");
	HAS(unit, "Install", "WantedBy=multi-user.target");
	assert_null(strstr(unit, "\n\n\n"));
	assert_int_equal(unit[strlen(unit) - 1], '\n');
	assert_memory_equal(unit, "# ", 2);
}

/* A rule's path is looked up by who loads the rule: no other view of the files. */
static void no_other_files(const char *unit)
{
	static const char *const settings[] = {
		"ProtectHome=", "PrivateTmp=", "RootDirectory=", "InaccessiblePaths=", "PrivateDevices=", "PrivateNetwork=",
		"ProtectKernelModules=", "ProtectKernelTunables=", "ProtectControlGroups=", "ProtectKernelLogs=",
		"ProtectProc=", "ProcSubset=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		assert_null(strstr(unit, settings[i]));
}

static void setup_unit(void **state)
{
	_cleanup_text_ struct text out = {0};

	assert_int_equal(print_setup_unit("/sbin/auditctl", "/etc/audit/r.rules", 1500000, &out), 0);
	common(out.s);
	HAS(out.s, "Service", "ExecStart=/sbin/auditctl -R /etc/audit/r.rules");
	HAS(out.s, "Service", "TimeoutStartSec=1500ms");
	HAS(out.s, "Unit", "After=local-fs.target systemd-tmpfiles-setup.service auditd.service "
	    "audit-rules.service augenrules.service systemd-journald-audit.socket");
	no_other_files(out.s);
	HAS(out.s, "Service", "CapabilityBoundingSet=CAP_AUDIT_CONTROL CAP_DAC_READ_SEARCH");
}

static void transient_unit(void **state)
{
	const struct text rules = { .s = (char[]){ "-D\n" }, .len = 3 };
	_cleanup_text_ struct text out = {0};

	assert_int_equal(print_transient_unit("/sbin/auditctl", 1500000, &rules, &out), 0);
	no_other_files(out.s);
	HAS(out.s, "Service", "CapabilityBoundingSet=CAP_AUDIT_CONTROL CAP_DAC_READ_SEARCH");
	HAS(out.s, "Service", "StandardInputData=LUQK");
	HAS(out.s, "Unit", "After=auditd.service audit-rules.service augenrules.service");
	/* systemd takes this one in no other section. */
	HAS(out.s, "Unit", "CollectMode=inactive-or-failed");
}

static void lock_unit(void **state)
{
	_cleanup_text_ struct text out = {0};

	assert_int_equal(print_lock_unit("/usr/sbin/auditctl", 30000000, &out), 0);
	common(out.s);
	HAS(out.s, "Service", "ExecStart=/usr/sbin/auditctl -e 2");
	HAS(out.s, "Service", "TimeoutStartSec=30000ms");
	HAS(out.s, "Service", "CapabilityBoundingSet=CAP_AUDIT_CONTROL");
	HAS(out.s, "Service", "PrivateNetwork=yes");
	HAS(out.s, "Unit", "Wants=" SETUP_UNIT);
	assert_null(strstr(out.s, "Requires="));
	assert_non_null(strstr(out.s, "\nExecStartPre=/bin/sh -c "));
	HAS(out.s, "Unit", "After=" SETUP_UNIT);
}

static int print_commands(int argc, char **argv)
{
	_cleanup_(unit_done) struct unit unit = {0};
	_cleanup_text_ struct text out = {0};
	const char *words[512];
	size_t n = 0;

	unit_add(&unit, "Service", "Type", "oneshot");
	for (int i = 1; i <= argc && n < ARRAY_SIZE(words) - 1; i++) {
		if (i < argc && strcmp(argv[i], "|") != 0) {
			words[n++] = argv[i];
			continue;
		}
		words[n] = NULL;
		unit_add_command(&unit, "Service", "ExecStart", words);
		n = 0;
	}
	if (unit_print(&unit, "", &out) < 0)
		return 1;
	fputs(out.s, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST("entries stand below their sections, after the comment", sections),
		TEST("a value stands as it is, a percent sign doubled", values),
		TEST("a value that would smuggle in a line or swallow the next is refused", smuggled),
		TEST("a value that systemd would read otherwise is refused", changed_on_reading),
		TEST("words of a command are quoted as systemd unquotes them", words),
		TEST("the program's path is quoted without doubling what is no variable there", program),
		TEST("a program that systemd would not take is refused: prefixes, quotes, backslashes", program_refused),
		TEST("the setup unit loads the rules file early, in the host's own view of its files", setup_unit),
		TEST("so does the transient unit", transient_unit),
		TEST("the lock unit locks, after the setup unit and if the rules file was read to its end", lock_unit),
	};

	return argc > 1 ? print_commands(argc, argv) : RUN(tests);
}
