/* Warnings about a whole set: rules that a kernel takes but that do not do what they seem to. */
#ifndef RULES_LINT_H
#define RULES_LINT_H

#include <stdint.h>

#include "rules/rules.h"

/* The rules' indices in the order in which the kernel goes through them: for every list what was
 * prepended, last first, then the others. Order has room for set->n_rules. */
void lint_kernel_order(const struct rule_set *set, uint32_t *order);

/* Logs the warnings of the set. Returns 0, or -ENOMEM. */
int lint_set(const struct rule_set *set, const struct rules_env *env) _must_check_;

#endif
