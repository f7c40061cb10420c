/* systemd of the host over D-Bus (org.freedesktop.systemd1(5)).
 *
 * Functions return 0 or negative errno; what fails is logged here, with D-Bus's own text. No call
 * and no job is waited for longer than the timeout given to bus_open(). */
#ifndef SETUP_BUS_H
#define SETUP_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "setup/base/log.h"
#include "setup/base/text.h"
#include "setup/host/host.h"

struct bus;

/* Connects to address, or for "auto" to the system bus below the host's root, else to systemd's
 * private socket there; for BUS_NONE to nothing. timeout is in microseconds. */
#define BUS_NONE "none"
int bus_open(struct bus **ret, const struct host *host, const char *address, uint64_t timeout,
	     struct log *log) _must_check_;
struct bus *bus_close(struct bus *bus);

/* Is there a systemd to be asked? Without one the functions of bus_units.h and bus_read_rules() tell what the host's files
 * do, and nothing that systemd alone knows; no other one may be called. */
bool bus_is_there(const struct bus *bus);

/* Connects again where the connection was lost, as by a restart of dbus-daemon. 0 when it serves; negative errno, unlogged,
 * when there is none after a few seconds. */
int bus_revive(struct bus *bus) _must_check_;

/* Subscribe: must come before the first job; systemd takes it once. */
int bus_subscribe(struct bus *bus) _must_check_;
int bus_reload(struct bus *bus) _must_check_;
int bus_enable(struct bus *bus, const char *unit) _must_check_;
/* A unit that does not exist is disabled already. */
int bus_disable(struct bus *bus, const char *unit) _must_check_;
int bus_reset_failed(struct bus *bus, const char *unit) _must_check_;

enum bus_job { BUS_START, BUS_RESTART, BUS_STOP };

/* Runs a job to its end, which only systemd itself can tell. A result other than "done" is -EIO, or -ECANCELED where the unit has
 * not failed: "canceled" by another job, as that of a shutdown, and 'unknown', of a unit that was gone when it could be asked for
 * again. The error carries the result, the unit's exit status and its last journal lines. A job without an end is -ETIMEDOUT: it
 * is canceled, and a unit of ours stopped, which otherwise would go on with what it does. */
int bus_run_job(struct bus *bus, enum bus_job job, const char *unit) _must_check_;

/* Runs a command (argv[0] an absolute path, NULL-terminated) in a transient oneshot unit. Same returns. */
int bus_run_transient(struct bus *bus, const char *description, const char *const *argv) _must_check_;

/* Has auditctl -R read these lines of a rules file, in a transient oneshot unit. Same returns. */
int bus_load_rules(struct bus *bus, const char *description, const char *auditctl, const struct text *rules)
	_must_check_;

/* Starts TRANSIENT_UNIT with these rules in it, in the place of one that was stopped before. Same
 * returns. */
int bus_start_rules(struct bus *bus, const char *auditctl, const struct text *rules) _must_check_;

/* The rules in TRANSIENT_UNIT, and whether it is active; ret->s is NULL when there is no such unit. */
int bus_read_rules(struct bus *bus, struct text *ret, bool *ret_active) _must_check_;

#endif
