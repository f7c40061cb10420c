/* The program that goes onto the host. What it does, the name says that it is called by:
 *
 *	cloud-audit-runtime [--log-passwords] PROGRAM [ARGUMENT...]
 *	cloud-audit-runtime --check [runc|crun PATH]
 *
 * Runs a program whose terminals are audited: what is typed into any terminal of it, of its children and theirs is
 * recorded (type=TTY). In version 0.1 it was called cloud-audit-tty, and drop-ins may still do so.
 *
 * AUDIT_TTY_SET over NETLINK_AUDIT concerns the calling process alone and is inherited over fork(2) and
 * execve(2) (audit_receive_msg() in kernel/audit.c, tty_audit_fork() in drivers/tty/tty_audit.c); it
 * needs CAP_AUDIT_CONTROL and works while the rules are locked. PROGRAM is run even where the kernel
 * refuses: a container runtime that does not start would take the node down.
 * The process stays the same one, so that systemd's Type=notify and KillMode=process keep their meaning.
 *
 * --check switches the recording on for itself, reads it back, and exits with 0 when it is on; with a runtime's name also
 * only where it becomes, as that and with that PATH, a real one that runs (asked for its --version).
 *
 *	runc|crun [ARGUMENT...]
 *
 * From a directory that stands first in the PATH of what starts containers: setup/runtime/shim.h.
 *
 * Linked statically, with no library of the host: nothing of the host's may keep it from running. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>

#include "setup/base/mem.h"
#include "setup/runtime/netlink.h"
#include "setup/runtime/line.h"
#include "setup/runtime/shim.h"

/* At a start of the runtime, once: it may wait a little longer than a container's. */
enum { SECONDS = 5 };

static void say(const char *name, const char *what, const char *why)
{
	struct line line;

	line_begin(&line);
	line_add_all(&line, (const char *const []){ name, ": ", what, ": ", why, "\n", NULL });
	if (write(STDERR_FILENO, line.s, line.n) < 0)
		return;
}

static int switch_on(bool log_passwords)
{
	_cleanup_close_ int fd = -1;
	int r = netlink_open(SECONDS, &fd);

	return r < 0 ? r : netlink_record_terminals(fd, log_passwords);
}

/* What the real one makes of it is its own affair, but not that there is none, or none that the kernel runs. */
static int check_runtime(const struct shim_place *place, const char *name, const char *path)
{
	char version[] = "--version", runtime[64] = "", *argv[] = { runtime, version, NULL }, *envp[] = { NULL, NULL };
	struct line line;
	pid_t pid;
	int status;

	strncpy(runtime, name, sizeof(runtime) - 1);
	line_begin(&line);
	line_add_all(&line, (const char *const []){ "PATH=", path, NULL });
	envp[0] = line.s;
	pid = fork();
	if (pid == 0)
		_exit(shim_run(place, name, 2, argv, envp));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return !WIFEXITED(status) || WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127;
}

static int run_recorded(const struct shim_place *place, const char *name, int argc, char **argv)
{
	bool check = (argc == 2 || (argc == 4 && shim_is_runtime(argv[2]))) && strcmp(argv[1], "--check") == 0;
	bool log_passwords = argc > 1 && strcmp(argv[1], "--log-passwords") == 0;
	char **program = argv + 1 + log_passwords;
	int r;

	if (argc < 2 || !program[0] || (program[0][0] == '-' && !check)) {
		say(name, "usage", "[--log-passwords] PROGRAM [ARGUMENT...] | --check [runc|crun PATH]");
		return 2;
	}
	r = switch_on(log_passwords);
	if (r < 0)
		say(name, "keystrokes are not recorded: the kernel refuses AUDIT_TTY_SET", strerror(-r));
	if (argc == 4 && check && check_runtime(place, argv[2], argv[3]) != 0)
		return 1;
	if (check)
		return r < 0;
	execv(program[0], program);
	say(name, program[0], strerror(errno));
	return 127;
}

static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
	/* The file's own name, whatever the caller says: an entry in PATH is found by it. */
	const char *file = (const char *)getauxval(AT_EXECFN), *called = argc > 0 ? argv[0] : "cloud-audit-runtime";
	const struct shim_place place = { file ? file : called, "/proc/self/loginuid", netlink_open };
	const char *name = name_in(place.self);

	if (!shim_is_runtime(name))
		name = name_in(called);
	return shim_is_runtime(name) ? shim_run(&place, name, argc, argv, environ) : run_recorded(&place, name, argc, argv);
}
