/* What apply would change, for people: a screenful of counts, and of the rules where they are few. */
#ifndef SETUP_SUMMARY_H
#define SETUP_SUMMARY_H

#include "setup/checks/checks.h"
#include "setup/node/context.h"

/* Prints it to standard output; with the whole of the lists where all is set. 0 or -ENOMEM, unlogged. */
int summary_print(const struct context *c, const struct checks *checks) _must_check_;

#endif
