#include "t/unit/test.h"

#include "setup/base/text.h"
#include "setup/config/config.h"
#include "setup/config/config_keys.h"

/* cloud-audit-setup.ini(5), key by key. */
static const struct key {
	const char *section, *key, *value;
	const char *expected;	/* as the message names it */
	const char *good[10], *bad[12];
} keys[] = {
#define YES_NO "yes or no", { "yes", "no" }, { "", "true", "1", "Yes", "on", "yes no", "yess" }
	{ "audit", "lock", "yes", YES_NO },
	{ "audit", "on_locked", "stage", "stage or fail", { "stage", "fail" }, { "", "Stage", "warn" } },
	{ "audit", "backlog_limit", "8192", "a number of records from 0 to 4294967295",
	  { "0", "1", "8192", "4294967295" },
	  { "", "-1", "+1", "4294967296", "99999999999999999999", "0x10", "1k", "1 2", "1.5", "keep" } },
	{ "audit", "backlog_wait_time", "keep", "keep, or a number from 0 to 600000",
	  { "keep", "0", "60000", "600000" }, { "", "-1", "600001", "60s", "Keep" } },
	{ "audit", "rate_limit", "0", "a number of records per second from 0 to 4294967295",
	  { "0", "100", "4294967295" }, { "", "-1", "4294967296", "none" } },
	{ "audit", "failure", "printk", "silent, printk or panic", { "silent", "printk", "panic" },
	  { "", "1", "PANIC", "silent printk" } },
	{ "audit", "loginuid_immutable", "auto", "auto, no or yes", { "auto", "no", "yes" }, { "", "Auto", "1" } },
	{ "events", "audit-config", "yes", YES_NO },
	{ "events", "apparmor", "yes", YES_NO },
	{ "events", "exec", "yes", YES_NO },
	{ "events", "socket", "unusual", "no, unusual or all", { "no", "unusual", "all" }, { "", "yes" } },
	{ "events", "mmap", "anonymous", "no, anonymous, exec or all", { "no", "anonymous", "exec", "all" },
	  { "", "yes" } },
	{ "events", "network", "yes", YES_NO },
	{ "events", "logins", "yes", YES_NO },
	{ "events", "tty", "yes", YES_NO },
	{ "filter", "exclude_types", "", "record types separated by commas",
	  { "", "CWD", "CWD,PROCTITLE", "CWD , PROCTITLE", "CWD," }, { ",", "CWD,,PATH", ",CWD", "a, ,b" } },
	{ "filter", "exclude_exe", "", "absolute paths separated by commas",
	  { "", "/bin/a", "/bin/a,/opt/my app/b" }, { "bin/a", "/bin/a,b", ",", "/a,,/b" } },
	{ "filter", "exclude_uid", "", "user names or numbers separated by commas",
	  { "", "root", "1000,node" }, { ",", "a,,b" } },
	{ "filter", "min_auid", "", "empty, or a user id from 0 to 4294967294",
	  { "", "0", "1000", "4294967294" }, { "-1", "4294967295", "unset", "1000x" } },
	{ "filter", "workloads", "yes", YES_NO },
	{ "filter", "sessions", "all", "all or terminal", { "all", "terminal" }, { "", "no", "All" } },
	{ "rules", "directory", "/etc/cloud-audit-setup/rules.d", "an absolute path",
	  { "/", "/a b/c" }, { "", "rules.d", "./x", "~/x" } },
	{ "rules", "absent", "warn", "warn or fail", { "warn", "fail" }, { "", "ignore", "yes" } },
	{ "rules", "order", "shipped-first", "shipped-first or user-first", { "shipped-first", "user-first" },
	  { "", "user", "user_first" } },
	{ "rules", "scanner_copy", "no", YES_NO },
	{ "rules", "existing", "replace", "replace or keep", { "replace", "keep" }, { "", "no" } },
	{ "rules", "optimise", "yes", YES_NO },
	{ "unit", "mode", "file", "file or transient", { "file", "transient" }, { "", "File" } },
	{ "unit", "enable", "yes", YES_NO },
	{ "unit", "start_timeout", "30s", "a time from 1s to 60min, with ms, s or min",
	  { "1", "1s", "1000ms", "90", "60min", "3600s", "3600000ms" },
	  { "", "0", "999ms", "61min", "3601", "-1s", "1h", "s", "1 s", "1.5s", "4294967295min", "1us" } },
	{ "dbus", "address", "auto", "auto, none, or a D-Bus address such as unix:path=/run/dbus/system_bus_socket",
	  { "auto", "none", "unix:path=/run/x", "unix:path=/a;unix:path=/b", "unix:abstract=x,guid=1" },
	  { "", "/run/dbus/system_bus_socket", "Auto", "None", "unix:" } },
	{ "journal", "reader", "check", "check, enable or ignore", { "check", "enable", "ignore" },
	  { "", "yes" } },
	{ "apparmor", "audit", "keep", "keep, normal, all, noquiet, quiet or quiet_denied",
	  { "keep", "normal", "all", "noquiet", "quiet", "quiet_denied" }, { "", "none" } },
	{ "ima", "policy", "no", "no, exec or exec,mmap", { "no", "exec", "exec,mmap" },
	  { "", "yes", "mmap", "exec, mmap" } },
	{ "tty", "sshd", "no", YES_NO },
	{ "tty", "runtime_unit", "", "empty, or the name of a systemd service such as containerd.service",
	  { "", "containerd.service", "a@b.service", "a\\x2db.service", "k3s_1.0:x.service" },
	  { ".service", "containerd", "containerd.socket", "a/b.service", "../x.service", ".x.service", "a b.service" } },
	{ "tty", "log_passwords", "no", YES_NO },
	{ "container", "runtime_unit", "", "empty, or the name of a systemd service such as containerd.service",
	  { "", "containerd.service", "a@b.service" }, { ".service", "containerd", "a/b.service" } },
	{ "container", "restart", "no", YES_NO },
	{ "container", "keystrokes", "no", YES_NO },
	{ "container", "identity", "no", YES_NO },
	{ "container", "identity_except", "", "NAMESPACE or NAMESPACE/CONTAINER, separated by commas",
	  { "", "kube-system", "a/b", "a-1/c.d, b" }, { ",", "A", "a/", "/b", "a/b/c", "a b", "*", "a,,b" } },
};

