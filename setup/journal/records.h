/* The audit records in the host's journal. */
#ifndef SETUP_RECORDS_H
#define SETUP_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "setup/host/host.h"
#include "setup/base/log.h"

struct journal_record {
	uint64_t event, boot;	/* what the records of one event share; event 0: not known */
	const char *text;	/* "TYPE fields...", size bytes of any kind, not terminated */
	size_t size;
};

/* What was read. */
struct records_span {
	uint64_t from, to;	/* microseconds, CLOCK_REALTIME: from where on, and the last entry of any kind; 0, 0 for none */
	size_t files;		/* of the host's journal */
	size_t unread;		/* those that could not be opened */
	size_t damaged;		/* read as far as they go */
};

/* Calls take for every audit record since then, oldest first; what that returns below 0 ends it. Of a file that cannot be
 * read, or not to its end, a warning says so and the others are read. *ret is filled in whatever is returned: 0, or
 * negative errno, unlogged; -ENOENT where there is no file, -EACCES where none may be read. */
int journal_records(const struct host *host, uint64_t since, struct log *log, struct records_span *ret,
		    int (*take)(void *context, const struct journal_record *record), void *context) _must_check_;

#endif
