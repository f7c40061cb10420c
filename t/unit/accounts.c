#include "t/unit/test.h"

#include "setup/host/accounts.h"

static struct host host;

static void table(const char *name, const char *content)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "etc/%s", name) > 0);
	test_file(path, content);
}

static int begin(void **state)
{
	assert_int_equal(mkdir(test_path("etc"), 0755), 0);
	return host_open_root(&host, test_dir());
}

static int end(void **state)
{
	host_done(&host);
	return 0;
}

static void found(void **state)
{
	uint32_t id = 0;

	table("passwd", "root:x:0:0:root:/root:/bin/sh\nnode:x:1234:1:,,,:/:/bin/false\nhigh:x:4294967294:1::/:\n");
	table("group", "root:x:0:\nwheel:x:77:node,root\n");
	assert_int_equal(accounts_user(&host, "node", &id), 1);
	assert_int_equal(id, 1234);
	assert_int_equal(accounts_user(&host, "high", &id), 1);
	assert_true(id == 4294967294u);
	assert_int_equal(accounts_user(&host, "root", &id), 1);
	assert_int_equal(id, 0);
	assert_int_equal(accounts_group(&host, "wheel", &id), 1);
	assert_int_equal(id, 77);
}

static void elsewhere(void **state)
{
	uint32_t id = 99;

	/* Every container has these; this root does not. */
	table("passwd", "node:x:1234:1:,,,:/:/bin/false\n");
	table("group", "wheel:x:77:\n");
	assert_int_equal(accounts_user(&host, "root", &id), 0);
	assert_int_equal(accounts_user(&host, "daemon", &id), 0);
	assert_int_equal(accounts_group(&host, "root", &id), 0);
	assert_int_equal(accounts_group(&host, "node", &id), 0);
	assert_int_equal(accounts_user(&host, "wheel", &id), 0);
	assert_int_equal(id, 99);
}

static void is_near(const char *name, bool group, const char *expected)
{
	_cleanup_free_ char *near = accounts_near(&host, name, group);

	if (expected)
		assert_string_equal(near, expected);
	else
		assert_null(near);
}

static void nearest(void **state)
{
	table("passwd", "root:x:0:0::/:/bin/sh\nkubelet:x:1:1::/:/bin/false\n+near:x:2:2::/:\nmessagebus:x:3:3::/:\n");
	table("group", "adm:x:4:\nsystemd-journal:x:5:\n");
	is_near("kublet", false, "kubelet");
	is_near("mesagebus", false, "messagebus");
	is_near("systemd-jornal", true, "systemd-journal");
	is_near("systemd-jornal", false, NULL);
	is_near("kublet", true, NULL);
	is_near("near", false, NULL);
	table("passwd", "");
	is_near("kublet", false, NULL);
}

static void near_misses(void **state)
{
	uint32_t id = 99;

	table("passwd", "node:x:1234:1:,,,:/:/bin/false\n");
	assert_int_equal(accounts_user(&host, "nod", &id), 0);
	assert_int_equal(accounts_user(&host, "node2", &id), 0);
	assert_int_equal(accounts_user(&host, "Node", &id), 0);
	assert_int_equal(accounts_user(&host, "", &id), 0);
	assert_int_equal(id, 99);
}

static void no_entries(void **state)
{
	uint32_t id = 99;

	table("passwd", "\n# comment:x:1:1::/:\nshort\nshort:x\nword:x:abc:1::/:\nnone:x::1::/:\n"
	      "minus:x:-1:1::/:\nbig:x:4294967296:1::/:\ntail:x:7x:1::/:\n+nis::::::\n+::::::\n-user::::::\n"
	      "  node:x:5:1::/:\nlast:x:8:1::/:/bin/sh");
	table("group", "wheel:x\nwheel:x:z:\n+wheel:::\n+:::\nlast:x:9:");
	assert_int_equal(accounts_user(&host, "short", &id), 0);
	assert_int_equal(accounts_user(&host, "word", &id), 0);
	assert_int_equal(accounts_user(&host, "none", &id), 0);
	assert_int_equal(accounts_user(&host, "minus", &id), 0);
	assert_int_equal(accounts_user(&host, "big", &id), 0);
	assert_int_equal(accounts_user(&host, "tail", &id), 0);
	/* Directions to other databases, with no number of their own. */
	assert_int_equal(accounts_user(&host, "+", &id), 0);
	assert_int_equal(accounts_user(&host, "+nis", &id), 0);
	assert_int_equal(accounts_user(&host, "nis", &id), 0);
	assert_int_equal(accounts_user(&host, "-user", &id), 0);
	assert_int_equal(accounts_group(&host, "wheel", &id), 0);
	assert_int_equal(accounts_group(&host, "+wheel", &id), 0);
	assert_int_equal(accounts_group(&host, "+", &id), 0);
	assert_int_equal(id, 99);
	assert_int_equal(accounts_user(&host, "last", &id), 1);
	assert_int_equal(id, 8);
	assert_int_equal(accounts_group(&host, "last", &id), 1);
	assert_int_equal(id, 9);
}

