#include "setup/host/lookups.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "setup/host/accounts.h"
#include "setup/host/atboot.h"

bool lookups_see_host(const struct host *host)
{
	bool directory;

	return host_path_type(host, "/etc", &directory) != 0 || host_path_type(host, "/usr", &directory) != 0;
}

/* One look is enough where the path is no symbolic link. */
static int look(const struct host *host, const char *path, bool *ret_directory)
{
	struct stat st;
	int r = host_stat(host, path, &st);

	if (r == 0 && !S_ISLNK(st.st_mode)) {
		*ret_directory = S_ISDIR(st.st_mode);
		return 1;
	}
	if (r == 0) {
		r = host_path_type(host, path, ret_directory);
		return r == 1 ? RULES_LINK : r;
	}
	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

/* Is it one of them, or above one? A slash may stand at its end. */
static bool will_be_made(const struct lookups *lookups, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (size_t i = 0; i < ARRAY_SIZE(lookups->made); i++)
		for (const char *const *made = lookups->made[i]; made && *made; made++)
			if (strncmp(*made, path, n) == 0 && (!(*made)[n] || (*made)[n] == '/'))
				return true;
	return false;
}

static int path_type(void *context, const char *path, bool *ret_directory)
{
	struct lookups *lookups = context;
	struct lookup now = { .path = NULL };

	for (size_t i = 0; i < lookups->n_assumed; i++) {
		if (strcmp(lookups->assumed[i].path, path) == 0) {
			*ret_directory = lookups->assumed[i].directory;
			return 1;
		}
	}
	for (size_t i = 0; i < lookups->n; i++) {
		const struct lookup *kept = &lookups->kept[i];

		if (strcmp(kept->path, path) == 0) {
			*ret_directory = kept->directory;
			return kept->found;
		}
	}
	now.found = lookups->unseen ? RULES_UNKNOWN : look(lookups->host, path, &now.directory);
	lookups->seen = lookups->seen || (now.found == 0 && lookups_see_host(lookups->host));
	if (now.found == 0 && !lookups->seen)
		now.found = RULES_UNKNOWN;
	if (now.found == 0 && will_be_made(lookups, path))
		now.found = now.directory = true;
	if (lookups->n < LOOKUPS_KEPT && (now.path = strdup(path)))
		lookups->kept[lookups->n++] = now;
	*ret_directory = now.directory;
	return now.found;
}

static int user_id(void *context, const char *name, uint32_t *ret_id)
{
	const struct lookups *lookups = context;

	return accounts_user(lookups->host, name, ret_id);
}

static int group_id(void *context, const char *name, uint32_t *ret_id)
{
	const struct lookups *lookups = context;

	return accounts_group(lookups->host, name, ret_id);
}

static char *near_name(void *context, const char *name, bool group)
{
	const struct lookups *lookups = context;

	return accounts_near(lookups->host, name, group);
}

static void late(void *context, const char *directory, struct text *out)
{
	struct lookups *lookups = context;

	if (lookups->unseen)
		return;
	/* Each rule of a path asks. */
	if (!lookups->fstab_read && host_read(lookups->host, "/etc/fstab", &lookups->fstab) < 0)
		text_done(&lookups->fstab);
	lookups->fstab_read = true;
	atboot_late(lookups->fstab.s, directory, out);
}

struct rules_host lookups_for(struct lookups *lookups, const struct host *host)
{
	lookups->host = host;
	return (struct rules_host){ path_type, user_id, group_id, near_name, late, lookups };
}

void lookups_done(struct lookups *lookups)
{
	for (size_t i = 0; i < lookups->n; i++)
		free(lookups->kept[i].path);
	lookups->n = 0;
	text_done(&lookups->fstab);
	lookups->fstab_read = false;
}
