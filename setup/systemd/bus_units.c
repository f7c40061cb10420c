#include "setup/systemd/bus_private.h"

#include <errno.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/systemd/bus_units.h"
#include "setup/systemd/unit_files.h"

/* Of each unit the same is asked. All is asked before the first answer is waited for: a turn costs more than an
 * answer. */
enum { LOAD, ACTIVE, FRAGMENT, NEEDS_RELOAD, DROP_INS, FILE_STATE, N_QUESTIONS };

static const struct question {
	const char *name;	/* a property of UNIT, but for the last: a method of the manager */
	char type;		/* of the answer; 'a': of strings */
} questions[N_QUESTIONS] = {
	[LOAD] = { "LoadState", 's' }, [ACTIVE] = { "ActiveState", 's' }, [FRAGMENT] = { "FragmentPath", 's' },
	[NEEDS_RELOAD] = { "NeedDaemonReload", 'b' }, [DROP_INS] = { "DropInPaths", 'a' },
	[FILE_STATE] = { "GetUnitFileState", 's' },
};

struct answer {
	sd_bus_slot *slot;
	sd_bus_message *reply;	/* NULL while it has not come */
	bool known;	/* not asked */
};

static int on_answer(sd_bus_message *message, void *user, sd_bus_error *error)
{
	struct answer *answer = user;

	answer->reply = sd_bus_message_ref(message);
	return 1;
}

static void answers_free(struct answer *answers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sd_bus_slot_unref(answers[i].slot);
		sd_bus_message_unref(answers[i].reply);
	}
	free(answers);
}

static int ask(struct bus *bus, const char *unit, size_t question, struct answer *answer)
{
	const char *name = questions[question].name;
	_cleanup_free_ char *path = NULL;
	int r;

	if (question == FILE_STATE)
		return sd_bus_call_method_async(bus->bus, &answer->slot, bus->destination, SYSTEMD_PATH, MANAGER,
						name, on_answer, answer, "s", unit);
	r = bus_unit_path(unit, &path);
	return r < 0 ? r : sd_bus_call_method_async(bus->bus, &answer->slot, bus->destination, path,
						    "org.freedesktop.DBus.Properties", "Get", on_answer, answer, "ss",
						    UNIT, name);
}

/* What need not be asked: systemd goes through all directories and links of units for it, which costs more than any other answer.
 * 1 where it is known, 0, or -ENOMEM. */
static int find_answer(struct bus *bus, const char *unit, size_t question, struct answer *answer)
{
	int r = question == FILE_STATE ? unit_files_enabled(bus->host, unit, &answer->known) : 0;

	return r < 0 ? r : answer->known;
}

/* Each call ends in time: then sd-bus itself makes an answer that says so. */
static int wait_for(struct bus *bus, const struct answer *answers, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		while (r == 0 && !answers[i].reply && !answers[i].known)
			r = bus_step(bus->bus, UINT64_MAX);
	return r;
}

/* An array of strings, which are the caller's. */
static int read_strings(sd_bus_message *reply, char ***ret)
{
	int r = sd_bus_message_enter_container(reply, 'v', "as");

	return r < 0 ? r : sd_bus_message_read_strv(reply, ret);
}

/* Puts an answer where value points: const char *, of the reply, int, or char **, the caller's. */
static int read_answer(struct bus *bus, size_t question, const struct answer *answer, void *value)
{
	const char type[] = { questions[question].type, '\0' };

	int r = bus_reply_error(bus->bus, answer->reply);

	if (r < 0)
		return r;
	if (questions[question].type == 'a')
		return read_strings(answer->reply, value);
	return question == FILE_STATE ? sd_bus_message_read(answer->reply, type, value) :
		sd_bus_message_read(answer->reply, "v", type, value);
}

/* As read_answer(), and says what is wrong; waited: what the wait ended with. */
static int take_answer(struct bus *bus, const char *unit, size_t question, const struct answer *answer, int waited,
		       void *value)
{
	const sd_bus_error *error = &SD_BUS_ERROR_NULL;
	int r = answer->reply ? read_answer(bus, question, answer, value) : waited;

	if (r >= 0)
		return 0;
	if (r != -ECONNRESET && answer->reply && sd_bus_message_get_error(answer->reply))
		error = sd_bus_message_get_error(answer->reply);
	/* Of a unit without a file nothing is enabled. */
	if (question == FILE_STATE && answer->reply &&
	    (r == -ENOENT || sd_bus_error_has_name(error, SD_BUS_ERROR_FILE_NOT_FOUND)))
		return 0;
	return bus_say_failed(bus, questions[question].name, unit, error, r);
}

static int take_state(struct bus *bus, const char *unit, const struct answer *answers, int waited,
		      struct unit_state *ret)
{
	const char *text[N_QUESTIONS] = { [FILE_STATE] = answers[FILE_STATE].known ? "enabled" : "" };
	int needs_reload = 0;
	_cleanup_strings_ char **drop_ins = NULL;
	void *const values[N_QUESTIONS] = {
		[LOAD] = &text[LOAD], [ACTIVE] = &text[ACTIVE], [FRAGMENT] = &text[FRAGMENT],
		[FILE_STATE] = &text[FILE_STATE], [NEEDS_RELOAD] = &needs_reload, [DROP_INS] = &drop_ins,
	};
	int r = 0;
	bool masked;

