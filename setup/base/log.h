/* Messages for people: to stderr, one line each (newlines inside are printed as "; "), "cloud-audit-setup: LEVEL: message", or for
 * Cloud Logging one JSON object (severity, message, time: https://cloud.google.com/logging/docs/structured-logging). */
#ifndef SETUP_LOG_H
#define SETUP_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "setup/base/mem.h"

enum log_level {
	LEVEL_ERROR,
	LEVEL_WARNING,
	LEVEL_INFO,	/* what was done; not with --quiet */
	LEVEL_DEBUG,	/* only with --verbose */
	LEVEL_MAX,
};

struct log;
struct text;

/* A log that writes to out (borrowed); NULL without memory. */
struct log *log_new(FILE *out);
void log_free(struct log *log);
void log_freep(struct log **log);	/* for _cleanup_() */

/* Where messages go from now on, borrowed; returns where they went. */
FILE *log_set_out(struct log *log, FILE *out);
/* Forgets how many messages there were, and the last error. */
void log_begin_anew(struct log *log);
/* Messages as JSON objects instead of text; the word of the level in colour, never with JSON. */
void log_set_json(struct log *log, bool json);
void log_set_colour(struct log *log, bool colour);
/* Steps that take time are shown while they do: for a terminal. Never with JSON, or below LEVEL_INFO. */
void log_set_progress(struct log *log, bool progress);
bool log_shows_progress(const struct log *log);
/* "STEP (UNIT) 3 s ...", written over itself; unit may be NULL. A message, or the end, which stays from a second on, follows. */
void log_progress(struct log *log, const char *step, const char *unit, uint64_t microseconds);
void log_progress_end(struct log *log, const char *step, const char *unit, uint64_t microseconds);
/* Messages above this level are dropped; they are counted all the same. */
void log_set_level(struct log *log, enum log_level level);

/* Calls back for each error and warning, beside printing it; file is NULL and line 0 where there are none. */
void log_set_listener(struct log *log,
		      void (*listen)(void *context, enum log_level level, const char *file, unsigned line,
				     const char *message),
		      void *context);
/* Is every warning wanted, not one a kind: with --verbose, or where somebody listens? */
bool log_shows_all(const struct log *log);

/* From now on warnings wait for log_end_room(), which says those that have room in so many rows of 80 columns, beside
 * what was said meanwhile: those about the node first, then those about a line of a file; long ones are cut, and the rest is a
 * number. Returns the rows of all that was said. Nothing waits with JSON, or where every warning is wanted. */
void log_wait_for_room(struct log *log);
size_t log_use_room(struct log *log, size_t rows);	/* the same, and what comes then goes on waiting */
size_t log_end_room(struct log *log, size_t rows);
void log_wait_with_errors(struct log *log);	/* those about a line of a file, too: of what is on a node, never mistakes */

/* A message of this level, formatted as by printf(3); errno is kept. */
void log_say(struct log *log, enum log_level level, const char *format, ...) _printf_format_(3, 4);
/* The same with its place in front: "FILE:LINE: message"; line 0 prints "FILE: message". */
void log_at(struct log *log, enum log_level level, const char *file, unsigned line,
	    const char *format, ...) _printf_format_(5, 6);

/* The error that there is no memory; returns -ENOMEM. */
int log_no_memory(struct log *log);

/* An error that says what a run that failed leaves behind: it follows the last error in log_last_error(). */
void log_conclude(struct log *log, const char *format, ...) _printf_format_(2, 3);

/* How many messages of this level there were. */
unsigned log_count(const struct log *log, enum log_level level);
/* The last error with its conclusions, NULL when there was none; valid until the next message. */
const char *log_last_error(const struct log *log);
/* Appends all errors, a line each: within 4 KiB, the last always there, with its conclusions, and before it the number of those
 * that had no room. */
void log_add_errors(const struct log *log, struct text *out);

#endif
