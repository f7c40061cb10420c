/* The D-Bus client against a systemd that fails, at each of its calls, in each way that can be thought of.
 * Whatever happens: the right error, one message with the call, the unit and the reason, and no wait beyond
 * the time given. The table of points and faults is in the output. */
#include "t/unit/test.h"

#include <libaudit.h>
#include <time.h>

#include "setup/host/host.h"
#include "setup/systemd/bus_private.h"
#include "setup/systemd/bus_units.h"
#include "t/unit/peer.h"

/* Microseconds: the time given where it runs out, and where it must not, however busy the machine is. */
enum { TIMEOUT = 250000, LONG_TIMEOUT = 20000000, SLACK = 5000000 };

#define NAME "x-y.service"
#define SAID "so says the peer"

enum fault_kind { NONE, ERROR, BODY, SILENT, CLOSE, HALF, GARBAGE, LONG, DEAF, RESULT, OTHER_FIRST, SIGNAL_TYPES,
	SIGNAL_CLOSE, FLOOD };

/* What goes wrong, and what a call makes of it. */
struct fault {
	const char *column;
	enum fault_kind kind;
	const char *word;	/* of the error, the body's signature, the job's result */
	int error;
	const char *said;	/* in the message */
};

struct plan {
	const char *point;	/* the call that the fault hits, NULL for all */
	const struct fault *fault;
};

/* --- a systemd that does not work --- */

static bool flood(struct peer *peer, const struct peer_call *call)
{
	while (peer_wait(peer, -1) || true)
		if (!peer_job_removed(peer, "/org/freedesktop/systemd1/job/8", "done"))
			return false;
}

static bool fail_job(struct peer *peer, const struct peer_call *call, const struct fault *fault)
{
	_cleanup_text_ struct text m = {0}, body = {0};

	if (fault->kind == OTHER_FIRST)
		return peer_job_removed(peer, "/org/freedesktop/systemd1/job/77", "failed") &&
			peer_reply_path(peer, call, PEER_JOB) &&
			peer_job_removed(peer, "/org/freedesktop/systemd1/job/8", "failed") &&
			peer_job_removed(peer, PEER_JOB, "done") && peer_job_removed(peer, PEER_JOB, "failed");
	if (!peer_reply_path(peer, call, PEER_JOB) || fault->kind == SIGNAL_CLOSE)
		return false;
	if (fault->kind == FLOOD)
		return flood(peer, call);
	if (fault->kind == RESULT)
		return !fault->word || peer_job_removed(peer, PEER_JOB, fault->word);
	peer_u64(&body, 7);
	peer_message(peer, &m, PEER_SIGNAL, 0, "JobRemoved", "t", &body);
	return peer_send(peer, m.s, m.len);
}

static bool fail_bytes(struct peer *peer, const struct peer_call *call, const struct fault *fault)
{
	_cleanup_text_ struct text m = {0}, body = {0};

	peer_string(&body, "a body that is long enough to be cut in the middle");
	peer_message(peer, &m, PEER_RETURN, call->serial, NULL, "s", &body);
	if (fault->kind == LONG)
		memcpy(m.s + 4, "\xff\xff\xff\x7f", 4);
	if (fault->kind == GARBAGE)
		memset(m.s, '#', m.len);
	return peer_send(peer, m.s, fault->kind == HALF ? m.len / 2 : m.len) && fault->kind != HALF;
}

static bool answer(struct peer *peer, const struct peer_call *call)
{
	const struct plan *plan = peer->plan;
	const struct fault *fault = plan->fault;
	_cleanup_text_ struct text body = {0};

	if (!fault || (plan->point && strcmp(plan->point, call->name) != 0))
		return peer_answer_well(peer, call);
	switch (fault->kind) {
	case NONE:
		return peer_answer_well(peer, call);
	case ERROR:
		return peer_error(peer, call, fault->word, SAID);
	case BODY:
		if (*fault->word == 'v')
			peer_signature(&body, "x");
		if (*fault->word)
			peer_u64(&body, 42);
		return peer_reply(peer, call, fault->word, &body);
	case SILENT:
		return true;
	case DEAF:
		peer->deaf = true;
		return true;
	case CLOSE:
		return false;
	case HALF:
	case GARBAGE:
	case LONG:
		return fail_bytes(peer, call, fault);
	default:
		return fail_job(peer, call, fault);
	}
}

/* --- the calls --- */

static int state(struct bus *bus)
{
	struct unit_state s = { .fragment = NULL };
	int r = bus_unit_state(bus, NAME, &s);

	if (r == 0) {
		assert_true(s.exists && s.active && !s.failed && s.needs_reload);
		assert_string_equal(s.fragment, "/f");
		assert_string_equal(s.drop_ins[0], "/d/a.conf");
		assert_string_equal(s.drop_ins[1], "/d/b.conf");
		assert_null(s.drop_ins[2]);
	} else {
		assert_null(s.fragment);
	}
	unit_state_done(&s);
	return r;
}

static int service(struct bus *bus)
{
	uint64_t started = 0;
	int r = bus_service_started(bus, NAME, &started);

	assert_int_equal(started, r == 0 ? 5 : 0);
	return r;
}

