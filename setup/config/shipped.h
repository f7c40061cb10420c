/* What comes with the program and is found from where the program lies: beside it, in the build tree, or
 * where make install puts it. Nothing of the host's root is looked at. */
#ifndef SETUP_SHIPPED_H
#define SETUP_SHIPPED_H

#include <stdbool.h>

/* The directory of the shipped rules: the first that `serves`. The caller's; NULL without memory. */
char *shipped_rules(bool (*serves)(const char *directory));

/* A program that is put onto the host, by name. The caller's; NULL without memory. */
char *shipped_program(const char *name);

#endif
