/* What is no difference to the configuration, and yet ends the trail, or the node, on this very host: a notice each of
 * verify, a warning of plan and apply. */
#ifndef SETUP_HAZARDS_H
#define SETUP_HAZARDS_H

#include "setup/config/config.h"
#include "setup/node/node.h"

/* Calls back for each that this node could have: name is a sentence that is true when all is well, detail NULL then, else
 * what is the matter and what to do about it. Both are valid during the call only. 0 or -ENOMEM. */
int hazards_look(const struct config *config, const struct node *node,
		 void (*hazard)(void *context, const char *name, const char *detail), void *context) _must_check_;

/* Warns of those that are there. Returns 0; -EINVAL after logging one that would take the node down and that the lock
 * would make permanent; -ENOMEM, logged. */
int hazards_warn(const struct config *config, const struct node *node, struct log *log) _must_check_;

/* What the kernel's count of lost records means here, for who reads that there are `lost`; appends. */
void hazards_explain_lost(struct text *out, const struct node *node);

#endif
