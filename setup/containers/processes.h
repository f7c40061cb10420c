/* The processes of the host's containers, and which of them have no login uid. */
#ifndef SETUP_PROCESSES_H
#define SETUP_PROCESSES_H

#include "setup/base/text.h"
#include "setup/host/host.h"

struct container_processes {
	size_t all, unset;
	size_t n_shims;		/* of runtimes that have a container with such a process */
	struct text shims;	/* the ids that some of them were started with, with commas between */
};

/* Looks at /proc below the host's root: container processes are those below a shim of containerd's, or conmon. A process that
 * ends meanwhile is passed over. Those without a login uid are looked at twice, a tenth of a second apart. ret begins empty.
 * 0 or -ENOMEM. */
int processes_look(struct container_processes *ret, const struct host *host) _must_check_;
void processes_done(struct container_processes *processes);

#endif
