/* The audit socket itself, behind the seam of kernel.h. */
#include "setup/kernel/kernel_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "setup/base/mem.h"

enum {
	RECEIVE_BUFFER = 8 << 20,
	AT_ONCE = 16,	/* messages taken in one system call: a listing has one for each rule */
};

struct socket_io {
	int fd;
	unsigned n, next;	/* received; the first not yet handed out */
	struct mmsghdr headers[AT_ONCE];
	struct iovec places[AT_ONCE];
	struct sockaddr_nl from[AT_ONCE];
	char data[AT_ONCE][KERNEL_MESSAGE_MAX];
};

static ssize_t socket_send(void *context, const void *message, size_t size)
{
	const struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	const struct socket_io *s = context;
	ssize_t n;

	do
		n = sendto(s->fd, message, size, 0, (const struct sockaddr *)&to, sizeof(to));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* What is there already: most of a listing. */
static int socket_fill(struct socket_io *s)
{
	int n;

	for (size_t i = 0; i < AT_ONCE; i++) {
		s->places[i] = (struct iovec){ s->data[i], KERNEL_MESSAGE_MAX };
		s->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &s->from[i], .msg_namelen = sizeof(s->from[i]),
			.msg_iov = &s->places[i], .msg_iovlen = 1,
		};
	}
	n = recvmmsg(s->fd, s->headers, AT_ONCE, MSG_DONTWAIT | MSG_TRUNC, NULL);
	s->next = 0;
	s->n = n < 0 ? 0 : (unsigned)n;
	return n < 0 ? -errno : 0;
}

static ssize_t socket_receive(void *context, void *buffer, size_t size, uint32_t *ret_sender,
			      int timeout)
{
	struct socket_io *s = context;
	struct pollfd pollfd = { .fd = s->fd, .events = POLLIN };
	int r = s->next < s->n ? 0 : socket_fill(s);
	size_t length;

	if (r == -EAGAIN) {
		r = poll(&pollfd, 1, timeout);
		if (r < 0)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		r = socket_fill(s);
	}
	if (r < 0)
		return r;
	length = s->headers[s->next].msg_len;
	memcpy(buffer, s->data[s->next], length < size ? length : size);
	*ret_sender = s->from[s->next].nl_pid;
	return s->headers[s->next++].msg_hdr.msg_namelen == sizeof(s->from[0]) ? (ssize_t)length : -EPROTO;
}

static void socket_close(void *context)
{
	struct socket_io *s = context;

	close(s->fd);
	free(s);
}

int kernel_open(struct kernel **ret)
{
	struct kernel_io io = { socket_send, socket_receive, socket_close, NULL };
	struct socket_io *s = calloc(1, sizeof(*s));
	int room = RECEIVE_BUFFER, r;

	if (!s)
		return -ENOMEM;
	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	r = s->fd < 0 ? -errno : 0;
	/* Room for a listing: the kernel waits a tenth of a second for a reader, then drops what does not
	 * fit (kernel/audit.c audit_net_init(), sk_sndtimeo). Without CAP_NET_ADMIN the first fails and
	 * the second gives up to net.core.rmem_max; a loss is noticed and asked for again all the same. */
	if (r == 0 && setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	io.context = s;
	if (r == 0)
		r = kernel_open_io(ret, &io);
	if (r < 0) {
		if (s->fd >= 0)
			close(s->fd);
		free(s);
	}
	return r;
}
