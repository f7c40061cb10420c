/* What journald's start does to the kernel's flag (Audit= in journald.conf(5)): it sets it whenever it opens its audit socket,
 * also when it is restarted. */
#ifndef SETUP_JOURNALD_CONF_H
#define SETUP_JOURNALD_CONF_H

#include "setup/host/host.h"

enum journald_audit {
	JOURNALD_KEEPS,		/* leaves it as it is */
	JOURNALD_ON,
	JOURNALD_OFF,		/* switches auditing off, where it is not locked */
};

struct journald_conf {
	enum journald_audit audit;
	char file[160];		/* that says so; "" for the default of this systemd */
};

/* version: systemd's, 0 where it is not known. 0 or -ENOMEM, unlogged. */
int journald_conf_read(struct journald_conf *ret, const struct host *host, unsigned version) _must_check_;

#endif
