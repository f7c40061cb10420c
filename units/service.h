/* What the services that cloud-audit-setup writes have in common: oneshot, active until stopped, and
 * with no more rights than they need. */
#ifndef UNITS_SERVICE_H
#define UNITS_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "units/unit.h"

/* What may be loading the host's own rules, with -D: whoever loads ours waits for their jobs. Beside auditd units of their own, of
 * audit from 4.0 on, and SUSE's. */
#define HOST_RULES_UNITS "auditd.service audit-rules.service augenrules.service"
#define HOST_RULES_LOADERS "audit-rules.service", "augenrules.service"

struct unit_setting {
	const char *key, *value;
};

/* Appends n settings to a section, in the order of the array. */
void unit_add_settings(struct unit *unit, const char *section, const struct unit_setting *settings,
		       size_t n);

/* [Unit]: when it runs at boot; after is the value of After=. */
void service_add_ordering(struct unit *unit, const char *description, const char *after);

/* [Service]: its kind; start_timeout is in microseconds. */
void service_add_kind(struct unit *unit, uint64_t start_timeout);

/* [Service]: whatever takes rights away without changing what a path means. */
void service_add_sandbox(struct unit *unit);

/* The same, for services that look no path up for others: what does change what a path means. */
void service_add_path_sandbox(struct unit *unit);

/* [Install]: started at boot with the system. */
void service_add_install(struct unit *unit);

/* The comment in front of every file. */
extern const char service_comment[];

#endif