static int active(struct bus *bus) { bool on; return bus_unit_active(bus, NAME, &on); }

static int several(struct bus *bus)
{
	const char *const units[] = { "x.service", "auditd.service" };
	bool on[2] = { true, true };
	int r = bus_units_active(bus, units, 2, on);

	assert_false(on[0]);
	assert_int_equal(on[1], r == 0);
	return r;
}

static int enable(struct bus *bus) { return bus_enable(bus, NAME); }
static int disable(struct bus *bus) { return bus_disable(bus, NAME); }
static int reset(struct bus *bus) { return bus_reset_failed(bus, NAME); }
static int start(struct bus *bus) { return bus_run_job(bus, BUS_START, NAME); }
static int restart(struct bus *bus) { return bus_run_job(bus, BUS_RESTART, NAME); }
static int stop(struct bus *bus) { return bus_run_job(bus, BUS_STOP, NAME); }

static int transient(struct bus *bus)
{
	const char *const argv[] = { "/sbin/auditctl", "-e", "1", NULL };

	return bus_run_transient(bus, "a helper", argv);
}

static int load(struct bus *bus)
{
	const struct text rules = { .s = (char[]){ "-D\n" }, .len = 3 };

	return bus_load_rules(bus, "a helper", "/sbin/auditctl", &rules);
}

static int start_rules(struct bus *bus)
{
	_cleanup_text_ struct text rules = {0};
	int r;

	/* More than a socket takes without a reader. */
	while (rules.len < 4000000)
		text_add(&rules, "-a always,exit -F pid=1\n");
	r = bus_start_rules(bus, "/sbin/auditctl", &rules);
	return r;
}

static int read_rules(struct bus *bus)
{
	_cleanup_text_ struct text rules = {0};
	bool on;
	int r = bus_read_rules(bus, &rules, &on);

	if (r < 0)
		assert_null(rules.s);
	else if (rules.s)
		assert_string_equal(rules.s, "-D\n");
	return r;
}

/* Every call of every function; unit as a message names it, NULL for one that is about none. */
static const struct point {
	const char *call;
	int (*run)(struct bus *bus);
	const char *unit;
	bool no_body;	/* the answer's content is not looked at */
	bool job;
	bool turn;	/* asked with others in one turn: when the connection ends, any of them may be named */
	const char *fine;	/* errors that are no failure here */
} points[] = {
	{ "Subscribe", bus_subscribe, NULL, .no_body = true },
	{ "Reload", bus_reload, NULL, .no_body = true },
	{ "EnableUnitFiles", enable, NAME, .no_body = true },
	{ "DisableUnitFiles", disable, NAME, .no_body = true, .fine = "NoSuchUnit" },
	{ "ResetFailedUnit", reset, NAME, .no_body = true },
	{ "LoadState", state, NAME, .turn = true },
	{ "ActiveState", state, NAME, .turn = true },
	{ "FragmentPath", state, NAME, .turn = true },
	{ "NeedDaemonReload", state, NAME, .turn = true },
	{ "DropInPaths", state, NAME, .turn = true },
	{ "GetUnitFileState", state, NAME, .turn = true, .fine = "FileNotFound, NoSuchUnit" },
	{ "ActiveState", active, NAME, .fine = NULL },
	{ "ListUnitsByNames", several, NULL, .fine = NULL },
	{ "ExecMainStartTimestamp", service, NAME, .fine = NULL },
	{ "StartUnit", start, NAME, .job = true },
	{ "RestartUnit", restart, NAME, .job = true },
	{ "StopUnit", stop, NAME, .job = true },
	{ "StartTransientUnit", transient, "cloud-audit-setup-helper-", .job = true },
	{ "StartTransientUnit", load, "cloud-audit-setup-helper-", .job = true },
	{ "StartTransientUnit", start_rules, "cloud-audit-rules.service", .job = true },
	{ "GetUnit", read_rules, "cloud-audit-rules.service", .fine = "NoSuchUnit" },
	{ "StandardInputData", read_rules, "cloud-audit-rules.service", .fine = NULL },
	{ "ActiveState", read_rules, "cloud-audit-rules.service", .fine = NULL },
};

#define SYSTEMD1 "org.freedesktop.systemd1."
#define DBUS "org.freedesktop.DBus.Error."

static const struct fault call_faults[] = {
	{ "well", NONE, NULL, 0, NULL },
	{ "denied", ERROR, DBUS "AccessDenied", -EACCES, SAID },
	{ "NoSuchUnit", ERROR, SYSTEMD1 "NoSuchUnit", -ENOENT, SAID },
	{ "masked", ERROR, SYSTEMD1 "UnitMasked", -ERFKILL, SAID },
	{ "exists", ERROR, SYSTEMD1 "UnitExists", -EEXIST, SAID },
	{ "FileNotFound", ERROR, DBUS "FileNotFound", -ENOENT, SAID },
	{ "NoReply", ERROR, DBUS "NoReply", -ETIMEDOUT, SAID },
	{ "unheard-of", ERROR, "a.b.Frobnicated", -EIO, SAID },
	{ "empty", BODY, "", -ENXIO, "not the answer that was expected" },
	{ "wrong type", BODY, "t", -ENXIO, "not the answer that was expected" },
	{ "other variant", BODY, "v", -ENXIO, "not the answer that was expected" },
	{ "silent", SILENT, NULL, -ETIMEDOUT, "timed out" },
	{ "closed", CLOSE, NULL, -ECONNRESET, "Connection reset by peer" },
	{ "half", HALF, NULL, -ECONNRESET, "Connection reset by peer" },
	{ "garbage", GARBAGE, NULL, -EBADMSG, "not the answer that was expected" },
	{ "2 GiB", LONG, NULL, -ENOBUFS, "No buffer space available" },
	{ "deaf", DEAF, NULL, -ETIMEDOUT, "timed out" },
};

