/* The host's journal, read below its root (sd-journal(3)). */
#ifndef SETUP_JOURNAL_H
#define SETUP_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/host/host.h"

/* Puts into *out, which is empty, up to n of the last messages that the unit's processes, or auditctl
 * through syslog, wrote since `since` (microseconds, CLOCK_REALTIME), one a line. Waits up to three seconds
 * for the first, and until none has come for half a second: the journal takes them in after the job has ended. Returns how
 * many there were, or negative errno. */
int journal_tail(const struct host *host, const char *unit, uint64_t since, size_t n,
		 struct text *out) _must_check_;

/* The audit records that the journal has, and for how long. Times and spans are microseconds, times of CLOCK_REALTIME. */
struct journal_span {
	uint64_t oldest, newest;	/* times of the first and the last; 0: there is none, and nothing else is told */
	uint64_t begins;		/* time of the first entry of whatever kind */
	uint64_t recent, window;	/* how many came within the last window, which is shorter than asked for where they are
					 * too many to count */
	uint64_t holds;			/* the span until an entry is dropped, at the rate of that window; 0: not known, since
					 * nothing came, or the journal has too little in it to tell */
};

/* Looks at the last `window` and counts at most some thousands, so that it takes no longer on a busy node. 0 or negative
 * errno, unlogged; *ret is all zero then. */
int journal_audit_span(struct journal_span *ret, const struct host *host, uint64_t window) _must_check_;

#endif
