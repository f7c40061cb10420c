#include "setup/runtime/json.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#include <jsmn.h>

/* Nine tenths of a configuration are environment, mounts and system calls. Those are skimmed: where they end is looked for,
 * and nothing else; jsmn reads the values that are wanted. */
struct search {
	const char *end;	/* of the document */
	const struct json_want *wants;
	struct json_value *values;
	bool *settled;		/* by want: nothing more is looked for */
	size_t n, left;
};

/* The first quotation mark or backslash, sixteen bytes at once; end where there is none. */
static const char *special(const char *s, const char *end)
{
	typedef unsigned char block __attribute__((vector_size(16)));
	block bytes, quotes, slashes;

	memset(&quotes, '"', sizeof(quotes));
	memset(&slashes, '\\', sizeof(slashes));
	for (; end - s >= (ptrdiff_t)sizeof(bytes); s += sizeof(bytes)) {
		uint64_t found[2];

		memcpy(&bytes, s, sizeof(bytes));
		/* 0xff where it is so. */
		bytes = (block)(bytes == quotes) | (block)(bytes == slashes);
		memcpy(found, &bytes, sizeof(found));
		if (found[0])
			return s + __builtin_ctzll(le64toh(found[0])) / 8;
		if (found[1])
			return s + 8 + __builtin_ctzll(le64toh(found[1])) / 8;
	}
	while (s < end && *s != '"' && *s != '\\')
		s++;
	return s;
}

/* Behind the string whose first quotation mark is at s; NULL where it has no end. */
static const char *behind_string(const char *s, const char *end)
{
	for (s = special(s + 1, end); s < end && *s == '\\'; s = special(s + 2, end))
		if (end - s < 2)
			return NULL;
	return s < end ? s + 1 : NULL;
}

/* Behind the object or array that begins at s; NULL where it has no end. */
static const char *behind_container(const char *s, const char *end)
{
	size_t depth = 0;

	while (s && s < end) {
		if (*s == '"') {
			s = behind_string(s, end);
			continue;
		}
		if (*s == '{' || *s == '[')
			depth++;
		else if ((*s == '}' || *s == ']') && --depth == 0)
			return s + 1;
		s++;
	}
	return NULL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *behind_space(const char *s, const char *end)
{
	while (s < end && is_space(*s))
		s++;
	return s;
}

/* Behind the value that begins at s; NULL where there is none, or it has no end. */
static const char *behind_value(const char *s, const char *end)
{
	const char *begun = s;

	if (s < end && *s == '"')
		return behind_string(s, end);
	if (s < end && (*s == '{' || *s == '['))
		return behind_container(s, end);
	while (s < end && *s != ',' && *s != '}' && *s != ']' && !is_space(*s))
		s++;
	return s > begun && s < end ? s : NULL;
}

static bool is_called(const char *name, const char *s, size_t n)
{
	/* Their lengths tell most of them apart, whose beginnings are the same. */
	return name && strlen(name) == n && memcmp(name, s, n) == 0;
}

/* object NULL: the document itself. */
static bool is_of(const struct json_want *want, const char *object)
{
	return want->object == object || (object && want->object && strcmp(want->object, object) == 0);
}

static void settle(struct search *search, size_t i)
{
	search->left -= !search->settled[i];
	search->settled[i] = true;
}

static void settle_all_of(struct search *search, const char *object)
{
	for (size_t i = 0; i < search->n; i++)
		if (is_of(&search->wants[i], object))
			settle(search, i);
}

/* The name, as it is asked for, of an object that something is still wanted of. */
static const char *object_wanted(const struct search *search, const char *s, size_t n)
{
	for (size_t i = 0; i < search->n; i++)
		if (!search->settled[i] && is_called(search->wants[i].object, s, n))
			return search->wants[i].object;
	return NULL;
}

static int read_value(const char *s, const char *behind, struct json_value *ret)
{
	jsmn_parser parser;
	jsmntok_t token;

	if (*s == '{' || *s == '[')
		return 0;
	jsmn_init(&parser);
	/* With the byte behind it, which ends a number for jsmn; what it has to say of that byte is no matter. */
	(void)jsmn_parse(&parser, s, (size_t)(behind - s) + 1, &token, 1);
	/* Else it is what jsmn came to behind bytes that it passes over. */
	if (parser.toknext != 1 || token.start != (token.type == JSMN_STRING))
		return -EBADMSG;
	*ret = (struct json_value){ s + token.start, (size_t)(token.end - token.start), token.type == JSMN_STRING };
	return 0;
}

/* A member of that object, whose name is n bytes at name and whose value lies from s up to behind, if it is wanted. */
static int take_member(struct search *search, const char *object, const char *name, size_t n, const char *s, const char *behind)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < search->n; i++)
		if (!search->settled[i] && is_called(search->wants[i].name, name, n) && is_of(&search->wants[i], object)) {
			settle(search, i);
			r = read_value(s, behind, &search->values[i]);
		}
	return r;
}

