/* Waiting for systemd's jobs: what bus_jobs.c does for whoever starts one. */
#ifndef SETUP_BUS_WAIT_H
#define SETUP_BUS_WAIT_H

#include "setup/systemd/bus_private.h"

/* A job that somebody waits for. Whoever is on the system bus can send us a signal, with any path and content; the
 * sender alone cannot be forged there. */
struct bus_wait {
	char *job;	/* NULL until its path is known */
	char *sender;	/* systemd's own name on the bus, by its answer; NULL on its private socket */
	char *result;
};

/* Frees what it holds. */
void bus_wait_done(struct bus_wait *wait);

/* Listens for the end of jobs: before one is asked for. Logs what fails. */
int bus_watch_jobs(struct bus *bus, struct bus_wait *wait, sd_bus_slot **ret_slot) _must_check_;

/* Waits for the job that a reply names and judges its result; since: when it was asked for. Where signals may have been
 * lost (the connection, systemd executed anew, a flood) the unit itself is looked at. */
int bus_finish_job(struct bus *bus, const char *what, const char *unit, sd_bus_message *reply,
		   struct bus_wait *wait, uint64_t since) _must_check_;

/* As bus_say_failed(), of a call that starts a unit: one of ours that may have been started, though no answer came,
 * is stopped first. */
int bus_say_not_started(struct bus *bus, const char *call, const char *unit, const sd_bus_error *error, int r);

#endif
