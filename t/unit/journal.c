/* The end of a unit's journal, how much of audit there is in one, and which files it is: a journal of this test's, whose
 * functions stand in for those of libsystemd, and take any file for one. */
#include "t/unit/test.h"

#include <inttypes.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "setup/base/text.h"
#include "setup/journal/journal.h"

enum { OPEN, MATCH, DISJUNCTION, SEEK, NEXT, N_CALLS };

static struct {
	const char *lines[16];
	int n, at;
	int arrives;		/* that many looks see nothing */
	int grows;		/* lines that each look after the first sees more; every slow'th, where that is set */
	int slow;
	int fail, fail_from;	/* one of the calls, and from which on */
	int calls[N_CALLS], looks;
	char matches[256];
	unsigned pauses, made_at;	/* a file is made while that pause lasts */
	char root[512];
	char opened[512];	/* the files that were opened last, without the root */
	int fds[8];
	unsigned n_fds;
} fake;

static int call(int which)
{
	return ++fake.calls[which] >= fake.fail_from && fake.fail == which ? -EIO : 0;
}

static int visible(void)
{
	int n = fake.looks <= fake.arrives ? 0 : fake.grows ? (fake.looks - fake.arrives + (fake.slow ? fake.slow - 1 : 0)) /
		(fake.slow ? fake.slow : 1) * fake.grows : fake.n;

	return n < fake.n ? n : fake.n;
}

#define MACHINE "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define JOURNAL "log/journal/" MACHINE "/"

/* Makes a file below the root, and the directories on its way; or a link, where `to` is given. */
static void make(const char *name, const char *to)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", fake.root, name);
	for (char *s = path + strlen(fake.root); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		(void)mkdir(path, 0755);
		*s = '/';
	}
	if (to) {
		assert_int_equal(symlink(to, path), 0);
		return;
	}
	f = fopen(path, "we");
	assert_non_null(f);
	if (strcmp(name, "etc/machine-id") == 0)
		fputs(MACHINE "\n", f);
	assert_int_equal(fclose(f), 0);
}

/* Another root, without a journal. */
static void new_root(void)
{
	static unsigned roots;

	snprintf(fake.root, sizeof(fake.root), "%s/%u", test_dir(), ++roots);
	make("etc/passwd", NULL);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	if (++fake.pauses == fake.made_at)
		make("var/" JOURNAL "system.journal", NULL);
	return 0;
}

/* As the library: all or none, and those that it opened are closed with it. */
int sd_journal_open_files(sd_journal **ret, const char **paths, int flags)
{
	int r = call(OPEN);
	unsigned n = 0;

	assert_int_equal(flags, 0);
	assert_int_equal(fake.n_fds, 0);
	while (paths[n])
		n++;
	assert_in_range(n, 1, ARRAY_SIZE(fake.fds));
	*fake.opened = '\0';
	for (unsigned i = 0; i < n; i++) {
		char path[512] = "";
		size_t length = strlen(fake.opened);

		/* No name that could lead elsewhere. */
		assert_true(strncmp(paths[i], "/proc/self/fd/", 14) == 0);
		assert_true(readlink(paths[i], path, sizeof(path) - 1) > 0);
		if (strstr(path, "damaged") || strstr(path, "denied"))
			r = strstr(path, "denied") ? -EACCES : -EBADMSG;
		snprintf(fake.opened + length, sizeof(fake.opened) - length, "%s%s", i ? " " : "",
			 strncmp(path, fake.root, strlen(fake.root)) == 0 ? path + strlen(fake.root) + 1 : path);
	}
	if (r < 0) {
		*fake.opened = '\0';
		return r;
	}
	for (; fake.n_fds < n; fake.n_fds++) {
		fake.fds[fake.n_fds] = open(paths[fake.n_fds], O_RDONLY | O_CLOEXEC);
		assert_true(fake.fds[fake.n_fds] >= 0);
	}
	*fake.matches = '\0';
	*ret = (void *)&fake;
	return 0;
}

void sd_journal_close(sd_journal *journal)
{
	while (fake.n_fds > 0)
		assert_int_equal(close(fake.fds[--fake.n_fds]), 0);
}

/* --- a long journal: one entry every step, each so-and-so-many of audit --- */

enum { SECOND = 1000000 };
static const uint64_t now = 1700000000ull * SECOND;

