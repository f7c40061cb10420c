/* libFuzzer target for what the program that is called as runc reads: with "{" first a container's configuration, else the
 * arguments, between NULs. Of a document that is JSON the same is found as by a reader that shares nothing with it; of
 * any other nothing outside it. What a record's value becomes can be read back. */
#include <stdbool.h>

#include "setup/base/mem.h"
#include "setup/runtime/call.h"
#include "setup/runtime/json.h"
#include "setup/runtime/line.h"
#include "t/fuzz/fuzz.h"

static const struct json_want wants[] = {
	{ NULL, "terminal" }, { "process", "terminal" }, { "annotations", "k" }, { "annotations", "io.kubernetes.cri.sandbox-name" },
};

/* --- a reader of RFC 8259 --- */

struct reader {
	const char *s, *end;
	struct json_value found[ARRAY_SIZE(wants)];
};

static void space(struct reader *r)
{
	while (r->s < r->end && memchr(" \t\r\n", *r->s, 4))
		r->s++;
}

static bool word(struct reader *r, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(r->end - r->s) < n || memcmp(r->s, w, n) != 0)
		return false;
	r->s += n;
	return true;
}

static bool hex4(struct reader *r)
{
	for (int i = 0; i < 4; i++, r->s++)
		if (r->s == r->end || !memchr("0123456789abcdefABCDEF", *r->s, 22))
			return false;
	return true;
}

static bool string(struct reader *r, struct json_value *ret)
{
	const char *begun = r->s + 1;

	if (!word(r, "\""))
		return false;
	for (; r->s < r->end && *r->s != '"'; r->s++) {
		if ((unsigned char)*r->s < 0x20)
			return false;
		if (*r->s != '\\')
			continue;
		if (++r->s == r->end || !memchr("\"\\/bfnrtu", *r->s, 9))
			return false;
		if (*r->s == 'u') {
			r->s++;
			if (!hex4(r))
				return false;
			r->s--;
		}
	}
	*ret = (struct json_value){ begun, (size_t)(r->s - begun), true };
	return word(r, "\"");
}

static bool number(struct reader *r)
{
	const char *begun = r->s;

	word(r, "-");
	if (!word(r, "0"))
		for (begun = r->s; r->s < r->end && *r->s >= '0' && *r->s <= '9'; r->s++)
			;
	return r->s > begun;
}

/* object: the member of the document that this is the value of; depth 0: the document. */
static bool value(struct reader *r, int depth, const struct json_value *object, struct json_value *ret);

static void keep(struct reader *r, int depth, const struct json_value *object, const struct json_value *name,
		 const struct json_value *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		const char *in = wants[i].object;

		if (depth != (in ? 1 : 0) || r->found[i].text || name->length != strlen(wants[i].name) ||
		    memcmp(name->text, wants[i].name, name->length) != 0)
			continue;
		if (!in || (object->length == strlen(in) && memcmp(object->text, in, object->length) == 0))
			r->found[i] = *v;
	}
}

static bool inside(struct reader *r, int depth, bool is_object, const struct json_value *object)
{
	const char *close = is_object ? "}" : "]";

	r->s++;
	space(r);
	if (word(r, close))
		return true;
	do {
		struct json_value name = { 0 }, v = { 0 };

		space(r);
		if (is_object) {
			if (!string(r, &name))
				return false;
			space(r);
			if (!word(r, ":"))
				return false;
			space(r);
		}
		if (!value(r, depth + 1, is_object && depth == 0 ? &name : NULL, &v))
			return false;
		if (is_object && (depth == 0 || object))
			keep(r, depth, object, &name, &v);
		space(r);
	} while (word(r, ","));
	return word(r, close);
}

static bool value(struct reader *r, int depth, const struct json_value *object, struct json_value *ret)
{
	const char *begun = r->s;
	bool ok;

	if (r->s == r->end || depth > 200)
		return false;
	if (*r->s == '"')
		return string(r, ret);
	if (*r->s == '{' || *r->s == '[')
		ok = inside(r, depth, *r->s == '{', object);
	else
		ok = word(r, "true") || word(r, "false") || word(r, "null") || number(r);
	*ret = (struct json_value){ begun, (size_t)(r->s - begun), false };
	return ok;
}

