#include "setup/kernel/listeners.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/host/own.h"
#include "setup/kernel/kernel_private.h"

enum { LOOKS = 3 };	/* after the first, a second apart */

/* A row of the table: a socket of NETLINK_AUDIT that is on the group. */
struct row {
	uint32_t port;
	uint64_t unread, missed, inode;
};

/* Takes the next such row of *table, which is set behind it. False at the end. */
static bool next_row(const char **table, struct row *ret)
{
	while (**table) {
		size_t length = strcspn(*table, "\n");
		int protocol;
		uint32_t groups;
		/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; Rmem and the like are printed as signed. */
		int n = sscanf(*table, "%*x %d %" SCNu32 " %" SCNx32 " %" SCNu64 " %*d %*u %*d %" SCNu64 " %" SCNu64, &protocol,
			       &ret->port, &groups, &ret->unread, &ret->missed, &ret->inode);

		*table += length + ((*table)[length] == '\n');
		if (n == 6 && protocol == NETLINK_AUDIT && groups & (1u << (AUDIT_NLGRP_READLOG - 1)))
			return true;
	}
	return false;
}

/* Has the socket read anything between its row and a later table? Where nothing came meanwhile only the last one tells.
 * A socket that is not there any more was closed, by a restart for instance. */
static bool reads(const struct row *row, const char *table, bool last)
{
	struct row later;

	while (next_row(&table, &later))
		if (later.inode == row->inode)
			return later.unread < row->unread || (later.missed == row->missed && !last);
	return true;
}

void listeners_judge(struct listeners *ret, const char *first, const char *later, bool last)
{
	struct row row;

	*ret = (struct listeners){ .seen = true, .stopped = later };
	while (next_row(&first, &row)) {
		ret->n++;
		/* The kernel gives a socket its process's number where that is free (netlink_autobind()). */
		ret->first = ret->first || row.port == 1;
		ret->missed = row.missed > ret->missed ? row.missed : ret->missed;
		if (!later || row.unread == 0 || row.missed == 0 || reads(&row, later, last))
			ret->stopped = false;
	}
	ret->stopped = ret->stopped && ret->n > 0;
}

/* 0, or negative errno: the table is nowhere to be read. */
static int read_table(const struct host *host, struct text *ret)
{
	int r = host_read(host, "/proc/1/net/netlink", ret);

	return r < 0 ? host_read_own("/proc/1/net/netlink", ret) : r;
}

/* Is there a socket that may have stopped? One that has read all, or missed nothing, has not. */
static bool may_have_stopped(const char *table)
{
	struct row row;

	while (next_row(&table, &row))
		if (row.unread > 0 && row.missed > 0)
			return true;
	return false;
}

void listeners_look(struct listeners *ret, const struct host *host)
{
	const struct timespec pause = { .tv_sec = 1 };
	_cleanup_text_ struct text first = {0};

	*ret = (struct listeners){0};
	if (read_table(host, &first) < 0 || !first.s)
		return;
	listeners_judge(ret, first.s, NULL, false);
	for (int i = 1; i <= LOOKS && !ret->stopped && may_have_stopped(first.s); i++) {
		_cleanup_text_ struct text later = {0};

		nanosleep(&pause, NULL);
		if (read_table(host, &later) < 0 || !later.s)
			return;
		listeners_judge(ret, first.s, later.s, i == LOOKS);
		/* It has read some: enough, however many it has missed. */
		if (!may_have_stopped(later.s))
			break;
	}
}