static const struct fault job_faults[] = {
	{ "failed", RESULT, "failed", -EIO, "'failed', exit status 3, service result exit-code" },
	{ "timeout", RESULT, "timeout", -EIO, "'timeout'" },
	{ "canceled", RESULT, "canceled", -ECANCELED, "'canceled'" },
	{ "dependency", RESULT, "dependency", -EIO, "'dependency'" },
	{ "skipped", RESULT, "skipped", -EIO, "'skipped'" },
	{ "assert", RESULT, "assert", -EIO, "'assert'" },
	{ "collected", RESULT, "collected", -EIO, "'collected'" },
	{ "unheard-of", RESULT, "frobnicated", -EIO, "'frobnicated'" },
	{ "no word", RESULT, "", -EIO, "''" },
	{ "never", RESULT, NULL, -ETIMEDOUT, "no result within" },
	{ "others'", OTHER_FIRST, NULL, 0, NULL },
	{ "wrong type", SIGNAL_TYPES, NULL, -ETIMEDOUT, "no result within" },
	{ "closed", SIGNAL_CLOSE, NULL, -ECONNRESET, "lost D-Bus while waiting for the job: Connection reset by peer" },
	{ "flood", FLOOD, NULL, -ETIMEDOUT, "no result within" },
};

/* --- one point, one fault --- */

/* A table is filled to its end, whatever is wrong in it. */
static unsigned wrong;
#define WRONG(...) (wrong++, print_message("\n# WRONG " __VA_ARGS__), print_message("\n"))

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static const char *socket_path(const char *name)
{
	mkdir(test_path("root"), 0755);
	mkdir(test_path("root/run"), 0755);
	mkdir(test_path("root/run/systemd"), 0755);
	mkdir(test_path("root/run/dbus"), 0755);
	return test_path(name);
}

/* What a call is to make of a fault: some look at nothing, or take an error for an answer. */
static int expected_of(const struct point *point, const struct fault *fault)
{
	if (fault->kind == BODY && point->no_body)
		return 0;
	if (fault->kind == ERROR && point->fine && strstr(point->fine, strrchr(fault->word, '.') + 1))
		return 0;
	return fault->error;
}

/* Is the call named, or, where it depends on the peer's speed which of a turn is lost, one of the turn? */
static bool names_call(const struct point *point, const struct fault *fault, const char *said)
{
	static const char *const turn[] = {
		"LoadState", "ActiveState", "FragmentPath", "NeedDaemonReload", "DropInPaths", "GetUnitFileState",
	};

	for (size_t i = 0; point->turn && fault->error == -ECONNRESET && i < ARRAY_SIZE(turn); i++)
		if (strstr(said, turn[i]))
			return true;
	return strstr(said, point->call);
}

static void check_said(const struct point *point, const struct fault *fault, const char *said)
{
	const char *line = strchr(said, '\n');

	if (!line || line[1] || strncmp(said, "cloud-audit-setup: error: ", 26) != 0)
		WRONG("%s, %s: not one error: %s", point->call, fault->column, said);
	if (!names_call(point, fault, said) || (point->unit && !strstr(said, point->unit)) ||
	    !strstr(said, fault->said))
		WRONG("%s, %s: does not say '%s' and '%s': %s", point->call, fault->column,
			 point->unit ? point->unit : "", fault->said, said);
}

static void set_timeout(struct bus *bus, uint64_t timeout)
{
	bus->timeout = timeout;
	assert_true(sd_bus_set_method_call_timeout(bus->bus, timeout) >= 0);
}

static const char *run_fault(const struct point *point, const struct fault *fault)
{
	const struct plan plan = { point->call, fault };
	/* A job that has no end is one that is there. */
	struct peer peer = { .answer = answer, .plan = &plan, .job = 7 };
	struct host host, nowhere = { .fd = -1, .root = (char[]){ "/" } };
	struct capture c;
	struct bus *bus;
	uint64_t since;
	int r;

	peer_start(&peer, socket_path("root/run/systemd/private"));
	assert_int_equal(host_open_root(&host, test_path("root")), 0);
	capture_begin(&c);
	assert_int_equal(bus_open(&bus, &host, "auto", LONG_TIMEOUT, c.log), 0);
	if (fault->kind == SIGNAL_CLOSE || fault->error == -ECONNRESET)
		bus->timeout = TIMEOUT;
	if (fault->error == -ETIMEDOUT || fault->error == -EEXIST)
		set_timeout(bus, TIMEOUT);
	/* No journal is looked for a second at a time, and no other connection made. */
	bus->host = &nowhere;
	host_done(&host);
	alarm(60);
	since = now();
	r = point->run(bus);
	bus_close(bus);
	since = now() - since;
	alarm(0);
	if (r != expected_of(point, fault))
		WRONG("%s, %s: %s, not %s: %s", point->call, fault->column, strerror(-r),
			 strerror(-expected_of(point, fault)), capture_text(&c));
	if (r == 0)
		assert_string_equal(capture_text(&c), "");
	else
		check_said(point, fault, capture_text(&c));
	/* The call, and the cancelling of its job. */
	if (since > (uint64_t)2 * TIMEOUT + SLACK)
		WRONG("%s, %s: %llu ms", point->call, fault->column, (unsigned long long)since / 1000);
	capture_end(&c);
	peer_stop(&peer);
	return r == 0 ? "ok" : audit_errno_to_name(-r);
}

