#include "setup/host/outlast.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "setup/host/own.h"

static bool in_memory(long type)
{
	return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

/* proc(5): the mount that a descriptor is on; -1 where that is not known. */
static long mount_of(int fd)
{
	_cleanup_text_ struct text info = {0};
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (host_read_own(path, &info) < 0 || !info.s)
		return -1;
	at = strstr(info.s, "mnt_id:");
	return at ? strtol(at + strlen("mnt_id:"), NULL, 10) : -1;
}

/* The upper directory of an overlay, as who mounted it named it; the caller's, NULL for none. */
static char *upper_of(long mount)
{
	static const char option[] = "upperdir=";
	_cleanup_text_ struct text mounts = {0};
	char *rest = NULL;

	if (host_read_own("/proc/self/mountinfo", &mounts) < 0 || !mounts.s)
		return NULL;
	for (char *line = strtok_r(mounts.s, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *upper = strtol(line, NULL, 10) == mount ? strstr(line, option) : NULL;

		if (upper)
			return strndup(upper + strlen(option), strcspn(upper + strlen(option), ",\n"));
	}
	return NULL;
}

/* Its /etc is one whatever can be seen of it. */
static bool is_cos(const struct host *host)
{
	_cleanup_text_ struct text release = {0};

	return host_read(host, "/etc/os-release", &release) == 0 && release.s &&
		(strncmp(release.s, "ID=cos\n", 7) == 0 || strstr(release.s, "\nID=cos\n"));
}

enum outlast host_outlasts(const struct host *host, const char *directory)
{
	_cleanup_close_ int fd = host_open(host, directory, O_RDONLY | O_DIRECTORY), upper = -1;
	_cleanup_free_ char *path = NULL;
	struct statfs st;

	if (fd < 0 || fstatfs(fd, &st) < 0)
		return OUTLAST_UNKNOWN;
	if ((unsigned long)st.f_type != OVERLAYFS_SUPER_MAGIC)
		return in_memory((long)st.f_type) ? OUTLAST_NO : OUTLAST_YES;
	path = upper_of(mount_of(fd));
	upper = path ? host_open(host, path, O_PATH | O_DIRECTORY) : -1;
	if (upper >= 0 && fstatfs(upper, &st) == 0)
		return in_memory((long)st.f_type) ? OUTLAST_NO : OUTLAST_YES;
	return is_cos(host) ? OUTLAST_NO : OUTLAST_UNKNOWN;
}
