#include "setup/commands/commands.h"

#include <errno.h>

#include "setup/checks/boot.h"
#include "setup/output/report.h"
#include "setup/steps/steps_runtime.h"

enum exit_status begin_change(struct context *c, bool *ret_left)
{
	int r = context_observe(c);

	if (r < 0)
		return context_status(r);
	r = step_leave_runtime(c);
	if (r < 0)
		return STATUS_NODE;
	*ret_left = r > 0;
	r = rules_check_features(&c->wanted.rules, c->log, c->node.status.feature_bitmap);
	if (r == 0)
		r = boot_check_refused(c);
	if (r == 0)
		r = report_risks(c);
	if (r < 0)
		return r == -EINVAL ? STATUS_CONFIG : STATUS_NODE;
	return STATUS_DONE;
}
