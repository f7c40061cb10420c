#include "setup/systemd/bus_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "setup/rights/rights.h"

uint64_t bus_now(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int bus_step(sd_bus *bus, uint64_t deadline)
{
	uint64_t now;
	int r = sd_bus_process(bus, NULL);

	if (r < 0)
		return r;
	/* The clock is a system call where there is no vDSO for it. */
	now = deadline == UINT64_MAX ? 0 : bus_now(CLOCK_MONOTONIC);
	if (now >= deadline)
		return -ETIMEDOUT;
	if (r == 0)
		r = sd_bus_wait(bus, deadline - now);
	return r < 0 && r != -EINTR ? r : 0;
}

int bus_reply_error(sd_bus *bus, sd_bus_message *reply)
{
	if (!sd_bus_message_is_method_error(reply, NULL))
		return 0;
	return sd_bus_is_open(bus) > 0 ? -sd_bus_message_get_errno(reply) : -ECONNRESET;
}

const char *bus_reason(int r)
{
	/* What sd-bus says of a message that is broken, or holds other types than are asked for. */
	return r == -ENXIO || r == -EBADMSG ? "not the answer that was expected" : strerror(-r);
}

int bus_say_failed_and(struct bus *bus, const char *call, const char *unit, const sd_bus_error *error, int r,
		       const char *and)
{
	bool theirs = error->message && r != -ENXIO && r != -EBADMSG;

	log_say(bus->log, LEVEL_ERROR, "systemd: %s%s%s failed: %s (%s)%s%s%s", call, unit ? " " : "",
		unit ? unit : "", theirs ? error->message : bus_reason(r),
		error->name ? error->name : "no answer", r == -EACCES || r == -EPERM ? "; " : "",
		r == -EACCES || r == -EPERM ? rights_advice_bus(bus->host, r) : "", and);
	return r;
}

int bus_say_failed(struct bus *bus, const char *call, const char *unit, const sd_bus_error *error,
		   int r)
{
	return bus_say_failed_and(bus, call, unit, error, r, "");
}

int bus_unit_path(const char *unit, char **ret_path)
{
	int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, ret_path);

	return r < 0 ? r : 0;
}

int bus_get_unit(struct bus *bus, const char *unit, sd_bus_error *error, char **ret_path)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *path;
	int r = sd_bus_call_method(bus->bus, bus->destination, SYSTEMD_PATH, MANAGER, "GetUnit", error, &reply, "s",
				   unit);

	if (r < 0 && sd_bus_error_has_name(error, "org.freedesktop.systemd1.NoSuchUnit"))
		return 0;
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return r;
	*ret_path = strdup(path);
	return *ret_path ? 1 : -ENOMEM;
}
