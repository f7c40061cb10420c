/* What becomes of the records on a node. */
#ifndef SETUP_TRAIL_H
#define SETUP_TRAIL_H

#include "setup/journal/auditd_files.h"
#include "setup/journal/journal.h"
#include "setup/journal/journald_conf.h"
#include "setup/journal/shippers.h"

/* How long records are kept is told of below this, in microseconds: an outage that begins on an evening is found in the morning. */
#define TRAIL_ENOUGH (24 * 3600 * UINT64_C(1000000))

struct trail {
	struct auditd_files auditd;		/* what it writes, where it runs */
	struct journald_conf journald;		/* what a restart of it does */
	struct journal_span journal;		/* what the journal has of audit, all zero where it was not read */
	uint64_t shippers[N_SHIPPERS];		/* how far each of ours has read it */
};

#endif
