/* Points of time as people write them. */
#include "t/unit/test.h"

#include <time.h>

#include "setup/journal/since.h"

#define SECOND UINT64_C(1000000)
/* 2026-11-29 12:34:56 UTC, where it is 13:34:56. */
#define NOW (UINT64_C(1795955696) * SECOND)

static void time_is(const char *word, uint64_t seconds_ago)
{
	uint64_t at = 0;

	if (since_parse(word, NOW, &at) != 0)
		fail_msg("'%s' is no time", word);
	if (at != NOW - seconds_ago * SECOND)
		fail_msg("'%s' is %llu s ago, not %llu", word, (unsigned long long)((NOW - at) / SECOND),
			 (unsigned long long)seconds_ago);
}

static void spans(void **state)
{
	time_is("-1h", 3600);
	time_is("1h", 3600);
	time_is("1h ago", 3600);
	time_is("90min", 5400);
	time_is("90 minutes ago", 5400);
	time_is("1d 2h", 26 * 3600);
	time_is("1h30min", 5400);
	time_is("2 weeks", 14 * 86400);
	time_is("30 s", 30);
	time_is("1month", 30 * 86400);
	time_is("0s", 0);
	time_is("now", 0);
}

static void moments(void **state)
{
	time_is("today", 13 * 3600 + 34 * 60 + 56);
	time_is("yesterday", 37 * 3600 + 34 * 60 + 56);
	time_is("2026-11-29", 13 * 3600 + 34 * 60 + 56);
	time_is("2026-11-29 13:34", 56);
	time_is("2026-11-29 13:34:56", 0);
	time_is("2026-11-29 12:34:56 UTC", 0);
	time_is("2026-11-29T12:34:56Z", 0);
	time_is("13:34", 56);
	time_is("12:34 UTC", 56);
	time_is("@1795955695", 1);
	/* Before a change of the clocks. */
	time_is("2026-07-01 14:34:56", 151 * 86400);
}

static void others_are_none(void **state)
{
	static const char *const words[] = {
		"", "-", "h", "1", "1x", "1h x", "ago", "-1h2", "1.5h", "1h ago ago", "tomorow", "2026-13-01", "2026-02-31",
		"2026-11-29 25:00", "2026-11-29 8", "2026-11-29x08:00", "24:00", "-8:00", "@", "@x", "@12x", "@-1",
		"99999999999999999999h", "200000000M", "\x1b[2J", "2026-11-29 08:00 CET",
		"1h                                                                       x",
	};
	uint64_t at;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (since_parse(words[i], NOW, &at) != -EINVAL)
			fail_msg("'%s' is a time", words[i]);
	assert_int_equal(since_parse("2026-11-30", NOW, &at), -ERANGE);
	assert_int_equal(since_parse("13:35", NOW, &at), -ERANGE);
	assert_int_equal(since_parse("@1795955697", NOW, &at), -ERANGE);
	/* Longer ago than time. */
	assert_int_equal(since_parse("99years", NOW, &at), -EINVAL);
	assert_int_equal(since_parse("1100M", NOW, &at), 0);
	assert_int_equal(at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("spans of time count back from now", spans),
		TEST("days and times of day are local time, but for UTC", moments),
		TEST("what is no time, or none of the past, is said", others_are_none),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return RUN(tests);
}
