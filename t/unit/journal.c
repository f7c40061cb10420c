/* The end of a unit's journal, and how much of audit there is in one: a journal of this test's, whose functions stand in for
 * those of libsystemd. */
#include "t/unit/test.h"

#include <inttypes.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "setup/base/text.h"
#include "setup/journal/journal.h"

enum { OPEN, MATCH, DISJUNCTION, SEEK, NEXT, PROCESS, N_CALLS };

static struct {
	const char *lines[16];
	int n, at;
	int arrives;		/* that many looks see nothing */
	int grows;		/* lines that each look after the first sees more */
	int fail, fail_from;	/* one of the calls, and from which on */
	int calls[N_CALLS], looks;
	char matches[256];
	unsigned pauses;
} fake;

static int call(int which)
{
	return ++fake.calls[which] >= fake.fail_from && fake.fail == which ? -EIO : 0;
}

static int visible(void)
{
	int n = fake.looks <= fake.arrives ? 0 : fake.grows ? (fake.looks - fake.arrives) * fake.grows : fake.n;

	return n < fake.n ? n : fake.n;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	fake.pauses++;
	return 0;
}

int sd_journal_open_directory_fd(sd_journal **ret, int fd, int flags)
{
	*ret = (void *)&fake;
	return call(OPEN);
}

void sd_journal_close(sd_journal *journal) { }

int sd_journal_get_fd(sd_journal *journal)
{
	return 0;
}

/* --- a long journal: one entry every step, each so-and-so-many of audit --- */

enum { SECOND = 1000000 };
static const uint64_t now = 1700000000ull * SECOND;

static struct long_journal {
	uint64_t n;		/* entries, the last of them written `quiet` before now */
	uint64_t step, quiet;
	uint64_t audit;		/* every audit'th is of audit; 0 none is */
	uint64_t used, limit;	/* limit 0: it has dropped what said it */
	uint64_t anew;		/* entries before this one are of another series */
	const char *cursor;	/* what all cursors are, NULL for good ones */
	int fail;		/* the call that fails, counted from 1 */
	/* where it is */
	uint64_t at;
	bool matches_audit, matches_limit;
	int calls;
} far;

static int far_call(void)
{
	return ++far.calls == far.fail ? -EIO : 0;
}

static bool far_matches(uint64_t at)
{
	if (far.matches_limit)
		return far.limit && at == 0;
	return !far.matches_audit || (far.audit && at % far.audit == 0);
}

static uint64_t far_time(uint64_t at)
{
	return now - far.quiet - (far.n - 1 - at) * far.step;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	*ret = (struct timespec){ .tv_sec = (time_t)(now / SECOND) };
	return 0;
}

int sd_journal_seek_head(sd_journal *journal)
{
	far.at = UINT64_MAX;
	return far_call();
}

int sd_journal_seek_tail(sd_journal *journal)
{
	far.at = far.n;
	return far_call();
}

int sd_journal_previous(sd_journal *journal)
{
	while (far.at-- > 0)
		if (far_matches(far.at))
			return far_call() < 0 ? -EIO : 1;
	return far_call();
}

int sd_journal_get_realtime_usec(sd_journal *journal, uint64_t *ret)
{
	*ret = far_time(far.at);
	return far_call();
}

int sd_journal_get_cursor(sd_journal *journal, char **ret)
{
	if (far.cursor)
		*ret = strdup(far.cursor);
	else if (asprintf(ret, "s=%032x;i=%" PRIx64 ";b=0;m=1;t=2;x=3", far.at < far.anew ? 1 : 2, far.at + 77) < 0)
		return -ENOMEM;
	return far_call();
}

int sd_journal_get_usage(sd_journal *journal, uint64_t *ret)
{
	*ret = far.used;
	return far_call();
}

void sd_journal_flush_matches(sd_journal *journal)
{
	far.matches_audit = far.matches_limit = false;
}

static int far_next(void)
{
	while (++far.at < far.n)
		if (far_matches(far.at))
			return far_call() < 0 ? -EIO : 1;
	return far_call();
}

