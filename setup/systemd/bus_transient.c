#include "setup/systemd/bus_wait.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "setup/systemd/bus_units.h"
#include "units/service.h"
#include "units/transient.h"

/* Both kinds end in time by themselves, too: whoever waits for them may be killed. */
enum { STOP_TIMEOUT = 10000000 };	/* microseconds */

/* What a helper that runs a command has. */
static const struct unit_property helper_properties[] = {
	{ "After", 'a', HOST_RULES_UNITS, 0 },
	{ "Type", 's', "oneshot", 0 },
	{ "StandardOutput", 's', "null", 0 },
	{ "StandardError", 's', "journal", 0 },
	{ "CollectMode", 's', "inactive-or-failed", 0 },
	{ "TimeoutStopUSec", 't', NULL, STOP_TIMEOUT },
};

/* A property whose value is an array of elements: what is appended between these two calls. */
static int open_array(sd_bus_message *m, const char *name, const char *type)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	return r < 0 ? r : sd_bus_message_open_container(m, 'v', type);
}

static int close_array(sd_bus_message *m)
{
	int r = sd_bus_message_close_container(m);

	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int add_words(sd_bus_message *m, const char *name, const char *words)
{
	_cleanup_free_ char *copy = strdup(words);
	char *rest = NULL;
	int r = copy ? open_array(m, name, "as") : -ENOMEM;

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "s");
	for (char *word = r >= 0 ? strtok_r(copy, " ", &rest) : NULL; r >= 0 && word; word = strtok_r(NULL, " ", &rest))
		r = sd_bus_message_append(m, "s", word);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : close_array(m);
}

static int add_properties(sd_bus_message *m, const struct unit_property *properties, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		const struct unit_property *p = &properties[i];

		if (p->type == 'a')
			r = add_words(m, p->name, p->value);
		else if (p->type == 's')
			r = sd_bus_message_append(m, "(sv)", p->name, "s", p->value);
		else if (p->type == 't')
			r = sd_bus_message_append(m, "(sv)", p->name, "t", p->number);
		else if (p->type == 'u')
			r = sd_bus_message_append(m, "(sv)", p->name, "u", (uint32_t)p->number);
		else
			r = sd_bus_message_append(m, "(sv)", p->name, "b", (int)p->number);
	}
	return r;
}

/* ExecStart of one command: "a(sasb)". */
static int add_command(sd_bus_message *m, const char *const *argv)
{
	int r = open_array(m, "ExecStart", "a(sasb)");

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sasb)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "sasb");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", argv[0]);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "s");
	for (const char *const *word = argv; r >= 0 && *word; word++)
		r = sd_bus_message_append(m, "s", *word);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_append(m, "b", false);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : close_array(m);
}

static int add_input(sd_bus_message *m, const struct text *input)
{
	int r = open_array(m, "StandardInputData", "ay");

	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', input->s, input->len);
	return r < 0 ? r : close_array(m);
}

/* ExecStart and its input: auditctl -R of these rules. */
static int add_load(sd_bus_message *m, const char *auditctl, const struct text *rules)
{
	const char *const argv[] = { "/bin/sh", "-c", transient_script, auditctl, NULL };
	int r = add_command(m, argv);

	return r < 0 ? r : add_input(m, rules);
}

/* Begins a call of StartTransientUnit, as far as its open list of properties. */
static int begin_start(struct bus *bus, const char *unit, sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_call(bus->bus, ret, bus->destination, SYSTEMD_PATH, MANAGER,
					       "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(*ret, "ss", unit, "replace");
	return r < 0 ? r : sd_bus_message_open_container(*ret, 'a', "(sv)");
}

static int end_start(struct bus *bus, sd_bus_message *m, sd_bus_error *error, sd_bus_message **ret_reply)
{
	int r = sd_bus_message_close_container(m);

	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	return r < 0 ? r : sd_bus_call(bus->bus, m, bus->timeout, error, ret_reply);
}

/* A helper that runs argv, or with rules auditctl -R. */
static int run_helper(struct bus *bus, const char *description, const char *const *argv, const char *auditctl,
		      const struct text *rules)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(bus_wait_done) struct bus_wait wait = {0};
	uint64_t since = bus_now(CLOCK_REALTIME);
	char unit[64];
	int r;

	/* A name of its own each time: systemd forgets an ended unit only some time later. */
	snprintf(unit, sizeof(unit), "cloud-audit-setup-helper-%" PRIx64 ".service", since);
	r = bus_watch_jobs(bus, &wait, &slot);
	if (r < 0)
		return r;
	r = begin_start(bus, unit, &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "Description", "s", description);
	if (r >= 0)
		r = add_properties(m, helper_properties, ARRAY_SIZE(helper_properties));
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "TimeoutStartUSec", "t", bus->timeout);
	if (r >= 0 && rules)
		r = sd_bus_message_append(m, "(sv)", "StandardInput", "s", "data");
	if (r >= 0)
		r = rules ? add_load(m, auditctl, rules) : add_command(m, argv);
	if (r >= 0)
		r = end_start(bus, m, &error, &reply);
	if (r < 0)
		return bus_say_not_started(bus, "StartTransientUnit", unit, &error, r);
	return bus_finish_job(bus, "StartTransientUnit", unit, reply, &wait, since);
}

