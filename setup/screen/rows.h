/* The rows that plan and verify have in common: of what node, by what configuration, what there is. */
#ifndef SETUP_ROWS_H
#define SETUP_ROWS_H

#include "setup/node/context.h"
#include "setup/screen/layout.h"

/* The configuration's file, and how much of it is --set. */
void rows_configuration(struct screen *screen, const struct context *c);
/* The node's name and kernel, and what more there is to say of it. */
void rows_node(struct screen *screen, const struct context *c, const char *and);
/* Prints the messages that have waited and the screen, both within a screenful; with --verbose all there is. 0 or -ENOMEM. */
int rows_print(struct screen *screen, const struct context *c) _must_check_;

#endif
