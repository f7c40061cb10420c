/* Who listens on the kernel's audit multicast group (AUDIT_NLGRP_READLOG), and whether it still reads.
 *
 * A reader that is overrun gets ENOBUFS once, and journald's never reads again after that: sd-event switches a source
 * off whose handler returns an error (server_process_datagram() in src/journal/journald-server.c). Its unit stays
 * active, and the kernel's `lost` does not count what a multicast reader misses. The kernel tells of it in
 * /proc/PID/net/netlink alone (netlink_native_seq_show() in net/netlink/af_netlink.c): a socket's unread bytes (Rmem)
 * and missed messages (Drops). */
#ifndef SETUP_LISTENERS_H
#define SETUP_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/host/host.h"

struct listeners {
	bool seen;		/* the kernel's table could be read: nothing below counts otherwise */
	size_t n;		/* sockets on the group */
	uint64_t missed;	/* messages that one of them had no room for, since it was opened: of the worst */
	bool first;		/* one of them was opened by the host's first process, as systemd opens journald's */
	bool stopped;		/* each of them has unread messages, has missed some, and reads none any more */
};

/* Reads the table; where a socket has unread messages and has missed some, again after a second, or three: one that
 * misses more and reads none has stopped, and so has one that reads none for so long. The table is the one
 * of the host's first process: below the root, or where /proc is not part of it in our own /proc, which is the host's
 * or the kernel's audit part would not talk to us. A table that cannot be read leaves ret->seen false. */
void listeners_look(struct listeners *ret, const struct host *host);

/* What one look and a later one tell; later may be NULL for none; last: it is three seconds later. For
 * listeners_look(), and tests. */
void listeners_judge(struct listeners *ret, const char *first, const char *later, bool last);

#endif
