/* What the fuzzers share: inputs taken apart, a log that costs nothing, ends with a reason. */
#ifndef T_FUZZ_FUZZ_H
#define T_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A property that does not hold. */
#define FAIL(...) do { \
	fprintf(stderr, "property: " __VA_ARGS__); \
	fputc('\n', stderr); \
	abort(); \
} while (0)

/* What is left of an input. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t take_byte(struct bytes *b)
{
	if (b->left == 0)
		return 0;
	b->left--;
	return *b->at++;
}

/* The next string, up to a NUL or the end, as a copy that the caller frees; NULL when nothing is left. */
static inline char *take_string(struct bytes *b)
{
	const void *end = b->left ? memchr(b->at, '\0', b->left) : NULL;
	size_t n = end ? (size_t)((const uint8_t *)end - b->at) : b->left;
	char *s;

	if (b->left == 0)
		return NULL;
	s = strndup((const char *)b->at, n);
	n += end ? 1 : 0;
	b->at += n;
	b->left -= n;
	return s;
}

/* What a log says is looked at by line, and then forgotten. */
struct said {
	char line[8192];
	size_t n;
	unsigned lines;
	void (*look)(const char *line);
};

static inline ssize_t said_write(void *cookie, const char *bytes, size_t size)
{
	struct said *said = cookie;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != '\n') {
			if (said->n < sizeof(said->line) - 1)
				said->line[said->n++] = bytes[i];
			continue;
		}
		said->line[said->n] = '\0';
		said->n = 0;
		said->lines++;
		if (said->look)
			said->look(said->line);
	}
	return (ssize_t)size;
}

/* A log that hands every line to look(), which may be NULL. One for the whole run. */
static inline FILE *said_open(struct said *said, void (*look)(const char *line))
{
	FILE *f = fopencookie(said, "w", (cookie_io_functions_t){ .write = said_write });

	if (!f)
		abort();
	setvbuf(f, NULL, _IOLBF, 8192);
	said->look = look;
	return f;
}

#endif