static struct long_journal {
	uint64_t n;		/* entries, the last of them written `quiet` before now */
	uint64_t step, quiet;
	uint64_t audit;		/* every audit'th is of audit; 0 none is */
	uint64_t used, limit;	/* limit 0: it has dropped what said it */
	uint64_t users;		/* what is used by users' own files */
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
	fake.looks++;
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

static void begin(int n)
{
	static const char *const lines[] = { "MESSAGE=one", "MESSAGE=two", "MESSAGE=three", "MESSAGE=four" };

	memset(&fake, 0, sizeof(fake));
	far = (struct long_journal){ .n = 0 };
	fake.fail = -1;
	fake.n = n;
	for (int i = 0; i < n; i++)
		fake.lines[i] = lines[i];
	new_root();
}

/* The same with a journal. */
static void begin_journal(int n)
{
	begin(n);
	make("var/" JOURNAL "system.journal", NULL);
}

/* Descriptors of this process. */
static int count_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void check(int found, const char *text)
{
	int before = count_open();
	struct host host;
	struct text out = {0};

	assert_int_equal(host_open_root(&host, fake.root), 0);
	assert_int_equal(journal_tail(&host, "x.service", 77, 2, &out), found);
	assert_string_equal(out.s ? out.s : "", text);
	text_done(&out);
	host_done(&host);
	assert_int_equal(count_open(), before);
}

static void the_last_lines_are_given(void **state)
{
	begin_journal(1);
	check(1, "one\n");
	assert_string_equal(fake.matches, "_SYSTEMD_UNIT=x.service or SYSLOG_IDENTIFIER=auditctl _UID=0 ");
	begin_journal(4);
	check(2, "three\nfour\n");
	begin_journal(4);
	fake.lines[2] = NULL;	/* an entry without a message */
	fake.lines[3] = "MESS";
	check(2, "");
}

static void lines_that_come_late_are_waited_for(void **state)
{
	begin_journal(2);
	fake.arrives = 3;
	check(2, "one\ntwo\n");
	assert_int_equal(fake.pauses, 8);
	/* One by one, on a busy machine with pauses between them. */
	for (int slow = 0; slow <= 5; slow++) {
		begin_journal(3);
		fake.grows = 1;
		fake.slow = slow;
		check(2, "two\nthree\n");
	}
	/* Not for ever. */
	begin_journal(1);
	fake.arrives = 100;
	check(0, "");
	assert_int_equal(fake.pauses, 29);
	/* In a file that is made meanwhile. */
	begin(2);
	fake.made_at = 4;
	check(2, "one\ntwo\n");
	assert_int_equal(fake.pauses, 9);
}

static void a_journal_that_cannot_be_read_is_said(void **state)
{
	for (int which = 0; which < N_CALLS; which++) {
		begin_journal(2);
		fake.fail = which;
		/* A file that cannot be opened by itself is passed over. */
		fake.fail_from = which == OPEN ? 2 : 1;
		check(-EIO, "");
	}
	/* The second match, the second look and seek, the lines again. */
	begin_journal(2);
	fake.fail = MATCH;
	fake.fail_from = 2;
	check(-EIO, "");
	begin_journal(2);
	fake.fail = SEEK;
	fake.fail_from = 2;
	check(-EIO, "");
	/* What was found stays. */
	begin_journal(2);
	fake.fail = OPEN;
	fake.fail_from = 4;
	check(2, "one\ntwo\n");
}

static void a_root_that_is_gone_is_said(void **state)
{
	const struct host host = { .fd = -1 };
	struct text out = {0};

	begin_journal(1);
	assert_true(journal_tail(&host, "x.service", 77, 2, &out) < 0);
}

/* --- which files it is --- */

#define SYSTEM JOURNAL "system.journal"
#define AT_VAR "var/" SYSTEM
#define AT_RUN "run/" SYSTEM
#define AT_MNT "mnt/" SYSTEM

static const struct {
	const char *what, *files[4], *link, *to;
	const char *opened;	/* NULL for no journal at all */
	int error;
} places[] = {
	{ "of this boot and of all", { AT_VAR, AT_RUN }, .opened = AT_VAR " " AT_RUN },
	{ "of this boot only", { AT_RUN }, .opened = AT_RUN },
	{ "rotated, and of an unclean end; of no user", { "var/" JOURNAL "system@1-2.journal", "var/" JOURNAL "system@3-4.journal~",
	  "var/" JOURNAL "user-1000.journal", "var/" JOURNAL "system.other" },
	  .opened = "var/" JOURNAL "system@1-2.journal var/" JOURNAL "system@3-4.journal~" },
	{ "another machine's is none", { "etc/machine-id", AT_VAR, "var/log/journal/" OTHER "/system.journal" }, .opened = AT_VAR },
	{ "any machine's where the host's ID is not known",
	  { "var/log/journal/" OTHER "/system.journal", "var/log/journal/x/system.journal" },
	  .opened = "var/log/journal/" OTHER "/system.journal" },
	{ "one that is damaged is passed over", { AT_VAR, "var/" JOURNAL "system@damaged.journal" }, .opened = AT_VAR },
	{ "one that may not be read, too", { AT_VAR, "var/" JOURNAL "system@denied.journal" }, .opened = AT_VAR },
	{ "nothing but that", { "var/" JOURNAL "system@denied.journal" }, .error = -EACCES },
	{ "nothing but one that is damaged", { "var/" JOURNAL "system@damaged.journal" }, .error = 0 },
	{ "nothing", { "var/log/journal/x" }, .error = 0 },
	{ "var/log elsewhere", { AT_MNT }, "var/log", "/mnt/log", .opened = AT_MNT },
	{ "its directory elsewhere", { AT_MNT, AT_RUN }, "var/log/journal", "/mnt/log/journal", .opened = AT_MNT " " AT_RUN },
	{ "the machine's elsewhere", { AT_MNT }, "var/log/journal/" MACHINE, "/mnt/log/journal/" MACHINE, .opened = AT_MNT },
	{ "a file elsewhere", { AT_MNT }, AT_VAR, "/" AT_MNT, .opened = AT_MNT },
	{ "elsewhere by ..", { AT_MNT }, "run/log", "../../../../../../../../mnt/log", .opened = AT_MNT },
};

/* By both ways to the journal. */
static void check_place(size_t i)
{
	int before = count_open(), found = places[i].opened ? 1 : places[i].error, tail, span;
	const char *opened = places[i].opened ? places[i].opened : "";
	struct journal_span ret;
	struct text out = {0};
	struct host host;

	begin(1);
	for (size_t j = 0; j < ARRAY_SIZE(places[i].files) && places[i].files[j]; j++)
		make(places[i].files[j], NULL);
	if (places[i].link)
		make(places[i].link, places[i].to);
	assert_int_equal(host_open_root(&host, fake.root), 0);
	tail = journal_tail(&host, "x.service", 77, 2, &out);
	if (tail != found || strcmp(fake.opened, opened) != 0)
		fail_msg("%s: %d lines, of '%s'", places[i].what, tail, fake.opened);
	*fake.opened = '\0';
	span = journal_audit_span(&ret, &host, SECOND);
	if (span != places[i].error || strcmp(fake.opened, opened) != 0)
		fail_msg("%s: %d, of '%s'", places[i].what, span, fake.opened);
	text_done(&out);
	host_done(&host);
	assert_int_equal(count_open(), before);
}

static void the_journal_is_found_below_the_root(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		check_place(i);
}

/* A link that leads out of the root: to what would be a journal. */
static void nothing_outside_the_root_is_a_journal(void **state)
{
	static const char *const links[] = { "var/log", "var/log/journal", "var/log/journal/" MACHINE, AT_VAR, "run/log", AT_RUN };
	char outside[sizeof(fake.root)], to[2 * sizeof(fake.root)];

	begin_journal(1);
	make(AT_RUN, NULL);
	memcpy(outside, fake.root, sizeof(outside));
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		begin(1);
		snprintf(to, sizeof(to), "%s/%s", outside, links[i]);
		assert_int_equal(access(to, F_OK), 0);
		make(links[i], to);
		check(0, "");
		assert_string_equal(fake.opened, "");
	}
}

