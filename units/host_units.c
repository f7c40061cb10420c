#include "units/host_units.h"

#include <errno.h>

#include "units/audit_units.h"
#include "units/service.h"
#include "units/unit_file.h"

/* The value from before is kept once, so that a second start does not take ours for it. The kernel takes
 * no newline behind the value (param_set_audit() in security/apparmor/lsm.c). */
static const char apparmor_set[] =
	"set -e; [ -e " HOST_STATE_APPARMOR " ] || { cat " APPARMOR_AUDIT " >" HOST_STATE_APPARMOR ".new; "
	"mv " HOST_STATE_APPARMOR ".new " HOST_STATE_APPARMOR "; }; "
	"printf %s \"$1\" >" APPARMOR_AUDIT;

/* After a stop, and after a start that failed half-way. */
static const char apparmor_reset[] =
	"set -e; [ -e " HOST_STATE_APPARMOR " ] || exit 0; "
	"printf %s \"$(cat " HOST_STATE_APPARMOR ")\" >" APPARMOR_AUDIT "; rm " HOST_STATE_APPARMOR;

/* The kernel takes one policy a boot and then takes the file away (ima_release_policy() in
 * security/integrity/ima/ima_fs.c), but where it was built with IMA_WRITE_POLICY. */
static const char ima_load[] =
	"set -e; if [ -e " HOST_STATE_IMA " ]; then [ \"$(cat " HOST_STATE_IMA ")\" = \"$1\" ] || "
	"echo \"another IMA policy was loaded since boot; this one waits for the next\" >&2; exit 0; fi; "
	"[ -e " IMA_DIRECTORY " ] || { echo \"the kernel has no IMA\" >&2; exit 1; }; "
	"[ -e " IMA_POLICY " ] || { echo \"somebody else loaded an IMA policy since boot; this one waits "
	"for the next\" >&2; exit 0; }; "
	"printf \"%s\\n\" \"$1\" >" HOST_STATE_IMA ".new; printf \"%s\\n\" \"$1\" >" IMA_POLICY "; "
	"mv " HOST_STATE_IMA ".new " HOST_STATE_IMA;

/* It writes the two files in /sys, and nothing else. param_set_audit() asks for CAP_MAC_ADMIN; the policy
 * file belongs to root. */
static const struct unit_setting host_sandbox[] = {
	{ "RuntimeDirectory", "cloud-audit-setup" },
	{ "RuntimeDirectoryPreserve", "yes" },
	{ "CapabilityBoundingSet", "CAP_MAC_ADMIN" },
	{ "RestrictAddressFamilies", "AF_UNIX" },
};

static void add_script(struct unit *unit, const char *key, const char *script, const char *argument)
{
	const char *const argv[] = { "/bin/sh", "-c", script, "sh", argument, NULL };

	unit_add_command(unit, "Service", key, argv);
}

int print_host_unit(const struct host_recording *want, uint64_t start_timeout, struct text *out)
{
	_cleanup_(unit_done) struct unit unit = {0};

	service_add_ordering(&unit, "Switch the host's own audit records on for cloud-audit-setup",
			     "local-fs.target apparmor.service");
	service_add_kind(&unit, start_timeout);
	/* IMA last: what it loads cannot be taken back. */
	if (want->apparmor)
		add_script(&unit, "ExecStart", apparmor_set, want->apparmor);
	if (want->ima)
		add_script(&unit, "ExecStart", ima_load, want->ima);
	if (want->apparmor)
		add_script(&unit, "ExecStopPost", apparmor_reset, NULL);
	service_add_sandbox(&unit);
	service_add_path_sandbox(&unit);
	unit_add_settings(&unit, "Service", host_sandbox, ARRAY_SIZE(host_sandbox));
	service_add_install(&unit);
	return unit_print(&unit, service_comment, out);
}

int print_journald_drop_in(struct text *out)
{
	_cleanup_(unit_done) struct unit unit = {0};

	/* A socket cannot start while its service runs, so that journald's own start pulls it in. */
	unit_add(&unit, "Unit", "Wants", JOURNALD_SOCKET);
	unit_add(&unit, "Unit", "After", JOURNALD_SOCKET);
	unit_add(&unit, "Service", "Sockets", JOURNALD_SOCKET);
	return unit_print(&unit, service_comment, out);
}

int print_socket_drop_in(struct text *out)
{
	_cleanup_(unit_done) struct unit unit = {0};

	unit_add(&unit, "Socket", "ReceiveBuffer", "256M");
	return unit_print(&unit, service_comment, out);
}

/* $0 is RUNTIME_PROGRAM, the rest the service's own command. A wrapper that is gone, or cannot run, must not
 * keep the runtime from starting. */
static const char runtime_script[] = "\"$0\" --check && exec \"$0\" \"$@\"; exec \"$@\"";
static const char runtime_script_passwords[] =
	"\"$0\" --check && exec \"$0\" --log-passwords \"$@\"; exec \"$@\"";

int print_runtime_drop_in(const struct runtime_drop_in *want, struct text *out)
{
	const char *const argv[] = {
		"/bin/sh", "-c", want->log_passwords ? runtime_script_passwords : runtime_script, want->program, NULL,
	};
	_cleanup_(unit_done) struct unit unit = {0};
	_cleanup_text_ struct text path = {0};

	/* Quotes and what they would need are not among the characters of a plain one; a space may be. */
	text_addf(&path, "\"PATH=%s\"", want->path ? want->path : "");
	if (text_error(&path) < 0)
		return -ENOMEM;
	if (want->path && !unit_path_is_plain(want->path))
		return -EINVAL;
	if (want->path)
		unit_add(&unit, "Service", "Environment", path.s);
	/* An empty value takes the commands away that are set so far (systemd.service(5)). */
	if (want->command) {
		unit_add(&unit, "Service", "ExecStart", "");
		unit_add_wrapped_command(&unit, "Service", "ExecStart", argv, want->command);
	}
	return unit_print(&unit, service_comment, out);
}
