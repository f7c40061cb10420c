/* What a result in JSON has in the place of its long lists with --short (format 2): what differs in full, what matches as
 * counts and hashes; below 16 kB, at which container runtimes cut a line. Described by output.schema.json. */
#ifndef SETUP_SHORT_H
#define SETUP_SHORT_H

#include "setup/checks/checks.h"
#include "setup/node/context.h"

/* Appends the members, each with a comma in front: groups, checks, differs, notices, lints, omitted. checks NULL: of a command that
 * compares nothing. */
void short_add(struct text *out, const struct context *c, const struct checks *checks);


/* The items of an array, as many as its room has place for; the others are counted. */
struct bounded {
	struct text *out;
	size_t room;	/* bytes that are left */
	size_t omitted;
	bool any;
};

/* Appends it, with a comma where it is not the first, and empties it. */
void bounded_add(struct bounded *bounded, struct text *item);

/* Appends the values of --set as items of an array: all of them, but with --short as many as have room. Returns how many have
 * none. */
size_t short_add_set(struct text *out, const struct options *options);

#endif
