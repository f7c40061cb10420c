#include "units/transient.h"

#include <errno.h>
#include <linux/capability.h>

#include "units/service.h"

#define YES "yes", 1
/* What may change a path's meaning is left out, and any directory may be searched: see print_setup_unit(). */
#define CAPABILITIES (UINT64_C(1) << CAP_AUDIT_CONTROL | UINT64_C(1) << CAP_DAC_READ_SEARCH)

/* Types as in systemd's src/core/dbus-execute.c. What SystemCallFilter= and RestrictAddressFamilies= take
 * differs from release to release and is left out. */
enum { N_UNIT_SECTION = 3 };	/* the first ones, in a unit file */

const struct unit_property transient_properties[] = {
	{ "Description", 's', "Load the Linux audit rules of cloud-audit-setup", 0 },
	{ "After", 'a', HOST_RULES_UNITS, 0 },
	/* Gone when stopped or failed, so that the name is free again. */
	{ "CollectMode", 's', "inactive-or-failed", 0 },
	{ "Type", 's', "oneshot", 0 },
	{ "RemainAfterExit", 'b', YES },
	{ "StandardInput", 's', "data", 0 },
	{ "StandardOutput", 's', "null", 0 },
	{ "StandardError", 's', "journal", 0 },
	{ "UMask", 'u', "0077", 077 },
	{ "CapabilityBoundingSet", 't', "CAP_AUDIT_CONTROL CAP_DAC_READ_SEARCH", CAPABILITIES },
	{ "NoNewPrivileges", 'b', YES },
	{ "ProtectSystem", 's', "full", 0 },
	{ "RestrictRealtime", 'b', YES },
	{ "LockPersonality", 'b', YES },
	{ "MemoryDenyWriteExecute", 'b', YES },
};
const size_t n_transient_properties = ARRAY_SIZE(transient_properties);

/* The rules come as a memfd, which is world-writable: auditctl 3.0 refuses it as it is. Over D-Bus systemd looks for
 * ${NAME} and $$ in these words: there is none. */
const char transient_script[] = "chmod 0600 /dev/stdin && exec \"$0\" -R /dev/stdin";

int print_transient_unit(const char *auditctl, uint64_t start_timeout, const struct text *rules,
			 struct text *out)
{
	const char *const argv[] = { "/bin/sh", "-c", transient_script, auditctl, NULL };
	_cleanup_(unit_done) struct unit unit = {0};
	_cleanup_text_ struct text data = {0}, timeout = {0};

	for (size_t i = 0; i < n_transient_properties; i++)
		unit_add(&unit, i < N_UNIT_SECTION ? "Unit" : "Service", transient_properties[i].name,
			 transient_properties[i].value);
	text_addf(&timeout, "%llums", (unsigned long long)start_timeout / 1000);
	text_add_base64(&data, rules->s, rules->len);
	if (text_error(&timeout) < 0 || text_error(&data) < 0)
		return -ENOMEM;
	unit_add(&unit, "Service", "TimeoutStartSec", timeout.s);
	unit_add_command(&unit, "Service", "ExecStart", argv);
	unit_add(&unit, "Service", "StandardInputData", data.s);
	return unit_print(&unit, "# Given to systemd over D-Bus; on no disk.\n", out);
}
