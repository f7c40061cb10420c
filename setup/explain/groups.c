#include "setup/explain/explain.h"

#include <string.h>

#include "setup/config/config_keys.h"

/* In short what rules/README.md has of each group. */
static const struct {
	const char *group, *records, *costs, *unseen;
} groups[] = {
	{ "audit-config",
	  "rules added and removed, settings changed, refusals under the lock (CONFIG_CHANGE, by the kernel); files of audit, "
	  "systemd and journald written; auditctl, augenrules, auditd and systemctl run",
	  "630 bytes a file written, 710 a tool run; rare",
	  "what systemd is asked over D-Bus by other programs than systemctl; what comes while journald is restarted" },
	{ "apparmor",
	  "what AppArmor denies, or allows with a complaint (AVC, by the kernel); profiles loaded, replaced, removed; files below "
	  "/etc/apparmor.d and /etc/apparmor written",
	  "640 bytes a denial; rare, but for a profile that does not fit its program",
	  "what profiles allow, unless [apparmor] audit asks for it" },
	{ "exec",
	  "every program started, by execve and execveat, 64 bit and 32 bit, failed ones too: who, from where, with which "
	  "arguments",
	  "690 bytes a program; on most nodes the largest group (cloud-audit-setup volume)",
	  "what a shell, Python or the dynamic linker read and run after they were started; the container, without [container] identity" },
	{ "socket",
	  "unusual: sockets of other families than unspec, unix, inet, inet6, netlink, packet, and BPF programs or packet filters "
	  "put onto sockets; all: every socket and setsockopt",
	  "260 bytes a call; unusual is rare, all is high volume",
	  "nftables (over netlink), socketpair, bpf; arguments of socketcall by 32-bit programs" },
	{ "mmap",
	  "anonymous: executable memory without a file; exec: every executable mapping; all: every mapping",
	  "270 bytes a mapping; exec is one a shared library, 3,100 bytes for a program with ten",
	  "mappings that execve itself makes; shared memory (shmat); code written by ptrace; with anonymous: files without a "
	  "name (memfd_create)" },
	{ "network",
	  "connect, bind, accept and accept4 with an IPv4 or IPv6 address, and listen, failed ones too",
	  "320 bytes a connection on each side; a proxy or a probe is most of it",
	  "datagrams sent without connect (sendto, sendmsg); accept that asks for no address; what the kernel connects" },
	{ "logins",
	  "who logs in and out, failed tries too, and changes of accounts (USER_*, by sshd, PAM, su, passwd); files of "
	  "accounts, PAM, sshd and sudo written",
	  "1,580 bytes an SSH login and logout",
	  "kubectl exec, which is no login; programs that check passwords and do not tell" },
	{ "tty",
	  "input put into a terminal that nobody typed (TIOCSTI); keystrokes (TTY) where [tty] or [container] asks for them",
	  "260 bytes a TIOCSTI; rare without keystrokes",
	  "programs that write to the other side of a terminal; keystrokes, unless asked for" },
};

bool explain_group(struct text *out, const struct config *config, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strcmp(groups[i].group, name) != 0)
			continue;
		text_addf(out, "Group %s: [events] %s = %s\n", name, name, config_value(config, "events", name));
		explain_add(out, "From", config_source(config, "events", name));
		explain_add(out, "Records", groups[i].records);
		explain_add(out, "Costs", groups[i].costs);
		explain_add(out, "Not seen", groups[i].unseen);
		explain_add(out, "Takes", config_expected("events", name));
		return true;
	}
	return false;
}