int sd_journal_add_match(sd_journal *journal, const void *data, size_t size)
{
	assert_int_equal(size, 0);
	far.matches_audit = strcmp(data, "_TRANSPORT=audit") == 0;
	far.matches_limit = strncmp(data, "MESSAGE_ID=", 11) == 0;
	if (far.n || far.matches_audit)
		return far_call();
	snprintf(fake.matches + strlen(fake.matches), sizeof(fake.matches) - strlen(fake.matches), "%s ", (const char *)data);
	return call(MATCH);
}

int sd_journal_add_disjunction(sd_journal *journal)
{
	snprintf(fake.matches + strlen(fake.matches), sizeof(fake.matches) - strlen(fake.matches), "or ");
	return call(DISJUNCTION);
}

int sd_journal_seek_realtime_usec(sd_journal *journal, uint64_t usec)
{
	if (far.n) {
		for (far.at = 0; far.at < far.n && far_time(far.at) < usec; far.at++)
			;
		far.at--;
		return far_call();
	}
	assert_int_equal(usec, 77);
	fake.at = -1;
	return call(SEEK);
}

int sd_journal_next(sd_journal *journal)
{
	int r;

	if (far.n || far.matches_audit)
		return far_next();
	r = call(NEXT);
	if (r < 0)
		return r;
	return ++fake.at < visible();
}

int sd_journal_get_data(sd_journal *journal, const char *field, const void **ret, size_t *ret_size)
{
	if (far.n) {
		static char text[64];

		assert_string_equal(field, "LIMIT");
		*ret = text;
		*ret_size = (size_t)snprintf(text, sizeof(text), "LIMIT=%" PRIu64, far.limit);
		return far_call();
	}
	assert_string_equal(field, "MESSAGE");
	if (!fake.lines[fake.at])
		return -ENOENT;
	*ret = fake.lines[fake.at];
	*ret_size = strlen(fake.lines[fake.at]);
	return 0;
}

int sd_journal_process(sd_journal *journal)
{
	fake.looks++;
	return call(PROCESS);
}

static void begin(int n)
{
	static const char *const lines[] = { "MESSAGE=one", "MESSAGE=two", "MESSAGE=three", "MESSAGE=four" };

	memset(&fake, 0, sizeof(fake));
	far = (struct long_journal){ .n = 0 };
	fake.fail = -1;
	fake.n = n;
	for (int i = 0; i < n; i++)
		fake.lines[i] = lines[i];
}

static void check(int found, const char *text)
{
	struct host host;
	struct text out = {0};

	assert_int_equal(host_open_root(&host, test_dir()), 0);
	assert_int_equal(journal_tail(&host, "x.service", 77, 2, &out), found);
	assert_string_equal(out.s ? out.s : "", text);
	text_done(&out);
	host_done(&host);
}

static void the_last_lines_are_given(void **state)
{
	begin(1);
	check(1, "one\n");
	assert_string_equal(fake.matches, "_SYSTEMD_UNIT=x.service or SYSLOG_IDENTIFIER=auditctl _UID=0 ");
	begin(4);
	check(2, "three\nfour\n");
	begin(4);
	fake.lines[2] = NULL;	/* an entry without a message */
	fake.lines[3] = "MESS";
	check(2, "");
}

static void lines_that_come_late_are_waited_for(void **state)
{
	begin(2);
	fake.arrives = 3;
	check(2, "one\ntwo\n");
	assert_int_equal(fake.pauses, 4);
	/* One by one. */
	begin(3);
	fake.grows = 1;
	check(2, "two\nthree\n");
	/* Not for ever. */
	begin(1);
	fake.arrives = 100;
	check(0, "");
	assert_int_equal(fake.pauses, 9);
}

static void a_journal_that_cannot_be_read_is_said(void **state)
{
	for (int which = 0; which < N_CALLS; which++) {
		begin(2);
		fake.fail = which;
		fake.fail_from = 1;
		check(-EIO, "");
	}
	/* The second match, the second look and seek, the lines again. */
	begin(2);
	fake.fail = MATCH;
	fake.fail_from = 2;
	check(-EIO, "");
	begin(2);
	fake.fail = SEEK;
	fake.fail_from = 2;
	check(-EIO, "");
	/* What was found stays. */
	begin(2);
	fake.fail = PROCESS;
	fake.fail_from = 2;
	check(2, "one\ntwo\n");
}

static void a_root_that_is_gone_is_said(void **state)
{
	const struct host host = { .fd = -1 };
	struct text out = {0};

	begin(1);
	assert_true(journal_tail(&host, "x.service", 77, 2, &out) < 0);
}

