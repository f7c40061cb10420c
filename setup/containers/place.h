/* Where on a host the program for its container runtime is, or can be put. */
#ifndef SETUP_PLACE_H
#define SETUP_PLACE_H

#include "setup/host/host.h"

/* RUNTIME_PROGRAM and what goes with it stand in the same of these directories, in whose order they are looked for: the first
 * ones are those of COS, whose / is read-only. Ends with NULL. */
extern const char *const place_directories[];
/* The same for people. */
#define PLACE_NAMES "/home/kubernetes/bin, /var/lib/google, /usr/local/sbin, /opt"

/* Each RUNTIME_DIRECTORY in them; ends with NULL. */
extern const char *const place_made[];

/* The one of place_directories where `name` is a file; NULL for none. */
const char *place_of(const struct host *host, const char *name);

/* Where the program is, else the first where one can be put and run, as far as mounts say; where that is nowhere, the one that it
 * was in or can be run in. NULL for none. */
const char *place_find(const struct host *host);
/* Is it there, or can it be put there? */
bool place_can_have(const struct host *host);
/* Where it cannot. */
#define PLACE_NONE "no directory was found on the host where a program can be put and run (looked at " PLACE_NAMES "); mount one of " \
	"them writable"

/* Is there a runtime on the host that starts containers? */
bool place_has_runtime(const struct host *host);

/* Is a program of that name, not one of ours, in one of the absolute directories of a PATH? */
bool place_in_path(const struct host *host, const char *path, const char *name);

/* DIRECTORY/NAME, the caller's; NULL without memory. */
char *place_path(const char *directory, const char *name);

#endif