static void first(void **state)
{
	uint32_t id;

	table("passwd", "node:x:1:1::/:\nnode:x:2:1::/:\n");
	assert_int_equal(accounts_user(&host, "node", &id), 1);
	assert_int_equal(id, 1);
}

static void long_line(void **state)
{
	enum { SIZE = 300000 };
	_cleanup_free_ char *line = malloc(SIZE + 64);
	uint32_t id;
	int n;

	assert_non_null(line);
	n = sprintf(line, "crowd:x:5:");
	while (n < SIZE)
		n += sprintf(line + n, "user%d,", n);
	sprintf(line + n, "end\nafter:x:6:\n");
	table("group", line);
	assert_int_equal(accounts_group(&host, "crowd", &id), 1);
	assert_int_equal(id, 5);
	assert_int_equal(accounts_group(&host, "after", &id), 1);
	assert_int_equal(id, 6);
}

static void missing(void **state)
{
	uint32_t id = 99;

	unlink(test_path("etc/passwd"));
	unlink(test_path("etc/group"));
	assert_int_equal(accounts_user(&host, "root", &id), 0);
	assert_int_equal(accounts_group(&host, "root", &id), 0);
	assert_int_equal(id, 99);
}

static void not_a_file(void **state)
{
	uint32_t id = 99;

	unlink(test_path("etc/passwd"));
	unlink(test_path("etc/group"));
	assert_int_equal(mkdir(test_path("etc/passwd"), 0755), 0);
	assert_int_equal(mkfifo(test_path("etc/group"), 0644), 0);
	assert_int_equal(accounts_user(&host, "root", &id), -EINVAL);
	assert_int_equal(accounts_group(&host, "root", &id), -EINVAL);
	assert_int_equal(rmdir(test_path("etc/passwd")), 0);
	assert_int_equal(unlink(test_path("etc/group")), 0);
	assert_int_equal(symlink("passwd", test_path("etc/passwd")), 0);
	assert_int_equal(accounts_user(&host, "root", &id), -ELOOP);
	assert_int_equal(unlink(test_path("etc/passwd")), 0);
}

static void link_out(void **state)
{
	uint32_t id = 99;

	/* An absolute link is taken below the root: there is nothing there. */
	unlink(test_path("etc/passwd"));
	assert_int_equal(symlink("/usr/../etc/machine-passwd", test_path("etc/passwd")), 0);
	assert_int_equal(accounts_user(&host, "root", &id), 0);
	table("machine-passwd", "mine:x:3:3::/:\n");
	assert_int_equal(mkdir(test_path("usr"), 0755), 0);
	assert_int_equal(accounts_user(&host, "mine", &id), 1);
	assert_int_equal(id, 3);
	assert_int_equal(unlink(test_path("etc/passwd")), 0);
	assert_int_equal(symlink("../../../../../../etc/passwd", test_path("etc/passwd")), 0);
	assert_int_equal(accounts_user(&host, "root", &id), -ELOOP);
	unlink(test_path("etc/passwd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a name gives the number that the root's own file has", found),
		TEST("this machine's own accounts are not asked", elsewhere),
		TEST("a name that only resembles one is not found", near_misses),
		TEST("the nearest name of the host's own tables is found, and nobody else's", nearest),
		TEST("lines that are no entries are passed over", no_entries),
		TEST("the first of two entries counts", first),
		TEST("a line of any length is read", long_line),
		TEST("without the file there is no such name", missing),
		TEST("a directory, FIFO or loop in its place is an error, not an absent name", not_a_file),
		TEST("a symlink is followed below the root only", link_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
