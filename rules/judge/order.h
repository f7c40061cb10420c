/* What the user's rules take from the shipped groups where they stand before them ([rules] order = user-first; -A). */
#ifndef RULES_ORDER_H
#define RULES_ORDER_H

#include "rules/rule/env.h"

/* Tells for each group how many of the user's rules take events of it, which then carry their key; and warns of each
 * rule with never that does. Shipped ones are behind it that stand so in the set; behind one with -A and never that has
 * no condition all are, while one with a condition is taken to be meant so. Whether two rules can match the same event is
 * judged by their system calls, paths, programs and equal fields; where that does not exclude it they do. 0 or -ENOMEM. */
int order_check(const struct rule_set *set, const struct rules_env *env) _must_check_;

#endif
