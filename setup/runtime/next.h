/* The real runtime: the next of the same name in PATH. */
#ifndef SETUP_RUNTIME_NEXT_H
#define SETUP_RUNTIME_NEXT_H

#include "setup/runtime/line.h"

/* The directory that stands first in a runtime's PATH; none of this name has a real one, wherever it lies. */
#define RUNTIME_DIRECTORY "cloud-audit-runtime.d"

/* Takes our directories out of a PATH, in its place: what finds its next in it, as other programs in front of a runtime do,
 * must not find us again. */
void next_path(char *path);

/* Becomes the first program in path (NULL: the usual one) that is called name and is not the file self, and that the
 * kernel takes; an entry that is empty, relative or a directory of ours is passed over, as the Go programs that call
 * runtimes do with the first two. Then the usual directories are tried.
 * Returns only where there is none, the error of the last that was refused or -ENOENT; ret_tried, which the paths are made
 * in meanwhile, then has its path, and is empty where there was none at all. */
int next_become(const char *self, const char *name, const char *path, char *const *argv, char *const *envp,
		struct line *ret_tried);

#endif
