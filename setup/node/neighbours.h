/* Who else on a node has a hand in its audit records, as far as systemd knows them running. */
#ifndef SETUP_NEIGHBOURS_H
#define SETUP_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/systemd/bus.h"

enum neighbour {
	NEIGHBOUR_AUDITD,	/* takes the records, and has rules in /etc/audit */
	NEIGHBOUR_AUDITBEAT, NEIGHBOUR_WAZUH, NEIGHBOUR_OSQUERY, NEIGHBOUR_MDATP,	/* agents that load rules */
	N_NEIGHBOURS,
};

/* The unit's name, and what its rules are made of, to be told who wants to end that. */
extern const struct neighbour_row {
	const char *unit;
	const char *quiet;	/* how it is kept from loading rules; NULL for one that loads none by itself */
} neighbour_rows[N_NEIGHBOURS];

/* Which of their units are active. Without a bus nothing is known of them, but of auditd by whose the audit PID is. 0 or
 * negative errno, logged. */
int neighbours_read(bool ret_active[N_NEIGHBOURS], struct bus *bus, uint32_t pid) _must_check_;

#endif
