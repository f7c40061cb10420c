/* forge AUID PID TEXT: what a process tries to take another's identity, and how each try ends, in one line: writes AUID as
 * its own login uid and as that of PID, and sends TEXT as a record of type AUDIT_VIRT_CONTROL. Links statically. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *result(int failed)
{
	return failed ? errno == EPERM ? "EPERM" : strerror(errno) : "ok";
}

static int set(const char *pid, const char *auid)
{
	char path[64];
	int fd, r;

	snprintf(path, sizeof(path), "/proc/%s/loginuid", pid);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	r = write(fd, auid, strlen(auid)) < 0 ? -1 : 0;
	close(fd);
	return r;
}

static int send_record(const char *text)
{
	struct {
		unsigned length;
		unsigned short type, flags;
		unsigned sequence, pid;
		char text[4096];
	} m = { .type = 2500, .flags = 5, .sequence = 1 };
	struct {
		unsigned header[4];
		int error;
		char rest[4200];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, 9);

	m.length = 17 + (unsigned)strlen(text);
	snprintf(m.text, sizeof(m.text), "%s", text);
	if (fd < 0 || send(fd, &m, m.length, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 20)
		return -1;
	errno = -answer.error;
	return answer.error ? -1 : 0;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	printf("own=%s ", result(set("self", argv[1])));
	printf("other=%s ", result(set(argv[2], argv[1])));
	printf("record=%s\n", result(send_record(argv[3])));
	return 0;
}
