/* Puts a node back as it was before a step failed. */
#ifndef SETUP_UNDO_H
#define SETUP_UNDO_H

#include "setup/node/context.h"

/* Brings files, enablement, units and the kernel's rules and settings back to `before`, as read ahead of the first step; what
 * fails is named, and the rest is done. Says what state the node is in. loaded: the kernel may have rules of this run.
 *
 * Then the kernel comes first: when somebody has locked it, its rules and the files belong together until the next boot,
 * and -EKEYREJECTED is returned with the files as this run wrote them, unsaid. Else 0, done or not. */
int undo(struct context *c, const struct node *before, bool loaded);

#endif
