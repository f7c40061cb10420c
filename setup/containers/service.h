/* What a service's own files say of its command and its PATH: without our drop-in, which is made of that. */
#ifndef SETUP_SERVICE_H
#define SETUP_SERVICE_H

#include "setup/base/log.h"
#include "setup/host/host.h"
#include "setup/systemd/bus_units.h"

struct service {
	char **commands;	/* its ExecStart=, ends with NULL; NULL for none */
	char *command_after;	/* a drop-in that is read after ours and sets ExecStart= */
	char *path;		/* PATH by Environment=; NULL: systemd's own */
	const char *path_unseen;	/* a setting that makes its PATH out of more than is read here, where Environment= sets none */
	char *path_after;	/* "FILE:LINE" of what sets PATH, or takes ours away, after our drop-in; NULL for nothing */
};

/* Reads the unit's file, the drop-ins of others and the files that EnvironmentFile= names. own: the path of our drop-in. 0 or
 * negative errno, logged; ret is the caller's to end either way. */
int service_read(struct service *ret, const struct host *host, const struct unit_state *state, const char *own,
		 struct log *log) _must_check_;
void service_done(struct service *service);

#endif
