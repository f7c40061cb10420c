#include "setup/runtime/json.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

/* Each token knows its parent: without, a hostile document costs the square of its length. */
#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

/* A container's configuration has 300 to 500 tokens up to its annotations, and as many again of seccomp's, which are
 * not read: what is on the stack suffices, and is made and given back in no time. The bound is 2.6 MB. */
enum { TOKENS_FIRST = 512, TOKENS_MOST = 128 * 1024 };

struct tree {
	const char *text;
	jsmntok_t *tokens;
	jsmntok_t *more;	/* the same, where it is memory of its own */
	size_t n;
	const char *object;	/* the name that was last looked for in the document, and where it is: most wants */
	size_t object_at;	/* are of the same object */
};

/* The token behind i and all that is in it; n where it is not complete. */
static size_t behind(const struct tree *tree, size_t i)
{
	const jsmntok_t *tokens = tree->tokens;
	int end = tokens[i].end;

	if (end < 0)
		return tree->n;
	do
		i++;
	while (i < tree->n && tokens[i].start < end);
	return i;
}

static bool is_called(const struct tree *tree, size_t i, const char *name)
{
	const jsmntok_t *key = &tree->tokens[i];
	size_t length = (size_t)(key->end - key->start);

	return key->type == JSMN_STRING && length == strlen(name) &&
	       memcmp(tree->text + key->start, name, length) == 0;
}

/* The index of the value of an object's member; 0 (the document itself) where there is none. */
static size_t member(const struct tree *tree, size_t object, const char *name)
{
	size_t end, key;

	if (object >= tree->n || tree->tokens[object].type != JSMN_OBJECT)
		return 0;
	end = behind(tree, object);
	/* A key without a value is no JSON, but jsmn takes it. */
	for (key = object + 1; key + 1 < end && tree->tokens[key].size == 1; key = behind(tree, key + 1))
		if (is_called(tree, key, name))
			return key + 1;
	return 0;
}

/* The object that a want is about: the document itself, or a member of it; false where there is none. */
static bool object_of(struct tree *tree, const struct json_want *want, size_t *ret)
{
	*ret = 0;
	if (!want->object)
		return true;
	if (!tree->object || strcmp(tree->object, want->object) != 0) {
		tree->object = want->object;
		tree->object_at = member(tree, 0, want->object);
	}
	*ret = tree->object_at;
	return *ret > 0;
}

/* Has the document been read beyond every object that is asked for? */
static bool suffices(struct tree *tree, const struct json_want *wants, size_t n)
{
	size_t at;

	/* More has been read than at the last look. */
	tree->object = NULL;
	for (size_t i = 0; i < n; i++)
		if (!object_of(tree, &wants[i], &at) || tree->tokens[at].end < 0)
			return false;
	return true;
}

static int grow(struct tree *tree, size_t room)
{
	jsmntok_t *more = room > TOKENS_MOST ? NULL : realloc(tree->more, room * sizeof(*more));

	if (!more)
		return room > TOKENS_MOST ? -E2BIG : -ENOMEM;
	if (!tree->more)
		memcpy(more, tree->tokens, tree->n * sizeof(*more));
	tree->tokens = tree->more = more;
	return 0;
}

/* tree->tokens has TOKENS_FIRST. */
static int parse(struct tree *tree, size_t length, const struct json_want *wants, size_t n)
{
	jsmn_parser parser;
	int r = 0;

	jsmn_init(&parser);
	for (size_t room = TOKENS_FIRST; r == 0; r = grow(tree, room *= 4)) {
		int parsed = jsmn_parse(&parser, tree->text, length, tree->tokens, (unsigned)room);

		tree->n = parser.toknext;
		if (parsed != JSMN_ERROR_NOMEM)
			return parsed < 0 ? -EBADMSG : 0;
		if (suffices(tree, wants, n))
			return 0;
	}
	return r;
}

int json_find(const char *text, size_t length, const struct json_want *wants, size_t n, struct json_value *ret_values)
{
	_cleanup_free_ jsmntok_t *more = NULL;
	jsmntok_t first[TOKENS_FIRST];
	struct tree tree = { .text = text, .tokens = first };
	int r;

	memset(ret_values, 0, n * sizeof(*ret_values));
	if (length > INT_MAX / 2)
		return -E2BIG;
	r = parse(&tree, length, wants, n);
	more = tree.more;
	tree.object = NULL;
	if (r == 0 && (tree.n == 0 || tree.tokens[0].type != JSMN_OBJECT))
		r = -EBADMSG;
	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t object, at = object_of(&tree, &wants[i], &object) ? member(&tree, object, wants[i].name) : 0;
		const jsmntok_t *found = &tree.tokens[at];

		if (at > 0 && found->end >= found->start)
			ret_values[i] = (struct json_value){ text + found->start,
				(size_t)(found->end - found->start), found->type == JSMN_STRING };
	}
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
