#include "setup/journal/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "setup/base/strings.h"

/* What is looked for, and the files that could be opened; their descriptors are owned. */
struct search {
	const struct host *host;
	journal_each *each;
	void *context;
	int *fds;
	size_t n;
	bool denied;		/* some for want of rights */
	uint64_t others;	/* bytes of files that are not the system's */
};

static void search_done(struct search *search)
{
	for (size_t i = 0; i < search->n; i++)
		close(search->fds[i]);
	free(search->fds);
}

/* By the names that proc(5) gives open files: libsystemd 247 aborts at the second of several descriptors (add_any_file() in
 * sd-journal.c looks for a file that it knows without a name). The descriptors stay the caller's. */
static int open_files(sd_journal **ret, const int *fds, size_t n)
{
	_cleanup_free_ const char **paths = calloc(n + 1, sizeof(*paths));
	_cleanup_free_ char (*names)[32] = calloc(n, sizeof(*names));

	if (!paths || !names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "/proc/self/fd/%d", fds[i]);
		paths[i] = names[i];
	}
	return sd_journal_open_files(ret, paths, 0);
}

static int add_file(struct search *search, const char *path)
{
	_cleanup_close_ int fd = host_open(search->host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_(sd_journal_closep) sd_journal *file = NULL;
	/* By itself, since of several the library takes all or none. */
	int r = fd < 0 ? fd : open_files(&file, &fd, 1), *fds;

	if (search->each)
		search->each(search->context, path, r < 0 ? NULL : file, r);
	if (r < 0) {
		search->denied = search->denied || r == -EACCES || r == -EPERM;
		return r == -ENOMEM ? r : 0;
	}
	fds = reallocarray(search->fds, search->n + 1, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	search->fds = fds;
	fds[search->n++] = fd;
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

static void add_size(struct search *search, const char *path)
{
	struct stat st;

	if (host_stat(search->host, path, &st) == 0 && S_ISREG(st.st_mode))
		search->others += (uint64_t)st.st_size;
}

/* What is in a directory, none where it is not there, or may not be read. */
static int list(struct search *search, const char *directory, char ***ret_names)
{
	int r = host_list(search->host, directory, ret_names);

	search->denied = search->denied || r == -EACCES;
	return r == -EACCES || r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

static int add_directory(struct search *search, const char *directory)
{
	_cleanup_strings_ char **names = NULL;
	int r = list(search, directory, &names);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", directory, names[i]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (is_system_file(names[i]))
			r = add_file(search, path);
		else
			add_size(search, path);
	}
	return r;
}

static bool is_id(const char *s)
{
	return strspn(s, "0123456789abcdef") == 32 && !s[32];
}

static int add_place(struct search *search, const char *place, const char *machine)
{
	_cleanup_strings_ char **names = NULL;
	int r = list(search, place, &names);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		_cleanup_free_ char *path = NULL;

		if (is_id(machine) ? strcmp(names[i], machine) != 0 : !is_id(names[i]))
			continue;
		if (asprintf(&path, "%s/%s", place, names[i]) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = add_directory(search, path);
	}
	return r;
}

static int find_files(struct search *search)
{
	static const char *const places[] = { "/var/log/journal", "/run/log/journal" };
	_cleanup_text_ struct text machine = {0};
	int r = host_read(search->host, "/etc/machine-id", &machine);

	if (r == -ENOMEM)
		return r;
	if (r == 0 && machine.s)
		machine.s[strcspn(machine.s, "\n")] = '\0';
	r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
		r = add_place(search, places[i], machine.s ? machine.s : "");
	return r;
}

/* It takes two for each file; more than the usual thousand are for who has raised SystemMaxFiles= in journald.conf(5). */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int journal_open(sd_journal **ret, const struct host *host, journal_each *each, void *context, uint64_t *ret_others)
{
	_cleanup_(search_done) struct search search = { .host = host, .each = each, .context = context };
	int r;

	allow_descriptors();
	r = find_files(&search);
	if (r == 0 && search.n == 0)
		r = search.denied ? -EACCES : -ENOENT;
	if (ret_others)
		*ret_others = search.others;
	return r < 0 ? r : open_files(ret, search.fds, search.n);
}
