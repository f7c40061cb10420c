/* Does what is written below a directory of the host outlast a boot? */
#ifndef SETUP_OUTLAST_H
#define SETUP_OUTLAST_H

#include "setup/host/host.h"

enum outlast {
	OUTLAST_UNKNOWN,	/* an overlay whose upper directory cannot be seen from here */
	OUTLAST_YES,
	OUTLAST_NO,		/* it is in memory, as /etc on Container-Optimized OS */
};

/* By the file system of the directory, and of the upper one where that is an overlay. Nothing is logged. */
enum outlast host_outlasts(const struct host *host, const char *directory);

#endif
