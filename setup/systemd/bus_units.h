/* What systemd says of the host's units. Failures are logged and bounded in time as in bus.h. */
#ifndef SETUP_BUS_UNITS_H
#define SETUP_BUS_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/systemd/bus.h"

struct unit_state {
	bool unasked;		/* told by files, where there is no bus: not loaded, active, failed, changing, needs_reload */
	bool exists;		/* systemd found a unit file (or the unit runs without one) */
	bool active;
	bool failed;
	bool changing;		/* on its way: activating, deactivating, reloading */
	bool enabled;
	bool needs_reload;	/* the file on disk is not the one loaded */
	char *fragment;		/* the file that it was loaded from, "" for none, or a mask */
	char **drop_ins;	/* the files that were read after it, in that order, ends with NULL */
};

/* Of n units at once, asked in one turn; ret has room for n. */
int bus_unit_states(struct bus *bus, const char *const *units, size_t n, struct unit_state *ret) _must_check_;
int bus_unit_state(struct bus *bus, const char *unit, struct unit_state *ret) _must_check_;
void unit_state_done(struct unit_state *state);
/* Only whether it is active, in one call. */
int bus_unit_active(struct bus *bus, const char *unit, bool *ret) _must_check_;
/* The same of n units in one call (ListUnitsByNames), for which systemd loads those that it has not in memory; it answers with a unit's
 * own name, so that one asked for by an alias is not active. */
int bus_units_active(struct bus *bus, const char *const *units, size_t n, bool *ret) _must_check_;

/* systemd's version, such as 250 and 3; 0 and 0 where it does not say. */
void bus_version(struct bus *bus, unsigned *ret_major, unsigned *ret_minor);

/* When a service's main process was started: microseconds, CLOCK_REALTIME; 0 never. */
int bus_service_started(struct bus *bus, const char *unit, uint64_t *ret) _must_check_;

/* What Environment= of a service, with its drop-ins, comes to in systemd; unit NULL: the manager's own environment, which
 * services begin with. *ret, the caller's, ends with NULL. */
int bus_environment(struct bus *bus, const char *unit, char ***ret) _must_check_;

#endif
