/* How many rules each group is to have and has: the event groups of the configuration, its filters, the user's files. */
#ifndef SETUP_GROUPS_H
#define SETUP_GROUPS_H

#include "setup/kernel/rulesdiff.h"
#include "setup/node/node.h"
#include "setup/node/wanted.h"

struct group {
	char *name;	/* of the event group, of the user's file, or "filter" */
	bool off;	/* an event group that is "no": its rules drop what comes without a rule */
	size_t wanted, in_force;
};

struct groups {
	struct group *items;	/* in the order in which their rules are loaded */
	size_t n;
	size_t wanted, in_force;	/* of all of them */
	size_t others;	/* rules in force that nobody here wants */
};

/* The name of the group that a rule of the wanted set belongs to, the caller's; NULL without memory. */
char *group_name(const struct rule *rule);

/* 0 or -ENOMEM; ret is the caller's to end either way. */
int groups_count(struct groups *ret, const struct wanted *wanted, const struct config *config, const struct node *node)
	_must_check_;
void groups_done(struct groups *groups);

/* Appends "NAME N, NAME N of M, NAME off, ...", N being in force of M wanted; space: what stands for the spaces within. */
void groups_add(struct text *out, const struct groups *groups, const char *space);

#endif