static void run_table(const struct fault *faults, size_t n, bool jobs)
{
	size_t runs = 0;

	print_message("# %-36s", "call");
	for (size_t k = 0; k < n; k++)
		print_message(" %s |", faults[k].column);
	print_message("\n");
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		if (jobs && !points[i].job)
			continue;
		print_message("# %-24.24s %-11.11s", points[i].call, points[i].unit ? points[i].unit : "");
		for (size_t k = 0; k < n; k++, runs++)
			print_message(" %s", run_fault(&points[i], &faults[k]));
		print_message("\n");
	}
	print_message("# %zu points x %zu faults = %zu\n", runs / n, n, runs);
	assert_int_equal(wrong, 0);
}

static void calls_fail(void **state)
{
	run_table(call_faults, ARRAY_SIZE(call_faults), false);
}

static void jobs_fail(void **state)
{
	run_table(job_faults, ARRAY_SIZE(job_faults), true);
}

/* --- connecting --- */

static int try_open(const char *address, uint64_t timeout, struct capture *c, uint64_t *ret_time)
{
	struct host host;
	struct bus *bus = NULL;
	uint64_t since = now();
	int r;

	assert_int_equal(host_open_root(&host, test_path("root")), 0);
	alarm(60);
	r = bus_open(&bus, &host, address, timeout, c->log);
	alarm(0);
	*ret_time = now() - since;
	if (r == 0)
		bus_close(bus);
	host_done(&host);
	return r;
}

/* Of two units at once; where the second call fails, nothing of the first is kept. */
static void two_units(void **state)
{
	static const char *const units[] = { NAME, "second.service" };
	static const struct fault none = { "well", NONE, NULL, 0, NULL }, closed = { "closed", CLOSE, NULL, 0, NULL };

	for (size_t i = 0; i < 2; i++) {
		const struct plan plan = { "GetUnitFileState", i ? &closed : &none };
		struct peer peer = { .answer = answer, .plan = &plan };
		struct unit_state states[2] = { { .fragment = NULL }, { .fragment = NULL } };
		struct host host;
		struct capture c;
		struct bus *bus;
		int r;

		peer_start(&peer, socket_path("root/run/systemd/private"));
		assert_int_equal(host_open_root(&host, test_path("root")), 0);
		capture_begin(&c);
		assert_int_equal(bus_open(&bus, &host, "auto", LONG_TIMEOUT, c.log), 0);
		r = bus_unit_states(bus, units, 2, states);
		assert_int_equal(r, i ? -ECONNRESET : 0);
		for (size_t k = 0; k < 2; k++) {
			if (i == 0)
				assert_true(states[k].active && states[k].enabled);
			else
				assert_null(states[k].fragment);
			unit_state_done(&states[k]);
		}
		assert_int_equal(strncmp(capture_text(&c), "cloud-audit-setup: error: ", 26) == 0, i);
		bus_close(bus);
		host_done(&host);
		capture_end(&c);
		peer_stop(&peer);
	}
}

static const char *below(const char *path)
{
	static char name[128];

	snprintf(name, sizeof(name), "root%s", path);
	return test_path(name);
}

/* A link, or an empty file where it leads nowhere; NULL: none. */
static void make(const char *path, const char *to)
{
	if (to)
		assert_int_equal(*to ? symlink(to, below(path)) : mknod(below(path), S_IFREG | 0644, 0), 0);
}

