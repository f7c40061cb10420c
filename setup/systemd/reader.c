#include "setup/systemd/reader.h"

#include <inttypes.h>
#include <string.h>

#include "setup/base/process.h"
#include "setup/systemd/bus_units.h"
#include "setup/systemd/unit_files.h"
#include "units/host_units.h"

/* journald's socket is on, and yet no record comes through it. */
static bool is_deaf(const struct audit_reader *reader)
{
	return reader->socket && reader->listeners.seen && (reader->listeners.n == 0 || reader->listeners.stopped);
}

int reader_find(struct audit_reader *ret, struct bus *bus, const struct host *host, uint32_t pid)
{
	struct audit_reader reader = { .pid = pid };
	int r = bus_unit_active(bus, JOURNALD_SOCKET, &reader.socket);

	if (r < 0)
		return r;
	if (pid != 0)
		process_name(pid, reader.name, sizeof(reader.name));
	if (reader.socket || !bus_is_there(bus))
		listeners_look(&reader.listeners, host);
	/* Nobody on the group is an answer, too; somebody else than systemd's first process is none. Number 1 is that of a container's
	 * first process as well, where it is on the host's network and the number is free. */
	if (!bus_is_there(bus)) {
		_cleanup_(unit_state_done) struct unit_state unit = {0};

		r = unit_files_state(host, JOURNALD_SOCKET, &unit);
		if (r < 0)
			return r;
		reader.listeners.first = reader.listeners.first && unit.fragment && *unit.fragment;
		reader.socket = reader.listeners.first;
		reader.unknown = !reader.listeners.seen || (reader.listeners.n > 0 && !reader.listeners.first);
	}
	/* COS has journald take the records as an audit daemon does. */
	reader.journal = (reader.socket && !is_deaf(&reader)) || strcmp(reader.name, "systemd-journal") == 0;
	reader.unknown = reader.unknown && !reader.journal;
	*ret = reader;
	return 0;
}

void reader_warn(const struct audit_reader *reader, bool by_setting, struct log *log)
{
	const char *setting = by_setting ? "set [journal] reader = enable, or " : "";
	char why[160];

	if (reader->journal || reader->unknown)
		return;
	reader_print(reader, why, sizeof(why));
	if (is_deaf(reader))
		log_say(log, LEVEL_WARNING, "audit records no longer reach the journal: %s; on the node: systemctl "
			"restart " JOURNALD_UNIT ", then apply again (where its Audit= is no, its restart switches auditing "
			"off unless it is locked)", why);
	else if (reader->pid == 0)
		log_say(log, LEVEL_WARNING, "nobody takes the audit records: the kernel's log alone gets them, and loses most; "
			"%son the node: systemctl enable " JOURNALD_SOCKET ", then systemctl restart systemd-journald", setting);
	else
		log_say(log, LEVEL_WARNING, "the journal does not get the audit records, and a log shipper that "
			"reads it sees none: %s; %son the node: systemctl enable " JOURNALD_SOCKET
			", then systemctl restart systemd-journald", why, setting);
}

void reader_print(const struct audit_reader *reader, char *out, size_t size)
{
	if (reader->unknown)
		snprintf(out, size, "not known: systemd was not asked, and /proc/1/net/netlink does not tell");
	else if (is_deaf(reader) && reader->listeners.n == 0)
		snprintf(out, size, JOURNALD_SOCKET " is on, but nobody listens to the kernel");
	else if (is_deaf(reader))
		snprintf(out, size, "journald has stopped reading after its audit socket was overrun, and has missed %" PRIu64
			 " records so far", reader->listeners.missed);
	else if (reader->pid != 0)
		snprintf(out, size, "%s (PID %u) takes them", *reader->name ? reader->name : "an audit daemon", reader->pid);
	else
		snprintf(out, size, "nobody takes them");
}
