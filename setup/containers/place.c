#include "setup/containers/place.h"

#include <string.h>

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

static const char *find_room(const struct host *host, bool put)
{
	for (size_t i = 0; place_directories[i]; i++)
		if (host_can_execute_in(host, place_directories[i], put))
			return place_directories[i];
	return NULL;
}

/* Where an earlier run has made its directory. */
static const char *find_made(const struct host *host)
{
	bool directory;

	for (size_t i = 0; place_made[i]; i++)
		if (host_path_type(host, place_made[i], &directory) == 1 && directory)
			return place_directories[i];
	return NULL;
}

const char *place_find(const struct host *host)
{
	const char *place = place_of(host, RUNTIME_PROGRAM);

	place = place ? place : find_room(host, true);
	/* A root that is read-only for who looks may be another to who has put something there. */
	place = place ? place : find_made(host);
	return place ? place : find_room(host, false);
}

bool place_can_have(const struct host *host)
{
	return place_of(host, RUNTIME_PROGRAM) || find_room(host, true);
}

bool place_in_path(const struct host *host, const char *path, const char *name)
{
	static const char ours[] = "/" RUNTIME_DIRECTORY;

	for (const char *s = path; *s;) {
		size_t n = strcspn(s, ":"), bare = n;
		char file[512];
		bool directory;

		while (bare > 0 && s[bare - 1] == '/')
			bare--;
		if (*s == '/' && !(bare >= strlen(ours) && memcmp(s + bare - strlen(ours), ours, strlen(ours)) == 0) &&
		    snprintf(file, sizeof(file), "%.*s/%s", (int)bare, s, name) < (int)sizeof(file) &&
		    host_path_type(host, file, &directory) == 1 && !directory)
			return true;
		s += n + (s[n] == ':');
	}
	return false;
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
