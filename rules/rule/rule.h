/* A rule as the kernel takes it, a set of rules, and how both are written for people and for auditctl. */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/base/text.h"

struct audit_rule_data;	/* <linux/audit.h> */

struct rule_place {
	char *file;
	unsigned line;
	bool shipped;
	char *written;	/* the rule as it is written there, one space between words; NULL where nobody wrote it */
};

struct rule {
	char *file;	/* where it is written */
	unsigned line;
	char *written;	/* as in rule_place */
	struct rule_place *merged;	/* where rules are written that the optimiser made one with this */
	size_t n_merged;
	struct audit_rule_data *data;	/* as sent to the kernel, owned */
	size_t size;	/* 1040 + data->buflen */
	/* Of a rule that is left out: the directory that the kernel would miss, NULL where it has come; the boot after which
	 * it is loaded, NULL for none; a boot's kernel has refused it; how many rules of the set stand before it. */
	char *absent, *staged;
	bool refused;
	size_t at;
	bool shipped, guard, filter;	/* read while env->shipped, env->guard, env->filter was set */
	bool remove;	/* -d or -W: takes equal earlier rules away; gone after rules_finish() */
};

struct rule_set {
	struct rule *rules;	/* in load order */
	size_t n_rules;
};

/* Frees what a rule owns, and leaves it empty; so of a whole set. */
void rule_done(struct rule *rule);
void rule_set_done(struct rule_set *set);

/* Appends where a rule is written, for people: "FILE:LINE" without the directory, so that it is the same wherever
 * rules and program lie; "shipped " in front of those that come with the program; without the line what stands on
 * none (--set). */
void rule_add_place(struct text *out, const struct rule_place *place);
/* The same as a comment of a rules file. */
void rule_add_source(struct text *out, const struct rule_place *place);

/* Where this rule is written; its strings are the rule's. */
struct rule_place rule_place(const struct rule *rule);

/* Appends the rule as one line of a rules file (no newline) that auditctl 3.0.9 to 4.0.2 read into
 * exactly these bytes, whatever the host's user database says (numbers, no names). Works for any
 * rule that a kernel lists, too; what it lists with the class bits of the mask cleared is printed as
 * -S all. Returns false when no line of a rules file gives this rule (a newline in a path, a list
 * that auditctl 3.0 does not know); the text is then for people only. */
bool rule_print(struct text *out, const struct audit_rule_data *data, size_t size);

/* The rule that was printed before into the same text, {0} for none, and where its list of calls stands there. Its data is the
 * caller's, and still there. */
struct rule_printed {
	const struct audit_rule_data *data;
	uint32_t arch;
	size_t at, len;
};

/* The same for one of many: neighbours often have the same list, of hundreds of calls, which is copied then. */
bool rule_print_next(struct text *out, const struct audit_rule_data *data, size_t size, struct rule_printed *before);

/* Whether a line of a rules file gives this rule, which did so with other system calls or numbers. */
bool rule_fits(const struct rule *rule);

#endif
