/* What to change when the program lacks a right: the manifest's line where the host is below another root, else what to do
 * on the node. */
#ifndef SETUP_RIGHTS_H
#define SETUP_RIGHTS_H

#include "setup/base/text.h"
#include "setup/host/host.h"

/* Appends why the kernel refused an audit request with this errno, and what to do. at_socket: it was
 * socket(2) that failed, not a request. */
void rights_explain_audit(struct text *out, const struct host *host, int error, bool at_socket);

/* Advice for a failed connection to, or call of, the host's systemd. */
const char *rights_advice_bus(const struct host *host, int error);

/* Advice for a failed write below the host's root; "" when there is none to give. */
const char *rights_advice_write(const struct host *host, int error);

#endif
