/* The program, run in a process of its own with its words, on a node that works, in a model of it (model.h): what fails of
 * systemd, the kernel and memory, and what others do meanwhile, is set in the model. For one file of tests each. */
#ifndef T_UNIT_PROGRAM_H
#define T_UNIT_PROGRAM_H

#include "t/unit/memory.h"
#include "t/unit/model.h"

#include <sys/wait.h>

#define main program_main
int program_main(int argc, char **argv);
#include "setup/main.c"
#undef main

/* --- what fails in the program's process --- */

static struct model *model;

int kernel_open(struct kernel **ret)
{
	static struct model_io state;
	const struct kernel_io io = { model_send, model_receive, model_close, &state };

	state.model = model;
	return kernel_open_io(ret, &io);
}

/* Pauses are for what takes time, and nothing does here. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	return 0;
}

/* What is held after each look of verify --every. */
enum { LOOKS = 24, SETTLED = 4 };

static struct shared {
	size_t allocations;
	unsigned looks;
	struct look {
		size_t blocks, bytes, files;
	} held[LOOKS];
} *shared;

static inline size_t open_files(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

enum exit_status every_interval(uint64_t microseconds, enum exit_status (*once)(void *user), bool (*vain)(void *user), void *user)
{
	enum exit_status status = STATUS_DONE;

	for (shared->looks = 0; shared->looks < LOOKS; shared->looks++) {
		status = once(user);
		shared->held[shared->looks] = (struct look){ memory_blocks, memory_bytes, open_files() };
	}
	return status;
}

/* --- runs --- */

enum { ARGS_MAX = 40, SAID_MAX = 65536 };

struct result {
	int status;
	char out[SAID_MAX], err[SAID_MAX];
	size_t allocations;
};

static struct peer peer;
static char root[256], config[256];
static const char *const units[] = {
	SETUP_UNIT, LOCK_UNIT, HOST_UNIT, TRANSIENT_UNIT, JOURNALD_UNIT, JOURNALD_SOCKET, "auditd.service", "audit-rules.service",
	"augenrules.service", "containerd.service",
};

static inline size_t read_back(const char *path, char *out)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(out, 1, SAID_MAX - 1, f) : 0;

	out[n] = '\0';
	if (f)
		fclose(f);
	return n;
}

static inline void in_child(char **args, int n, size_t fail, bool for_good)
{
	int status;
	FILE *pid;

	assert_non_null(freopen(test_path("out"), "we", stdout));
	assert_non_null(freopen(test_path("err"), "we", stderr));
	assert_int_equal(chdir(test_dir()), 0);
	pid = fopen(test_path("pid"), "we");
	assert_true(pid && fprintf(pid, "%d\n", (int)getpid()) > 0 && fclose(pid) == 0);
	memory_begin(fail, for_good);
	status = program_main(n, args);
	shared->allocations = memory_n;
	memory_fail = 0;
	exit(status);
}

/* Runs the program with words, separated by spaces. */
static inline const struct result *run_failing(const char *words, size_t fail, bool for_good)
{
	static struct result result;
	_cleanup_free_ char *copy = strdup(words);
	char *args[ARGS_MAX] = { (char[]){"cloud-audit-setup"}, (char[]){"-R"}, root, (char[]){"-c"}, config,
		(char[]){"--set"}, (char[]){"unit.start_timeout=10min"} };
	char *rest = NULL;
	int n = 7, status;
	pid_t pid;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(n < ARGS_MAX - 1);
		args[n++] = word;
	}
	model->calls = model->jobs = model->asked = 0;
	fflush(stdout);
	fflush(stderr);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		in_child(args, n, fail, for_good);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result.allocations = shared->allocations;
	read_back(test_path("out"), result.out);
	read_back(test_path("err"), result.err);
	return &result;
}

static inline const struct result *run_words(const char *words)
{
	model->fail_call = model->drop_call = model->fail_job = model->half_job = model->fail_ask = 0;
	return run_failing(words, 0, false);
}

static inline void expect(const char *words, int status)
{
	const struct result *result = run_words(words);

	if (result->status != status)
		fail_msg("%s: exit %d, expected %d: %s%s", words, result->status, status, result->err, result->out);
}

/* --- the node --- */

static struct text tree;	/* what nftw(3) goes through */

static inline int add_to_tree(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static char content[SAID_MAX];

	text_addf(&tree, "%s %o %u\n", path + strlen(root), st->st_mode, st->st_uid);
	if (type == FTW_F) {
		read_back(path, content);
		text_add(&tree, content);
	}
	return 0;
}

