/* The two units that cloud-audit-setup writes onto a host. */
#ifndef UNITS_AUDIT_UNITS_H
#define UNITS_AUDIT_UNITS_H

#include <stdint.h>

#include "setup/base/text.h"

#define SETUP_UNIT "cloud-audit-setup.service"
#define LOCK_UNIT "cloud-audit-lock.service"
#define UNIT_DIRECTORY "/etc/systemd/system"

/* Prints the unit that loads rules_file with the host's auditctl; start_timeout in microseconds.
 * 0, -EINVAL when a path cannot stand in a unit file, -ENOMEM. */
int print_setup_unit(const char *auditctl, const char *rules_file, uint64_t start_timeout,
		     struct text *out) _must_check_;

/* Prints the unit that locks the configuration after the first. Same returns. */
int print_lock_unit(const char *auditctl, uint64_t start_timeout, struct text *out) _must_check_;

#endif
