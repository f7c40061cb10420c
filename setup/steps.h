/* The steps of apply that change the node, each done by the host's systemd or as a file below the
 * host's root. Each returns 0 or negative errno and logs what failed. */
#ifndef SETUP_STEPS_H
#define SETUP_STEPS_H

#include "setup/context.h"

/* Writes the rules file and the units that differ, and deletes a unit no longer wanted. */
int step_write_files(struct context *c) _must_check_;

/* Over D-Bus: enables or disables the units as configured and has systemd read them again. */
int step_load_units(struct context *c) _must_check_;

/* Runs the unit that loads the rules; with [rules] existing = keep, what an earlier run loaded is
 * deleted first. earlier is the content of its rules file, NULL for none. */
int step_start(struct context *c, const char *earlier) _must_check_;

/* Reads the kernel's rules and settings back; -EBADE, every difference listed, when they are not
 * exactly those wanted. */
int step_read_back(struct context *c) _must_check_;

/* Runs the unit that locks and reads the lock back. */
int step_lock(struct context *c) _must_check_;

/* Has the host's auditctl delete rules: all when set is NULL, else those of the set that the kernel
 * of c->node lists. */
int step_delete_rules(struct context *c, const struct rule_set *set) _must_check_;

/* Has the host's auditctl bring rules and settings back to those of an earlier reading. */
int step_restore_kernel(struct context *c, const struct kernel_status *status,
			const struct kernel_rules *rules) _must_check_;

#endif
