#include "setup/commands/commands.h"

#include "setup/checks/boot.h"
#include "setup/checks/checks.h"
#include "setup/output/report.h"

enum exit_status command_verify(struct context *c)
{
	_cleanup_(checks_done) struct checks checks = {0};
	enum exit_status status = STATUS_DONE;
	int r = context_observe(c);

	if (r == 0 && c->options->output == OUTPUT_TEXT)
		r = node_read_loaded(&c->node, c->bus);
	if (r < 0)
		return context_status(r);
	if (checks_build(&checks, &c->wanted, &c->config, &c->node) < 0) {
		log_say(c->log, LEVEL_ERROR, "out of memory; nothing was changed");
		return STATUS_NODE;
	}
	report_forms(c);
	report_reader(c);
	report_lost(c);
	if (node_locked(&c->node) && checks.failed[CHECK_RULE] + checks.failed[CHECK_SETTING] > 0)
		status = STATUS_LOCKED;
	else if (checks_failed(&checks) > 0)
		status = STATUS_DIFFERS;
	log_wait_with_errors(c->log);
	if (status == STATUS_LOCKED && !boot_say_hopeless(c))
		log_say(c->log, LEVEL_ERROR, "the kernel is locked with other rules: reboot or recreate the node");
	if (status != STATUS_LOCKED)
		boot_say_locks(c, LEVEL_WARNING);
	if (status == STATUS_DIFFERS && c->node.units[FILE_SETUP_UNIT].failed)
		boot_say_missing(c, NULL);
	return report_checks(c, &checks, status) < 0 ? STATUS_NODE : status;
}
