#include "setup/containers/runtime.h"

#include "setup/base/strings.h"
#include "setup/containers/files.h"
#include "setup/containers/handlers.h"

static int read_identity(struct runtime *runtime, const char *unit, const struct host *host, struct bus *bus, struct log *log)
{
	int r = bus_environment(bus, unit, &runtime->environment);

	if (r == 0)
		r = bus_environment(bus, NULL, &runtime->manager);
	if (r < 0)
		return r;
	r = handlers_look(&runtime->uncovered, host, unit);
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
