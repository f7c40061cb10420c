/* Compares the rules wanted with those that a kernel lists.
 *
 * A listing differs from what was sent in three ways only, seen on 59 kinds of rules with 6.1 and
 * 6.12 (kernel/auditfilter.c, audit_to_entry_common() and audit_krule_to_data()): the 16 class bits
 * of an all-ones mask are cleared, the prepend flag is cleared, padding is gone. Whatever else
 * differs is another rule. */
#ifndef SETUP_RULESDIFF_H
#define SETUP_RULESDIFF_H

#include "rules/rules.h"
#include "setup/kernel/kernel.h"

struct rulesdiff {
	bool *missing;		/* by index of the wanted set */
	bool *unexpected;	/* by index of the listing */
	size_t *wanted;		/* by index of the listing: that of the wanted rule which it is, where not unexpected */
	size_t n_missing, n_unexpected;
	bool order;		/* all are there, but in another order */
};

/* keep: rules that nobody wanted are no difference. 0 or -ENOMEM. */
int rulesdiff_compare(struct rulesdiff *ret, const struct rule_set *wanted,
		      const struct kernel_rules *listed, bool keep) _must_check_;
void rulesdiff_done(struct rulesdiff *diff);
bool rulesdiff_same(const struct rulesdiff *diff);

/* Changes a rule that was sent to what a kernel lists of it. */
void rulesdiff_as_listed(struct audit_rule_data *rule);

/* Fills order with the indexes of the wanted rules as the kernel lists them: list by list, prepended
 * ones first, the last prepended before the others. order has room for all. */
void rulesdiff_listing_order(const struct rule_set *wanted, size_t *order);

#endif
