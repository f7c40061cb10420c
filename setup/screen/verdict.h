/* What verify found, for people: what this node audits now, in a screenful, the verdict first. */
#ifndef SETUP_VERDICT_H
#define SETUP_VERDICT_H

#include "setup/checks/checks.h"
#include "setup/node/context.h"

/* Prints it to standard output; with --verbose all that differs, however long. 0 or -ENOMEM, unlogged. */
int verdict_print(const struct context *c, const struct checks *checks, enum exit_status status) _must_check_;

#endif
