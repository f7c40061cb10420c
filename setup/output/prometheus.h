/* What verify found, in Prometheus's text format, for the textfile collector of node_exporter. */
#ifndef SETUP_PROMETHEUS_H
#define SETUP_PROMETHEUS_H

#include "setup/checks/checks.h"
#include "setup/node/context.h"

/* Appends it. 0 or -ENOMEM, unlogged. */
int prometheus_add(struct text *out, const struct context *c, const struct checks *checks, enum exit_status status) _must_check_;
/* The node could not be compared: it does not match, and no more is known. */
void prometheus_add_failure(struct text *out);

#endif
