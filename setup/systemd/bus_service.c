#include "setup/systemd/bus_private.h"

#include "setup/systemd/bus_units.h"

int bus_service_started(struct bus *bus, const char *unit, uint64_t *ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL;
	int r = bus_unit_path(unit, &path);

	if (r < 0)
		return bus_say_failed(bus, "ExecMainStartTimestamp", unit, &error, r);
	r = sd_bus_get_property_trivial(bus->bus, bus->destination, path, SERVICE, "ExecMainStartTimestamp", &error, 't',
					ret);
	return r < 0 ? bus_say_failed(bus, "ExecMainStartTimestamp", unit, &error, r) : 0;
}
