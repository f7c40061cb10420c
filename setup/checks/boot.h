/* What boots make of the rules file: what the present one has not loaded, what keeps the next one from loading it. */
#ifndef SETUP_BOOT_H
#define SETUP_BOOT_H

#include "setup/node/context.h"

/* Names each rule that the kernel does not have, or that `said`, what auditctl said of a load (NULL for nothing), names by
 * its line, with its place and the reason. */
void boot_say_missing(const struct context *c, const char *said);

/* Names the lines of context.locks, and what to do. */
void boot_say_locks(const struct context *c, enum log_level level);

/* Is the node locked, but neither by our unit nor with our rules? Then it may be so after each boot. */
bool boot_locked_by_others(const struct context *c);

/* With [rules] absent = fail: -EINVAL after naming each rule that the boot has refused and the next would refuse; else 0. */
int boot_check_refused(const struct context *c) _must_check_;

/* Of a node that is locked with other rules: what helps where booting again does not, in one line; NULL where it may. */
const char *boot_mend(const struct context *c);

/* Of a node that is locked with other rules, or that the boot has refused rules of: says why booting again does
 * not help. False, unsaid, where it may. */
bool boot_say_hopeless(const struct context *c);

#endif
