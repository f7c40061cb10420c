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

/* Until then, or a signal that ends it. */
static bool ended_before(const sigset_t *signals, uint64_t deadline)
{
	for (uint64_t now = monotonic(); now < deadline; now = monotonic()) {
		const uint64_t left = deadline - now;
		const struct timespec wait = { .tv_sec = (time_t)(left / SECOND), .tv_nsec = (long)(left % SECOND) * 1000 };

		if (sigtimedwait(signals, NULL, &wait) > 0)
			return true;
		if (errno != EINTR && errno != EAGAIN)
			return true;
	}
	return false;
}

enum exit_status every_interval(uint64_t microseconds, enum exit_status (*once)(void *user), void *user)
{
	uint64_t next = monotonic() + microseconds;
	enum exit_status status;
	sigset_t signals, pending;

	/* Blocked: one that comes while the node is compared ends it after that, and the first process of a container, for which
	 * signals otherwise do nothing, gets them, too. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	status = once(user);
	if (status == STATUS_USAGE || status == STATUS_CONFIG)
		return status;
	while (!ended_before(&signals, next)) {
		status = once(user);
		next += microseconds;
		/* A result that took longer than the interval is not made up for. */
		if (monotonic() > next)
			next = monotonic();
		if (sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT)))
			break;
	}
	return status;
}
