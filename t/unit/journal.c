/* The end of a unit's journal, from a journal of this test's: its functions stand in for those of libsystemd. */
#include "t/unit/test.h"

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

int sd_journal_add_match(sd_journal *journal, const void *data, size_t size)
{
	assert_int_equal(size, 0);
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
	assert_int_equal(usec, 77);
	fake.at = -1;
	return call(SEEK);
}

int sd_journal_next(sd_journal *journal)
{
	int r = call(NEXT);

	if (r < 0)
		return r;
	return ++fake.at < visible();
}

int sd_journal_get_data(sd_journal *journal, const char *field, const void **ret, size_t *ret_size)
{
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
	assert_string_equal(fake.matches, "_SYSTEMD_UNIT=x.service or SYSLOG_IDENTIFIER=auditctl ");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the last lines of a unit and of auditctl are given", the_last_lines_are_given),
		TEST("lines that come late are waited for, a second at most", lines_that_come_late_are_waited_for),
		TEST("a journal that cannot be read is said", a_journal_that_cannot_be_read_is_said),
		TEST("a root that cannot be opened is said", a_root_that_is_gone_is_said),
	};

	return RUN(tests);
}
