/* setup/containers: what is found of a host's runtimes and their containers. */
#include "t/unit/test.h"

#include <time.h>

#include "setup/base/strings.h"
#include "setup/containers/handlers.h"
#include "setup/containers/place.h"
#include "setup/containers/processes.h"
#include "setup/containers/service.h"
#include "setup/systemd/unit_files.h"

static struct host host;

static void put(const char *path, const char *content, size_t size)
{
	assert_int_equal(host_write(&host, path, content, size, 0644, 0755), 0);
}

static void put_text(const char *path, const char *content)
{
	put(path, content, strlen(content));
}

/* What is said of a configuration at this place. */
static void says(const char *unit, const char *path, const char *content, const char *want)
{
	_cleanup_text_ struct text out = {0};

	put(path, content, strlen(content));
	assert_int_equal(handlers_look(&out, &host, unit, NULL), 0);
	assert_string_equal(out.s ? out.s : "", want);
	assert_int_equal(host_remove(&host, path), 0);
}

static void handlers(void **state)
{
	static const char toml[] = "/etc/containerd/config.toml";

	says("containerd.service", toml, "version = 2\n  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n"
	     "    BinaryName = \"\"\n    # BinaryName = \"/no\"\n    SystemdCgroup = true\n", "");
#define PATH_OF(place, value) place ": BinaryName = " value " is a path, which passes identity by (but where that program looks for " \
	"runc in PATH itself, as NVIDIA's does): make it the name alone, as \"runc\""
	says("containerd.service", toml, "[a]\n\tBinaryName = \"/usr/sbin/runc\" # comment\n[b]\n\"BinaryName\"='/x'\nBinaryNames=\"/y\"\n",
	     PATH_OF("/etc/containerd/config.toml:2", "\"/usr/sbin/runc\"") "; "
	     PATH_OF("/etc/containerd/config.toml:4", "'/x'"));
	/* Version 1 of containerd 1.x, 2 of 1.x and 3 of 2.x; tables in a line, and keys with dots. */
	says("containerd.service", toml, "[plugins.cri.containerd.default_runtime]\n  runtime_engine = \"/opt/runc\"\n",
	     "/etc/containerd/config.toml:2: runtime_engine = \"/opt/runc\" is a path, which passes identity by: make it \"\"");
	says("containerd.service", toml, "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.x]\n"
	     "options = { SystemdCgroup = true, BinaryName = \"/opt/x\" }\n", PATH_OF("/etc/containerd/config.toml:3", "\"/opt/x\""));
	says("containerd.service", toml, "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes]\n"
	     "x.options.BinaryName='/opt/x'\ny.runtime_type = 'io.containerd.runsc.v1'\nz = {MyBinaryName='/y',a='#'} # {BinaryName='/z'}\n",
	     PATH_OF("/etc/containerd/config.toml:3", "'/opt/x'") "; "
	     "/etc/containerd/config.toml:4: runtime_type = 'io.containerd.runsc.v1' is gVisor, whose containers have no identity");
	says("containerd.service", toml, "BinaryName = \"crun\"\nruntime_path = \"/usr/bin/containerd-shim-runc-v2\"\n", "");
	says("containerd.service", "/etc/containerd/conf.d/g.toml", "runtime_type = \"io.containerd.runsc.v1\"\n",
	     "/etc/containerd/conf.d/g.toml:1: runtime_type = \"io.containerd.runsc.v1\" is gVisor, whose containers have no identity");
	/* Of tables in a line each value is its own, and each is looked at. */
	says("containerd.service", toml, "r = { BinaryName = \"runc\", Root = \"/run/runc\" }\n"
	     "q = { runtime_type = \"io.containerd.runc.v2\", pod_annotations = [\"io.katacontainers.*\"] }\n"
	     "BinaryName = \"runc\" # was /opt/runc\nBinaryName =\n", "");
	says("containerd.service", toml, "a = {BinaryName=\"\"}, b = {BinaryName=\"/opt/x\"}\n",
	     PATH_OF("/etc/containerd/config.toml:1", "\"/opt/x\""));
	says("containerd.service", "/etc/containerd/conf.d/g.txt", "BinaryName = \"/x\"\n", "");
	says("containerd.service", toml, "  runtime_type = \"io.containerd.kata.v2\"", "/etc/containerd/config.toml:1: runtime_type = "
	     "\"io.containerd.kata.v2\" is Kata Containers, whose containers have no identity on the node");
	says("crio.service", "/etc/crio/crio.conf.d/10-x.conf", "[crio.runtime.runtimes.crun]\nruntime_path = \"/usr/bin/crun\"\n",
	     "/etc/crio/crio.conf.d/10-x.conf:2: runtime_path = \"/usr/bin/crun\" is a path, which passes identity by: make it \"\", so "
	     "that the runtime is looked for in PATH");
	says("containerd.service", "/etc/crio/crio.conf", "runtime_path = \"/usr/bin/crun\"\n", "");
	says("crio.service", "/usr/bin/podman", "", "podman, which is installed, calls runtimes by their paths: its containers have no "
	     "identity");
}