static const char prefix[] = "cloud-audit-setup: error: ";

/* One reading, started anew by begin(). */
static struct config config;
static struct capture said;

static int begin(void **state)
{
	capture_begin(&said);
	return config_init(&config);
}

static int end(void **state)
{
	config_done(&config);
	capture_end(&said);
	return 0;
}

static void again(void)
{
	end(NULL);
	assert_int_equal(begin(NULL), 0);
}

/* The errors so far are these, one a line; "" for none. */
static void errors_are(const char *expected)
{
	_cleanup_text_ struct text want = {0};

	text_add(&want, "");
	for (const char *s = expected; *s;) {
		size_t n = strcspn(s, "\n");

		text_addf(&want, "%s%.*s\n", prefix, (int)n, s);
		s += n + (s[n] == '\n');
	}
	assert_string_equal(capture_text(&said), want.s);
	assert_int_equal(log_count(said.log, LEVEL_WARNING), 0);
}

static int read_bytes(const char *content, size_t size)
{
	test_file_bytes("c.ini", content, size);
	return config_read(&config, "c.ini", said.log);
}

static void good(const char *content)
{
	int r = read_bytes(content, strlen(content));

	errors_are("");
	assert_int_equal(r, 0);
}

static void bad(const char *content, const char *errors)
{
	int r = read_bytes(content, strlen(content));

	errors_are(errors);
	assert_int_equal(r, -EINVAL);
}

static void items_are(const struct config_list *list, const char *expected)
{
	_cleanup_text_ struct text t = {0};

	text_add(&t, "");
	for (size_t i = 0; i < list->n; i++)
		text_addf(&t, "%s%s@%s:%u", i ? "|" : "", list->items[i].value, list->items[i].file,
			  list->items[i].line);
	assert_string_equal(t.s, expected);
}

static void default_values(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *file = "x";
		unsigned line = 1;

		assert_string_equal(config_value(&config, keys[i].section, keys[i].key), keys[i].value);
		assert_string_equal(config_source(&config, keys[i].section, keys[i].key), "built-in default");
		config_place(&config, keys[i].section, keys[i].key, &file, &line);
		assert_null(file);
		assert_int_equal(line, 0);
	}
	assert_int_equal(config_check(&config, said.log), 0);
	errors_are("");
}

static void default_members(void **state)
{
	assert_true(config.lock && config.optimise && config.unit_enable);
	assert_false(config.loginuid_immutable || config.tty_sshd || config.log_passwords);
	assert_int_equal(config.on_locked, ON_LOCKED_STAGE);
	assert_true(config.backlog_limit == 8192 && config.backlog_wait_time == -1);
	assert_true(config.rate_limit == 0 && config.failure == 1 && config.min_auid == -1);
	assert_int_equal(config.exclude_types.n + config.exclude_exe.n + config.exclude_uid.n, 0);
	assert_string_equal(config.rules_directory, "/etc/cloud-audit-setup/rules.d");
	assert_int_equal(config.existing, EXISTING_REPLACE);
	assert_int_equal(config.reader, READER_CHECK);
	assert_true(config.start_timeout == 30000000);
	assert_string_equal(config.dbus_address, "auto");
	assert_string_equal(config.runtime_unit, "");
}

