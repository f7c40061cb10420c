#include "setup/config/config_private.h"

#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"

/* Gives a key the place of another one's value. */
static int set_from(struct config *config, const char *key, const char *value, const char *from_section,
		    const char *from_key)
{
	const char *file;
	unsigned line;

	config_place(config, from_section, from_key, &file, &line);
	return config_set_row(config, config_row_find("container", key), value, false, file, line);
}

/* Version 0.1 had [tty] runtime_unit alone. */
static int settle_runtime(struct config *config, struct log *log)
{
	const char *old = config->tty_runtime_unit;
	int r;

	if (!*old)
		return 0;
	if (*config->runtime_unit && strcmp(config->runtime_unit, old) != 0) {
		log_say(log, LEVEL_ERROR, "%s: [tty] runtime_unit = %s, and [container] runtime_unit = %s (%s); leave the "
			"first out: it is version 0.1's name of the other with keystrokes = yes",
			config_source(config, "tty", "runtime_unit"), old, config->runtime_unit,
			config_source(config, "container", "runtime_unit"));
		return -EINVAL;
	}
	if (config_given(config, "container", "keystrokes") && !config->keystrokes) {
		log_say(log, LEVEL_ERROR, "%s: [tty] runtime_unit = %s means [container] keystrokes = yes, and that is no (%s); "
			"leave the first out", config_source(config, "tty", "runtime_unit"), old,
			config_source(config, "container", "keystrokes"));
		return -EINVAL;
	}
	r = set_from(config, "runtime_unit", old, "tty", "runtime_unit");
	return r < 0 ? r : set_from(config, "keystrokes", "yes", "tty", "runtime_unit");
}

/* What needs files on the host, which transient mode does without; by what it is when it needs none. */
static const struct {
	const char *section, *key, *without;
} need_files[] = {
	{ "apparmor", "audit", "keep" }, { "ima", "policy", "no" }, { "tty", "sshd", "no" },
	{ "container", "keystrokes", "no" }, { "container", "identity", "no" }, { "rules", "scanner_copy", "no" },
};

static int check_transient(const struct config *config, struct log *log)
{
	int r = 0;

	for (size_t i = 0; config->unit_mode == MODE_TRANSIENT && i < ARRAY_SIZE(need_files); i++) {
		const char *section = need_files[i].section, *key = need_files[i].key;

		if (strcmp(config_value(config, section, key), need_files[i].without) == 0)
			continue;
		log_say(log, LEVEL_ERROR, "%s: [%s] %s = %s needs files on the host, and [unit] mode = transient "
			"(%s) writes none; set mode = file, or leave it at '%s'",
			config_source(config, section, key), section, key, config_value(config, section, key),
			config_source(config, "unit", "mode"), need_files[i].without);
		r = -EINVAL;
	}
	if (config->unit_mode == MODE_TRANSIENT && config->reader == READER_ENABLE) {
		log_say(log, LEVEL_ERROR, "%s: [journal] reader = enable needs a file on the host, and [unit] mode = "
			"transient (%s) writes none; set mode = file, or reader = check",
			config_source(config, "journal", "reader"), config_source(config, "unit", "mode"));
		r = -EINVAL;
	}
	return r;
}

/* What asks for records of a type that a group drops when it is off; by the values that do not ask. */
static const struct {
	const char *section, *key, *group;
	const char *without[4];
} dropped[] = {
	{ "tty", "sshd", "tty", { "no" } },
	{ "container", "keystrokes", "tty", { "no" } },
	{ "apparmor", "audit", "apparmor", { "keep", "normal", "quiet", "quiet_denied" } },
};

static bool asks(const struct config *config, size_t i)
{
	const char *value = config_value(config, dropped[i].section, dropped[i].key);

	for (size_t k = 0; k < ARRAY_SIZE(dropped[i].without) && dropped[i].without[k]; k++)
		if (strcmp(value, dropped[i].without[k]) == 0)
			return false;
	return true;
}

