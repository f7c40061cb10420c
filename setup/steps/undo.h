/* Puts a node back as it was before a step failed. */
#ifndef SETUP_UNDO_H
#define SETUP_UNDO_H

#include "setup/node/context.h"

/* Brings files, enablement and, where it is not locked, the kernel's rules and settings back to
 * `before`, as read ahead of the first step. Says what state the node is in. */
void undo(struct context *c, const struct node *before);

#endif
