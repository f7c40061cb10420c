/* A rule for people: as rule_print() has it, but with runs of system call numbers shortened.
 *
 * The optimiser gives a rule every number above the known ones; where eight or more follow each
 * other they are shown as FIRST..LAST, which auditctl does not read. */
#ifndef RULES_SHOW_H
#define RULES_SHOW_H

#include <stddef.h>

#include "setup/base/text.h"

struct audit_rule_data;	/* <linux/audit.h> */

/* Appends a rule, as sent or as listed (no newline); one that cannot be printed is shown as far as it can. */
void rule_show(struct text *out, const struct audit_rule_data *data, size_t size);

/* The same for a line that rule_print() made. */
void rule_show_line(struct text *out, const char *line);

/* Appends a rule in the form in which benchmarks have it and scanners look for it: -w where it is a plain watch,
 * else b64 and b32, then -S, then the fields in their order. auditctl 3 reads it into the same bytes, where a
 * path is what it was. */
void rule_show_usual(struct text *out, const struct audit_rule_data *data, size_t size);

#endif
