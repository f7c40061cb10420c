#include "setup/containers/processes.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "setup/base/strings.h"

enum { NAMED = 5, ID = 13 };

struct process {
	unsigned pid, parent;
	bool shim;
	struct process *of;	/* the shim that it is below of, where it has no login uid; NULL: it has one, or is of no container */
	size_t unset;	/* of a shim: container processes below it without a login uid */
};

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int read_proc(const struct host *host, unsigned pid, const char *name, struct text *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return host_read(host, path, ret);
}

/* PID (COMM) STATE PPID ...; COMM may have anything in it (proc_pid_stat(5)). */
static bool read_process(const struct host *host, const char *name, struct process *ret)
{
	static const char *const shims[] = { "(containerd-shim", "(conmon)" };
	_cleanup_text_ struct text stat = {0};
	const char *open, *close;

	*ret = (struct process){ .pid = (unsigned)strtoul(name, NULL, 10) };
	if (read_proc(host, ret->pid, "stat", &stat) < 0 || !stat.s)
		return false;
	open = strchr(stat.s, '(');
	close = strrchr(stat.s, ')');
	if (!open || !close || sscanf(close, ") %*c %u", &ret->parent) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(shims); i++)
		ret->shim = ret->shim || strncmp(open, shims[i], strlen(shims[i])) == 0;
	return true;
}

/* The shim that a process is below of; NULL for none. */
static struct process *find_shim(struct process *processes, size_t n, const struct process *of)
{
	struct process key = { .pid = of->parent };

	/* Parents may change while they are read, so that there might be a circle. */
	for (size_t i = 0; i < n && key.pid > 1; i++) {
		struct process *parent = bsearch(&key, processes, n, sizeof(key), by_pid);

		if (!parent || parent->shim)
			return parent;
		key.pid = parent->parent;
	}
	return NULL;
}

static bool is_unset(const struct host *host, unsigned pid)
{
	_cleanup_text_ struct text loginuid = {0};

	return read_proc(host, pid, "loginuid", &loginuid) == 0 && loginuid.s && strncmp(loginuid.s, "4294967295", 10) == 0;
}

/* What a shim was started for: the word behind -id, or -c. */
static void add_id(struct container_processes *ret, const struct host *host, unsigned pid)
{
	_cleanup_text_ struct text words = {0};

	if (ret->n_shims++ >= NAMED || read_proc(host, pid, "cmdline", &words) < 0)
		return;
	for (size_t at = 0; at < words.len; at += strlen(words.s + at) + 1) {
		size_t next = at + strlen(words.s + at) + 1;

		if (next >= words.len || (strcmp(words.s + at, "-id") != 0 && strcmp(words.s + at, "-c") != 0))
			continue;
		text_addf(&ret->shims, "%s%.*s", ret->shims.s ? ", " : "", ID, words.s + next);
		return;
	}
}

/* Is it still there, and without one? Where a runtime is called, by containers that come or go or are looked into, its own processes
 * are below the shim for a moment, and what it starts is given a login uid by then. */
static bool stays_unset(const struct host *host, const struct process *process)
{
	struct process now;
	char name[16];

	snprintf(name, sizeof(name), "%u", process->pid);
	return read_process(host, name, &now) && now.parent == process->parent && is_unset(host, process->pid);
}

static void count(struct container_processes *ret, const struct host *host, struct process *processes, size_t n)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct process *shim = processes[i].shim ? NULL : find_shim(processes, n, &processes[i]);

		ret->all += shim != NULL;
		if (shim && is_unset(host, processes[i].pid))
			processes[i].of = shim;
		any = any || processes[i].of;
	}
	if (any)
		nanosleep(&moment, NULL);
	for (size_t i = 0; i < n; i++)
		if (processes[i].of && stays_unset(host, &processes[i])) {
			ret->unset++;
			processes[i].of->unset++;
		}
	for (size_t i = 0; i < n; i++)
		if (processes[i].unset > 0)
			add_id(ret, host, processes[i].pid);
}

int processes_look(struct container_processes *ret, const struct host *host)
{
	_cleanup_strings_ char **names = NULL;
	_cleanup_free_ struct process *processes = NULL;
	size_t room = 0, n = 0;
	int r = host_list(host, "/proc", &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	while (names[room])
		room++;
	processes = calloc(room + 1, sizeof(*processes));
	if (!processes)
		return -ENOMEM;
	for (size_t i = 0; i < room; i++)
		if (!names[i][strspn(names[i], "0123456789")] && read_process(host, names[i], &processes[n]))
			n++;
	qsort(processes, n, sizeof(*processes), by_pid);
	count(ret, host, processes, n);
	return text_error(&ret->shims);
}

void processes_done(struct container_processes *processes)
{
	text_done(&processes->shims);
	*processes = (struct container_processes){0};
}
