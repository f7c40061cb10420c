/* Waiting for systemd's jobs: what bus_jobs.c does for whoever starts one. */
#ifndef SETUP_BUS_WAIT_H
#define SETUP_BUS_WAIT_H

#include "setup/systemd/bus_private.h"

/* A job that somebody waits for. */
struct bus_wait {
	char *job;	/* NULL until its path is known */
	char *result;
};

/* Frees what it holds. */
void bus_wait_done(struct bus_wait *wait);

/* Listens for the end of jobs: before one is asked for. Logs what fails. */
int bus_watch_jobs(struct bus *bus, struct bus_wait *wait, sd_bus_slot **ret_slot) _must_check_;

/* Waits for the job that a reply names and judges its result; since: when it was asked for. */
int bus_finish_job(struct bus *bus, const char *what, const char *unit, sd_bus_message *reply,
		   struct bus_wait *wait, uint64_t since) _must_check_;

#endif
