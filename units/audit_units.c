#include "units/audit_units.h"

#include "units/service.h"

/* The lock looks at no path. */
static const struct unit_setting lock_sandbox[] = {
	{ "CapabilityBoundingSet", "CAP_AUDIT_CONTROL" },
	{ "ProtectKernelTunables", "yes" },
	{ "ProtectProc", "invisible" },
	{ "ProcSubset", "pid" },
};

static void add_service(struct unit *unit, const char *const *argv, uint64_t start_timeout)
{
	service_add_kind(unit, start_timeout);
	unit_add_command(unit, "Service", "ExecStart", argv);
	/* auditctl prints the kernel's whole status after every setting; its errors go to stderr. */
	unit_add(unit, "Service", "StandardOutput", "null");
	unit_add(unit, "Service", "StandardError", "journal");
	unit_add(unit, "Service", "RestrictAddressFamilies", "AF_NETLINK AF_UNIX");
	service_add_sandbox(unit);
}

int print_setup_unit(const char *auditctl, const char *rules_file, uint64_t start_timeout,
		     struct text *out)
{
	const char *const argv[] = { auditctl, "-R", rules_file, NULL };
	_cleanup_(unit_done) struct unit unit = {0};

	/* Early, but after all that loads rules of its own, so that ours are the last word. */
	service_add_ordering(&unit, "Load the Linux audit rules of cloud-audit-setup",
			     "local-fs.target systemd-tmpfiles-setup.service " HOST_RULES_UNITS
			     " systemd-journald-audit.socket");
	add_service(&unit, argv, start_timeout);
	/* The kernel looks a rule's path up with the rights and in the mount and network namespaces of the process
	 * that adds the rule (kernel/audit_watch.c, kernel/audit_tree.c, kernel/audit_fsnotify.c). So this one may
	 * search any directory, as every user's home, and has nothing of service_add_path_sandbox(): behind it a rule
	 * on /home or /tmp would watch the sandbox's own empty directory and report success. */
	unit_add(&unit, "Service", "CapabilityBoundingSet", "CAP_AUDIT_CONTROL CAP_DAC_READ_SEARCH");
	service_add_install(&unit);
	return unit_print(&unit, service_comment, out);
}

/* auditctl exits 1 for a rule that the kernel refused as for a file that it did not read; with "-c" in the file END_RULE
 * tells one from the other. auditctl is $0. */
static const char lock_condition[] =
	"\"$0\" -l | (while read -r rule; do [ \"$rule\" != \"" END_RULE "\" ] || exit 0; done; exit 1) || { "
	"echo \"the rules file was not read to its end, so the kernel is not locked; see systemctl status " SETUP_UNIT "\" >&2; "
	"exit 1; }";

int print_lock_unit(const char *auditctl, uint64_t start_timeout, struct text *out)
{
	const char *const argv[] = { auditctl, "-e", "2", NULL };
	const char *const condition[] = { "/bin/sh", "-c", lock_condition, auditctl, NULL };
	_cleanup_(unit_done) struct unit unit = {0};

	service_add_ordering(&unit, "Lock the Linux audit configuration until the next boot", SETUP_UNIT);
	/* Not Requires=: a rule that a boot refuses makes that unit fail, and the others are worth the lock. */
	unit_add(&unit, "Unit", "Wants", SETUP_UNIT);
	add_service(&unit, argv, start_timeout);
	unit_add_command(&unit, "Service", "ExecStartPre", condition);
	unit_add_settings(&unit, "Service", lock_sandbox, ARRAY_SIZE(lock_sandbox));
	service_add_path_sandbox(&unit);
	service_add_install(&unit);
	return unit_print(&unit, service_comment, out);
}