/* Names, modes and contents below /etc and /opt of the root, in the order of the disk; names are few. */
static inline char *files(void)
{
	static const char *const tops[] = { "etc", "opt" };
	char top[300];

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		snprintf(top, sizeof(top), "%s/%s", root, tops[i]);
		assert_int_equal(nftw(top, add_to_tree, 16, FTW_PHYS), 0);
	}
	return text_take(&tree);
}

static inline void shell(const char *words)
{
	char command[2048];

	snprintf(command, sizeof(command), "cd '%s' && %s", test_dir(), words);
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* The kernel's part of two states. */
static inline bool same_kernel(const struct model_state *a, const struct model_state *b)
{
	return memcmp(a, b, offsetof(struct model_state, units)) == 0;
}

static struct model_state fresh;

/* As it was before anything was done to it, but that these words were run. */
static inline void begin(const char *words)
{
	/* systemd's socket stays. */
	shell("rm -rf node/etc node/opt node/sys && cp -a saved/. node/");
	model->is = fresh;
	if (*words)
		expect(words, 0);
}

#define UNLOCKED "-s audit.lock=no "
#define TRANSIENT UNLOCKED "-s unit.mode=transient "
#define KEEP UNLOCKED "-s rules.existing=keep "
#define MORE UNLOCKED "-s events.tty=yes -s events.apparmor=yes -s tty.sshd=yes -s apparmor.audit=all -s journal.reader=enable " \
	"-s rules.scanner_copy=yes -s audit.loginuid_immutable=yes -s tty.runtime_unit=containerd.service "
#define UNIT "-s container.runtime_unit=containerd.service "
#define IDENTITY UNLOCKED UNIT "-s container.identity=yes -s container.identity_except=a,b/c "
#define BOTH IDENTITY "-s events.tty=yes -s container.keystrokes=yes -s filter.workloads=no -s events.exec=yes "
#define CHANGED "-s audit.backlog_limit=9000 -s audit.failure=panic -s filter.exclude_types=CWD "

#define RESTART IDENTITY "-s container.restart=yes "

/* --- the node of it all --- */

static inline void make_node(void)
{
	shell("mkdir -p node/run/systemd rules.d saved/etc/audit saved/etc/systemd/system saved/etc/pam.d saved/usr/sbin "
	      "saved/sys/module/apparmor/parameters saved/sys/kernel/security saved/usr/lib/x86_64-linux-gnu/security "
	      "saved/opt saved/srv saved/usr/bin saved/usr/local/bin saved/lib/systemd/system saved/proc/1/net && "
	      "echo '0000000000000000 9 7 00000001 0 0 0 2 0 4711' >saved/proc/1/net/netlink && "
	      "printf '[Service]\\nExecStart=/usr/bin/containerd --x\\n' >saved/lib/systemd/system/containerd.service && "
	      "printf '[Service]\\nExecStartPost=-/sbin/augenrules --load\\n' >saved/lib/systemd/system/auditd.service && "
	      "echo '-w /etc/group -p wa -k host' >saved/etc/audit/audit.rules && "
	      "echo root:x:0:0::/:/bin/sh >saved/etc/passwd && echo root:x:0: >saved/etc/group && "
	      "echo 'session required pam_unix.so' >saved/etc/pam.d/sshd && touch saved/usr/sbin/auditctl "
	      "saved/usr/sbin/augenrules saved/usr/lib/x86_64-linux-gnu/security/pam_tty_audit.so && "
	      "touch saved/usr/bin/runc saved/usr/local/bin/crun && echo normal >saved/sys/module/apparmor/parameters/audit && echo apparmor >saved/sys/kernel/security/lsm && "
	      "{ echo '[events]'; for e in audit-config apparmor exec socket mmap network logins tty; do echo \"$e=no\"; done; "
	      "echo '[rules]'; echo \"directory=$PWD/rules.d\"; } >config.ini && "
	      "printf '%s\\n' '-a always,exit -F arch=b64 -S mount -F auid=root -k x' '-w /etc/passwd -p wa -k y' "
	      "'-a never,exit -F arch=b64 -S openat -F dir=/srv' >rules.d/a.rules");
}

static inline int set_up(void **state)
{
	static const char private[] = "/run/systemd/private";
	char path[100];

	snprintf(root, sizeof(root), "%s/node", test_dir());
	snprintf(config, sizeof(config), "%s/config.ini", test_dir());
	make_node();
	shell("cp -a saved/. node/");
	model = model_new(root);
	model_line(model, "-w /etc/hosts -p wa -k foreign");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		model_unit(model, units[i]);
	model_unit(model, JOURNALD_UNIT)->active = model_unit(model, "auditd.service")->active = true;
	fresh = model->is;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	snprintf(path, sizeof(path), "%.70s%s", root, private);
	peer.answer = model_answer;
	peer.plan = model;
	peer_start(&peer, path);
	return 0;
}

#endif
