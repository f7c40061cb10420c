#include "setup/config/config.h"

#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"

/* What needs files on the host, which transient mode does without; by what it is when it needs none. */
static const struct {
	const char *section, *key, *without;
} need_files[] = {
	{ "apparmor", "audit", "keep" }, { "ima", "policy", "no" }, { "tty", "sshd", "no" },
	{ "tty", "runtime_unit", "" }, { "rules", "scanner_copy", "no" },
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
	{ "tty", "runtime_unit", "tty", { "" } },
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

static int check_runtime(const struct config *config, struct log *log)
{
	if (strcmp(config->runtime_unit, "systemd-journald.service") != 0)
		return 0;
	log_say(log, LEVEL_ERROR, "%s: [tty] runtime_unit = %s is no container runtime",
		config_source(config, "tty", "runtime_unit"), config->runtime_unit);
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

int config_check(const struct config *config, struct log *log)
{
	int transient = check_transient(config, log), contradictions = check_dropped(config, log);
	int runtime = check_runtime(config, log), copy = check_copy(config, log);

	return transient < 0 ? transient : contradictions < 0 ? contradictions : runtime < 0 ? runtime : copy;
}
