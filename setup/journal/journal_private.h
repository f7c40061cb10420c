/* The one door to sd-journal, and to the host's files of the journal, for the files of this room. */
#ifndef SETUP_JOURNAL_PRIVATE_H
#define SETUP_JOURNAL_PRIVATE_H

#include <systemd/sd-journal.h>

#include "setup/host/host.h"

/* Told of every file of the journal: by itself, or NULL with the negative errno for which it is passed over. Both are lent for
 * the call. */
typedef void journal_each(void *context, const char *path, sd_journal *file, int error);

/* Opens the system's own files of the host's journal: those in /var/log/journal and /run/log/journal, in the directory of the
 * host's machine ID, or in any where that is not known. Each is found below the root; the library, which would follow links
 * out of it, is given what this process has opened (proc(5)). So it sees new entries, but no new file: for these the journal is
 * opened again. each may be NULL.
 *
 * *ret_others, NULL or: bytes of the files beside them, of users, for which journald's limit is as well.
 *
 * 0, and *ret, which is the caller's; or negative errno, unlogged: -ENOENT where there is no file that can be read, -EACCES
 * where that is for want of rights. */
int journal_open(sd_journal **ret, const struct host *host, journal_each *each, void *context, uint64_t *ret_others) _must_check_;

#endif
