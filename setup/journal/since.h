/* Points of time in the past, as people write them. */
#ifndef SETUP_SINCE_H
#define SETUP_SINCE_H

#include <stdint.h>

#include "setup/base/mem.h"

/* Reads a time of systemd.time(7) that lies behind: "-1h", "1h", "1h 30min ago", "now", "today", "yesterday", "08:00",
 * "2026-11-29", "2026-11-29 08:00", "2026-11-29T08:00:00Z", "@1764403200"; local time but for Z and UTC. now, *ret:
 * microseconds, CLOCK_REALTIME. Returns 0, -EINVAL when it is no time, -ERANGE when it is after now. */
int since_parse(const char *word, uint64_t now, uint64_t *ret) _must_check_;

#endif
