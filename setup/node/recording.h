/* What the host's kernel records besides audit rules: AppArmor's audit parameter and the IMA policy,
 * which HOST_UNIT sets; here they are only looked at. */
#ifndef SETUP_RECORDING_H
#define SETUP_RECORDING_H

#include "setup/config/config.h"
#include "setup/host/host.h"
#include "units/host_units.h"

enum ima_state {
	IMA_UNKNOWN,	/* the host's /sys/kernel/security cannot be seen */
	IMA_ABSENT,	/* no IMA in this kernel */
	IMA_OPEN,	/* a policy can be loaded */
	IMA_LOADED,	/* one was loaded since boot, by HOST_UNIT when its copy is there */
};

struct recording {
	bool sys;		/* the host's /sys can be seen */
	char apparmor[16];	/* the parameter's value, "" for none */
	enum ima_state ima;
	struct text ima_policy;	/* what HOST_UNIT loaded since boot; s is NULL for nothing */
};

/* Reads all of it; nothing here fails: what cannot be seen is unknown. */
void recording_read(struct recording *ret, const struct host *host);
void recording_done(struct recording *recording);

/* What the configuration asks for. 1 when it is anything, else 0. */
int recording_wanted(const struct config *config, struct host_recording *ret);

/* Can this host do what is asked for? 0, or -ENOTSUP after logging why not and what to change. */
int recording_check(const struct recording *recording, const struct config *config,
		    const struct host *host, struct log *log) _must_check_;

/* Is the value in force? What cannot be seen counts as yes: HOST_UNIT's success vouches for it. */
bool recording_apparmor_ok(const struct recording *recording, const struct host_recording *want);
bool recording_ima_ok(const struct recording *recording, const struct host_recording *want);
/* Can only a boot bring the IMA policy that is asked for? */
bool recording_ima_needs_boot(const struct recording *recording, const struct host_recording *want);

#endif
