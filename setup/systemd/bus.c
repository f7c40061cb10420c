#include "setup/systemd/bus_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/rights/rights.h"

#define RELOAD "systemd reads its units again"

enum { REVIVE = 5000000 };	/* microseconds that dbus-daemon has for its start */

struct bus *bus_close(struct bus *bus)
{
	if (bus) {
		/* Nothing waits to be sent: every call was, or could not be. A flush would wait without an end for
		 * a peer that has stopped reading. */
		sd_bus_close_unref(bus->bus);
		free(bus);
	}
	return NULL;
}

static int on_version(sd_bus_message *message, void *user, sd_bus_error *error)
{
	sd_bus_message **reply = user;

	*reply = sd_bus_message_ref(message);
	return 1;
}

/* Only a first call proves that there is somebody, whatever is answered: so it is one of which something is learned. It goes out with
 * Hello, as soon as authentication is done, for which sd-bus itself would wait 90 s (BUS_AUTH_TIMEOUT in
 * src/libsystemd/sd-bus/sd-bus.c). *ret_reply is the caller's, and may be NULL. */
static int ask_version(sd_bus *b, const char *destination, uint64_t timeout, sd_bus_error *error, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	uint64_t deadline = bus_now(CLOCK_MONOTONIC) + timeout;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_call_method_async(b, &slot, destination, SYSTEMD_PATH, "org.freedesktop.DBus.Properties", "Get", on_version, &reply,
				     "ss", MANAGER, "Version");
	while (r >= 0 && !reply)
		r = bus_step(b, deadline);
	if (r < 0)
		return r;
	r = sd_bus_message_is_method_error(reply, SD_BUS_ERROR_UNKNOWN_PROPERTY) ? 0 : bus_reply_error(b, reply);
	/* Of a connection that ended the error is sd-bus's own, and says no more. */
	if (r < 0 && r != -ECONNRESET)
		sd_bus_error_copy(error, sd_bus_message_get_error(reply));
	if (r >= 0 && ret_reply)
		*ret_reply = TAKE(reply);
	return r;
}

#define DIGITS "0123456789"

/* Five digits at most: a longer one is no version's. */
static unsigned take_number(const char **s)
{
	size_t n = strspn(*s, DIGITS);
	unsigned number = n > 0 && n < 6 ? (unsigned)strtoul(*s, NULL, 10) : 0;

	*s += n;
	return number;
}

/* "252.39-1~deb12u1", "250.3", "systemd 247"; what is none of these is 0 and 0. */
static void take_version(struct bus *bus, sd_bus_message *reply)
{
	const char *version;

	bus->major = bus->minor = 0;
	if (sd_bus_message_read(reply, "v", "s", &version) < 0)
		return;
	version += strcspn(version, DIGITS);
	bus->major = take_number(&version);
	if (bus->major > 0 && *version++ == '.')
		bus->minor = take_number(&version);
}

