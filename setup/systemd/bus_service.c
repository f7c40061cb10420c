#include "setup/systemd/bus_private.h"

#include <stdlib.h>
#include <string.h>

#include "setup/systemd/bus_units.h"

void bus_version(struct bus *bus, unsigned *ret_major, unsigned *ret_minor)
{
	*ret_major = bus->major;
	*ret_minor = bus->minor;
}

int bus_service_started(struct bus *bus, const char *unit, uint64_t *ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL;
	int r = bus_unit_path(unit, &path);

	if (r < 0)
		return bus_say_failed(bus, "ExecMainStartTimestamp", unit, &error, r);
	*ret = 0;
	if (!bus_is_there(bus))
		return 0;
	r = sd_bus_get_property_trivial(bus->bus, bus->destination, path, SERVICE, "ExecMainStartTimestamp", &error, 't',
					ret);
	return r < 0 ? bus_say_failed(bus, "ExecMainStartTimestamp", unit, &error, r) : 0;
}

int bus_environment(struct bus *bus, const char *unit, char ***ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL;
	int r = unit ? bus_unit_path(unit, &path) : 0;

	if (r >= 0 && !bus_is_there(bus)) {
		*ret = calloc(1, sizeof(**ret));
		return *ret ? 0 : log_no_memory(bus->log);
	}
	if (r >= 0)
		r = sd_bus_get_property_strv(bus->bus, bus->destination, path ? path : SYSTEMD_PATH, unit ? SERVICE : MANAGER,
					     "Environment", &error, ret);
	return r < 0 ? bus_say_failed(bus, "Environment", unit, &error, r) : 0;
}
