/* A check that failed, as people are told of it: what was wanted, what is there, what to do. */
#ifndef SETUP_TOLD_H
#define SETUP_TOLD_H

#include "setup/checks/checks.h"
#include "setup/node/context.h"

/* Appends both; a rule as it is written, with its place. */
void told_add(const struct check *check, struct text *wanted, struct text *there);
/* Appends a rule of the configuration: "PLACE: RULE", and the same of those that were merged into it, with between in front. */
void told_add_rule(const struct rule *rule, const char *between, struct text *out);

/* Are all rules gone, or was there never one? Appends the sentence for it, with the likely cause; false: it is not so. */
bool told_all_gone(const struct context *c, const struct checks *checks, struct text *out);

/* What to do about a kind of difference, in one line; NULL where what is there says it. */
const char *told_do(const struct context *c, enum check_kind kind);

#endif
