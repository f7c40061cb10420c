/* Rules on paths whose directory is not there: the kernel refuses them. */
#ifndef RULES_ABSENT_H
#define RULES_ABSENT_H

#include "rules/rule/env.h"

struct audit_rule_data;

/* Would the kernel refuse this rule on the host as it is now? Appends the directory that is missing. */
bool absent_refuses(const struct audit_rule_data *data, const struct rules_host *host, struct text *ret_directory);

/* Of a rule that a boot has refused: will the next refuse it, too? Not where each directory of its paths is there
 * by now, and not only later in a boot than the rules. Appends why, nothing where no path is the reason. */
bool absent_at_boot(const struct audit_rule_data *data, const struct rules_host *host, struct text *ret_why);

/* Logs what is an error of a set: a path whose first part is misspelt, and where env says so every rule that
 * the kernel would refuse. Returns 0, -EINVAL after logging, or -ENOMEM. */
int absent_check(const struct rule_set *set, const struct rules_env *env) _must_check_;

#endif
