#include "setup/runtime/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "setup/base/mem.h"
#include "setup/runtime/netlink.h"
#include "setup/runtime/call.h"
#include "setup/runtime/identity.h"
#include "setup/runtime/line.h"
#include "setup/runtime/next.h"

enum {
	SECONDS = 1,		/* that a start waits for the kernel's answer */
	LOG_MOST = 4096,	/* bytes of a log that something is still added to: it must not grow by each probe */
};

static const char unset[] = "4294967295";

struct start {
	struct call call;
	struct identity identity;
	bool terminal;
	int config_error;	/* why there are no names */
	int login_error;	/* why no login uid was set */
	bool login_set;
	int record_error;	/* why there is no record */
	struct line line;	/* the one that is written at a time, since each more touches a page. Last, and not cleared */
};

int shim_is_runtime(const char *name)
{
	return strcmp(name, "runc") == 0 || strcmp(name, "crun") == 0;
}

static void add_now(struct line *line)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		memset(&tm, 0, sizeof(tm));
	line_add_number(line, (uint32_t)tm.tm_year + 1900, 4);
	line_add(line, "-");
	line_add_number(line, (uint32_t)tm.tm_mon + 1, 2);
	line_add(line, "-");
	line_add_number(line, (uint32_t)tm.tm_mday, 2);
	line_add(line, "T");
	line_add_number(line, (uint32_t)tm.tm_hour, 2);
	line_add(line, ":");
	line_add_number(line, (uint32_t)tm.tm_min, 2);
	line_add(line, ":");
	line_add_number(line, (uint32_t)tm.tm_sec, 2);
	line_add(line, "Z");
}

/* Adds a line to the runtime's log, in the form that it has there. */
static void tell(const struct call *call, const char *level, const char *message)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	_cleanup_close_ int fd = -1;
	struct line line;
	struct stat st;

	/* crun's --log may be the name of a service. What is there and no file is not opened: see read_file(). */
	if (!call->log || call->log[0] != '/' || (stat(call->log, &st) == 0 && !S_ISREG(st.st_mode)))
		return;
	fd = open(call->log, flags, 0644);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > LOG_MOST)
		return;
	line_begin(&line);
	line_add_all(&line, (const char *const []){ call->log_is_json ? "{\"level\":\"" : "level=", level,
		call->log_is_json ? "\",\"msg\":\"" : " msg=\"", NULL });
	line_add_json(&line, message);
	line_add(&line, call->log_is_json ? "\",\"time\":\"" : "\" time=\"");
	add_now(&line);
	line_add(&line, call->log_is_json ? "\"}\n" : "\"\n");
	if (!line.cut && write(fd, line.s, line.n) < 0)
		return;
}

/* The configuration of the container. For a session it lies where the log is, which has to be the container's own
 * folder: a wrong name would be worse than none. */
static int config_path(const struct call *call, struct line *ret)
{
	const char *slash = call->log ? strrchr(call->log, '/') : NULL;
	size_t n = call->id ? strlen(call->id) : 0;
	bool own = false;

	line_begin(ret);
	if (!call->session) {
		if (!call->config)
			line_add_all(ret, (const char *const []){ call->bundle ? call->bundle : ".", "/config.json", NULL });
		else
			line_add(ret, call->config);
		return ret->cut ? -ENAMETOOLONG : 0;
	}
	for (const char *s = call->log; n > 0 && slash && s && s < slash; s = strchr(s + 1, '/'))
		own |= strncmp(s + 1, call->id, n) == 0 && s[1 + n] == '/';
	if (!own)
		return -ENOENT;
	line_add_bytes(ret, call->log, (size_t)(slash - call->log));
	line_add(ret, "/config.json");
	return ret->cut ? -ENAMETOOLONG : 0;
}

static void read_start(struct start *start)
{
	const struct call *call = &start->call;
	int r = config_path(call, &start->line);

	start->config_error = r < 0 ? r : identity_read(&start->identity, start->line.s);
	if (!call->session)
		start->terminal = start->config_error < 0 ? call->console : start->identity.terminal;
	else if (!call->process)
		start->terminal = call->terminal;
	else if (identity_read_process(call->process, &start->terminal) < 0)
		start->terminal = call->console;
}

static bool is_excepted(const struct shim_place *place, struct start *start)
{
	const char *slash = strrchr(place->self, '/');
	struct line *file = &start->line;

	line_begin(file);
	line_add_bytes(file, place->self, slash ? (size_t)(slash + 1 - place->self) : 0);
	line_add(file, "except");
	return !file->cut && identity_is_excepted(&start->identity, file->s);
}

