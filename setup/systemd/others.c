#include "setup/systemd/others.h"

#include <errno.h>
#include <string.h>

#include "setup/systemd/unit_files.h"
#include "units/service.h"

/* What stands before /etc/systemd/system in systemd's search path, in its order (systemd.unit(5), "Unit File Load Path";
 * lookup_paths_init() in src/libsystemd/sd-path/path-lookup.c). */
static const char *const first[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
	"/run/systemd/generator.early",
};

static bool comes_first(const char *fragment)
{
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		size_t n = strlen(first[i]);

		if (strncmp(fragment, first[i], n) == 0 && fragment[n] == '/')
			return true;
	}
	return false;
}

static int keep(char **ret, const char *path)
{
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

int others_instead(const struct host *host, const struct unit_state *state, const char *unit, const char *path,
		   char **ret)
{
	struct stat st;

	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		_cleanup_free_ char *there = NULL;

		if (asprintf(&there, "%s/%s", first[i], unit) < 0) {
			there = NULL;
			return -ENOMEM;
		}
		if (host_stat(host, there, &st) == 0) {
			*ret = TAKE(there);
			return 0;
		}
	}
	if (host_is_masked(host, path))
		return keep(ret, path);
	return state->fragment && comes_first(state->fragment) ? keep(ret, state->fragment) : 0;
}

bool others_is_default(const char *drop_in)
{
	static const char *const directories[] = {
		"/usr/lib/systemd/system/service.d/", "/lib/systemd/system/service.d/",
	};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (strncmp(drop_in, directories[i], strlen(directories[i])) == 0)
			return true;
	return false;
}

bool others_load_none(const struct host *host)
{
	static const char *const shipped[] = {
		"/usr/lib/systemd/system/audit-rules.service", "/lib/systemd/system/audit-rules.service",
	};
	bool directory;

	if (!host_is_masked(host, "/etc/systemd/system/audit-rules.service"))
		return false;
	/* A mask of a unit that audit 3 has not keeps its auditd from nothing. */
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++)
		if (host_path_type(host, shipped[i], &directory) == 1)
			return true;
	return false;
}

int others_lines(struct own_lines *ret, enum own_kind kind, const struct host *host, struct bus *bus, struct log *log)
{
	static const char *const loaders[] = { HOST_RULES_LOADERS, "auditd.service" };
	struct unit_state states[ARRAY_SIZE(loaders)];
	bool loaded = false;
	int r;

	own_lines_done(ret);
	r = atboot_lines(host, kind, ret);
	if (r < 0)
		return log_no_memory(log);
	if (others_load_none(host))
		own_lines_done(ret);
	if (ret->n == 0)
		return 0;
	r = bus_unit_states(bus, loaders, ARRAY_SIZE(loaders), states);
	if (r < 0)
		goto out;
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		/* Without a bus: where it is not known that it is active, a boot starts it. */
		bool started = states[i].active;

		if (r == 0 && states[i].unasked)
			r = unit_files_started(host, loaders[i], &started);
		loaded = loaded || (states[i].exists && (states[i].enabled || started));
		unit_state_done(&states[i]);
	}
out:
	if (!loaded)
		own_lines_done(ret);
	return r;
}