int bus_run_transient(struct bus *bus, const char *description, const char *const *argv)
{
	return run_helper(bus, description, argv, NULL, NULL);
}

int bus_load_rules(struct bus *bus, const char *description, const char *auditctl, const struct text *rules)
{
	return run_helper(bus, description, NULL, auditctl, rules);
}

static int ask_start_rules(struct bus *bus, const char *auditctl, const struct text *rules,
			   sd_bus_error *error, sd_bus_message **ret_reply)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r = begin_start(bus, TRANSIENT_UNIT, &m);

	if (r >= 0)
		r = add_properties(m, transient_properties, n_transient_properties);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "TimeoutStartUSec", "t", bus->timeout);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "TimeoutStopUSec", "t", (uint64_t)STOP_TIMEOUT);
	if (r >= 0)
		r = add_load(m, auditctl, rules);
	return r < 0 ? r : end_start(bus, m, error, ret_reply);
}

int bus_start_rules(struct bus *bus, const char *auditctl, const struct text *rules)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
	_cleanup_(bus_wait_done) struct bus_wait wait = {0};
	uint64_t since = bus_now(CLOCK_REALTIME), deadline = bus_now(CLOCK_MONOTONIC) + bus->timeout;
	int r = bus_watch_jobs(bus, &wait, &slot);

	if (r < 0)
		return r;
	/* systemd forgets the one that was stopped a moment after its job's end. */
	for (int tries = 0; tries < 100 && bus_now(CLOCK_MONOTONIC) < deadline; tries++) {
		sd_bus_error_free(&error);
		r = ask_start_rules(bus, auditctl, rules, &error, &reply);
		if (r >= 0 || !sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitExists"))
			break;
		nanosleep(&pause, NULL);
	}
	if (r < 0)
		return bus_say_not_started(bus, "StartTransientUnit", TRANSIENT_UNIT, &error, r);
	return bus_finish_job(bus, "StartTransientUnit", TRANSIENT_UNIT, reply, &wait, since);
}

/* That it is there: its rules systemd alone tells. */
static int read_by_file(struct bus *bus, struct text *ret)
{
	struct stat st;

	if (host_stat(bus->host, "/run/systemd/transient/" TRANSIENT_UNIT, &st) == 0)
		text_add(ret, "");
	return text_error(ret) < 0 ? log_no_memory(bus->log) : 0;
}

int bus_read_rules(struct bus *bus, struct text *ret, bool *ret_active)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_text_ struct text rules = {0};
	_cleanup_free_ char *path = NULL;
	const void *data;
	size_t size;
	int r;

	*ret_active = false;
	if (!bus_is_there(bus))
		return read_by_file(bus, ret);
	r = bus_get_unit(bus, TRANSIENT_UNIT, &error, &path);
	if (r < 0)
		return bus_say_failed(bus, "GetUnit", TRANSIENT_UNIT, &error, r);
	if (r == 0)
		return 0;
	r = sd_bus_get_property(bus->bus, bus->destination, path, SERVICE, "StandardInputData", &error, &m,
				"ay");
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', &data, &size);
	if (r < 0)
		return bus_say_failed(bus, "StandardInputData", TRANSIENT_UNIT, &error, r);
	text_add_bytes(&rules, data, size);
	text_add(&rules, "");
	if (text_error(&rules) < 0)
		return log_no_memory(bus->log);
	r = bus_unit_active(bus, TRANSIENT_UNIT, ret_active);
	if (r < 0)
		return r;
	*ret = rules;
	rules = (struct text){0};
	return 0;
}
