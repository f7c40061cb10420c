/* Results on stdout. */
#ifndef SETUP_REPORT_H
#define SETUP_REPORT_H

#include "setup/checks/checks.h"
#include "setup/node/context.h"

/* Prints what verify found in the chosen format; with --changes only where that is not what was found before. 0, or
 * -ENOMEM after logging that nothing is printed. */
int report_checks(struct context *c, const struct checks *checks, enum exit_status status) _must_check_;

/* Prints what a command did: result is one word, the sentence says it to people. Whole, or where memory ends not at all,
 * which is logged: what was done stays done. */
void report_done(const struct context *c, const char *command, const char *result,
		 const char *format, ...) _printf_format_(4, 5);

/* apply's, where rules are in force: tells how many of ours, behind these words, and how many of others it kept. */
void report_in_force(const struct context *c, const char *result, const char *before);

/* The run ended before its result: says so, with the last error, where a program reads stdout (JSON, TAP). */
void report_failed(struct context *c, enum exit_status status);

/* Says what of somebody else's is in the way, at the level of its kind: an error, with what became of the run,
 * for what is taken in the place of ours; a warning for drop-ins. Returns whether there is something in place
 * of ours. */
bool report_others(const struct context *c, const struct checks *checks);

/* Warns when nobody takes the records, as [journal] reader asks for. */
void report_reader(const struct context *c);

/* Before anything is changed: warns of hazards, of the rules of others that [rules] existing = replace deletes, and of one that
 * keep leaves and that takes what ours are to record, and of what makes [container] identity nothing. 0; -EINVAL after logging
 * what is refused; -ENOMEM, logged. */
int report_risks(const struct context *c) _must_check_;

/* Warns of watches that the lock keeps as what they were loaded as. */
void report_forms(const struct context *c);

/* Warns of records that the kernel could not keep. */
void report_lost(const struct context *c);

#endif
