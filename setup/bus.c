#include "setup/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "setup/journal.h"
#include "setup/rights.h"

#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "org.freedesktop.systemd1.Unit"
#define SERVICE "org.freedesktop.systemd1.Service"

enum { JOURNAL_LINES = 8 };

struct bus {
	sd_bus *bus;
	const struct host *host;
	struct log *log;
	const char *destination;	/* NULL on systemd's private socket */
	uint64_t timeout;
};

static uint64_t now_usec(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct bus *bus_close(struct bus *bus)
{
	if (bus) {
		sd_bus_flush_close_unref(bus->bus);
		free(bus);
	}
	return NULL;
}

static int connect_to(struct bus *bus, const char *address, bool private)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *b = NULL;
	int r = sd_bus_new(&b);

	if (r >= 0)
		r = sd_bus_set_address(b, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(b, !private);
	if (r >= 0)
		r = sd_bus_start(b);
	/* Only a first call proves that there is somebody. */
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(b, bus->timeout);
	if (r >= 0)
		r = sd_bus_call_method(b, private ? NULL : "org.freedesktop.systemd1", SYSTEMD_PATH,
				       "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, NULL);
	if (r < 0)
		return r;
	bus->bus = TAKE(b);
	bus->destination = private ? NULL : "org.freedesktop.systemd1";
	return 0;
}

/* Connects to a socket of the host: opened below its root first, so that no symlink leads out. */
static int connect_below_root(struct bus *bus, const char *path, bool private)
{
	_cleanup_close_ int fd = host_open(bus->host, path, O_PATH);
	char address[64];

	if (fd < 0)
		return fd;
	snprintf(address, sizeof(address), "unix:path=/proc/self/fd/%d", fd);
	return connect_to(bus, address, private);
}

int bus_open(struct bus **ret, const struct host *host, const char *address, uint64_t timeout,
	     struct log *log)
{
	static const struct {
		const char *path;
		bool private;
	} sockets[] = {
		{ "/run/dbus/system_bus_socket", false }, { "/run/systemd/private", true },
	};
	struct bus *bus = calloc(1, sizeof(*bus));
	_cleanup_text_ struct text why = {0};
	int r = -ENOENT;

	if (!bus)
		return -ENOMEM;
	*bus = (struct bus){ .host = host, .log = log, .timeout = timeout };
	if (strcmp(address, "auto") != 0) {
		r = connect_to(bus, address, false);
		text_addf(&why, "%s: %s", address, strerror(-r));
	}
	for (size_t i = 0; strcmp(address, "auto") == 0 && r < 0 && i < ARRAY_SIZE(sockets); i++) {
		r = connect_below_root(bus, sockets[i].path, sockets[i].private);
		text_addf(&why, "%s%s%s: %s", i ? ", " : "", strcmp(host->root, "/") ? host->root : "",
			  sockets[i].path, strerror(-r));
	}
	if (r < 0) {
		log_say(log, LEVEL_ERROR, "no D-Bus connection to the host's systemd (%s); %s",
			why.s ? why.s : "", rights_advice_bus(r));
		bus_close(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

static int say_failed(struct bus *bus, const char *call, const char *unit, const sd_bus_error *error,
		      int r)
{
	log_say(bus->log, LEVEL_ERROR, "systemd: %s%s%s failed: %s (%s)%s%s", call, unit ? " " : "",
		unit ? unit : "", error->message ? error->message : strerror(-r),
		error->name ? error->name : "no answer", r == -EACCES || r == -EPERM ? "; " : "",
		r == -EACCES || r == -EPERM ? rights_advice_bus(r) : "");
	return r;
}

/* Calls a method of systemd's manager, whose arguments follow types. */
#define CALL(bus, name, unit, ret_reply, types, ...) __extension__({ \
	_cleanup_(sd_bus_error_free) sd_bus_error call_error = SD_BUS_ERROR_NULL; \
	int call_r = sd_bus_call_method((bus)->bus, (bus)->destination, SYSTEMD_PATH, MANAGER, name, \
					&call_error, ret_reply, types, ##__VA_ARGS__); \
	call_r < 0 ? say_failed(bus, name, unit, &call_error, call_r) : 0; \
})

static int get_string(struct bus *bus, const char *path, const char *interface, const char *name,
		      char **ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_string(bus->bus, bus->destination, path, interface, name, &error, ret);

	return r < 0 ? say_failed(bus, name, path, &error, r) : 0;
}

static int get_bool(struct bus *bus, const char *path, const char *name, bool *ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int value = 0;
	int r = sd_bus_get_property_trivial(bus->bus, bus->destination, path, UNIT, name, &error, 'b',
					    &value);

	if (r < 0)
		return say_failed(bus, name, path, &error, r);
	*ret = value;
	return 0;
}

/* Is a link there that starts the unit at boot? Read from the disk, as systemctl is-enabled does. */
static int get_enabled(struct bus *bus, const char *unit, bool *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *state;
	int r;

	r = sd_bus_call_method(bus->bus, bus->destination, SYSTEMD_PATH, MANAGER, "GetUnitFileState",
			       &error, &reply, "s", unit);
	if (r < 0 && (r == -ENOENT || sd_bus_error_has_name(&error, SD_BUS_ERROR_FILE_NOT_FOUND))) {
		*ret = false;
		return 0;
	}
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &state);
	if (r < 0)
		return say_failed(bus, "GetUnitFileState", unit, &error, r);
	*ret = strcmp(state, "enabled") == 0;
	return 0;
}

static int load_unit(struct bus *bus, const char *unit, char **ret_path)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *path;
	int r = CALL(bus, "LoadUnit", unit, &reply, "s", unit);

	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return r;
	*ret_path = strdup(path);
	return *ret_path ? 0 : -ENOMEM;
}

int bus_unit_state(struct bus *bus, const char *unit, struct unit_state *ret)
{
	_cleanup_free_ char *path = NULL, *load = NULL, *active = NULL;
	_cleanup_(unit_state_done) struct unit_state state = {0};
	int r;

	r = load_unit(bus, unit, &path);
	if (r == 0)
		r = get_string(bus, path, UNIT, "LoadState", &load);
	if (r == 0)
		r = get_string(bus, path, UNIT, "ActiveState", &active);
	if (r == 0)
		r = get_string(bus, path, UNIT, "FragmentPath", &state.fragment);
	if (r == 0)
		r = get_bool(bus, path, "NeedDaemonReload", &state.needs_reload);
	if (r == 0)
		r = get_enabled(bus, unit, &state.enabled);
	if (r < 0)
		return r;
	state.exists = strcmp(load, "not-found") != 0;
	state.active = strcmp(active, "active") == 0;
	state.failed = strcmp(active, "failed") == 0;
	*ret = state;
	state.fragment = NULL;
	return 0;
}

void unit_state_done(struct unit_state *state)
{
	free(state->fragment);
	*state = (struct unit_state){0};
}

int bus_subscribe(struct bus *bus)
{
	return CALL(bus, "Subscribe", NULL, NULL, NULL);
}

int bus_reload(struct bus *bus)
{
	return CALL(bus, "Reload", NULL, NULL, NULL);
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
	return r < 0 ? say_failed(bus, "DisableUnitFiles", unit, &error, r) : 0;
}

int bus_reset_failed(struct bus *bus, const char *unit)
{
	return CALL(bus, "ResetFailedUnit", unit, NULL, "s", unit);
}

/* A job that somebody waits for. */
struct wait {
	char *job;	/* NULL until its path is known */
	char *result;
};

static int on_job_removed(sd_bus_message *message, void *user, sd_bus_error *error)
{
	struct wait *wait = user;
	const char *job, *result;
	uint32_t id;

	if (sd_bus_message_read(message, "uoss", &id, &job, NULL, &result) < 0)
		return 0;
	if (wait->job && !wait->result && strcmp(job, wait->job) == 0)
		wait->result = strdup(result);
	return 0;
}

static void wait_done(struct wait *wait)
{
	free(wait->job);
	free(wait->result);
}

static int watch_jobs(struct bus *bus, struct wait *wait, sd_bus_slot **ret_slot)
{
	int r = sd_bus_match_signal(bus->bus, ret_slot, bus->destination, SYSTEMD_PATH, MANAGER,
				    "JobRemoved", on_job_removed, wait);

	if (r < 0)
		log_say(bus->log, LEVEL_ERROR, "systemd: cannot listen for the end of jobs: %s",
			strerror(-r));
	return r < 0 ? r : 0;
}

/* Processes messages until the job is removed; -ETIMEDOUT after the bus's timeout. */
static int wait_for_job(struct bus *bus, struct wait *wait)
{
	uint64_t deadline = now_usec(CLOCK_MONOTONIC) + bus->timeout;

	while (!wait->result) {
		uint64_t now = now_usec(CLOCK_MONOTONIC);
		int r = sd_bus_process(bus->bus, NULL);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (now >= deadline)
			return -ETIMEDOUT;
		r = sd_bus_wait(bus->bus, deadline - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

static void cancel_job(struct bus *bus, const char *job)
{
	/* The job may have ended meanwhile: nothing to say about that. */
	sd_bus_call_method(bus->bus, bus->destination, job, "org.freedesktop.systemd1.Job", "Cancel",
			   NULL, NULL, NULL);
}

/* Appends "exit status N, result R" of a service that failed, as far as systemd still knows it. */
static void add_exit_status(struct bus *bus, const char *unit, struct text *out)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL, *result = NULL;
	int32_t status;

	if (sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path) < 0)
		return;
	if (sd_bus_get_property_trivial(bus->bus, bus->destination, path, SERVICE, "ExecMainStatus",
					&error, 'i', &status) < 0)
		return;
	text_addf(out, ", exit status %d", status);
	if (sd_bus_get_property_string(bus->bus, bus->destination, path, SERVICE, "Result", NULL,
				       &result) >= 0)
		text_addf(out, ", service result %s", result);
}

static int say_job_failed(struct bus *bus, const char *what, const char *unit, const char *result,
			  uint64_t since)
{
	_cleanup_text_ struct text status = {0}, lines = {0};
	int n;

	add_exit_status(bus, unit, &status);
	n = journal_tail(bus->host, unit, since, JOURNAL_LINES, &lines);
	if (n > 0)
		log_say(bus->log, LEVEL_ERROR, "%s %s: the job ended with '%s'%s; its journal says: %s",
			what, unit, result, status.s ? status.s : "", lines.s ? lines.s : "");
	else
		log_say(bus->log, LEVEL_ERROR, "%s %s: the job ended with '%s'%s; its journal cannot be "
			"read from here (%s): see journalctl -u %s on the node", what, unit, result,
			status.s ? status.s : "", n < 0 ? strerror(-n) : "nothing there", unit);
	return -EIO;
}

/* Waits for the job that a reply names and judges its result. */
static int finish_job(struct bus *bus, const char *what, const char *unit, sd_bus_message *reply,
		      struct wait *wait, uint64_t since)
{
	const char *job;
	int r = sd_bus_message_read(reply, "o", &job);

	if (r >= 0) {
		wait->job = strdup(job);
		r = wait->job ? wait_for_job(bus, wait) : -ENOMEM;
	}
	if (r == -ETIMEDOUT) {
		cancel_job(bus, wait->job);
		log_say(bus->log, LEVEL_ERROR, "%s %s: no result within %u s ([unit] start_timeout); the job "
			"was canceled; see systemctl list-jobs and journalctl -u %s on the node", what, unit,
			(unsigned)(bus->timeout / 1000000), unit);
		return r;
	}
	if (r < 0) {
		log_say(bus->log, LEVEL_ERROR, "%s %s: lost D-Bus while waiting for the job: %s; see "
			"systemctl status %s on the node", what, unit, strerror(-r), unit);
		return r;
	}
	if (strcmp(wait->result, "done") != 0)
		return say_job_failed(bus, what, unit, wait->result, since);
	return 0;
}

int bus_run_job(struct bus *bus, enum bus_job job, const char *unit)
{
	static const char *const methods[] = {
		[BUS_START] = "StartUnit", [BUS_RESTART] = "RestartUnit", [BUS_STOP] = "StopUnit",
	};
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(wait_done) struct wait wait = {0};
	uint64_t since = now_usec(CLOCK_REALTIME);
	int r;

	r = watch_jobs(bus, &wait, &slot);
	if (r == 0)
		r = CALL(bus, methods[job], unit, &reply, "ss", unit, "replace");
	return r < 0 ? r : finish_job(bus, methods[job], unit, reply, &wait, since);
}

static int add_commands(sd_bus_message *m, const struct bus_command *commands, size_t n)
{
	int r;

	r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", "ExecStart");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "a(sasb)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sasb)");
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = sd_bus_message_open_container(m, 'r', "sasb");
		if (r >= 0)
			r = sd_bus_message_append(m, "s", commands[i].argv[0]);
		if (r >= 0)
			r = sd_bus_message_open_container(m, 'a', "s");
		for (const char *const *word = commands[i].argv; r >= 0 && *word; word++)
			r = sd_bus_message_append(m, "s", *word);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
		if (r >= 0)
			r = sd_bus_message_append(m, "b", commands[i].ignore_failure);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	for (int level = 0; r >= 0 && level < 3; level++)
		r = sd_bus_message_close_container(m);
	return r;
}

int bus_run_transient(struct bus *bus, const char *description,
		      const struct bus_command *commands, size_t n)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(wait_done) struct wait wait = {0};
	uint64_t since = now_usec(CLOCK_REALTIME);
	char unit[64];
	int r;

	/* A name of its own each time: systemd forgets an ended unit only some time later. */
	snprintf(unit, sizeof(unit), "cloud-audit-setup-helper-%" PRIx64 ".service", since);
	r = watch_jobs(bus, &wait, &slot);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(bus->bus, &m, bus->destination, SYSTEMD_PATH, MANAGER,
					   "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", unit, "replace");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)", "Description", "s",
					  description, "Type", "s", "oneshot", "StandardOutput", "s",
					  "null", "StandardError", "s", "journal", "CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = add_commands(m, commands, n);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus->bus, m, bus->timeout, &error, &reply);
	if (r < 0)
		return say_failed(bus, "StartTransientUnit", unit, &error, r);
	return finish_job(bus, "StartTransientUnit", unit, reply, &wait, since);
}
