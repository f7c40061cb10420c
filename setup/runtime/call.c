#include "setup/runtime/call.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "setup/base/mem.h"

enum takes { NOTHING, VALUE, PERHAPS };	/* PERHAPS: only behind a "=", or at once behind its letter */
enum phase { GLOBAL, COMMAND };

/* What an option sets, if anything: as the offset of a member of struct call. */
#define STRING(member) offsetof(struct call, member), false
#define FLAG(member) offsetof(struct call, member), true
#define NONE SIZE_MAX, false

struct option {
	const char *name;
	char letter;
	enum takes takes;
	size_t member;
	bool flag;
};

/* The options of runc 1.0 to 1.4 and of crun 1.8 to 1.25: what one has and the other lacks does no harm. */
static const struct option globals[] = {
	{ "cgroup-manager", 0, VALUE, NONE }, { "criu", 0, VALUE, NONE }, { "debug", 0, NOTHING, NONE },
	{ "help", 'h', NOTHING, NONE }, { "log", 0, VALUE, STRING(log) },
	{ "log-format", 0, VALUE, FLAG(log_is_json) }, { "log-level", 0, VALUE, NONE },
	{ "root", 0, VALUE, NONE }, { "rootless", 0, VALUE, NONE }, { "systemd-cgroup", 0, NOTHING, NONE },
	{ "usage", 0, NOTHING, NONE }, { "version", 'v', NOTHING, NONE },
};

static const struct option starting[] = {
	{ "auto-dedup", 0, NOTHING, NONE }, { "bundle", 'b', VALUE, STRING(bundle) },
	{ "config", 'f', VALUE, STRING(config) }, { "console-socket", 0, VALUE, FLAG(console) },
	{ "detach", 'd', NOTHING, NONE }, { "empty-ns", 0, VALUE, NONE }, { "ext-unix-sk", 0, NOTHING, NONE },
	{ "file-locks", 0, NOTHING, NONE }, { "image-path", 0, VALUE, NONE }, { "keep", 0, NOTHING, NONE },
	{ "lazy-pages", 0, NOTHING, NONE }, { "link-remap", 0, NOTHING, NONE },
	{ "lsm-mount-context", 0, VALUE, NONE }, { "lsm-profile", 0, VALUE, NONE },
	{ "manage-cgroups-mode", 0, VALUE, NONE }, { "no-new-keyring", 0, NOTHING, NONE },
	{ "no-pivot", 0, NOTHING, NONE }, { "no-subreaper", 0, NOTHING, NONE }, { "parent-path", 0, VALUE, NONE },
	{ "pid-file", 0, VALUE, NONE }, { "pidfd-socket", 0, VALUE, NONE }, { "preserve-fds", 0, VALUE, NONE },
	{ "shell-job", 0, NOTHING, NONE }, { "status-fd", 0, VALUE, NONE },
	{ "tcp-established", 0, NOTHING, NONE }, { "work-path", 0, VALUE, NONE },
};

static const struct option session[] = {
	{ "additional-gids", 'g', VALUE, NONE }, { "apparmor", 0, VALUE, NONE }, { "cap", 'c', VALUE, NONE },
	{ "cgroup", 0, VALUE, NONE }, { "console-socket", 0, VALUE, FLAG(console) }, { "cwd", 0, VALUE, NONE },
	{ "detach", 'd', NOTHING, NONE }, { "env", 'e', VALUE, NONE }, { "ignore-paused", 0, NOTHING, NONE },
	{ "no-new-privs", 0, NOTHING, NONE }, { "pid-file", 0, VALUE, NONE }, { "pidfd-socket", 0, VALUE, NONE },
	{ "preserve-fds", 0, VALUE, NONE }, { "process", 'p', VALUE, STRING(process) },
	{ "process-label", 0, VALUE, NONE }, { "tty", 't', PERHAPS, FLAG(terminal) }, { "user", 'u', VALUE, NONE },
};

/* options NULL: nothing is started. */
static const struct command {
	const char *name;
	const struct option *options;
	size_t n;
	bool session;
} commands[] = {
	{ "create", starting, ARRAY_SIZE(starting), false },
	{ "run", starting, ARRAY_SIZE(starting), false },
	{ "restore", starting, ARRAY_SIZE(starting), false },
	{ "exec", session, ARRAY_SIZE(session), true },
	{ "checkpoint", NULL, 0, false }, { "delete", NULL, 0, false }, { "events", NULL, 0, false },
	{ "features", NULL, 0, false }, { "help", NULL, 0, false }, { "init", NULL, 0, false },
	{ "kill", NULL, 0, false }, { "list", NULL, 0, false }, { "mounts", NULL, 0, false },
	{ "pause", NULL, 0, false }, { "ps", NULL, 0, false }, { "resume", NULL, 0, false },
	{ "spec", NULL, 0, false }, { "start", NULL, 0, false }, { "state", NULL, 0, false },
	{ "update", NULL, 0, false }, { "version", NULL, 0, false },
};

