#include "setup/kernel/listeners.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/kernel/kernel_private.h"

enum { PAUSE = 1000000000 };	/* nanoseconds between two looks */

/* A row of the table: a socket of NETLINK_AUDIT that is on the group. */
struct row {
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
		int n = sscanf(*table, "%*x %d %*u %" SCNx32 " %" SCNu64 " %*d %*u %*d %" SCNu64 " %" SCNu64, &protocol,
			       &groups, &ret->unread, &ret->missed, &ret->inode);

		*table += length + ((*table)[length] == '\n');
		if (n == 5 && protocol == NETLINK_AUDIT && groups & (1u << (AUDIT_NLGRP_READLOG - 1)))
			return true;
	}
	return false;
}

/* Has the socket read anything between its row and the table of a second later? A later one of its place has. */
static bool reads(const struct row *row, const char *second)
{
	struct row later;

	while (next_row(&second, &later))
		if (later.inode == row->inode)
			return later.unread < row->unread || later.missed == row->missed;
	return true;
}

void listeners_judge(struct listeners *ret, const char *first, const char *second)
{
	struct row row;

	*ret = (struct listeners){ .seen = true, .stopped = second };
	while (next_row(&first, &row)) {
		ret->n++;
		ret->missed = row.missed > ret->missed ? row.missed : ret->missed;
		if (!second || row.unread == 0 || reads(&row, second))
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
	const struct timespec pause = { .tv_sec = PAUSE / 1000000000 };
	_cleanup_text_ struct text first = {0}, second = {0};

	*ret = (struct listeners){0};
	if (read_table(host, &first) < 0 || !first.s)
		return;
	if (may_have_stopped(first.s)) {
		nanosleep(&pause, NULL);
		if (read_table(host, &second) < 0)
			return;
	}
	listeners_judge(ret, first.s, second.s);
}
