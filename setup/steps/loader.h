/* How a boot loads the host's own rules. */
#ifndef SETUP_LOADER_H
#define SETUP_LOADER_H

#include "setup/host/host.h"
#include "setup/systemd/bus_units.h"

enum loader_kind {
	LOADER_NONE,
	LOADER_UNIT,		/* a unit of its own, which audit has from 4.0 on */
	LOADER_AUGENRULES,	/* augenrules --load, by auditd.service */
	LOADER_AUDITCTL,	/* auditctl -R FILE: the command of auditd.service; or augenrules in either unit, which without
				 * /etc/audit/rules.d loads /etc/audit/audit.rules as it is, and fails (augenrules of audit 3.0 to 4.1) */
};

struct loader {
	enum loader_kind kind;
	const char *unit;	/* LOADER_UNIT's; a restart of one that is not active would restart auditd as well, where it has Requires=
				 * of it, as in audit 4.0 (systemd.unit(5)) */
	bool active;		/* it is */
	char *file;		/* LOADER_AUDITCTL's */
};

/* Told by the units that a boot starts, and by their files; of files that cannot be seen it is taken that they are as audit ships
 * them. 0 or negative errno, logged; ret is the caller's to end either way. */
int loader_find(struct loader *ret, const struct host *host, struct bus *bus, struct log *log) _must_check_;
void loader_done(struct loader *loader);

#endif
