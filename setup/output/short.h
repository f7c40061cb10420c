/* What a result in JSON has in the place of its long lists with --short (format 2): what differs in full, what matches as
 * counts and hashes; below 16 kB, at which container runtimes cut a line. Described by output.schema.json. */
#ifndef SETUP_SHORT_H
#define SETUP_SHORT_H

#include "setup/checks/checks.h"
#include "setup/node/context.h"

/* Appends the members, each with a comma in front: groups, checks, differs, notices, lints. checks NULL: of a command that
 * compares nothing. */
void short_add(struct text *out, const struct context *c, const struct checks *checks);

#endif
