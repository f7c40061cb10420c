#include "setup/systemd/bus_private.h"

#include <errno.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/systemd/bus_units.h"

/* One command of ExecStartEx, "sasasttttuii": path, words, flags, and when it ran. */
static int read_command(sd_bus_message *m, struct bus_service *ret)
{
	_cleanup_strings_ char **flags = NULL;
	const char *path;
	int r;

	r = sd_bus_message_enter_container(m, 'r', "sasasttttuii");
	if (r <= 0)
		return r;
	r = sd_bus_message_read(m, "s", &path);
	if (r >= 0)
		r = sd_bus_message_read_strv(m, &ret->argv);
	if (r >= 0)
		r = sd_bus_message_read_strv(m, &flags);
	if (r >= 0)
		r = sd_bus_message_skip(m, "ttttuii");
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	if (r < 0)
		return r;
	/* "@" gives a program another name, and flags other than this change how it is run. */
	for (size_t i = 0; flags && flags[i]; i++)
		if (strcmp(flags[i], "ignore-failure") != 0)
			ret->plain = false;
	if (!ret->argv || !ret->argv[0])
		return -EBADMSG;
	if (strcmp(ret->argv[0], path) != 0)
		ret->plain = false;
	return 1;
}

static int read_commands(sd_bus_message *m, struct bus_service *ret)
{
	_cleanup_(bus_service_done) struct bus_service more = {0};
	int r;

	ret->plain = true;
	r = sd_bus_message_enter_container(m, 'a', "(sasasttttuii)");
	if (r >= 0)
		r = read_command(m, ret);
	if (r > 0) {
		r = read_command(m, &more);
		ret->plain = ret->plain && r == 0;
	}
	return r < 0 ? r : 0;
}

static int get_timestamp(struct bus *bus, const char *unit, const char *path, const char *name,
			 uint64_t *ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_trivial(bus->bus, bus->destination, path, SERVICE, name, &error, 't',
					    ret);

	return r < 0 ? bus_say_failed(bus, name, unit, &error, r) : 0;
}

int bus_service(struct bus *bus, const char *unit, struct bus_service *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(bus_service_done) struct bus_service service = {0};
	_cleanup_free_ char *path = NULL;
	int r = bus_unit_path(unit, &path);

	if (r < 0)
		return r;
	r = sd_bus_get_property(bus->bus, bus->destination, path, SERVICE, "ExecStartEx", &error, &m,
				"a(sasasttttuii)");
	if (r >= 0)
		r = read_commands(m, &service);
	if (r < 0)
		return bus_say_failed(bus, "ExecStartEx", unit, &error, r);
	r = get_timestamp(bus, unit, path, "ExecMainStartTimestamp", &service.started);
	if (r < 0)
		return r;
	*ret = service;
	service.argv = NULL;
	return 0;
}

void bus_service_done(struct bus_service *service)
{
	strings_free(service->argv);
	*service = (struct bus_service){0};
}
