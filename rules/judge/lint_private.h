/* What the files lint*.c share. */
#ifndef RULES_LINT_PRIVATE_H
#define RULES_LINT_PRIVATE_H

#include "rules/match/map.h"
#include "rules/match/perm.h"
#include "rules/match/range.h"
#include "rules/rule/env.h"

/* An architecture of the machine. */
struct lint_arch {
	uint32_t arch;	/* AUDIT_ARCH_* */
	bool known;	/* perms is filled in */
	struct perm_masks perms;
};

/* Why a rule does not act as it is written. */
struct shadow {
	uint32_t by, also;	/* indices of rules that take all its events, plus one; 0: none, one is enough */
	bool turns;	/* until its file is replaced */
	bool within;	/* its path is in the other one's directory */
	uint32_t late;	/* a rule with never: index, plus one, of a shipped rule before it that records what it leaves out */
	uint32_t n_late;	/* how many there are */
};

struct lint_context {
	const struct rule_set *set;
	const struct rules_env *env;
	struct map twins;	/* rules for 32-bit architectures, by list, action and fields: index into twin_masks */
	uint32_t (*twin_masks)[AUDIT_BITMASK_SIZE];	/* all system calls of these together */
	struct shadow *shadows;	/* by rule */
	struct lint_arch arches[2];	/* the machine's own and its 32-bit one, where they are known */
	size_t n_arches;
	uint32_t named[2][AUDIT_BITMASK_SIZE];	/* of each of these: the system calls that rules name to record them, not -S all */
};

/* A rule's fields without its key, as a sum of hashes: the order of fields decides nothing. */
struct fields {
	uint32_t n;
	uint64_t sum_no_arch;
	uint32_t arch;	/* of the last arch= field; 0: none */
	uint32_t n_arch;
};

/* What one check looks at. */
struct subject {
	const struct lint_context *context;
	const struct rule *rule;
	const struct audit_rule_data *data;
	struct fields fields;
	struct ranges ranges;
	size_t index;
	bool exit_always;
};

/* Of the field, its operator and value. */
uint64_t lint_hash_field(const struct data_field *field);

/* Whether all arch fields of the rule are true of an architecture. */
bool lint_meets_arch(const struct audit_rule_data *data, uint32_t arch);

/* lint_shadow.c: fills in context->shadows. Returns 0, or -ENOMEM. */
int shadow_find(struct lint_context *context) _must_check_;

/* Checks append what they have to say and return whether they have. */
bool check_unreachable(const struct subject *s, struct text *message);
bool check_late_never(const struct subject *s, struct text *message);
bool check_never_matches(const struct subject *s, struct text *message);	/* lint_never.c */
bool check_forgeable(const struct subject *s, struct text *message);	/* lint_people.c, with the next */
bool check_sees_containers(const struct subject *s, struct text *message);

#endif
