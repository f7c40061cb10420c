#include "setup/containers/files.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"
#include "setup/config/shipped.h"
#include "setup/containers/place.h"
#include "setup/containers/service.h"
#include "setup/host/own.h"
#include "units/host_units.h"
#include "units/unit_file.h"

/* systemd's own for services (DEFAULT_PATH in its src/basic/path-util.h); what / is not merged into /usr looks for in two
 * more. */
static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool runtime_files_wanted(const struct config *config)
{
	return *config->runtime_unit && (config->keystrokes || config->identity);
}

const char *runtime_path_in(char *const *environment)
{
	for (; environment && *environment; environment++)
		if (strncmp(*environment, "PATH=", strlen("PATH=")) == 0)
			return *environment + strlen("PATH=");
	return NULL;
}

/* The kernel that runs this program can run one for the same machine. */
static bool read_own_header(Elf64_Ehdr *ret)
{
	_cleanup_fclose_ FILE *self = fopen("/proc/self/exe", "re");

	return self && fread(ret, sizeof(*ret), 1, self) == 1;
}

/* What is wrong with it as a program for this machine that needs no library; NULL for nothing. */
static const char *program_objection(const struct text *program)
{
	Elf64_Ehdr header, own;
	Elf64_Phdr part;

	if (program->len < sizeof(header))
		return "is cut off";
	memcpy(&header, program->s, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
		return "is no program";
	if (read_own_header(&own) && own.e_machine != header.e_machine)
		return "is for another machine";
	for (size_t i = 0; i < header.e_phnum; i++) {
		size_t at = header.e_phoff + i * sizeof(part);

		if (header.e_phentsize != sizeof(part) || at > program->len || program->len - at < sizeof(part))
			return "is cut off";
		memcpy(&part, program->s + at, sizeof(part));
		if (part.p_type == PT_INTERP)
			return "needs a library of the host's";
		if (part.p_type == PT_LOAD && (part.p_offset > program->len || program->len - part.p_offset < part.p_filesz))
			return "is cut off";
	}
	return NULL;
}

static int read_program(struct text *ret, struct log *log)
{
	_cleanup_free_ char *path = shipped_program(RUNTIME_PROGRAM);
	int r = path ? host_read_own(path, ret) : -ENOMEM;
	const char *reason = host_own_reason(r), *objection;

	if (r < 0) {
		log_say(log, LEVEL_ERROR, "[container] runtime_unit needs the program %s, which comes with this one: "
			"%s; install it there, or beside this program; nothing was changed",
			path ? path : RUNTIME_PROGRAM, reason ? reason : strerror(-r));
		return r;
	}
	objection = program_objection(ret);
	if (objection)
		log_say(log, LEVEL_ERROR, "%s %s: a runtime that it stood in front of would start no container; install this "
			"program's own; nothing was changed", path, objection);
	return objection ? -ENOTSUP : 0;
}

/* Why identity cannot be had with a runtime whose unit has this word in its name; NULL for nothing. */
static const char *unit_objection(const char *unit)
{
	static const struct { const char *word, *why; } rows[] = {
		{ "crio", "CRI-O finds its runtime once, at its start, gives it another PATH, and copies what Pods say of themselves over "
		  "names: no identity with it; set identity = no" },
		{ "k3s", "k3s puts its own directories first in PATH, before ours: no identity with it; set identity = no" },
		{ "rke2", "rke2 puts its own directories first in PATH, before ours: no identity with it; set identity = no" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strstr(unit, rows[i].word))
			return rows[i].why;
	return NULL;
}

/* Also by another name of the unit's, whose file has its own. */
static const char *objection_to(const char *unit, const struct unit_state *state)
{
	const char *why = unit_objection(unit);

	return why || !state->fragment ? why : unit_objection(text_base_name(state->fragment));
}

/* Does it have another service, of containerd, start containers? So docker.service does, by the file that comes with it. */
static bool is_client(char *const *commands)
{
	static const char option[] = "--containerd";

	for (size_t i = 0; commands && commands[i]; i++)
		for (const char *s = commands[i]; (s = strstr(s, option)); s += strlen(option))
			if (s[strlen(option)] == '=' || s[strlen(option)] == ' ')
				return true;
	return false;
}

static bool has_runtime(const struct host *host, const char *base, const char *name)
{
	return place_in_path(host, base, name) || place_in_path(host, default_path, name);
}

/* Can the unit have what is asked for? base: its PATH. 0, or as runtime_files_make() after *ret_why. What identity is asked for, and
 * this host's own files say that it cannot be, is a mistake of the configuration. */
static int find_objection(const struct config *config, const struct unit_state *state, const struct service *service,
			  const struct runtime_files *files, const char *base, const char **ret_why)
{
	char *const *commands = service->commands;
	bool identity = config->identity, plain = commands && commands[0] && !commands[1] && unit_command_is_plain(commands[0]);
	const struct {
		bool met;
		int error;
		const char *why;
	} rows[] = {
		{ !state->exists, identity ? -EBADRQC : -ENOTSUP,
		  "there is no such unit on this host; name the one that starts its containers" },
		{ config->keystrokes && !plain, -ENOTSUP,
		  "only a unit with a single, plain ExecStart= can be run through " RUNTIME_PROGRAM },
		{ identity && objection_to(config->runtime_unit, state), -EBADRQC, objection_to(config->runtime_unit, state) },
		{ identity && is_client(commands), -EBADRQC,
		  "its command has --containerd: it has another unit start its containers; name that one" },
		{ identity && !unit_path_is_plain(base), -EBADRQC,
		  "its PATH has quotes, backslashes or % in it, or is empty; give it a plain one" },
		{ identity && service->path_unseen, -EBADRQC,
		  "ExecSearchPath= or PassEnvironment=PATH makes its PATH, which is not known here; give it the same as "
		  "Environment=PATH=... in a drop-in" },
		{ identity && !files->runc && !files->crun, -EBADRQC,
		  "neither runc nor crun is on the host in its PATH or a usual directory: what is called by a path, or is another "
		  "runtime, has no identity; install one of them there, or set identity = no" },
		{ !files->place, -ENOTSUP, PLACE_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].met) {
			*ret_why = rows[i].why;
			return rows[i].error;
		}
	return 0;
}

static void list_excepted(struct text *ret, const struct config *config)
{
	for (size_t i = 0; i < config->identity_except.n; i++)
		text_addf(ret, "%s\n", config->identity_except.items[i].value);
}

static int make_drop_in(struct runtime_files *ret, const struct config *config, struct service *service, const char *base)
{
	_cleanup_free_ char *program = place_path(ret->place, RUNTIME_PROGRAM);
	struct runtime_drop_in want = {
		.program = program, .log_passwords = config->log_passwords,
		.command = config->keystrokes ? service->commands[0] : NULL,
	};

	if (!program || (config->identity && asprintf(&ret->path, "%s/" RUNTIME_DIRECTORY ":%s", ret->place, base) < 0)) {
		ret->path = NULL;
		return -ENOMEM;
	}
	want.path = ret->path;
	if (config->keystrokes)
		ret->command_after = TAKE(service->command_after);
	if (config->identity)
		ret->path_after = TAKE(service->path_after);
	return print_runtime_drop_in(&want, &ret->drop_in);
}

static int make(struct runtime_files *ret, const struct config *config, const struct host *host, const struct unit_state *state,
		struct service *service, char *const *environment, struct log *log)
{
	const char *manager = runtime_path_in(environment), *base = service->path ? service->path : manager;
	const char *why;
	int r;

	base = base ? base : default_path;
	ret->runc = config->identity && has_runtime(host, base, "runc");
	ret->crun = config->identity && has_runtime(host, base, "crun");
	r = find_objection(config, state, service, ret, base, &why);
	if (r < 0) {
		log_say(log, LEVEL_ERROR, "%s: [container] runtime_unit = %s: %s; nothing was changed",
			config_source(config, "container", "runtime_unit"), config->runtime_unit, why);
		return r;
	}
	r = read_program(&ret->program, log);
	if (r < 0)
		return r;
	if (config->identity)
		list_excepted(&ret->except, config);
	r = make_drop_in(ret, config, service, base);
	return r < 0 ? r : text_error(&ret->except);
}

int runtime_files_make(struct runtime_files *ret, const struct config *config, const struct host *host,
		       const struct unit_state *state, char *const *environment, const char *own, struct log *log)
{
	_cleanup_(service_done) struct service service = {0};
	int r;

	*ret = (struct runtime_files){ .place = place_find(host) };
	r = service_read(&service, host, state, own, log);
	return r < 0 ? r : make(ret, config, host, state, &service, environment, log);
}

void runtime_files_done(struct runtime_files *files)
{
	text_done(&files->program);
	text_done(&files->except);
	text_done(&files->drop_in);
	free(files->path);
	free(files->command_after);
	free(files->path_after);
	*files = (struct runtime_files){0};
}
