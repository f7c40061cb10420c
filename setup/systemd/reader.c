#include "setup/systemd/reader.h"

#include <string.h>

#include "setup/base/process.h"
#include "setup/systemd/bus_units.h"
#include "units/host_units.h"

int reader_find(struct audit_reader *ret, struct bus *bus, uint32_t pid)
{
	struct audit_reader reader = { .pid = pid };
	int r = bus_unit_active(bus, JOURNALD_SOCKET, &reader.socket);

	if (r < 0)
		return r;
	if (pid != 0)
		process_name(pid, reader.name, sizeof(reader.name));
	/* COS has journald take the records as an audit daemon does. */
	reader.journal = reader.socket || strcmp(reader.name, "systemd-journal") == 0;
	*ret = reader;
	return 0;
}

void reader_warn(const struct audit_reader *reader, bool by_setting, struct log *log)
{
	const char *setting = by_setting ? "set [journal] reader = enable, or " : "";
	char who[64];

	if (reader->journal)
		return;
	reader_print(reader, who, sizeof(who));
	if (reader->pid == 0)
		log_say(log, LEVEL_WARNING, "nobody takes the audit records: no audit daemon runs and "
			"journald's audit socket is off, so they reach only the kernel log, and that loses most "
			"of them; %son the node: systemctl enable " JOURNALD_SOCKET
			", then systemctl restart systemd-journald", setting);
	else
		log_say(log, LEVEL_WARNING, "the journal does not get the audit records, and a log shipper that "
			"reads it sees none: %s takes them; %son the node: systemctl enable " JOURNALD_SOCKET
			", then systemctl restart systemd-journald", who, setting);
}

void reader_print(const struct audit_reader *reader, char *out, size_t size)
{
	if (reader->pid != 0)
		snprintf(out, size, "%s (PID %u)", *reader->name ? reader->name : "an audit daemon", reader->pid);
	else
		snprintf(out, size, "nobody");
}
