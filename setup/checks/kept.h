/* What rules that [rules] existing = keep leaves in the kernel, before ours, take from ours. */
#ifndef SETUP_KEPT_H
#define SETUP_KEPT_H

#include "setup/base/text.h"
#include "setup/node/node.h"

struct kept {
	size_t ours;	/* rules of ours that record something */
	size_t taken;	/* those that never will, behind a rule that is kept */
	bool headless;	/* not the whole event is taken, but its SYSCALL record, which has the rule's key and who did it */
	struct text by;	/* the first of the rules that take them, as people read it; empty for none */
};

/* host: where an earlier run's rules are none that are kept, since apply deletes them; NULL: those count, too. With
 * existing = replace nothing is taken. ret is the caller's to end either way. 0 or -ENOMEM, unlogged. */
int kept_judge(struct kept *ret, const struct wanted *wanted, const struct config *config, const struct node *node,
	       const struct host *host) _must_check_;
void kept_done(struct kept *kept);

/* Which of the kernel's rules, by index, and how many, an earlier run brought that are wanted no more: those that apply deletes with
 * existing = keep, where the kernel alone does not tell; with replace none. *ret is the caller's. 0 or -ENOMEM, unlogged. */
int kept_left_behind(bool **ret, size_t *ret_n, const struct wanted *wanted, const struct config *config, const struct node *node,
		     const struct host *host) _must_check_;

/* Does the kernel have a rule under which no program that starts is seen by any rule, now or later (never,task)? */
bool kept_has_silencer(const struct node *node);

#endif
