/* One run at a time on a host: a Pod's, another Pod's, a person's over SSH. */
#ifndef SETUP_HOSTLOCK_H
#define SETUP_HOSTLOCK_H

#include <stdint.h>

#include "setup/base/log.h"
#include "setup/host/host.h"

/* The directory that is locked, itself: all who change the rules see it, and no file has to be made. Not one
 * that everybody may open: then everybody could keep the node from being configured (audit makes it 0750). */
#define HOSTLOCK_DIRECTORY "/etc/audit"

/* The host's lock (flock(2)), if nobody has it: the descriptor that holds it, owned by the caller; else -1, unlogged. */
int hostlock_try(const struct host *host) _must_check_;

/* Takes the host's lock, and waits up to timeout_usec for another run, whose process it names in
 * a message. The kernel frees the lock when its holder ends, however that is.
 * 0, or 1 when it was waited for, so that what was read of the host before may have changed, and the descriptor that
 * holds it, owned by the caller; or -1 in *ret_fd where there is nothing to lock: the directory is not below the root,
 * as in transient mode, or its file system has no locks.
 * -ETIMEDOUT or another negative errno, logged. */
int hostlock_take(const struct host *host, uint64_t timeout_usec, struct log *log, int *ret_fd) _must_check_;

#endif
