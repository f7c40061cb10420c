/* What the rule engine asks about a host, answered from the files below its root. */
#ifndef SETUP_LOOKUPS_H
#define SETUP_LOOKUPS_H

#include "rules/rules.h"
#include "setup/host/host.h"

/* Paths of the answers that are kept: reading a rule and judging the set ask for the same. Those of a longer set
 * are looked up again. */
enum { LOOKUPS_KEPT = 64 };

/* What a path is taken for, whatever it is. */
struct path_form {
	char *path;
	bool directory;
};

struct lookups {
	const struct host *host;
	bool unseen;			/* nothing is known of its files but the accounts */
	bool seen;			/* they are to be seen: looked up once */
	bool fstab_read;
	struct text fstab;
	const char *const *made[2];	/* directories that are there when rules are loaded; NULL: none, also their last */
	const struct path_form *assumed;	/* borrowed */
	size_t n_assumed;
	size_t n;
	struct lookup {
		char *path;
		int found;
		bool directory;
	} kept[LOOKUPS_KEPT];
};

/* Who answers for the host; lookups, which begin empty, and the host must outlive it. */
struct rules_host lookups_for(struct lookups *lookups, const struct host *host);
void lookups_done(struct lookups *lookups);

/* Are the host's files to be seen? Over D-Bus alone one can be configured none of whose files are. */
bool lookups_see_host(const struct host *host);

#endif
