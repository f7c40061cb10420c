/* What the configuration wants a node to be: the checked rule set and the content of every file. */
#ifndef SETUP_WANTED_H
#define SETUP_WANTED_H

#include <sys/types.h>

#include "rules/rules.h"
#include "setup/config/config.h"
#include "setup/host/lookups.h"
#include "setup/node/settings.h"

/* In the order in which they are written; they are deleted in the opposite one. */
enum {
	FILE_RULES, FILE_SETUP_UNIT, FILE_LOCK_UNIT,
	FILE_HOST_UNIT,		/* AppArmor, IMA */
	FILE_JOURNALD,		/* drop-in: journald's audit socket */
	FILE_JOURNALD_SOCKET,	/* drop-in: that socket's room */
	FILE_TTY_PROGRAM,
	FILE_RUNTIME,		/* drop-in: the container runtime through TTY_PROGRAM */
	FILE_RUNTIME_OLD,	/* the same of a unit that was configured earlier */
	FILE_PAM_SSHD,		/* the host's own file, with a block of ours */
	N_FILES,
};

/* The files on the host that are ours, or hold something of ours. */
extern const struct wanted_file {
	const char *path;	/* NULL: it depends on the node, see wanted_path() */
	mode_t mode, dir_mode;
	const char *unit;	/* its name when it is one */
	bool optional, binary;	/* optional: not worth a word where it is neither wanted nor there */
	bool drop_in;	/* in a directory that goes with it */
	const char *comments;	/* what a line that has no effect begins with; NULL: every byte counts */
	bool foreign;		/* there without us, too: never deleted, its mode is kept, and left alone
				 * while no content is wanted */
} wanted_files[N_FILES];

struct wanted {
	struct rule_set rules;		/* as sent to the kernel, in load order */
	struct rule_set left_out;	/* by wanted_settle(), see there */
	struct settings settings;
	struct warnings *warnings;	/* about the rules */
	struct text transient;		/* the rules inside TRANSIENT_UNIT; s is NULL for no such unit */
	struct text files[N_FILES];	/* content; s is NULL for a file that must not be there */
	char *paths[N_FILES];		/* where they depend on the node: see wanted_node.h */
	char *overrides;		/* the drop-in that sets ExecStart= of [tty] runtime_unit after FILE_RUNTIME */
	const char *auditctl;		/* as the host sees it */
};
/* Reads filters, shipped groups and the user's directory, checks all of them and prints the files.
 * machine NULL: this one. A host that has no auditctl is told of at that level, LEVEL_DEBUG where it does not matter.
 * Returns 0; -EINVAL after logging every mistake; -ENOENT where a missing auditctl is an error; -ENOMEM. */
int wanted_build(struct wanted *ret, const struct config *config, const struct host *host,
		 const char *machine, enum log_level no_auditctl, struct log *log) _must_check_;

/* Prints the rules anew. 0 or negative errno, logged. */
int wanted_print_rules(struct wanted *wanted, const struct config *config, struct log *log) _must_check_;
/* Who answers for a host that is configured so, with the directories that are made for our files. */
struct rules_host wanted_ask(struct lookups *lookups, const struct host *host, const struct config *config);
void wanted_done(struct wanted *wanted);

/* The text of the rules, in whatever place the mode puts it. */
const struct text *wanted_rules_text(const struct wanted *wanted);

/* Has this content of file i, or this text of the rules, the effect of what is wanted? Comments have none. */
bool wanted_same(const struct wanted *wanted, size_t i, const struct text *have);
bool wanted_same_rules(const struct wanted *wanted, const struct text *have);

/* Where a file is on this host, NULL for one that is nowhere. */
const char *wanted_path(const struct wanted *wanted, size_t i);
/* Where the host keeps auditctl, NULL when nowhere. */
const char *wanted_find_auditctl(const struct host *host);

/* The rules that an earlier run wrote into the content of its rules file; lines that are no rules are
 * passed over. *ret_replaced: the file deletes what was there before. 0 or negative errno, unlogged. */
int wanted_earlier_rules(const struct host *host, const char *content, struct rule_set *ret,
			 bool *ret_replaced) _must_check_;
/* Those that it leaves out, and those that it has for the boot after this one to load. */
int wanted_earlier_left_out(const struct host *host, const char *content, const char *boot, struct rule_set *ret,
			    struct rule_set *ret_staged) _must_check_;

#endif
