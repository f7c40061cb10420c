/* The rule engine: text of *.rules files in, struct audit_rule_data out, checked completely
 * without a kernel.
 *
 * Rules are read file by file into a rule_set, each mistake logged as FILE:LINE and the reading
 * going on; rules_finish() then looks at the set as a whole. Nothing here touches the node: what
 * must be known of it (directories, user and group numbers) is asked through rules_host. */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "rules/rule/env.h"
#include "rules/rule/rule.h"
#include "setup/base/log.h"

/* Reads size bytes of a rules file into the set; file is its name for messages. Returns 0, -EINVAL
 * after logging every mistake, or -ENOMEM. */
int rules_read(struct rule_set *set, const struct rules_env *env, const char *file,
	       const char *content, size_t size) _must_check_;

/* Reads one rule that the program itself makes up for line `line` of `file`. Same returns. */
int rules_read_line(struct rule_set *set, const struct rules_env *env, const char *file,
		    unsigned line, const char *rule) _must_check_;

/* After the last file: deletions take effect, doubles are dropped with a warning, the whole set is
 * linted and, where env asks for it, optimised. Returns 0, -EINVAL after logging, or -ENOMEM. */
int rules_finish(struct rule_set *set, const struct rules_env *env) _must_check_;

/* What depends on the running kernel, by the feature_bitmap of its AUDIT_GET answer. Returns 0, or
 * -EINVAL after logging every rule that this kernel would refuse. */
int rules_check_features(const struct rule_set *set, struct log *log, uint32_t feature_bitmap)
	_must_check_;

#endif
