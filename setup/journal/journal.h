/* The host's journal, read below its root (sd-journal(3)). */
#ifndef SETUP_JOURNAL_H
#define SETUP_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "setup/host/host.h"

/* Puts into *out, which is empty, up to n of the last messages that the unit's processes, or auditctl
 * through syslog, wrote since `since` (microseconds, CLOCK_REALTIME), one a line. Waits up to a second
 * for the first, and until no more come: the journal takes them in after the job has ended. Returns how
 * many there were, or negative errno. */
int journal_tail(const struct host *host, const char *unit, uint64_t since, size_t n,
		 struct text *out) _must_check_;

#endif
