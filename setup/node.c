#include "setup/node.h"

#include <errno.h>
#include <string.h>

#include "setup/rights.h"

int node_read_files(struct node *node, const struct host *host, struct log *log)
{
	for (size_t i = 0; i < N_FILES; i++) {
		int r;

		text_done(&node->files[i]);
		r = host_read(host, wanted_files[i].path, &node->files[i]);
		if (r < 0 && r != -ENOENT) {
			log_say(log, LEVEL_ERROR, "%s cannot be read below %s: %s%s; nothing was changed",
				wanted_files[i].path, host->root, strerror(-r), rights_advice_write(r));
			return r;
		}
	}
	return 0;
}

int node_read_units(struct node *node, struct bus *bus)
{
	for (size_t i = 0; i < N_FILES; i++) {
		int r;

		if (!wanted_files[i].unit)
			continue;
		unit_state_done(&node->units[i]);
		r = bus_unit_state(bus, wanted_files[i].unit, &node->units[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int say_kernel_error(struct log *log, const struct host *host, const char *what, int r,
			    bool at_socket)
{
	_cleanup_text_ struct text why = {0};

	rights_explain_audit(&why, host, r, at_socket);
	log_say(log, LEVEL_ERROR, "kernel audit: %s: %s", what, why.s ? why.s : strerror(-r));
	return r;
}

int node_open_kernel(struct kernel **ret, const struct host *host, struct log *log)
{
	int r = kernel_open(ret);

	return r < 0 ? say_kernel_error(log, host, "socket(AF_NETLINK, NETLINK_AUDIT)", r, true) : 0;
}

int node_read_kernel(struct node *node, struct kernel *kernel, const struct host *host,
		     struct log *log)
{
	int r = kernel_get_status(kernel, &node->status);

	if (r < 0)
		return say_kernel_error(log, host, "AUDIT_GET", r, false);
	r = kernel_get_loginuid_immutable(kernel, &node->loginuid_immutable);
	if (r < 0)
		return say_kernel_error(log, host, "AUDIT_GET_FEATURE", r, false);
	kernel_rules_done(&node->rules);
	r = kernel_list_rules(kernel, &node->rules);
	return r < 0 ? say_kernel_error(log, host, "AUDIT_LIST_RULES", r, false) : 0;
}

int node_read_reader(struct node *node, struct bus *bus)
{
	_cleanup_(unit_state_done) struct unit_state socket = {0};
	int r;

	node->reader = node->status.pid != 0;
	if (node->reader)
		return 0;
	r = bus_unit_state(bus, "systemd-journald-audit.socket", &socket);
	node->reader = r == 0 && socket.active;
	return r;
}

bool node_locked(const struct node *node)
{
	return node->status.enabled == 2;
}

void node_done(struct node *node)
{
	for (size_t i = 0; i < N_FILES; i++) {
		text_done(&node->files[i]);
		unit_state_done(&node->units[i]);
	}
	kernel_rules_done(&node->rules);
}
