#include "setup/bus_private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/journal.h"

enum { JOURNAL_LINES = 8 };

static uint64_t now_usec(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
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
		return bus_say_failed(bus, "StartTransientUnit", unit, &error, r);
	return finish_job(bus, "StartTransientUnit", unit, reply, &wait, since);
}
