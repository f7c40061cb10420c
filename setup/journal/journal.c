#include "setup/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
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

int journal_tail(const struct host *host, const char *unit, uint64_t since, size_t n,
		 struct text *out)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	_cleanup_(sd_journal_closep) sd_journal *journal = NULL;
	_cleanup_close_ int root = host_open(host, "/", O_RDONLY | O_DIRECTORY);
	int found = 0, r;

	if (root < 0)
		return root;
	r = sd_journal_open_directory_fd(&journal, root, SD_JOURNAL_OS_ROOT | SD_JOURNAL_SYSTEM);
	/* From here on new files are noticed, as far as the machine has inotify left. */
	if (r >= 0)
		(void)sd_journal_get_fd(journal);
	if (r >= 0)
		r = add_matches(journal, unit);
	/* Lines come one by one, and after the job's end: what was asked for is there when no more come. */
	for (int tries = 0; r >= 0 && tries < 10; tries++) {
		_cleanup_text_ struct text now = {0};

		if (tries > 0)
			nanosleep(&pause, NULL);
		/* lets the library notice new entries and files */
		r = sd_journal_process(journal);
		if (r >= 0)
			r = read_tail(journal, since, n, &now);
		/* What was found is worth more than the reason why there is no more. */
		if (found > 0 && (r <= 0 || text_equal(out, &now)))
			return found;
		if (r > 0) {
			found = r;
			text_done(out);
			*out = now;
			now = (struct text){0};
		}
	}
	return r < 0 ? r : found;
}
