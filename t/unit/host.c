#include "t/unit/test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "setup/base/strings.h"
#include "setup/host/host.h"

static struct host host;

/* <dir>/root is the host; what lies beside it must never be reached. */
static int begin(void **state)
{
	umask(022);
	if (mkdir(test_path("root"), 0755) < 0 || mkdir(test_path("outside"), 0755) < 0)
		return -1;
	test_file("outside/secret", "outside");
	return host_open_root(&host, test_path("root"));
}

static int end(void **state)
{
	host_done(&host);
	return 0;
}

static const char *in_root(const char *path)
{
	char name[256];

	snprintf(name, sizeof(name), "root%s", path);
	return test_path(name);
}

static void content_is(const char *path, const char *content)
{
	_cleanup_text_ struct text t = {0};

	assert_int_equal(host_read(&host, path, &t), 0);
	assert_string_equal(t.s, content);
	assert_int_equal(t.len, strlen(content));
}

static int put(const char *path, const char *content)
{
	return host_write(&host, path, content, strlen(content), 0640, 0750);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(in_root(path), &st), 0);
	return st.st_mode & 07777;
}

/* How many names a directory of the root has. */
static size_t count_names(const char *path)
{
	DIR *d = opendir(in_root(path));
	size_t n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static void no_root(void **state)
{
	struct host other;

	assert_int_equal(host_open_root(&other, test_path("absent")), -ENOENT);
	assert_int_equal(host_open_root(&other, test_path("outside/secret")), -ENOTDIR);
}

static void write_new(void **state)
{
	assert_int_equal(put("/new", "content\n"), 0);
	content_is("/new", "content\n");
	assert_int_equal(put("/empty", ""), 0);
	content_is("/empty", "");
	assert_int_equal(host_write(&host, "/nul", "a\0b", 3, 0600, 0755), 0);
	_cleanup_text_ struct text t = {0};
	assert_int_equal(host_read(&host, "/nul", &t), 0);
	assert_int_equal(t.len, 3);
	assert_memory_equal(t.s, "a\0b", 4);
}

static void modes(void **state)
{
	assert_int_equal(host_write(&host, "/a/b/c/file", "x", 1, 0640, 0750), 0);
	assert_int_equal(mode_of("/a"), 0755);
	assert_int_equal(mode_of("/a/b"), 0755);
	assert_int_equal(mode_of("/a/b/c"), 0750);
	assert_int_equal(mode_of("/a/b/c/file"), 0640);
	assert_int_equal(host_write(&host, "/a/b/c/unit", "x", 1, 0644, 0700), 0);
	assert_int_equal(mode_of("/a/b/c"), 0750);
	assert_int_equal(mode_of("/a/b/c/unit"), 0644);
}

static void modes_umask(void **state)
{
	mode_t before = umask(077);

	assert_int_equal(host_write(&host, "/tight/sub/file", "x", 1, 0644, 0750), 0);
	umask(0);
	assert_int_equal(host_write(&host, "/loose/sub/file", "x", 1, 0640, 0750), 0);
	umask(before);
	assert_int_equal(mode_of("/tight"), 0755);
	assert_int_equal(mode_of("/tight/sub"), 0750);
	assert_int_equal(mode_of("/tight/sub/file"), 0644);
	assert_int_equal(mode_of("/loose"), 0755);
	assert_int_equal(mode_of("/loose/sub"), 0750);
	assert_int_equal(mode_of("/loose/sub/file"), 0640);
}

static void replace(void **state)
{
	struct stat before, after;

	assert_int_equal(put("/swap", "a longer text than the next"), 0);
	assert_int_equal(chmod(in_root("/swap"), 0777), 0);
	assert_int_equal(stat(in_root("/swap"), &before), 0);
	assert_int_equal(put("/swap", "short"), 0);
	assert_int_equal(stat(in_root("/swap"), &after), 0);
	content_is("/swap", "short");
	assert_int_equal(mode_of("/swap"), 0640);
	assert_true(before.st_ino != after.st_ino);
}

static void leftover(void **state)
{
	assert_int_equal(mkdir(in_root("/left"), 0755), 0);
	test_file("root/left/.file.new", "half of a text that a killed run left behind");
	assert_int_equal(put("/left/file", "whole"), 0);
	content_is("/left/file", "whole");
	assert_int_equal(count_names("/left"), 1);
	/* A link laid there must not be written through. */
	assert_int_equal(symlink("../../outside/secret", in_root("/left/.file.new")), 0);
	assert_int_equal(put("/left/file", "again"), 0);
	content_is("/left/file", "again");
	assert_int_equal(count_names("/left"), 1);
}

static void failed_write(void **state)
{
	struct rlimit before, limit;
	_cleanup_free_ char *big = malloc(100000);

	assert_non_null(big);
	memset(big, 'x', 100000);
	assert_int_equal(put("/full/file", "as before"), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ 40000, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int replaced = host_write(&host, "/full/file", big, 100000, 0640, 0750);
	int made = host_write(&host, "/full/other", big, 100000, 0640, 0750);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(replaced, -EFBIG);
	assert_int_equal(made, -EFBIG);
	content_is("/full/file", "as before");
	assert_int_equal(count_names("/full"), 1);
}

static void directory_in_place(void **state)
{
	_cleanup_text_ struct text t = {0};

	assert_int_equal(mkdir(in_root("/dir"), 0755), 0);
	assert_int_equal(mkdir(in_root("/dir/file"), 0755), 0);
	assert_int_equal(put("/dir/file", "x"), -EISDIR);
	assert_int_equal(count_names("/dir"), 1);
	assert_int_equal(host_read(&host, "/dir/file", &t), -EINVAL);
	assert_int_equal(host_remove(&host, "/dir/file"), -EISDIR);
	assert_int_equal(put("/new/x", "x"), -ENOTDIR);
	assert_int_equal(put("/dir/", "x"), -EINVAL);
	assert_int_equal(put("relative", "x"), -EINVAL);
	assert_null(t.s);
}

static void fifo_in_place(void **state)
{
	_cleanup_text_ struct text t = {0};

	assert_int_equal(mkfifo(in_root("/fifo"), 0644), 0);
	alarm(5);
	assert_int_equal(host_read(&host, "/fifo", &t), -EINVAL);
	assert_int_equal(put("/fifo", "now a file"), 0);
	alarm(0);
	content_is("/fifo", "now a file");
}

static void remove_file(void **state)
{
	assert_int_equal(put("/gone/file", "x"), 0);
	assert_int_equal(host_remove(&host, "/gone/file"), 0);
	assert_int_equal(count_names("/gone"), 0);
	assert_int_equal(host_remove(&host, "/gone/file"), -ENOENT);
	assert_int_equal(host_remove(&host, "/never/file"), -ENOENT);
	assert_int_equal(access(in_root("/never"), F_OK), -1);
	assert_int_equal(symlink("../../outside/secret", in_root("/gone/link")), 0);
	assert_int_equal(host_remove(&host, "/gone/link"), 0);
	assert_int_equal(access(test_path("outside/secret"), F_OK), 0);
}

static void read_absent(void **state)
{
	_cleanup_text_ struct text t = {0};

	assert_int_equal(host_read(&host, "/nowhere", &t), -ENOENT);
	assert_int_equal(host_read(&host, "/nowhere/file", &t), -ENOENT);
	assert_null(t.s);
}

static void size_limit(void **state)
{
	_cleanup_text_ struct text t = {0};
	FILE *f = fopen(in_root("/large"), "we");

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), HOST_FILE_MAX), 0);
	assert_int_equal(host_read(&host, "/large", &t), 0);
	assert_int_equal(t.len, HOST_FILE_MAX);
	assert_int_equal(ftruncate(fileno(f), HOST_FILE_MAX + 1), 0);
	fclose(f);
	text_done(&t);
	assert_int_equal(host_read(&host, "/large", &t), -EFBIG);
	assert_null(t.s);
}

