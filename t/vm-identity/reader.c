/* reader FILE: hears the kernel's records as they come (AUDIT_NLGRP_READLOG) until FILE is there, and judges each
 * execve(2) whose arguments have a mark (T-NN-K) the moment it can: one line each,
 *
 *	MARK auid ses CGROUP PARENT'S_CGROUP
 *
 * CGROUP is the last part of /proc/PID/cgroup when the record was read, "-" where the process was gone; the parent's is
 * the second guess of who looks there. At the end "overruns N": how often the socket was too small. Links statically. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct address {	/* struct sockaddr_nl */
	unsigned short family, pad;
	unsigned pid, groups;
};

enum { SYSCALL = 1300, EXECVE = 1309, PENDING = 4096 };

struct call {
	unsigned long serial;
	char auid[16], ses[16], own[80], parent[80];
};

static void field(const char *text, const char *name, char ret[16])
{
	const char *at = strstr(text, name);

	if (!at || sscanf(at + strlen(name), "%15[0-9]", ret) != 1)
		strcpy(ret, "-");
}

static void cgroup(const char *pid, char ret[80])
{
	char path[64], line[512] = "", *slash;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/cgroup", pid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
	slash = strrchr(line, '/');
	snprintf(ret, 80, "%.79s", slash && slash[1] ? slash + 1 : "-");
}

static void hear(struct call *calls, int type, const char *text)
{
	const char *serial_at = strchr(text, ':'), *mark;
	unsigned long serial = serial_at ? strtoul(serial_at + 1, NULL, 10) : 0;
	struct call *call = &calls[serial % PENDING];
	char pid[16], ppid[16];

	if (type == SYSCALL) {
		call->serial = serial;
		field(text, " pid=", pid);
		field(text, " ppid=", ppid);
		field(text, " auid=", call->auid);
		field(text, " ses=", call->ses);
		cgroup(pid, call->own);
		cgroup(ppid, call->parent);
	} else if (type == EXECVE && call->serial == serial) {
		mark = strstr(text, "T-");
		if (!mark)
			/* In hexadecimal digits, where it stands among spaces. */
			for (mark = text; (mark = strstr(mark, "542D")) && strlen(mark) >= 12; mark++) {
				unsigned n1, n2, k;

				if (sscanf(mark, "542D%2X%2X2D%2X", &n1, &n2, &k) != 3)
					continue;
				printf("T-%c%c-%c %s %s %s %s\n", n1, n2, k, call->auid, call->ses, call->own, call->parent);
				return;
			}
		if (mark)
			printf("%.6s %s %s %s %s\n", mark, call->auid, call->ses, call->own, call->parent);
	}
}

int main(int argc, char **argv)
{
	static struct call calls[PENDING];
	static char bytes[16384];
	const struct address all = { .family = AF_NETLINK, .groups = 1 };
	const struct timeval limit = { .tv_usec = 200000 };
	const int room = 64 << 20;
	unsigned overruns = 0;
	int fd = socket(AF_NETLINK, SOCK_RAW, 9);

	if (argc != 2 || fd < 0 || bind(fd, (const void *)&all, sizeof(all)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0) {
		perror("reader");
		return 1;
	}
	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, 0);

		if (n < 0 && errno == EAGAIN && access(argv[1], F_OK) == 0)
			break;
		if (n < 0 && errno == ENOBUFS)
			overruns++;
		if (n < 16)
			continue;
		bytes[n] = '\0';
		hear(calls, *(unsigned short *)(bytes + 4), bytes + 16);
	}
	printf("overruns %u\n", overruns);
	return 0;
}
