#include "setup/host/hostlock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "setup/base/process.h"

#define POLL_USEC 100000u

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* "process 123 (comm)" of who holds the lock, as proc_locks(5) tells; "another run" when it does not: it shows
 * nobody of another PID namespace. */
static void name_holder(int fd, char *out, size_t size)
{
	_cleanup_fclose_ FILE *locks = fopen("/proc/locks", "re");
	char line[256], name[32];
	unsigned int major_no, minor_no;
	unsigned long long inode;
	struct stat st;
	long pid = 0;

	snprintf(out, size, "another run");
	if (!locks || fstat(fd, &st) < 0)
		return;
	while (pid == 0 && fgets(line, sizeof(line), locks))
		if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%llu", &pid, &major_no, &minor_no, &inode) != 4 ||
		    makedev(major_no, minor_no) != st.st_dev || inode != st.st_ino)
			pid = 0;
	if (pid <= 0)
		return;
	process_name(pid, name, sizeof(name));
	snprintf(out, size, "process %ld%s%s%s", pid, *name ? " (" : "", name, *name ? ")" : "");
}

/* 0, -EWOULDBLOCK, or another negative errno. */
static int try_lock(int fd)
{
	int r;

	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int wait_for_lock(int fd, uint64_t timeout_usec, struct log *log)
{
	const struct timespec pause = { .tv_nsec = POLL_USEC * 1000 };
	uint64_t deadline = now_usec() + timeout_usec;
	char holder[96];
	int r;

	name_holder(fd, holder, sizeof(holder));
	log_say(log, LEVEL_INFO, "%s is changing this node; waiting for its end", holder);
	do {
		nanosleep(&pause, NULL);
		r = try_lock(fd);
	} while (r == -EWOULDBLOCK && now_usec() < deadline);
	if (r != -EWOULDBLOCK)
		return r;
	name_holder(fd, holder, sizeof(holder));
	log_say(log, LEVEL_ERROR, "%s is still changing this node after %" PRIu64 " s ([unit] start_timeout); nothing "
		"was changed by this run: wait for it, or end it, and run again", holder, timeout_usec / 1000000u);
	return -ETIMEDOUT;
}

int hostlock_try(const struct host *host)
{
	_cleanup_close_ int fd = host_open(host, HOSTLOCK_DIRECTORY, O_RDONLY | O_DIRECTORY);
	int got = fd;

	if (fd < 0 || try_lock(fd) < 0)
		return -1;
	fd = -1;
	return got;
}

int hostlock_take(const struct host *host, uint64_t timeout_usec, struct log *log, int *ret_fd)
{
	_cleanup_close_ int fd = host_open(host, HOSTLOCK_DIRECTORY, O_RDONLY | O_DIRECTORY);
	bool waited = false;
	int r;

	*ret_fd = -1;
	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : try_lock(fd);
	if (r == -EWOULDBLOCK) {
		waited = true;
		r = wait_for_lock(fd, timeout_usec, log);
		if (r == -ETIMEDOUT)
			return r;
	}
	if (r == -ENOLCK || r == -EOPNOTSUPP) {
		log_say(log, LEVEL_WARNING, "%s below %s cannot be locked (%s): nothing keeps another run from changing "
			"the node at the same time", HOSTLOCK_DIRECTORY, host->root, strerror(-r));
		return 0;
	}
	if (r < 0) {
		log_say(log, LEVEL_ERROR, "%s below %s cannot be locked: %s; nothing was changed", HOSTLOCK_DIRECTORY,
			host->root, strerror(-r));
		return r;
	}
	*ret_fd = fd;
	fd = -1;
	return waited;
}
