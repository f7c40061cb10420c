/* The rule engine: text of *.rules files in, struct audit_rule_data out, checked completely
 * without a kernel.
 *
 * Rules are read file by file into a rule_set, each mistake logged as FILE:LINE and the reading
 * going on; rules_finish() then looks at the set as a whole. Nothing here touches the node: what
 * must be known of it (directories, user and group numbers) is asked through rules_host. */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rule.h"
#include "setup/base/log.h"

/* What the engine asks about the host; each returns 1 yes, 0 no, negative errno on failure; path_type
 * also RULES_UNKNOWN, when the host's files cannot be seen. */
enum { RULES_UNKNOWN = 2 };
struct rules_host {
	int (*path_type)(void *context, const char *path, bool *ret_directory);	/* 0: absent */
	int (*user_id)(void *context, const char *name, uint32_t *ret_id);
	int (*group_id)(void *context, const char *name, uint32_t *ret_id);
	void *context;
};

/* What the configuration says about an option that a rules file may also carry. */
struct rules_setting {
	const char *option;	/* "-b", "-e", "-D", "--backlog_wait_time", ... */
	const char *value;	/* as auditctl takes it, "" for an option without value; NULL: not wanted */
	const char *key;	/* "[audit] backlog_limit = 8192", for the message */
	const char *source;	/* "config.ini:4" or "built-in default" */
};

struct rules_env {
	struct log *log;
	const struct rules_host *host;
	const struct rules_setting *settings;
	size_t n_settings;
	const char *machine;	/* "x86_64", "aarch64"; NULL: this machine */
	bool optimise;
	bool shipped;	/* what is read now comes with the program: written to suit any host */
};

/* Reads size bytes of a rules file into the set; file is its name for messages. Returns 0, -EINVAL
 * after logging every mistake, or -ENOMEM. */
int rules_read(struct rule_set *set, const struct rules_env *env, const char *file,
	       const char *content, size_t size) _must_check_;

/* Reads one rule that the program itself makes up for line `line` of `file`. Same returns. */
int rules_read_line(struct rule_set *set, const struct rules_env *env, const char *file,
		    unsigned line, const char *rule) _must_check_;

/* After the last file: deletions take effect, doubles are dropped with a warning, the whole set is
 * linted and, where env asks for it, optimised. Returns 0, -EINVAL after logging, or -ENOMEM. */
int rules_finish(struct rule_set *set, const struct rules_env *env) _must_check_;

/* What depends on the running kernel, by the feature_bitmap of its AUDIT_GET answer. Returns 0, or
 * -EINVAL after logging every rule that this kernel would refuse. */
int rules_check_features(const struct rule_set *set, struct log *log, uint32_t feature_bitmap)
	_must_check_;

/* A warning that rules_read() and rules_finish() may log; its message ends in "[lint: NAME]". */
struct rules_lint {
	const char *name;
	const char *what;	/* one line, for --help and the man page */
};

/* The i-th kind of warning, from 0; NULL after the last. */
const struct rules_lint *rules_lint_at(size_t i);

#endif
