/* Files of the host, all below one root directory.
 *
 * Every path given here is absolute as the host sees it ("/etc/audit/x") and is resolved with
 * openat2(2) RESOLVE_IN_ROOT: no symlink and no ".." leads out of the root. Functions return 0 or
 * negative errno and log nothing. */
#ifndef SETUP_HOST_H
#define SETUP_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "setup/base/mem.h"
#include "setup/base/text.h"

struct host {
	int fd;			/* the root, O_PATH */
	const char *root;	/* its name, borrowed */
};

/* Bounds what is read of a file: 100,000 rules fit, a runaway log does not. */
#define HOST_FILE_MAX (16u << 20)

/* root is borrowed for as long as the host is used; host_done() closes it. */
int host_open_root(struct host *host, const char *root) _must_check_;
void host_done(struct host *host);

/* A descriptor of the path (owned by the caller), O_CLOEXEC added; negative errno. */
int host_open(const struct host *host, const char *path, int flags) _must_check_;

/* The content of a regular file. -ENOENT when absent; -ELOOP when its last part is a symlink to
 * /dev/null, as systemctl mask makes it; -EINVAL for what is not a regular file; -EFBIG. */
int host_read(const struct host *host, const char *path, struct text *ret) _must_check_;
/* The same of an open file, of which st is known. */
int host_read_open(int fd, const struct stat *st, struct text *ret) _must_check_;
/* The same of a path; *ret_st is what fstat(2) says of it. */
int host_read_stat(const struct host *host, const char *path, struct text *ret, struct stat *ret_st) _must_check_;

/* Where the path's last part, a symlink, leads; another errno where it is none. */
int host_read_link(const struct host *host, const char *path, char *ret, size_t size) _must_check_;
/* Is the path's last part a symlink to /dev/null, as systemctl mask makes it? */
bool host_is_masked(const struct host *host, const char *path);

/* Puts the file there whole or not at all: written beside the target, synced, renamed over it, the
 * directory synced. Missing parent directories are made with 0755 (the last one with dir_mode), and synced. */
int host_write(const struct host *host, const char *path, const char *content, size_t size,
	       mode_t mode, mode_t dir_mode) _must_check_;

/* Has the entries of a directory that others changed be on the disk when it returns; 0 also for one that is absent. */
int host_sync_directory(const struct host *host, const char *path) _must_check_;

/* Deletes what a host_write() to the path that was killed has left beside it, as far as that can be done. */
void host_clean(const struct host *host, const char *path);

/* May the path be made, replaced or deleted, as far as its directory tells? 0, or why not: -EROFS, -EACCES, ... */
int host_may_write(const struct host *host, const char *path) _must_check_;
/* Unlinks; -ENOENT when absent. */
int host_remove(const struct host *host, const char *path) _must_check_;
/* Makes a directory in one that is there, with mode 0755, synced. */
int host_make_directory(const struct host *host, const char *path) _must_check_;
/* Removes an empty directory; -ENOTEMPTY otherwise. */
int host_remove_directory(const struct host *host, const char *path) _must_check_;

/* 1 and *ret_directory when the path exists, 0 when not, negative errno. */
int host_path_type(const struct host *host, const char *path, bool *ret_directory) _must_check_;

/* The names in a directory, in C-locale order, without those that begin with a dot. */
int host_list(const struct host *host, const char *path, char ***ret_names) _must_check_;

/* What stat(2) says of the path itself; its last part is not followed when it is a symlink. */
int host_stat(const struct host *host, const char *path, struct stat *ret) _must_check_;

/* Can a program be run from this directory, and with put be put there, as far as its mount says? */
bool host_can_execute_in(const struct host *host, const char *directory, bool put);

#endif
