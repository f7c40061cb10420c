/* libFuzzer target for what is read from D-Bus answers: bodies of any type and content, errors of any name, an
 * end in between, from a peer in a thread. The first byte chooses the call; each answer takes a byte (what it
 * is), strings and bytes (its body) from the rest. A call that succeeds has said nothing; one that
 * does not has said one error, and gives nothing out. */
#include <errno.h>
#include <signal.h>

#include "setup/systemd/bus_private.h"
#include "setup/systemd/bus_units.h"
#include "t/fuzz/fuzz.h"
#include "t/unit/peer.h"

#define NAME "x.service"
#define SOCKET "/run/systemd/private"

enum { JOB_TIMEOUT = 1000, CALL_TIMEOUT = 20000 };	/* microseconds */

/* The calls whose answers are read, and their signatures; for a variant what is in it. */
static const struct {
	const char *name, *signature, *inner;
} answers[] = {
	{ "LoadState", "v", "s" }, { "ActiveState", "v", "s" }, { "FragmentPath", "v", "s" },
	{ "NeedDaemonReload", "v", "b" }, { "DropInPaths", "v", "as" }, { "GetUnitFileState", "s", NULL },
	{ "ExecMainStartTimestamp", "v", "t" },
	{ "ExecMainStatus", "v", "i" }, { "Result", "v", "s" }, { "GetUnit", "o", NULL },
	{ "StandardInputData", "v", "ay" }, { "StartUnit", "o", NULL }, { "StartTransientUnit", "o", NULL }, { "Version", "v", "s" },
};

static const char *const names[] = {
	"org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.DBus.Error.FileNotFound",
	"org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.systemd1.UnitMasked",
	"System.Error.EINTR", "org.freedesktop.systemd1.JobFailed",
};

/* sd-bus drops a message whose signature or error name is none, as if it had not come. */
static const char *const signatures[] = {
	"", "y", "b", "n", "q", "i", "u", "x", "t", "d", "s", "o", "g", "v", "as", "ay", "ao", "a{sv}", "a(so)", "ss", "vv",
	"(sv)", "aas", "a(sasasttttuii)", "sv", "ov", "so", "uoss", "h", "av",
};

static bool send_body(struct peer *peer, const struct peer_call *call, struct bytes *input, const char *signature,
		      const char *inner)
{
	_cleanup_text_ struct text body = { 0 };
	size_t n = take_byte(input);

	if (n > input->left)
		n = input->left;
	if (inner)
		peer_signature(&body, inner);
	text_add_bytes(&body, input->at, n);
	input->at += n;
	input->left -= n;
	return peer_reply(peer, call, signature, &body);
}

static bool send_job(struct peer *peer, const struct peer_call *call, struct bytes *input)
{
	_cleanup_text_ struct text body = { 0 };
	_cleanup_free_ char *result = take_string(input);

	peer_string(&body, PEER_JOB);
	return peer_reply(peer, call, "o", &body) && peer_job_removed(peer, PEER_JOB, result ? result : "done");
}

/* Held while the peer answers: an input that is done with is not looked at any more. */
static pthread_mutex_t answering = PTHREAD_MUTEX_INITIALIZER;

static void set_input(struct peer *peer, struct bytes *input)
{
	pthread_mutex_lock(&answering);
	peer->plan = input;
	pthread_mutex_unlock(&answering);
}

/* Answers that are as they should be. */
static const uint8_t nothing[1];
static struct bytes none = { nothing, 0 };

static bool answer_input(struct peer *peer, const struct peer_call *call)
{
	union {
		const void *plan;
		struct bytes *input;
	} it = { .plan = peer->plan };
	unsigned how = take_byte(it.input);
	_cleanup_free_ char *word = NULL;

	for (size_t i = 0; how < 128 && i < ARRAY_SIZE(answers); i++)
		if (strcmp(call->name, answers[i].name) == 0)
			return how < 16 && strncmp(call->name, "Start", 5) == 0 ? send_job(peer, call, it.input) :
				send_body(peer, call, it.input, answers[i].signature, answers[i].inner);
	if (how < 128)
		return peer_reply(peer, call, "", NULL);
	if (how == 255)
		return false;
	if (how < 160) {
		word = take_string(it.input);
		return peer_error(peer, call, names[how % ARRAY_SIZE(names)], word ? word : "");
	}
	return send_body(peer, call, it.input, signatures[how % ARRAY_SIZE(signatures)], NULL);
}

static bool answer(struct peer *peer, const struct peer_call *call)
{
	bool r;

	pthread_mutex_lock(&answering);
	r = answer_input(peer, call);
	pthread_mutex_unlock(&answering);
	return r;
}

static void look(const char *line)
{
	if (strncmp(line, "cloud-audit-setup: error: ", 26) != 0)
		FAIL("no error: %s", line);
}

