/* A result into a file of the program's own (--output-file, --textfile): written without a name, then named beside it and renamed,
 * so that who collects it sees a whole one, or the earlier, and killed runs leave at most one file, always under the same name. */
#ifndef SETUP_OUTFILE_H
#define SETUP_OUTFILE_H

#include "setup/base/log.h"
#include "setup/base/text.h"

struct outfile {
	const char *path;
	char *beside;	/* where it is written; NULL: it has no name yet */
	int out;	/* standard output as it was, -1 */
};

/* From now on standard output goes beside the path. 0 or negative errno, logged. */
int outfile_begin(struct outfile *ret, const char *path, struct log *log) _must_check_;
/* Standard output is as it was; keep: what was written takes the place of the file, else it is deleted. Same returns. */
int outfile_end(struct outfile *outfile, bool keep, struct log *log) _must_check_;

/* A text in the same way, whatever becomes of standard output. Same returns. */
int outfile_put(const char *path, const struct text *content, struct log *log) _must_check_;

/* What standard output still holds back goes out. 0; the negative errno of that write, or of one that is tried where one before it has
 * failed; 1: that one did not fail, and why is not known. */
int outfile_flush(void) _must_check_;
/* Says that a result could not be written there, and why, where r, as outfile_flush() returns it, tells. */
void outfile_failed(struct log *log, enum log_level level, const char *where, int r);

#endif
