/* Rules as people see them. */
#include "t/unit/test.h"

#include "rules/rule/show.h"

static void expect(const char *line, const char *shown)
{
	_cleanup_text_ struct text out = {0};

	rule_show_line(&out, line);
	assert_string_equal(out.s, shown);
}

static void runs_are_shortened(void **state)
{
	expect("-a always,exit -S 1,3,4,5,6,7,8,9,10 -F key=k", "-a always,exit -S 1,3..10 -F key=k");
	expect("-a always,exit -S 10,11,12,13,14,15,16,17", "-a always,exit -S 10..17");
	expect("-a x -S 1,2,3,4,5,6,7,8,20,21,22,23,24,25,26,27,28,open", "-a x -S 1..8,20..28,open");
}

static void all_else_stays(void **state)
{
	expect("-a always,exit -S 1,2,3,4,5,6,7,9 -F key=k", "-a always,exit -S 1,2,3,4,5,6,7,9 -F key=k");
	expect("-a always,exit -S open,openat", "-a always,exit -S open,openat");
	expect("-a always,exit -F path=/1,2,3,4,5,6,7,8,9 -F perm=wa",
	       "-a always,exit -F path=/1,2,3,4,5,6,7,8,9 -F perm=wa");
	expect("", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("runs of eight and more system call numbers are shortened", runs_are_shortened),
		TEST("names, shorter runs and everything but -S stay as they are", all_else_stays),
	};

	return RUN(tests);
}
