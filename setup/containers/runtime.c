#include "setup/containers/runtime.h"

#include <errno.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/containers/files.h"
#include "setup/containers/handlers.h"
#include "setup/containers/service.h"
#include "setup/systemd/unit_files.h"
#include "units/audit_units.h"
#include "units/host_units.h"

/* Is it made of these alone? Another directory is somebody's doing, and nothing to be taken from a file. */
static bool is_usual_path(const char *path, size_t length)
{
	static const char *const usual[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
						/* snapd's generator of systemd's environment */ "/snap/bin" };
	const char *const end = path + length;

	for (; path < end; path += *path == ':') {
		size_t n = strcspn(path, ":\""), i = 0;

		while (i < ARRAY_SIZE(usual) && (strlen(usual[i]) != n || strncmp(usual[i], path, n) != 0))
			i++;
		if (i == ARRAY_SIZE(usual))
			return false;
		path += n;
	}
	return length > 0;
}

/* Without a bus: systemd's own PATH as it was when our drop-in for the unit was made of it. */
static int manager_by_drop_in(struct runtime *runtime, const char *unit, const struct host *host)
{
	static const char mark[] = "/" RUNTIME_DIRECTORY ":";
	_cleanup_free_ char *path = NULL;
	_cleanup_text_ struct text content = {0};
	const char *base;
	size_t length;

	if (asprintf(&path, UNIT_DIRECTORY "/%s.d/" DROP_IN, unit) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (host_read(host, path, &content) == -ENOMEM)
		return -ENOMEM;
	base = content.s ? strstr(content.s, mark) : NULL;
	base = base ? base + strlen(mark) : "";
	length = strcspn(base, "\"\n");
	if (!is_usual_path(base, length))
		return 0;
	strings_free(runtime->manager);
	runtime->manager = calloc(2, sizeof(*runtime->manager));
	if (runtime->manager && asprintf(&runtime->manager[0], "PATH=%.*s", (int)length, base) < 0)
		runtime->manager[0] = NULL;
	return runtime->manager && runtime->manager[0] ? 0 : -ENOMEM;
}

static int read_identity(struct runtime *runtime, const char *unit, const struct host *host, struct bus *bus, struct log *log)
{
	_cleanup_strings_ char **commands = NULL;
	/* Another name of a unit's, whose file has its own. */
	bool alias = !handlers_know(unit) && runtime->unit.fragment && *runtime->unit.fragment;
	int r = bus_environment(bus, unit, &runtime->environment);

	if (r == 0)
		r = bus_environment(bus, NULL, &runtime->manager);
	if (r < 0)
		return r;
	r = bus_is_there(bus) ? 0 : manager_by_drop_in(runtime, unit, host);
	if (r == 0)
		r = unit_files_values(&commands, host, &runtime->unit, "Service", "ExecStart");
	if (r == 0)
		r = handlers_look(&runtime->uncovered, host, alias ? text_base_name(runtime->unit.fragment) : unit, commands);
	if (r == 0)
		r = processes_look(&runtime->containers, host);
	return r < 0 ? log_no_memory(log) : 0;
}

int runtime_read(struct runtime *runtime, const struct config *config, const struct host *host, struct bus *bus,
		 struct log *log)
{
	const char *unit = config->runtime_unit;
	bool in_effect = runtime->in_effect, ahead = runtime->ahead;
	int r;

	runtime_done(runtime);
	runtime->in_effect = in_effect;
	runtime->ahead = ahead;
	if (!runtime_files_wanted(config))
		return 0;
	r = bus_unit_state(bus, unit, &runtime->unit);
	if (r == 0)
		r = bus_service_started(bus, unit, &runtime->started);
	return r < 0 || !config->identity ? r : read_identity(runtime, unit, host, bus, log);
}

void runtime_done(struct runtime *runtime)
{
	unit_state_done(&runtime->unit);
	strings_free(runtime->environment);
	strings_free(runtime->manager);
	text_done(&runtime->uncovered);
	processes_done(&runtime->containers);
	*runtime = (struct runtime){0};
}
