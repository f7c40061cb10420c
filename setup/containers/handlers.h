/* Runtimes that a runtime's own configuration has it call by another way than through PATH. */
#ifndef SETUP_HANDLERS_H
#define SETUP_HANDLERS_H

#include "setup/base/text.h"
#include "setup/host/host.h"

/* Is a unit of this name one whose configuration is known? */
bool handlers_know(const char *unit);

/* Appends "FILE:LINE: what it says, and what to change", with "; " between, of the configuration of containerd (1.x and 2.x)
 * or CRI-O, whichever the unit is of, with what it imports, and whether podman is there. What is not there says nothing.
 * commands: the unit's ExecStart=, ends with NULL, or NULL: containerd's --config is followed. 0 or -ENOMEM. */
int handlers_look(struct text *out, const struct host *host, const char *unit, char *const *commands) _must_check_;

#endif
