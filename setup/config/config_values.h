/* What the configuration says: one member a key, in the order of the table in config_rows.c. */
#ifndef SETUP_CONFIG_VALUES_H
#define SETUP_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum on_locked { ON_LOCKED_STAGE, ON_LOCKED_FAIL };
enum existing { EXISTING_REPLACE, EXISTING_KEEP };
enum unit_mode { MODE_FILE, MODE_TRANSIENT };
enum loginuid { LOGINUID_AUTO, LOGINUID_NO, LOGINUID_YES };
enum absent { ABSENT_WARN, ABSENT_FAIL };
enum order { ORDER_SHIPPED_FIRST, ORDER_USER_FIRST };
enum sessions { SESSIONS_ALL, SESSIONS_TERMINAL };
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
	int loginuid_immutable;

	struct config_list exclude_types, exclude_exe, exclude_uid;
	int64_t min_auid;		/* -1: all */
	bool workloads;
	int sessions;

	char *rules_directory;
	int absent, order;
	bool scanner_copy;
	int existing;
	bool optimise;

	int unit_mode;
	bool unit_enable;
	int64_t start_timeout;		/* microseconds */

	char *dbus_address;
	int reader;
	int apparmor_audit, ima_policy;
	bool tty_sshd, log_passwords;
	char *tty_runtime_unit;		/* of version 0.1: config_check() makes the two below of it */

	char *runtime_unit;
	bool runtime_restart, keystrokes, identity;
	struct config_list identity_except;

	/* Of the command line: rules files in place of the directory, borrowed, and that nothing is known of a host. */
	char *const *rules_files;
	size_t n_rules_files;
	bool host_unseen;

	struct config_row_state *state;	/* values as written, and where */
	unsigned passes;		/* readings so far */
	char sha256[65];		/* of the file as it was read; "" without one */
	char **names;			/* file names that items and states point to */
	size_t n_names;
};

#endif
