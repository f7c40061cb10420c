/* What a system call costs, in instructions: `loops WHAT BATCHES FILE` prints those of the median call of each batch. For a machine whose
 * time stamp counter counts instructions (t/vm/vm, VM_ACCEL=count): the counter's two readings are the markers. Linked statically, to
 * run in any test machine. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static void call_getppid(const char *file)
{
	syscall(SYS_getppid);
}

static void call_openat(const char *file)
{
	long fd = syscall(SYS_openat, AT_FDCWD, file, O_RDONLY);

	if (fd < 0)
		_exit(1);
	syscall(SYS_close, fd);
}

/* As somebody would who is to be recorded: the watches of all sets ask for writers. */
static void call_watched(const char *file)
{
	long fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY);

	if (fd < 0)
		_exit(1);
	syscall(SYS_close, fd);
}

static void call_execve(const char *file)
{
	char name[] = "loops", what[] = "nothing";
	char *arguments[] = { name, what, NULL }, *environment[] = { NULL };
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execve(file, arguments, environment);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		_exit(1);
}

enum { MOST_CALLS = 200 };

/* An exec's memory is given back by the kernel some ticks of its timer later: the next one should find it. */
static const struct {
	const char *name;
	void (*call)(const char *file);
	unsigned calls, pause;	/* milliseconds */
} loops[] = {
	{ "getppid", call_getppid, 200, 3 }, { "openat", call_openat, 50, 3 }, { "watched", call_watched, 10, 3 },
	{ "execve", call_execve, 1, 20 },
};

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The median: now and then a call is interrupted by the kernel's timer, or comes to the end of what an allocator has at hand. All
 * others take the same. */
static uint64_t run(size_t row, const char *file)
{
	uint64_t took[MOST_CALLS], start;

	for (unsigned i = 0; i < loops[row].calls; i++) {
		start = __rdtsc();
		loops[row].call(file);
		took[i] = __rdtsc() - start;
	}
	qsort(took, loops[row].calls, sizeof(*took), compare);
	return took[loops[row].calls / 2];
}

/* Whoever reads the records runs in here, and at no other time. Each has its time, whose milliseconds have one digit or two in the first
 * tenth of a second: fewer instructions than three. */
static void wait_for_batch(size_t row)
{
	const struct timespec pause = { .tv_nsec = loops[row].pause * 1000000L };
	struct timespec now;

	do {
		nanosleep(&pause, NULL);
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (now.tv_nsec < 100000000);
}

int main(int argc, char **argv)
{
	const struct sched_param first = { .sched_priority = 1 };
	size_t row;

	if (argc < 4)
		return argc == 2 && strcmp(argv[1], "nothing") == 0 ? 0 : 2;
	for (row = 0; row < sizeof(loops) / sizeof(*loops) && strcmp(loops[row].name, argv[1]) != 0; row++)
		;
	if (row == sizeof(loops) / sizeof(*loops) || sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		return 2;
	for (long batch = atol(argv[2]); batch > 0; batch--) {
		wait_for_batch(row);
		printf("%lu\n", run(row, argv[3]));
	}
	return 0;
}