/* The program has these keys and no other, in this order. */
static void all_keys(void **state)
{
	const char *section = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!section || strcmp(section, keys[i].section) != 0) {
			if (section)
				assert_null(config_key(section, n));
			section = keys[i].section;
			n = 0;
		}
		assert_string_equal(config_key(section, n++), keys[i].key);
	}
	assert_null(config_key(section, n));
	assert_null(config_key("nothing", 0));
}

static void good_values(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (const char *const *value = keys[i].good; *value; value++) {
			_cleanup_text_ struct text t = {0};

			again();
			text_addf(&t, "[%s]\n%s = %s\n", keys[i].section, keys[i].key, *value);
			good(t.s);
			assert_string_equal(config_value(&config, keys[i].section, keys[i].key), *value);
			assert_string_equal(config_source(&config, keys[i].section, keys[i].key), "c.ini:2");
		}
	}
}

/* What the rows of keys have of other formats' words. */
static const char *hint(const char *value, const char *expected)
{
	if (strstr(expected, "yes") && (strcasecmp(value, "true") == 0 || strcmp(value, "on") == 0 || strcmp(value, "1") == 0 ||
					strcasecmp(value, "yes") == 0))
		return "; did you mean 'yes'?";
	if (strstr(expected, "no") && strchr(expected, 'y') && (strcmp(value, "0") == 0 || strcasecmp(value, "no") == 0))
		return "; did you mean 'no'?";
	return "";
}

static void bad_values(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (const char *const *value = keys[i].bad; *value; value++) {
			_cleanup_text_ struct text t = {0}, message = {0};

			again();
			text_addf(&t, "[%s]\n\n%s = %s\n", keys[i].section, keys[i].key, *value);
			text_addf(&message, "c.ini:3: %s = '%s' is not valid; expected %s%s", keys[i].key, *value,
				  keys[i].expected, hint(*value, keys[i].expected));
			bad(t.s, message.s);
		}
	}
}

static void bad_value_is_not_taken(void **state)
{
	bad("[events]\nexec = maybe\n[unit]\nmode = rocket\n[audit]\nlock = perhaps\n",
	    "c.ini:2: exec = 'maybe' is not valid; expected yes or no\n"
	    "c.ini:4: mode = 'rocket' is not valid; expected file or transient\n"
	    "c.ini:6: lock = 'perhaps' is not valid; expected yes or no");
	assert_string_equal(config_value(&config, "events", "exec"), "yes");
	assert_true(config.lock);
	/* One mistake is said once: nothing is complained about a second time. */
	assert_int_equal(config_check(&config, said.log), 0);
	assert_int_equal(log_count(said.log, LEVEL_ERROR), 3);
}

static void bad_item_is_not_taken(void **state)
{
	bad("[filter]\nexclude_exe = /bin/a,b\n  , /bin/c\n",
	    "c.ini:2: exclude_exe = '/bin/a,b' is not valid; expected absolute paths separated by commas\n"
	    "c.ini:3: exclude_exe = ', /bin/c' is not valid; expected absolute paths separated by commas");
	/* Whoever looks at what is there finds no item without a place. */
	for (size_t i = 0; i < config.exclude_exe.n; i++)
		assert_non_null(config.exclude_exe.items[i].file);
}

static void members(void **state)
{
	good("[audit]\nlock=no\non_locked=fail\nbacklog_limit=1\nbacklog_wait_time=2\nrate_limit=3\n"
	     "failure=panic\nloginuid_immutable=yes\n[rules]\ndirectory=/d\nexisting=keep\noptimise=no\n"
	     "[filter]\nmin_auid=1000\n[unit]\nenable=no\nstart_timeout=2min\n[dbus]\naddress=unix:path=/x\n"
	     "[journal]\nreader=ignore\n");
	assert_false(config.lock || config.optimise || config.unit_enable);
	assert_true(config.loginuid_immutable);
	assert_int_equal(config.on_locked, ON_LOCKED_FAIL);
	assert_true(config.backlog_limit == 1 && config.backlog_wait_time == 2 && config.rate_limit == 3);
	assert_int_equal(config.failure, 2);
	assert_string_equal(config.rules_directory, "/d");
	assert_int_equal(config.existing, EXISTING_KEEP);
	assert_true(config.min_auid == 1000);
	assert_true(config.start_timeout == 120000000);
	assert_string_equal(config.dbus_address, "unix:path=/x");
	assert_int_equal(config.reader, READER_IGNORE);
}

static void durations(void **state)
{
	good("[unit]\nstart_timeout = 1500ms\n");
	assert_true(config.start_timeout == 1500000);
	again();
	good("[unit]\nstart_timeout = 90\n");
	assert_true(config.start_timeout == 90000000);
}

