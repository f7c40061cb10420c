/* starts N[/PAUSE] PROGRAM [ARGUMENT...]: starts the program N times, one after another, with so many milliseconds before
 * each, and prints what the fastest, the median and the slowest start took, in microseconds, until the program had ended.
 *
 * "starts next PROGRAM [ARGUMENT...]" executes the program: the cost of one more execve(2) of a static one. Links statically. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Whoever counts the machine's instructions sees these (count.c). */
#define MARK(letter) __asm__ volatile(".byte 0x0f, 0x1f, 0x80, " letter ", 0x53, 0x41, 0x43")
#define BEGINS "0x42"
#define ENDS "0x45"
#define RUN "0x52"

static int by_time(const void *a, const void *b)
{
	const long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct timespec pause = { 0, 0 };
	char *end = "";
	int n;
	long *took;

	if (argc > 2 && strcmp(argv[1], "next") == 0) {
		execv(argv[2], argv + 2);
		return 127;
	}
	n = argc > 2 ? (int)strtol(argv[1], &end, 10) : 0;
	if (*end == '/')
		pause.tv_nsec = atol(end + 1) * 1000000;
	took = n > 0 ? calloc((size_t)n, sizeof(*took)) : NULL;
	if (!took)
		return 2;
	MARK(RUN);
	for (int i = 0; i < n; i++) {
		int status;
		pid_t pid;

		if (pause.tv_nsec > 0)
			nanosleep(&pause, NULL);
		took[i] = now();
		MARK(BEGINS);
		pid = vfork();
		if (pid == 0) {
			execvp(argv[2], argv + 2);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
			fprintf(stderr, "starts: %s, the %d. time: status %d\n", argv[2], i + 1, pid < 0 ? -1 : status);
			return 1;
		}
		MARK(ENDS);
		took[i] = now() - took[i];
	}
	qsort(took, (size_t)n, sizeof(*took), by_time);
	printf("%ld %ld %ld\n", took[0], took[n / 2], took[n - 1]);
	return 0;
}
