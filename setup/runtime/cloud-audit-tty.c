/* Runs a program whose terminals are audited: what is typed into any terminal of it, of its children and
 * theirs is recorded (type=TTY).
 *
 *	cloud-audit-tty [--log-passwords] PROGRAM [ARGUMENT...]
 *	cloud-audit-tty --check
 *
 * AUDIT_TTY_SET over NETLINK_AUDIT concerns the calling process alone and is inherited over fork(2) and
 * execve(2) (audit_receive_msg() in kernel/audit.c, tty_audit_fork() in drivers/tty/tty_audit.c); it
 * needs CAP_AUDIT_CONTROL and works while the rules are locked. PROGRAM is run even where the kernel
 * refuses: a container runtime that does not start would take the node down.
 * The process stays the same one, so that systemd's Type=notify and KillMode=process keep their meaning.
 *
 * --check switches the recording on for itself, reads it back, and exits with 0 when it is on.
 *
 * Linked statically, with no library of the host: nothing of the host's may keep it from running. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* From <linux/netlink.h> and <linux/audit.h>, which not every C library's include path has. */
enum {
	NETLINK_AUDIT = 9, NLM_F_REQUEST = 1, NLM_F_ACK = 4, NLMSG_ERROR = 2,
	AUDIT_TTY_GET = 1016, AUDIT_TTY_SET = 1017,
};

struct header {
	uint32_t length;
	uint16_t type, flags;
	uint32_t sequence, pid;
};

struct tty_status {
	uint32_t enabled, log_passwords;
};

struct message {
	struct header header;
	union {
		struct tty_status status;
		int32_t error;
		char padding[512];
	} data;
};

struct address {	/* struct sockaddr_nl */
	uint16_t family, pad;
	uint32_t pid, groups;
};

static void say(const char *what, const char *why)
{
	char line[512];
	size_t n = 0;
	const char *const parts[] = { "cloud-audit-tty: ", what, ": ", why, "\n" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t length = strlen(parts[i]);

		if (n + length > sizeof(line))
			break;
		memcpy(line + n, parts[i], length);
		n += length;
	}
	if (write(2, line, n) < 0)
		return;
}

static int ask(int fd, uint16_t type, const struct tty_status *status)
{
	struct message m = {
		.header = { .type = type, .flags = NLM_F_REQUEST | NLM_F_ACK, .sequence = type },
	};
	size_t size = sizeof(m.header);

	if (status) {
		m.data.status = *status;
		size += sizeof(*status);
	}
	m.header.length = (uint32_t)size;
	return send(fd, &m, size, 0) == (ssize_t)size ? 0 : -errno;
}

/* Waits for the acknowledgement of a request (ret NULL) or for its reply. */
static int answer(int fd, uint16_t type, struct tty_status *ret)
{
	/* Others may be heard on the way; the socket's time limit bounds the silence between them. */
	for (int i = 0; i < 100; i++) {
		struct message m;
		struct address from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, &m, sizeof(m), 0, (struct sockaddr *)(void *)&from, &size);

		if (n < 0)
			return -errno;
		if (from.pid != 0 || m.header.sequence != type)
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

static int switch_on(bool log_passwords)
{
	const struct timeval limit = { .tv_sec = 5 };
	const struct tty_status want = { 1, log_passwords };
	struct tty_status have = { 0, 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT), r;

	if (fd < 0)
		return -errno;
	r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ? -errno : 0;
	if (r == 0)
		r = ask(fd, AUDIT_TTY_SET, &want);
	if (r == 0)
		r = answer(fd, AUDIT_TTY_SET, NULL);
	if (r == 0)
		r = ask(fd, AUDIT_TTY_GET, NULL);
	if (r == 0)
		r = answer(fd, AUDIT_TTY_GET, &have);
	close(fd);
	return r < 0 ? r : have.enabled ? 0 : -EPROTO;
}

int main(int argc, char **argv)
{
	bool check = argc == 2 && strcmp(argv[1], "--check") == 0;
	bool log_passwords = argc > 1 && strcmp(argv[1], "--log-passwords") == 0;
	char **program = argv + 1 + log_passwords;
	int r;

	if (argc < 2 || !program[0] || (program[0][0] == '-' && !check)) {
		say("usage", "cloud-audit-tty [--log-passwords] PROGRAM [ARGUMENT...] | --check");
		return 2;
	}
	r = switch_on(log_passwords);
	if (r < 0)
		say("keystrokes are not recorded: the kernel refuses AUDIT_TTY_SET", strerror(-r));
	if (check)
		return r < 0;
	execv(program[0], program);
	say(program[0], strerror(errno));
	return 127;
}
