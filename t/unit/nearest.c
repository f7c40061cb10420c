#include "t/unit/test.h"

#include "setup/base/nearest.h"

static const char *const names[] = { "apply", "plan", "render", "verify", "remove" };

static const char *nearest(const char *word)
{
	return nearest_name(word, names, ARRAY_SIZE(names));
}

static void slips(void **state)
{
	assert_string_equal(nearest("aply"), "apply");		/* left out */
	assert_string_equal(nearest("applyy"), "apply");	/* doubled */
	assert_string_equal(nearest("spply"), "apply");		/* beside it */
	assert_string_equal(nearest("plna"), "plan");		/* swapped */
	assert_string_equal(nearest("rendre"), "render");
	assert_string_equal(nearest("verfiy"), "verify");
	assert_string_equal(nearest("apply"), "apply");
}

static void closest(void **state)
{
	assert_string_equal(nearest("renove"), "remove");
	assert_string_equal(nearest("remder"), "render");
	/* Letters that changed places are one slip, not two. */
	assert_string_equal(nearest_name("aiud", (const char *const[]){ "pid", "arch", "auid" }, 3), "auid");
	/* Of two that are as close, the first. */
	assert_string_equal(nearest_name("axb", (const char *const[]){ "aab", "abb" }, 2), "aab");
}

static void far(void **state)
{
	assert_null(nearest("configure"));
	assert_null(nearest("x"));
	assert_null(nearest(""));
	assert_null(nearest("help"));
	assert_null(nearest_name("apply", names, 0));
}

static void lengths(void **state)
{
	static const char *const wide[] = {
		"0123456789012345678901234567890123456789x", "012345678901234567890123456789012345678",
	};

	/* 41 characters are too many for either side, 40 are not. */
	assert_null(nearest_name(wide[0], wide, 2));
	assert_string_equal(nearest_name("0123456789012345678901234567890123456789", wide, 2), wide[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a slip of the fingers finds the name that was meant", slips),
		TEST("among several the closest is taken", closest),
		TEST("a word that is far from all finds none", far),
		TEST("overlong words and names are passed over", lengths),
	};

	return RUN(tests);
}
