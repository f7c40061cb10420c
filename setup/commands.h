/* A list of auditctl command lines for one transient unit. */
#ifndef SETUP_COMMANDS_H
#define SETUP_COMMANDS_H

#include "setup/bus.h"
#include "setup/text.h"

struct commands {
	struct bus_command *items;
	size_t n;
	bool failed;	/* out of memory at some time: check before use */
};

void commands_done(struct commands *commands);

/* Adds "PROGRAM words...", the words split and unescaped as auditctl splits a line of a rules file. */
void commands_add(struct commands *commands, const char *program, const char *line);

#endif