#define GVISOR " is gVisor, whose containers have no identity"
#define KATA " is Kata Containers, whose containers have no identity on the node"

static void imports(void **state)
{
	static const char toml[] = "/etc/containerd/config.toml", type[] = "runtime_type = \"io.containerd.runsc.v1\"\n";
#define SAID(place) place ":1: runtime_type = \"io.containerd.runsc.v1\"" GVISOR

	/* As its manual has it: absolute, beside the file that imports it, a pattern; what is imported may import. */
	put_text("/etc/containerd/runtime_gvisor.toml", type);
	put_text("/etc/containerd/runtime_none.txt", type);
	says("containerd.service", toml, "version = 2\nimports = [\"/etc/containerd/runtime_*.toml\", \"./debug.toml\"]\n",
	     SAID("/etc/containerd/runtime_gvisor.toml"));
	says("containerd.service", toml, "# imports = [\"runtime_gvisor.toml\"]\nimportsX = [\"runtime_gvisor.toml\"]\nimports = []\n", "");
	says("containerd.service", toml, "'imports'=[ # some\n  '/no/such',\n  # '/x'\n 'runtime_gvisor.toml' ,\n]\n[a]\nb = [\"/z\"]\n",
	     SAID("/etc/containerd/runtime_gvisor.toml"));
	put_text("/opt/kata/containerd/config.d/kata-deploy.toml", "runtime_type = \"io.containerd.kata-qemu.v2\"\nimports=[\"../*/kata\\u002d*\"]");
	put_text("/opt/more.toml", "imports = [\"kata/containerd/config.?/[k]*.toml\", \"/etc/containerd/config.toml\"]");
	says("containerd.service", toml, "imports = [\"/opt/m*\"]\nBinaryName = '/x'\n", PATH_OF("/etc/containerd/config.toml:2", "'/x'") "; "
	     "/opt/kata/containerd/config.d/kata-deploy.toml:1: runtime_type = \"io.containerd.kata-qemu.v2\"" KATA);
	/* Never out of the root, nor round and round, nor on and on. */
	says("containerd.service", toml, "imports = [\"../../../../../../../../etc/hostname\", \"config.toml\", \"*.toml/*/\", \"unended\nBinaryName = '/x'\n",
	     PATH_OF("/etc/containerd/config.toml:2", "'/x'"));
	for (unsigned i = 0; i < 70; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/many/%u/%u.toml", i, i);
		put(path, "", 0);
	}
#define MORE "containerd.service: its configuration is of more than 64 files, and only the first ones were looked at"
	says("containerd.service", toml, "imports = [\"/many/*/*.toml\"]\n", MORE);
	says("containerd.service", toml, "imports = [\"/many/*/none*\"]\n", MORE);
}

/* What is said where containerd is started so, and has runsc in one file that is read only then. */
static void says_started(const char *command, const char *want)
{
	char *commands[] = { (char *)(uintptr_t)command, NULL };
	_cleanup_text_ struct text out = {0};

	assert_int_equal(handlers_look(&out, &host, "containerd.service", commands), 0);
	assert_string_equal(out.s ? out.s : "", want);
}

static void started(void **state)
{
	static const char types[] = "runtime_type = \"io.containerd.runsc.v1\"\n", binary[] = "BinaryName = \"/opt/runc\"\n";
	static const char usual[] = PATH_OF("/etc/containerd/config.toml:1", "\"/opt/runc\"");
	static const char other[] = SAID("/srv/c.toml");

	put_text("/etc/containerd/config.toml", binary);
	put_text("/srv/c.toml", types);
	says_started("/usr/bin/containerd", usual);
	says_started("/usr/bin/containerd --log-level debug --root /config -l -c", usual);
	says_started("/usr/bin/containerd --config /srv/c.toml", other);
	says_started("-/usr/bin/containerd --log-level=debug --config=\"/srv/c.toml\" --root /x", other);
	says_started("/usr/bin/containerd -c\t'/srv/c.toml'", other);
	says_started("/usr/bin/containerd \"-config=/srv/c.toml\"", other);
	says_started("/usr/bin/containerd --configs /srv/c.toml -cx /srv/c.toml ---c /srv/c.toml", usual);
	says_started("/usr/bin/containerd --config ${CONFIG}", "containerd.service: --config ${CONFIG}: which file that is is not known here: "
		     "look in it for BinaryName and runtime_type yourself");
	says_started("/usr/bin/containerd --config /no/such", "");
	assert_int_equal(host_remove(&host, "/etc/containerd/config.toml"), 0);
}