static void masked(void **state)
{
	_cleanup_text_ struct text t = {0};

	assert_int_equal(symlink("/dev/null", in_root("/masked")), 0);
	assert_int_equal(host_read(&host, "/masked", &t), -ELOOP);
	assert_int_equal(symlink("/dev/nullable", in_root("/other-link")), 0);
	assert_int_equal(host_read(&host, "/other-link", &t), -ENOENT);
	/* Whatever is in its place below the root. */
	assert_int_equal(put("/dev/null", "written"), 0);
	assert_int_equal(host_read(&host, "/masked", &t), -ELOOP);
	assert_int_equal(put("/masked", "unit"), 0);
	content_is("/masked", "unit");
	assert_null(t.s);
}

/* Reading through the link gives expected; writing through it reaches nothing outside. */
static void link_is(const char *target, int expected)
{
	_cleanup_text_ struct text t = {0};
	struct stat st;
	int r;

	assert_int_equal(symlink(target, in_root("/link")), 0);
	r = host_read(&host, "/link/secret", &t);
	if (r != expected)
		fail_msg("%s: %s instead of %s", target, strerror(-r), strerror(-expected));
	assert_int_equal(put("/link/secret", "overwritten"), expected);
	assert_int_equal(put("/link/sub/secret", "overwritten"), expected);
	assert_true(host_remove(&host, "/link/secret") < 0);
	assert_int_equal(unlink(in_root("/link")), 0);
	assert_int_equal(stat(test_path("outside/secret"), &st), 0);
	assert_int_equal(st.st_size, strlen("outside"));
	assert_int_equal(access(test_path("outside/sub"), F_OK), -1);
}

