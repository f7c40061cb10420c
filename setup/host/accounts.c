#include "setup/host/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "setup/base/nearest.h"
#include "setup/base/strings.h"

/* The table, read whole first: fgetpwent() takes what cannot be read for the end of the file, and a line of any
 * length into memory. *ret is NULL for an empty one. */
static int open_table(const struct host *host, const char *path, struct text *content, FILE **ret)
{
	int r = host_read(host, path, content);

	if (r < 0 || content->len == 0)
		return r;
	*ret = fmemopen(content->s, content->len, "re");
	return *ret ? 0 : -errno;
}

/* A line that sends the reader to NIS is given out as an entry with number 0 (nsswitch.conf(5),
 * "compat"). */
static bool is_name(const char *name)
{
	return *name != '+' && *name != '-';
}

int accounts_user(const struct host *host, const char *name, uint32_t *ret_id)
{
	_cleanup_text_ struct text content = {0};
	_cleanup_fclose_ FILE *f = NULL;
	const struct passwd *entry;
	int r = open_table(host, "/etc/passwd", &content, &f);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while (f && (entry = fgetpwent(f))) {
		if (is_name(name) && strcmp(entry->pw_name, name) == 0) {
			*ret_id = entry->pw_uid;
			return 1;
		}
	}
	return 0;
}

int accounts_group(const struct host *host, const char *name, uint32_t *ret_id)
{
	_cleanup_text_ struct text content = {0};
	_cleanup_fclose_ FILE *f = NULL;
	const struct group *entry;
	int r = open_table(host, "/etc/group", &content, &f);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while (f && (entry = fgetgrent(f))) {
		if (is_name(name) && strcmp(entry->gr_name, name) == 0) {
			*ret_id = entry->gr_gid;
			return 1;
		}
	}
	return 0;
}

/* The next name of the table, borrowed; NULL after the last. */
static const char *next_name(FILE *f, bool group)
{
	const struct passwd *user = group ? NULL : fgetpwent(f);
	const struct group *entry = group ? fgetgrent(f) : NULL;

	return user ? user->pw_name : entry ? entry->gr_name : NULL;
}

char *accounts_near(const struct host *host, const char *name, bool group)
{
	_cleanup_text_ struct text content = {0};
	_cleanup_strings_ char **names = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	const char *next, *near;
	size_t n = 0;

	if (open_table(host, group ? "/etc/group" : "/etc/passwd", &content, &f) < 0)
		return NULL;
	while (f && (next = next_name(f, group))) {
		char **grown = is_name(next) ? reallocarray(names, n + 2, sizeof(*names)) : NULL;

		if (!grown)
			continue;
		names = grown;
		names[n] = strdup(next);
		names[n + 1] = NULL;
		n += names[n] != NULL;
	}
	near = nearest_name(name, (const char *const *)names, n);
	return near ? strdup(near) : NULL;
}
