/* What the fields of a rule leave of the numbers that an event has: for finding rules that can never match, and rules
 * that match only what another one does.
 *
 * Numbers here are those of which an event has one (uid, exit, a0, ...). An event may have several files, so that two
 * conditions on obj_uid or inode need not be about the same; gid= and egid= also match supplementary groups. */
#ifndef RULES_RANGE_H
#define RULES_RANGE_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

#include "rules/rule/data.h"

enum { RANGES = 19 };

struct ranges {
	struct { uint32_t low, high; } of[RANGES];	/* by the table in range.c; low > high: nothing */
	bool failed, succeeded;	/* which calls success= and exit= leave */
	uint32_t empty;	/* the field that no number is left for, plus one; 0: there is none */
};

/* What all fields of a rule leave together. */
void ranges_read(struct ranges *ranges, const struct audit_rule_data *data);

/* Whether the field is true of every event whose numbers are within. False: not known, or not so. */
bool ranges_imply(const struct ranges *ranges, const struct data_field *field);

/* Whether an event can be within both, as far as numbers say. */
bool ranges_meet(const struct ranges *a, const struct ranges *b);

/* The login uids that are left: low > high for none. */
void ranges_of_loginuid(const struct ranges *ranges, uint32_t *ret_low, uint32_t *ret_high);

#endif
