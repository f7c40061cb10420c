#include "setup/steps/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/host/atboot.h"
#include "setup/systemd/others.h"
#include "setup/systemd/unit_files.h"
#include "units/service.h"

#define AUDITD "auditd.service"

/* The first that a boot starts has the rules loaded. */
static const char *const units[] = { HOST_RULES_LOADERS };

/* A unit, and what its files say. */
struct reading {
	struct unit_state state;
	bool started;		/* by a boot */
	bool seen;		/* its own file, whatever drop-ins there are */
	char **commands;	/* each ends with NULL, or is NULL */
	char **pulls;		/* the units that it is started with */
};

static void reading_done(struct reading *reading)
{
	unit_state_done(&reading->state);
	strings_free(reading->commands);
	strings_free(reading->pulls);
}

static bool exists(const struct host *host, const char *path)
{
	bool directory;

	return host_path_type(host, path, &directory) == 1;
}

/* key: the setting with the commands. 0 or negative errno, logged. */
static int read_unit(struct reading *ret, const struct host *host, struct bus *bus, const char *unit, const char *key, struct log *log)
{
	const struct unit_state *state = &ret->state;
	int r = bus_unit_state(bus, unit, &ret->state);

	if (r < 0)
		return r;
	ret->started = state->exists && (state->enabled || state->active);
	ret->seen = state->fragment && *state->fragment && exists(host, state->fragment);
	r = unit_files_values(&ret->commands, host, state, "Service", key);
	if (r == 0)
		r = unit_files_values(&ret->pulls, host, state, "Unit", "Requires");
	if (r == 0)
		r = unit_files_values(&ret->pulls, host, state, "Unit", "Wants");
	return r < 0 ? log_no_memory(log) : 0;
}

static const char *find(char *const *values, const char *words)
{
	const char *s = NULL;

	for (; !s && values && *values; values++)
		s = strstr(*values, words);
	return s;
}

/* Is the directory that augenrules reads known to be absent? */
static bool has_no_directory(const struct host *host)
{
	bool directory;

	return exists(host, "/etc/audit") && host_path_type(host, HOST_RULES_DIRECTORY, &directory) == 0;
}

/* The file in "/sbin/auditctl -R FILE", NULL for other commands; *ret_n: how long its name is. */
static const char *find_file(char *const *commands, size_t *ret_n)
{
	static const char load[] = " -R";
	const char *s = find(commands, "/auditctl ");

	s = s ? strstr(s, load) : NULL;
	if (!s)
		return NULL;
	s += strlen(load);
	s += strspn(s, " \t\"'");
	*ret_n = strcspn(s, " \t\"'");
	return *ret_n > 0 ? s : NULL;
}

/* Sets what these commands make of the loader that it is with those of audit's package. */
static int judge(struct loader *loader, const struct host *host, const struct reading *reading)
{
	size_t n = strlen(HOST_RULES);
	const char *file = find_file(reading->commands, &n);

	if (!reading->seen || find(reading->commands, "/augenrules")) {
		if (!has_no_directory(host))
			return 0;
		file = exists(host, HOST_RULES) ? HOST_RULES : NULL;
		n = strlen(HOST_RULES);
	} else if (loader->kind == LOADER_UNIT) {
		return 0;
	}
	loader->kind = file ? LOADER_AUDITCTL : LOADER_NONE;
	loader->file = file ? strndup(file, n) : NULL;
	return file && !loader->file ? -ENOMEM : 0;
}

/* auditd, which may start one of these. */
static int find_unit(struct loader *ret, const struct host *host, struct bus *bus, const struct reading *auditd, struct log *log)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		_cleanup_(reading_done) struct reading reading = {0};
		int r = read_unit(&reading, host, bus, units[i], "ExecStart", log);

		if (r < 0)
			return r;
		if (!reading.started && !(reading.state.exists && auditd->started && (!auditd->seen || find(auditd->pulls, units[i]))))
			continue;
		*ret = (struct loader){ .kind = LOADER_UNIT, .unit = units[i], .active = reading.state.active };
		return judge(ret, host, &reading) < 0 ? log_no_memory(log) : 0;
	}
	return 0;
}

int loader_find(struct loader *ret, const struct host *host, struct bus *bus, struct log *log)
{
	_cleanup_(reading_done) struct reading auditd = {0};
	int r;

	*ret = (struct loader){0};
	if (others_load_none(host))
		return 0;
	r = read_unit(&auditd, host, bus, AUDITD, "ExecStartPost", log);
	if (r == 0)
		r = find_unit(ret, host, bus, &auditd, log);
	if (r < 0 || ret->unit || !auditd.started)
		return r;
	ret->kind = LOADER_AUGENRULES;
	return judge(ret, host, &auditd) < 0 ? log_no_memory(log) : 0;
}

void loader_done(struct loader *loader)
{
	free(loader->file);
	*loader = (struct loader){0};
}
