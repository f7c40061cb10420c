/* Units and drop-ins for what a host records besides audit rules: AppArmor's audit parameter, an IMA
 * policy, journald's audit socket, the keystrokes of a container runtime. */
#ifndef UNITS_HOST_UNITS_H
#define UNITS_HOST_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "setup/base/text.h"

#define HOST_UNIT "cloud-audit-host.service"
#define JOURNALD_UNIT "systemd-journald.service"
#define JOURNALD_SOCKET "systemd-journald-audit.socket"
/* The name of every drop-in of ours; its directory is UNIT_DIRECTORY/UNIT.d. */
#define DROP_IN "cloud-audit-setup.conf"
/* The program that goes onto the host for the container runtime, the directory beside it that PATH names, and what is in
 * that: the program by its names, and whom it leaves alone. That of version 0.1 is never written any more. */
#define RUNTIME_PROGRAM "cloud-audit-runtime"
#define RUNTIME_DIRECTORY RUNTIME_PROGRAM ".d"
#define RUNTIME_RUNC RUNTIME_DIRECTORY "/runc"
#define RUNTIME_CRUN RUNTIME_DIRECTORY "/crun"
#define RUNTIME_EXCEPT RUNTIME_DIRECTORY "/except"
#define RUNTIME_FAILED RUNTIME_DIRECTORY "/failed"
#define TTY_PROGRAM "cloud-audit-tty"

#define APPARMOR_AUDIT "/sys/module/apparmor/parameters/audit"
#define IMA_DIRECTORY "/sys/kernel/security/ima"
#define IMA_POLICY IMA_DIRECTORY "/policy"
/* What HOST_UNIT leaves until the next boot: AppArmor's value from before, the IMA policy it loaded. */
#define HOST_STATE "/run/cloud-audit-setup"
#define HOST_STATE_APPARMOR HOST_STATE "/apparmor-audit"
#define HOST_STATE_IMA HOST_STATE "/ima-policy"

struct host_recording {
	const char *apparmor;	/* value of APPARMOR_AUDIT, NULL: leave it */
	const char *ima;	/* rules of the policy, one a line, without the last newline; NULL: none */
};

/* Prints the unit that switches this on at its start, and AppArmor back when it is stopped. Returns as
 * print_setup_unit(). */
int print_host_unit(const struct host_recording *want, uint64_t start_timeout, struct text *out)
	_must_check_;

/* Prints the drop-in that gives journald its audit socket (systemd-journald.service(8)), and the one that gives
 * that socket room for what comes while journald is busy: systemd's own 128 MB hold some 116,000 records, these
 * 233,000. The kernel takes the memory only while it is filled. */
int print_journald_drop_in(struct text *out) _must_check_;
int print_socket_drop_in(struct text *out) _must_check_;

struct runtime_drop_in {
	const char *program;	/* RUNTIME_PROGRAM on the host */
	const char *command;	/* the service's own, as its unit file has it, and one that unit_command_is_plain() takes: run
				 * through the program, or bare where that cannot run; NULL: left alone */
	bool log_passwords;
	const char *path;	/* of the service, as its programs are to have it; NULL: left alone */
};

/* Prints the drop-in for a container runtime. Returns as print_setup_unit(); -EINVAL also for a path that
 * unit_path_is_plain() does not take. */
int print_runtime_drop_in(const struct runtime_drop_in *want, struct text *out) _must_check_;

#endif
