#include "t/unit/test.h"

#include <libaudit.h>
#include <limits.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "setup/base/text.h"
#include "setup/runtime/netlink.h"
#include "setup/runtime/call.h"
#include "setup/runtime/identity.h"
#include "setup/runtime/json.h"
#include "setup/runtime/line.h"

/* --- the login uid --- */

/* The right column: sha256sum(1). */
static const struct {
	enum class class;
	const char *id;
	uint32_t auid;
} auids[] = {
	{ CLASS_CONTAINER, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0xC0123456 },
	{ CLASS_SESSION, "fffffff0", 0xDFFFFFFF },
	{ CLASS_TERMINAL, "ABCDEF01", 0xEABCDEF0 },
	{ CLASS_CONTAINER, "7654321", 0xC7654321 },
	{ CLASS_CONTAINER, "web-1", 0xCc4719af },
	{ CLASS_SESSION, "abc", 0xDba7816b },		/* hexadecimal, but not 28 bits of it */
};

static void auid_by_class_and_id(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(auids); i++)
		assert_int_equal(identity_auid(auids[i].class, auids[i].id), auids[i].auid);
	assert_int_equal(identity_auid(CLASS_TERMINAL, "0123456x") >> 28, CLASS_TERMINAL);
	assert_int_not_equal(identity_auid(CLASS_TERMINAL, "0123456x"), 0xE0123456);
}

/* --- texts --- */

static void encoding_is_libaudits(void **state)
{
	static const char *const values[] = { "nginx", "", "two words", "say \"x\"", "tab\t", "k8s/pod:1@sha256",
		"\x7f", "a\nb", "=", "\\" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		/* Length 0 means strlen() there. */
		_cleanup_free_ char *expected = audit_encode_nv_string("pod", values[i], 0);
		struct line line;

		line_begin(&line);
		line_add_untrusted(&line, "pod", values[i], strlen(values[i]));
		assert_string_equal(line.s, expected);
	}
}

/* As the kernel has them in records of its own. libaudit compares chars, which have no sign on arm64: there it lets them stand. */
static void bytes_above_ascii_are_encoded(void **state)
{
	_cleanup_free_ char *libaudits = audit_encode_nv_string("pod", "\xc3\xa9t\xc3\xa9", 0);
	struct line line;

	line_begin(&line);
	line_add_untrusted(&line, "pod", "\xc3\xa9t\xc3\xa9", 5);
	assert_string_equal(line.s, "pod=C3A974C3A9");
	if (CHAR_MIN < 0)
		assert_string_equal(libaudits, line.s);
}

static void what_ends_a_record_is_encoded(void **state)
{
	struct line line;

	line_begin(&line);
	line_add(&line, "op=start");
	line_add_untrusted(&line, "vm", "x' res=y", 8);
	line_add_untrusted(&line, "pod", "a\0b", 3);
	line_add_untrusted(&line, "image", NULL, 0);
	assert_string_equal(line.s, "op=start vm=7827207265733D79 pod=610062 image=?");
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
	char big[LINE_SIZE];
	struct line line;

	memset(big, 'x', sizeof(big));
	line_begin(&line);
	line_add_untrusted(&line, "vm", "id", 2);
	line_add_untrusted(&line, "pod", big, sizeof(big));
	assert_true(line.cut);
	assert_string_equal(line.s, "vm=\"id\"");
}

static void numbers(void **state)
{
	struct line line;

	line_begin(&line);
	line_add_number(&line, UINT32_MAX, 1);
	line_add(&line, " ");
	line_add_number(&line, 7, 2);
	line_add(&line, " ");
	line_add_number(&line, 0, 1);
	assert_string_equal(line.s, "4294967295 07 0");
}

/* --- JSON --- */

