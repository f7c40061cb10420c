/* Finds and reads *.rules files: the shipped event groups and the user's directory. */
#ifndef SETUP_RULEFILES_H
#define SETUP_RULEFILES_H

#include "rules/rules.h"
#include "setup/config/config.h"

/* Of the shipped groups all, the one that guards the audit system itself, or the others. */
enum shipped_part { SHIPPED_ALL, SHIPPED_GUARD, SHIPPED_OTHERS };

/* Reads the files of the groups of a part that are switched on: NN-GROUP.rules for "yes", NN-GROUP-VALUE.rules
 * for any other value, and those with @MACHINE before the suffix on that machine; in C-locale order.
 * 0, -EINVAL after logging every mistake, -ENOMEM. */
int rulefiles_add_shipped(struct rule_set *set, const struct rules_env *env,
			  const struct config *config, enum shipped_part part) _must_check_;

/* Reads every *.rules file of [rules] directory, which as the default may be absent; or in its place the files named on
 * the command line, "-" for standard input. Same returns. */
int rulefiles_add_user(struct rule_set *set, const struct rules_env *env,
		       const struct config *config) _must_check_;

/* Is it one of the groups that [filter] workloads and sessions are about? */
bool rulefiles_by_class(const char *group);

/* The directory of the shipped rules. The caller's; NULL without memory. */
char *rulefiles_shipped_directory(void);

#endif
