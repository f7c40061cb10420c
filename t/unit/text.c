#include "t/unit/test.h"

#include "setup/base/text.h"

static void json_is(const char *in, const char *out)
{
	_cleanup_text_ struct text t = {0};

	text_add_json(&t, in);
	assert_int_equal(text_error(&t), 0);
	assert_string_equal(t.s, out);
	assert_int_equal(t.len, strlen(out));
}

static void json_plain(void **state)
{
	json_is("", "\"\"");
	json_is("a b/c'<>&", "\"a b/c'<>&\"");
	json_is("say \"yes\" \\ no", "\"say \\\"yes\\\" \\\\ no\"");
}

static void json_controls(void **state)
{
	char all[34], *s = all;

	json_is("a\nb\tc", "\"a\\nb\\tc\"");
	json_is("\x01\x1f\x7f\r\x1b[0m", "\"\\u0001\\u001f\\u007f\\u000d\\u001b[0m\"");
	for (int i = 1; i < 32; i++)
		*s++ = (char)i;
	*s = '\0';
	_cleanup_text_ struct text t = {0};
	text_add_json(&t, all);
	for (size_t i = 0; i < t.len; i++)
		assert_true((unsigned char)t.s[i] >= 0x20);
}

static void shown_is(const char *s, const char *expected)
{
	_cleanup_text_ struct text t = {0};

	text_add_shown(&t, s, strlen(s));
	assert_string_equal(t.s ? t.s : "", expected);
}

static void shown(void **state)
{
	_cleanup_text_ struct text t = {0};

	shown_is("", "");
	shown_is("a b\tc \\ \xc3\xa4 \xe2\x82\xac \xc2\xa0", "a b\tc \\ \xc3\xa4 \xe2\x82\xac \xc2\xa0");
	shown_is("\x1b[2J\x07\r\x7f\n", "\\x1b[2J\\x07\\x0d\\x7f\\x0a");
	/* CSI as one character, in UTF-8 and as a byte. */
	shown_is("\xc2\x9b" "2J \x9b" "2J \xc3", "\\xc2\\x9b2J \\x9b2J \\xc3");
	/* No byte beyond those that are asked for. */
	text_add_shown(&t, "\xe2\x82\xac", 2);
	assert_string_equal(t.s, "\\xe2\\x82");
}