static const struct {
	const char *text, *object, *name;
	int result;
	const char *value;	/* NULL: none */
} documents[] = {
	{ "{\"terminal\":true}", NULL, "terminal", 0, "true" },
	{ " { \"a\" : { \"terminal\" : 1 } , \"terminal\" : false } ", NULL, "terminal", 0, "false" },
	{ "{\"env\":[\"\\\"terminal\\\":true\"]}", NULL, "terminal", 0, NULL },
	{ "{\"x\":{\"process\":{\"terminal\":true}},\"process\":{}}", "process", "terminal", 0, NULL },
	{ "{\"process\":{\"a\":[{},[{}]],\"terminal\":true},\"z\":1}", "process", "terminal", 0, "true" },
	{ "{\"process\":{\"terminal\":true},\"process\":{\"terminal\":false}}", "process", "terminal", 0, "true" },
	{ "{\"process\":[\"terminal\",true]}", "process", "terminal", 0, NULL },
	{ "{\"a\\u0062\":1,\"b\":\"\"}", NULL, "b", 0, "" },
	{ "{}", NULL, "a", 0, NULL },
	{ "[]", NULL, "a", -EBADMSG, NULL },
	{ "", NULL, "a", -EBADMSG, NULL },
	{ "{\"a\":1", NULL, "a", -EBADMSG, NULL },
	{ "{\"a\" \"b\"}", NULL, "a", -EBADMSG, NULL },
	{ "{\"a\":}", NULL, "a", -EBADMSG, NULL },
	{ "{\"b\":1 \"a\":1}", NULL, "a", -EBADMSG, NULL },
	{ "{\"b\":1,}", NULL, "a", -EBADMSG, NULL },
	{ "{b:1,\"a\":1}", NULL, "a", -EBADMSG, NULL },
	{ "{\"b\":\"\\", NULL, "a", -EBADMSG, NULL },
	{ "{\"b\":{\"c\":[1,2}", NULL, "a", -EBADMSG, NULL },
	{ "{\"a\":\"\\u12\"}", NULL, "a", -EBADMSG, NULL },
	{ "{\"a\"::{\"b\":1}}", NULL, "a", -EBADMSG, NULL },
	{ "{\"a\"::1}", NULL, "a", -EBADMSG, NULL },
	{ "{\"a\":1}}", NULL, "a", 0, "1" },
	{ "{\"b\":\"12345678\\\\\",\"c\":\"\\\"a\",\"a\":\"1234567\\\"\"}", NULL, "a", 0, "1234567\\\"" },
	{ "{\"a\":{\"a\":1},\"a\":2}", NULL, "a", 0, NULL },
	{ "{\"process\":1,\"process\":{\"terminal\":true}}", "process", "terminal", 0, NULL },
	{ "{\"process\":{\"x\":1},\"process\":{\"terminal\":true}}", "process", "terminal", 0, NULL },
	{ "nonsense", NULL, "a", -EBADMSG, NULL },
};

static void members(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		const struct json_want want = { documents[i].object, documents[i].name };
		struct json_value value;
		int r = json_find(documents[i].text, strlen(documents[i].text), &want, 1, &value);

		assert_int_equal(r, documents[i].result);
		assert_int_equal(!value.text, !documents[i].value);
		if (value.text) {
			assert_int_equal(value.length, strlen(documents[i].value));
			assert_memory_equal(value.text, documents[i].value, value.length);
		}
	}
}

/* However many parts it has, and of whatever kind: what is not wanted takes no room. */
static void large_documents(void **state)
{
	static const struct json_want wants[] = { { "process", "terminal" }, { "annotations", "k" } };
	struct json_value values[JSON_WANTS + 1];
	const struct json_want many[ARRAY_SIZE(values)] = { { NULL, "x" } };
	struct text text = { 0 };

	text_add(&text, "{\"process\":{\"args\":[");
	for (int i = 0; i < 300000; i++)
		text_add(&text, "[");
	for (int i = 0; i < 300000; i++)
		text_add(&text, "]");
	text_add(&text, "],\"terminal\":true},\"annotations\":{\"k\":\"v\"},\"linux\":[");
	for (int i = 0; i < 600000; i++)
		text_add(&text, "1,");
	text_add(&text, "1]}");
	assert_int_equal(json_find(text.s, text.len, wants, 2, values), 0);
	assert_true(json_is(&values[0], "true"));
	assert_int_equal(values[1].length, 1);
	assert_int_equal(json_find(text.s, text.len, &(const struct json_want){ NULL, "none" }, 1, values), 0);
	assert_null(values[0].text);
	/* What is behind them is not read. */
	assert_int_equal(json_find(text.s, text.len - 2, wants, 2, values), 0);
	assert_int_equal(json_find(text.s, text.len - 2, &(const struct json_want){ NULL, "none" }, 1, values), -EBADMSG);
	assert_int_equal(json_find("{}", 2, many, ARRAY_SIZE(many), values), -E2BIG);
	text_done(&text);
}

static void escapes(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{ "plain", "plain" }, { "\\u003ca\\u003E", "<a>" }, { "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t" },
		{ "\\u00e9\\u20ac", "\xc3\xa9\xe2\x82\xac" }, { "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		{ "\\ud83dx", "\xef\xbf\xbdx" }, { "\\ude00", "\xef\xbf\xbd" }, { "\\ud83d\\u0041", "\xef\xbf\xbd" "A" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct json_value value = { rows[i].json, strlen(rows[i].json), true };
		char text[16];
		long n = json_decode(&value, text, sizeof(text));

		assert_int_equal(n, strlen(rows[i].text));
		assert_memory_equal(text, rows[i].text, (size_t)n);
	}
	assert_int_equal(json_decode(&(const struct json_value){ "abcd", 4, true }, (char [4]){ 0 }, 4), 4);
	assert_int_equal(json_decode(&(const struct json_value){ "abcde", 5, true }, (char [4]){ 0 }, 4), -E2BIG);
}

