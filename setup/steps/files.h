/* Writes and deletes the files of wanted.h on a host. 0 or negative errno, unlogged. */
#ifndef SETUP_FILES_H
#define SETUP_FILES_H

#include "setup/node/wanted.h"

/* What is written into file i of a node that has `have` there: the wanted content, in the rules file with a comment that tells
 * the boot that this was put in place in, which is that of `have` where it has the same rules. In store, or the wanted
 * text itself; s is NULL for a file that must not be there. NULL without memory. */
const struct text *file_content(const struct wanted *wanted, size_t i, const struct text *have, struct text *store)
	_must_check_;

/* Gives file i this content, whole or not at all. A foreign file keeps its mode, and is written only while it has what was seen
 * there: else -ESTALE, and of a link -ELOOP. */
int file_write(const struct host *host, const struct wanted *wanted, size_t i, const struct text *content,
	       const struct text *seen) _must_check_;

/* strerror(3), with words of its own for what file_write() finds. */
const char *file_error(int r);

/* Deletes file i, and the directory that goes with it and that it was alone in; but that of rules where the host's are merged. */
int file_delete(const struct host *host, const struct wanted *wanted, size_t i) _must_check_;

#endif
