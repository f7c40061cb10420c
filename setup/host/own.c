#include "setup/host/own.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include "setup/host/host.h"

int host_read_own(const char *path, struct text *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) && st.st_mode & S_IWOTH)
		return -EPERM;
	return host_read_open(fd, &st, ret);
}

int host_check_own_directory(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statvfs mount;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || fstatvfs(fd, &mount) < 0)
		return -errno;
	return st.st_mode & S_IWOTH && !(mount.f_flag & ST_RDONLY) ? -EPERM : 0;
}

const char *host_own_reason(int r)
{
	switch (r) {
	case -EINVAL:
		return "is not a regular file";
	case -EFBIG:
		return "is larger than 16 MiB";
	case -EPERM:
		return "may be written by everybody, who could choose what is audited; chmod o-w it";
	default:
		return NULL;
	}
}
