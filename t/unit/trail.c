/* setup/journal/auditd_files.c, shippers.c, journald_conf.c: how long auditd's files hold a record, how far a shipper has
 * read, what a restart of journald does. */
#include "t/unit/test.h"

#include <inttypes.h>
#include <time.h>

#include "setup/journal/auditd_files.h"
#include "setup/journal/journald_conf.h"
#include "setup/journal/shippers.h"

enum { DAY = 86400 };
static const uint64_t now = 1700086400;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	*ret = (struct timespec){ .tv_sec = (time_t)now };
	return 0;
}

static struct host host;

static void make_directories(const char *path)
{
	char all[300];

	snprintf(all, sizeof(all), "%s", test_path(path));
	for (char *s = all + strlen(test_dir()) + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		assert_true(mkdir(all, 0755) == 0 || errno == EEXIST);
		*s = '/';
	}
	assert_true(mkdir(all, 0755) == 0 || errno == EEXIST);
}

static int set_up(void **state)
{
	make_directories("var/log/audit");
	make_directories("var/lib/cloud-audit-logging/fluentd");
	make_directories("var/lib/cloud-audit-logging/fluent-bit");
	return host_open_root(&host, test_dir());
}

static int tear_down(void **state)
{
	host_done(&host);
	return 0;
}

/* --- auditd's files --- */

#define LOG "var/log/audit/audit.log"
#define ROTATES "max_log_file = 8\nnum_logs = 5\nmax_log_file_action = ROTATE\n"

/* `events` events of `step` seconds each, the last of them now: of exec two thirds, of network one. Returns the size. */
static uint64_t write_log_of(const char *name, unsigned events, unsigned step, const char *node)
{
	_cleanup_text_ struct text log = {0};

	for (unsigned i = 0; i < events; i++) {
		const uint64_t at = now - (uint64_t)(events - 1 - i) * step;

		text_addf(&log, "%stype=SYSCALL msg=audit(%" PRIu64 ".123:%u): arch=c000003e exe=\"/bin/x\" key=\"%s\"\n", node,
			  at, i + 1, i % 3 ? "exec" : "network");
		/* Records of the event before stand behind the first of this one. */
		if (i > 0)
			text_addf(&log, "%stype=PATH msg=audit(%" PRIu64 ".123:%u): item=0 name=\"/etc/passwd\" key=\"claimed\"\n", node, at, i);
	}
	test_file(name, log.s ? log.s : "");
	return log.len;
}

static uint64_t write_log(const char *name, unsigned events, unsigned step)
{
	return write_log_of(name, events, step, "");
}

static struct auditd_files look(const char *conf)
{
	struct auditd_files files;

	auditd_files_read(&files, &host, conf, AUDITD_ALWAYS);
	return files;
}

static void rate(void **state)
{
	/* One event a second for a day. */
	const uint64_t size = write_log(LOG, DAY / 10, 10);
	struct auditd_files files = look(ROTATES);

	assert_true(files.seen);
	assert_in_range(files.per_day, size, size + size / 1000);
	assert_int_equal(files.room, 40 * 1024 * 1024);
	assert_in_range(files.holds / 1000000, 40.0 * 1048576 / size * DAY * 0.99, 40.0 * 1048576 / size * DAY * 1.01);
	/* The megabyte may begin within an event. */
	assert_true(files.n == 2 || (files.n == 3 && files.groups[2].per_day < 1000));
	assert_string_equal(files.groups[0].key, "exec");
	assert_string_equal(files.groups[1].key, "network");
	assert_in_range(files.groups[0].per_day, files.per_day * 65 / 100, files.per_day * 68 / 100);
	assert_in_range(files.groups[0].per_day + files.groups[1].per_day, files.per_day - 1000, files.per_day);
}

/* As with name_format in auditd.conf(5). */
static void lines_that_begin_with_a_name(void **state)
{
	struct auditd_files files;

	write_log_of(LOG, DAY / 10, 10, "node=a.b ");
	files = look(ROTATES);
	assert_true(files.n >= 2);
	assert_string_equal(files.groups[0].key, "exec");
	assert_string_equal(files.groups[1].key, "network");
}

/* More than there are microseconds for is for ever. */
static void little_in_much_room(void **state)
{
	static const char roomy[] = "max_log_file = 1000000\nnum_logs = 999\nmax_log_file_action = rotate\n";
	struct auditd_files files;

	write_log(LOG, 2, DAY);
	files = look(roomy);
	assert_true(files.seen && files.room > 0);
	assert_true(files.holds > UINT64_C(86400000000000));
	write_log(LOG, 2, 1000 * DAY);
	files = look(roomy);
	assert_true(files.seen && files.per_day == 0);
	assert_true(files.holds > UINT64_C(86400000000000));
}