/* The question that makes systemd go through all its directories is asked only where the link does not tell. */
static void known_by_its_link(void **state)
{
	static const char *const directories[] = {
		"/etc", "/etc/systemd", "/etc/systemd/system.control", "/etc/systemd/system", "/etc/systemd/system/a.target.wants",
	};
	static const char file[] = "/etc/systemd/system/" NAME,
		link[] = "/etc/systemd/system/a.target.wants/" NAME, above[] = "/etc/systemd/system.control/" NAME;
	static const struct {
		const char *link, *file, *above;	/* where they lead; a file that leads nowhere is one */
		bool asked;
	} rows[] = {
		{ file, "", NULL, false }, { "../" NAME, "", NULL, false },
		{ NULL, "", NULL, true }, { file, NULL, NULL, true }, { file, "/dev/null", NULL, true },
		{ file, "", "/dev/null", true }, { file, "", "", true }, { "/usr/lib/systemd/system/" NAME, "", NULL, true },
		{ "../other.service", "", NULL, true },
	};
	static const struct fault fault = { "refused", ERROR, DBUS "AccessDenied", -EACCES, SAID };

	socket_path("root");
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		mkdir(below(directories[i]), 0755);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan plan = { "GetUnitFileState", &fault };
		struct peer peer = { .answer = answer, .plan = &plan };
		struct unit_state unit = { .fragment = NULL };
		struct host host;
		struct capture c;
		struct bus *bus;
		int r;

		make(link, rows[i].link);
		make(file, rows[i].file);
		make(above, rows[i].above);
		peer_start(&peer, socket_path("root/run/systemd/private"));
		assert_int_equal(host_open_root(&host, test_path("root")), 0);
		capture_begin(&c);
		assert_int_equal(bus_open(&bus, &host, "auto", LONG_TIMEOUT, c.log), 0);
		r = bus_unit_state(bus, NAME, &unit);
		if (r != (rows[i].asked ? -EACCES : 0) || unit.enabled == rows[i].asked)
			WRONG("row %zu: %s, %s", i, strerror(-r), unit.enabled ? "enabled" : "not enabled");
		unit_state_done(&unit);
		bus_close(bus);
		host_done(&host);
		capture_end(&c);
		peer_stop(&peer);
		unlink(below(link));
		unlink(below(file));
		unlink(below(above));
	}
	assert_int_equal(wrong, 0);
}

static void opens(void **state)
{
	static const struct {
		struct fault fault;
		const char *point;
		bool mute;
	} rows[] = {
		{ { "no authentication", NONE, NULL, -ETIMEDOUT, "Connection timed out" }, "", true },
		{ { "deaf", DEAF, NULL, -ETIMEDOUT, "Connection timed out" }, "Hello", false },
		/* The next call is answered, which no bus does before Hello. */
		{ { "silent", SILENT, NULL, -EIO, "Input/output error" }, "Hello", false },
		{ { "closed", CLOSE, NULL, -ECONNRESET, "Connection reset by peer" }, "Hello", false },
		{ { "denied", ERROR, DBUS "AccessDenied", -EACCES, "Permission denied" }, "Hello", false },
		{ { "wrong type", BODY, "t", -ENXIO, "not the answer that was expected" }, "Hello", false },
		{ { "half", HALF, NULL, -ECONNRESET, "Connection reset by peer" }, "Hello", false },
		{ { "garbage", GARBAGE, NULL, -EBADMSG, "not the answer that was expected" }, "Hello", false },
		{ { "silent", SILENT, NULL, -ETIMEDOUT, "Connection timed out" }, "Version", false },
		{ { "closed", CLOSE, NULL, -ECONNRESET, "Connection reset by peer" }, "Version", false },
		{ { "denied", ERROR, DBUS "AccessDenied", -EACCES, DBUS "AccessDenied: " SAID }, "Version", false },
		{ { "half", HALF, NULL, -ECONNRESET, "Connection reset by peer" }, "Version", false },
		{ { "garbage", GARBAGE, NULL, -EBADMSG, "not the answer that was expected" }, "Version", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan plan = { rows[i].point, &rows[i].fault };
		struct peer peer = { .answer = answer, .plan = &plan, .mute = rows[i].mute };
		_cleanup_free_ char *address = NULL;
		struct capture c;
		uint64_t time;
		int r;

		peer_start(&peer, socket_path("bus"));
		assert_true(asprintf(&address, "unix:path=%s", test_path("bus")) > 0);
		capture_begin(&c);
		r = try_open(address, rows[i].fault.error == -ETIMEDOUT ? TIMEOUT : LONG_TIMEOUT, &c, &time);
		print_message("# %-8s %-18s %s, %llu ms\n", rows[i].point, rows[i].fault.column,
			      r ? audit_errno_to_name(-r) : "ok", (unsigned long long)time / 1000);
		if (r != rows[i].fault.error)
			WRONG("%s, %s: %s", rows[i].point, rows[i].fault.column, strerror(-r));
		if (!strstr(capture_text(&c), rows[i].fault.said) || !strstr(capture_text(&c), address))
			WRONG("%s, %s: %s", rows[i].point, rows[i].fault.column, capture_text(&c));
		if (time > TIMEOUT + SLACK)
			WRONG("%s, %s: %llu ms", rows[i].point, rows[i].fault.column,
				 (unsigned long long)time / 1000);
		assert_int_equal(log_count(c.log, LEVEL_ERROR), 1);
		capture_end(&c);
		peer_stop(&peer);
	}
	assert_int_equal(wrong, 0);
}

/* Nobody accepts, and the queue is full. */
static void open_queue_full(void **state)
{
	struct capture c;
	uint64_t time;
	int fds[64], n = 0, listener = peer_listen(socket_path("root/run/systemd/private"));
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", test_path("root/run/systemd/private"));
	do
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	while (connect(fds[n++], (const struct sockaddr *)&to, sizeof(to)) == 0 && n < 64);
	capture_begin(&c);
	assert_true(try_open("auto", LONG_TIMEOUT, &c, &time) < 0);
	assert_true(time < TIMEOUT + SLACK);
	assert_non_null(strstr(capture_text(&c), "Resource temporarily unavailable"));
	capture_end(&c);
	while (n > 0)
		close(fds[--n]);
	close(listener);
}

/* The first socket fails, the second serves. */
static void open_second(void **state)
{
	const struct fault fault = { "closed", CLOSE, NULL, 0, NULL };
	const struct plan first = { NULL, &fault }, second = { "", &fault };
	struct peer bad = { .answer = answer, .plan = &first }, good = { .answer = answer, .plan = &second };
	struct capture c;
	uint64_t time;

	peer_start(&bad, socket_path("root/run/dbus/system_bus_socket"));
	peer_start(&good, socket_path("root/run/systemd/private"));
	capture_begin(&c);
	assert_int_equal(try_open("auto", LONG_TIMEOUT, &c, &time), 0);
	assert_string_equal(capture_text(&c), "");
	assert_int_equal(bad.calls, 1);
	assert_int_equal(good.calls, 1);
	capture_end(&c);
	peer_stop(&bad);
	peer_stop(&good);
	unlink(test_path("root/run/dbus/system_bus_socket"));
}

/* What a bus says that does not let us in, and what is said of it. */
static const struct fault refusals[] = {
	{ "denied", ERROR, DBUS "AccessDenied", -EACCES, DBUS "AccessDenied: " SAID },
	{ "limits", ERROR, DBUS "LimitsExceeded", -ENOBUFS, "the bus is at one of its limits" },
	{ "not yet", ERROR, DBUS "ServiceUnknown", -EHOSTUNREACH, "systemd is not on it yet" },
	{ "nobody", ERROR, DBUS "NameHasNoOwner", -ENXIO, DBUS "NameHasNoOwner: " SAID },
	{ "silent", SILENT, NULL, -ETIMEDOUT, "systemd is busy, with a daemon-reload perhaps" },
};

static void refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct fault *fault = &refusals[i];
		const struct plan plan = { "Version", fault };
		struct peer peer = { .answer = answer, .plan = &plan };
		struct host host;
		struct capture c;
		struct bus *bus;
		uint64_t since;
		int r;

		/* The other socket is not there, which is no reason to advise for it. */
		peer_start(&peer, socket_path("root/run/dbus/system_bus_socket"));
		assert_int_equal(host_open_root(&host, test_path("root")), 0);
		capture_begin(&c);
		since = now();
		r = bus_open(&bus, &host, "auto", 300000, c.log);
		if (r != fault->error || !strstr(capture_text(&c), fault->said) || strstr(capture_text(&c), "mount the"))
			WRONG("%s: %s: %s", fault->column, strerror(-r), capture_text(&c));
		assert_true(now() - since < 300000 + SLACK);
		host_done(&host);
		capture_end(&c);
		peer_stop(&peer);
		unlink(test_path("root/run/dbus/system_bus_socket"));
	}
	assert_int_equal(wrong, 0);
}

