/* Whose records they will be: the login uid of a container or session, and the names that the runtime was told. */
#ifndef SETUP_RUNTIME_IDENTITY_H
#define SETUP_RUNTIME_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/base/mem.h"

enum class {	/* the upper four bits of the login uid */
	CLASS_CONTAINER = 0xC,	/* a container's own processes */
	CLASS_SESSION = 0xD,	/* exec without a terminal */
	CLASS_TERMINAL = 0xE,	/* anything with one, where a person may type */
};

enum { NAME_SIZE = 512 };

struct name {
	char s[NAME_SIZE];	/* any bytes */
	size_t n;
	bool known;
};

enum { NAME_POD, NAME_NAMESPACE, NAME_POD_UID, NAME_CONTAINER, NAME_IMAGE, NAMES };

struct identity {
	struct name names[NAMES];	/* of the annotations that containerd writes */
	bool terminal;			/* config.json's process.terminal */
};

/* The login uid: the class, and the first 28 bits of the id; where that is not hexadecimal with at least seven digits,
 * of its SHA-256. */
uint32_t identity_auid(enum class class, const char *id);

/* Reads a container's configuration. Returns 0, or a negative errno (as json_find(), and -EFBIG beyond a few MiB, -EINVAL
 * for what is no regular file): the identity then knows nothing. */
int identity_read(struct identity *ret, const char *config) _must_check_;

/* Reads whether a session has a terminal from the file that its process is described in; returns as identity_read(). */
int identity_read_process(const char *file, bool *ret_terminal) _must_check_;

/* Is the container one of those that file names, a NAMESPACE or NAMESPACE/CONTAINER a line? An absent file has none. */
bool identity_is_excepted(const struct identity *identity, const char *file);

#endif
