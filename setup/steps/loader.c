#include "setup/steps/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/host/atboot.h"
#include "setup/systemd/others.h"
#include "units/unit_file.h"

/* The first that a boot starts has the rules loaded, by the commands of this setting. */
static const struct { const char *name, *key; enum loader loader; } units[] = {
	{ LOADER_UNIT_NAME, "ExecStart", LOADER_UNIT },
	{ "auditd.service", "ExecStartPost", LOADER_AUGENRULES },
};

struct commands {
	char **items;	/* ends with NULL, or NULL */
	bool seen;	/* the unit's own file, whatever drop-ins there are */
};

static int add_commands(struct commands *commands, const struct host *host, const char *path, const char *key, bool *ret_seen)
{
	_cleanup_text_ struct text content = {0};
	bool said;
	int r = host_read(host, path, &content);

	*ret_seen = r == 0 && content.s;
	if (*ret_seen)
		r = unit_file_read(&content, "Service", key, &commands->items, &said);
	return r == -ENOMEM ? r : 0;
}

static int read_commands(struct commands *ret, const struct host *host, const struct unit_state *state, const char *key)
{
	bool unused;
	int r = state->fragment && *state->fragment ? add_commands(ret, host, state->fragment, key, &ret->seen) : 0;

	for (size_t i = 0; r == 0 && state->drop_ins && state->drop_ins[i]; i++)
		r = add_commands(ret, host, state->drop_ins[i], key, &unused);
	return r;
}

static const char *find(const struct commands *commands, const char *words)
{
	const char *s = NULL;

	for (size_t i = 0; !s && commands->items && commands->items[i]; i++)
		s = strstr(commands->items[i], words);
	return s;
}

static bool exists(const struct host *host, const char *path)
{
	bool directory;

	return host_path_type(host, path, &directory) == 1;
}

/* Is the directory that augenrules reads known to be absent? */
static bool has_no_directory(const struct host *host)
{
	bool directory;

	return exists(host, "/etc/audit") && host_path_type(host, HOST_RULES_DIRECTORY, &directory) == 0;
}

/* What these commands make of the loader that it is with those of audit's package. */
static int judge(enum loader *loader, char **ret_file, const struct host *host, const struct commands *commands)
{
	static const char load[] = "/auditctl -R ";
	const char *file = find(commands, load);

	if (!commands->seen || find(commands, "/augenrules")) {
		if (!has_no_directory(host))
			return 0;
		file = exists(host, HOST_RULES) ? HOST_RULES : NULL;
	} else if (*loader == LOADER_UNIT) {
		return 0;
	} else if (file) {
		file += strlen(load);
	}
	*loader = file ? LOADER_AUDITCTL : LOADER_NONE;
	*ret_file = file ? strndup(file, strcspn(file, " ")) : NULL;
	return file && !*ret_file ? -ENOMEM : 0;
}

int loader_find(enum loader *ret, char **ret_file, const struct host *host, struct bus *bus, struct log *log)
{
	*ret = LOADER_NONE;
	*ret_file = NULL;
	if (others_load_none(host))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		_cleanup_(unit_state_done) struct unit_state state = {0};
		struct commands commands = {0};
		int r = bus_unit_state(bus, units[i].name, &state);

		if (r < 0)
			return r;
		if (!state.exists || !(state.enabled || state.active))
			continue;
		*ret = units[i].loader;
		r = read_commands(&commands, host, &state, units[i].key);
		if (r == 0)
			r = judge(ret, ret_file, host, &commands);
		strings_free(commands.items);
		return r < 0 ? log_no_memory(log) : 0;
	}
	return 0;
}