	for (size_t q = 0; r == 0 && q < N_QUESTIONS; q++)
		r = answers[q].known ? 0 : take_answer(bus, unit, q, &answers[q], waited, values[q]);
	if (r < 0)
		return r;
	unit_files_drop_masks(bus->host, drop_ins);
	/* Then FragmentPath is the mask. */
	masked = strcmp(text[LOAD], "masked") == 0;
	*ret = (struct unit_state){
		.exists = strcmp(text[LOAD], "not-found") != 0,
		.active = strcmp(text[ACTIVE], "active") == 0,
		.failed = strcmp(text[ACTIVE], "failed") == 0,
		.changing = strcmp(text[ACTIVE], "inactive") != 0 && strcmp(text[ACTIVE], "failed") != 0 &&
			    strcmp(text[ACTIVE], "active") != 0,
		/* A link is there that starts it at boot: read from the disk, as systemctl is-enabled does. */
		.enabled = strcmp(text[FILE_STATE], "enabled") == 0,
		.needs_reload = needs_reload,
		.fragment = strdup(masked ? "" : text[FRAGMENT]),
		.drop_ins = TAKE(drop_ins),
	};
	if (!ret->fragment)
		strings_free(TAKE(ret->drop_ins));
	return ret->fragment ? 0 : bus_say_failed(bus, questions[FRAGMENT].name, unit, &SD_BUS_ERROR_NULL, -ENOMEM);
}

static int states_by_files(struct bus *bus, const char *const *units, size_t n, struct unit_state *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (unit_files_state(bus->host, units[i], &ret[i]) == 0)
			continue;
		for (size_t k = 0; k <= i; k++)
			unit_state_done(&ret[k]);
		return log_no_memory(bus->log);
	}
	return 0;
}

int bus_unit_states(struct bus *bus, const char *const *units, size_t n, struct unit_state *ret)
{
	struct answer *answers;
	size_t done = 0;
	int r = 0;

	if (!bus_is_there(bus))
		return states_by_files(bus, units, n, ret);
	answers = calloc(n * N_QUESTIONS + 1, sizeof(*answers));
	if (!answers)
		return bus_say_failed(bus, "asking for units", NULL, &SD_BUS_ERROR_NULL, -ENOMEM);
	for (size_t i = 0; r >= 0 && i < n * N_QUESTIONS; i++) {
		r = find_answer(bus, units[i / N_QUESTIONS], i % N_QUESTIONS, &answers[i]);
		if (r == 0)
			r = ask(bus, units[i / N_QUESTIONS], i % N_QUESTIONS, &answers[i]);
	}
	if (r >= 0)
		r = wait_for(bus, answers, n * N_QUESTIONS);
	/* One that was not even asked, or has no answer, is reported as one that failed. */
	for (int waited = r; done < n; done++) {
		r = take_state(bus, units[done], answers + done * N_QUESTIONS, waited, &ret[done]);
		if (r < 0)
			break;
	}
	for (size_t i = 0; r < 0 && i < done; i++)
		unit_state_done(&ret[i]);
	answers_free(answers, n * N_QUESTIONS);
	return r;
}

int bus_unit_state(struct bus *bus, const char *unit, struct unit_state *ret)
{
	return bus_unit_states(bus, &unit, 1, ret);
}

int bus_unit_active(struct bus *bus, const char *unit, bool *ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL, *active = NULL;
	int r = bus_unit_path(unit, &path);

	*ret = false;
	if (r >= 0 && !bus_is_there(bus))
		return 0;
	if (r < 0)
		return bus_say_failed(bus, "ActiveState", unit, &error, r);
	r = sd_bus_get_property_string(bus->bus, bus->destination, path, UNIT, "ActiveState", &error, &active);
	if (r < 0)
		return bus_say_failed(bus, "ActiveState", unit, &error, r);
	*ret = strcmp(active, "active") == 0;
	return 0;
}

/* Marks the active ones of an answer a(ssssssouso): name, description, load, active state, ... */
static int read_active(sd_bus_message *m, const char *const *units, size_t n, bool *active)
{
	const char *name, *state;
	int r = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "(ssssssouso)", &name, NULL, NULL, &state, NULL, NULL, NULL, NULL, NULL,
					NULL)) > 0)
		for (size_t i = 0; i < n; i++)
			if (strcmp(units[i], name) == 0)
				active[i] = strcmp(state, "active") == 0;
	return r;
}

int bus_units_active(struct bus *bus, const char *const *units, size_t n, bool *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	for (size_t i = 0; i < n; i++)
		ret[i] = false;
	if (!bus_is_there(bus))
		return 0;
	r = sd_bus_message_new_method_call(bus->bus, &m, bus->destination, SYSTEMD_PATH, MANAGER, "ListUnitsByNames");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "s", units[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_call(bus->bus, m, bus->timeout, &error, &reply);
	if (r >= 0)
		r = read_active(reply, units, n, ret);
	return r < 0 ? bus_say_failed(bus, "ListUnitsByNames", NULL, &error, r) : 0;
}

void unit_state_done(struct unit_state *state)
{
	free(state->fragment);
	strings_free(state->drop_ins);
	*state = (struct unit_state){0};
}