static int look(struct long_journal journal, struct journal_span *ret)
{
	struct host host;
	int r;

	memset(&fake, 0, sizeof(fake));
	fake.fail = -1;
	far = journal;
	assert_int_equal(host_open_root(&host, test_dir()), 0);
	r = journal_audit_span(ret, &host, 600ull * SECOND);
	host_done(&host);
	return r;
}

/* 100,000 entries, one each 10 ms, every fourth of audit, in 100 MB that may become 400: 1,000 s, and four times that. */
#define BUSY .n = 100000, .step = SECOND / 100, .audit = 4, .used = 100000000, .limit = 400000000

static const struct {
	const char *what;
	struct long_journal journal;
	bool any;		/* there are audit records */
	uint64_t recent, window, holds;	/* seconds */
} spans[] = {
	{ "no journal at all", { .n = 0 }, false, 0, 600, 0 },
	{ "nothing of audit", { .n = 100, .step = SECOND }, false, 0, 600, 0 },
	{ "too little to tell how long it lasts", { .n = 1000, .step = SECOND, .audit = 10, .used = 1, .limit = 9 }, true, 60, 600, 0 },
	{ "more than are counted", { BUSY }, true, 10000, 399, 3999 },
	{ "so full that it has dropped what said its limit", { .n = 100000, .step = SECOND / 100, .audit = 4, .used = 100000000 },
	  true, 10000, 399, 999 },
	{ "larger than it is to be", { .n = 100000, .step = SECOND / 100, .audit = 4, .used = 100000000, .limit = 5 },
	  true, 10000, 399, 999 },
	{ "few of many", { .n = 100000, .step = SECOND / 100, .audit = 100, .used = 100000000, .limit = 200000000 },
	  true, 600, 600, 1999 },
	{ "quiet since an hour", { BUSY, .quiet = 3600ull * SECOND }, true, 0, 600, 0 },
	{ "quiet since five minutes", { BUSY, .quiet = 300ull * SECOND }, true, 7500, 600, 7999 },
	{ "begun anew in the middle", { BUSY, .anew = 50000 }, true, 10000, 399, 0 },
};

static void what_the_journal_holds_is_told(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		struct journal_span got;
		int r = look(spans[i].journal, &got);

		if (r != 0 || (got.newest > 0) != spans[i].any || got.oldest > got.newest || got.recent != spans[i].recent ||
		    got.window / SECOND != spans[i].window || got.holds / SECOND != spans[i].holds)
			fail_msg("%s: %d, %" PRIu64 " to %" PRIu64 ", %" PRIu64 " in %" PRIu64 " s, holds %" PRIu64 " s", spans[i].what, r,
				 got.oldest, got.newest, got.recent, got.window / SECOND, got.holds / SECOND);
	}
}

static void a_journal_that_fails_tells_nothing(void **state)
{
	const struct long_journal busy = { .n = 30000, .step = SECOND, .audit = 100, .used = 100, .limit = 400 };
	struct long_journal journal = busy;
	struct journal_span got;
	int failed = 0, calls;

	assert_int_equal(look(busy, &got), 0);
	assert_true(got.holds > 0);
	calls = far.calls;
	for (journal.fail = 1; journal.fail <= calls; journal.fail++) {
		int r = look(journal, &got);

		/* Without the entry that tells its limit it counts as full. */
		assert_true(r == -EIO || r == 0);
		assert_true(r == 0 || (got.newest == 0 && got.window == 0));
		failed += r < 0;
	}
	assert_true(failed > 20);
	journal = busy;
	journal.cursor = "of another form";
	assert_int_equal(look(journal, &got), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the last lines of a unit and of auditctl are given", the_last_lines_are_given),
		TEST("lines that come late are waited for, a second at most", lines_that_come_late_are_waited_for),
		TEST("a journal that cannot be read is said", a_journal_that_cannot_be_read_is_said),
		TEST("what the journal has of audit, how fast it comes, and how long it stays is told", what_the_journal_holds_is_told),
		TEST("a journal that fails in the middle tells nothing", a_journal_that_fails_tells_nothing),
		TEST("a root that cannot be opened is said", a_root_that_is_gone_is_said),
	};

	return RUN(tests);
}
