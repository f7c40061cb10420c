#include "setup/host/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "setup/base/strings.h"

int host_open_root(struct host *host, const char *root)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*host = (struct host){ .fd = fd, .root = root };
	return 0;
}

void host_done(struct host *host)
{
	if (host->root && host->fd >= 0)
		close(host->fd);
	*host = (struct host){ .fd = -1 };
}

static int open_in_root(int root, const char *path, uint64_t flags, uint64_t more_resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | more_resolve,
	};
	long fd;

	/* EAGAIN: a rename or mount raced with the look-up (openat2(2)); the kernel asks to try again. */
	for (int tries = 0; tries < 16; tries++) {
		/* The kernel's name of it: glibc 2.31 has no SYS_openat2. */
		fd = syscall(__NR_openat2, root, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

int host_open(const struct host *host, const char *path, int flags)
{
	return open_in_root(host->fd, path, (uint64_t)flags, 0);
}

int host_read_open(int fd, const struct stat *st, struct text *ret)
{
	_cleanup_text_ struct text content = {0};
	char buffer[16384];

	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	if (st->st_size > HOST_FILE_MAX)
		return -EFBIG;
	for (;;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		if (content.len + (size_t)n > HOST_FILE_MAX)
			return -EFBIG;
		text_add_bytes(&content, buffer, (size_t)n);
	}
	text_add(&content, "");
	if (text_error(&content) < 0)
		return -ENOMEM;
	*ret = content;
	content = (struct text){0};
	return 0;
}

int host_read_link(const struct host *host, const char *path, char *ret, size_t size)
{
	_cleanup_close_ int fd = host_open(host, path, O_PATH | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return fd;
	/* Of what is no link that is ENOENT. */
	n = readlinkat(fd, "", ret, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	ret[n] = '\0';
	return 0;
}

bool host_is_masked(const struct host *host, const char *path)
{
	char target[16];

	return host_read_link(host, path, target, sizeof(target)) == 0 && strcmp(target, "/dev/null") == 0;
}

int host_read(const struct host *host, const char *path, struct text *ret)
{
	struct stat st;

	return host_read_stat(host, path, ret, &st);
}

int host_read_stat(const struct host *host, const char *path, struct text *ret, struct stat *ret_st)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hold us up. */
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	_cleanup_close_ int fd = host_open(host, path, flags | O_NOFOLLOW);

	/* A symlink, most likely. */
	if (fd == -ELOOP && !host_is_masked(host, path))
		fd = host_open(host, path, flags);
	if (fd < 0)
		return fd;
	return fstat(fd, ret_st) < 0 ? -errno : host_read_open(fd, ret_st, ret);
}

/* The directory that holds path, made where missing; *ret_name is the last part, inside path. */
static int open_parent(const struct host *host, const char *path, bool make, mode_t dir_mode,
		       const char **ret_name)
{
	const char *name = strrchr(path, '/');
	_cleanup_free_ char *dir = NULL;
	int fd, r;

	if (!name || name[1] == '\0')
		return -EINVAL;
	*ret_name = name + 1;
	dir = name == path ? strdup("/") : strndup(path, (size_t)(name - path));
	if (!dir)
		return -ENOMEM;
	fd = host_open(host, dir, O_RDONLY | O_DIRECTORY);
	if (fd == -ENOENT && make && name != path) {
		const char *dir_name;
		_cleanup_close_ int above = open_parent(host, dir, true, 0755, &dir_name);

		if (above < 0)
			return above;
		r = mkdirat(above, dir_name, dir_mode) < 0 ? -errno : 0;
		if (r < 0 && r != -EEXIST)
			return r;
		fd = host_open(host, dir, O_RDONLY | O_DIRECTORY);
		/* The umask of whoever calls us is not meant for a host's /etc. */
		if (r == 0 && fd >= 0 && fchmod(fd, dir_mode) < 0) {
			r = -errno;
			close(fd);
			return r;
		}
		/* What is in a directory is lost with its own entry in the one above. */
		if (r == 0 && fd >= 0 && fsync(above) < 0) {
			r = -errno;
			close(fd);
			return r;
		}
	}
	return fd;
}

static int write_all(int fd, const char *content, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, content, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		content += n;
		size -= (size_t)n;
	}
	return 0;
}

static int fill_file(int dir, const char *name, const char *content, size_t size, mode_t mode)
{
	_cleanup_close_ int fd = -1;
	int r;

	/* What a killed run left behind is of no use to anyone. */
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, content, size);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	r = close(fd) < 0 ? -errno : 0;
	fd = -1;
	return r;
}

/* A dot in front and no known suffix: neither systemd nor augenrules reads it. */
static char *temporary_name(const char *name)
{
	char *temporary;

	return asprintf(&temporary, ".%s.new", name) < 0 ? NULL : temporary;
}

int host_write(const struct host *host, const char *path, const char *content, size_t size,
	       mode_t mode, mode_t dir_mode)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int dir = -1;
	const char *name;
	int r;

	dir = open_parent(host, path, true, dir_mode, &name);
	if (dir < 0)
		return dir;
	temporary = temporary_name(name);
	if (!temporary)
		return -ENOMEM;
	r = fill_file(dir, temporary, content, size, mode);
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir, temporary, 0);
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

