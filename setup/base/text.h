/* A string that grows.
 *
 * Appending never fails visibly: when memory runs out the text is marked, further appends do
 * nothing, and text_error() returns -ENOMEM; callers check once, at the end. */
#ifndef SETUP_TEXT_H
#define SETUP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/base/mem.h"

struct text {
	char *s;	/* always NUL-terminated, NULL while nothing was appended */
	size_t len;	/* bytes without the NUL */
	size_t size;
	bool failed;
};

/* Frees it and leaves it empty, failed or not. */
void text_done(struct text *t);
#define _cleanup_text_ _cleanup_(text_done)

/* Append a string, n bytes of any kind, what printf(3) makes; s and bytes must not be the text's own. */
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const void *bytes, size_t n);
void text_addf(struct text *t, const char *format, ...) _printf_format_(2, 3);

/* Appends s as a JSON string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD. */
void text_add_json(struct text *t, const char *s);

/* JSON's word for it. */
const char *text_truth(bool b);

/* Appends n bytes of s, which has no NUL in them and one behind them or later, for people to read: control characters but
 * tabs (C1, too), and bytes that are no UTF-8, as \xNN, so that no name acts on a terminal. */
void text_add_shown(struct text *t, const char *s, size_t n);

/* Appends the present time, or one in microseconds since 1970, as RFC 3339 has it, in UTC. */
void text_add_now(struct text *t);
/* The same of a time: microseconds, CLOCK_REALTIME. */
void text_add_time(struct text *t, uint64_t usec);

/* Is it UTF-8 all through (RFC 3629: no surrogates, nothing overlong)? */
bool text_is_utf8(const char *s);

/* What follows the last slash of a path, the path's own. */
const char *text_base_name(const char *path);

/* Appends n bytes in base64 (RFC 4648, with padding). */
void text_add_base64(struct text *t, const void *bytes, size_t n);

/* Both absent (s is NULL), or the same bytes. */
bool text_equal(const struct text *a, const struct text *b);

/* The same but for empty lines, and lines whose first character that is no space is one of marks: comments. A comment
 * that ends in a backslash, or is longer than any reader's line, counts as a line. */
bool text_equal_but_comments(const struct text *a, const struct text *b, const char *marks);

/* 0, or -ENOMEM when any append failed. */
int text_error(const struct text *t) _must_check_;

/* Hands the string to the caller, who frees it; "" when nothing was appended, NULL without memory. */
char *text_take(struct text *t) _must_check_;

#endif
