#include "setup/config/config_keys.h"

#include <string.h>

#include "setup/base/mem.h"

/* A sentence a key, for those who have no manual at hand: cloud-audit-setup.ini(5) says it in full. */
static const struct {
	const char *section, *key, *meaning;
} meanings[] = {
	{ "audit", "lock", "lock the audit configuration until the next boot, after the kernel's rules were read back" },
	{ "audit", "on_locked", "on a node locked with other rules: stage writes for the next boot and exits 0, fail exits 5" },
	{ "audit", "backlog_limit", "how many records may wait in the kernel; not set: never less than it has" },
	{ "audit", "backlog_wait_time", "how long a process waits for room in the backlog, as auditctl takes it" },
	{ "audit", "rate_limit", "records a second above which the kernel drops them; 0: no limit" },
	{ "audit", "failure", "what the kernel does when it cannot record: nothing, print a message, or panic the node" },
	{ "audit", "loginuid_immutable", "whether nobody can change a login uid once it is set" },
	{ "events", "audit-config", "changes to the audit system itself: its rules, settings, units, tools" },
	{ "events", "apparmor", "AppArmor's permission checks; profiles loaded, replaced, removed" },
	{ "events", "exec", "programs started" },
	{ "events", "socket", "sockets of unusual families, programs attached to sockets; all: every socket" },
	{ "events", "mmap", "executable memory: without a file, every executable mapping, or every mapping" },
	{ "events", "network", "connections over IPv4 and IPv6, incoming and outgoing, and who listens" },
	{ "events", "logins", "logins, sessions, changes of accounts and of their files" },
	{ "events", "tty", "input that nobody typed, and keystrokes where they are switched on" },
	{ "filter", "exclude_types", "record types that are never wanted, such as CWD,PROCTITLE" },
	{ "filter", "exclude_exe", "programs, by path, of which nothing is ever recorded" },
	{ "filter", "exclude_uid", "users, by name or number, of whom nothing is ever recorded" },
	{ "filter", "min_auid", "only events of login uids from here on; daemons and containers have none" },
	{ "filter", "workloads", "no: exec, socket, mmap, network leave out what containers do by themselves" },
	{ "filter", "sessions", "terminal: these leave out exec sessions of containers without a terminal" },
	{ "rules", "directory", "where your own *.rules files are" },
	{ "rules", "absent", "a rule whose path's directory is not there: leave it out with a word, or fail" },
	{ "rules", "order", "whether the shipped groups or your rules see an event first, and give it their key" },
	{ "rules", "scanner_copy", "the rules in /etc/audit/rules.d as well, as text for scanners; then replaced by ours" },
	{ "rules", "existing", "what becomes of rules that the kernel has from others: replaced, or kept before ours" },
	{ "rules", "optimise", "fewer and narrower rules where provably the same events are recorded" },
	{ "unit", "mode", "file: units and rules below /etc; transient: over D-Bus alone, until the next boot" },
	{ "unit", "enable", "whether the units are enabled, and load the rules at boot" },
	{ "unit", "start_timeout", "the longest wait for each D-Bus call, job of systemd, and other run" },
	{ "dbus", "address", "where systemd is asked: its bus below the root, else its private socket; or this address; none: nowhere "
	  "(verify)" },
	{ "journal", "reader", "whether somebody reads the records: check and warn, see to it that journald does, or ignore" },
	{ "apparmor", "audit", "AppArmor's own switch for what it records; keep leaves it" },
	{ "ima", "policy", "a record with its hash for every file executed, and mapped executable, once a boot" },
	{ "tty", "sshd", "keystrokes of SSH sessions, by pam_tty_audit" },
	{ "tty", "runtime_unit", "version 0.1's name of container.runtime_unit, with container.keystrokes=yes" },
	{ "tty", "log_passwords", "keystrokes that are not echoed, too" },
	{ "container", "runtime_unit", "the unit that starts containers, such as containerd.service" },
	{ "container", "restart", "yes: restart it once when what is written for it is new" },
	{ "container", "keystrokes", "yes: what is typed into exec sessions with a terminal" },
	{ "container", "identity", "yes: a login uid and a session of its own for every container and exec session" },
	{ "container", "identity_except", "namespaces, or NAMESPACE/CONTAINER, that keep none" },
};

const char *config_meaning(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (strcmp(meanings[i].section, section) == 0 && strcmp(meanings[i].key, key) == 0)
			return meanings[i].meaning;
	return "";
}
