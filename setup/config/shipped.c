#include "setup/config/shipped.h"

#include <string.h>

#include "setup/base/mem.h"

/* The directory of the running program, "" for the root itself; false when the kernel does not tell. */
static bool find_here(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	out[n < 0 ? 0 : n] = '\0';
	slash = strrchr(out, '/');
	if (slash)
		*slash = '\0';
	return slash;
}

static bool is_readable(const char *path)
{
	return access(path, R_OK) == 0;
}

/* The first of the places (beside the program, installed, in a build tree), each behind the program's directory and with
 * name behind it, that serves; else the installed one. */
static char *find(const char *const *places, const char *name, bool (*serves)(const char *path),
		  const char *installed)
{
	char here[4096], *path = NULL;
	bool known = find_here(here, sizeof(here));

	for (; known && *places; places++) {
		if (asprintf(&path, "%s%s%s", here, *places, name) < 0)
			return NULL;
		if (serves(path)) {
			char *real = realpath(path, NULL);

			free(path);
			return real;
		}
		free(path);
	}
	return asprintf(&path, "%s%s", installed, name) < 0 ? NULL : path;
}

char *shipped_rules(bool (*serves)(const char *directory))
{
	static const char *const places[] = {
		"/rules", "/../share/cloud-audit-setup/rules", "/../rules", "/../../rules", NULL,
	};

	return find(places, "", serves, RULES_DIR);
}

char *shipped_program(const char *name)
{
	static const char *const places[] = { "/", "/../libexec/cloud-audit-setup/", "/../", NULL };

	return find(places, name, is_readable, LIBEXEC_DIR "/");
}
