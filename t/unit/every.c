/* setup/every.c: the same again and again. */
#include "t/unit/test.h"

#include <signal.h>
#include <time.h>

#include "setup/every.h"

enum { INTERVAL = 20000 };	/* microseconds */

struct runs {
	unsigned n, vain_after;
	unsigned work;		/* microseconds that each takes */
	uint64_t begun[8], ended[8];
	enum exit_status status;
	int signal;		/* that comes during the third, 0 for none */
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static enum exit_status once(void *user)
{
	struct runs *runs = user;

	assert_true(runs->n < ARRAY_SIZE(runs->begun));
	runs->begun[runs->n] = now();
	usleep(runs->work);
	if (runs->signal && runs->n == 2)
		raise(runs->signal);
	runs->ended[runs->n++] = now();
	return runs->status;
}

static bool in_vain(void *user)
{
	const struct runs *runs = user;

	return runs->n == runs->vain_after;
}

static void each_interval(void **state)
{
	struct runs runs = { .vain_after = 4, .status = STATUS_DIFFERS };

	assert_int_equal(every_interval(INTERVAL, once, in_vain, &runs), STATUS_DIFFERS);
	assert_int_equal(runs.n, 4);
	assert_true(runs.begun[3] - runs.begun[0] >= 3 * INTERVAL);
}

static void too_long(void **state)
{
	struct runs runs = { .vain_after = 4, .work = INTERVAL + INTERVAL / 2 };

	every_interval(INTERVAL, once, in_vain, &runs);
	for (unsigned i = 1; i < runs.n; i++)
		assert_true(runs.begun[i] - runs.ended[i - 1] >= INTERVAL);
}

static void signals(void **state)
{
	struct runs runs = { .signal = SIGTERM, .status = STATUS_LOCKED };

	assert_int_equal(every_interval(INTERVAL, once, in_vain, &runs), STATUS_LOCKED);
	assert_int_equal(runs.n, 3);
	runs = (struct runs){ .signal = SIGINT, .work = 2 * INTERVAL };
	every_interval(INTERVAL, once, in_vain, &runs);
	assert_int_equal(runs.n, 3);
}

static void invalid(void **state)
{
	struct runs runs = { .status = STATUS_CONFIG };

	assert_int_equal(every_interval(INTERVAL, once, in_vain, &runs), STATUS_CONFIG);
	assert_int_equal(runs.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("one call an interval, until nobody gets the results", each_interval),
		TEST("after a call that took longer the node has an interval of rest", too_long),
		TEST("a signal during a call ends it after that", signals),
		TEST("wrong usage or configuration ends it at once", invalid),
	};

	return RUN(tests);
}
