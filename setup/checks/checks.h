/* What must hold on a node, one by one, and whether it does: the difference between the wanted and
 * the actual node, for verify, plan, and the decisions of apply. */
#ifndef SETUP_CHECKS_H
#define SETUP_CHECKS_H

#include "setup/kernel/rulesdiff.h"
#include "setup/node/node.h"
#include "setup/node/wanted.h"

enum check_kind {
	CHECK_FILE,	/* a file of ours */
	CHECK_UNIT,	/* a unit: loaded from our file, enabled, active */
	CHECK_REPLACED,	/* somebody else's file is what a boot takes: apply does nothing before it is gone */
	CHECK_DROP_IN,	/* somebody else's drop-in changes a unit of ours: apply warns */
	CHECK_KEPT,	/* a rule that is kept takes the events of ours: apply warns, or refuses */
	CHECK_RULE,	/* a rule in force, or one that should not be */
	CHECK_SETTING,	/* a setting of the kernel */
	CHECK_LOCK,	/* on, and locked */
	CHECK_HOST,	/* what the host records besides: AppArmor, journald */
	CHECK_PENDING,	/* in place, and in force only after a boot, or a service's next start */
	CHECK_NOTICE,	/* no difference to the configuration, but worth knowing; never counted as failed */
	CHECK_KINDS,
};

struct check {
	enum check_kind kind;
	bool ok;
	char *name;	/* a sentence that is true when ok; NULL of a rule that is in force: check_add_name() */
	char *detail;	/* when not ok: what is there instead; "" for nothing to add */
	const char *skip;	/* why it was not looked at; NULL when it was */
	/* Of a rule that is to be in force; of one that is and should not be. Neither is the check's. */
	const struct rule *rule;
	const struct kernel_rule *listed;
	const struct rule *left_out;	/* of a notice about one; nor is this */
	bool counts;	/* the detail has a number that changes by itself */
	bool elsewhere;	/* of a notice: a row of verify's screen, or a warning beside it, has it */
};

struct checks {
	struct check *items;
	size_t n;
	size_t failed[CHECK_KINDS];
	bool out_of_memory;
};

/* One word, for programs. */
const char *check_kind_name(enum check_kind kind);
/* Appends the check's name; a rule's is made now, which would be most of the time that comparing them takes. */
void check_add_name(const struct check *check, struct text *out);

/* Compares everything. 0 or -ENOMEM. */
int checks_build(struct checks *ret, const struct wanted *wanted, const struct config *config,
		 const struct node *node) _must_check_;
/* The kernel's part alone: CHECK_RULE and CHECK_SETTING. */
int checks_build_kernel(struct checks *ret, const struct wanted *wanted,
			const struct config *config, const struct node *node) _must_check_;
void checks_done(struct checks *checks);

/* How many there are, and how many failed; notices are in neither. */
size_t checks_counted(const struct checks *checks);
size_t checks_failed(const struct checks *checks);
/* Those that a run of apply can mend: somebody else's files are not among them. */
size_t checks_to_change(const struct checks *checks);

#endif
