/* Fewer and narrower rules that decide every event as before. */
#ifndef RULES_OPTIMISE_H
#define RULES_OPTIMISE_H

#include "rules/rule/env.h"

/* Narrows masks and merges rules; the data of a rule that went into another one is NULL then and
 * its place in the other's list. Needs a set without doubles. Returns 0, or -ENOMEM. */
int optimise_set(struct rule_set *set, const struct rules_env *env) _must_check_;

#endif
