/* The part of what is wanted that depends on the node: drop-ins made from its own units, a block in
 * its PAM file, a program in a directory where it can run, and where an earlier run left such; settings that
 * nobody set; rules that its kernel would refuse, since the directory of their path is not there. */
#ifndef SETUP_WANTED_NODE_H
#define SETUP_WANTED_NODE_H

#include "setup/node/node.h"

/* Fills paths and contents of all files but those that wanted_build() fills, anew at each call; the node's reader,
 * runtime and recording were read. config NULL: nothing is wanted. 0; -ENOTSUP, logged, when this
 * host cannot do what is asked for; -EBADRQC, logged, where that is a mistake of the configuration; other negative errno, logged. */
int wanted_complete(struct wanted *wanted, const struct config *config, const struct host *host,
		    const struct node *node, struct log *log) _must_check_;

enum settle {
	SETTLE_LOOK,	/* compares only */
	SETTLE_STAGE,	/* writes files, while the kernel is locked */
	SETTLE_LOAD,	/* loads rules */
};

/* After wanted_build(), and where there is a node (else NULL) after it was read. Moves rules from wanted->rules to
 * wanted->left_out and prints the rules anew; without a node it only warns of them.
 *
 * SETTLE_LOAD decides anew what is left out: what the host lacks now, but for a rule that the kernel has. Else an earlier
 * run's rules say it: what they leave out stays so, also when its path has come (rule->absent is NULL then; with
 * SETTLE_STAGE the file has it for the next boot), and what they have was loaded, and is missing when it has gone; but
 * SETTLE_STAGE leaves out what the present boot has refused and the next would refuse again, until rules are loaded or the
 * reason has gone (rule->refused; wanted->n_refused counts those that are new). 0 or negative errno, logged. */
int wanted_settle(struct wanted *wanted, const struct config *config, const struct host *host, const struct node *node,
		  enum settle settle, struct log *log) _must_check_;

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
