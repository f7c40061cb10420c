/* What a node is now: its files, its units, its kernel. */
#ifndef SETUP_NODE_H
#define SETUP_NODE_H

#include "setup/containers/runtime.h"
#include "setup/host/atboot.h"
#include "setup/host/host.h"
#include "setup/journal/trail.h"
#include "setup/kernel/kernel.h"
#include "setup/node/neighbours.h"
#include "setup/node/recording.h"
#include "setup/node/wanted.h"
#include "setup/systemd/bus.h"
#include "setup/systemd/bus_units.h"
#include "setup/systemd/reader.h"

struct node {
	struct text files[N_FILES];		/* s is NULL for an absent file */
	struct file_rights { uid_t owner; mode_t mode; } rights[N_FILES];
	struct unit_state units[N_FILES];	/* of those files that are units, and of those that are drop-ins */
	char *instead[N_FILES];			/* what a boot takes in the place of a unit's file, see others.h */
	struct kernel_status status;
	bool loginuid_immutable;
	struct kernel_rules rules;
	struct text transient;			/* the rules inside TRANSIENT_UNIT, s NULL for no unit */
	bool transient_active;
	struct audit_reader reader;
	bool neighbours[N_NEIGHBOURS];		/* those that run */
	struct text auditd_conf;		/* auditd.conf(5), where auditd runs */
	struct trail trail;
	struct systemd_version { unsigned major, minor; } systemd;	/* 0 where it does not say */
	struct own_lines silences;		/* never,task in rules that a boot loads before ours */
	struct recording recording;
	uint64_t loaded;			/* when the unit that loads the rules ran: see node_read_loaded() */
	struct runtime runtime;			/* the container runtime, read by runtime_read() */
};

/* Each reads one part anew, logs what fails and returns 0 or negative errno. */
int node_read_files(struct node *node, const struct wanted *wanted, const struct host *host,
		    struct log *log) _must_check_;
/* After the files: of an optional unit that is neither wanted nor there nothing is asked. */
int node_read_units(struct node *node, const struct wanted *wanted, const struct host *host, struct bus *bus,
		    struct log *log) _must_check_;
int node_read_kernel(struct node *node, struct kernel *kernel, const struct host *host,
		     struct log *log) _must_check_;
/* Of the kernel only whether auditing is on or locked, the settings and the audit PID. */
int node_read_status(struct node *node, struct kernel *kernel, const struct host *host,
		     struct log *log) _must_check_;
int node_read_transient(struct node *node, struct bus *bus) _must_check_;
/* After the kernel's status. */
int node_read_reader(struct node *node, struct bus *bus, const struct host *host) _must_check_;
/* Who else has a hand in the records. whole: also whose events fill auditd's files where they have room for long enough. */
int node_read_neighbours(struct node *node, const struct host *host, struct bus *bus, bool whole, struct log *log) _must_check_;
/* What becomes of the records: the journal, and who ships it. What cannot be read is not there. */
void node_read_trail(struct node *node, const struct host *host);
/* When the unit that loads the rules has run, microseconds of CLOCK_REALTIME; 0 where it is not active. After the units. */
int node_read_loaded(struct node *node, struct bus *bus) _must_check_;

/* Appends the node's name, with another root than / that of its /etc/hostname; nothing where that is unknown. */
void node_name(const struct host *host, struct text *ret);
/* The text of the rules that an earlier run brought, in whatever place; s is NULL for none. */
const struct text *node_own_rules(const struct node *node);
/* What undo() compares with, into an empty node: the files, the units but for their fragments, the transient unit,
 * the IMA policy, the kernel's rules and settings. 0 or -ENOMEM, unlogged; ret is the caller's to end either way. */
int node_copy(struct node *ret, const struct node *node) _must_check_;

/* Is the audit configuration locked (enabled=2)? */
bool node_locked(const struct node *node);
/* Does a file of ours that is there belong to root, with the mode that it was written with? auditctl refuses one that
 * is somebody else's, or that everybody may write, and so would a boot. */
bool node_rights_ok(const struct node *node, size_t i);
/* Frees all of it and leaves it empty; a node that is all zero is fine. */
void node_done(struct node *node);
/* Opens the kernel's audit socket; a failure is logged with what to change. */
int node_open_kernel(struct kernel **ret, const struct host *host, struct log *log) _must_check_;

#endif
