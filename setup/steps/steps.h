/* The steps of apply that change the node, each done by the host's systemd or as a file below the
 * host's root. Each returns 0 or negative errno and logs what failed. */
#ifndef SETUP_STEPS_H
#define SETUP_STEPS_H

#include "setup/node/context.h"

/* Deletes the temporary files of a run that was killed. */
void step_clean(const struct context *c);

/* Makes OWN_DIRECTORY where it is watched and not there, so that it is watched as a directory: the wanted rules are those
 * that are wanted then. Where it cannot be made it is watched as a path, as before. */
int step_make_directory(struct context *c) _must_check_;

/* Writes the files that differ, then deletes those no longer wanted, after stopping what they are for. */
int step_write_files(struct context *c) _must_check_;

/* Over D-Bus: enables or disables the units as configured and has systemd read them again. */
int step_load_units(struct context *c) _must_check_;

/* After units were enabled or disabled: has the links that systemd made and deleted for that on the disk, before files
 * that they name go, or a message says that all is in place for the next boot. systemd does not sync them. */
int step_sync_links(struct context *c) _must_check_;

/* Deletes what an earlier run loaded, where [rules] existing = keep lets the rest be: before the file goes that tells
 * what that was, earlier, its content. */
int step_delete_earlier(struct context *c, const char *earlier) _must_check_;

/* Runs the unit that loads the rules. */
int step_start(struct context *c) _must_check_;

/* Stops the unit of file i, active or on its way, and leaves it not failed. */
int step_stop_unit(struct context *c, size_t i) _must_check_;

/* Stops TRANSIENT_UNIT where systemd has one, active or on its way: it is forgotten then. */
int step_stop_transient(struct context *c) _must_check_;

/* Reads the kernel's rules and settings back; -EBADE, every difference listed, when they are not
 * exactly those wanted. */
int step_read_back(struct context *c) _must_check_;

/* Runs the unit that locks, and reads back that it did, and what. However that job ended: 0 when the kernel is locked with
 * the rules that are wanted, with a warning where the job failed; -EKEYREJECTED when it is locked with others, and
 * -EINPROGRESS when that cannot be known: then nothing may be taken back; other errors when it is not locked. */
int step_lock(struct context *c) _must_check_;

/* Restarts journald when a drop-in of its own or of its socket changed, or it does not read, and looks whether the
 * journal gets the records. The restart may flip the kernel's enabled flag:
 * c->node.status is read again. */
int step_journald(struct context *c, const struct node *before) _must_check_;

/* Starts HOST_UNIT anew when it, or what the kernel has, is not as wanted, and looks again. */
int step_host(struct context *c, const struct text *before) _must_check_;

/* Says what is in place, but in force only later. */
void step_say_pending(struct context *c);

/* Has the host's auditctl delete all rules, and set failure and rate limit, where an earlier run's rules file (its
 * content, NULL for none) set them, to what the kernel boots with. */
int step_reset_kernel(struct context *c, const char *earlier) _must_check_;

/* Does the kernel of c->node list END_RULE, which ends each set of ours? 1, 0 or -ENOMEM. */
int step_find_end(const struct context *c) _must_check_;

/* Has the host's auditctl delete those rules of the set that the kernel of c->node lists. */
int step_delete_rules(struct context *c, const struct rule_set *set) _must_check_;

/* Has the host's auditctl switch auditing on. */
int step_enable(struct context *c) _must_check_;

/* Has the host's auditctl bring rules and settings back to those of an earlier reading, in their order, as far as each is
 * taken. */
int step_restore_kernel(struct context *c, const struct kernel_status *status,
			const struct kernel_rules *rules) _must_check_;

#endif
