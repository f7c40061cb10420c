/* What a command costs the whole machine, in instructions: `count RUNS NAME COMMAND ARG...` prints "NAME MILLIONS" for each run, from
 * its fork to its end, with all that the kernel, systemd and the others do meanwhile. For a machine of one processor whose time stamp
 * counter counts instructions (t/vm/vm, VM_ACCEL=count). Where such a one idles its counter goes on with this computer's clock, so here
 * it never does: what would be idle, a process that yields to everybody spends, and its share is taken off. Linked statically. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { ROUND = 1000 };	/* more between two readings was somebody else's */

/* Before a run and after it: what an earlier command leaves to others (the bus is told that a client has gone, the journal has lines
 * to write) is done in there, and is not the next one's. */
static const struct timespec settle = { .tv_nsec = 60000000 };

static void spend(volatile uint64_t *idle)
{
	const struct sched_param least = { .sched_priority = 0 };
	uint64_t last, now;

	if (sched_setscheduler(0, SCHED_IDLE, &least) < 0)
		_exit(1);
	for (last = __rdtsc();; last = now) {
		now = __rdtsc();
		if (now - last < ROUND)
			*idle += now - last;
	}
}

/* 0 for a command that ended well. */
static int run(char **command)
{
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
			_exit(126);
		execvp(command[0], command);
		_exit(127);
	}
	return pid < 0 || waitpid(pid, &status, 0) < 0 ? -1 : status;
}

int main(int argc, char **argv)
{
	volatile uint64_t *idle = mmap(NULL, sizeof(*idle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (argc < 4 || idle == MAP_FAILED)
		return 2;
	for (int i = atoi(argv[1]), status = 0; i > 0 && status == 0; i--) {
		pid_t spender = fork();
		uint64_t start, spent;

		if (spender == 0)
			spend(idle);
		nanosleep(&settle, NULL);
		spent = *idle;
		start = __rdtsc();
		status = run(argv + 3);
		start = __rdtsc() - start;
		spent = *idle - spent;
		kill(spender, SIGKILL);
		waitpid(spender, NULL, 0);
		if (status != 0) {
			fprintf(stderr, "%s failed: %#x\n", argv[2], (unsigned)status);
			return 1;
		}
		printf("%s %.3f\n", argv[2], (double)(start - spent) / 1e6);
	}
	return 0;
}
