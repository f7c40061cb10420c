/* What the files of the D-Bus client share: the only includer of sd-bus.h. */
#ifndef SETUP_BUS_PRIVATE_H
#define SETUP_BUS_PRIVATE_H

#include <systemd/sd-bus.h>
#include <time.h>

#include "setup/systemd/bus.h"

#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "org.freedesktop.systemd1.Unit"
#define SERVICE "org.freedesktop.systemd1.Service"

struct bus {
	sd_bus *bus;
	const struct host *host;
	struct log *log;
	const char *destination;	/* NULL on systemd's private socket */
	const char *address;	/* as configured; the caller's of bus_open() */
	uint64_t timeout;
	bool subscribed;
	unsigned major, minor;	/* systemd's version, which is asked when it is connected to; 0 where it does not say */
};

/* The reason of a negative errno, in words. */
const char *bus_reason(int r);

/* Logs a failed call with D-Bus's own text, and returns r. */
int bus_say_failed(struct bus *bus, const char *call, const char *unit, const sd_bus_error *error,
		   int r);

/* The same with something at the end. */
int bus_say_failed_and(struct bus *bus, const char *call, const char *unit, const sd_bus_error *error, int r,
		       const char *and);

/* 0, or the negative errno of an answer that is an error; -ECONNRESET for what sd-bus itself makes of every call that
 * the end of the connection leaves open, under another name from release to release. */
int bus_reply_error(sd_bus *bus, sd_bus_message *reply);

/* The object path of a unit, which systemd loads when one of its properties is asked for (find_unit() in
 * src/core/dbus.c); *ret_path is the caller's. */
int bus_unit_path(const char *unit, char **ret_path) _must_check_;

/* 1 and the path, the caller's, of a unit that systemd has in memory, 0 when it has none of the name; negative
 * errno, unlogged, with the caller's error filled. */
int bus_get_unit(struct bus *bus, const char *unit, sd_bus_error *error, char **ret_path) _must_check_;

/* The time of a clock in microseconds. */
uint64_t bus_now(clockid_t clock);

/* Handles one message, or waits for one until the deadline (CLOCK_MONOTONIC; UINT64_MAX: none). 0, -ETIMEDOUT
 * also when there are still messages, or negative errno. */
int bus_step(sd_bus *bus, uint64_t deadline) _must_check_;

/* Calls a method of systemd's manager, whose arguments follow types. */
#define CALL(bus, name, unit, ret_reply, types, ...) __extension__({ \
	_cleanup_(sd_bus_error_free) sd_bus_error call_error = SD_BUS_ERROR_NULL; \
	int call_r = sd_bus_call_method((bus)->bus, (bus)->destination, SYSTEMD_PATH, MANAGER, name, \
					&call_error, ret_reply, types, ##__VA_ARGS__); \
	call_r < 0 ? bus_say_failed(bus, name, unit, &call_error, call_r) : 0; \
})

#endif
