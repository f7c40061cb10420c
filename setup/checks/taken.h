/* What [rules] existing = replace takes from the kernel that neither this nor an earlier run put there. */
#ifndef SETUP_TAKEN_H
#define SETUP_TAKEN_H

#include "setup/node/node.h"

/* Appends "KEY COUNT, ..." of the rules that will be gone, in the order in which the kernel lists the first of each; of those
 * without a key the first rule itself. Returns how many rules there are, 0 with existing = keep; -ENOMEM. */
int taken_list(struct text *out, const struct wanted *wanted, const struct config *config, const struct node *node,
	       const struct host *host) _must_check_;
/* Appends "KEY COUNT, ..." of those of the rules for which which is true; space: what stands between the two. 0 or -ENOMEM. */
int taken_by_key(struct text *out, const struct kernel_rules *rules, const bool *which, const char *space) _must_check_;

#endif
