#include "setup/rights/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "setup/base/cmdline.h"

/* linux/proc_ns.h: PROC_PID_INIT_INO, PROC_USER_INIT_INO: the inodes of the first namespaces. */
static const ino_t first_pid_namespace = 0xEFFFFFFC;
static const ino_t first_user_namespace = 0xEFFFFFFD;

static bool in_namespace(const char *path, ino_t first)
{
	struct stat st;

	return stat(path, &st) < 0 || st.st_ino == first;
}

static bool has_audit_control(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) < 0)
		return true;
	return data[CAP_TO_INDEX(CAP_AUDIT_CONTROL)].effective & CAP_TO_MASK(CAP_AUDIT_CONTROL);
}

/* A node by hand has the host's root as its own; a container has it somewhere else, and a Pod to be changed. */
static bool by_hand(const struct host *host)
{
	return !host->root || strcmp(host->root, "/") == 0;
}

#define AS_ROOT "run as root: sudo cloud-audit-setup ..."

/* Where nothing is mounted, and no manifest is to be changed. */
static const char *audit_reason_by_hand(int error, bool at_socket)
{
	if (geteuid() != 0 && (error == EPERM || error == EACCES))
		return AS_ROOT;
	if (!in_namespace("/proc/self/ns/user", first_user_namespace))
		return "this is a user namespace, and only the first one may ask; run outside of it, as root";
	if (at_socket && (error == EINVAL || error == EPERM || error == EACCES))
		return "a seccomp filter forbids audit sockets; run outside of the container or service that has it";
	if (error == EPERM && !has_audit_control())
		return "CAP_AUDIT_CONTROL is missing, although this is root: run outside of the container or service that took it";
	if (error == EPERM && !in_namespace("/proc/self/ns/pid", first_pid_namespace))
		return "the kernel answers only in the host's PID namespace; run outside of the container";
	return NULL;
}

static const char *audit_reason(int error, bool at_socket)
{
	if (cmdline_has("audit=0") || cmdline_has("audit=off"))
		return "the kernel was booted with audit=0; remove it from the kernel command line and reboot";
	if (!in_namespace("/proc/self/ns/user", first_user_namespace))
		return "this is a user namespace, and only the first one may ask; run without one "
			"(hostUsers: true in the Pod, no userns remapping in the engine)";
	if (at_socket && (error == EINVAL || error == EPERM || error == EACCES))
		return "a seccomp filter forbids audit sockets; add AUDIT_WRITE to "
			"securityContext.capabilities.add (podman, docker), or use seccompProfile "
			"RuntimeDefault of containerd";
	if (error == EPROTONOSUPPORT || error == EAFNOSUPPORT)
		return "this kernel was built without audit (CONFIG_AUDIT); use another kernel";
	if (error == EPERM && !has_audit_control())
		return "CAP_AUDIT_CONTROL is missing; run as root, in a Pod with runAsUser: 0 and "
			"securityContext.capabilities.add: [AUDIT_CONTROL]";
	if (error == EPERM && !in_namespace("/proc/self/ns/pid", first_pid_namespace))
		return "the kernel answers only in the host's PID namespace; set hostPID: true in the Pod";
	if (error == EPERM)
		return "a security module may forbid it; see the host's kernel log";
	if (error == ECONNREFUSED)
		return "nobody listens: the kernel has no audit, or this is a user namespace";
	if (error == ETIMEDOUT)
		return "the kernel did not answer; see the host's kernel log";
	return NULL;
}

void rights_explain_audit(struct text *out, const struct host *host, int error, bool at_socket)
{
	const char *reason = NULL;

	error = error < 0 ? -error : error;
	if (by_hand(host) && !cmdline_has("audit=0") && !cmdline_has("audit=off"))
		reason = audit_reason_by_hand(error, at_socket);
	if (!reason)
		reason = audit_reason(error, at_socket);

	text_add(out, strerror(error));
	if (reason)
		text_addf(out, "; %s", reason);
}

/* Who else than the bus itself may have denied it: the security module that confines this process, by the name of its
 * profile or context (apparmor(7), getcon(3)). */
static const char *advice_denied(bool hand)
{
	_cleanup_close_ int fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC);
	char label[256] = "";

	if (geteuid() != 0 && hand)
		return "systemd obeys root only: " AS_ROOT;
	if (geteuid() != 0)
		return "systemd obeys root only: run as uid 0 (securityContext.runAsUser: 0)";
	if (fd >= 0 && read(fd, label, sizeof(label) - 1) < 0)
		label[0] = '\0';
	if (hand && *label && !strstr(label, "unconfined"))
		return "a security module confines this process (/proc/self/attr/current): run outside of its profile";
	if (strstr(label, " (enforce)"))
		return "an AppArmor profile confines this container, and on Ubuntu it mediates D-Bus: set "
			"securityContext.appArmorProfile.type: Unconfined (k8s/components/apparmor-unconfined; before Kubernetes 1.30 the "
			"annotation container.apparmor.security.beta.kubernetes.io/CONTAINER: unconfined)";
	if (strchr(label, ':'))
		return "SELinux confines this process: set securityContext.seLinuxOptions.type: spc_t "
			"(k8s/components/selinux), and see ausearch -m USER_AVC on the node";
	return "a policy of the node's bus forbids it: see /etc/dbus-1/system.d and journalctl -u dbus on the node";
}

const char *rights_advice_bus(const struct host *host, int error)
{
	bool hand = by_hand(host);

	switch (error < 0 ? -error : error) {
	case ENOENT:
		if (hand)
			return "systemd must run here, as the host's first process (/run/systemd/private, "
				"/run/dbus/system_bus_socket); or set [dbus] address";
		return "mount the host's /run/dbus/system_bus_socket (read-only is enough; "
			"volumes: hostPath: path: /run/dbus/system_bus_socket, type: Socket) below the "
			"root, or set [dbus] address";
	case ECONNREFUSED:
		return "the socket is there but nobody listens: on the host, systemctl start dbus.socket";
	case EACCES:
	case EPERM:
		return advice_denied(hand);
	case ENOBUFS:
		return "the bus is at one of its limits: busctl list on the node shows who holds connections; try again later";
	case ETIMEDOUT:
		return "systemd is busy, with a daemon-reload perhaps, or hangs: systemctl list-jobs on the node; try again, or "
			"give it longer ([unit] start_timeout)";
	case EHOSTUNREACH:
	case ENXIO:
		return "the bus is there, but systemd is not on it yet: see systemctl is-system-running on the node, and try again";
	default:
		return "see systemctl status dbus on the host";
	}
}

const char *rights_advice_write(const struct host *host, int error)
{
	bool hand = by_hand(host);

	switch (error < 0 ? -error : error) {
	case EROFS:
		if (hand)
			return "; it is on a read-only file system: remount it";
		return "; it is on a read-only file system: mount the host's directory writable "
			"(volumeMounts without readOnly: true), or remount it";
	case EACCES:
	case EPERM:
		return hand ? "; " AS_ROOT : "; run as root (securityContext.runAsUser: 0)";
	case ENOSPC:
		return "; free some space there";
	case ELOOP:
		return "; the unit is masked, or a symlink leads in a circle: systemctl unmask it, or remove "
			"the link";
	default:
		return "";
	}
}
