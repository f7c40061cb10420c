#include "setup/journal/records.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "setup/journal/journal_private.h"

/* Is the file's last entry, by its header, where it ends? What comes after a damage is left out by the library. */
static bool ends_well(sd_journal *journal)
{
	uint64_t from, to, last;

	/* One without an entry, as journald makes it first, is whole. */
	if (sd_journal_get_cutoff_realtime_usec(journal, &from, &to) <= 0)
		return true;
	return sd_journal_seek_tail(journal) >= 0 && sd_journal_previous(journal) > 0 &&
		sd_journal_get_realtime_usec(journal, &last) >= 0 && last >= to;
}

/* What the files are looked at for. */
struct look {
	struct records_span *span;
	struct log *log;
};

/* The library passes over a file, and parts of one, without a word. */
static void look_at(void *context, const char *path, sd_journal *file, int error)
{
	const struct look *look = context;

	look->span->files++;
	if (!file) {
		look->span->unread++;
		log_at(look->log, LEVEL_WARNING, path, 0, "this file of the journal was passed over: %s",
		       error == -EBADMSG || error == -ENODATA ? "it is damaged" :
		       error == -EPROTONOSUPPORT ? "it is written in a way that only a newer systemd reads" : strerror(-error));
	} else if (!ends_well(file)) {
		look->span->damaged++;
		log_at(look->log, LEVEL_WARNING, path, 0, "this file of the journal is damaged; what can be read of it is counted");
	}
}

/* The number of a field "NAME=DIGITS", 0 for none. */
static uint64_t number_of(sd_journal *journal, const char *field)
{
	size_t n = strlen(field) + 1, length;
	const void *data;
	uint64_t number = 0;

	if (sd_journal_get_data(journal, field, &data, &length) < 0)
		return 0;
	for (const char *s = data; n < length && isdigit((unsigned char)s[n]); n++)
		number = number * 10 + (uint64_t)(s[n] - '0');
	return number;
}

static uint64_t boot_of(sd_journal *journal)
{
	uint64_t monotonic, boot = 0;
	sd_id128_t id;

	if (sd_journal_get_monotonic_usec(journal, &monotonic, &id) >= 0)
		memcpy(&boot, id.bytes, sizeof(boot));
	return boot;
}

static int read_records(sd_journal *journal, int (*take)(void *context, const struct journal_record *record), void *context)
{
	static const char message[] = "MESSAGE=";
	int r;

	while ((r = sd_journal_next(journal)) > 0) {
		/* What is got of one field lasts until the next is asked for. */
		struct journal_record record = { .event = number_of(journal, "_AUDIT_ID"), .boot = boot_of(journal) };
		const void *data;
		size_t length;

		if (sd_journal_get_data(journal, "MESSAGE", &data, &length) < 0 || length < strlen(message))
			continue;
		record.text = (const char *)data + strlen(message);
		record.size = length - strlen(message);
		r = take(context, &record);
		if (r < 0)
			break;
	}
	return r;
}

int journal_records(const struct host *host, uint64_t since, struct log *log, struct records_span *ret,
		    int (*take)(void *context, const struct journal_record *record), void *context)
{
	_cleanup_(sd_journal_closep) sd_journal *journal = NULL;
	struct look look = { .span = ret, .log = log };
	uint64_t from = 0, to = 0;
	int r;

	*ret = (struct records_span){0};
	r = journal_open(&journal, host, look_at, &look, NULL);
	if (r < 0)
		return r;
	r = sd_journal_get_cutoff_realtime_usec(journal, &from, &to);
	/* Files, and nothing in them. */
	if (r == 0)
		return 0;
	ret->from = from > since ? from : since;
	ret->to = to;
	if (r > 0)
		r = sd_journal_add_match(journal, "_TRANSPORT=audit", 0);
	if (r >= 0)
		r = sd_journal_seek_realtime_usec(journal, since);
	return r < 0 ? r : read_records(journal, take, context);
}
