#include "setup/systemd/bus_wait.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/systemd/journal.h"

#define OURS "cloud-audit-"	/* what the names of all our units begin with */

enum {
	JOURNAL_LINES = 8,
	TICK = 100000,	/* microseconds between two looks at the clock, for who looks on */
};

static int on_job_removed(sd_bus_message *message, void *user, sd_bus_error *error)
{
	struct bus_wait *wait = user;
	const char *job, *result;
	uint32_t id;

	if (sd_bus_message_read(message, "uoss", &id, &job, NULL, &result) < 0)
		return 0;
	if (wait->job && !wait->result && strcmp(job, wait->job) == 0)
		wait->result = strdup(result);
	return 0;
}

void bus_wait_done(struct bus_wait *wait)
{
	free(wait->job);
	free(wait->result);
}

int bus_watch_jobs(struct bus *bus, struct bus_wait *wait, sd_bus_slot **ret_slot)
{
	int r = sd_bus_match_signal(bus->bus, ret_slot, bus->destination, SYSTEMD_PATH, MANAGER,
				    "JobRemoved", on_job_removed, wait);

	if (r < 0)
		log_say(bus->log, LEVEL_ERROR, "systemd: cannot listen for the end of jobs: %s",
			strerror(-r));
	return r < 0 ? r : 0;
}

/* Until the job is removed; -ETIMEDOUT after the bus's timeout. */
static int wait_for_job(struct bus *bus, struct bus_wait *wait, const char *what, const char *unit)
{
	bool shown = log_shows_progress(bus->log);
	uint64_t start = bus_now(CLOCK_MONOTONIC), deadline = start + bus->timeout, now = start;
	int r = 0;

	while (r == 0 && !wait->result) {
		uint64_t until = shown && now + TICK < deadline ? now + TICK : deadline;

		log_progress(bus->log, what, unit, now - start);
		r = bus_step(bus->bus, until);
		if (r == -ETIMEDOUT && until < deadline)
			r = 0;
		now = bus_now(CLOCK_MONOTONIC);
	}
	if (wait->result)
		log_progress_end(bus->log, what, unit, now - start);
	return wait->result ? 0 : r;
}

static void cancel_job(struct bus *bus, const char *job)
{
	/* The job may have ended meanwhile: nothing to say about that. */
	sd_bus_call_method(bus->bus, bus->destination, job, "org.freedesktop.systemd1.Job", "Cancel",
			   NULL, NULL, NULL);
}

/* Canceling a job leaves what the unit has begun to itself. False when it may go on. */
static bool stop_unit(struct bus *bus, const char *unit, struct bus_wait *wait)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *job;

	bus_wait_done(wait);
	*wait = (struct bus_wait){0};
	/* systemd may have given up at the same time, and a transient unit is gone then. */
	if (sd_bus_call_method(bus->bus, bus->destination, SYSTEMD_PATH, MANAGER, "StopUnit", &error, &reply, "ss", unit,
			       "replace") < 0)
		return sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit");
	if (sd_bus_message_read(reply, "o", &job) < 0)
		return false;
	wait->job = strdup(job);
	return wait->job && wait_for_job(bus, wait, "StopUnit", unit) == 0;
}

static int say_timeout(struct bus *bus, const char *what, const char *unit, struct bus_wait *wait)
{
	const char *unit_too = "";

	cancel_job(bus, wait->job);
	/* Another's unit, such as journald, is better left as it is. */
	if (strcmp(what, "StopUnit") != 0 && strncmp(unit, OURS, strlen(OURS)) == 0)
		unit_too = stop_unit(bus, unit, wait) ? ", and the unit stopped" :
			   ", but the unit could not be stopped and may go on";
	log_say(bus->log, LEVEL_ERROR, "%s %s: no result within %u s ([unit] start_timeout); the job was canceled%s; see "
		"systemctl list-jobs and journalctl -u %s on the node", what, unit, (unsigned)(bus->timeout / 1000000),
		unit_too, unit);
	return -ETIMEDOUT;
}

/* Appends "exit status N, result R" of a service that failed, as far as systemd still knows it. */
static void add_exit_status(struct bus *bus, const char *unit, struct text *out)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL, *result = NULL;
	int32_t status;

	/* One that was transient is gone, and asking for it by its path would make an empty one. */
	if (bus_get_unit(bus, unit, &error, &path) <= 0)
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

int bus_finish_job(struct bus *bus, const char *what, const char *unit, sd_bus_message *reply,
		   struct bus_wait *wait, uint64_t since)
{
	const char *job;
	int r = sd_bus_message_read(reply, "o", &job);

	if (r < 0)
		return bus_say_failed(bus, what, unit, &SD_BUS_ERROR_NULL, r);
	wait->job = strdup(job);
	r = wait->job ? wait_for_job(bus, wait, what, unit) : -ENOMEM;
	if (r == -ETIMEDOUT)
		return say_timeout(bus, what, unit, wait);
	if (r < 0) {
		log_say(bus->log, LEVEL_ERROR, "%s %s: lost D-Bus while waiting for the job: %s; see "
			"systemctl status %s on the node", what, unit, bus_reason(r), unit);
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
	_cleanup_(bus_wait_done) struct bus_wait wait = {0};
	uint64_t since = bus_now(CLOCK_REALTIME);
	int r;

	r = bus_watch_jobs(bus, &wait, &slot);
	if (r == 0)
		r = CALL(bus, methods[job], unit, &reply, "ss", unit, "replace");
	return r < 0 ? r : bus_finish_job(bus, methods[job], unit, reply, &wait, since);
}
