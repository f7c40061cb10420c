/* The part of what is wanted that depends on the node: drop-ins made from its own units, a block in
 * its PAM file, a program in a directory where it can run; and where an earlier run left such. */
#ifndef SETUP_WANTED_NODE_H
#define SETUP_WANTED_NODE_H

#include "setup/node/node.h"

/* Fills paths and contents of FILE_JOURNALD and what follows it, anew at each call; the node's reader,
 * runtime and recording were read. config NULL: nothing is wanted. 0; -ENOTSUP, logged, when this
 * host cannot do what is asked for; other negative errno, logged. */
int wanted_complete(struct wanted *wanted, const struct config *config, const struct host *host,
		    const struct node *node, struct log *log) _must_check_;

/* Under the lock a watch keeps the form that it was loaded in, which is no difference: takes the forms of a
 * listing over where only they differ. The rules are then those that the kernel can have, the files those for
 * the next boot. 0 or -ENOMEM, unlogged. */
int wanted_keep_forms(struct wanted *wanted, const struct config *config, const struct host *host,
		      const struct kernel_rules *listed) _must_check_;

/* What to say of a form that was kept. */
const char *wanted_form_note(const struct path_form *form);

/* Is OWN_DIRECTORY watched, and not there? */
bool wanted_lacks_directory(const struct wanted *wanted);

/* Every drop-in and program of ours that is there makes the node one with something of ours on it; so
 * does a block in a PAM file. The node's files were read after wanted_complete(). */
bool wanted_any_ours(const struct wanted *wanted, const struct node *node);

#endif
