/* Tokens of one line to a rule. */
#ifndef RULES_PARSE_H
#define RULES_PARSE_H

#include <stddef.h>

#include "rules/rule/env.h"

enum parse_result {
	PARSE_NOTHING,	/* options that agree with the configuration */
	PARSE_ADD,
	PARSE_DELETE,
};

/* Reads the options of a line. For PARSE_ADD and PARSE_DELETE *ret is the rule, without a line's
 * other marks (caller frees ret->data; ret->file is not set). Returns a parse_result, -EINVAL after
 * logging the first mistake, or -ENOMEM. */
int parse_line(const struct rules_env *env, const char *file, unsigned line, const char *const *tokens,
	       size_t n_tokens, struct rule *ret) _must_check_;

#endif
