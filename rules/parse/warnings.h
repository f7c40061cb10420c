/* Warnings by kind: of each kind one line, with the place of the first and how many there are.
 *
 * A warning ends in "[lint: NAME]", by which a comment on the line before accepts it there. */
#ifndef RULES_WARNINGS_H
#define RULES_WARNINGS_H

#include <stddef.h>

#include "setup/base/log.h"

struct warnings;

/* Collects for a log, which is borrowed. NULL without memory. */
struct warnings *warnings_new(struct log *log);
void warnings_free(struct warnings *warnings);

/* Keeps a warning of this kind; where warnings is NULL it goes to the log at once. */
void warnings_add(struct warnings *warnings, struct log *log, const char *name, const char *file, unsigned line,
		  const char *format, ...) _printf_format_(6, 7);

/* The comment on this line of the file accepts a warning on the line after it. expected: that none is there any
 * more is worth a warning, too. */
void warnings_accept(struct warnings *warnings, const char *name, const char *file, unsigned line, bool expected);

/* Calls back for each kind that was kept and not accepted: its name, the place of the first, and how many there are. */
void warnings_kinds(const struct warnings *warnings,
		    void (*kind)(void *context, const char *name, const char *file, unsigned line, size_t n), void *context);

/* Logs what was kept since the last time, in the order of the kinds' first; all where the log shows everything. */
void warnings_tell(struct warnings *warnings);

#endif