/* Sets the login uid where none is set. Returns whether it did, or a negative errno. The kernel makes a record of that, and of the
 * call, for each of which it may have us wait: the rule that leaves our own start out leaves pwritev(2), which hardly anybody
 * calls, out as well. */
static int set_login(const char *file, uint32_t auid, struct line *line)
{
	_cleanup_close_ int fd = openat(AT_FDCWD, file, O_RDWR | O_CLOEXEC);
	char have[16] = "";
	struct iovec bytes;

	if (fd < 0 || read(fd, have, sizeof(have) - 1) < 0)
		return -errno;
	if (strncmp(have, unset, sizeof(unset) - 1) != 0)
		return 0;
	line_begin(line);
	line_add_number(line, auid, 1);
	bytes = (struct iovec){ line->s, line->n };
	return pwritev(fd, &bytes, 1, 0) == (ssize_t)line->n ? 1 : -errno;
}

static int send_record(const struct shim_place *place, struct start *start)
{
	static const char *const fields[NAMES] = {
		[NAME_POD] = "pod", [NAME_NAMESPACE] = "namespace", [NAME_POD_UID] = "uuid",
		[NAME_CONTAINER] = "container", [NAME_IMAGE] = "image",
	};
	_cleanup_close_ int fd = -1;
	struct line *line = &start->line;
	int r = place->open_netlink(SECONDS, &fd);

	if (r < 0)
		return r;
	line_begin(line);
	line_add(line, "op=start virt=container");
	line_add_untrusted(line, "vm", start->call.id, strlen(start->call.id));
	for (int i = 0; i < NAMES; i++) {
		const struct name *name = &start->identity.names[i];

		line_add_untrusted(line, fields[i], name->known ? name->s : NULL, name->n);
	}
	line_add_all(line, (const char *const []){ " exec=", start->call.session ? "yes" : "no",
		" terminal=", start->terminal ? "yes" : "no", " login=", start->login_set ? "set" : "kept",
		" res=", start->login_error < 0 ? "failed" : "success", NULL });
	return line->cut ? -E2BIG : netlink_record(fd, RECORD_VIRT_CONTROL, line->s);
}

/* What the record does not tell: that there is none, or why it has no names. */
static void tell_failure(struct start *start)
{
	int error = start->record_error < 0 ? start->record_error : start->config_error;
	struct line *line = &start->line;

	if (error == 0 || (start->record_error == 0 && start->call.session))
		return;
	line_begin(line);
	line_add_all(line, (const char *const []){ "cloud-audit-runtime: the start record of ", start->call.id,
		start->record_error < 0 ? " was not sent: " : " has no names, its configuration cannot be read: ",
		strerror(-error), NULL });
	if (start->record_error < 0 && start->login_error < 0)
		line_add_all(line, (const char *const []){ "; nor has it a login uid of its own: ",
			strerror(-start->login_error), NULL });
	tell(&start->call, "warning", line->s);
}

static void identify(const struct shim_place *place, struct start *start)
{
	enum class class;
	int r;

	read_start(start);
	if (is_excepted(place, start))
		return;
	class = start->terminal ? CLASS_TERMINAL : start->call.session ? CLASS_SESSION : CLASS_CONTAINER;
	r = set_login(place->loginuid, identity_auid(class, start->call.id), &start->line);
	start->login_set = r > 0;
	start->login_error = r < 0 ? r : 0;
	start->record_error = send_record(place, start);
	tell_failure(start);
}

static char *value_of(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; envp && *envp; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* tried is the path of what was refused, and error why; or empty. */
static __attribute__((noinline)) int tell_none(const struct call *call, const char *name, const char *tried, int error)
{
	struct line line;

	line_begin(&line);
	if (*tried)
		line_add_all(&line, (const char *const []){ "cloud-audit-runtime: ", tried, ": ", strerror(-error), NULL });
	else
		line_add_all(&line, (const char *const []){ "cloud-audit-runtime: no ", name,
			" in PATH but this one: no container starts until it is installed", NULL });
	tell(call, "error", line.s);
	line_add(&line, "\n");
	return write(STDERR_FILENO, line.s, line.n) < 0 ? 126 : 127;
}

int shim_run(const struct shim_place *place, const char *name, int argc, char *const *argv, char *const *envp)
{
	struct start start;
	char *path = value_of(envp, "PATH");
	int r;

	memset(&start, 0, offsetof(struct start, line));
	call_read(&start.call, name, argc, argv);
	if (start.call.starts && start.call.id)
		identify(place, &start);
	if (path)
		next_path(path);
	r = next_become(place->self, name, path, argv, envp, &start.line);
	return tell_none(&start.call, name, start.line.s, r);
}