/* --- calls --- */

static const struct {
	const char *runtime, *arguments, *id, *bundle, *process, *log;
	const char *flags;	/* s session, j log is JSON, t terminal, c console, "-": nothing starts */
} calls[] = {
	/* containerd's shim */
	{ "runc", "--root /r --log /b/I/log.json --log-format json --systemd-cgroup create --bundle /b/I --pid-file /p I",
	  "I", "/b/I", NULL, "/b/I/log.json", "j" },
	{ "runc", "--root /r --log /b/I/log.json --log-format json exec --process /tmp/f --console-socket /s --detach "
	  "--pid-file /p I", "I", NULL, "/tmp/f", "/b/I/log.json", "sjc" },
	{ "crun", "--root /r --log /b/I/log.json --log-format json restore --image-path /i --work-path /w --bundle /b I",
	  "I", "/b", NULL, "/b/I/log.json", "j" },
	/* forms */
	{ "runc", "-log=/l -debug run -b /b --no-pivot I", "I", "/b", NULL, "/l", "" },
	{ "runc", "--debug=true create -b=/b I --pid-file /p", "I", "/b", NULL, NULL, "" },
	{ "runc", "create I --bundle /b", "I", "/b", NULL, NULL, "" },
	{ "runc", "exec -t I sh -b /x -p /y", "I", NULL, NULL, NULL, "st" },
	{ "runc", "exec --tty=false -e A=b -u 1:2 I sh -t", "I", NULL, NULL, NULL, "s" },
	{ "runc", "exec -- I", "I", NULL, NULL, NULL, "s" },
	{ "runc", "-- create I", "I", NULL, NULL, NULL, "" },
	{ "crun", "--cgroup-manager systemd --log=/l --log-format=json exec -dt -p/f I", "I", NULL, "/f", "/l", "sjt" },
	{ "crun", "exec -t --proc=/f I", "I", NULL, NULL, NULL, "st" },	/* process, process-label: ambiguous */
	{ "crun", "--systemd create --bun /b --console-s /c I", "I", "/b", NULL, NULL, "c" },
	{ "crun", "--log file:/l create -b /b I", "I", "/b", NULL, "/l", "" },
	{ "crun", "create -b /b -f other.json I", "I", "/b", NULL, NULL, "" },
	/* newer than we are */
	{ "runc", "--new value create --bundle /b I", "I", "/b", NULL, NULL, "" },
	{ "runc", "--new create --bundle /b I", "I", "/b", NULL, NULL, "" },
	{ "runc", "create --new value --bundle /b I", "I", "/b", NULL, NULL, "" },
	{ "runc", "create --new --bundle /b I", "I", "/b", NULL, NULL, "" },
	{ "runc", "exec --new value --process /f I", "I", NULL, "/f", NULL, "s" },
	/* nothing starts */
	{ "runc", "--root create state I", NULL, NULL, NULL, NULL, "-" },
	{ "runc", "delete --force exec", NULL, NULL, NULL, NULL, "-" },
	{ "runc", "--version", NULL, NULL, NULL, NULL, "-" },
	{ "runc", "", NULL, NULL, NULL, NULL, "-" },
	{ "runc", "somethingnew create I", NULL, NULL, NULL, NULL, "-" },
	{ "runc", "create", NULL, NULL, NULL, NULL, "" },
	{ "runc", "create --bundle", NULL, NULL, NULL, NULL, "" },
	{ "crun", "create -f", NULL, NULL, NULL, NULL, "" },
	{ "crun", "exec -p", NULL, NULL, NULL, NULL, "s" },
};

static void same(const char *is, const char *expected)
{
	assert_int_equal(!is, !expected);
	if (is)
		assert_string_equal(is, expected);
}

static void calls_are_understood(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		_cleanup_free_ char *words = strdup(calls[i].arguments);
		char *argv[32] = { strdupa("runc") }, *rest = words, *word;
		const char *flags = calls[i].flags;
		struct call call;
		int argc = 1;

		while ((word = strsep(&rest, " ")))
			if (*word)
				argv[argc++] = word;
		call_read(&call, calls[i].runtime, argc, argv);
		same(call.id, calls[i].id);
		same(call.bundle, calls[i].bundle);
		same(call.process, calls[i].process);
		if (calls[i].log)
			same(call.log, calls[i].log);
		assert_int_equal(call.starts, strcmp(flags, "-") != 0);
		assert_int_equal(call.session, strchr(flags, 's') != NULL);
		assert_int_equal(call.log_is_json, strchr(flags, 'j') != NULL);
		assert_int_equal(call.terminal, strchr(flags, 't') != NULL);
		assert_int_equal(call.console, strchr(flags, 'c') != NULL);
		same(call.config, strstr(calls[i].arguments, "-f other") ? "other.json" : NULL);
	}
}

