/* Results in files. */
#include "t/unit/test.h"

#include <signal.h>
#include <sys/resource.h>

#include "setup/outfile.h"

static const char *content(const char *path)
{
	static char s[64];
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, s, sizeof(s) - 1);

	return n < 0 ? NULL : (s[n] = '\0', s);
}

/* More than stdio holds back, and than a file may have meanwhile. */
static void print_too_much(void)
{
	struct rlimit limit, small;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 512;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 20000; i++)
		putchar('x');
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_write_that_failed_once(void **state)
{
	const char *path = test_path("result");
	struct outfile file;
	struct capture log;
	char said[200];
	int r;

	capture_begin(&log);
	assert_int_equal(outfile_begin(&file, path, log.log), 0);
	printf("whole\n");
	assert_int_equal(outfile_end(&file, true, log.log), 0);
	assert_string_equal(content(path), "whole\n");

	/* The disk has room again when it ends, and what went wrong in between was something else. */
	assert_int_equal(outfile_begin(&file, path, log.log), 0);
	print_too_much();
	fflush(stdout);
	errno = 0;
	r = outfile_end(&file, true, log.log);
	assert_int_equal(r, -EIO);
	snprintf(said, sizeof(said), "the result could not be written to %s: a write before the last one failed\n", path);
	assert_non_null(strstr(capture_text(&log), said));
	assert_string_equal(content(path), "whole\n");
	capture_end(&log);
}

/* Why the last write failed is told, and of one before it no reason of something else. */
static void why_it_failed(void **state)
{
	const int full = open("/dev/full", O_WRONLY | O_CLOEXEC), out = dup(STDOUT_FILENO);
	int r, again;

	fflush(stdout);
	assert_true(full >= 0 && out >= 0 && dup2(full, STDOUT_FILENO) >= 0);
	printf("lost\n");
	errno = EBADF;
	r = outfile_flush();
	errno = EBADF;
	again = outfile_flush();
	clearerr(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(full);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(again, -ENOSPC);
	assert_int_equal(outfile_flush(), 0);
}

/* What goes to standard output between two results, of a failure, is nothing of the next one's file. */
static void a_standard_output_that_fails(void **state)
{
	const char *path = test_path("next");
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), out = dup(STDOUT_FILENO), r;
	struct outfile file;
	struct capture log;

	capture_begin(&log);
	fflush(stdout);
	assert_true(full >= 0 && out >= 0 && dup2(full, STDOUT_FILENO) >= 0);
	printf("failed\n");
	fflush(stdout);
	r = outfile_begin(&file, path, log.log);
	printf("whole\n");
	r = r < 0 ? r : outfile_end(&file, true, log.log);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(full);
	assert_int_equal(r, 0);
	assert_string_equal(content(path), "whole\n");
	assert_string_equal(capture_text(&log), "");
	capture_end(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a result of which a part could not be written takes no file's place", a_write_that_failed_once),
		TEST("why standard output was not written is told by the write itself, or not at all", why_it_failed),
		TEST("a standard output that cannot be written keeps no result from its file", a_standard_output_that_fails),
	};

	return RUN(tests);
}
