/* What a node is now: its files, its units, its kernel. */
#ifndef SETUP_NODE_H
#define SETUP_NODE_H

#include "setup/bus.h"
#include "setup/host.h"
#include "setup/kernel.h"
#include "setup/wanted.h"

struct node {
	struct text files[N_FILES];		/* s is NULL for an absent file */
	struct unit_state units[N_FILES];	/* of those files that are units */
	struct kernel_status status;
	bool loginuid_immutable;
	struct kernel_rules rules;
	bool reader;				/* somebody takes the records */
};

/* Each reads one part anew, logs what fails and returns 0 or negative errno. */
int node_read_files(struct node *node, const struct host *host, struct log *log) _must_check_;
int node_read_units(struct node *node, struct bus *bus) _must_check_;
int node_read_kernel(struct node *node, struct kernel *kernel, const struct host *host,
		     struct log *log) _must_check_;
/* After the kernel's status: the audit PID (auditd; journald on COS), else journald's audit socket. */
int node_read_reader(struct node *node, struct bus *bus) _must_check_;

bool node_locked(const struct node *node);
void node_done(struct node *node);

/* Opens the kernel's audit socket; a failure is logged with what to change. */
int node_open_kernel(struct kernel **ret, const struct host *host, struct log *log) _must_check_;

#endif
