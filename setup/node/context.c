#include "setup/node/context.h"

#include <errno.h>

#include "setup/node/wanted_node.h"
#include "setup/systemd/others.h"

/* What is wanted of the node, as far as that depends on it, and what is there. */
static int read_host(struct context *c)
{
	const struct config *config = c->options->command == COMMAND_REMOVE ? NULL : &c->config;
	int r = node_read_transient(&c->node, c->bus);

	if (r == 0 && config && c->config.reader != READER_IGNORE)
		r = node_read_reader(&c->node, c->bus, &c->host);
	if (r == 0 && c->options->command == COMMAND_VERIFY)
		node_read_trail(&c->node, &c->host);
	if (r == 0 && config)
		r = node_read_neighbours(&c->node, &c->host, c->bus, c->options->command == COMMAND_VERIFY, c->log);
	if (r == 0 && config)
		r = runtime_read(&c->node.runtime, &c->config, &c->host, c->bus, c->log);
	if (r < 0)
		return r;
	recording_done(&c->node.recording);
	recording_read(&c->node.recording, &c->host);
	r = wanted_complete(&c->wanted, config, &c->host, &c->node, c->log);
	if (r == 0)
		r = node_read_files(&c->node, &c->wanted, &c->host, c->log);
	if (r == 0 && config)
		r = others_lines(&c->locks, OWN_LOCKS, &c->host, c->bus, c->log);
	return r < 0 ? r : node_read_units(&c->node, &c->wanted, &c->host, c->bus, c->log);
}

/* The kernel's part, and what under its lock is wanted of it. */
static int read_kernel(struct context *c)
{
	int r = node_read_kernel(&c->node, c->kernel, &c->host, c->log);

	if (r < 0 || !node_locked(&c->node) || c->options->command == COMMAND_REMOVE)
		return r;
	r = wanted_keep_forms(&c->wanted, &c->config, &c->host, &c->node.rules);
	return r < 0 ? log_no_memory(c->log) : 0;
}

int context_read(struct context *c)
{
	int r = read_kernel(c);

	return r < 0 ? r : read_host(c);
}

/* What this command does, or what apply would do of which it tells. */
static enum settle settling(const struct context *c)
{
	if (c->options->command == COMMAND_VERIFY)
		return SETTLE_LOOK;
	return node_locked(&c->node) ? SETTLE_STAGE : SETTLE_LOAD;
}

int context_observe(struct context *c)
{
	int r, s;

	r = node_open_kernel(&c->kernel, &c->host, c->log);
	if (r == 0)
		r = read_kernel(c);
	s = bus_open(&c->bus, &c->host, c->config.dbus_address, (uint64_t)c->config.start_timeout,
		     c->log);
	if (s == 0)
		s = read_host(c);
	if (r == 0 && s == 0 && c->options->command != COMMAND_REMOVE)
		r = wanted_settle(&c->wanted, &c->config, &c->host, &c->node, settling(c), c->log);
	return r < 0 ? r : s;
}

enum exit_status context_status(int error)
{
	/* See wanted_complete(). */
	return error == -EBADRQC ? STATUS_CONFIG : STATUS_NODE;
}

void context_done(struct context *c)
{
	bus_close(c->bus);
	kernel_close(c->kernel);
	own_lines_done(&c->locks);
	text_done(&c->metrics);
	node_done(&c->node);
	wanted_done(&c->wanted);
	host_done(&c->host);
	config_done(&c->config);
	mem_close(&c->lock);
}