static void unknown_names(void **state)
{
	bad("[audti]\nlock = yes\n[zzzz]\nx = 1\n[audit]\nbacklog = 1\nbacklog_limits = 1\nloc = no\n"
	    "[Audit]\n[]\n",
	    "c.ini:1: unknown section 'audti'; did you mean 'audit'?\n"
	    "c.ini:3: unknown section 'zzzz'\n"
	    "c.ini:6: unknown key 'backlog'\n"
	    "c.ini:7: unknown key 'backlog_limits'; did you mean 'backlog_limit'?\n"
	    "c.ini:8: unknown key 'loc'; did you mean 'lock'?\n"
	    "c.ini:9: unknown section 'Audit'; did you mean 'audit'?\n"
	    "c.ini:10: unknown section ''");
}

static void other_sections_key(void **state)
{
	bad("[unit]\nlock = yes\n[tty]\nmode = file\n", "c.ini:2: unknown key 'lock'\n"
	    "c.ini:4: unknown key 'mode'");
}

static void repeated(void **state)
{
	bad("[audit]\nlock = yes\nfailure = panic\nlock = yes\n[rules]\n[audit]\nfailure = silent\n",
	    "c.ini:4: key 'lock' is set twice; the first is at c.ini:2\n"
	    "c.ini:7: key 'failure' is set twice; the first is at c.ini:3");
	again();
	bad("[audit]\nlock = maybe\nlock = no\n",
	    "c.ini:2: lock = 'maybe' is not valid; expected yes or no\n"
	    "c.ini:3: key 'lock' is set twice; the first is at c.ini:2");
	again();
	bad("[filter]\nexclude_uid = 1\n 2\nexclude_uid = 3\n",
	    "c.ini:4: key 'exclude_uid' is set twice; the first is at c.ini:2");
}

static void several(void **state)
{
	bad("# first\n\n[audit]\nlock = maybe\nfailures = 1\n; comment\nbacklog_limit = -1\n[unit\nmode\n"
	    "[rules]\nexisting = drop\n",
	    "c.ini:4: lock = 'maybe' is not valid; expected yes or no\n"
	    "c.ini:5: unknown key 'failures'; did you mean 'failure'?\n"
	    "c.ini:7: backlog_limit = '-1' is not valid; expected a number of records from 0 to 4294967295\n"
	    "c.ini:8: '[' without ']'\n"
	    "c.ini:9: 'mode' is neither [section] nor key = value\n"
	    "c.ini:11: existing = 'drop' is not valid; expected replace or keep");
}

static void continued(void **state)
{
	good("[filter]\nexclude_types = CWD,\n\tPROCTITLE,  PATH,\n\n  # between\n  EOE\n"
	     "exclude_exe =\n  /bin/a\n  /opt/b c, /d\nexclude_uid = 1\n");
	items_are(&config.exclude_types, "CWD@c.ini:2|PROCTITLE@c.ini:3|PATH@c.ini:3|EOE@c.ini:6");
	items_are(&config.exclude_exe, "/bin/a@c.ini:8|/opt/b c@c.ini:9|/d@c.ini:9");
	items_are(&config.exclude_uid, "1@c.ini:10");
	assert_string_equal(config_value(&config, "filter", "exclude_exe"), "/bin/a,/opt/b c, /d");
	/* The comma at the end of a line is the one between the items. */
	assert_string_equal(config_value(&config, "filter", "exclude_types"), "CWD,PROCTITLE,  PATH,EOE");
}

static void continued_comment(void **state)
{
	good("[filter]\nexclude_exe = /bin/a, ; one\n  /bin/b ; two\n  /bin/c;d ;; three\n");
	items_are(&config.exclude_exe, "/bin/a@c.ini:2|/bin/b@c.ini:3|/bin/c;d@c.ini:4");
}

static void continued_refused(void **state)
{
	bad("[audit]\nlock = no\n  failure = panic\n[events]\n",
	    "c.ini:3: an indented line continues the value of lock, which takes only one line; "
	    "remove the spaces in front");
	assert_string_equal(config_value(&config, "audit", "failure"), "printk");
}

static void continued_unknown(void **state)
{
	/* What follows an unknown key is part of that one mistake. */
	bad("[filter]\nexclude_gid = 1,\n  2,\n  3\nmin_auid = x\n",
	    "c.ini:2: unknown key 'exclude_gid'; did you mean 'exclude_uid'?\n"
	    "c.ini:5: min_auid = 'x' is not valid; expected empty, or a user id from 0 to 4294967294");
}

static void indented(void **state)
{
	good("  [audit]\n  ; indented comment\n  lock = no\n  # another\n\t; third\n\nfailure = panic\n   \n[unit]\n"
	     " enable = no\n");
	assert_false(config.lock || config.unit_enable);
	assert_int_equal(config.failure, 2);
}

