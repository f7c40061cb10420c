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

#endif
