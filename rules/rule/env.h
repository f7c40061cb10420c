/* What rules are read and judged with: whom to ask about the host, what the configuration says. */
#ifndef RULES_ENV_H
#define RULES_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rule/rule.h"
#include "setup/base/log.h"

/* What the engine asks about the host; each returns 1 yes, 0 no, negative errno on failure; path_type
 * also RULES_UNKNOWN, when the host's files cannot be seen, or RULES_LINK, when the path is a symbolic link;
 * *ret_directory is what that leads to. */
enum { RULES_UNKNOWN = 2, RULES_LINK = 3 };
struct rules_host {
	int (*path_type)(void *context, const char *path, bool *ret_directory);	/* 0: absent */
	int (*user_id)(void *context, const char *name, uint32_t *ret_id);
	int (*group_id)(void *context, const char *name, uint32_t *ret_id);
	/* The host's own name of a user or group that is nearest to a misspelt one, the caller's; NULL: there is none.
	 * NULL: nobody knows. */
	char *(*near_name)(void *context, const char *name, bool group);
	/* Appends why this directory may not be there when a boot loads rules; NULL: nothing is known of that. */
	void (*late)(void *context, const char *directory, struct text *out);
	void *context;
};

struct warnings;	/* rules/parse/warnings.h */

/* What the configuration says about an option that a rules file may also carry. */
struct rules_setting {
	const char *option;	/* "-b", "-e", "-D", "--backlog_wait_time", ... */
	const char *value;	/* as auditctl takes it, "" for an option without value; NULL: not wanted */
	const char *key;	/* "[audit] backlog_limit = 8192", for the message */
	const char *source;	/* "config.ini:4" or "built-in default" */
	bool given;		/* somebody set it; else a file may ask for something else, and is told what becomes of it */
};

/* The largest -b of the rules files, where the configuration has none. */
struct rules_backlog {
	char *file;	/* NULL: there is none; owned */
	unsigned line;
	uint32_t limit;
};

struct rules_env {
	struct log *log;
	struct warnings *warnings;	/* NULL: to the log, each at once */
	const struct rules_host *host;
	const struct rules_setting *settings;
	size_t n_settings;
	struct rules_backlog *backlog;	/* NULL: nobody asks */
	const char *machine;	/* "x86_64", "aarch64"; NULL: this machine */
	bool optimise;
	bool absent_fails;	/* a rule that the kernel would refuse for want of a directory is an error */
	bool identity;	/* containers have login uids of their own: rules/match/classes.h */
	bool forgeable;	/* they have none, and there is a runtime that starts such: see lint_people.c */
	bool shipped;	/* what is read now comes with the program: written to suit any host */
	bool guard;	/* and stands before the user's rules in whatever order */
	bool filter;	/* what is read now is made of [filter] */
};

#endif
