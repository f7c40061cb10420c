#include "setup/journal/since.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000)
#define DAY (86400 * SECOND)
enum { YEARS_BACK = 100 };	/* no journal is older, and no product of a number and a unit too large */

static const struct {
	const char *names;	/* with a space around each */
	uint64_t usec;
} units[] = {
	{ " s sec second seconds ", SECOND }, { " m min minute minutes ", 60 * SECOND },
	{ " h hr hour hours ", 3600 * SECOND }, { " d day days ", DAY }, { " w week weeks ", 7 * DAY },
	{ " M month months ", 30 * DAY },
};

/* The unit that these n letters name, 0 for none. */
static uint64_t unit_of(const char *letters, size_t n)
{
	char word[16];

	if (n == 0 || n + 3 > sizeof(word))
		return 0;
	snprintf(word, sizeof(word), " %.*s ", (int)n, letters);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strstr(units[i].names, word))
			return units[i].usec;
	return 0;
}

/* "1h", "1d 2h", "90 min", with "-" in front or "ago" behind, or neither. */
static int parse_ago(const char *s, uint64_t now, uint64_t *ret)
{
	uint64_t ago = 0;
	bool any = false;

	s += *s == '-';
	for (;; any = true) {
		uint64_t n = 0, unit;
		size_t letters;

		s += strspn(s, " ");
		if (!*s || (any && strcmp(s, "ago") == 0))
			break;
		if (!isdigit((unsigned char)*s))
			return -EINVAL;
		for (; isdigit((unsigned char)*s); s++)
			if ((n = n * 10 + (uint64_t)(*s - '0')) > YEARS_BACK * 366 * 86400ULL)
				return -EINVAL;
		s += strspn(s, " ");
		for (letters = 0; isalpha((unsigned char)s[letters]); letters++)
			;
		unit = unit_of(s, letters);
		if (!unit || n > YEARS_BACK * 366 * DAY / unit)
			return -EINVAL;
		ago += n * unit;
		s += letters;
	}
	*ret = ago < now ? now - ago : 0;
	return any ? 0 : -EINVAL;
}

/* Cuts what follows off when it stands at the end. */
static bool cut(char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	bool has = n > m && strcmp(s + n - m, end) == 0;

	if (has)
		s[n - m] = '\0';
	return has;
}

/* "HH:MM[:SS]"; nothing for midnight. */
static bool parse_clock(const char *s, struct tm *tm)
{
	int length = 0;

	tm->tm_hour = tm->tm_min = tm->tm_sec = 0;
	if (!*s)
		return true;
	if (sscanf(s, "%2d:%2d%n:%2d%n", &tm->tm_hour, &tm->tm_min, &length, &tm->tm_sec, &length) < 2 || s[length])
		return false;
	return isdigit((unsigned char)*s) && tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 &&
		tm->tm_sec >= 0 && tm->tm_sec < 60;
}

static int to_usec(struct tm *tm, bool utc, uint64_t *ret)
{
	struct tm asked = *tm;
	time_t t;

	tm->tm_isdst = -1;
	t = utc ? timegm(tm) : mktime(tm);
	/* 31 February would be taken for a day of March. */
	if (t < 0 || tm->tm_mday != asked.tm_mday || tm->tm_mon != asked.tm_mon)
		return -EINVAL;
	*ret = (uint64_t)t * SECOND;
	return 0;
}

/* A day, a time of day, or both. */
static int parse_moment(const char *word, uint64_t now, uint64_t *ret)
{
	time_t seconds = (time_t)(now / SECOND);
	char copy[64];
	int year, month, day, length = 0;
	struct tm tm;
	bool utc;

	if (snprintf(copy, sizeof(copy), "%s", word) >= (int)sizeof(copy))
		return -EINVAL;
	utc = cut(copy, " UTC") || cut(copy, "Z");
	if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
		return -EINVAL;
	if (isdigit((unsigned char)*copy) && sscanf(copy, "%4d-%2d-%2d%n", &year, &month, &day, &length) == 3) {
		tm.tm_year = year - 1900;
		tm.tm_mon = month - 1;
		tm.tm_mday = day;
		if (copy[length] == 'T' || copy[length] == ' ')
			length++;
		else if (copy[length])
			return -EINVAL;
	}
	return *copy && parse_clock(copy + length, &tm) ? to_usec(&tm, utc, ret) : -EINVAL;
}

static int parse_day(unsigned back, uint64_t now, uint64_t *ret)
{
	time_t seconds = (time_t)(now / SECOND);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return -EINVAL;
	tm.tm_mday -= (int)back;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*ret = (uint64_t)mktime(&tm) * SECOND;
	return 0;
}

static int parse(const char *word, uint64_t now, uint64_t *ret)
{
	unsigned long long epoch;
	int length = 0;

	if (strcmp(word, "now") == 0) {
		*ret = now;
		return 0;
	}
	if (strcmp(word, "today") == 0 || strcmp(word, "yesterday") == 0)
		return parse_day(*word == 'y', now, ret);
	if (word[0] == '@') {
		if (!isdigit((unsigned char)word[1]) || sscanf(word + 1, "%11llu%n", &epoch, &length) != 1 || word[1 + length])
			return -EINVAL;
		*ret = epoch * SECOND;
		return 0;
	}
	return parse_ago(word, now, ret) == 0 ? 0 : parse_moment(word, now, ret);
}

int since_parse(const char *word, uint64_t now, uint64_t *ret)
{
	uint64_t at;
	int r = parse(word, now, &at);

	if (r < 0)
		return r;
	if (at > now)
		return -ERANGE;
	*ret = at;
	return 0;
}
