#include "units/audit_units.h"

#include <inttypes.h>
#include <stdio.h>

#include "units/unit.h"

static const char comment[] =
	"# Written by cloud-audit-setup, which replaces it when the configuration changes.\n"
	"# Undo: cloud-audit-setup remove\n";

struct setting {
	const char *key, *value;
};

/* Early, but after all that loads rules of its own, so that ours are the last word; before anybody
 * can log in. Not Before=sysinit.target: audit-rules.service of some distributions comes after that,
 * and systemd breaks such a cycle by dropping one of the units. */
static const struct setting ordering[] = {
	{ "DefaultDependencies", "no" },
	{ "Conflicts", "shutdown.target" },
	{ "Before", "systemd-user-sessions.service multi-user.target shutdown.target" },
};

/* Holds for both units: whatever does not change what a path means. */
static const struct setting sandbox[] = {
	{ "CapabilityBoundingSet", "CAP_AUDIT_CONTROL" },
	{ "NoNewPrivileges", "yes" },
	{ "UMask", "0077" },
	{ "ProtectSystem", "strict" },
	{ "ProtectControlGroups", "yes" },
	{ "ProtectKernelModules", "yes" },
	{ "ProtectKernelTunables", "yes" },
	{ "ProtectClock", "yes" },
	{ "ProtectHostname", "yes" },
	{ "DevicePolicy", "closed" },
	{ "PrivateNetwork", "yes" },
	{ "IPAddressDeny", "any" },
	{ "RestrictAddressFamilies", "AF_NETLINK AF_UNIX" },
	{ "RestrictNamespaces", "yes" },
	{ "RestrictRealtime", "yes" },
	{ "RestrictSUIDSGID", "yes" },
	{ "LockPersonality", "yes" },
	{ "MemoryDenyWriteExecute", "yes" },
	{ "SystemCallArchitectures", "native" },
	{ "SystemCallFilter", "@system-service" },
	{ "SystemCallFilter", "~@privileged @resources" },
	{ "SystemCallErrorNumber", "EPERM" },
};

/* For the lock only. The kernel looks a watch's path up in the mount namespace of the process that
 * adds the rule (kernel/audit_watch.c, kernel/audit_tree.c): behind any of these a rule on /home or
 * /tmp would watch the sandbox's own empty directory and report success. */
static const struct setting path_sandbox[] = {
	{ "ProtectHome", "yes" },
	{ "ProtectProc", "invisible" },
	{ "ProcSubset", "pid" },
	{ "ProtectKernelLogs", "yes" },
	{ "PrivateDevices", "yes" },
	{ "PrivateTmp", "yes" },
};

static void add_settings(struct unit *unit, const char *section, const struct setting *settings,
			 size_t n)
{
	for (size_t i = 0; i < n; i++)
		unit_add(unit, section, settings[i].key, settings[i].value);
}

static void add_service(struct unit *unit, const char *const *argv, uint64_t start_timeout)
{
	char timeout[32];

	snprintf(timeout, sizeof(timeout), "%" PRIu64 "ms", start_timeout / 1000);
	unit_add(unit, "Service", "Type", "oneshot");
	unit_add(unit, "Service", "RemainAfterExit", "yes");
	unit_add_command(unit, "Service", "ExecStart", argv);
	unit_add(unit, "Service", "TimeoutStartSec", timeout);
	/* auditctl prints the kernel's whole status after every setting; its errors go to stderr. */
	unit_add(unit, "Service", "StandardOutput", "null");
	unit_add(unit, "Service", "StandardError", "journal");
	add_settings(unit, "Service", sandbox, ARRAY_SIZE(sandbox));
}

int print_setup_unit(const char *auditctl, const char *rules_file, uint64_t start_timeout,
		     struct text *out)
{
	const char *const argv[] = { auditctl, "-R", rules_file, NULL };
	_cleanup_(unit_done) struct unit unit = {0};

	unit_add(&unit, "Unit", "Description", "Load the Linux audit rules of cloud-audit-setup");
	unit_add(&unit, "Unit", "After", "local-fs.target systemd-tmpfiles-setup.service auditd.service "
		 "audit-rules.service systemd-journald-audit.socket");
	add_settings(&unit, "Unit", ordering, ARRAY_SIZE(ordering));
	add_service(&unit, argv, start_timeout);
	unit_add(&unit, "Install", "WantedBy", "multi-user.target");
	return unit_print(&unit, comment, out);
}

int print_lock_unit(const char *auditctl, uint64_t start_timeout, struct text *out)
{
	const char *const argv[] = { auditctl, "-e", "2", NULL };
	_cleanup_(unit_done) struct unit unit = {0};

	unit_add(&unit, "Unit", "Description", "Lock the Linux audit configuration until the next boot");
	/* Rules that did not load are not locked in. */
	unit_add(&unit, "Unit", "Requires", SETUP_UNIT);
	unit_add(&unit, "Unit", "After", SETUP_UNIT);
	add_settings(&unit, "Unit", ordering, ARRAY_SIZE(ordering));
	add_service(&unit, argv, start_timeout);
	add_settings(&unit, "Service", path_sandbox, ARRAY_SIZE(path_sandbox));
	unit_add(&unit, "Install", "WantedBy", "multi-user.target");
	return unit_print(&unit, comment, out);
}
