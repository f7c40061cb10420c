/* forger RESULT [flood]: tells every client of the system bus that the jobs of our units have ended with RESULT, as anybody
 * may: when systemd says that there is a new one, for that and for those that may come next; with flood again and again.
 * Says how many it has sent when it is told to end (SIGTERM). */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define SYSTEMD "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

enum { CLIENTS = 16, AHEAD = 8, TIMES = 3 };

static const char *result;
static char clients[CLIENTS][32];	/* the newest ones */
static size_t n_clients;
static unsigned long sent;
static volatile sig_atomic_t end;

static void on_term(int number)
{
	end = number;
}

static void say(sd_bus *bus, uint32_t id, const char *unit)
{
	char job[64];

	snprintf(job, sizeof(job), "/org/freedesktop/systemd1/job/%u", id);
	for (size_t i = 0; i < CLIENTS; i++) {
		sd_bus_message *m = NULL;

		if (*clients[i] && sd_bus_message_new_signal(bus, &m, SYSTEMD, "JobRemoved") >= 0 &&
		    sd_bus_message_set_destination(m, clients[i]) >= 0 &&
		    sd_bus_message_append(m, "uoss", id, job, unit, result) >= 0 && sd_bus_send(bus, m, NULL) >= 0)
			sent++;
		sd_bus_message_unref(m);
	}
}

static uint32_t last = 1;

static int on_new_job(sd_bus_message *m, void *user, sd_bus_error *error)
{
	const char *unit = "";
	uint32_t id;

	if (sd_bus_message_read(m, "uos", &id, NULL, &unit) < 0)
		return 0;
	last = id;
	for (int i = 0; i < TIMES; i++)
		for (uint32_t k = 0; k < AHEAD; k++)
			say(sd_bus_message_get_bus(m), id + k, unit);
	return 0;
}

static int on_owner(sd_bus_message *m, void *user, sd_bus_error *error)
{
	const char *name, *old, *new;

	if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0 || *name != ':' || !*new)
		return 0;
	snprintf(clients[n_clients++ % CLIENTS], sizeof(clients[0]), "%s", name);
	return 0;
}

int main(int argc, char **argv)
{
	bool flood = argc > 2;
	sd_bus *bus = NULL;
	int r;

	result = argc > 1 ? argv[1] : "failed";
	signal(SIGTERM, on_term);
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_match_signal(bus, NULL, "org.freedesktop.systemd1", SYSTEMD, "JobNew", on_new_job, NULL);
	if (r >= 0)
		r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
					"NameOwnerChanged", on_owner, NULL);
	/* Anybody may have systemd send its signals. */
	if (r >= 0)
		r = sd_bus_call_method(bus, "org.freedesktop.systemd1", SYSTEMD, "Subscribe", NULL, NULL, NULL);
	if (r < 0) {
		fprintf(stderr, "forger: %s\n", strerror(-r));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!end && r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0 && flood)
			for (uint32_t k = 0; k < AHEAD; k++)
				say(bus, last + k, "cloud-audit-setup.service");
		if (r == 0)
			(void)!sd_bus_wait(bus, flood ? 1000 : 200000);
	}
	printf("%lu\n", sent);
	return 0;
}