/* A bus to a peer at this socket, which is found without a word; and its end. */
struct opened {
	struct host host;
	struct capture said;
	struct bus *bus;
};

static void open_quietly(struct opened *o, struct peer *peer, const char *socket)
{
	peer_start(peer, socket_path(socket));
	assert_int_equal(host_open_root(&o->host, test_path("root")), 0);
	capture_begin(&o->said);
	assert_int_equal(bus_open(&o->bus, &o->host, "auto", LONG_TIMEOUT, o->said.log), 0);
}

static void close_quietly(struct opened *o, struct peer *peer)
{
	assert_string_equal(capture_text(&o->said), "");
	bus_close(o->bus);
	host_done(&o->host);
	capture_end(&o->said);
	peer_stop(peer);
}

static bool answer_version(struct peer *peer, const struct peer_call *call)
{
	const char *version = peer->plan;

	if (strcmp(call->name, "Version") == 0)
		return version ? peer_reply_variant(peer, call, "s", version, 0) : peer_error(peer, call, DBUS "UnknownProperty", SAID);
	return peer_answer_well(peer, call);
}

/* What is needed of it anyway is the call that shows that there is a systemd. */
static void version(void **state)
{
	static const struct {
		const char *said;
		unsigned major, minor;
	} rows[] = { { "252.39-1~deb12u1", 252, 39 }, { "systemd 247", 247, 0 }, { "", 0, 0 }, { NULL, 0, 0 },
		{ "250.-3", 250, 0 }, { "250. 3", 250, 0 }, { "v99999999999999999999.3", 0, 0 }, { "250.99999999999999999999", 250, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peer peer = { .answer = answer_version, .plan = rows[i].said };
		unsigned major = 1, minor = 1;
		struct opened o;

		open_quietly(&o, &peer, "root/run/systemd/private");
		bus_version(o.bus, &major, &minor);
		assert_int_equal(major, rows[i].major);
		assert_int_equal(minor, rows[i].minor);
		assert_int_equal(peer.calls, 1);
		close_quietly(&o, &peer);
	}
}

static bool answer_later(struct peer *peer, const struct peer_call *call)
{
	unsigned *left = (unsigned *)(uintptr_t)peer->plan;

	if (strcmp(call->name, "Version") == 0 && *left > 0) {
		(*left)--;
		return peer_error(peer, call, DBUS "ServiceUnknown", SAID);
	}
	return peer_answer_well(peer, call);
}

static void waited_for(void **state)
{
	unsigned left = 2;
	struct peer peer = { .answer = answer_later, .plan = &left };
	struct opened o;

	open_quietly(&o, &peer, "root/run/dbus/system_bus_socket");
	assert_int_equal(left, 0);
	close_quietly(&o, &peer);
	unlink(test_path("root/run/dbus/system_bus_socket"));
}

/* A name still taken is asked for again, but not for ever: 5 s at most, or the time given. */
static void name_stays_taken(void **state)
{
	const struct fault fault = { "exists", ERROR, SYSTEMD1 "UnitExists", -EEXIST, SAID };
	const struct plan plan = { "StartTransientUnit", &fault };
	struct peer peer = { .answer = answer, .plan = &plan };
	_cleanup_text_ struct text rules = {0};
	struct host host;
	struct capture c;
	struct bus *bus;
	uint64_t since;

	text_add(&rules, "-D\n");
	peer_start(&peer, socket_path("root/run/systemd/private"));
	assert_int_equal(host_open_root(&host, test_path("root")), 0);
	capture_begin(&c);
	assert_int_equal(bus_open(&bus, &host, "auto", LONG_TIMEOUT, c.log), 0);
	set_timeout(bus, 500000);
	since = now();
	assert_int_equal(bus_start_rules(bus, "/sbin/auditctl", &rules), -EEXIST);
	assert_true(now() - since < 500000 + SLACK / 2);
	assert_true(peer.calls > 3);
	assert_int_equal(log_count(c.log, LEVEL_ERROR), 1);
	bus_close(bus);
	capture_end(&c);
	host_done(&host);
	peer_stop(&peer);
}

/* --- who sends what --- */

#define FORGER ":1.66"
#define ANEW ":1.2"	/* systemd, executed anew */

/* What a job is answered with, in words: "." the job's path; "f:RESULT" its end by the forger, "s:RESULT" by systemd, with a
 * "*" in front 5,000 times; "n" systemd has another name from here on, "w" its
 * well-known one; "e" the job is no more; "x" the connection ends. */
struct story {
	const char *title;
	bool bus;
	const char *words;
	int error;
	const char *said;
	const char *late;	/* what systemd says just before it answers that there is no such unit any more */
};

static const struct story stories[] = {
	{ "failed, forged before the answer", true, "f:failed . s:done", 0, "", NULL },
	{ "failed, forged after it", true, ". f:failed s:done", 0, "", NULL },
	{ "failed, forged after the real one", true, ". s:done f:failed", 0, "", NULL },
	{ "done, forged before a failure", true, "f:done . s:failed", -EIO, "'failed'", NULL },
	{ "done, forged before a failure, after the answer", true, ". f:done f:done s:failed", -EIO, "'failed'", NULL },
	{ "done, forged, of a job without an end", true, "f:done . f:done", -ETIMEDOUT, "no result within", NULL },
	{ "failed, forged, of a job without an end", true, "f:failed . f:failed", -ETIMEDOUT, "no result within", NULL },
	{ "a flood before", true, "*f:failed . s:done", 0, "", NULL },
	{ "a flood after", true, ". *f:failed s:done", 0, "", NULL },
	{ "a flood, and a failure", true, ". *f:done s:failed *f:done", -EIO, "'failed'", NULL },
	{ "private: systemd says its well-known name", false, "w . s:done", 0, "", NULL },
	{ "private: and somebody another", false, "w . f:failed s:done", 0, "", NULL },
	{ "private: failed, with a sender", false, "f:failed . f:failed s:done", 0, "", NULL },
	{ "private: done, with a sender", false, "f:done . f:done s:failed", -EIO, "'failed'", NULL },
	{ "private: done, with a sender, no end", false, "f:done . f:done", -ETIMEDOUT, "no result within", NULL },
	{ "executed anew, and a word from it", true, ". n s:done e", 0, "", NULL },
	{ "executed anew, and no word", true, ". n e", 0, "", NULL },
	{ "a word that was lost", true, ". e", 0, "", NULL },
	{ "private: a word that was lost", false, ". e", 0, "", NULL },
	{ "the connection ends, the job has ended", true, ". e x", 0, "", NULL },
	{ "private: the connection ends, the job has ended", false, ". e x", 0, "", NULL },
	{ "a unit that is gone, and its word with that", true, ".", 0, "", "done" },
	{ "private: a unit that is gone, and its word with that", false, ".", -EIO, "'failed'", "failed" },
	{ "a unit that is gone without a word", true, ". f:done", -ECANCELED, "'unknown'", "" },
	{ "the connection ends, the job goes on", true, ". x", -ETIMEDOUT, "no result within", NULL },
};

static bool tell(struct peer *peer, const struct peer_call *call, const char *word)
{
	unsigned times = *word == '*' ? 5000 : 1;
	bool ok = true;

	word += *word == '*';
	if (*word == '.')
		return peer_reply_path(peer, call, PEER_JOB);
	if (*word == 'n')
		peer->as = ANEW;
	if (*word == 'w')
		peer->as = "org.freedesktop.systemd1";
	if (*word == 'e')
		peer->job = 0;
	if (*word == 'x')
		return false;
	if (word[1] == ':') {
		const char *own = peer->as;

		for (peer->as = *word == 'f' ? FORGER : own; ok && times > 0; times--)
			ok = peer_job_removed(peer, PEER_JOB, word + 2);
		peer->as = own;
	}
	return ok;
}

static bool answer_story(struct peer *peer, const struct peer_call *call)
{
	const struct story *story = peer->plan;
	_cleanup_free_ char *words = strdup(story->words);
	char *at = NULL;

	if (strcmp(call->name, "GetUnit") == 0 && story->late)
		return (!*story->late || peer_job_removed(peer, PEER_JOB, story->late)) &&
			peer_error(peer, call, SYSTEMD1 "NoSuchUnit", SAID);
	if (strcmp(call->name, "RestartUnit") != 0 && strcmp(call->name, "StartTransientUnit") != 0)
		return peer_answer_well(peer, call);
	for (char *word = strtok_r(words, " ", &at); word; word = strtok_r(NULL, " ", &at))
		if (!tell(peer, call, word))
			return false;
	return true;
}

static void tell_story(const struct story *story, int (*run)(struct bus *bus))
{
	struct peer peer = { .answer = answer_story, .plan = story, .job = 7 };
	_cleanup_free_ char *address = NULL;
	struct host host;
	struct capture c;
	struct bus *bus;
	uint64_t since;
	int r;

	peer_start(&peer, socket_path("root/run/systemd/private"));
	assert_int_equal(host_open_root(&host, test_path("root")), 0);
	assert_true(asprintf(&address, "unix:path=%s", test_path("root/run/systemd/private")) > 0);
	capture_begin(&c);
	assert_int_equal(bus_open(&bus, &host, story->bus ? address : "auto", LONG_TIMEOUT, c.log), 0);
	if (story->error == -ETIMEDOUT)
		set_timeout(bus, TIMEOUT);
	alarm(60);
	since = now();
	r = run(bus);
	alarm(0);
	if (r != story->error || !strstr(capture_text(&c), story->said) || (r == 0 && *capture_text(&c)))
		WRONG("%s: %s, not %s: %s", story->title, strerror(-r), strerror(-story->error), capture_text(&c));
	if (now() - since > (uint64_t)LONG_TIMEOUT / 2)
		WRONG("%s: %llu ms", story->title, (unsigned long long)(now() - since) / 1000);
	bus_close(bus);
	host_done(&host);
	capture_end(&c);
	peer_stop(&peer);
}

/* The job that loads and the one that locks, by file and over D-Bus alone. */
static int lock_unit(struct bus *bus) { return bus_run_job(bus, BUS_RESTART, "cloud-audit-lock.service"); }

static void senders(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		tell_story(&stories[i], lock_unit);
		tell_story(&stories[i], load);
	}
	assert_int_equal(wrong, 0);
}

