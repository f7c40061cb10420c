/* What a result in JSON says of the node besides: which, when, by what program and configuration, and what
 * its kernel has. Described by output.schema.json, which has to change with it. */
#ifndef SETUP_EVIDENCE_H
#define SETUP_EVIDENCE_H

#include "setup/node/context.h"

/* Appends the members that every result has, each with a comma in front: the form, the program, the time and the
 * node, as far as its root could be opened. */
void evidence_add_origin(struct text *out, const struct options *options, const struct host *host);
/* Those and the rest of what a command says that has seen the node. */
void evidence_add(struct text *out, const struct context *c);

/* Who takes the records, how long the journal has them, and how far shippers are. */
void evidence_add_reader(struct text *out, const struct context *c);
/* Those of verify: rules, settings, files, units and the reader one by one. */
void evidence_add_parts(struct text *out, const struct context *c);

#endif
