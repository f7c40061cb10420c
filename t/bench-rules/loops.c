/* What a system call costs, in instructions: `loops WHAT BATCHES FILE` prints those of a call in each batch. For a machine whose time
 * stamp counter counts instructions (t/vm/vm, VM_ACCEL=count): the counter's two readings are the markers. Linked statically, to run
 * in any test machine. */
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

/* A batch is much shorter than the 4 million instructions between two ticks of the timer. */
static const struct {
	const char *name;
	void (*call)(const char *file);
	unsigned calls;
} loops[] = {
	{ "getppid", call_getppid, 200 }, { "openat", call_openat, 50 }, { "watched", call_watched, 10 },
	{ "execve", call_execve, 1 },
};

static uint64_t run(size_t row, const char *file)
{
	uint64_t start = __rdtsc();

	for (unsigned i = 0; i < loops[row].calls; i++)
		loops[row].call(file);
	return __rdtsc() - start;
}

int main(int argc, char **argv)
{
	/* Whoever reads the records runs between the batches, when this sleeps, and at no other time. */
	const struct sched_param first = { .sched_priority = 1 };
	const struct timespec pause = { .tv_nsec = 3000000 };
	size_t row;

	if (argc < 4)
		return argc == 2 && strcmp(argv[1], "nothing") == 0 ? 0 : 2;
	for (row = 0; row < sizeof(loops) / sizeof(*loops) && strcmp(loops[row].name, argv[1]) != 0; row++)
		;
	if (row == sizeof(loops) / sizeof(*loops) || sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		return 2;
	for (long batch = atol(argv[2]); batch > 0; batch--) {
		nanosleep(&pause, NULL);
		printf("%.1f\n", (double)run(row, argv[3]) / loops[row].calls);
	}
	return 0;
}
