#include "setup/context.h"

int context_observe(struct context *c)
{
	int r, s;

	r = node_open_kernel(&c->kernel, &c->host, c->log);
	if (r == 0)
		r = node_read_kernel(&c->node, c->kernel, &c->host, c->log);
	s = bus_open(&c->bus, &c->host, c->config.dbus_address, (uint64_t)c->config.start_timeout,
		     c->log);
	if (s == 0)
		s = node_read_units(&c->node, c->bus);
	if (r == 0 && s == 0)
		s = node_read_reader(&c->node, c->bus);
	if (s == 0)
		s = node_read_files(&c->node, &c->host, c->log);
	return r < 0 ? r : s;
}

void context_done(struct context *c)
{
	bus_close(c->bus);
	kernel_close(c->kernel);
	node_done(&c->node);
	wanted_done(&c->wanted);
	host_done(&c->host);
	config_done(&c->config);
}
