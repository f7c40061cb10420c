/* verify, again and again (--every). */
#ifndef SETUP_EVERY_H
#define SETUP_EVERY_H

#include "setup/node/context.h"

/* Calls once() at the start of each interval, and an interval after the end of a call that took longer, until SIGTERM or SIGINT
 * comes, the first result is that usage or configuration is wrong, or in_vain() says that nobody gets the results. Returns the
 * last result. */
enum exit_status every_interval(uint64_t microseconds, enum exit_status (*once)(void *user), bool (*in_vain)(void *user), void *user);

#endif
