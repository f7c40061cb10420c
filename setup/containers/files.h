/* What the configuration wants of a host for its container runtime: content of files, made from the runtime's own unit. */
#ifndef SETUP_RUNTIME_FILES_H
#define SETUP_RUNTIME_FILES_H

#include "setup/config/config.h"
#include "setup/host/host.h"
#include "setup/systemd/bus_units.h"

struct runtime_files {
	const char *place;	/* one of place_directories */
	struct text program, except, drop_in;	/* s is NULL for a file that is not wanted */
	bool runc, crun;	/* the host has that one, so the program is wanted in front of it: who looks for a runtime by
				 * its name must not find one that is not there */
	char *path;		/* what PATH of the unit is to be; NULL: it is left alone */
	char *command_after, *path_after;	/* as in struct service, of what the configuration asks for */
};

/* Is anything of [container] asked for? */
bool runtime_files_wanted(const struct config *config);

/* Where something is. state: of the unit; environment: the manager's own, for the PATH of units that set none; own: the path
 * of our drop-in. 0; -ENOTSUP, logged, when this host cannot do what is asked for; -EBADRQC, logged, where that is a mistake of
 * the configuration; other negative errno, logged. ret is the caller's to end either way. */
int runtime_files_make(struct runtime_files *ret, const struct config *config, const struct host *host,
		       const struct unit_state *state, char *const *environment, const char *own, struct log *log)
	_must_check_;
void runtime_files_done(struct runtime_files *files);

/* The value of PATH in an environment; NULL for none. */
const char *runtime_path_in(char *const *environment);

#endif
