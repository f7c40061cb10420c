/* What a boot reads instead of a unit file of ours, or after it, and what only its owner can mend. */
#ifndef SETUP_OTHERS_H
#define SETUP_OTHERS_H

#include "setup/host/atboot.h"
#include "setup/systemd/bus_units.h"

/* The file that systemd takes in the place of ours at path, which is that of a unit: one in a directory that
 * comes before /etc/systemd/system, or a mask. The host's files tell, and what systemd has loaded where they
 * cannot be seen. *ret, the caller's, is NULL for none. 0 or -ENOMEM. */
int others_instead(const struct host *host, const struct unit_state *state, const char *unit, const char *path,
		   char **ret) _must_check_;

/* Does no boot load the host's own rules, whoever else of audit's is started? From audit 4.0 on auditd has audit-rules.service do
 * it, which somebody has masked; one before that loads them itself, whatever is masked. */
bool others_load_none(const struct host *host);

/* The lines of a kind in the host's own rules files, which a boot loads before ours: of a host on which something loads
 * them. ret is filled anew. 0 or negative errno, logged. */
int others_lines(struct own_lines *ret, enum own_kind kind, const struct host *host, struct bus *bus, struct log *log)
	_must_check_;

/* A drop-in for every service of the host that came with it: no decision about this unit. */
bool others_is_default(const char *drop_in);

#endif