/* --- the kernel --- */

struct kernel {
	int fd;
	const char *plan;
	char heard[9000];
	ssize_t n;
};

struct reply {
	uint32_t length;
	uint16_t type, flags;
	uint32_t sequence, pid;
	int32_t error;
};

static void *answer(void *kernel)
{
	struct kernel *k = kernel;
	struct reply r = { .length = sizeof(r), .type = 2, .sequence = RECORD_VIRT_CONTROL };

	k->n = recv(k->fd, k->heard, sizeof(k->heard), 0);
	if (strcmp(k->plan, "refuses") == 0)
		r.error = -EPERM;
	else if (strcmp(k->plan, "babbles") == 0)
		for (int i = 0; i < 20 && send(k->fd, "x", 1, MSG_NOSIGNAL) == 1; i++)
			;
	if (strcmp(k->plan, "is silent") != 0)
		(void)!send(k->fd, &r, sizeof(r), MSG_NOSIGNAL);
	return NULL;
}

static int record_to(struct kernel *kernel, const char *plan, double *ret_seconds)
{
	const struct timeval limit = { .tv_sec = 1 };
	struct timespec begun, ended;
	pthread_t thread;
	int fds[2], r;

	*kernel = (struct kernel){ .plan = plan };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	kernel->fd = fds[1];
	assert_int_equal(pthread_create(&thread, NULL, answer, kernel), 0);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	r = netlink_record(fds[0], RECORD_VIRT_CONTROL, "op=start");
	clock_gettime(CLOCK_MONOTONIC, &ended);
	*ret_seconds = (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
	pthread_join(thread, NULL);
	close(fds[0]);
	close(fds[1]);
	return r;
}

static void records_are_sent(void **state)
{
	struct kernel kernel;
	struct reply header;
	double seconds;

	assert_int_equal(record_to(&kernel, "takes it", &seconds), 0);
	assert_int_equal(kernel.n, 16 + 9);
	memcpy(&header, kernel.heard, 16);
	assert_int_equal(header.length, 25);
	assert_int_equal(header.type, 2500);
	assert_int_equal(header.flags, 5);	/* NLM_F_REQUEST | NLM_F_ACK */
	assert_memory_equal(kernel.heard + 16, "op=start", 9);
	assert_int_equal(record_to(&kernel, "refuses", &seconds), -EPERM);
}

/* Opened only: nothing is sent to this machine's kernel. */
static void sockets_wait_for_so_long(void **state)
{
	_cleanup_close_ int fd = -1;
	struct timeval limit = { 0 };
	socklen_t size = sizeof(limit);

	if (netlink_open(1, &fd) < 0)
		skip();
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &size), 0);
	assert_int_equal(limit.tv_sec, 1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void nobody_is_waited_for_long(void **state)
{
	struct kernel kernel;
	double seconds;

	assert_true(record_to(&kernel, "is silent", &seconds) < 0);
	assert_true(seconds > 0.5 && seconds < 3);
	assert_true(record_to(&kernel, "babbles", &seconds) < 0);
	assert_true(seconds < 3);
	memset(kernel.heard, 'x', sizeof(kernel.heard) - 1);
	assert_int_equal(netlink_record(-1, RECORD_VIRT_CONTROL, kernel.heard), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a login uid has the class and 28 bits of the id, or of its SHA-256", auid_by_class_and_id),
		TEST("values are written as libaudit writes those of others", encoding_is_libaudits),
		TEST("bytes above ASCII are written in hexadecimal on every machine", bytes_above_ascii_are_encoded),
		TEST("nor does a value end the record's text", what_ends_a_record_is_encoded),
		TEST("a value that does not fit is left out whole", what_does_not_fit_is_left_out_whole),
		TEST("numbers are written in full", numbers),
		TEST("members are found where they are, not where text looks like them", members),
		TEST("a large document is read as far as it is asked for, and takes no room", large_documents),
		TEST("escapes in JSON's strings are resolved", escapes),
		TEST("calls of runc and crun are read as these read them", calls_are_understood),
		TEST("a record goes to the kernel, and its refusal comes back", records_are_sent),
		TEST("a socket has its time limit, and no other program gets it", sockets_wait_for_so_long),
		TEST("who does not answer, or answers nonsense, is not waited for", nobody_is_waited_for_long),
	};

	return RUN(tests);
}
