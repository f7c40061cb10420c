/* What the program gives up because it has no use for it: its environment, capabilities, new rights. */
#ifndef SETUP_CONFINE_H
#define SETUP_CONFINE_H

#include "setup/base/mem.h"

enum confine {
	CONFINE_START,		/* no more than what the whole run needs */
	CONFINE_SOCKET_OPEN,	/* the kernel's audit socket is open, and has its room */
};

/* For main() to call before all else but terminal_look(). No environment variable has a say in what the program
 * does, a file that it opens never becomes its standard input, output or error, and a write that cannot be done
 * is an error, not a signal: what was begun on a node is brought to its end. (A result that nobody reads any more ends the
 * program by SIGPIPE after that, see main.c.) */
void confine_process(void);

/* From here on SIGINT, SIGTERM and SIGHUP wait, for the first process of a container, too, which else would not get them: half
 * of a change is a node without rules, or without a lock, and each wait of one has an end. */
void confine_signals(void);
/* The name of one that has come since; NULL for none. */
const char *confine_waiting_signal(void);

/* Drops every capability that is of no use from here on, from all sets, for good (no_new_privs). Fewer than
 * those are none the worse. 0 or negative errno, unlogged. */
int confine_capabilities(enum confine stage) _must_check_;

#endif
