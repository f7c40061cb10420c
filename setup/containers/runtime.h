/* The host's container runtime as it is: its unit, and what has to do with identity. */
#ifndef SETUP_RUNTIME_H
#define SETUP_RUNTIME_H

#include "setup/config/config.h"
#include "setup/containers/processes.h"
#include "setup/systemd/bus_units.h"

struct runtime {
	struct unit_state unit;		/* [container] runtime_unit */
	uint64_t started;
	bool in_effect;			/* not running, or started after our drop-in was written */
	bool ahead;			/* the drop-in was written later than now, as the clock says: nothing is known by times */
	/* With identity: */
	char **environment;		/* of that unit, as systemd has it; ends with NULL, as the next */
	char **manager;			/* what services begin with */
	struct text uncovered;		/* runtimes that it does not reach, see handlers.h */
	struct container_processes containers;
};

/* Reads all but in_effect anew, where something is asked of it. 0 or negative errno, logged. */
int runtime_read(struct runtime *runtime, const struct config *config, const struct host *host, struct bus *bus,
		 struct log *log) _must_check_;
/* Frees all of it and leaves it empty. */
void runtime_done(struct runtime *runtime);

#endif
