#include "setup/steps/files.h"

#include <errno.h>
#include <string.h>

#include "setup/host/atboot.h"

const struct text *file_content(const struct wanted *wanted, size_t i, const struct text *have, struct text *store)
{
	const struct text *content = &wanted->files[i];
	const char *rest = i == FILE_RULES && content->s ? strchr(content->s, '\n') : NULL;
	char boot[ATBOOT_ID] = "";

	if (!rest)
		return content;
	if (wanted_same_rules(wanted, have))
		atboot_staged(have, boot);
	if (!*boot)
		atboot_id(boot);
	if (!*boot)
		return content;
	rest++;
	text_add_bytes(store, content->s, (size_t)(rest - content->s));
	text_addf(store, ATBOOT_STAGED "%s\n%s", boot, rest);
	return text_error(store) < 0 ? NULL : store;
}

int file_write(const struct host *host, const struct wanted *wanted, size_t i, const struct text *content,
	       const struct text *seen)
{
	const struct wanted_file *file = &wanted_files[i];
	const char *path = wanted_path(wanted, i);
	_cleanup_text_ struct text now = {0};
	mode_t mode = file->mode;
	struct stat st;
	int r;

	if (file->foreign) {
		/* A link to what was read is no file to be replaced, either. */
		if (host_stat(host, path, &st) == 0 && S_ISLNK(st.st_mode))
			return -ELOOP;
		r = host_read_stat(host, path, &now, &st);
		if (r == -ENOENT || (r == 0 && !text_equal(&now, seen)))
			return -ESTALE;
		if (r < 0)
			return r;
		mode = st.st_mode & 07777;
	}
	return host_write(host, path, content->s, content->len, mode, file->dir_mode);
}

const char *file_error(int r)
{
	return r == -ESTALE ? "somebody else has changed it meanwhile" :
		r == -ELOOP ? "somebody else has changed it meanwhile: it is a symbolic link" : strerror(-r);
}

int file_delete(const struct host *host, const struct wanted *wanted, size_t i)
{
	const char *path = wanted_path(wanted, i);
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = NULL;
	int r = host_remove(host, path);

	/* Without its directory augenrules(8) fails. */
	if (r < 0 || !(wanted_files[i].drop_in || wanted_files[i].alone) || (i == FILE_SCANNER && atboot_merged(host)))
		return r;
	directory = strndup(path, (size_t)(slash - path));
	if (!directory)
		return -ENOMEM;
	r = host_remove_directory(host, directory);
	return r == -ENOTEMPTY || r == -EEXIST || r == -EBUSY ? 0 : r;
}
