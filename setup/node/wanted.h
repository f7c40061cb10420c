/* What the configuration wants a node to be: the checked rule set and the content of every file. */
#ifndef SETUP_WANTED_H
#define SETUP_WANTED_H

#include "rules/rules.h"
#include "setup/config/config.h"
#include "setup/host/host.h"
#include "setup/host/lookups.h"
#include "setup/node/settings.h"
#include "setup/node/wanted_files.h"

struct wanted {
	struct rule_set rules;		/* as sent to the kernel, in load order */
	char source_sha256[65];		/* over the rules as written, in load order, a line feed behind each */
	struct rule_set left_out;	/* by wanted_settle(), see there */
	size_t n_refused;		/* of these, those that the present boot has refused */
	struct settings settings;
	struct warnings *warnings;	/* about the rules */
	struct text pam;		/* what PAM_SSHD had when ours was made of it */
	struct text transient;		/* the rules inside TRANSIENT_UNIT; s is NULL for no such unit */
	struct text files[N_FILES];	/* content; s is NULL for a file that must not be there */
	char *paths[N_FILES];		/* where they depend on the node: see wanted_node.h */
	char *overrides;		/* the drop-in that sets ExecStart= of [container] runtime_unit after FILE_RUNTIME */
	char *path_overrides;		/* "FILE:LINE" of what sets its PATH after it */
	char *runtime_path;		/* its PATH as FILE_RUNTIME sets it; NULL: it does not */
	struct path_form *forms;	/* what watches were loaded as, where it is another thing now */
	size_t n_forms;
	struct text loaded;		/* the text of the rules with these forms; s is NULL for none */
	struct text loaded_copy;	/* and that of FILE_SCANNER */
	const char *auditctl;		/* as the host sees it */
};

/* Reads filters, shipped groups and the user's directory, checks all of them and prints the files. machine
 * NULL: this one. A host that has no auditctl is told of at that level, LEVEL_DEBUG where it does not matter.
 * Returns 0; -EINVAL after logging every mistake; -ENOENT where a missing auditctl is an error; -ENOMEM. */
int wanted_build(struct wanted *ret, const struct config *config, const struct host *host,
		 const char *machine, enum log_level no_auditctl, struct log *log) _must_check_;

/* Prints the rules anew, their file as the next boot is to have it. 0 or negative errno, logged. */
int wanted_print_rules(struct wanted *wanted, const struct config *config, const struct host *host, struct log *log)
	_must_check_;
/* Who answers for a host that is configured so, with the directories that are made for our files. */
struct rules_host wanted_ask(struct lookups *lookups, const struct host *host, const struct config *config);
void wanted_done(struct wanted *wanted);

/* Reads the rules again, of which nothing but the host's paths and the known forms has changed, and prints them
 * into text, one of wanted's own. 0 or negative errno, unlogged. */
int wanted_read_again(struct wanted *wanted, const struct config *config, const struct host *host, struct text *text)
	_must_check_;

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
/* Those that it leaves out, for want of a directory or since a boot has refused them, and those that it has for the boot
 * after this one to load. */
int wanted_earlier_left_out(const struct host *host, const char *content, const char *boot, struct rule_set *ret,
			    struct rule_set *ret_refused, struct rule_set *ret_staged) _must_check_;

#endif
