/* The two units that cloud-audit-setup writes onto a host. */
#ifndef UNITS_AUDIT_UNITS_H
#define UNITS_AUDIT_UNITS_H

#include <stdint.h>

#include "setup/base/text.h"

#define SETUP_UNIT "cloud-audit-setup.service"
#define LOCK_UNIT "cloud-audit-lock.service"
#define UNIT_DIRECTORY "/etc/systemd/system"

/* The last rule of the rules file, as a rules file and auditctl -l have it: in the kernel it tells that the file was read to
 * its end. It matches nothing, as no process that sends a record has that pid, and would keep what it matched; its list is
 * gone through for records that programs send only. Not one with a key: in this list auditctl takes none. */
#define END_RULE "-a always,user -F pid=0"
/* The file that it is from. */
#define END_SOURCE "built-in"

/* Prints the unit that loads rules_file with the host's auditctl; start_timeout in microseconds.
 * 0, -EINVAL when a path cannot stand in a unit file, -ENOMEM. */
int print_setup_unit(const char *auditctl, const char *rules_file, uint64_t start_timeout,
		     struct text *out) _must_check_;

/* Prints the unit that locks the configuration after the first, whatever rules that lost, provided that the kernel has
 * END_RULE. Same returns. */
int print_lock_unit(const char *auditctl, uint64_t start_timeout, struct text *out) _must_check_;

#endif
