#include "setup/containers/place.h"

#include "units/host_units.h"

const char *const place_directories[] = {
	"/home/kubernetes/bin", "/var/lib/google", "/usr/local/sbin", "/opt", NULL,
};

const char *const place_made[] = {
	"/home/kubernetes/bin/" RUNTIME_DIRECTORY, "/var/lib/google/" RUNTIME_DIRECTORY, "/usr/local/sbin/" RUNTIME_DIRECTORY,
	"/opt/" RUNTIME_DIRECTORY, NULL,
};

char *place_path(const char *directory, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

const char *place_of(const struct host *host, const char *name)
{
	for (size_t i = 0; place_directories[i]; i++) {
		char path[128];
		bool directory;

		snprintf(path, sizeof(path), "%s/%s", place_directories[i], name);
		if (host_path_type(host, path, &directory) == 1 && !directory)
			return place_directories[i];
	}
	return NULL;
}

const char *place_find(const struct host *host)
{
	const char *there = place_of(host, RUNTIME_PROGRAM);

	for (size_t i = 0; !there && place_directories[i]; i++)
		if (host_can_execute_in(host, place_directories[i]))
			return place_directories[i];
	return there;
}

bool place_has_runtime(const struct host *host)
{
	static const char *const runtimes[] = {
		"/usr/bin/runc", "/usr/sbin/runc", "/usr/local/sbin/runc", "/usr/local/bin/runc", "/usr/bin/crun", "/usr/local/bin/crun",
		"/home/kubernetes/bin/runc",
	};
	bool directory;

	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
		if (host_path_type(host, runtimes[i], &directory) == 1)
			return true;
	return false;
}
