/* cloud-audit-runtime called as runc or crun, but on a made-up place: nothing of this machine's is changed, and nothing
 * is sent to its kernel. t/35-runtime-program.t calls it by those names, with
 *
 *	LOGINUID	the file that stands for /proc/self/loginuid
 *	RECORDS		the file that what is sent goes to, a line a record: its type and its text
 *	ANSWER		the kernel's answer to it, an error's number (0); "none": no answer
 *	NETLINK		the error's number of the socket: there is no audit here */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "setup/runtime/shim.h"

struct header {
	uint32_t length;
	uint16_t type, flags;
	uint32_t sequence, pid;
};

static void play_kernel(int fd)
{
	const char *answer = getenv("ANSWER");
	struct {
		struct header header;
		char text[9000];
	} heard;
	struct {
		struct header header;
		int32_t error;
	} reply = { .header = { .length = sizeof(reply), .type = 2 } };
	ssize_t n = recv(fd, &heard, sizeof(heard), 0);
	FILE *f = fopen(getenv("RECORDS"), "ae");

	if (n < (ssize_t)sizeof(heard.header) || !f)
		_exit(1);
	/* As the kernel does it: the last byte is taken for the NUL that it should be (audit_receive_msg()). */
	fprintf(f, "%u %.*s\n", heard.header.type, (int)((size_t)n - sizeof(heard.header)) - 1, heard.text);
	fclose(f);
	reply.header.sequence = heard.header.sequence;
	reply.error = answer ? -atoi(answer) : 0;
	if (!answer || strcmp(answer, "none") != 0)
		(void)!send(fd, &reply, sizeof(reply), 0);
	else
		sleep(3);
	_exit(0);
}

static int open_made_up(int seconds, int *ret_fd)
{
	const struct timeval limit = { .tv_sec = seconds };
	int fds[2];
	pid_t pid;

	if (getenv("NETLINK"))
		return -atoi(getenv("NETLINK"));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ||
	    setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(fds[0]);
		/* Its parent becomes another program, which does not wait for it. */
		if (fork() == 0)
			play_kernel(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	waitpid(pid, NULL, 0);
	*ret_fd = fds[0];
	return 0;
}

int main(int argc, char **argv)
{
	const char *file = (const char *)getauxval(AT_EXECFN), *slash = strrchr(file, '/');
	const struct shim_place place = { file, getenv("LOGINUID"), open_made_up };

	if (!place.loginuid || !getenv("RECORDS")) {
		fputs("made_up_runtime: LOGINUID and RECORDS are not set: see t/unit/made_up_runtime.c\n", stderr);
		return 2;
	}
	return shim_run(&place, slash ? slash + 1 : file, argc, argv, environ);
}
