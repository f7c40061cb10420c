/* What every command works with, and the exit status that every command returns. */
#ifndef SETUP_CONTEXT_H
#define SETUP_CONTEXT_H

#include "setup/base/terminal.h"
#include "setup/config/config.h"
#include "setup/config/options.h"
#include "setup/host/atboot.h"
#include "setup/node/node.h"
#include "setup/node/wanted.h"

enum exit_status {
	STATUS_DONE = 0,	/* done, or the node matches */
	STATUS_NODE = 1,	/* failed on the node */
	STATUS_USAGE = 2,
	STATUS_CONFIG = 3,	/* configuration or rules invalid */
	STATUS_DIFFERS = 4,
	STATUS_LOCKED = 5,	/* locked with other rules */
};

struct context {
	const struct options *options;
	struct log *log;
	struct terminal terminal;
	struct config config;
	struct host host;
	struct wanted wanted;
	struct node node;
	struct own_lines locks;	/* what the host locks with at boot, before our rules */
	struct kernel *kernel;
	struct bus *bus;
	char *digest;		/* with --changes: of the result before, 65 bytes of main's; NULL */
	bool same;		/* this result is the same, and was not printed */
	struct text metrics;	/* with --textfile: what goes there */
	int lock;		/* the host's lock, while it is held; -1 */
	bool made_directory;	/* OWN_DIRECTORY, by this run */
	bool wrote_pam;		/* PAM_SSHD, by this run */
	bool made_host_rules;	/* HOST_RULES_DIRECTORY, by this run */
	bool staged;		/* by this run: under the lock, so that what is wanted is not all in force */
	int out_error;		/* negative errno: standard output was not written in the middle of a run; else 0 */
};

/* Opens the kernel and the host's systemd and reads the node. Both are tried before giving up, so
 * that all missing rights are named at once. 0 or negative errno, logged. */
int context_observe(struct context *c) _must_check_;
/* The exit status of a command that ends with such an error. */
enum exit_status context_status(int error);
/* Reads the node anew. 0 or negative errno, logged. */
int context_read(struct context *c) _must_check_;
void context_done(struct context *c);

#endif
