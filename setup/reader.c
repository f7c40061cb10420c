#include "setup/reader.h"

#include <fcntl.h>
#include <string.h>

#include "units/host_units.h"

/* comm of proc(5): the name's first 15 bytes. Our own /proc is the host's, or the kernel's audit part
 * would not talk to us. */
static void read_name(uint32_t pid, char *out, size_t size)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (n > 0) {
		out[n] = '\0';
		out[strcspn(out, "\n")] = '\0';
	}
}

int reader_find(struct audit_reader *ret, struct bus *bus, uint32_t pid)
{
	struct audit_reader reader = { .pid = pid };
	int r = bus_unit_active(bus, JOURNALD_SOCKET, &reader.socket);

	if (r < 0)
		return r;
	if (pid != 0)
		read_name(pid, reader.name, sizeof(reader.name));
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