static void commands(void **state)
{
	char *drop_ins[] = { (char *)(uintptr_t)"/etc/u.d/a.conf", (char *)(uintptr_t)"/etc/u.d/gone.conf", NULL };
	struct unit_state unit = { .fragment = (char *)(uintptr_t)"/etc/u", .drop_ins = drop_ins };
	char **found = NULL;

	put_text("/etc/u", "[Service]\nExecStart=/a -c 1\n");
	assert_int_equal(unit_files_values(&found, &host, &unit, "Service", "ExecStart"), 0);
	assert_string_equal(found[0], "/a -c 1");
	strings_free(found);
	found = NULL;
	put_text("/etc/u.d/a.conf", "[Service]\nExecStart=\nExecStart=/b -c 2\n");
	assert_int_equal(unit_files_values(&found, &host, &unit, "Service", "ExecStart"), 0);
	assert_string_equal(found[0], "/b -c 2");
	assert_null(found[1]);
	strings_free(found);
	found = NULL;
	unit.fragment = NULL;
	unit.drop_ins = NULL;
	assert_int_equal(unit_files_values(&found, &host, &unit, "Service", "ExecStart"), 0);
	assert_null(found);
}

static void process(unsigned pid, const char *comm, unsigned parent, const char *loginuid)
{
	char path[64], stat[128];

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	put(path, stat, (size_t)snprintf(stat, sizeof(stat), "%u (%s) S %u 1 1 0\n", pid, comm, parent));
	snprintf(path, sizeof(path), "/proc/%u/loginuid", pid);
	put_text(path, loginuid);
}

/* What becomes of the runtime's own, which lives for a moment, while it is waited for. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	unlink(test_path("/proc/13/stat"));
	process(14, "ends up set", 10, "3221225475");
	return 0;
}

static void processes(void **state)
{
	static const char words[] = "/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0" "0123456789abcdef0123\0-address\0/x";
	struct container_processes found = {0};

	process(1, "systemd", 0, "4294967295");
	process(7, "containerd", 1, "4294967295");
	process(10, "containerd-shim", 1, "4294967295");
	put("/proc/10/cmdline", words, sizeof(words));
	process(11, "pause", 10, "3221225473");
	process(9, "sh) S 1 (x", 11, "4294967295");
	process(12, "sleep", 9, "4294967295");
	process(13, "runc", 10, "4294967295");
	process(14, "runc", 10, "4294967295");
	process(20, "containerd-shim", 1, "4294967295");
	process(21, "new", 20, "3221225474");
	process(30, "conmon", 1, "4294967295");
	process(31, "podman's", 30, "3489660928");
	/* Each other's parent, as they may be read while they change. */
	process(40, "a", 41, "4294967295");
	process(41, "b", 40, "4294967295");
	put("/proc/12x", "", 0);
	assert_int_equal(processes_look(&found, &host), 0);
	assert_int_equal(found.all, 7);
	assert_int_equal(found.unset, 2);
	assert_int_equal(found.n_shims, 1);
	assert_string_equal(found.shims.s, "0123456789abc");
	processes_done(&found);
}

static void places(void **state)
{
	assert_null(place_of(&host, "x"));
	assert_false(place_has_runtime(&host));
	put_text("/opt/x", "");
	assert_string_equal(place_of(&host, "x"), "/opt");
	put("/var/lib/google/x", "", 0);
	assert_string_equal(place_of(&host, "x"), "/var/lib/google");
	put("/usr/bin/crun", "", 0);
	assert_true(place_has_runtime(&host));
	/* Where the program is, it stays; else the first directory in which one can be run. */
	put_text("/opt/cloud-audit-runtime", "");
	assert_string_equal(place_find(&host), "/opt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("runtimes that are not looked for in PATH are named with their line", handlers),
		TEST("what containerd's configuration imports is looked at, so much of it, below the root", imports),
		TEST("the file that containerd is started with is the one that is looked at", started),
		TEST("what a unit runs is what its files say last", commands),
		TEST("processes below a shim are containers', and those without a login uid are counted", processes),
		TEST("a program is where it is, else where it can be", places),
	};

	if (host_open_root(&host, test_dir()) < 0)
		return 1;
	return RUN(tests);
}
