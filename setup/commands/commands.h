/* The commands of the program, one file each: each logs its own failures and prints its result to stdout. */
#ifndef SETUP_COMMANDS_H
#define SETUP_COMMANDS_H

#include "setup/node/context.h"

/* Each runs its command to the end; c is as main() made it, with the configuration and, but for remove, volume and explain,
 * what is wanted of the node. */
enum exit_status command_apply(struct context *c);
enum exit_status command_plan(struct context *c);
enum exit_status command_render(struct context *c);
enum exit_status command_verify(struct context *c);
enum exit_status command_volume(struct context *c);
enum exit_status command_explain(struct context *c);
enum exit_status command_remove(struct context *c);

/* What apply and plan begin with, so that the one foretells the other: the node is read; what keeps the rules out of this kernel,
 * what its boot has refused of them and what bites on it is said. Nothing is changed. STATUS_DONE, or what the command ends
 * with. *ret_left: the runtime is not restarted, see step_leave_runtime(). */
enum exit_status begin_change(struct context *c, bool *ret_left) _must_check_;

#endif
