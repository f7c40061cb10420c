#include "setup/node/neighbours.h"

#include "setup/systemd/bus_units.h"

const struct neighbour_row neighbour_rows[N_NEIGHBOURS] = {
	[NEIGHBOUR_AUDITD] = { "auditd.service", NULL },
	[NEIGHBOUR_AUDITBEAT] = { "auditbeat.service", "leave audit_rules and audit_rule_files of its auditd module empty" },
	[NEIGHBOUR_WAZUH] = { "wazuh-agent.service", "use no whodata=\"yes\" in its syscheck" },
	[NEIGHBOUR_OSQUERY] = { "osqueryd.service", "start it with --audit_allow_config=false" },
	[NEIGHBOUR_MDATP] = { "mdatp.service", "have it use eBPF (mdatp config ebpf-supplementary-event-provider)" },
};

int neighbours_read(bool ret_active[N_NEIGHBOURS], struct bus *bus)
{
	const char *units[N_NEIGHBOURS];

	for (size_t i = 0; i < N_NEIGHBOURS; i++)
		units[i] = neighbour_rows[i].unit;
	return bus_units_active(bus, units, N_NEIGHBOURS, ret_active);
}