static void comments(void **state)
{
	good("; a\n# b\n[audit] ; the audit section\nlock = no ; not now\nfailure = panic\t; tab\n"
	     "[rules] # and so on\ndirectory = /a;b#c d ; e ; f\n[dbus]\naddress=unix:path=/a;unix:path=/b\n");
	assert_false(config.lock);
	assert_int_equal(config.failure, 2);
	assert_string_equal(config.rules_directory, "/a;b#c d");
	assert_string_equal(config.dbus_address, "unix:path=/a;unix:path=/b");
	again();
	bad("[audit]\nlock = no # not now\n", "c.ini:2: lock = 'no # not now' is not valid; expected yes or no (behind a value a "
	    "comment begins with ';', or stands on a line of its own)");
}

static void comment_hides(void **state)
{
	bad("[audit]\nlock no ; a = b\nfailure ; = panic\nrate_limit = 1\n[rules ; ]\nx\n",
	    "c.ini:2: 'lock no' is neither [section] nor key = value\n"
	    "c.ini:3: 'failure' is neither [section] nor key = value\n"
	    "c.ini:5: '[' without ']'\n"
	    "c.ini:6: 'x' is neither [section] nor key = value");
}

static void other_formats(void **state)
{
	bad("[audit]\nlock = true\n[events]\nsocket = off\nexec=False\n[audit]\nfailure = \"panic\"\nbacklog_limit = true\n",
	    "c.ini:2: lock = 'true' is not valid; expected yes or no; did you mean 'yes'?\n"
	    "c.ini:4: socket = 'off' is not valid; expected no, unusual or all; did you mean 'no'?\n"
	    "c.ini:5: exec = 'False' is not valid; expected yes or no; did you mean 'no'?\n"
	    "c.ini:7: failure = '\"panic\"' is not valid; expected silent, printk or panic (quotes are part of the value: write "
	    "panic)\n"
	    "c.ini:8: backlog_limit = 'true' is not valid; expected a number of records from 0 to 4294967295");
}

static void behind_section(void **state)
{
	bad("[audit] lock = no\nfailure = panic\n[rules]]\n[unit]x\n",
	    "c.ini:1: 'lock = no' after [audit] is not read; put it on a line of its own\n"
	    "c.ini:3: ']' after [rules] is not read; put it on a line of its own\n"
	    "c.ini:4: 'x' after [unit] is not read; put it on a line of its own");
}

static void too_long(void **state)
{
	char content[1024];

	snprintf(content, sizeof(content), "[rules]\ndirectory = /%0185d\n", 0);
	good(content);
	assert_int_equal(strlen(config.rules_directory), 186);
	again();
	snprintf(content, sizeof(content), "[rules]\ndirectory = /%0186d\nexisting = keep\n# %0300d\nx\n", 0, 0);
	bad(content, "c.ini:2: the line has 199 bytes, 198 are possible; continue a list on the next line, "
	    "indented\n"
	    "c.ini:4: the line has 302 bytes, 198 are possible; continue a list on the next line, indented\n"
	    "c.ini:5: 'x' is neither [section] nor key = value");
	assert_int_equal(config.existing, EXISTING_KEEP);
}

static void nul_byte(void **state)
{
	static const char content[] = "[audit]\nlock = no\0\nfailure = panic\nx\0[unit]";

	assert_int_equal(read_bytes(content, sizeof(content) - 1), -EINVAL);
	errors_are("c.ini:2: a NUL byte: the file is not text, and nothing of it was read");
	assert_int_equal(config.failure, 1);
}

static void byte_order_mark(void **state)
{
	good("\xef\xbb\xbf[audit]\nlock = no\n");
	assert_false(config.lock);
	again();
	bad("\xef\xbb\xbf[adit]\n\xef\xbb\xbf[unit]\n", "c.ini:1: unknown section 'adit'; did you mean 'audit'?\n"
	    "c.ini:2: '\xef\xbb\xbf[unit]' is neither [section] nor key = value");
}

static void line_ends(void **state)
{
	good("[audit]\r\nlock = no\r\n\r\n[filter]\r\nexclude_uid = 1,\r\n  2\r\n[rules]\r\ndirectory = /x\r\n");
	assert_false(config.lock);
	assert_string_equal(config.rules_directory, "/x");
	items_are(&config.exclude_uid, "1@c.ini:5|2@c.ini:6");
	again();
	good("[audit]\nlock = no");
	assert_false(config.lock);
	again();
	bad("[audit]\r\nlock", "c.ini:2: 'lock' is neither [section] nor key = value");
	again();
	good("");
	good("\n\n");
}

static void lost_section(void **state)
{
	/* Whose keys follow is unknown: nothing is said about them. */
	bad("[audit]\nlock = no\n[unit\nmode = file\n  x\n[rules]\nexisting = kept\n",
	    "c.ini:3: '[' without ']'\nc.ini:7: existing = 'kept' is not valid; expected replace or keep");
}