static void links_out(void **state)
{
	char path[512];

	link_is(test_path("outside"), -ENOENT);
	link_is("../outside", -ENOENT);
	link_is("../../../../../../../../../../../../tmp", -ENOENT);
	link_is("/proc/self/root", -ENOENT);
	link_is("no/such/place", -ENOENT);
	link_is("link", -ELOOP);
	snprintf(path, sizeof(path), "/../outside%s", "/secret");
	_cleanup_text_ struct text t = {0};
	assert_int_equal(host_read(&host, path, &t), -ENOENT);
	assert_int_equal(host_read(&host, "/../../../../../../etc/passwd", &t), -ENOENT);
}

static void links_magic(void **state)
{
	struct host machine;
	_cleanup_text_ struct text t = {0};
	_cleanup_close_ int fd = open(test_path("outside/secret"), O_RDONLY | O_CLOEXEC);
	char path[64];

	/* Seen from a root that has /proc: its links that are more than text lead anywhere. */
	assert_int_equal(host_open_root(&machine, "/"), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(host_read(&machine, path, &t), -ELOOP);
	assert_int_equal(host_read(&machine, "/proc/self/root/etc/passwd", &t), -ELOOP);
	assert_int_equal(host_read(&machine, "/proc/self/cwd/Makefile", &t), -ELOOP);
	host_done(&machine);
	assert_null(t.s);
}

static void links_inside(void **state)
{
	assert_int_equal(put("/real/file", "inside"), 0);
	assert_int_equal(symlink("/real", in_root("/absolute")), 0);
	assert_int_equal(symlink("./real/../real", in_root("/relative")), 0);
	content_is("/absolute/file", "inside");
	content_is("/relative/file", "inside");
	assert_int_equal(put("/absolute/more", "written"), 0);
	content_is("/real/more", "written");
	/* The link itself is replaced, not what it points to. */
	assert_int_equal(symlink("file", in_root("/real/alias")), 0);
	assert_int_equal(put("/real/alias", "own"), 0);
	content_is("/real/alias", "own");
	content_is("/real/file", "inside");
	/* A link above the root ends at the root. */
	assert_int_equal(symlink("../../../real", in_root("/real/up")), 0);
	content_is("/real/up/file", "inside");
}

static void makes_directory(void **state)
{
	mode_t before = umask(077);
	struct stat st;

	assert_int_equal(put("/make/file", "x"), 0);
	assert_int_equal(host_make_directory(&host, "/make/new"), 0);
	umask(before);
	assert_int_equal(host_stat(&host, "/make/new", &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(host_make_directory(&host, "/make/new"), -EEXIST);
	assert_int_equal(host_make_directory(&host, "/make/file"), -EEXIST);
	assert_int_equal(host_make_directory(&host, "/make/none/new"), -ENOENT);
	assert_int_equal(symlink(test_path("outside"), in_root("/make/out")), 0);
	assert_int_equal(host_make_directory(&host, "/make/out/new"), -ENOENT);
	assert_int_equal(access(test_path("outside/new"), F_OK), -1);
}

static void rights_and_masks(void **state)
{
	_cleanup_text_ struct text t = {0};
	struct stat st;

	assert_int_equal(put("/masks/file", "x"), 0);
	assert_int_equal(put("/masks/empty", ""), 0);
	assert_int_equal(chmod(in_root("/masks/file"), 0646), 0);
	assert_int_equal(symlink("/dev/null", in_root("/masks/null")), 0);
	assert_int_equal(symlink("file", in_root("/masks/link")), 0);
	assert_int_equal(host_read_stat(&host, "/masks/link", &t, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0646);
	assert_true(host_is_masked(&host, "/masks/null"));
	assert_false(host_is_masked(&host, "/masks/empty"));
	assert_false(host_is_masked(&host, "/masks/file"));
	assert_false(host_is_masked(&host, "/masks/link"));
	assert_false(host_is_masked(&host, "/masks/none"));
}

static void path_types(void **state)
{
	bool directory = false;

	assert_int_equal(put("/types/file", "x"), 0);
	assert_int_equal(host_path_type(&host, "/types", &directory), 1);
	assert_true(directory);
	assert_int_equal(host_path_type(&host, "/types/file", &directory), 1);
	assert_false(directory);
	assert_int_equal(host_path_type(&host, "/types/none", &directory), 0);
	assert_int_equal(host_path_type(&host, "/types/file/below", &directory), 0);
	assert_int_equal(symlink("self", in_root("/types/self")), 0);
	assert_int_equal(host_path_type(&host, "/types/self", &directory), -ELOOP);
	assert_int_equal(symlink("/types", in_root("/types/dir")), 0);
	assert_int_equal(host_path_type(&host, "/types/dir", &directory), 1);
	assert_true(directory);
	assert_int_equal(symlink("/outside", in_root("/types/out")), 0);
	assert_int_equal(host_path_type(&host, "/types/out", &directory), 0);
	assert_int_equal(mkfifo(in_root("/types/fifo"), 0644), 0);
	assert_int_equal(host_path_type(&host, "/types/fifo", &directory), 1);
	assert_false(directory);
}

static void close_on_exec(void **state)
{
	_cleanup_close_ int fd = host_open(&host, "/", O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(host.fd, F_GETFD) & FD_CLOEXEC);
}

static void lists(void **state)
{
	_cleanup_strings_ char **names = NULL;

	assert_int_equal(put("/list/b", "x"), 0);
	assert_int_equal(put("/list/a", "x"), 0);
	assert_int_equal(put("/list/.hidden", "x"), 0);
	assert_int_equal(host_list(&host, "/list", &names), 0);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "b");
	assert_null(names[2]);
	assert_int_equal(host_list(&host, "/nowhere", &names), -ENOENT);
	assert_int_equal(host_list(&host, "/list/a", &names), -ENOTDIR);
	assert_int_equal(host_remove_directory(&host, "/list"), -ENOTEMPTY);
	assert_int_equal(host_remove(&host, "/list/a") + host_remove(&host, "/list/b") +
			 host_remove(&host, "/list/.hidden"), 0);
	assert_int_equal(host_remove_directory(&host, "/list"), 0);
	assert_int_equal(access(in_root("/list"), F_OK), -1);
}

static void stats(void **state)
{
	struct stat st;

	assert_int_equal(put("/stat/file", "x"), 0);
	assert_int_equal(symlink("file", in_root("/stat/link")), 0);
	assert_int_equal(host_stat(&host, "/stat/file", &st), 0);
	assert_true(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0640);
	assert_int_equal(host_stat(&host, "/stat/link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(host_stat(&host, "/stat/none", &st), -ENOENT);
}

static void executes(void **state)
{
	assert_int_equal(put("/bin/x", "x"), 0);
	assert_true(host_can_execute_in(&host, "/bin", true));
	assert_false(host_can_execute_in(&host, "/bin/x", false));
	assert_false(host_can_execute_in(&host, "/nowhere", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a root that is absent or no directory is refused", no_root),
		TEST("a file is written as given: empty, or with NUL bytes", write_new),
		TEST("missing directories are made: 0755, the last with the mode asked for", modes),
		TEST("modes are exact whatever the umask is", modes_umask),
		TEST("a file is replaced, not written into; its mode is set anew", replace),
		TEST("what a killed run left behind is no obstacle and nothing is written through it", leftover),
		TEST("when writing fails the target is unchanged and nothing is left beside it", failed_write),
		TEST("a directory in the file's place is refused and nothing is left beside it",
		     directory_in_place),
		TEST("a FIFO in the file's place holds nobody up; writing replaces it", fifo_in_place),
		TEST("removing deletes the name alone, never what a link points to", remove_file),
		TEST("an absent file is told from an unreadable one", read_absent),
		TEST("16 MiB are read, one byte more is refused", size_limit),
		TEST("a masked unit is told from other links and can be replaced", masked),
		TEST("no symlink leads out of the root: absolute, .., loop, dangling", links_out),
		TEST("magic links of /proc are not followed", links_magic),
		TEST("symlinks inside the root are followed, the last part of a target is not", links_inside),
		TEST("a path's type: directory, other, absent, loop", path_types),
		TEST("descriptors are closed on exec", close_on_exec),
		TEST("a directory is listed in order, without hidden names, and removed when empty", lists),
		TEST("a path's own mode is told, a link's too", stats),
		TEST("a directory is made with its mode, in one that is there, below the root", makes_directory),
		TEST("who may write a file is told of what is read, and a mask is known", rights_and_masks),
		TEST("programs can be put into directories only", executes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
