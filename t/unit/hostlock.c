#include "t/unit/test.h"

#include <signal.h>
#include <sys/wait.h>

#include "setup/host/hostlock.h"

static struct host host;
static struct capture said;

static int begin(void **state)
{
	if (mkdir(test_path("root"), 0755) < 0 || mkdir(test_path("root/etc"), 0755) < 0)
		return -1;
	return host_open_root(&host, test_path("root"));
}

static int end(void **state)
{
	host_done(&host);
	return 0;
}

static int listen_to(void **state)
{
	capture_begin(&said);
	return 0;
}

static int cease(void **state)
{
	capture_end(&said);
	return 0;
}

/* A child that holds the lock for so long, or until it is killed; it has it when this returns. */
static pid_t holder(useconds_t usec)
{
	int ready[2], lock;
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (hostlock_take(&host, 0, said.log, &lock) < 0 || lock < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(usec);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void without_the_directory(void **state)
{
	int lock = 5;

	assert_int_equal(hostlock_take(&host, 0, said.log, &lock), 0);
	assert_int_equal(lock, -1);
	assert_string_equal(capture_text(&said), "");
	assert_int_equal(mkdir(test_path("root/etc/audit"), 0755), 0);
}

static void free_lock(void **state)
{
	_cleanup_close_ int lock = -1;

	assert_int_equal(hostlock_take(&host, 0, said.log, &lock), 0);
	assert_true(lock >= 0);
	assert_string_equal(capture_text(&said), "");
}

static void held_lock(void **state)
{
	_cleanup_close_ int lock = -1;
	pid_t pid = holder(60 * 1000000);
	char name[64];

	assert_int_equal(hostlock_take(&host, 300000, said.log, &lock), -ETIMEDOUT);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(lock, -1);
	snprintf(name, sizeof(name), "info: process %d (hostlock) is changing this node; waiting", (int)pid);
	assert_non_null(strstr(capture_text(&said), name));
	snprintf(name, sizeof(name), "error: process %d (hostlock) is still changing this node", (int)pid);
	assert_non_null(strstr(capture_text(&said), name));
	assert_non_null(strstr(capture_text(&said), "nothing was changed by this run"));
}

static void lock_that_is_freed(void **state)
{
	_cleanup_close_ int lock = -1;
	pid_t pid = holder(400000);

	assert_int_equal(hostlock_take(&host, 30 * 1000000, said.log, &lock), 1);
	assert_true(lock >= 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_null(strstr(capture_text(&said), "error"));
}

static void dead_holder(void **state)
{
	_cleanup_close_ int lock = -1;
	pid_t pid = holder(60 * 1000000);

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(hostlock_take(&host, 0, said.log, &lock), 0);
	assert_true(lock >= 0);
}

static void something_else_in_its_place(void **state)
{
	int lock = 5;

	assert_int_equal(rmdir(test_path("root/etc/audit")), 0);
	test_file("root/etc/audit", "");
	assert_int_equal(hostlock_take(&host, 0, said.log, &lock), -ENOTDIR);
	assert_int_equal(lock, -1);
	assert_non_null(strstr(capture_text(&said), "/etc/audit below "));
	assert_non_null(strstr(capture_text(&said), "nothing was changed"));
}

#define LOCK_TEST(sentence, function) { sentence, function, listen_to, cease, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCK_TEST("a host without /etc/audit is not locked", without_the_directory),
		LOCK_TEST("a free lock is taken without a word", free_lock),
		LOCK_TEST("a held lock is waited for, and its holder named", held_lock),
		LOCK_TEST("a lock that is freed meanwhile is taken", lock_that_is_freed),
		LOCK_TEST("a holder that was killed holds nothing", dead_holder),
		LOCK_TEST("what cannot be locked is an error that names it", something_else_in_its_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
