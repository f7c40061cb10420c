/* How a boot loads the host's own rules. */
#ifndef SETUP_LOADER_H
#define SETUP_LOADER_H

#include "setup/host/host.h"
#include "setup/systemd/bus_units.h"

#define LOADER_UNIT_NAME "audit-rules.service"

enum loader {
	LOADER_NONE,
	LOADER_UNIT,		/* LOADER_UNIT_NAME, which audit has from 4.0 on */
	LOADER_AUGENRULES,	/* augenrules --load, by auditd.service */
	LOADER_AUDITCTL,	/* auditctl -R FILE: the command of auditd.service; or augenrules in either unit, which without
				 * /etc/audit/rules.d loads /etc/audit/audit.rules as it is, and fails (augenrules of audit 3.0.9) */
};

/* Told by the units that a boot starts, and by their files; of files that cannot be seen it is taken that they are as audit ships
 * them, with augenrules. *ret_file is the caller's, NULL but for LOADER_AUDITCTL. 0 or negative errno, logged. */
int loader_find(enum loader *ret, char **ret_file, const struct host *host, struct bus *bus, struct log *log) _must_check_;

#endif
