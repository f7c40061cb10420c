/* What a rule, a group or a key of the configuration means, in words: a label and a sentence, 80 columns wide. */
#ifndef SETUP_EXPLAIN_H
#define SETUP_EXPLAIN_H

#include <stdbool.h>

#include "rules/rules.h"
#include "setup/config/config.h"

/* Appends words behind a label, "" for more of the same, cut into lines. */
void explain_add(struct text *out, const char *label, const char *words);

/* False: there is no such group. */
bool explain_group(struct text *out, const struct config *config, const char *name);

/* "SECTION.KEY", "[SECTION] KEY", either with a value behind it, a key that only one section has, or a section: its keys.
 * False: there is none such. */
bool explain_setting(struct text *out, const struct config *config, const char *word);

/* A kind of warning that rules may have. False: there is none such. */
bool explain_lint(struct text *out, const char *name);

/* What may have been meant: a group, a key, a kind of warning; NULL for nothing near. */
const char *explain_nearest(const char *word);

struct explain_rules {
	const struct rule_set *set;	/* those of the configuration, not optimised */
	const struct rules_env *env;
	bool user_first, optimise;	/* as configured */
	bool all;	/* every name of a long list */
};

/* What the kernel does with a rule, which other takes its events, and what it is loaded as. A rule that is not in the set is
 * judged as the last of it. Returns 0 or -ENOMEM. */
int explain_rule(struct text *out, const struct rule *rule, const struct explain_rules *rules) _must_check_;

/* A line that is no rule: a comment, an option of auditctl, or nothing. */
void explain_other(struct text *out, const char *line);

#endif
