/* One rule for several. */
#ifndef RULES_MERGE_H
#define RULES_MERGE_H

#include "rules/rule/env.h"

/* Merges rules that differ in system calls, or in the numbers they ask for, where each event is decided as before: why that is
 * so heads optimise.c. The data of a rule that went into another one is NULL then and its place in the other's list. Needs a set
 * without doubles, and narrowed. Returns 0, or -ENOMEM. */
int merge_set(struct rule_set *set, const struct rules_env *env) _must_check_;

#endif