/* The connection ends when a unit of ours was asked for: it is stopped, if it was started. */
static bool answer_lost(struct peer *peer, const struct peer_call *call)
{
	if (strcmp(call->name, "StartTransientUnit") == 0 || strcmp(call->name, "RestartUnit") == 0)
		return false;
	if (strcmp(call->name, "StopUnit") == 0)
		peer->late++;
	return peer_answer_well(peer, call);
}

static void lost_when_asked(void **state)
{
	int (*const runs[])(struct bus *bus) = { lock_unit, load, start_rules };

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct peer peer = { .answer = answer_lost };
		struct host host;
		struct capture c;
		struct bus *bus;

		peer_start(&peer, socket_path("root/run/systemd/private"));
		assert_int_equal(host_open_root(&host, test_path("root")), 0);
		capture_begin(&c);
		assert_int_equal(bus_open(&bus, &host, "auto", LONG_TIMEOUT, c.log), 0);
		assert_int_equal(runs[i](bus), -ECONNRESET);
		assert_int_equal(peer.late, 1);
		assert_non_null(strstr(capture_text(&c), "Connection reset by peer ("));
		assert_non_null(strstr(capture_text(&c), "; nothing of it goes on\n"));
		/* It serves again. */
		assert_int_equal(stop(bus), 0);
		bus_close(bus);
		host_done(&host);
		capture_end(&c);
		peer_stop(&peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("states of two units are asked at once, and are both given out or none", two_units),
		TEST("what a link tells of a unit's start is not asked, and nothing else is taken from links", known_by_its_link),
		TEST("a connection that fails is one message with the address and the reason, in time", opens),
		TEST("a socket whose queue is full is not waited for", open_queue_full),
		TEST("one call shows that there is a systemd, and which", version),
		TEST("where the system bus fails, systemd's own socket serves", open_second),
		TEST("a bus that refuses is told by its own words, with advice for that and not for a socket that is absent",
		     refused),
		TEST("a bus that systemd is not on yet is waited for", waited_for),
		TEST("a call that fails is that error and one message with call, unit and reason, in time", calls_fail),
		TEST("a job that does not end well is one message with unit and result, in time", jobs_fail),
		TEST("who is not systemd has no say in how a job ended; a word that is lost is asked for", senders),
		TEST("a unit of ours whose start has no answer does not go on", lost_when_asked),
		TEST("a transient unit whose name stays taken is given up in time", name_stays_taken),
	};

	return RUN(tests);
}