/* Whose events they are is read of the log itself: no more than the message that names them needs. */
static void whose(void **state)
{
	static const char *const confs[] = { ROTATES, "max_log_file = 8\nnum_logs = 5\nmax_log_file_action = keep_logs\n" };
	static const struct {
		uint64_t days;	/* that are enough; 0: always */
		size_t conf;
		bool read;
	} rows[] = { { 1, 0, false }, { 400, 0, true }, { 0, 0, true }, { 400, 1, false }, { 0, 1, true } };

	write_log(LOG, 2000, 20);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct auditd_files files;

		auditd_files_read(&files, &host, confs[rows[i].conf], rows[i].days ? rows[i].days * DAY * 1000000 : AUDITD_ALWAYS);
		assert_true(files.seen && files.per_day > 0);
		assert_int_equal(files.n > 0, rows[i].read);
	}
}

/* One that was just begun says nothing of the rate. */
static void rotated(void **state)
{
	const uint64_t size = write_log(LOG ".1", 2000, 20) + write_log(LOG, 10, 1);
	struct auditd_files files = look(ROTATES);
	uint64_t full;

	assert_true(files.seen);
	assert_in_range(files.per_day, size * DAY / 40000, size * DAY / 39900);
	unlink(test_path(LOG ".1"));
	assert_false(look(ROTATES).seen);
	/* Nor does one that was full within a minute. */
	full = write_log(LOG ".1", 50000, 1) + write_log(LOG, 10000, 0);
	assert_in_range(look(ROTATES).per_day, full * DAY / 50000, full * DAY / 49000);
	unlink(test_path(LOG ".1"));
}

static void no_rate(void **state)
{
	write_log(LOG, 2000, 20);
	assert_true(look(ROTATES).seen);
	assert_false(look(ROTATES "write_logs = no\n").seen);
	assert_false(look("log_file = /nowhere/x\n").seen);
	test_file(LOG, "");
	assert_false(look(ROTATES).seen);
	test_file(LOG, "no record at all\n");
	assert_false(look(ROTATES).seen);
	unlink(test_path(LOG));
	assert_int_equal(mkdir(test_path(LOG), 0755), 0);
	assert_false(look(ROTATES).seen);
	assert_int_equal(rmdir(test_path(LOG)), 0);
}

/* Where they are not limited, or one file is cut off, none is deleted after a time. */
static void no_limit(void **state)
{
	write_log(LOG, 2000, 20);
	assert_int_equal(look("max_log_file = 8\nnum_logs = 5\nmax_log_file_action = keep_logs\n").holds, 0);
	assert_int_equal(look("max_log_file = 8\nnum_logs = 1\nmax_log_file_action = rotate\n").room, 0);
	assert_int_equal(look("").room, 0);
	assert_true(look("Max_Log_File=1\r\n num_logs =2\nMAX_LOG_FILE_ACTION = rotate").room == 2 * 1024 * 1024);
}

static void many_keys(void **state)
{
	_cleanup_text_ struct text log = {0};
	struct auditd_files files;
	uint64_t all = 0;

	for (unsigned i = 0; i < 100; i++)
		text_addf(&log, "type=SYSCALL msg=audit(%" PRIu64 ".0:%u): key=\"k%u-and-more-than-there-is-any-room-for\"\n", now - 1000 + i,
			  i + 1, i % 20);
	text_addf(&log, "type=USER_LOGIN msg=audit(%" PRIu64 ".0:7000): key=\"mine\"\n", now);
	test_file(LOG, log.s);
	files = look(ROTATES);
	assert_int_equal(files.n, AUDITD_GROUPS);
	/* Those that there was no room for. */
	assert_string_equal(files.groups[0].key, "");
	for (size_t i = 0; i < files.n; i++)
		all += files.groups[i].per_day;
	assert_in_range(all, files.per_day - AUDITD_GROUPS, files.per_day);
}

/* --- shippers --- */

#define CURSOR(time) "s=0123456789abcdef0123456789abcdef;i=1a2b;b=ffff;m=77;t=" time ";x=deadbeef"
#define FLUENTD "var/lib/cloud-audit-logging/fluentd/cursor.json"
#define FLUENT_BIT "var/lib/cloud-audit-logging/fluent-bit/cursor.db"

static void cursors(void **state)
{
	static const char database[] = "SQLite format 3\0\0\0" CURSOR("5d00000000000") "\0\0" CURSOR("5e00000000000") "\0";
	uint64_t read[N_SHIPPERS];

	shippers_read(read, &host);
	assert_true(read[0] == 0 && read[1] == 0);
	test_file(FLUENTD, "{\"journal\":\"" CURSOR("5f0123456789a") "\"}");
	test_file_bytes(FLUENT_BIT, database, sizeof(database));
	shippers_read(read, &host);
	assert_int_equal(read[0], 0x5f0123456789a);
	assert_int_equal(read[1], 0x5e00000000000);
	test_file(FLUENT_BIT "-wal", CURSOR("5e00000000001"));
	shippers_read(read, &host);
	assert_int_equal(read[1], 0x5e00000000001);
	test_file(FLUENT_BIT "-wal", CURSOR("1"));
	test_file(FLUENTD, "{}");
	shippers_read(read, &host);
	assert_int_equal(read[0], 0);
	assert_int_equal(read[1], 0x5e00000000000);
	test_file(FLUENTD, ";t=;t=zz;t=");
	shippers_read(read, &host);
	assert_int_equal(read[0], 0);
}

