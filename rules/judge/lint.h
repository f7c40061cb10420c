/* Warnings about a whole set: rules that a kernel takes but that do not do what they seem to. */
#ifndef RULES_LINT_H
#define RULES_LINT_H

#include <stdint.h>

#include "rules/rule/env.h"

/* The rules' indices in the order in which the kernel goes through them: for every list what was
 * prepended, last first, then the others. Order has room for set->n_rules. */
void lint_kernel_order(const struct rule_set *set, uint32_t *order);

/* Logs the warnings of the set. Returns 0, or -ENOMEM. */
int lint_set(const struct rule_set *set, const struct rules_env *env) _must_check_;

/* For each rule the index, plus one, of another that takes all its events, 0 where none does; ret_by has room for
 * set->n_rules. Nothing is logged; without env->host no directory is taken to have a path in it. Returns 0, or -ENOMEM. */
int lint_takers(const struct rule_set *set, const struct rules_env *env, uint32_t *ret_by) _must_check_;

/* A kind of warning that reading or judging rules may log; its message ends in "[lint: NAME]". */
struct lint {
	const char *name;
	const char *what;	/* one line, for --help and the man page */
};

/* The i-th kind of warning, from 0; NULL after the last. */
const struct lint *lint_at(size_t i);

#endif
