#include "t/unit/test.h"

#include "setup/commands.h"

static void splits(const char *line, const char *const *words)
{
	_cleanup_(commands_done) struct commands commands = {0};
	const char *const *argv;

	commands_add(&commands, "/sbin/auditctl", line);
	assert_false(commands.failed);
	assert_int_equal(commands.n, 1);
	argv = commands.items[0].argv;
	assert_false(commands.items[0].ignore_failure);
	assert_string_equal(*argv++, "/sbin/auditctl");
	for (; *words; words++, argv++) {
		assert_non_null(*argv);
		assert_string_equal(*argv, *words);
	}
	assert_null(*argv);
}

#define SPLITS(line, ...) splits(line, (const char *const[]){ __VA_ARGS__, NULL })

static void words(void **state)
{
	SPLITS("-D", "-D");
	SPLITS("-a always,exit -F arch=b64 -S execve", "-a", "always,exit", "-F", "arch=b64", "-S", "execve");
	SPLITS("  -e   1 ", "-e", "1");
	splits("", (const char *const[]){ NULL });
}

static void escapes(void **state)
{
	SPLITS("-w /opt/my\\ app -p wa", "-w", "/opt/my app", "-p", "wa");
	SPLITS("-F exe=/a\\\\b\\ c", "-F", "exe=/a\\b c");
	SPLITS("-w /a\\n\"b'", "-w", "/a\\n\"b'");
	SPLITS("-w /end\\", "-w", "/end\\");
}

static void several(void **state)
{
	_cleanup_(commands_done) struct commands commands = {0};

	for (int i = 0; i < 100; i++)
		commands_add(&commands, "/x", "-e 1");
	assert_int_equal(commands.n, 100);
	assert_string_equal(commands.items[99].argv[2], "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a line is split at its spaces, behind the program", words),
		TEST("an escaped space or backslash is part of its word, other backslashes stay", escapes),
		TEST("commands keep their order", several),
	};

	return RUN(tests);
}
