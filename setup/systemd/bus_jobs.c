#include "setup/systemd/bus_wait.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/journal/journal.h"
#include "units/audit_units.h"
#include "units/transient.h"

#define OURS "cloud-audit-"	/* what the names of all our units begin with */

enum {
	JOURNAL_LINES = 8,
	/* Microseconds. */
	TICK = 100000,		/* between two looks at the clock, for who looks on */
	LOOK = 2000000,		/* between two looks at the unit, for signals that do not come */
	LOOK_LOST = 200000,	/* the same where they cannot come */
};

static bool same_name(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int on_job_removed(sd_bus_message *message, void *user, sd_bus_error *error)
{
	struct bus_wait *wait = user;
	const char *job, *result;
	uint32_t id;

	/* A match by systemd's well-known name keeps broadcasts of others away, but not what is sent to us alone. */
	if (!same_name(sd_bus_message_get_sender(message), wait->sender))
		return 0;
	if (sd_bus_message_read(message, "uoss", &id, &job, NULL, &result) < 0)
		return 0;
	if (wait->job && !wait->result && strcmp(job, wait->job) == 0)
		wait->result = strdup(result);
	return 0;
}

void bus_wait_done(struct bus_wait *wait)
{
	free(wait->job);
	free(wait->sender);
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

/* Systemd that was executed anew has another name than before. On its own socket nobody else can be heard, and it says its
 * well-known name (bus_on_connection() in src/core/dbus.c, from 237 on), or none. */
static int note_sender(struct bus_wait *wait, sd_bus_message *reply)
{
	const char *sender = sd_bus_message_get_sender(reply);
	char *copy = sender ? strdup(sender) : NULL;

	if (sender && !copy)
		return -ENOMEM;
	free(wait->sender);
	wait->sender = copy;
	return 0;
}

/* What a job without a word has ended with, by the unit's state; NULL while it goes on. */
static const char *judge_state(const char *state, bool stop)
{
	bool active = strcmp(state, "active") == 0, failed = strcmp(state, "failed") == 0;

	if (strcmp(state, "inactive") != 0 && !active && !failed)
		return NULL;
	return active != stop ? "done" : failed || active ? "failed" : "unknown";
}

/* Whether there is still a job for the unit, and if not how it ended. What cannot be asked now is asked later. */
static int look_at_unit(struct bus *bus, struct bus_wait *wait, const char *what, const char *unit)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_free_ char *path = NULL, *state = NULL;
	bool stop = strcmp(what, "StopUnit") == 0;
	const char *result = stop ? "done" : "unknown";
	uint32_t id = 0;
	int r = bus_get_unit(bus, unit, &error, &path);

	if (r > 0) {
		r = sd_bus_get_property(bus->bus, bus->destination, path, UNIT, "Job", &error, &reply, "(uo)");
		if (r >= 0)
			r = note_sender(wait, reply);
		if (r >= 0)
			r = sd_bus_message_read(reply, "(uo)", &id, NULL);
		if (r >= 0 && id == 0)
			r = sd_bus_get_property_string(bus->bus, bus->destination, path, UNIT, "ActiveState", &error,
						       &state);
		result = r >= 0 && state ? judge_state(state, stop) : NULL;
	}
	if (r < 0)
		return sd_bus_is_open(bus->bus) > 0 ? 0 : r;
	if (!result)
		return 0;
	/* What systemd had to say of it came before its answer, and waits behind what others say. */
	for (uint64_t until = bus_now(CLOCK_MONOTONIC) + LOOK; !wait->result && bus_now(CLOCK_MONOTONIC) < until;)
		if (sd_bus_process(bus->bus, NULL) <= 0)
			break;
	if (wait->result)
		return 0;
	wait->result = strdup(result);
	return wait->result ? 0 : -ENOMEM;
}

/* What a job is for, as people say it; a transient unit's name tells them nothing. */
static const char *job_words(const char *what, const char **unit)
{
	static const struct {
		const char *what, *unit, *words;
	} rows[] = {
		{ "StopUnit", NULL, "stopping" }, { NULL, SETUP_UNIT, "loading the rules" },
		{ NULL, LOCK_UNIT, "locking" }, { "RestartUnit", NULL, "restarting" }, { "StartUnit", NULL, "starting" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((!rows[i].what || strcmp(rows[i].what, what) == 0) && (!rows[i].unit || strcmp(rows[i].unit, *unit) == 0))
			return rows[i].words;
	if (strcmp(*unit, TRANSIENT_UNIT) == 0)
		return "loading the rules";
	*unit = NULL;
	return "running a command on the host";
}

/* Until the job is removed; -ETIMEDOUT after the bus's timeout. */
static int wait_for_job(struct bus *bus, struct bus_wait *wait, const char *what, const char *unit)
{
	bool shown = log_shows_progress(bus->log);
	uint64_t start = bus_now(CLOCK_MONOTONIC), deadline = start + bus->timeout, now = start;
	uint64_t pause = LOOK, look = start + pause;
	const char *named = unit, *words = job_words(what, &named);
	int r = 0;

	while (r == 0 && !wait->result && now < deadline) {
		uint64_t until = look < deadline ? look : deadline;

		if (shown && now + TICK < until)
			until = now + TICK;
		log_progress(bus->log, words, named, now - start);
		r = bus_step(bus->bus, until);
		now = bus_now(CLOCK_MONOTONIC);
		if (r == -ETIMEDOUT)
			r = 0;
		/* Also at the end: the word may have been lost. */
		if (r == 0 && !wait->result && (now >= look || now >= deadline)) {
			r = look_at_unit(bus, wait, what, unit);
			now = bus_now(CLOCK_MONOTONIC);
			look = now + pause;
		}
		if (r < 0 && r != -ENOMEM && sd_bus_is_open(bus->bus) <= 0 && now < deadline && bus_revive(bus) == 0) {
			/* The match went with the connection. */
			pause = LOOK_LOST;
			look = now;
			r = 0;
		}
	}
	if (wait->result)
		log_progress_end(bus->log, words, named, now - start);
	return wait->result ? 0 : r < 0 ? r : -ETIMEDOUT;
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
	return wait->job && note_sender(wait, reply) == 0 && wait_for_job(bus, wait, "StopUnit", unit) == 0;
}

/* Another's unit, such as journald, is better left as it is. */
static bool is_ours(const char *unit)
{
	return strncmp(unit, OURS, strlen(OURS)) == 0;
}

int bus_say_not_started(struct bus *bus, const char *call, const char *unit, const sd_bus_error *error, int r)
{
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(bus_wait_done) struct bus_wait wait = {0};
	const char *and = "";

	if (is_ours(unit) && (r == -ETIMEDOUT || sd_bus_is_open(bus->bus) <= 0))
		and = bus_revive(bus) == 0 && bus_watch_jobs(bus, &wait, &slot) == 0 && stop_unit(bus, unit, &wait) ?
			"; nothing of it goes on" : "; it may have been started, could not be stopped and may go on";
	return bus_say_failed_and(bus, call, unit, error, r, and);
}

static int say_timeout(struct bus *bus, const char *what, const char *unit, struct bus_wait *wait)
{
	const char *unit_too = "";

	cancel_job(bus, wait->job);
	if (strcmp(what, "StopUnit") != 0 && is_ours(unit))
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
	return strcmp(result, "canceled") == 0 || strcmp(result, "unknown") == 0 ? -ECANCELED : -EIO;
}

int bus_finish_job(struct bus *bus, const char *what, const char *unit, sd_bus_message *reply,
		   struct bus_wait *wait, uint64_t since)
{
	const char *job;
	int r = sd_bus_message_read(reply, "o", &job);

	if (r < 0)
		return bus_say_failed(bus, what, unit, &SD_BUS_ERROR_NULL, r);
	wait->job = strdup(job);
	r = wait->job ? note_sender(wait, reply) : -ENOMEM;
	if (r == 0)
		r = wait_for_job(bus, wait, what, unit);
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
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(bus_wait_done) struct bus_wait wait = {0};
	uint64_t since = bus_now(CLOCK_REALTIME);
	int r;

	r = bus_watch_jobs(bus, &wait, &slot);
	if (r < 0)
		return r;
	r = sd_bus_call_method(bus->bus, bus->destination, SYSTEMD_PATH, MANAGER, methods[job], &error, &reply, "ss",
			       unit, "replace");
	if (r < 0)
		return job == BUS_STOP ? bus_say_failed(bus, methods[job], unit, &error, r) :
			bus_say_not_started(bus, methods[job], unit, &error, r);
	return bus_finish_job(bus, methods[job], unit, reply, &wait, since);
}