static int connect_to(struct bus *bus, const char *address, bool private, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *version = NULL;
	_cleanup_(sd_bus_close_unrefp) sd_bus *b = NULL;
	int r = sd_bus_new(&b);

	if (r >= 0)
		r = sd_bus_set_address(b, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(b, !private);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(b, bus->timeout);
	if (r >= 0)
		r = sd_bus_start(b);
	if (r >= 0)
		r = ask_version(b, private ? NULL : "org.freedesktop.systemd1", bus->timeout, error, &version);
	if (r < 0)
		return r;
	take_version(bus, version);
	sd_bus_close_unref(bus->bus);
	bus->bus = TAKE(b);
	bus->destination = private ? NULL : "org.freedesktop.systemd1";
	return 0;
}

/* Connects to a socket of the host: opened below its root first, so that no symlink leads out. */
static int connect_below_root(struct bus *bus, const char *path, bool private, sd_bus_error *error)
{
	_cleanup_close_ int fd = host_open(bus->host, path, O_PATH);
	char address[64];

	if (fd < 0)
		return fd;
	snprintf(address, sizeof(address), "unix:path=/proc/self/fd/%d", fd);
	return connect_to(bus, address, private, error);
}

/* A bus that is up before systemd is on it, as in the first moments of a boot, says one of these. */
static bool not_there_yet(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
		sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static void add_failure(struct text *why, const char *root, const char *place, const sd_bus_error *error, int r)
{
	text_addf(why, "%s%s%s: ", why->s ? ", " : "", strcmp(root, "/") ? root : "", place);
	if (error->name)
		text_addf(why, "%s: %s", error->name, error->message ? error->message : "");
	else
		text_add(why, bus_reason(r));
}

/* By whatever way the configuration allows; why: what was tried, and failed. The error is the first that is not just that
 * nothing is there; *ret_soon: another try may do. */
static int connect_any(struct bus *bus, struct text *why, bool *ret_soon)
{
	static const struct {
		const char *path;
		bool private;
	} sockets[] = {
		{ "/run/dbus/system_bus_socket", false }, { "/run/systemd/private", true },
	};
	int r, first = -ENOENT;

	*ret_soon = false;
	if (strcmp(bus->address, "auto") != 0) {
		_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

		r = connect_to(bus, bus->address, false, &error);
		add_failure(why, "/", bus->address, &error, r);
		*ret_soon = not_there_yet(&error);
		return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

		r = connect_below_root(bus, sockets[i].path, sockets[i].private, &error);
		if (r >= 0)
			return r;
		add_failure(why, bus->host->root, sockets[i].path, &error, r);
		*ret_soon = *ret_soon || not_there_yet(&error);
		first = first == -ENOENT ? r : first;
	}
	return first;
}

/* As connect_any(), again and again while systemd is not on the bus yet; why is that of the last try. */
static int connect_in_time(struct bus *bus, struct text *why)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	uint64_t deadline = bus_now(CLOCK_MONOTONIC) + bus->timeout;
	bool soon;
	int r;

	while ((r = connect_any(bus, why, &soon)) < 0 && soon && bus_now(CLOCK_MONOTONIC) < deadline) {
		log_progress(bus->log, "waiting for systemd on D-Bus", NULL, bus->timeout - (deadline - bus_now(CLOCK_MONOTONIC)));
		text_done(why);
		nanosleep(&pause, NULL);
	}
	return r;
}

int bus_open(struct bus **ret, const struct host *host, const char *address, uint64_t timeout,
	     struct log *log)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	_cleanup_text_ struct text why = {0};
	int r;

	if (!bus)
		return log_no_memory(log);
	*bus = (struct bus){ .host = host, .log = log, .address = address, .timeout = timeout };
	r = strcmp(address, BUS_NONE) == 0 ? 0 : connect_in_time(bus, &why);
	if (r < 0) {
		log_say(log, LEVEL_ERROR, "no D-Bus connection to the host's systemd (%s); %s",
			why.s ? why.s : "", rights_advice_bus(host, r));
		bus_close(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

bool bus_is_there(const struct bus *bus)
{
	return bus->bus;
}

int bus_revive(struct bus *bus)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	uint64_t patience = bus->timeout < REVIVE ? bus->timeout : REVIVE;
	uint64_t deadline = bus_now(CLOCK_MONOTONIC) + patience;
	int r;

	/* The end of a connection is only seen by who uses it. What is answered does not matter. */
	(void)ask_version(bus->bus, bus->destination, bus->timeout, NULL, NULL);
	if (sd_bus_is_open(bus->bus) > 0)
		return 0;
	for (;;) {
		_cleanup_text_ struct text why = {0};
		bool soon;

		r = connect_any(bus, &why, &soon);
		if (r >= 0 || bus_now(CLOCK_MONOTONIC) >= deadline)
			break;
		nanosleep(&pause, NULL);
	}
	if (r < 0)
		return r;
	log_say(bus->log, LEVEL_DEBUG, "the D-Bus connection was lost, and made again");
	/* Without it jobs are still looked after, see wait_for_job(). */
	(void)sd_bus_call_method(bus->bus, bus->destination, SYSTEMD_PATH, MANAGER, "Subscribe", NULL, NULL, NULL);
	return 0;
}

int bus_subscribe(struct bus *bus)
{
	int r = bus->subscribed ? 0 : CALL(bus, "Subscribe", NULL, NULL, NULL);

	bus->subscribed = r == 0;
	return r;
}

int bus_reload(struct bus *bus)
{
	uint64_t start = bus_now(CLOCK_MONOTONIC);
	int r;

	log_progress(bus->log, RELOAD, NULL, 0);
	r = CALL(bus, "Reload", NULL, NULL, NULL);
	if (r == 0)
		log_progress_end(bus->log, RELOAD, NULL, bus_now(CLOCK_MONOTONIC) - start);
	return r;
}

int bus_enable(struct bus *bus, const char *unit)
{
	return CALL(bus, "EnableUnitFiles", unit, NULL, "asbb", 1, unit, false, true);
}

int bus_disable(struct bus *bus, const char *unit)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus->bus, bus->destination, SYSTEMD_PATH, MANAGER,
				   "DisableUnitFiles", &error, NULL, "asb", 1, unit, false);

	if (r < 0 && sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
		return 0;
	return r < 0 ? bus_say_failed(bus, "DisableUnitFiles", unit, &error, r) : 0;
}

int bus_reset_failed(struct bus *bus, const char *unit)
{
	return CALL(bus, "ResetFailedUnit", unit, NULL, "s", unit);
}