/* A user's own journal, of that size. */
static void make_users(uint64_t size)
{
	char path[sizeof(fake.root) + 128];

	make("var/" JOURNAL "user-1000.journal", NULL);
	snprintf(path, sizeof(path), "%s/var/" JOURNAL "user-1000.journal", fake.root);
	assert_int_equal(truncate(path, (off_t)size), 0);
}

static int look(struct long_journal journal, struct journal_span *ret)
{
	struct host host;
	int r;

	begin_journal(0);
	make_users(journal.users);
	far = journal;
	assert_int_equal(host_open_root(&host, fake.root), 0);
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
	{ "beside users' own, for which the limit is, too", { BUSY, .users = 200000000 }, true, 10000, 399, 1999 },
	{ "less than users' own leave", { BUSY, .users = 350000000 }, true, 10000, 399, 999 },
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
		TEST("lines that come late are waited for, three seconds at most", lines_that_come_late_are_waited_for),
		TEST("a journal that cannot be read is said", a_journal_that_cannot_be_read_is_said),
		TEST("what the journal has of audit, how fast it comes, and how long it stays is told", what_the_journal_holds_is_told),
		TEST("a journal that fails in the middle tells nothing", a_journal_that_fails_tells_nothing),
		TEST("a root that cannot be opened is said", a_root_that_is_gone_is_said),
		TEST("the journal is the system's files of this machine, where the host would find them",
		     the_journal_is_found_below_the_root),
		TEST("what links out of the root lead to is not opened", nothing_outside_the_root_is_a_journal),
	};

	return RUN(tests);
}
