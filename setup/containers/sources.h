/* The files that a runtime's configuration is made of: the one that it begins with, and what that imports. */
#ifndef SETUP_SOURCES_H
#define SETUP_SOURCES_H

#include "setup/host/host.h"

/* That many are looked at, however many are imported. */
#define SOURCES_MAX 64

struct sources {
	const struct host *host;
	char **paths;		/* in the order in which they were named, each once */
	size_t n;
	unsigned listed;	/* directories that were, for patterns: as many at most */
	bool more;		/* there are more than that */
};

/* Adds a file: of a name with *, ?, [] in it, as containerd has them, those that there are. What is not absolute lies
 * beside `from`, the file that names it. 0 or -ENOMEM. */
int sources_add(struct sources *sources, const char *from, const char *path) _must_check_;
/* Adds what a file of containerd's, with this content, imports. 0 or -ENOMEM. */
int sources_add_imports(struct sources *sources, const char *from, const char *content) _must_check_;
void sources_done(struct sources *sources);

/* The file that --config of a command of containerd names, -c for short: 1 and the caller's *ret; 0 for none; -ENOMEM.
 * commands: its ExecStart=, ends with NULL, or NULL. */
int sources_of_command(char *const *commands, char **ret) _must_check_;

#endif
