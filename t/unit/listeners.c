/* setup/kernel/listeners.c: what the kernel's table of netlink sockets tells of who reads audit records. */
#include "t/unit/test.h"

#include "setup/kernel/listeners.h"

#define HEAD "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
#define OTHERS "0000000028ef9c3b 0   0          00000001 512      0        0     2        7        4       \n" \
	       "00000000aaaaaaaa 9   1234       00000000 512      0        0     2        7        5       \n"
/* A reader of the audit group. */
#define ROW(unread, missed, inode) "00000000bbbbbbbb 9   3998111666 00000001 " unread " 0 0     2        " missed " " inode "\n"

static const struct row {
	const char *what, *first, *second;
	size_t n;
	uint64_t missed;
	bool stopped, last;
} rows[] = {
	{ "nobody", HEAD, NULL, 0, 0, false, false },
	{ "other protocols and groups", HEAD OTHERS, NULL, 0, 0, false, false },
	{ "other groups of the protocol", HEAD "00000000cccccccc 9 77 00000002 9 0 0 2 9 8\n", NULL, 0, 0, false, false },
	{ "one that has read all", HEAD OTHERS ROW("0", "0", "70"), NULL, 1, 0, false, false },
	{ "old misses, all read", HEAD ROW("0", "180", "70"), NULL, 1, 180, false, false },
	{ "behind, and reading", HEAD ROW("5000", "3", "70"), HEAD ROW("400", "9", "70"), 1, 3, false, false },
	{ "behind, and missing nothing more", HEAD ROW("5000", "3", "70"), HEAD ROW("5000", "3", "70"), 1, 3, false, false },
	{ "behind, and missing nothing more for three seconds", HEAD ROW("5000", "3", "70"), HEAD ROW("5000", "3", "70"), 1, 3,
	  true, true },
	{ "behind, missing none, for three seconds", HEAD ROW("50", "0", "70"), HEAD ROW("50", "0", "70"), 1, 0, false, true },
	{ "full, missing more", HEAD ROW("524032", "9972", "70"), HEAD ROW("524032", "9990", "70"), 1, 9972, true, false },
	{ "filling up, missing more", HEAD ROW("9", "1", "70"), HEAD ROW("12", "2", "70"), 1, 1, true, false },
	{ "restarted in between", HEAD ROW("524032", "9972", "70"), HEAD ROW("524032", "1", "71"), 1, 9972, false, false },
	{ "gone in between", HEAD ROW("524032", "9972", "70"), HEAD, 1, 9972, false, false },
	{ "two, one of them reading", HEAD ROW("8", "2", "70") ROW("0", "0", "71"),
	  HEAD ROW("8", "3", "70") ROW("0", "0", "71"), 2, 2, false, false },
	{ "two, both stopped", HEAD ROW("8", "2", "70") ROW("9", "4", "71"), HEAD ROW("9", "5", "71") ROW("8", "3", "70"), 2,
	  4, true, false },
	{ "lines that are none", "\n\nsk\nxx 9 1\n" ROW("1", "1", "1") "0000 9 1 00000001 5", NULL, 1, 1, false, false },
};

static void test_judge(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct listeners got;

		listeners_judge(&got, rows[i].first, rows[i].second, rows[i].last);
		if (!got.seen || got.n != rows[i].n || got.missed != rows[i].missed || got.stopped != rows[i].stopped)
			fail_msg("%s: %zu listeners, %u missed, %s", rows[i].what, got.n, (unsigned)got.missed,
				 got.stopped ? "stopped" : "reading");
	}
}

/* The host's own table is read before this machine's. */
static void test_look(void **state)
{
	struct listeners got;
	struct host host;

	assert_int_equal(mkdir(test_path("root"), 0755), 0);
	assert_int_equal(mkdir(test_path("root/proc"), 0755), 0);
	assert_int_equal(mkdir(test_path("root/proc/1"), 0755), 0);
	assert_int_equal(mkdir(test_path("root/proc/1/net"), 0755), 0);
	test_file("root/proc/1/net/netlink", HEAD ROW("0", "41", "70") ROW("7", "0", "71"));
	assert_int_equal(host_open_root(&host, test_path("root")), 0);
	listeners_look(&got, &host);
	assert_true(got.seen);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.missed, 41);
	assert_false(got.stopped);
	/* It may have stopped: looked at again and again, and the file is the same. */
	test_file("root/proc/1/net/netlink", HEAD ROW("7", "41", "70"));
	listeners_look(&got, &host);
	assert_true(got.seen && got.n == 1 && got.missed == 41 && got.stopped);
	host_done(&host);
	nftw(test_path("root"), test_delete, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a reader that misses records and reads none has stopped; one that reads, or misses nothing, has not",
		     test_judge),
		TEST("the host's own table is read, and again where a reader may have stopped", test_look),
	};

	return RUN(tests);
}
