/* The steps that have to do with the host's container runtime. They return as those of steps.h. */
#ifndef SETUP_STEPS_RUNTIME_H
#define SETUP_STEPS_RUNTIME_H

#include "setup/node/context.h"

/* Before file `next` is written: reads what was put onto the host for its container runtime before that back, and has the
 * host run the program once; before it stands in front of a runtime, as that runtime. Where a program is there already, the
 * new one takes its place at once, for the next container: so it is not written before it has run. */
int step_prove_runtime(struct context *c, size_t next) _must_check_;

/* After systemd has read its units again: is PATH of the runtime's unit as FILE_RUNTIME sets it? -EBADE where not. */
int step_read_path_back(struct context *c) _must_check_;

/* Where [container] restart asks for it, and the runtime runs since before FILE_RUNTIME was as it is: restarts it, which our
 * own container outlives, and takes the drop-in back where it does not start with it. FILE_RUNTIME_FAILED is then the mark
 * that this was tried, with these very files in this boot. */
int step_restart_runtime(struct context *c, const struct node *before) _must_check_;

/* Would that be tried again, as the mark says? Each try costs the node its runtime twice. What concerns the runtime is then
 * wanted as it is, so that all else can be done. Returns 1 where it is so, 0 where not, or -ENOMEM, logged. */
int step_leave_runtime(struct context *c) _must_check_;

/* Says at the end of such a run why the runtime was left, and what to do; rest: what became of all else, or "". */
void step_say_left(const struct context *c, const char *rest);

/* Says what of it is in place, but not in effect, since when, and what to do. */
void step_say_runtime(struct context *c);

#endif
