/* Which setting would save how much of what was recorded, and what would be lost with it. */
#ifndef SETUP_SAVINGS_H
#define SETUP_SAVINGS_H

#include <stdbool.h>

#include "setup/config/config.h"
#include "setup/host/host.h"
#include "setup/volume/account.h"

struct saving {
	char *setting;		/* as --set takes it */
	const char *loses;	/* what is not recorded any more, in a few words: at most 26 columns */
	struct sum sum;
	bool most;		/* at most so much */
	bool whole;		/* a whole group: said only where all is asked for */
};

struct savings {
	struct saving *items;	/* the largest first; each by itself, so that they do not add up */
	size_t n;
};

/* After account_finish(). Returns 0 or -ENOMEM; savings_done() after either. */
int savings_find(struct savings *savings, const struct account *account, const struct config *config, const struct host *host)
	_must_check_;
void savings_done(struct savings *savings);

#endif
