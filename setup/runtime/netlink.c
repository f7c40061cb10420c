#include "setup/runtime/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

/* From <linux/netlink.h> and <linux/audit.h>, which not every C library's include path has. */
enum {
	NETLINK_AUDIT = 9, NLM_F_REQUEST = 1, NLM_F_ACK = 4, NLMSG_ERROR = 2,
	AUDIT_TTY_GET = 1016, AUDIT_TTY_SET = 1017,
};

enum { TEXT_MOST = 8192 };	/* with its NUL */

struct header {
	uint32_t length;
	uint16_t type, flags;
	uint32_t sequence, pid;
};

struct tty_status {
	uint32_t enabled, log_passwords;
};

/* The beginning of an answer: what is longer is cut. */
struct answer {
	struct header header;
	union {
		struct tty_status status;
		int32_t error;
	} data;
};

struct address {	/* struct sockaddr_nl */
	uint16_t family, pad;
	uint32_t pid, groups;
};

int netlink_open(int seconds, int *ret_fd)
{
	const struct timeval limit = { .tv_sec = seconds };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int ask(int fd, uint16_t type, const void *data, size_t n)
{
	struct header header = {
		.length = (uint32_t)(sizeof(header) + n), .type = type, .flags = NLM_F_REQUEST | NLM_F_ACK, .sequence = type,
	};
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)(uintptr_t)data, n } };
	const struct msghdr m = { .msg_iov = parts, .msg_iovlen = n > 0 ? 2 : 1 };

	if (n > TEXT_MOST)
		return -E2BIG;
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)header.length ? 0 : -errno;
}

/* Waits for the acknowledgement of a request (ret NULL) or for its reply. */
static int answer(int fd, uint16_t type, struct tty_status *ret)
{
	/* An acknowledgement may come before the reply. Who else is heard must not draw it out: each silence has the
	 * socket's time limit. */
	for (int i = 0; i < 4; i++) {
		struct answer m;
		struct address from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, &m, sizeof(m), 0, (struct sockaddr *)(void *)&from, &size);

		if (n < 0)
			return -errno;
		if (from.pid != 0 || n < (ssize_t)sizeof(m.header) || m.header.sequence != type)
			continue;
		if (m.header.type == NLMSG_ERROR && n >= (ssize_t)(sizeof(m.header) + 4)) {
			if (m.data.error < 0 || !ret)
				return m.data.error;
		} else if (ret && m.header.type == type &&
			   n >= (ssize_t)(sizeof(m.header) + sizeof(*ret))) {
			*ret = m.data.status;
			return 0;
		}
	}
	return -ETIMEDOUT;
}

int netlink_record_terminals(int fd, bool log_passwords)
{
	const struct tty_status want = { 1, log_passwords };
	struct tty_status have = { 0, 0 };
	int r = ask(fd, AUDIT_TTY_SET, &want, sizeof(want));

	if (r == 0)
		r = answer(fd, AUDIT_TTY_SET, NULL);
	if (r == 0)
		r = ask(fd, AUDIT_TTY_GET, "", 0);
	if (r == 0)
		r = answer(fd, AUDIT_TTY_GET, &have);
	return r < 0 ? r : have.enabled ? 0 : -EPROTO;
}

int netlink_record(int fd, uint16_t type, const char *text)
{
	/* With its NUL: the kernel puts one in the place of the last byte (audit_receive_msg()). */
	int r = ask(fd, type, text, strlen(text) + 1);

	return r < 0 ? r : answer(fd, type, NULL);
}