static int ask_unit(struct bus **bus)
{
	struct unit_state state = { .fragment = NULL };
	int r = bus_unit_state(*bus, NAME, &state);

	if (r < 0 && state.fragment)
		FAIL("a state with the error %d", r);
	if (r == 0 && strlen(state.fragment) > 255)
		FAIL("a path of %zu bytes", strlen(state.fragment));
	unit_state_done(&state);
	return r;
}

static int ask_service(struct bus **bus)
{
	uint64_t started = 0;
	int r = bus_service_started(*bus, NAME, &started);

	if (r < 0 && started)
		FAIL("a time with the error %d", r);
	return r;
}

static int ask_rules(struct bus **bus)
{
	struct text rules = { 0 };
	bool active;
	int r = bus_read_rules(*bus, &rules, &active);

	if (r < 0 && (rules.s || rules.len))
		FAIL("rules with the error %d", r);
	if (rules.len > 255)
		FAIL("rules of %zu bytes", rules.len);
	text_done(&rules);
	return r;
}

static int ask_transient(struct bus **bus)
{
	const char *const argv[] = { "/sbin/auditctl", NULL };

	return bus_run_transient(*bus, "d", argv);
}

static int ask_job(struct bus **bus)
{
	return bus_run_job(*bus, BUS_START, NAME);
}

static int open_undisturbed(struct bus **bus, const struct host *host, uint64_t timeout, struct log *log)
{
	sigset_t clock, before;
	int r;

	/* libFuzzer's own clock would interrupt it, as nothing does in the program, which handles no signal. */
	sigemptyset(&clock);
	sigaddset(&clock, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &clock, &before);
	r = bus_open(bus, host, "auto", timeout, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static struct host host = { .fd = -1 }, nowhere = { .fd = -1, .root = "/" };

/* The answer to the first call of a connection. */
static int ask_version(struct bus **bus)
{
	unsigned major = 0, minor = 0;
	struct log *log = (*bus)->log;
	int r;

	*bus = bus_close(*bus);
	r = open_undisturbed(bus, &host, CALL_TIMEOUT, log);
	if (r < 0) {
		if (*bus)
			FAIL("a connection with the error %d", r);
		return r;
	}
	bus_version(*bus, &major, &minor);
	if (major > 99999 || minor > 99999)
		FAIL("version %u.%u", major, minor);
	/* Its times are those of no call. */
	*bus = bus_close(*bus);
	return 0;
}

/* A connection that works, with short times for what comes next. */
static struct bus *connect_anew(struct peer *peer, struct log *log)
{
	struct bus *bus;

	set_input(peer, &none);
	if (open_undisturbed(&bus, &host, 20000000, log) < 0)
		FAIL("no connection: %s", log_last_error(log));
	bus->timeout = JOB_TIMEOUT;
	if (sd_bus_set_method_call_timeout(bus->bus, CALL_TIMEOUT) < 0)
		abort();
	return bus;
}

static struct peer *start_peer(char *directory)
{
	static struct peer peer = { .answer = answer };
	char path[128];

	if (!mkdtemp(directory) || host_open_root(&host, directory) < 0)
		abort();
	/* peer.h makes no directories */
	snprintf(path, sizeof(path), "mkdir -p %s/run/systemd", directory);
	if (system(path) != 0)
		abort();
	snprintf(path, sizeof(path), "%s" SOCKET, directory);
	peer_start(&peer, path);
	return &peer;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int (*const calls[])(struct bus **bus) = { ask_unit, ask_service, ask_rules, ask_transient, ask_job, ask_version };
	static char directory[] = "/tmp/cas-fuzz-XXXXXX";
	static struct said said;
	static struct peer *peer;
	static struct bus *bus;
	static FILE *out;
	struct bytes input = { size ? bytes : nothing, size };
	unsigned what = take_byte(&input);
	int r;

	if (!peer) {
		out = said_open(&said, look);
		peer = start_peer(directory);
	}
	struct log *log = log_new(out);
	if (!log)
		abort();
	if (!bus)
		bus = connect_anew(peer, log);
	bus->log = log;
	/* No journal is looked for. */
	bus->host = &nowhere;
	set_input(peer, &input);
	r = calls[what % ARRAY_SIZE(calls)](&bus);
	if (r > 0 || log_count(log, LEVEL_ERROR) != (r < 0))
		FAIL("%d with %u errors", r, log_count(log, LEVEL_ERROR));
	set_input(peer, &none);
	/* What was closed, or is still to come. */
	if (bus && (sd_bus_is_open(bus->bus) <= 0 || r == -ETIMEDOUT || r == -EBADMSG))
		bus = bus_close(bus);
	log_free(log);
	return 0;
}
