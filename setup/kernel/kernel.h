/* The kernel's audit configuration, read over NETLINK_AUDIT; nothing here changes it.
 *
 * Functions return 0 or negative errno, and then leave *ret alone; they log nothing; rights.h explains an
 * errno. Replies are taken only from the kernel (sender port 0) and with our sequence number. -EPROTO is
 * a reply that cannot be; -ETIMEDOUT, no reply within five seconds; -ENOBUFS, replies were lost (a
 * listing is asked for up to eight times before that is said). */
#ifndef SETUP_KERNEL_H
#define SETUP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "setup/base/mem.h"

struct audit_rule_data;	/* <linux/audit.h> */
struct kernel;

/* struct audit_status of <linux/audit.h>: AUDIT_GET. */
struct kernel_status {
	uint32_t enabled;	/* 0 off, 1 on, 2 on and locked */
	uint32_t failure;	/* 0 silent, 1 printk, 2 panic */
	uint32_t pid;		/* who takes the records, 0 nobody */
	uint32_t rate_limit, backlog_limit, lost, backlog;
	uint32_t feature_bitmap;
	uint32_t backlog_wait_time;	/* in jiffies */
	uint32_t hz;		/* of which a second has so many: no part of the answer, but the running kernel's */
};

struct kernel_rule {
	struct audit_rule_data *data;
	size_t size;
};

struct kernel_rules {
	struct kernel_rule *rules;	/* in the kernel's order */
	size_t n;
};

/* A listed rule has at most 1040 + 63 * 4096 bytes by contract, 8970 in fact. */
enum { KERNEL_MESSAGE_MAX = 16384 };

/* Where messages go to and come from: a socket, or a test. Both work like send(2) and recvfrom(2);
 * receive waits at most timeout milliseconds, then returns -ETIMEDOUT; size is at most KERNEL_MESSAGE_MAX. */
struct kernel_io {
	ssize_t (*send)(void *context, const void *message, size_t size);
	ssize_t (*receive)(void *context, void *buffer, size_t size, uint32_t *ret_sender, int timeout);
	void (*close)(void *context);
	void *context;
};

/* Opens the socket; the error is socket(2)'s own. */
int kernel_open(struct kernel **ret) _must_check_;
/* The same over any io, which the kernel object then owns. */
int kernel_open_io(struct kernel **ret, const struct kernel_io *io) _must_check_;
struct kernel *kernel_close(struct kernel *kernel);

/* AUDIT_GET. */
int kernel_get_status(struct kernel *kernel, struct kernel_status *ret) _must_check_;
/* AUDIT_GET_FEATURE: is loginuid_immutable on? */
int kernel_get_loginuid_immutable(struct kernel *kernel, bool *ret) _must_check_;
/* AUDIT_LIST_RULES; kernel_rules_done() frees it. */
int kernel_list_rules(struct kernel *kernel, struct kernel_rules *ret) _must_check_;
void kernel_rules_done(struct kernel_rules *rules);

#endif
