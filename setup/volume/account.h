/* What audit records add up to: by group, by record type, by program. */
#ifndef SETUP_ACCOUNT_H
#define SETUP_ACCOUNT_H

#include <stdint.h>

#include "rules/match/map.h"
#include "setup/journal/records.h"

struct sum {
	uint64_t events, records, bytes;
};

/* Names that came from a journal: whatever is no printable character of ASCII stands as \xNN in them. */
struct tally {
	char *name;
	struct sum sum;
	struct sum contained;	/* of these, those of containers, as their login uids tell */
};

struct tallies {
	struct tally *items;	/* the largest first, once account_finish() was called */
	size_t n;
	struct map index;
};

/* Whose an event is, by its login uid. */
enum auid_class {
	AUID_PEOPLE,	/* of 1000 and above; or unknown */
	AUID_LOW,	/* below, and of none */
	AUID_WORKLOADS, AUID_SESSIONS, AUID_TERMINALS,	/* of containers: see rules/match/classes.h */
	AUID_CLASSES,
};

struct open_event;

struct account {
	struct sum all;
	struct sum of_class[AUID_CLASSES];	/* of events of a rule */
	struct sum filtered[AUID_CLASSES];	/* of these, what no other rule has: [filter] workloads, sessions */
	/* An event is its group's with all its records. One with several keys is in each of their groups, so that
	 * groups may add up to more than all. Without a key it is that of the group which its type is switched with. */
	struct tallies groups, types, programs;
	struct open_event *open;
};

#define NO_KEY "(no key)"
#define NO_PROGRAM "(no program)"
#define OTHERS "(others)"	/* past a few thousand names */

/* Returns 0 or -ENOMEM; account_done() after either. */
int account_init(struct account *account) _must_check_;
/* Adds a record; context is the account. Returns 0 or -ENOMEM. */
int account_take(void *context, const struct journal_record *record) _must_check_;
/* After the last record: what is open is closed, and all is sorted. 0 or -ENOMEM. */
int account_finish(struct account *account) _must_check_;
void account_done(struct account *account);

/* The sum under a name; NULL: there is none. */
const struct sum *tallies_find(const struct tallies *tallies, const char *name);

#endif
