/* verify, again and again (--every). */
#ifndef SETUP_EVERY_H
#define SETUP_EVERY_H

#include "setup/node/context.h"

/* Calls once() at the start of each interval until SIGTERM or SIGINT comes, or the first result is that usage or configuration
 * is wrong. Returns the last result. */
enum exit_status every_interval(uint64_t microseconds, enum exit_status (*once)(void *user), void *user);

#endif
