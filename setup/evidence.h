/* What a result in JSON says of the node besides: which, when, by what program and configuration, and what
 * its kernel has. Described by output.schema.json, which has to change with it. */
#ifndef SETUP_EVIDENCE_H
#define SETUP_EVIDENCE_H

#include "setup/context.h"

/* Appends the members that every command has, each with a comma in front. */
void evidence_add(struct text *out, const struct context *c);

/* Those of verify: rules, settings, files, units and the reader one by one. */
void evidence_add_parts(struct text *out, const struct context *c);

#endif
