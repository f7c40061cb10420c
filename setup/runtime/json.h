/* Members of a JSON document, as far as a container's configuration needs them. The document is not trusted; what is
 * valid JSON is understood, what is not may be refused or read in part, within its bounds. */
#ifndef SETUP_RUNTIME_JSON_H
#define SETUP_RUNTIME_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/base/mem.h"

struct json_value {
	const char *text;	/* in the document; NULL: there is none. A string without its quotes, escapes and all */
	size_t length;
	bool string;
};

/* A member of the document, which is an object (object NULL), or of an object that is one of its members. */
struct json_want {
	const char *object, *name;
};

enum { JSON_WANTS = 16 };	/* at most, at once */

/* Looks for each of n wants and says in ret_values, by the same index, what was found: a string, a number or a word. Of members
 * of the same name the first counts; an object or array is no value. Names with escapes in the document are not found. Reads
 * no further than until all is found, or all wanted objects have been read.
 * Returns 0, -EBADMSG where it is no JSON up to there, -E2BIG beyond a GiB; ret_values then says that there are none. */
int json_find(const char *text, size_t length, const struct json_want *wants, size_t n, struct json_value *ret_values)
	_must_check_;

/* Writes a string's value, its escapes resolved (UTF-8; half of a surrogate pair becomes U+FFFD), into size bytes.
 * Returns its length, or -E2BIG. It may have NUL bytes, and is not terminated by one. */
long json_decode(const struct json_value *value, char *ret_text, size_t size) _must_check_;

/* Is it the primitive that is written so (true, null)? */
bool json_is(const struct json_value *value, const char *primitive);

#endif
