#include "setup/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int outfile_flush(void)
{
	if (fflush(stdout) != 0)
		return -errno;
	if (!ferror(stdout))
		return 0;
	/* The one that failed is past, and with it why. What is there is not whole: a newline more does no harm, and fails, too. */
	return putchar('\n') == EOF || fflush(stdout) != 0 ? -errno : 1;
}

void outfile_failed(struct log *log, enum log_level level, const char *where, int r)
{
	log_say(log, level, "the result could not be written to %s: %s", where,
		r < 0 ? strerror(-r) : "a write before the last one failed");
}

static int fail(struct log *log, const char *path, int r)
{
	outfile_failed(log, LEVEL_ERROR, path, r);
	return r < 0 ? r : -EIO;
}

/* Hidden, and with another end than the collector looks for. */
static char *name_beside(const char *path, const char *end)
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash - path) + 1 : 0;
	char *name;

	return asprintf(&name, "%.*s.%s.%s", directory, path, path + directory, end) < 0 ? NULL : name;
}

static int write_all(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, s, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		s += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
	return 0;
}

/* For everybody to read, as other files there; and on the disk. */
static int settle(int fd)
{
	return fchmod(fd, 0644) < 0 || (fsync(fd) < 0 && errno != EINVAL) ? -errno : 0;
}

static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");

	return directory ? open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
}

/* With a name from the start, *ret_name. */
static int open_named(const char *path, char **ret_name)
{
	_cleanup_free_ char *name = name_beside(path, "XXXXXX");
	int fd = name ? mkostemp(name, O_CLOEXEC) : -1, r = name ? -errno : -ENOMEM;

	if (fd < 0)
		return r;
	*ret_name = TAKE(name);
	return fd;
}

/* A file without a name, which a run that is killed does not leave; with one, *ret_name, where the file system has none such (NFS).
 * The file's descriptor, or negative errno. */
static int open_beside(const char *path, char **ret_name)
{
	int fd = open_nameless(path);

	*ret_name = NULL;
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd >= 0 ? fd : -errno;
	return open_named(path, ret_name);
}

/* Gives the whole file a name beside the path, always the same: what a killed run has left there goes, and so does what another is
 * about to rename, which is whole as well. */
static int give_name(int fd, const char *name)
{
	char self[64];
	int r;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int tries = 0; tries < 16; tries++) {
		r = linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
		if (r != -EEXIST || (unlink(name) < 0 && errno != ENOENT))
			break;
	}
	return r;
}

/* 0 or negative errno. ENOENT at the renaming: another run has taken the file of that name for its own, and renamed it. */
static int rename_nameless(int fd, const char *path)
{
	_cleanup_free_ char *name = name_beside(path, "new");
	int r = name ? -ENOENT : -ENOMEM;

	for (int tries = 0; r == -ENOENT && tries < 16; tries++) {
		r = give_name(fd, name);
		if (r == 0 && rename(name, path) < 0) {
			r = -errno;
			unlink(name);
		}
	}
	return r;
}

/* Where a security module lets no file be named afterwards. */
static int rename_copy(int from, const char *path)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = open_named(path, &name);
	char buffer[16384];
	off_t at = 0;
	ssize_t n;
	int r = fd < 0 ? fd : 0;

	while (r == 0 && (n = pread(from, buffer, sizeof(buffer), at)) != 0) {
		r = n < 0 ? -errno : write_all(fd, buffer, (size_t)n);
		at += n;
	}
	if (r == 0)
		r = settle(fd);
	if (r == 0 && rename(name, path) < 0)
		r = -errno;
	if (r < 0 && name)
		unlink(name);
	return r;
}

/* What is whole, and on the disk, takes the place of the path; name: as open_beside() gave it. */
static int put_in_place(int fd, const char *name, const char *path)
{
	int r = 0;

	if (!name)
		return rename_nameless(fd, path) == 0 ? 0 : rename_copy(fd, path);
	if (rename(name, path) < 0) {
		r = -errno;
		unlink(name);
	}
	return r;
}

/* A name of a device, or a link, would end as a file. */
static bool may_be_replaced(const char *path, struct log *log)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return true;
	log_say(log, LEVEL_ERROR, "the result could not be written to %s: it is no regular file, and would be replaced by one; name "
		"another (a result without --output-file goes to standard output)", path);
	return false;
}

int outfile_begin(struct outfile *ret, const char *path, struct log *log)
{
	struct outfile o = { .path = path, .out = -1 };
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!may_be_replaced(path, log))
		return -EEXIST;
	fd = open_beside(path, &o.beside);
	if (fd < 0)
		return fd == -ENOMEM ? log_no_memory(log) : fail(log, path, fd);
	/* What could not be written there, the failure of the last result, is none of this one's. */
	fflush(stdout);
	clearerr(stdout);
	o.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (o.out < 0 || dup2(fd, STDOUT_FILENO) < 0)
		r = -errno;
	if (r < 0) {
		if (o.beside)
			unlink(o.beside);
		mem_close(&o.out);
		free(o.beside);
		return fail(log, path, r);
	}
	*ret = o;
	return 0;
}

int outfile_end(struct outfile *o, bool keep, struct log *log)
{
	int r = outfile_flush();

	clearerr(stdout);
	if (r == 0 && keep)
		r = settle(STDOUT_FILENO);
	if (r == 0 && keep)
		r = put_in_place(STDOUT_FILENO, o->beside, o->path);
	else if (o->beside)
		unlink(o->beside);
	if (dup2(o->out, STDOUT_FILENO) < 0 && r == 0)
		r = -errno;
	mem_close(&o->out);
	free(o->beside);
	o->beside = NULL;
	return r != 0 ? fail(log, o->path, r) : 0;
}

int outfile_put(const char *path, const struct text *content, struct log *log)
{
	_cleanup_free_ char *beside = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (!may_be_replaced(path, log))
		return -EEXIST;
	fd = open_beside(path, &beside);
	if (fd < 0)
		return fd == -ENOMEM ? log_no_memory(log) : fail(log, path, fd);
	r = write_all(fd, content->s ? content->s : "", content->len);
	if (r == 0)
		r = settle(fd);
	if (r == 0)
		r = put_in_place(fd, beside, path);
	else if (beside)
		unlink(beside);
	return r < 0 ? fail(log, path, r) : 0;
}
