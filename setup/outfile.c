#include "setup/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct log *log, const char *path, int r)
{
	log_say(log, LEVEL_ERROR, "the result could not be written to %s: %s", path, strerror(-r));
	return r;
}

/* Hidden, and with another end than the collector looks for. */
static char *name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash - path) + 1 : 0;
	char *name;

	return asprintf(&name, "%.*s.%s.XXXXXX", directory, path, path + directory) < 0 ? NULL : name;
}

/* A name of a device, or a link, would end as a file. */
static bool may_be_replaced(const char *path, struct log *log)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return true;
	log_say(log, LEVEL_ERROR, "the result could not be written to %s: it is no regular file, and would be replaced by one; name another "
		"(a result without --output-file goes to standard output)", path);
	return false;
}

int outfile_begin(struct outfile *ret, const char *path, struct log *log)
{
	struct outfile o = { .path = path, .out = -1 };
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!may_be_replaced(path, log))
		return -EEXIST;
	o.beside = name_beside(path);
	fd = o.beside ? mkostemp(o.beside, O_CLOEXEC) : -1;
	if (!o.beside)
		return log_no_memory(log);
	/* For everybody to read, as other files there. */
	if (fd < 0 || fchmod(fd, 0644) < 0)
		r = -errno;
	fflush(stdout);
	if (r == 0)
		o.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (r == 0 && (o.out < 0 || dup2(fd, STDOUT_FILENO) < 0))
		r = -errno;
	if (r < 0) {
		if (fd >= 0)
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
	int r = fflush(stdout) != 0 || ferror(stdout) ? -errno : 0;

	clearerr(stdout);
	if (r == 0 && keep && fsync(STDOUT_FILENO) < 0 && errno != EINVAL)
		r = -errno;
	if (dup2(o->out, STDOUT_FILENO) < 0 && r == 0)
		r = -errno;
	mem_close(&o->out);
	if (r == 0 && keep && rename(o->beside, o->path) < 0)
		r = -errno;
	if (r < 0 || !keep)
		unlink(o->beside);
	free(o->beside);
	o->beside = NULL;
	return r < 0 ? fail(log, o->path, r) : 0;
}

static int write_beside(int fd, const struct text *content)
{
	for (size_t done = 0; done < content->len;) {
		ssize_t n = write(fd, content->s + done, content->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	/* For everybody to read, as other files there. */
	return fchmod(fd, 0644) < 0 || (fsync(fd) < 0 && errno != EINVAL) ? -errno : 0;
}

int outfile_put(const char *path, const struct text *content, struct log *log)
{
	_cleanup_free_ char *beside = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (!may_be_replaced(path, log))
		return -EEXIST;
	beside = name_beside(path);
	if (!beside)
		return log_no_memory(log);
	fd = mkostemp(beside, O_CLOEXEC);
	r = fd < 0 ? -errno : write_beside(fd, content);
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		unlink(beside);
	return r < 0 ? fail(log, path, r) : 0;
}
