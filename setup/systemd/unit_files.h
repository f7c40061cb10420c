/* What the host's own files say of a unit, where systemd is not asked. Nothing is logged. */
#ifndef SETUP_UNIT_FILES_H
#define SETUP_UNIT_FILES_H

#include "setup/host/host.h"
#include "setup/systemd/bus_units.h"

/* The file and the drop-ins that a boot reads, in its order, and whether a link below /etc has it start the unit. What systemd
 * alone knows is false, and ret->unasked says so. 0 or -ENOMEM; ret is the caller's to end either way. */
int unit_files_state(const struct host *host, const char *unit, struct unit_state *ret) _must_check_;
/* Takes those out that are masks, which systemd lists (unit_file_find_dropin_paths() in src/shared/dropin.c): they are there to take
 * one of their name away. One that takes ours away stays. */
void unit_files_drop_masks(const struct host *host, char **drop_ins);
/* Appends to *values, which ends with NULL or is NULL, what the unit's file and its drop-ins have of a setting that may have several,
 * in their order, as far as they can be seen (unit_file_read()). 0 or -ENOMEM. */
int unit_files_values(char ***values, const struct host *host, const struct unit_state *state, const char *section, const char *key)
	_must_check_;
/* Does a boot start the unit by a link that systemctl enable makes of our file, /etc/systemd/system/UNIT, which systemd takes before
 * all others of that name? Then systemctl is-enabled says "enabled". False: it may do so all the same. 0 or -ENOMEM. */
int unit_files_enabled(const struct host *host, const char *unit, bool *ret) _must_check_;
/* Has a link anywhere in systemd's path, also one of a package's own, a boot start it? 0 or -ENOMEM. */
int unit_files_started(const struct host *host, const char *unit, bool *ret) _must_check_;

#endif