/* --- journald.conf --- */

#define CONF "etc/systemd/journald.conf"

static void check_journald(unsigned version, enum journald_audit audit, const char *file)
{
	struct journald_conf conf;

	assert_int_equal(journald_conf_read(&conf, &host, version), 0);
	if (conf.audit != audit || strcmp(conf.file, file) != 0)
		fail_msg("%u: %d of '%s', expected %d of '%s'", version, (int)conf.audit, conf.file, (int)audit, file);
}

static void journald_defaults(void **state)
{
	check_journald(252, JOURNALD_OFF, "");
	check_journald(257, JOURNALD_ON, "");
	check_journald(258, JOURNALD_KEEPS, "");
	check_journald(0, JOURNALD_OFF, "");
}

static void journald_values(void **state)
{
	static const struct {
		const char *content;
		enum journald_audit before, after;	/* 258 */
		bool said, said_after;
	} rows[] = {
		{ "[Journal]\nAudit=no\n", JOURNALD_OFF, JOURNALD_OFF, true, true },
		{ "[Journal]\nAudit=Off\n", JOURNALD_OFF, JOURNALD_OFF, true, true },
		{ "[Journal]\nAudit=yes\n", JOURNALD_ON, JOURNALD_ON, true, true },
		{ "[Journal]\nAudit=yes\nAudit=\n", JOURNALD_KEEPS, JOURNALD_KEEPS, true, true },
		{ "[Journal]\nAudit=\nAudit=1\n", JOURNALD_ON, JOURNALD_ON, true, true },
		{ "[Journal]\nAudit=keep\n", JOURNALD_OFF, JOURNALD_KEEPS, false, true },
		{ "[Journal]\n#Audit=yes\n[Other]\nAudit=yes\n", JOURNALD_OFF, JOURNALD_KEEPS, false, false },
	};

	make_directories("etc/systemd/journald.conf.d");
	make_directories("usr/lib/systemd/journald.conf.d");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		test_file(CONF, rows[i].content);
		check_journald(252, rows[i].before, rows[i].said ? "/" CONF : "");
		check_journald(258, rows[i].after, rows[i].said_after ? "/" CONF : "");
	}
	/* One that has nothing is a value from 249 on. */
	test_file(CONF, "[Journal]\nAudit=\n");
	check_journald(247, JOURNALD_OFF, "");
	check_journald(249, JOURNALD_KEEPS, "/" CONF);
}

static void journald_drop_ins(void **state)
{
	test_file(CONF, "[Journal]\nAudit=no\n");
	test_file("usr/lib/systemd/journald.conf", "[Journal]\nAudit=yes\n");
	check_journald(252, JOURNALD_OFF, "/" CONF);
	test_file("usr/lib/systemd/journald.conf.d/50-a.conf", "[Journal]\nAudit=\n");
	check_journald(252, JOURNALD_KEEPS, "/usr/lib/systemd/journald.conf.d/50-a.conf");
	/* By the name alone, whatever the directory; one of the same name hides it. */
	test_file(CONF ".d/40-b.conf", "[Journal]\nAudit=yes\n");
	test_file(CONF ".d/60-c", "[Journal]\nAudit=yes\n");
	check_journald(252, JOURNALD_KEEPS, "/usr/lib/systemd/journald.conf.d/50-a.conf");
	test_file(CONF ".d/50-a.conf", "");
	check_journald(252, JOURNALD_ON, "/" CONF ".d/40-b.conf");
	unlink(test_path(CONF));
	unlink(test_path(CONF ".d/40-b.conf"));
	check_journald(252, JOURNALD_ON, "/usr/lib/systemd/journald.conf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the rate of auditd's files is told, how long they hold a record, and whose events it is", rate),
		TEST("also of lines that begin with the host's name", lines_that_begin_with_a_name),
		TEST("little in much room is held for ever", little_in_much_room),
		TEST("whose they are is not read where the files hold a record for long enough", whose),
		TEST("a file that was just begun is judged with the one before it", rotated),
		TEST("files that are none, not written or not to be read have no rate", no_rate),
		TEST("files without a limit hold a record for ever", no_limit),
		TEST("keys that there is no room for are counted together", many_keys),
		TEST("what journald does to auditing without a setting is told by its version", journald_defaults),
		TEST("a setting tells it, an empty one, and one that it knows, too", journald_values),
		TEST("so do drop-ins, in the order of their names, once each", journald_drop_ins),
		TEST("a shipper's cursor tells the time of what it has read last", cursors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
