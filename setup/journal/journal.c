#include "setup/journal/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "setup/journal/journal_private.h"

static int add_matches(sd_journal *journal, const char *unit)
{
	_cleanup_free_ char *of_unit = NULL;
	int r;

	if (asprintf(&of_unit, "_SYSTEMD_UNIT=%s", unit) < 0) {
		of_unit = NULL;
		return -ENOMEM;
	}
	r = sd_journal_add_match(journal, of_unit, 0);
	if (r >= 0)
		r = sd_journal_add_disjunction(journal);
	/* auditctl -R speaks to syslog until its first rule is sent; by the time the journal looks,
	 * the process may be gone and its unit unknown. */
	if (r >= 0)
		r = sd_journal_add_match(journal, "SYSLOG_IDENTIFIER=auditctl", 0);
	/* Anybody may log under that name. */
	if (r >= 0)
		r = sd_journal_add_match(journal, "_UID=0", 0);
	return r;
}

static int read_tail(sd_journal *journal, uint64_t since, size_t n, struct text *out)
{
	size_t found = 0, skip;
	int r;

	r = sd_journal_seek_realtime_usec(journal, since);
	while (r >= 0 && (r = sd_journal_next(journal)) > 0)
		found++;
	if (r < 0)
		return r;
	skip = found > n ? found - n : 0;
	r = sd_journal_seek_realtime_usec(journal, since);
	for (size_t i = 0; r >= 0 && i < found; i++) {
		const void *data;
		size_t length;

		r = sd_journal_next(journal);
		if (r <= 0)
			break;
		if (i < skip || sd_journal_get_data(journal, "MESSAGE", &data, &length) < 0 || length < 8)
			continue;
		text_add_bytes(out, (const char *)data + 8, length - 8);
		text_add(out, "\n");
	}
	return r < 0 ? r : (int)(found - skip);
}

/* What there is of them now: how many, or negative errno. */
static int look(const struct host *host, const char *unit, uint64_t since, size_t n, struct text *out)
{
	_cleanup_(sd_journal_closep) sd_journal *journal = NULL;
	int r = journal_open(&journal, host, NULL, NULL, NULL);

	/* It may be made yet. */
	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = add_matches(journal, unit);
	return r < 0 ? r : read_tail(journal, since, n, out);
}

int journal_tail(const struct host *host, const char *unit, uint64_t since, size_t n,
		 struct text *out)
{
	enum { TRIES = 30, QUIET = 5 };
	const struct timespec pause = { .tv_nsec = 100000000 };
	int found = 0, quiet = 0, r = 0;

	/* Lines come one by one, and after the job's end, on a busy machine long after: what was asked for is there when for a while
	 * no more come. */
	for (int tries = 0; r >= 0 && tries < TRIES; tries++) {
		_cleanup_text_ struct text now = {0};

		if (tries > 0)
			nanosleep(&pause, NULL);
		/* Opened anew each time, they may be in a file that has just been made. */
		r = look(host, unit, since, n, &now);
		/* What was found is worth more than the reason why there is no more. */
		if (found > 0 && (r <= 0 || (text_equal(out, &now) && ++quiet == QUIET)))
			return found;
		if (r > 0) {
			quiet = text_equal(out, &now) ? quiet : 0;
			found = r;
			text_done(out);
			*out = now;
			now = (struct text){0};
		}
	}
	return r < 0 ? r : found;
}

/* --- how much of it there is ------------------------------------------------------------- */

enum {
	COUNT_MAX = 10000,	/* records that are counted */
	ENTRIES_MIN = 20000,	/* with fewer in it a file's empty rest would pass for room that they took */
};

/* An entry: when it was written, and its number among all that this journald wrote. */
struct place {
	uint64_t time, number;
	char series[33];
};

/* sd_journal_get_seqnum(), which would tell the number, came with systemd 254; the cursor has had it for ever. */
static int read_place(sd_journal *journal, struct place *ret)
{
	_cleanup_free_ char *cursor = NULL;
	int r = sd_journal_get_realtime_usec(journal, &ret->time);

	if (r >= 0)
		r = sd_journal_get_cursor(journal, &cursor);
	if (r >= 0 && sscanf(cursor, "s=%32[0-9a-f];i=%" SCNx64, ret->series, &ret->number) != 2)
		r = -EBADMSG;
	return r;
}

/* The first entry in step's direction from where seek has set the journal, seek being what that returned. *ret is all zero
 * where there is none. */
