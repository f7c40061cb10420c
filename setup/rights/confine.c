#include "setup/rights/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define BIT(cap) (UINT64_C(1) << (cap))

/* Files are written as their owner, so that neither CHOWN nor FOWNER is needed; systemd looks at the uid. */
static const uint64_t needed[] = {
	/* NET_ADMIN: SO_RCVBUFFORCE of kernel_socket.c. DAC_OVERRIDE: files and directories that are not root's, a
	 * configuration in a user's home for instance. */
	[CONFINE_START] = BIT(CAP_AUDIT_CONTROL) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_NET_ADMIN),
	[CONFINE_SOCKET_OPEN] = BIT(CAP_AUDIT_CONTROL) | BIT(CAP_DAC_OVERRIDE),
};

/* What a person or a connection that ends sends. */
static const struct {
	int number;
	const char *name;
} held[] = {
	{ SIGINT, "SIGINT" }, { SIGTERM, "SIGTERM" }, { SIGHUP, "SIGHUP" },
};

void confine_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		sigaddset(&signals, held[i].number);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

const char *confine_waiting_signal(void)
{
	sigset_t signals;

	sigpending(&signals);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		if (sigismember(&signals, held[i].number) == 1)
			return held[i].name;
	return NULL;
}

void confine_process(void)
{
	int fd;

	clearenv();
	/* O_PATH: reading and writing fail, as they would without a descriptor. */
	do
		fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

int confine_capabilities(enum confine stage)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	/* Nothing is ever executed. These two take a right to be done, or a kernel that knows them: the first that
	 * is refused is one too many, or all are refused (cap_prctl_drop() in security/commoncap.c). */
	for (unsigned long cap = 0; stage == CONFINE_START && cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(needed[stage] >> 32 * i);
		data[i].effective &= data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
