#include "setup/node/neighbours.h"

#include <string.h>

#include "setup/base/process.h"
#include "setup/systemd/bus_units.h"

const struct neighbour_row neighbour_rows[N_NEIGHBOURS] = {
	[NEIGHBOUR_AUDITD] = { "auditd.service", NULL },
	[NEIGHBOUR_AUDITBEAT] = { "auditbeat.service", "leave audit_rules and audit_rule_files of its auditd module empty" },
	[NEIGHBOUR_WAZUH] = { "wazuh-agent.service", "use no whodata=\"yes\" in its syscheck" },
	[NEIGHBOUR_OSQUERY] = { "osqueryd.service", "start it with --audit_allow_config=false" },
	[NEIGHBOUR_MDATP] = { "mdatp.service", "have it use eBPF (mdatp config ebpf-supplementary-event-provider)" },
};

int neighbours_read(bool ret_active[N_NEIGHBOURS], struct bus *bus, uint32_t pid)
{
	const char *units[N_NEIGHBOURS];
	char name[16] = "";
	int r;

	for (size_t i = 0; i < N_NEIGHBOURS; i++)
		units[i] = neighbour_rows[i].unit;
	r = bus_units_active(bus, units, N_NEIGHBOURS, ret_active);
	if (r < 0 || bus_is_there(bus))
		return r;
	if (pid != 0)
		process_name(pid, name, sizeof(name));
	ret_active[NEIGHBOUR_AUDITD] = strcmp(name, "auditd") == 0;
	return 0;
}