static void before_section(void **state)
{
	bad("lock = no\n  more\n[audit]\nfailure = panic\n", "c.ini:1: 'lock' stands before any [section]");
	assert_true(config.lock);
	assert_int_equal(config.failure, 2);
}

static void no_name(void **state)
{
	bad("[audit]\n= yes\n: no\n", "c.ini:2: a value without a key in front of the '='\n"
	    "c.ini:3: a value without a key in front of the ':'");
}

static void separators(void **state)
{
	good("[audit]\nlock:no\nfailure : panic\nrate_limit=  7\n");
	assert_false(config.lock);
	assert_int_equal(config.failure, 2);
	assert_true(config.rate_limit == 7);
}

/* Evidence names what was read, not what has come into its place since. */
static void digest(void **state)
{
	assert_string_equal(config.sha256, "");
	good("[audit]\nlock = no\n");
	test_file("c.ini", "[audit]\nlock = yes\n");
	assert_string_equal(config.sha256, "ce2196ee30eda852b6e523d885d17be5ca6f7446910ade6fb1351ca3e5a5fefc");
}

static void not_a_file(void **state)
{
	assert_int_equal(config_read(&config, "absent.ini", said.log), -ENOENT);
	errors_are("");
	assert_int_equal(mkdir(test_path("dir.ini"), 0755), 0);
	assert_int_equal(config_read(&config, "dir.ini", said.log), -EINVAL);
	assert_int_equal(mkfifo(test_path("fifo.ini"), 0644), 0);
	alarm(5);
	assert_int_equal(config_read(&config, "fifo.ini", said.log), -EINVAL);
	alarm(0);
	test_file("file", "");
	assert_int_equal(config_read(&config, "file/c.ini", said.log), -ENOTDIR);
	assert_int_equal(config_read(&config, "/dev/null", said.log), -EINVAL);
	errors_are("dir.ini: is not a regular file\nfifo.ini: is not a regular file\n"
		   "file/c.ini: cannot be read: Not a directory\n/dev/null: is not a regular file");
}

static void too_large(void **state)
{
	int fd = open("large.ini", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 17 << 20), 0);
	close(fd);
	assert_int_equal(config_read(&config, "large.ini", said.log), -EFBIG);
	errors_are("large.ini: is larger than 16 MiB");
}

static void override(void **state)
{
	good("[audit]\nlock = no\nfailure = panic\n[filter]\nexclude_uid = 1,2\n");
	assert_int_equal(config_override(&config, "audit.lock=yes", said.log), 0);
	assert_int_equal(config_override(&config, "filter.exclude_uid=3", said.log), 0);
	assert_int_equal(config_override(&config, "audit.rate_limit=5", said.log), 0);
	assert_int_equal(config_override(&config, "audit.rate_limit=6", said.log), 0);
	assert_int_equal(config_override(&config, "dbus.address=unix:path=/a.b", said.log), 0);
	errors_are("");
	assert_true(config.lock);
	assert_int_equal(config.failure, 2);
	assert_true(config.rate_limit == 6);
	assert_string_equal(config.dbus_address, "unix:path=/a.b");
	assert_string_equal(config_source(&config, "audit", "lock"), "--set audit.lock=yes");
	assert_string_equal(config_source(&config, "audit", "rate_limit"), "--set audit.rate_limit=6");
	assert_string_equal(config_source(&config, "audit", "failure"), "c.ini:3");
	items_are(&config.exclude_uid, "3@--set filter.exclude_uid=3:0");
	assert_int_equal(config_override(&config, "filter.exclude_uid=", said.log), 0);
	items_are(&config.exclude_uid, "");
}

static void override_errors(void **state)
{
	static const struct {
		const char *setting, *message;
	} rows[] = {
		{ "audit.lock=maybe", "--set audit.lock=maybe: lock = 'maybe' is not valid; expected yes or no" },
		{ "audit.lock=", "--set audit.lock=: lock = '' is not valid; expected yes or no" },
		{ "audit.lock= no", "--set audit.lock= no: lock = ' no' is not valid; expected yes or no" },
		{ "adit.lock=no", "--set adit.lock=no: unknown section 'adit'; did you mean 'audit'?" },
		{ "audit.lok=no", "--set audit.lok=no: unknown key 'lok'; did you mean 'lock'?" },
		{ "zzzz.lock=no", "--set zzzz.lock=no: unknown section 'zzzz'" },
		{ "audit.a.b=no", "--set audit.a.b=no: unknown key 'a.b'" },
		{ "audit.lock=a\nb", "--set audit.lock=a; b: lock = 'a; b' is not valid; expected yes or no" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		assert_int_equal(config_override(&config, rows[i].setting, said.log), -EINVAL);
		errors_are(rows[i].message);
	}
}

static void override_form(void **state)
{
	static const char *const bad_forms[] = {
		"", "audit", "audit.lock", "lock=no", "audit.=no", ".lock=no", "=", ".", "=a.b", "lock=a.b",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad_forms); i++)
		assert_int_equal(config_override(&config, bad_forms[i], said.log), -EBADMSG);
	errors_are("");
}

