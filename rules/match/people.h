/* A rule as somebody would write it: for people, who read no derived list, and no number that has a name. */
#ifndef RULES_PEOPLE_H
#define RULES_PEOPLE_H

#include <stddef.h>

#include "setup/base/text.h"

struct audit_rule_data;	/* <linux/audit.h> */

/* Appends a rule, as sent or as listed (no newline): -w PATH where it is no more than that, also with the system calls that the
 * optimiser, or an auditctl, derives from its permissions; calls by name, -k for the key. */
void rule_show_people(struct text *out, const struct audit_rule_data *data, size_t size);

#endif
