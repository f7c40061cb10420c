#include "setup/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { LEAST = 128 };	/* bytes: a line, which most texts are, is no row of small steps */

void text_done(struct text *t)
{
	free(t->s);
	*t = (struct text){0};
}

static bool text_reserve(struct text *t, size_t n)
{
	size_t want;
	char *s;

	if (t->failed)
		return false;
	if (n < t->size - t->len)
		return true;
	want = t->len + n + 1;
	if (want < t->size * 2)
		want = t->size * 2;
	if (want < LEAST)
		want = LEAST;
	s = realloc(t->s, want);
	if (!s) {
		t->failed = true;
		return false;
	}
	t->s = s;
	t->size = want;
	return true;
}

void text_add_bytes(struct text *t, const void *bytes, size_t n)
{
	if (!text_reserve(t, n))
		return;
	if (n)
		memcpy(t->s + t->len, bytes, n);
	t->len += n;
	t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_bytes(t, s, strlen(s));
}

void text_addf(struct text *t, const char *format, ...)
{
	/* Most often there is room already. */
	size_t room = t->failed ? 0 : t->size - t->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room ? t->s + t->len : NULL, room, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= room && text_reserve(t, (size_t)n)) {
		va_start(args, format);
		n = vsnprintf(t->s + t->len, (size_t)n + 1, format, args);
		va_end(args);
	}
	if (n < 0 || t->failed)
		t->failed = true;
	else
		t->len += (size_t)n;
}

/* Length of the valid UTF-8 sequence at s (Unicode 15, table 3-7), 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high;
		size_t len;
	} rows[] = {
		{ 0x00, 0x7f, 0x00, 0xff, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (s[0] < rows[i].first || s[0] > rows[i].last)
			continue;
		if (rows[i].len > 1 && (s[1] < rows[i].low || s[1] > rows[i].high))
			return 0;
		for (size_t k = 2; k < rows[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

bool text_is_utf8(const char *s)
{
	size_t n;

	for (; *s; s += n) {
		n = utf8_length((const unsigned char *)s);
		if (n == 0)
			return false;
	}
	return true;
}

/* How many ASCII bytes at s stand for themselves in a JSON string. */
static size_t plain_length(const char *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

void text_add_json(struct text *t, const char *s)
{
	text_add(t, "\"");
	while (*s) {
		size_t n = plain_length(s);

		text_add_bytes(t, s, n);
		s += n;
		if (n > 0)
			continue;
		n = utf8_length((const unsigned char *)s);
		if (n == 0)
			text_add(t, "\\ufffd");
		else if (*s == '"' || *s == '\\')
			text_addf(t, "\\%c", *s);
		else if (*s == '\n')
			text_add(t, "\\n");
		else if (*s == '\t')
			text_add(t, "\\t");
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			text_addf(t, "\\u%04x", (unsigned char)*s);
		else
			text_add_bytes(t, s, n);
		s += n ? n : 1;
	}
	text_add(t, "\"");
}

void text_add_shown(struct text *t, const char *s, size_t n)
{
	for (const char *end = s + n; s < end;) {
		const unsigned char *u = (const unsigned char *)s;
		size_t length, plain = 0;
		bool control;

		/* Most texts are nothing else. */
		while (s + plain < end && u[plain] >= 0x20 && u[plain] < 0x7f)
			plain++;
		text_add_bytes(t, s, plain);
		s += plain;
		if (s == end)
			break;
		u += plain;
		length = utf8_length(u);
		control = (u[0] < 0x20 && u[0] != '\t') || u[0] == 0x7f || (u[0] == 0xc2 && length == 2 && u[1] < 0xa0);

		if (length > 0 && length <= (size_t)(end - s) && !control) {
			text_add_bytes(t, s, length);
			s += length;
		} else {
			text_addf(t, "\\x%02x", u[0]);
			s++;
		}
	}
}

void text_add_time(struct text *t, uint64_t usec)
{
	const time_t seconds = (time_t)(usec / 1000000);
	struct tm utc;
	char stamp[32];

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	text_addf(t, "%s.%06uZ", stamp, (unsigned)(usec % 1000000));
}

const char *text_truth(bool b)
{
	return b ? "true" : "false";
}

void text_add_now(struct text *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	text_add_time(t, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

const char *text_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void text_add_base64(struct text *t, const void *bytes, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = bytes;
	char *out;

	if (!text_reserve(t, (n + 2) / 3 * 4))
		return;
	out = t->s + t->len;
	for (; n > 0; p += 3) {
		size_t have = n < 3 ? n : 3;
		uint32_t v = (uint32_t)p[0] << 16;

		if (have > 1)
			v |= (uint32_t)p[1] << 8;
		if (have > 2)
			v |= p[2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = have > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = have > 2 ? digits[v & 63] : '=';
		n -= have;
	}
	*out = '\0';
	t->len = (size_t)(out - t->s);
}

bool text_equal(const struct text *a, const struct text *b)
{
	if (!a->s || !b->s)
		return !a->s && !b->s;
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

/* auditctl takes what is beyond for a line of its own. */
enum { COMMENT_MAX = 2048 };

/* The next line that is no comment, from *at on, which is moved behind it; NULL at the end. */
static const char *next_line(const struct text *t, const char *marks, size_t *at, size_t *ret_length)
{
	while (*at < t->len) {
		const char *line = t->s + *at, *end = memchr(line, '\n', t->len - *at);
		size_t length = end ? (size_t)(end - line) : t->len - *at, blank = 0;

		*at += length + (end != NULL);
		while (blank < length && line[blank] == ' ')
			blank++;
		if (blank == length)
			continue;
		if (line[blank] && strchr(marks, line[blank]) && line[length - 1] != '\\' && length <= COMMENT_MAX)
			continue;
		*ret_length = length;
		return line;
	}
	return NULL;
}

bool text_equal_but_comments(const struct text *a, const struct text *b, const char *marks)
{
	size_t at_a = 0, at_b = 0, n_a = 0, n_b = 0;
	const char *x, *y;

	if (!a->s || !b->s)
		return !a->s && !b->s;
	do {
		x = next_line(a, marks, &at_a, &n_a);
		y = next_line(b, marks, &at_b, &n_b);
		if (!x || !y)
			return !x && !y;
	} while (n_a == n_b && memcmp(x, y, n_a) == 0);
	return false;
}

int text_error(const struct text *t)
{
	return t->failed ? -ENOMEM : 0;
}

char *text_take(struct text *t)
{
	char *s;

	text_add(t, "");
	if (t->failed) {
		text_done(t);
		return NULL;
	}
	s = t->s;
	*t = (struct text){0};
	return s;
}
