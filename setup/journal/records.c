#include "setup/journal/records.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/journal/journal_private.h"

/* The journal's files that could be opened; descriptors owned. */
struct files {
	int *fds;
	size_t n;
};

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		close(files->fds[i]);
	free(files->fds);
}

/* A file by itself; the descriptor stays the caller's. */
static int open_one(sd_journal **ret, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), r;

	if (copy < 0)
		return -errno;
	/* It takes what it can open. */
	r = sd_journal_open_files_fd(ret, &copy, 1, 0);
	if (r < 0)
		close(copy);
	return r;
}

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

/* 0, or why the file is not one that can be read. The library passes over such a file, and parts of it, without a word. */
static int check_file(int fd, const char *path, struct records_span *span, struct log *log)
{
	_cleanup_(sd_journal_closep) sd_journal *journal = NULL;
	int r = open_one(&journal, fd);

	if (r < 0 || ends_well(journal))
		return r;
	span->damaged++;
	log_at(log, LEVEL_WARNING, path, 0, "this file of the journal is damaged; what can be read of it is counted");
	return 0;
}

static int add_file(struct files *files, const struct host *host, const char *path, struct records_span *span, struct log *log)
{
	_cleanup_close_ int fd = host_open(host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	int r = fd < 0 ? fd : check_file(fd, path, span, log), *fds;

	span->files++;
	if (r < 0) {
		span->unread++;
		span->denied = span->denied || r == -EACCES || r == -EPERM;
		log_at(log, LEVEL_WARNING, path, 0, "this file of the journal was passed over: %s",
		       r == -EBADMSG || r == -ENODATA ? "it is damaged" :
		       r == -EPROTONOSUPPORT ? "it is written in a way that only a newer systemd reads" : strerror(-r));
		return r == -ENOMEM ? r : 0;
	}
	fds = reallocarray(files->fds, files->n + 1, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	files->fds = fds;
	fds[files->n++] = fd;
	fd = -1;
	return 0;
}

/* Audit records are in the system's own files, also of an unclean end ("~"), and those that were rotated. */
static bool is_system_file(const char *name)
{
	size_t n = strlen(name);

	return strncmp(name, "system", 6) == 0 && (name[6] == '.' || name[6] == '@') &&
		((n > 8 && strcmp(name + n - 8, ".journal") == 0) || (n > 9 && strcmp(name + n - 9, ".journal~") == 0));
}

static int add_directory(struct files *files, const struct host *host, const char *directory, struct records_span *span,
			 struct log *log)
{
	_cleanup_strings_ char **names = NULL;
	int r = host_list(host, directory, &names);

	if (r == -EACCES) {
		span->denied = true;
		return 0;
	}
	for (size_t i = 0; r == 0 && names[i]; i++) {
		_cleanup_free_ char *path = NULL;

		if (!is_system_file(names[i]))
			continue;
		if (asprintf(&path, "%s/%s", directory, names[i]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = add_file(files, host, path, span, log);
	}
	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

/* Below the place the host's journal is in the directory of its machine ID; where that is not known, in any. */
static int add_place(struct files *files, const struct host *host, const char *place, const char *machine,
		     struct records_span *span, struct log *log)
{
	_cleanup_strings_ char **names = NULL;
	int r = host_list(host, place, &names);

	if (r == -EACCES)
		span->denied = true;
	if (r == -EACCES || r == -ENOENT || r == -ENOTDIR)
		return 0;
	for (size_t i = 0; r == 0 && names[i]; i++) {
		_cleanup_free_ char *path = NULL;

		if (*machine ? strcmp(names[i], machine) != 0 : strspn(names[i], "0123456789abcdef") != 32 || names[i][32])
			continue;
		if (asprintf(&path, "%s/%s", place, names[i]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = add_directory(files, host, path, span, log);
	}
	return r;
}

static int find_files(struct files *files, const struct host *host, struct records_span *span, struct log *log)
{
	static const char *const places[] = { "/var/log/journal", "/run/log/journal" };
	_cleanup_text_ struct text machine = {0};
	int r = host_read(host, "/etc/machine-id", &machine);

	if (r == -ENOMEM)
		return r;
	if (r == 0 && machine.s)
		machine.s[strcspn(machine.s, "\n")] = '\0';
	r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
		r = add_place(files, host, places[i], machine.s ? machine.s : "", span, log);
	return r;
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
	_cleanup_(files_done) struct files files = {0};
	uint64_t from = 0, to = 0;
	int r;

	*ret = (struct records_span){0};
	r = find_files(&files, host, ret, log);
	if (r == 0 && files.n == 0)
		r = ret->denied ? -EACCES : -ENOENT;
	if (r == 0)
		r = sd_journal_open_files_fd(&journal, files.fds, (unsigned)files.n, 0);
	if (r >= 0) {
		/* They are the library's now. */
		files.n = 0;
		r = sd_journal_get_cutoff_realtime_usec(journal, &from, &to);
	}
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
