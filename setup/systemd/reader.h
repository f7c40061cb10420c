/* Who takes the kernel's audit records: a process (the audit PID: auditd, or journald itself on COS)
 * and, beside it, journald's own socket on the multicast group (systemd-journald-audit.socket). */
#ifndef SETUP_READER_H
#define SETUP_READER_H

#include "setup/kernel/listeners.h"
#include "setup/systemd/bus.h"

struct audit_reader {
	uint32_t pid;	/* the audit PID, 0 for none */
	char name[16];	/* its name, "" when it cannot be seen from here */
	bool socket;	/* journald's audit socket is on */
	struct listeners listeners;	/* on the multicast group, where the socket is on */
	bool journal;	/* the journal gets the records, one way or the other */
	bool unknown;	/* ... which cannot be told: there is no bus, and the kernel's table has no answer */
};

/* pid is that of the kernel's status. 0 or negative errno, logged. */
int reader_find(struct audit_reader *ret, struct bus *bus, const struct host *host, uint32_t pid) _must_check_;

/* Warns when nobody takes the records, or somebody takes them past the journal, and says how to mend it.
 * by_setting: also by our own, which needs a file on the host. */
void reader_warn(const struct audit_reader *reader, bool by_setting, struct log *log);

/* Why the journal does not get the records, for messages: who takes them ("auditd (PID 12) takes them", "nobody takes
 * them"), or what is the matter with who should. */
void reader_print(const struct audit_reader *reader, char *out, size_t size);

#endif
