#include "setup/containers/service.h"

#include <errno.h>
#include <string.h>

#include "setup/base/strings.h"
#include "units/host_units.h"
#include "units/unit_file.h"

/* What is carried from file to file. */
struct reading {
	struct service *service;
	const struct host *host;
	const char *own;
	struct log *log;
	char **environment, **files;	/* Environment=, EnvironmentFile= so far */
	char **search, **passed;	/* ExecSearchPath=, PassEnvironment= */
};

/* systemd reads drop-ins in the order of their names, whatever their directories. */
static bool comes_after_ours(const char *drop_in)
{
	const char *name = strrchr(drop_in, '/');

	return name && strcmp(name + 1, DROP_IN) > 0;
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t';
}

/* The last line of a file that begins with `begin` and has `word` in it, or else nothing behind `begin`; 0 for none. */
static unsigned find_line(const char *s, const char *begin, const char *word)
{
	unsigned found = 0;

	for (unsigned line = 1; *s; line++) {
		size_t n = strcspn(s, "\n");
		const char *at = s;

		while (is_white(*at))
			at++;
		if (strncmp(at, begin, strlen(begin)) == 0 &&
		    (memmem(at, n - (size_t)(at - s), word, strlen(word)) || strcspn(at, "\n") == strlen(begin)))
			found = line;
		s += n + (s[n] == '\n');
	}
	return found;
}

static int note_after(struct service *service, const char *file, unsigned line)
{
	free(TAKE(service->path_after));
	if (asprintf(&service->path_after, line ? "%s:%u" : "%s", file, line) < 0) {
		service->path_after = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* The last PATH of these values: 1 and the caller's *ret, 0, -ENOMEM. */
static int last_path(char *const *values, char **ret)
{
	int found = 0;

	*ret = NULL;
	for (; values && *values; values++) {
		char *path = NULL;
		int r = unit_environment_path(*values, &path);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		free(*ret);
		*ret = path;
		found = 1;
	}
	return found;
}

/* A file that comes after ours must leave what ours would have said as it is. */
static int judge_later(struct reading *reading, const char *path, const struct text *content)
{
	static const char ours[] = "PATH=/ours";
	_cleanup_strings_ char **values = calloc(2, sizeof(*values));
	_cleanup_free_ char *last = NULL;
	bool said = false;
	int r = -ENOMEM;

	if (values)
		values[0] = strdup(ours);
	if (values && values[0])
		r = unit_file_read(content, "Service", "Environment", &values, &said);
	if (r == 0)
		r = last_path(values, &last);
	if (r < 0 || (last && strcmp(last, ours + strlen("PATH=")) == 0))
		return r < 0 ? r : 0;
	return note_after(reading->service, path, find_line(content->s, "Environment=", "PATH="));
}

/* What one file of the service's says; later: it is read after ours. */
static int read_file(struct reading *reading, const char *path, bool later)
{
	_cleanup_text_ struct text content = {0};
	bool commands = false, unused;
	int r = host_read(reading->host, path, &content);

	/* Of the name of ours: checks tell of it. */
	if (r == -ELOOP && host_is_masked(reading->host, path))
		return 0;
	if (r < 0) {
		log_say(reading->log, LEVEL_ERROR, "%s, which has to do with [container] runtime_unit, cannot be read below %s: %s; "
			"mount it there, or if it is gone run systemctl daemon-reload; nothing was changed", path,
			reading->host->root, strerror(-r));
		return r;
	}
	r = unit_file_read(&content, "Service", "ExecStart", &reading->service->commands, &commands);
	if (r == 0)
		r = unit_file_read(&content, "Service", "EnvironmentFile", &reading->files, &unused);
	if (r == 0)
		r = unit_file_read(&content, "Service", "ExecSearchPath", &reading->search, &unused);
	if (r == 0)
		r = unit_file_read(&content, "Service", "PassEnvironment", &reading->passed, &unused);
	if (r == 0 && !later)
		r = unit_file_read(&content, "Service", "Environment", &reading->environment, &unused);
	if (r == 0 && later && content.s)
		r = judge_later(reading, path, &content);
	if (r == 0 && later && commands) {
		free(reading->service->command_after);
		reading->service->command_after = strdup(path);
		r = reading->service->command_after ? 0 : -ENOMEM;
	}
	return r;
}

/* What these set wins over every Environment= (systemd.exec(5)); one that is not there, or has a pattern for a name, says
 * nothing here. */
static int read_environment_file(struct reading *reading, const char *value)
{
	const char *path = value + (*value == '-');
	_cleanup_text_ struct text content = {0};
	unsigned line;
	int r = *path == '/' ? host_read(reading->host, path, &content) : -ENOENT;

	if (r < 0 || !content.s)
		return r == -ENOMEM ? r : 0;
	line = find_line(content.s, "PATH=", "PATH=");
	return line ? note_after(reading->service, path, line) : 0;
}

/* systemd puts the PATH of these below one of Environment=, so that ours would take their directories away. */
static const char *unseen_path(const struct reading *reading)
{
	for (size_t i = 0; reading->passed && reading->passed[i]; i++)
		for (const char *s = strstr(reading->passed[i], "PATH"); s; s = strstr(s + 1, "PATH"))
			if ((s == reading->passed[i] || strchr(" \t\"'", s[-1])) && (!s[4] || strchr(" \t\"'", s[4])))
				return "PassEnvironment=PATH";
	return reading->search && reading->search[0] ? "ExecSearchPath=" : NULL;
}

static int read_all(struct reading *reading, const struct unit_state *state)
{
	int r = state->fragment && *state->fragment ? read_file(reading, state->fragment, false) : 0;

	for (size_t i = 0; r == 0 && state->drop_ins && state->drop_ins[i]; i++)
		if (strcmp(state->drop_ins[i], reading->own) != 0)
			r = read_file(reading, state->drop_ins[i], comes_after_ours(state->drop_ins[i]));
	for (size_t i = 0; r == 0 && reading->files && reading->files[i]; i++)
		r = read_environment_file(reading, reading->files[i]);
	if (r == 0)
		r = last_path(reading->environment, &reading->service->path);
	if (r >= 0 && !reading->service->path)
		reading->service->path_unseen = unseen_path(reading);
	return r < 0 ? r : 0;
}

int service_read(struct service *ret, const struct host *host, const struct unit_state *state, const char *own,
		 struct log *log)
{
	struct reading reading = { .service = ret, .host = host, .own = own, .log = log };
	int r;

	*ret = (struct service){0};
	r = read_all(&reading, state);
	strings_free(reading.environment);
	strings_free(reading.files);
	strings_free(reading.search);
	strings_free(reading.passed);
	return r;
}

void service_done(struct service *service)
{
	strings_free(service->commands);
	free(service->command_after);
	free(service->path);
	free(service->path_after);
	*service = (struct service){0};
}