/* Is the name there twice? Then the two need not mean the same by what they find in it. */
static bool twice(const char *text, size_t n, const char *name)
{
	const char *first = memmem(text, n, name, strlen(name));

	return first && memmem(first + 1, (size_t)(text + n - first - 1), name, strlen(name));
}

/* --- properties --- */

static void check_encoding(const char *s, size_t n)
{
	struct line line;
	const char *at;

	line_begin(&line);
	line_add_untrusted(&line, "v", s, n);
	if (line.cut)
		return;
	at = line.s + 2;
	if (*at == '"') {
		if (line.n != n + 4 || memcmp(at + 1, s, n) != 0 || memchr(s, '\'', n) || memchr(s, ' ', n))
			FAIL("a value that is not its own: %s", line.s);
		return;
	}
	if (line.n != 2 + 2 * n || strspn(at, "0123456789ABCDEF") != 2 * n)
		FAIL("no hexadecimal digits: %s", line.s);
	for (size_t i = 0; i < n; i++) {
		unsigned c;

		if (sscanf(at + 2 * i, "%2X", &c) != 1 || c != (unsigned char)s[i])
			FAIL("another value: %s", line.s);
	}
}

static void check_value(const struct json_value *v, const char *text, size_t n)
{
	char decoded[16];
	long length;

	if (!v->text)
		return;
	if (v->text < text || v->length > n || v->text + v->length > text + n)
		FAIL("a value outside the document");
	length = json_decode(v, decoded, sizeof(decoded));
	if (length >= 0)
		check_encoding(decoded, (size_t)length);
}

static void check_document(const char *text, size_t n)
{
	struct json_value values[ARRAY_SIZE(wants)];
	struct reader r = { .s = text, .end = text + n };
	struct json_value whole;
	int result = json_find(text, n, wants, ARRAY_SIZE(wants), values);
	bool valid = value(&r, 0, NULL, &whole);

	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		check_value(&values[i], text, n);
	space(&r);
	if (!valid || r.s != r.end || twice(text, n, "process") || twice(text, n, "annotations"))
		return;
	if (result < 0)
		FAIL("a document that is JSON is refused: %d", result);
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		/* An object or array is no value. */
		if (r.found[i].text && memchr("{[", *r.found[i].text, 2) && !r.found[i].string)
			r.found[i] = (struct json_value){ .text = NULL };
		if (values[i].text != r.found[i].text || values[i].length != r.found[i].length)
			FAIL("member %zu of a document is found elsewhere", i);
	}
}

/* It is read to its end: it points nowhere else. */
static void check_text(const char *s)
{
	if (s && strlen(s) > 1 << 20)
		FAIL("a text longer than any input");
}

static void check_call(struct bytes *bytes)
{
	char *argv[64] = { NULL }, *s;
	struct call call;
	int argc = 1;
	bool own = false;

	while (argc < 63 && (s = take_string(bytes)))
		argv[argc++] = s;
	for (int crun = 0; crun < 2; crun++) {
		call_read(&call, crun ? "crun" : "runc", argc, argv);
		own = !call.id;
		for (int i = 1; i < argc; i++)
			own |= call.id == argv[i];
		if (!own || (!call.starts && call.id))
			FAIL("an id that is no argument");
		check_text(call.bundle);
		check_text(call.config);
		check_text(call.process);
		check_text(call.log);
	}
	for (int i = 1; i < argc; i++)
		free(argv[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size };

	if (size > 0 && *data == '{') {
		/* Its own memory, to the byte. */
		_cleanup_free_ char *text = malloc(size);

		if (!text)
			abort();
		memcpy(text, data, size);
		check_document(text, size);
	} else {
		check_call(&bytes);
	}
	return 0;
}
