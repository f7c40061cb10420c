#include "setup/steps/steps.h"

#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"
#include "setup/steps/steps_runtime.h"
#include "units/audit_units.h"

int step_journald(struct context *c, const struct node *before)
{
	const struct text *want = &c->wanted.files[FILE_JOURNALD];
	/* One that was overrun has to go, too, with what is in it, and with its size. */
	bool room = !wanted_same(&c->wanted, FILE_JOURNALD_SOCKET, &before->files[FILE_JOURNALD_SOCKET]) ||
		(c->node.reader.socket && !c->node.reader.journal);
	int r;

	if (!room && wanted_same(&c->wanted, FILE_JOURNALD, &before->files[FILE_JOURNALD]) &&
	    (!want->s || c->node.reader.journal))
		return 0;
	log_say(c->log, LEVEL_DEBUG, "systemd restarts " JOURNALD_UNIT);
	if (want->s && c->node.status.pid == 0)
		log_say(c->log, LEVEL_INFO, "nobody holds the audit PID, so the kernel writes records to its own log as well, ten in "
			"five seconds, and to the console where its level is above 5: dmesg -n 5 (kernel.printk = 5 in /etc/sysctl.d) "
			"keeps them off it");
	/* The socket is not started while journald runs, but by journald's start; nor does it go by itself, or get
	 * another size while it is there. */
	r = want->s && !room ? 0 : bus_run_job(c->bus, BUS_STOP, JOURNALD_SOCKET);
	if (r == 0)
		r = bus_run_job(c->bus, BUS_RESTART, JOURNALD_UNIT);
	if (r == 0)
		r = node_read_status(&c->node, c->kernel, &c->host, c->log);
	if (r == 0)
		r = node_read_reader(&c->node, c->bus, &c->host);
	if (r < 0 || !want->s || c->node.reader.journal)
		return r;
	log_say(c->log, LEVEL_ERROR, JOURNALD_UNIT " was restarted, but " JOURNALD_SOCKET " is not on; see "
		"systemctl status " JOURNALD_SOCKET " on the node (masked? systemctl unmask it), or set [journal] "
		"reader = check");
	return -EBADE;
}

static bool recorded_as_wanted(const struct context *c)
{
	struct host_recording want;

	recording_wanted(&c->config, &want);
	return recording_apparmor_ok(&c->node.recording, &want) &&
		(recording_ima_ok(&c->node.recording, &want) ||
		 recording_ima_needs_boot(&c->node.recording, &want));
}

int step_host(struct context *c, const struct text *before)
{
	const struct text *want = &c->wanted.files[FILE_HOST_UNIT];
	struct host_recording wanted;
	int r;

	if (!want->s || (wanted_same(&c->wanted, FILE_HOST_UNIT, before) && c->node.units[FILE_HOST_UNIT].active &&
			 recorded_as_wanted(c)))
		return 0;
	log_say(c->log, LEVEL_DEBUG, "systemd starts " HOST_UNIT);
	r = bus_run_job(c->bus, BUS_RESTART, HOST_UNIT);
	if (r < 0)
		return r;
	recording_done(&c->node.recording);
	recording_read(&c->node.recording, &c->host);
	if (recorded_as_wanted(c))
		return 0;
	recording_wanted(&c->config, &wanted);
	log_say(c->log, LEVEL_ERROR, HOST_UNIT " succeeded, but " APPARMOR_AUDIT " says '%s'%s; see journalctl "
		"-u " HOST_UNIT, c->node.recording.apparmor,
		recording_ima_ok(&c->node.recording, &wanted) ? "" : " and the IMA policy is not loaded");
	return -EBADE;
}

void step_say_pending(struct context *c)
{
	struct host_recording want;

	recording_wanted(&c->config, &want);
	if (recording_ima_needs_boot(&c->node.recording, &want))
		log_say(c->log, LEVEL_WARNING, "the IMA policy of [ima] policy = %s waits for the next boot: "
			"another one was loaded since the last, and the kernel takes one a boot",
			config_value(&c->config, "ima", "policy"));
	step_say_runtime(c);
}
