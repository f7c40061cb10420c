/* Rules and units as cloud-init's user-data. */
#ifndef SETUP_CLOUD_CONFIG_H
#define SETUP_CLOUD_CONFIG_H

#include "setup/node/context.h"

/* Appends it. What is wanted was built with nothing known of a host, and not optimised. False after logging every setting
 * that needs the machine itself. */
bool cloud_config_print(const struct context *c, struct text *out);

#endif
