/* A text of bounded length that needs no memory but its own: records, lines of a log, paths.
 *
 * Appending never fails visibly: what does not fit is left out whole, and the line is marked as cut. */
#ifndef SETUP_RUNTIME_LINE_H
#define SETUP_RUNTIME_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel takes 8560 bytes of a user record's text (AUDIT_MESSAGE_TEXT_MAX). */
enum { LINE_SIZE = 8192 };

struct line {
	size_t n;		/* bytes without the NUL */
	bool cut;
	char s[LINE_SIZE];	/* NUL-terminated. Last: of what is short no other page is touched */
};

/* An empty one: nothing else of it needs to be set. */
void line_begin(struct line *line);

/* Append bytes, a string, several strings up to a NULL, a number in decimal with at least so many digits. */
void line_add_bytes(struct line *line, const char *bytes, size_t n);
void line_add(struct line *line, const char *s);
void line_add_all(struct line *line, const char *const *strings);
void line_add_number(struct line *line, uint32_t number, int digits);

/* Appends NAME=VALUE as libaudit writes a value that others chose (audit_encode_nv_string(3)): in quotes, or in
 * hexadecimal digits where something in it would break out of them; a single quote, too, which ends a user record's
 * text. A space goes before it unless the line is empty. Without a value (NULL): "?". */
void line_add_untrusted(struct line *line, const char *name, const char *value, size_t n);

/* Appends bytes as the inside of a JSON string: those that are not printable ASCII become "?". */
void line_add_json(struct line *line, const char *s);

#endif
