#include "setup/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int open_table(const struct host *host, const char *path, FILE **ret)
{
	_cleanup_close_ int fd = host_open(host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* fgetpwent() takes what cannot be read for the end of the file. */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret = fdopen(fd, "re");
	if (!*ret)
		return -errno;
	fd = -1;
	return 0;
}

/* A line that sends the reader to NIS is given out as an entry with number 0 (nsswitch.conf(5),
 * "compat"). */
static bool is_name(const char *name)
{
	return *name != '+' && *name != '-';
}

int accounts_user(const struct host *host, const char *name, uint32_t *ret_id)
{
	_cleanup_fclose_ FILE *f = NULL;
	const struct passwd *entry;
	int r = open_table(host, "/etc/passwd", &f);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while ((entry = fgetpwent(f))) {
		if (is_name(name) && strcmp(entry->pw_name, name) == 0) {
			*ret_id = entry->pw_uid;
			return 1;
		}
	}
	return 0;
}

int accounts_group(const struct host *host, const char *name, uint32_t *ret_id)
{
	_cleanup_fclose_ FILE *f = NULL;
	const struct group *entry;
	int r = open_table(host, "/etc/group", &f);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while ((entry = fgetgrent(f))) {
		if (is_name(name) && strcmp(entry->gr_name, name) == 0) {
			*ret_id = entry->gr_gid;
			return 1;
		}
	}
	return 0;
}
