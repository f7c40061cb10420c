/* What the static program says to the kernel's audit part, over a netlink socket of its own: no library of the host's is
 * linked into it.
 *
 * Functions return 0 or a negative errno and log nothing. None waits longer than its socket's time limit for an answer;
 * while the kernel itself makes a sender sleep (backlog_wait_time, audit_receive() in kernel/audit.c) nothing helps. */
#ifndef SETUP_RUNTIME_NETLINK_H
#define SETUP_RUNTIME_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "setup/base/mem.h"

enum { RECORD_VIRT_CONTROL = 2500 };	/* AUDIT_VIRT_CONTROL of <linux/audit.h>, which not every C library has */

/* A socket whose answers are waited for so many seconds at most; the caller closes it. */
int netlink_open(int seconds, int *ret_fd) _must_check_;

/* Records what is typed into the terminals of this process and of all that it becomes and begins (AUDIT_TTY_SET), and
 * reads back that it is so. Needs CAP_AUDIT_CONTROL; works while the rules are locked. */
int netlink_record_terminals(int fd, bool log_passwords) _must_check_;

/* Sends a user record of that type, and waits until the kernel has it. Needs CAP_AUDIT_WRITE. */
int netlink_record(int fd, uint16_t type, const char *text) _must_check_;

#endif
