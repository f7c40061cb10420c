#include "setup/runtime/next.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct search {
	const char *self, *name;
	char *const *argv, *const *envp;
	struct line *file;	/* that is looked at: the caller's, since another would be another page to touch */
	const char *refused;	/* the directory of the last that was, or NULL; n bytes, and why */
	size_t n;
	int error;
};

/* Without trailing slashes, is its last part our directory's name? */
static bool is_ours(const char *directory, size_t n)
{
	const size_t length = sizeof(RUNTIME_DIRECTORY) - 1;

	while (n > 0 && directory[n - 1] == '/')
		n--;
	return n > length && directory[n - length - 1] == '/' &&
	       memcmp(directory + n - length, RUNTIME_DIRECTORY, length) == 0;
}

void next_path(char *path)
{
	const char *from = path;
	bool more = true, first = true;

	while (more) {
		size_t n = strcspn(from, ":");

		more = from[n] == ':';
		if (!is_ours(from, n)) {
			if (!first)
				*path++ = ':';
			memmove(path, from, n);
			path += n;
			first = false;
		}
		from += n + 1;
	}
	*path = '\0';
}

static bool is_self(const char *self, const struct stat *st)
{
	struct stat own;

	/* What runs, whatever has become of its path meanwhile; where there is no /proc, what is there now. */
	return (stat("/proc/self/exe", &own) == 0 || stat(self, &own) == 0) &&
	       own.st_dev == st->st_dev && own.st_ino == st->st_ino;
}

static void path_of(const struct search *search, const char *directory, size_t n)
{
	line_begin(search->file);
	line_add_bytes(search->file, directory, n);
	line_add(search->file, "/");
	line_add(search->file, search->name);
}

static void try_directory(struct search *search, const char *directory, size_t n)
{
	struct line *file = search->file;
	struct stat st;

	if (n == 0 || directory[0] != '/' || is_ours(directory, n))
		return;
	path_of(search, directory, n);
	if (file->cut || strcmp(file->s, search->self) == 0 || stat(file->s, &st) < 0 || !S_ISREG(st.st_mode) ||
	    is_self(search->self, &st))
		return;
	execve(file->s, search->argv, search->envp);
	search->error = -errno;
	search->refused = directory;
	search->n = n;
}

static void try_path(struct search *search, const char *path)
{
	for (;;) {
		size_t n = strcspn(path, ":");

		try_directory(search, path, n);
		if (path[n] == '\0')
			return;
		path += n + 1;
	}
}

int next_become(const char *self, const char *name, const char *path, char *const *argv, char *const *envp,
		struct line *ret_tried)
{
	struct search search = { self, name, argv, envp, ret_tried, NULL, 0, -ENOENT };

	if (path)
		try_path(&search, path);
	try_path(&search, usual);
	line_begin(ret_tried);
	if (search.refused)
		path_of(&search, search.refused, search.n);
	return search.error;
}
