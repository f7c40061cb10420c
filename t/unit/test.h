/* What the unit tests share: cmocka, a log that keeps what it says, files that go away. */
#ifndef T_UNIT_TEST_H
#define T_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup/base/log.h"
#include "setup/base/mem.h"

/* One row of a test program: a sentence about behaviour, and the function that proves it. */
#define TEST(sentence, function) { sentence, function, NULL, NULL, NULL }

#define RUN(tests) \
	(cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests(tests, NULL, NULL))

/* A log whose messages can be looked at. */
struct capture {
	char *s;
	size_t size;
	FILE *file;
	struct log *log;
};

static inline void capture_begin(struct capture *c)
{
	*c = (struct capture){0};
	c->file = open_memstream(&c->s, &c->size);
	assert_non_null(c->file);
	c->log = log_new(c->file);
	assert_non_null(c->log);
}

/* Everything said so far. */
static inline const char *capture_text(struct capture *c)
{
	assert_int_equal(fflush(c->file), 0);
	return c->s;
}

static inline void capture_end(struct capture *c)
{
	log_free(c->log);
	fclose(c->file);
	free(c->s);
}

static char test_directory[] = "/tmp/cas-unit-XXXXXX";
static pid_t test_owner;

static inline int test_delete(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void test_clean(void)
{
	/* Not at the end of a child. */
	if (getpid() != test_owner)
		return;
	/* What a test left locked must not stay. */
	nftw(test_directory, test_delete, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory of this run, deleted at the end. */
static inline const char *test_dir(void)
{
	static int made;

	if (!made) {
		assert_non_null(mkdtemp(test_directory));
		made = 1;
		test_owner = getpid();
		atexit(test_clean);
	}
	return test_directory;
}

/* The name of a file in that directory; valid until the fourth call after this one. */
static inline const char *test_path(const char *name)
{
	static char names[4][512];
	static unsigned next;
	char *s = names[next++ % 4];

	snprintf(s, sizeof(names[0]), "%s/%s", test_dir(), name);
	return s;
}

static inline const char *test_file_bytes(const char *name, const void *content, size_t size)
{
	const char *path = test_path(name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	return path;
}

static inline const char *test_file(const char *name, const char *content)
{
	return test_file_bytes(name, content, strlen(content));
}

#endif