static int find_place(sd_journal *journal, int seek, int (*step)(sd_journal *), struct place *ret)
{
	int r = seek < 0 ? seek : step(journal);

	*ret = (struct place){ .time = 0 };
	return r > 0 ? read_place(journal, ret) : r;
}

static int find_ends(sd_journal *journal, struct place *ret_first, struct place *ret_last)
{
	int r = find_place(journal, sd_journal_seek_head(journal), sd_journal_next, ret_first);

	return r < 0 ? r : find_place(journal, sd_journal_seek_tail(journal), sd_journal_previous, ret_last);
}

/* Bytes that the journal's files may have, as journald said when it opened them (SD_MESSAGE_JOURNAL_USAGE in
 * sd-messages.h). 0: it has dropped that entry, so that it is as large as it will ever be, or never said so. */
static uint64_t find_limit(sd_journal *journal)
{
	uint64_t limit = 0;
	const void *data;
	size_t size;
	char text[32];

	sd_journal_flush_matches(journal);
	if (sd_journal_add_match(journal, "MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6", 0) >= 0 &&
	    sd_journal_seek_tail(journal) >= 0 && sd_journal_previous(journal) > 0 &&
	    sd_journal_get_data(journal, "LIMIT", &data, &size) >= 0) {
		snprintf(text, sizeof(text), "%.*s", (int)size, (const char *)data);
		if (sscanf(text, "LIMIT=%" SCNu64, &limit) != 1)
			limit = 0;
	}
	sd_journal_flush_matches(journal);
	return limit;
}

/* Whatever is written drops what is oldest, so that all entries count here. others: what users' files take of the limit. */
static int find_holds(sd_journal *journal, uint64_t now, uint64_t others, struct journal_span *ret)
{
	uint64_t limit = find_limit(journal), used = 0;
	struct place first, last, start;
	int r = find_ends(journal, &first, &last);

	if (r >= 0)
		r = find_place(journal, sd_journal_seek_realtime_usec(journal, now - ret->window), sd_journal_next, &start);
	if (r >= 0)
		r = sd_journal_get_usage(journal, &used);
	ret->begins = r < 0 ? 0 : first.time;
	/* Numbers of another series, of a journal that was begun anew, are not to be compared. */
	if (r < 0 || used == 0 || strcmp(first.series, last.series) != 0 || strcmp(start.series, last.series) != 0 ||
	    last.number < first.number + ENTRIES_MIN || last.number <= start.number)
		return r < 0 ? r : 0;
	ret->holds = (uint64_t)((double)ret->window * (double)(last.number - first.number) / (double)(last.number - start.number) *
				(limit > others && limit - others > used ? (double)(limit - others) / (double)used : 1));
	return 0;
}

/* *ret_from: the time from which on they were counted, when that is later than asked for. */
static int count_back(sd_journal *journal, uint64_t since, uint64_t *ret_n, uint64_t *ret_from)
{
	uint64_t at = 0;
	int r = sd_journal_seek_tail(journal);

	while (r >= 0 && *ret_n < COUNT_MAX && (r = sd_journal_previous(journal)) > 0) {
		r = sd_journal_get_realtime_usec(journal, &at);
		if (r < 0 || at < since)
			break;
		++*ret_n;
	}
	if (r >= 0 && *ret_n == COUNT_MAX)
		*ret_from = at;
	return r;
}

static int read_span(sd_journal *journal, uint64_t now, uint64_t others, struct journal_span *ret)
{
	uint64_t from = now - ret->window;
	struct place first, last;
	int r = sd_journal_add_match(journal, "_TRANSPORT=audit", 0);

	if (r >= 0)
		r = find_ends(journal, &first, &last);
	if (r >= 0)
		r = count_back(journal, from, &ret->recent, &from);
	if (r < 0 || first.time == 0)
		return r;
	ret->oldest = first.time;
	ret->newest = last.time;
	ret->window = now > from ? now - from : 1;
	return find_holds(journal, now, others, ret);
}

int journal_audit_span(struct journal_span *ret, const struct host *host, uint64_t window)
{
	_cleanup_(sd_journal_closep) sd_journal *journal = NULL;
	struct journal_span span = { .window = window };
	struct timespec now;
	uint64_t others = 0;
	int r = journal_open(&journal, host, NULL, NULL, &others);

	*ret = (struct journal_span){ .oldest = 0 };
	clock_gettime(CLOCK_REALTIME, &now);
	if (r >= 0)
		r = read_span(journal, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, others, &span);
	else if (r == -ENOENT)
		r = 0;	/* where no journal is, no record is */
	if (r < 0)
		return r;
	*ret = span;
	return 0;
}
