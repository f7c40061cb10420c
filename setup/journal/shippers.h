/* How far a log shipper of ours has read the journal, as far as its cursor on the host tells. */
#ifndef SETUP_SHIPPERS_H
#define SETUP_SHIPPERS_H

#include <stddef.h>
#include <stdint.h>

#include "setup/host/host.h"

enum { N_SHIPPERS = 2 };

/* Their names, and where each keeps its cursor. */
extern const struct shipper_row {
	const char *name, *path;
} shipper_rows[N_SHIPPERS];

/* The time of the entry that each has read last: microseconds, CLOCK_REALTIME; 0 where there is no cursor to be read. */
void shippers_read(uint64_t ret[N_SHIPPERS], const struct host *host);

#endif
