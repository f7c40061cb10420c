/* The configuration: what DESIGN.md's INI file and --set may say, checked.
 *
 * Adding a key is one row of the table in config_rows.c and one member here; CONTRIBUTING.md has the rest. */
#ifndef SETUP_CONFIG_H
#define SETUP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/base/log.h"

enum on_locked { ON_LOCKED_STAGE, ON_LOCKED_FAIL };
enum existing { EXISTING_REPLACE, EXISTING_KEEP };
enum unit_mode { MODE_FILE, MODE_TRANSIENT };
enum reader { READER_CHECK, READER_ENABLE, READER_IGNORE };

/* A comma-separated value; each item knows where it was written. */
struct config_list {
	struct config_item {
		char *value;
		const char *file;
		unsigned line;
	} *items;
	size_t n;
};

struct config {
	bool lock;
	int on_locked;
	int64_t backlog_limit;
	int64_t backlog_wait_time;	/* jiffies, -1: keep */
	int64_t rate_limit;
	int failure;			/* as auditctl -f takes it */
	bool loginuid_immutable;

	struct config_list exclude_types, exclude_exe, exclude_uid;
	int64_t min_auid;		/* -1: all */

	char *rules_directory;
	int existing;
	bool optimise;

	int unit_mode;
	bool unit_enable;
	int64_t start_timeout;		/* microseconds */

	char *dbus_address;
	int reader;
	int apparmor_audit, ima_policy;
	bool tty_sshd, log_passwords;
	char *runtime_unit;

	struct config_row_state *state;	/* values as written, and where */
	unsigned passes;		/* readings so far */
	char sha256[65];		/* of the file as it was read; "" without one */
	char **names;			/* file names that items and states point to */
	size_t n_names;
};

/* Sets every default; must come before the others. 0 or -ENOMEM. */
int config_init(struct config *config) _must_check_;
void config_done(struct config *config);

/* Reads a file. Returns 0, -ENOENT unlogged when absent, otherwise negative errno after logging
 * every mistake as FILE:LINE. */
int config_read(struct config *config, const char *file, struct log *log) _must_check_;

/* Applies one "SECTION.KEY=VALUE". Returns 0, -EBADMSG unlogged when it has not that form, -EINVAL
 * after logging what is wrong with the setting. */
int config_override(struct config *config, const char *setting, struct log *log) _must_check_;

/* After everything was read: what one key alone cannot tell. 0, or -EINVAL after logging. */
int config_check(const struct config *config, struct log *log) _must_check_;

#endif