static void json_utf8(void **state)
{
	json_is("\xc2\x80 \xdf\xbf", "\"\xc2\x80 \xdf\xbf\"");
	json_is("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
		"\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"");
	json_is("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
}

/* Every form of what is no UTF-8: each of its bytes becomes U+FFFD, what follows stays. */
static void json_not_utf8(void **state)
{
	static const struct {
		const char *in;
		int bytes;
	} rows[] = {
		{ "\x80", 1 }, { "\xbf", 1 },			/* continuation without a start */
		{ "\xc0\xaf", 2 }, { "\xc1\xbf", 2 },		/* overlong, two bytes */
		{ "\xe0\x80\xaf", 3 }, { "\xe0\x9f\xbf", 3 },	/* overlong, three */
		{ "\xf0\x80\x80\xaf", 4 }, { "\xf0\x8f\xbf\xbf", 4 },	/* overlong, four */
		{ "\xed\xa0\x80", 3 }, { "\xed\xbf\xbf", 3 },	/* surrogates */
		{ "\xf4\x90\x80\x80", 4 },			/* above U+10FFFF */
		{ "\xf5\x80\x80\x80", 4 }, { "\xfe", 1 }, { "\xff", 1 },
		{ "\xc2", 1 }, { "\xe1\x80", 2 }, { "\xf1\x80\x80", 3 },	/* cut short */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_text_ struct text end = {0}, middle = {0}, want = {0};
		char in[16];

		for (int n = 0; n < rows[i].bytes; n++)
			text_add(&want, "\\ufffd");
		text_add_json(&end, rows[i].in);
		assert_int_equal(end.len, want.len + 2);
		assert_memory_equal(end.s + 1, want.s, want.len);
		snprintf(in, sizeof(in), "%sx", rows[i].in);
		text_add(&want, "x");
		text_add_json(&middle, in);
		assert_int_equal(middle.len, want.len + 2);
		assert_memory_equal(middle.s + 1, want.s, want.len);
	}
}

static void utf8(void **state)
{
	assert_true(text_is_utf8(""));
	assert_true(text_is_utf8("plain"));
	assert_true(text_is_utf8("h\xc3\xb6he \xf0\x9f\x94\x92"));
	assert_false(text_is_utf8("h\xf6he"));
	assert_false(text_is_utf8("\xed\xa0\x80"));
	assert_false(text_is_utf8("cut \xe2\x82"));
}

static void base64_is(const void *in, size_t n, const char *out)
{
	_cleanup_text_ struct text t = {0};

	text_add_base64(&t, in, n);
	assert_string_equal(t.s ? t.s : "", out);
}

static void base64(void **state)
{
	unsigned char bytes[256];

	base64_is("", 0, "");
	base64_is("f", 1, "Zg==");
	base64_is("fo", 2, "Zm8=");
	base64_is("foo", 3, "Zm9v");
	base64_is("foob", 4, "Zm9vYg==");
	base64_is("fooba", 5, "Zm9vYmE=");
	base64_is("foobar", 6, "Zm9vYmFy");
	base64_is("\xfb\xff\xbf\0", 4, "+/+/AA==");
	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	base64_is(bytes, sizeof(bytes),
		  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BB"
		  "QkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKD"
		  "hIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TF"
		  "xsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/w==");
}

static void growth(void **state)
{
	_cleanup_text_ struct text t = {0};

	for (int i = 0; i < 20000; i++) {
		text_addf(&t, "%d,", i % 10);
		assert_int_equal(t.len, 2 * (size_t)(i + 1));
		assert_int_equal(t.s[t.len], 0);
		assert_true(t.size > t.len);
	}
	for (size_t i = 0; i < 20000; i++)
		assert_int_equal(t.s[2 * i], '0' + i % 10);
}

static void appends(void **state)
{
	_cleanup_text_ struct text t = {0};

	assert_null(t.s);
	text_add(&t, "");
	assert_string_equal(t.s, "");
	text_addf(&t, "%s-%d", "x", 7);
	text_add_bytes(&t, "a\0b", 3);
	assert_int_equal(t.len, 6);
	assert_memory_equal(t.s, "x-7a\0b", 7);
	text_addf(&t, "%s", "");
	assert_int_equal(t.len, 6);
}

static bool same(const char *a, const char *b, const char *marks)
{
	_cleanup_text_ struct text x = {0}, y = {0};

	text_add(&x, a);
	text_add(&y, b);
	return text_equal_but_comments(&x, &y, marks) && text_equal_but_comments(&y, &x, marks);
}

static void comments(void **state)
{
	_cleanup_text_ struct text absent = {0}, gone = {0}, empty = {0}, nul = {0}, long_one = {0};

	assert_true(same("# a\n-D\n  # b\n\n-e 1\n", "-D\n#\n-e 1", "#"));
	assert_true(same("; a\n[Unit]\n", "# b\n\n[Unit]\n", "#;"));
	assert_true(same("", "# nothing else", "#"));
	assert_false(same("; a\n-D\n", "-D\n", "#"));
	assert_false(same("-D\n-e 1\n", "-D\n", "#"));
	assert_false(same("-D\n", " -D\n", "#"));
	assert_false(same("-D # a\n", "-D\n", "#"));
	assert_false(same("# a \\\n-D\n", "-D\n", "#"));
	for (int i = 0; i < 6200; i++)
		text_add(&long_one, "#");
	assert_false(same(long_one.s, "", "#"));
	assert_true(text_equal_but_comments(&absent, &gone, "#"));
	text_add(&empty, "");
	assert_false(text_equal_but_comments(&absent, &empty, "#"));
	text_add_bytes(&nul, "\0x\n", 3);
	assert_false(text_equal_but_comments(&nul, &empty, "#"));
}

static void take(void **state)
{
	struct text t = {0};
	_cleanup_free_ char *empty = text_take(&t), *some = NULL;

	assert_string_equal(empty, "");
	assert_null(t.s);
	text_add(&t, "some");
	some = text_take(&t);
	assert_string_equal(some, "some");
	assert_null(t.s);
	assert_int_equal(t.len, 0);
	assert_int_equal(t.size, 0);
}

static void no_memory(void **state)
{
	struct text t = {0};
	char *s;

	text_add(&t, "kept");
	t.failed = true;
	text_add(&t, "a");
	text_addf(&t, "%d", 1);
	text_add_json(&t, "b");
	text_add_base64(&t, "c", 1);
	assert_int_equal(text_error(&t), -ENOMEM);
	assert_string_equal(t.s, "kept");
	s = text_take(&t);
	assert_null(s);
	assert_null(t.s);
	assert_int_equal(text_error(&t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("JSON: ordinary characters stay, quotes and backslashes are escaped", json_plain),
		TEST("JSON: no control character comes through", json_controls),
		TEST("JSON: UTF-8 of every length stays as it is", json_utf8),
		TEST("JSON: each byte that is not UTF-8 becomes U+FFFD", json_not_utf8),
		TEST("for people: what a terminal would act on, and what is no UTF-8, is shown by its number", shown),
		TEST("UTF-8 is told from what is none", utf8),
		TEST("base64 is that of RFC 4648", base64),
		TEST("a text grows by small pieces and is terminated at every length", growth),
		TEST("what is appended stands behind what was there, NUL bytes included", appends),
		TEST("comments and empty lines are no difference, but where a reader could see a line in one", comments),
		TEST("taking the string leaves an empty text that can be used again", take),
		TEST("after memory ran out nothing is appended, and it is said at the end", no_memory),
	};

	return RUN(tests);
}
