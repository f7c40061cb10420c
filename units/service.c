#include "units/service.h"

#include <inttypes.h>
#include <stdio.h>

const char service_comment[] =
	"# Written by cloud-audit-setup, which replaces it when the configuration changes.\n"
	"# Undo: cloud-audit-setup remove\n";

/* Before anybody can log in, and before any container starts. Not Before=sysinit.target: audit-rules.service of some
 * distributions comes after that, and systemd breaks such a cycle by dropping one of the units. */
static const struct unit_setting ordering[] = {
	{ "DefaultDependencies", "no" },
	{ "Conflicts", "shutdown.target" },
	{ "Before", "containerd.service docker.service crio.service kubelet.service" },
	{ "Before", "systemd-user-sessions.service multi-user.target shutdown.target" },
};

static const struct unit_setting sandbox[] = {
	{ "NoNewPrivileges", "yes" },
	{ "UMask", "0077" },
	{ "ProtectSystem", "strict" },
	{ "ProtectClock", "yes" },
	{ "ProtectHostname", "yes" },
	{ "DevicePolicy", "closed" },
	{ "IPAddressDeny", "any" },
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

/* What puts other files in the place of the host's: /usr/lib/modules becomes an empty directory, /proc/sys/net
 * another network's, with systemd from 254 on /sys another instance; and a rule on a directory of /proc/sys
 * goes with the sandbox that it was looked up in (tried on systemd 252 and 257). */
static const struct unit_setting path_sandbox[] = {
	{ "ProtectControlGroups", "yes" },
	{ "ProtectKernelModules", "yes" },
	{ "PrivateNetwork", "yes" },
	{ "ProtectHome", "yes" },
	{ "ProtectKernelLogs", "yes" },
	{ "PrivateDevices", "yes" },
	{ "PrivateTmp", "yes" },
};

void unit_add_settings(struct unit *unit, const char *section, const struct unit_setting *settings,
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		unit_add(unit, section, settings[i].key, settings[i].value);
}

void service_add_ordering(struct unit *unit, const char *description, const char *after)
{
	unit_add(unit, "Unit", "Description", description);
	unit_add(unit, "Unit", "After", after);
	unit_add_settings(unit, "Unit", ordering, ARRAY_SIZE(ordering));
}

void service_add_kind(struct unit *unit, uint64_t start_timeout)
{
	char timeout[32];

	snprintf(timeout, sizeof(timeout), "%" PRIu64 "ms", start_timeout / 1000);
	unit_add(unit, "Service", "Type", "oneshot");
	unit_add(unit, "Service", "RemainAfterExit", "yes");
	unit_add(unit, "Service", "TimeoutStartSec", timeout);
	unit_add(unit, "Service", "TimeoutStopSec", "10s");
}

void service_add_sandbox(struct unit *unit)
{
	unit_add_settings(unit, "Service", sandbox, ARRAY_SIZE(sandbox));
}

void service_add_path_sandbox(struct unit *unit)
{
	unit_add_settings(unit, "Service", path_sandbox, ARRAY_SIZE(path_sandbox));
}

void service_add_install(struct unit *unit)
{
	unit_add(unit, "Install", "WantedBy", "multi-user.target");
}