int host_sync_directory(const struct host *host, const char *path)
{
	_cleanup_close_ int fd = host_open(host, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return fsync(fd) < 0 ? -errno : 0;
}

static int unlink_below(const struct host *host, const char *path, int flags)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(host, path, false, 0, &name);

	if (dir < 0)
		return dir;
	if (unlinkat(dir, name, flags) < 0)
		return -errno;
	return fsync(dir) < 0 ? -errno : 0;
}

void host_clean(const struct host *host, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(host, path, false, 0, &name);
	_cleanup_free_ char *temporary = dir < 0 ? NULL : temporary_name(name);

	/* The power may go again before the directory is on the disk: then the next run tries again. */
	if (temporary)
		unlinkat(dir, temporary, 0);
}

int host_may_write(const struct host *host, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(host, path, false, 0, &name);

	if (dir < 0)
		return dir;
	return faccessat(dir, ".", W_OK, 0) < 0 ? -errno : 0;
}

int host_remove(const struct host *host, const char *path)
{
	return unlink_below(host, path, 0);
}

int host_make_directory(const struct host *host, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(host, path, false, 0, &name);
	_cleanup_close_ int made = -1;

	if (dir < 0)
		return dir;
	if (mkdirat(dir, name, 0755) < 0)
		return -errno;
	made = host_open(host, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	/* The umask of whoever calls us is not meant for it. */
	if (made < 0 || fchmod(made, 0755) < 0 || fsync(dir) < 0)
		return made < 0 ? made : -errno;
	return 0;
}

int host_remove_directory(const struct host *host, const char *path)
{
	return unlink_below(host, path, AT_REMOVEDIR);
}

int host_path_type(const struct host *host, const char *path, bool *ret_directory)
{
	_cleanup_close_ int fd = host_open(host, path, O_PATH);
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_directory = S_ISDIR(st.st_mode);
	return 1;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int host_list(const struct host *host, const char *path, char ***ret_names)
{
	int fd = host_open(host, path, O_RDONLY | O_DIRECTORY);
	_cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	_cleanup_strings_ char **names = calloc(1, sizeof(*names));
	size_t n = 0;

	if (fd < 0)
		return fd;
	if (!dir) {
		int r = -errno;

		close(fd);
		return r;
	}
	if (!names)
		return -ENOMEM;
	for (struct dirent *entry; errno = 0, entry = readdir(dir);) {
		char **more;

		if (entry->d_name[0] == '.')
			continue;
		more = realloc(names, (n + 2) * sizeof(*names));
		if (!more)
			return -ENOMEM;
		names = more;
		names[n] = strdup(entry->d_name);
		names[n + 1] = NULL;
		if (!names[n++])
			return -ENOMEM;
	}
	if (errno != 0)
		return -errno;
	qsort(names, n, sizeof(*names), by_name);
	*ret_names = TAKE(names);
	return 0;
}

int host_stat(const struct host *host, const char *path, struct stat *ret)
{
	_cleanup_close_ int fd = host_open(host, path, O_PATH | O_NOFOLLOW);

	if (fd < 0)
		return fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

bool host_can_execute_in(const struct host *host, const char *directory, bool put)
{
	_cleanup_close_ int fd = host_open(host, directory, O_PATH | O_DIRECTORY);
	struct statvfs st;

	return fd >= 0 && fstatvfs(fd, &st) == 0 && !(st.f_flag & (unsigned long)(ST_NOEXEC | (put ? ST_RDONLY : 0)));
}