static void transient(void **state)
{
	good("[unit]\nmode = transient\n[journal]\nreader = enable\n[apparmor]\naudit = all\n[ima]\n"
	     "policy = exec,mmap\n[tty]\nsshd = yes\nruntime_unit = containerd.service\n");
	assert_int_equal(config_check(&config, said.log), -EINVAL);
#define NEEDS "needs files on the host, and [unit] mode = transient (c.ini:2) writes none; set mode = file, or " \
	"leave it at "
	errors_are("c.ini:6: [apparmor] audit = all " NEEDS "'keep'\n"
		   "c.ini:8: [ima] policy = exec,mmap " NEEDS "'no'\n"
		   "c.ini:10: [tty] sshd = yes " NEEDS "'no'\n"
		   "c.ini:11: [container] keystrokes = yes " NEEDS "'no'\n"
		   "c.ini:4: [journal] reader = enable needs a file on the host, and [unit] mode = transient (c.ini:2) "
		   "writes none; set mode = file, or reader = check");
	again();
	good("[unit]\nmode = transient\n");
	assert_int_equal(config_check(&config, said.log), 0);
	errors_are("");
}

static void contradictions(void **state)
{
	good("[tty]\nsshd = yes\n[events]\ntty = no\n");
	assert_int_equal(config_check(&config, said.log), -EINVAL);
	errors_are("c.ini:4: [events] tty = no drops the records that [tty] sshd = yes asks for (c.ini:2); set one of "
		   "them");
	again();
	good("[events]\ntty = no\n[tty]\nruntime_unit = containerd.service\n");
	assert_int_equal(config_check(&config, said.log), -EINVAL);
	errors_are("c.ini:2: [events] tty = no drops the records that [container] keystrokes = yes asks for "
		   "(c.ini:4); set one of them");
	again();
	good("[events]\napparmor = no\n[apparmor]\naudit = noquiet\n");
	assert_int_equal(config_check(&config, said.log), -EINVAL);
	errors_are("c.ini:2: [events] apparmor = no drops the records that [apparmor] audit = noquiet asks for "
		   "(c.ini:4); set one of them");
	again();
	good("[events]\napparmor = no\n[apparmor]\naudit = quiet\n");
	assert_int_equal(config_check(&config, said.log), 0);
	errors_are("");
	again();
	good("[tty]\nruntime_unit = systemd-journald.service\n");
	assert_int_equal(config_check(&config, said.log), -EINVAL);
	errors_are("c.ini:2: [container] runtime_unit = systemd-journald.service is no container runtime");
	again();
	good("[tty]\nsshd = yes\nruntime_unit = crio.service\nlog_passwords = yes\n[journal]\nreader = enable\n"
	     "[apparmor]\naudit = all\n[ima]\npolicy = exec,mmap\n");
	assert_int_equal(config_check(&config, said.log), 0);
	errors_are("");
}

/* A configuration, and what is wrong with it. */
static void check_is(const char *content, const char *errors)
{
	again();
	good(content);
	assert_int_equal(config_check(&config, said.log), *errors ? -EINVAL : 0);
	errors_are(errors);
}

static void version_0_1(void **state)
{
	check_is("[tty]\nruntime_unit = containerd.service\n", "");
	assert_string_equal(config.runtime_unit, "containerd.service");
	assert_true(config.keystrokes);
	assert_false(config.identity);
	assert_string_equal(config_value(&config, "container", "runtime_unit"), "containerd.service");
	assert_string_equal(config_source(&config, "container", "keystrokes"), "c.ini:2");
	check_is("[tty]\nruntime_unit = a.service\n[container]\nruntime_unit = a.service\nidentity = yes\n", "");
	assert_true(config.keystrokes && config.identity);
	check_is("[tty]\nruntime_unit = a.service\n[container]\nruntime_unit = b.service\n",
		 "c.ini:2: [tty] runtime_unit = a.service, and [container] runtime_unit = b.service (c.ini:4); leave the first "
		 "out: it is version 0.1's name of the other with keystrokes = yes");
	check_is("[tty]\nruntime_unit = a.service\n[container]\nkeystrokes = no\n",
		 "c.ini:2: [tty] runtime_unit = a.service means [container] keystrokes = yes, and that is no (c.ini:4); leave "
		 "the first out");
}