static int read_object(struct search *search, const char *object, const char **at);

/* The member of that object that begins at *at, which is then behind it. */
static int read_member(struct search *search, const char *object, const char **at)
{
	const char *end = search->end, *name = *at, *name_end, *behind, *wanted;
	int r = -EBADMSG;

	if (name == end || *name != '"' || !(name_end = behind_string(name, end)))
		return -EBADMSG;
	name++;
	*at = behind_space(name_end--, end);
	if (*at == end || **at != ':')
		return -EBADMSG;
	*at = behind_space(*at + 1, end);
	wanted = object ? NULL : object_wanted(search, name, (size_t)(name_end - name));
	if (wanted && *at < end && **at == '{')
		return read_object(search, wanted, at);
	if (wanted)
		settle_all_of(search, wanted);
	behind = behind_value(*at, end);
	/* Whatever has an end has something behind it: at least the object's own. */
	if (behind && behind < end)
		r = take_member(search, object, name, (size_t)(name_end - name), *at, behind);
	*at = behind;
	return r;
}

/* The object that begins at *at, which is then behind it, unless nothing is left to be found before. */
static int read_object(struct search *search, const char *object, const char **at)
{
	const char *end = search->end, *s = behind_space(*at + 1, end);
	bool empty = s < end && *s == '}';

	while (!empty) {
		int r = read_member(search, object, &s);

		if (r < 0 || search->left == 0)
			return r;
		s = behind_space(s, end);
		if (s == end || (*s != ',' && *s != '}'))
			return -EBADMSG;
		if (*s == '}')
			break;
		s = behind_space(s + 1, end);
	}
	settle_all_of(search, object);
	*at = s + 1;
	return 0;
}

int json_find(const char *text, size_t length, const struct json_want *wants, size_t n, struct json_value *ret_values)
{
	bool settled[JSON_WANTS] = { false };
	struct search search = { text + length, wants, ret_values, settled, n, n };
	const char *s = behind_space(text, search.end);
	int r = -EBADMSG;

	memset(ret_values, 0, n * sizeof(*ret_values));
	if (n > JSON_WANTS || length > INT_MAX / 2)
		return -E2BIG;
	if (s < search.end && *s == '{')
		r = read_object(&search, NULL, &s);
	if (r < 0)
		memset(ret_values, 0, n * sizeof(*ret_values));
	return r;
}

static uint32_t hex(const char *s)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 4 | (uint32_t)(s[i] <= '9' ? s[i] - '0' : (s[i] | 0x20) - 'a' + 10);
	return value;
}

static size_t put_utf8(uint32_t c, char ret[4])
{
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint32_t first[] = { 0, 0xc0, 0xe0, 0xf0 };

	ret[0] = (char)(first[more] | c >> 6 * more);
	for (size_t i = 1; i <= more; i++)
		ret[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
	return more + 1;
}

/* What one escape stands for, from behind its backslash; returns how many bytes of the document it has there. */
static size_t unescape(const char *s, size_t left, char ret[4], size_t *ret_n)
{
	static const char plain[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *which = memchr(plain, *s, sizeof(plain) - 1);
	uint32_t c;

	*ret_n = 1;
	if (*s != 'u' || left < 5) {
		ret[0] = which ? meant[which - plain] : *s;
		return 1;
	}
	c = hex(s + 1);
	if (c >= 0xd800 && c < 0xdc00 && left >= 11 && s[5] == '\\' && s[6] == 'u') {
		uint32_t low = hex(s + 7);

		if (low >= 0xdc00 && low < 0xe000) {
			*ret_n = put_utf8(0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00), ret);
			return 11;
		}
	}
	*ret_n = put_utf8(c >= 0xd800 && c < 0xe000 ? 0xfffd : c, ret);
	return 5;
}

long json_decode(const struct json_value *value, char *ret_text, size_t size)
{
	size_t n = 0, i = 0;

	while (i < value->length) {
		char bytes[4] = { value->text[i] };
		size_t have = 1, taken = 1;

		if (bytes[0] == '\\' && i + 1 < value->length)
			taken = 1 + unescape(value->text + i + 1, value->length - i - 1, bytes, &have);
		if (have > size - n)
			return -E2BIG;
		memcpy(ret_text + n, bytes, have);
		n += have;
		i += taken;
	}
	return (long)n;
}

bool json_is(const struct json_value *value, const char *primitive)
{
	return value->text && !value->string && value->length == strlen(primitive) &&
	       memcmp(value->text, primitive, value->length) == 0;
}
