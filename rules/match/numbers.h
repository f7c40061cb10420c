/* One rule for two that differ in the numbers they ask for. */
#ifndef RULES_NUMBERS_H
#define RULES_NUMBERS_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

#include "setup/base/mem.h"

/* Is it a field of which an event has one number, which the kernel compares as it is: exit, a0 to a3, saddr_fam, msgtype? */
bool numbers_has(uint32_t field);

/* Whether field i of the rule says which of these numbers are meant; what asks for single bits does not. */
bool numbers_is_condition(const struct audit_rule_data *data, uint32_t i, uint32_t field);

/* Changes the conditions on field so that the rule matches each event that it or the other one has matched, and no other one;
 * all else the two have the same. Their size stays. Returns false, and changes nothing, when a list of fields cannot say so, or
 * only one that leaves out more than NUMBERS_GAPS numbers; in the list exclude, where no mask keeps a rule from being gone
 * through, more than none. */
enum { NUMBERS_GAPS = 31 };
bool numbers_unite(struct audit_rule_data *data, const struct audit_rule_data *with, uint32_t field) _must_check_;

#endif