static void container(void **state)
{
#define NO_UNIT ", but [container] runtime_unit = '' (built-in default); set runtime_unit to the unit that starts containers, " \
	"such as containerd.service, or leave it at 'no'"
#define NO_IDENTITY ", but [container] identity = 'no' (built-in default); set identity = yes there, too, or leave it at "
	check_is("[container]\nidentity = yes\n", "c.ini:2: [container] identity = yes" NO_UNIT);
	check_is("[container]\nkeystrokes = yes\n", "c.ini:2: [container] keystrokes = yes" NO_UNIT);
	check_is("[filter]\nworkloads = no\nsessions = terminal\n", "c.ini:2: [filter] workloads = no" NO_IDENTITY "'yes'\n"
		 "c.ini:3: [filter] sessions = terminal" NO_IDENTITY "'all'");
	check_is("[unit]\nmode = transient\n[container]\nruntime_unit = a.service\nidentity = yes\n",
		 "c.ini:5: [container] identity = yes " NEEDS "'no'");
	check_is("[container]\nruntime_unit = a.service\nidentity = yes\nidentity_except = ns, ns/sshd\n[filter]\n"
		 "workloads = no\nsessions = terminal\n", "");
	assert_int_equal(config.sessions, SESSIONS_TERMINAL);
	items_are(&config.identity_except, "ns@c.ini:4|ns/sshd@c.ini:4");
	/* What is not valid was said, and is not said again as missing. */
	again();
	bad("[container]\nruntime_unit = containerd\nidentity = yes\n", "c.ini:2: runtime_unit = 'containerd' is not valid; "
	    "expected empty, or the name of a systemd service such as containerd.service");
	assert_int_equal(config_check(&config, said.log), 0);
}

static void two_files(void **state)
{
	good("[audit]\nlock = no\nfailure = panic\n");
	test_file("d.ini", "[audit]\nlock = yes\n");
	assert_int_equal(config_read(&config, "d.ini", said.log), 0);
	assert_string_equal(config_source(&config, "audit", "lock"), "d.ini:2");
	assert_string_equal(config_source(&config, "audit", "failure"), "c.ini:3");
}

#define CONFIG(sentence, function) { sentence, function, begin, end, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG("every default is the one that is documented", default_values),
		CONFIG("the members have the defaults, too", default_members),
		CONFIG("there are the documented keys and no other", all_keys),
		CONFIG("every key takes its good values", good_values),
		CONFIG("every key refuses bad values and says what was expected", bad_values),
		CONFIG("a bad value is said once and not taken", bad_value_is_not_taken),
		CONFIG("a list with a bad item leaves no item without a place", bad_item_is_not_taken),
		CONFIG("values reach the members", members),
		CONFIG("times have units", durations),
		CONFIG("unknown sections and keys are refused, with the nearest name", unknown_names),
		CONFIG("a key of another section is unknown here", other_sections_key),
		CONFIG("a repeated key names both places", repeated),
		CONFIG("all mistakes of a file are reported, each with its line", several),
		CONFIG("a list goes on in indented lines; each item knows its line", continued),
		CONFIG("an inline comment ends a continuation line", continued_comment),
		CONFIG("an indented line is refused where no list goes on", continued_refused),
		CONFIG("the lines that continue an unknown key are no mistakes of their own", continued_unknown),
		CONFIG("comments, sections and first keys may be indented", indented),
		CONFIG("comments end a line after white space and a semicolon", comments),
		CONFIG("what a comment hides does not count", comment_hides),
		CONFIG("text behind a [section] is refused, not dropped", behind_section),
		CONFIG("words, quotes and comments of other formats get a hint", other_formats),
		CONFIG("a line that is too long is refused, not cut", too_long),
		CONFIG("a file that is not text is said to be so, once", nul_byte),
		CONFIG("a byte order mark is taken at the start only", byte_order_mark),
		CONFIG("CR LF and a missing last newline are no matter, nor is an empty file", line_ends),
		CONFIG("after a [section that ends nowhere its keys are passed over", lost_section),
		CONFIG("a key before any section is refused", before_section),
		CONFIG("a value without a key is refused", no_name),
		CONFIG("a colon separates as well", separators),
		CONFIG("the digest is that of the file as it was read", digest),
		CONFIG("absent, directory, FIFO, device: each is told", not_a_file),
		CONFIG("a file of 17 MiB is refused", too_large),
		CONFIG("--set overrides the file, the last one wins, lists are replaced", override),
		CONFIG("--set is checked as the file is and named in the message", override_errors),
		CONFIG("--set without SECTION.KEY=VALUE is told apart", override_form),
		CONFIG("what needs files on the host is refused in transient mode", transient),
		CONFIG("keys that contradict each other are refused with both places", contradictions),
		CONFIG("[tty] runtime_unit of version 0.1 is that of [container], with keystrokes", version_0_1),
		CONFIG("what means nothing without another key of [container] is refused", container),
		CONFIG("a second file overrides the first", two_files),
	};

	if (chdir(test_dir()) < 0)
		return 1;
	return RUN(tests);
}
