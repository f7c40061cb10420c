#include "setup/every.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define SECOND UINT64_C(1000000)

static uint64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec / 1000;
}

/* Waits until then, or for a signal that ends it: also for one that came before. */
static bool ended_before(const sigset_t *signals, uint64_t deadline)
{
	for (;;) {
		const uint64_t now = monotonic(), left = deadline > now ? deadline - now : 0;
		const struct timespec wait = { .tv_sec = (time_t)(left / SECOND), .tv_nsec = (long)(left % SECOND) * 1000 };

		if (sigtimedwait(signals, NULL, &wait) > 0)
			return true;
		if (errno != EINTR)
			return errno != EAGAIN;
	}
}

enum exit_status every_interval(uint64_t microseconds, enum exit_status (*once)(void *user), bool (*in_vain)(void *user), void *user)
{
	uint64_t next = monotonic();
	enum exit_status status;
	bool first = true;
	sigset_t signals;

	/* Blocked: one that comes while the node is compared ends it after that, and the first process of a container, for which
	 * signals otherwise do nothing, gets them, too. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	do {
		uint64_t now;

		status = once(user);
		if ((first && (status == STATUS_USAGE || status == STATUS_CONFIG)) || in_vain(user))
			return status;
		first = false;
		now = monotonic();
		next += microseconds;
		/* One that took longer than the interval is not made up for: a slow node is not kept busy by being looked at. */
		if (now >= next)
			next = now + microseconds;
	} while (!ended_before(&signals, next));
	return status;
}
