/* The configuration: what cloud-audit-setup.ini(5) and --set may say, checked.
 *
 * Adding a key is one row of the table in config_rows.c and one member in config_values.h; CONTRIBUTING.md has the
 * rest. */
#ifndef SETUP_CONFIG_H
#define SETUP_CONFIG_H

#include "setup/base/log.h"
#include "setup/config/config_values.h"

/* Sets every default; must come before the others. 0 or -ENOMEM. */
int config_init(struct config *config) _must_check_;
void config_done(struct config *config);

/* Reads a file. Returns 0, -ENOENT unlogged when absent, otherwise negative errno after logging
 * every mistake as FILE:LINE. */
int config_read(struct config *config, const char *file, struct log *log) _must_check_;

/* Applies one "SECTION.KEY=VALUE". Returns 0, -EBADMSG unlogged when it has not that form, -EINVAL
 * after logging what is wrong with the setting. */
int config_override(struct config *config, const char *setting, struct log *log) _must_check_;

/* After everything was read: keys of earlier versions become those of this one, then what one key alone cannot tell. 0;
 * -EINVAL after logging; -ENOMEM. */
int config_check(struct config *config, struct log *log) _must_check_;

/* Is systemd not to be asked ([dbus] address = none)? */
bool config_without_bus(const struct config *config);

#endif