struct reader {
	struct call *call;
	bool crun;
	const struct option *options;
	size_t n;
};

static bool is_no(const char *value)
{
	static const char *const words[] = { "0", "f", "F", "false", "False", "FALSE", "no" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(value, words[i]) == 0)
			return true;
	return false;
}

/* value is NULL where the option stands alone, or is the last argument. */
static void take(const struct reader *reader, const struct option *option, const char *value)
{
	void *member;

	if (option->member == SIZE_MAX || (option->takes == VALUE && !value))
		return;
	member = (char *)reader->call + option->member;
	if (!option->flag)
		*(const char **)member = value;
	else if (option->member == offsetof(struct call, log_is_json))
		*(bool *)member = strcmp(value, "json") == 0;
	else
		*(bool *)member = option->takes == VALUE || !value || !is_no(value);
}

/* n bytes of a name; crun's may be cut short while they are no other's beginning. */
static const struct option *by_name(const struct reader *reader, const char *name, size_t n)
{
	const struct option *found = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < reader->n; i++) {
		const struct option *option = &reader->options[i];

		if (strncmp(option->name, name, n) != 0)
			continue;
		if (option->name[n] == '\0')
			return option;
		found = option;
		matches++;
	}
	return reader->crun && n > 0 && matches == 1 ? found : NULL;
}

static const struct option *by_letter(const struct reader *reader, char letter)
{
	for (size_t i = 0; i < reader->n; i++)
		if (reader->options[i].letter == letter)
			return &reader->options[i];
	return NULL;
}

/* Letters behind one "-", as getopt(3) has them. Returns whether the next argument belongs to them. */
static bool read_letters(const struct reader *reader, const char *letters, const char *next)
{
	for (; *letters; letters++) {
		const struct option *option = by_letter(reader, *letters);
		const char *rest = letters[1] ? letters + 1 : NULL;

		if (!option)
			continue;
		if (option->takes == NOTHING || (option->takes == PERHAPS && !rest)) {
			take(reader, option, NULL);
			continue;
		}
		take(reader, option, rest ? rest : next);
		return !rest;
	}
	return false;
}

/* One argument that begins with "-". Returns how many arguments it takes; clears known where nobody knows it, so that the
 * next argument may be its value. */
static int read_option(const struct reader *reader, const char *argument, const char *next, bool *known)
{
	const char *name = argument + 1 + (argument[1] == '-'), *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *option;

	if (reader->crun && argument[1] != '-')
		return 1 + (read_letters(reader, name, next) && next);
	option = n == 1 ? by_letter(reader, *name) : by_name(reader, name, n);
	if (!option) {
		*known &= equals != NULL;
		return 1;
	}
	if (equals || option->takes != VALUE) {
		take(reader, option, equals ? equals + 1 : NULL);
		return 1;
	}
	take(reader, option, next);
	return next ? 2 : 1;
}

static const struct command *command_called(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Reads options up to the first argument that is none, and returns its index. */
static int read_options(const struct reader *reader, int i, int argc, char *const *argv, bool *known)
{
	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		i += read_option(reader, argv[i], i + 1 < argc ? argv[i + 1] : NULL, known);
	}
	return i;
}

/* The command's options and the id. What a session runs has options of its own behind the id; what starts a
 * container may have more of the command's there, as may a session whose program stands in a file. Where an option
 * is newer than this program, what stands behind it may be its value: then the last argument that is none is the id. */
static void read_command(struct reader *reader, const struct command *command, int i, int argc, char *const *argv)
{
	struct call *call = reader->call;
	const char *last;
	bool known = true;

	reader->options = command->options;
	reader->n = command->n;
	i = read_options(reader, i, argc, argv, &known);
	last = call->id = i < argc ? argv[i] : NULL;
	while ((!call->session || call->process || !known) && i < argc && ++i < argc) {
		i = read_options(reader, i, argc, argv, &known);
		last = i < argc ? argv[i] : last;
	}
	if (!known && (!call->session || call->process))
		call->id = last;
}

void call_read(struct call *ret, const char *runtime, int argc, char *const *argv)
{
	struct reader reader = { ret, strcmp(runtime, "crun") == 0, globals, ARRAY_SIZE(globals) };
	const struct command *command = NULL;
	bool known = true;
	int i;

	*ret = (struct call){ .id = NULL };
	i = read_options(&reader, 1, argc, argv, &known);
	if (reader.crun && ret->log && strncmp(ret->log, "file:", 5) == 0)
		ret->log += 5;
	while (i < argc && !(command = command_called(argv[i])) && !known)
		i = read_options(&reader, i + 1, argc, argv, &known);
	if (!command || !command->options)
		return;
	ret->starts = true;
	ret->session = command->session;
	read_command(&reader, command, i + 1, argc, argv);
}
