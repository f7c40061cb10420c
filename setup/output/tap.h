/* What verify found as TAP version 13 (testanything.org): one test point a check, with what was found in
 * the place of a failed one in a YAML block.
 *
 * A notice that does not hold is "not ok ... # TODO": shown, and no failure, as it is none of the exit
 * status. */
#ifndef SETUP_TAP_H
#define SETUP_TAP_H

#include "setup/checks/checks.h"

/* Prints plan and test points to stdout. */
void tap_print(const struct checks *checks);

/* The run ended before the checks: one failed test point with the last error, NULL for none. */
void tap_print_failure(const char *error);

#endif