static int check_dropped(const struct config *config, struct log *log)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++) {
		const char *section = dropped[i].section, *key = dropped[i].key, *group = dropped[i].group;

		if (strcmp(config_value(config, "events", group), "no") != 0 || !asks(config, i))
			continue;
		log_say(log, LEVEL_ERROR, "%s: [events] %s = no drops the records that [%s] %s = %s asks for (%s); set "
			"one of them", config_source(config, "events", group), group, section, key,
			config_value(config, section, key), config_source(config, section, key));
		r = -EINVAL;
	}
	return r;
}

/* A key that means nothing while another one is as it is by default. */
static const struct {
	const char *section, *key, *without, *needs, *without_needs, *set;
} dependent[] = {
	{ "container", "identity", "no", "runtime_unit", "", "runtime_unit to the unit that starts containers, such as "
	  "containerd.service" },
	{ "container", "keystrokes", "no", "runtime_unit", "", "runtime_unit to the unit that starts containers, such as "
	  "containerd.service" },
	{ "filter", "workloads", "yes", "identity", "no", "identity = yes there, too" },
	{ "filter", "sessions", "all", "identity", "no", "identity = yes there, too" },
};

static int check_dependent(const struct config *config, struct log *log)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dependent); i++) {
		const char *section = dependent[i].section, *key = dependent[i].key, *value = config_value(config, section, key);
		const char *needed = config_value(config, "container", dependent[i].needs);
		bool bad = config->state[config_row_find("container", dependent[i].needs)].bad;

		if (strcmp(value, dependent[i].without) == 0 || strcmp(needed, dependent[i].without_needs) != 0 || bad)
			continue;
		log_say(log, LEVEL_ERROR, "%s: [%s] %s = %s, but [container] %s = '%s' (%s); set %s, or leave it at '%s'",
			config_source(config, section, key), section, key, value, dependent[i].needs, needed,
			config_source(config, "container", dependent[i].needs), dependent[i].set, dependent[i].without);
		r = -EINVAL;
	}
	return r;
}

static int check_runtime(const struct config *config, struct log *log)
{
	if (strcmp(config->runtime_unit, "systemd-journald.service") != 0)
		return 0;
	log_say(log, LEVEL_ERROR, "%s: [container] runtime_unit = %s is no container runtime",
		config_source(config, "container", "runtime_unit"), config->runtime_unit);
	return -EINVAL;
}

/* Loaded with the host's own rules at boot, the copy would be kept before ours. */
static int check_copy(const struct config *config, struct log *log)
{
	if (!config->scanner_copy || config->existing != EXISTING_KEEP)
		return 0;
	log_say(log, LEVEL_ERROR, "%s: [rules] scanner_copy = yes has the host load our rules with its own, and existing = keep (%s) "
		"would have all of them twice; set existing = replace, or scanner_copy = no",
		config_source(config, "rules", "scanner_copy"), config_source(config, "rules", "existing"));
	return -EINVAL;
}

bool config_without_bus(const struct config *config)
{
	return strcmp(config->dbus_address, "none") == 0;
}

/* The rules are in a unit that has no file to be judged by. */
static int check_no_bus(const struct config *config, struct log *log)
{
	if (!config_without_bus(config) || config->unit_mode != MODE_TRANSIENT)
		return 0;
	log_say(log, LEVEL_ERROR, "%s: [dbus] address = none has units judged by their files, and that of [unit] mode = transient (%s) has "
		"none; set address = auto, or mode = file", config_source(config, "dbus", "address"),
		config_source(config, "unit", "mode"));
	return -EINVAL;
}

int config_check(struct config *config, struct log *log)
{
	static int (*const checks[])(const struct config *config, struct log *log) = {
		check_transient, check_dropped, check_dependent, check_runtime, check_copy, check_no_bus,
	};
	int worst = settle_runtime(config, log);

	for (size_t i = 0; worst != -ENOMEM && i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](config, log);

		worst = r < 0 ? r : worst;
	}
	return worst;
}
