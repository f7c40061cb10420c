/* Names of users and groups as the host's own passwd(5) and group(5) files know them.
 *
 * Never NSS: inside a container that would answer for the container. Functions return 1 and the
 * number, 0 when the host has no such name, negative errno when its file cannot be read. */
#ifndef SETUP_ACCOUNTS_H
#define SETUP_ACCOUNTS_H

#include <stdint.h>

#include "setup/host/host.h"

/* *ret_id is set only where 1 is returned. */
int accounts_user(const struct host *host, const char *name, uint32_t *ret_id) _must_check_;
int accounts_group(const struct host *host, const char *name, uint32_t *ret_id) _must_check_;
/* The name in either table that is nearest to one that is not in it, the caller's; NULL: none is near, or it
 * cannot be read. */
char *accounts_near(const struct host *host, const char *name, bool group);

#endif
