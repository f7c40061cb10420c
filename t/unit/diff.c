#include "t/unit/test.h"

#include <sys/wait.h>

#include "setup/host/host.h"
#include "setup/host/own.h"
#include "setup/output/diff.h"

static void diff_is(const char *before, const char *after, const char *expected)
{
	_cleanup_text_ struct text out = {0};

	assert_int_equal(diff_unified(&out, "/etc/f", before, after), 1);
	assert_string_equal(out.s, expected);
}

static void equal(void **state)
{
	struct text out = {0};

	assert_int_equal(diff_unified(&out, "f", "a\nb\n", "a\nb\n"), 0);
	assert_int_equal(diff_unified(&out, "f", "", ""), 0);
	assert_int_equal(diff_unified(&out, "f", "a", "a"), 0);
	assert_int_equal(diff_unified(&out, "f", NULL, NULL), 0);
	assert_null(out.s);
}

static void absent(void **state)
{
	diff_is(NULL, "a\nb\n", "--- /dev/null\n+++ /etc/f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
	diff_is("a\nb\n", NULL, "--- /etc/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n");
	diff_is("", "a\n", "--- /etc/f\n+++ /etc/f\n@@ -0,0 +1 @@\n+a\n");
	diff_is(NULL, "", "--- /dev/null\n+++ /etc/f\n");
}

static void change(void **state)
{
	diff_is("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		"--- /etc/f\n+++ /etc/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	diff_is("1\n2\n", "2\n", "--- /etc/f\n+++ /etc/f\n@@ -1,2 +1 @@\n-1\n 2\n");
	diff_is("1\n2\n", "1\n", "--- /etc/f\n+++ /etc/f\n@@ -1,2 +1 @@\n 1\n-2\n");
	diff_is("1\n", "1\n\n", "--- /etc/f\n+++ /etc/f\n@@ -1 +1,2 @@\n 1\n+\n");
}

static void hunks(void **state)
{
	/* Six equal lines between two changes join them into one hunk, seven do not. */
	diff_is("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		"--- /etc/f\n+++ /etc/f\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
	/* Nor do lines that are only added behind them. */
	diff_is("a\n1\n2\n3\n4\n5\n6\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		"--- /etc/f\n+++ /etc/f\n@@ -1,7 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n+B\n");
	diff_is("a\n1\n2\n3\n4\n5\n6\n7\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		"--- /etc/f\n+++ /etc/f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
		"@@ -6,3 +6,4 @@\n 5\n 6\n 7\n+B\n");
	diff_is("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		"--- /etc/f\n+++ /etc/f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
		"@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

static void no_newline(void **state)
{
	diff_is("a\nb", "a\nb\n", "--- /etc/f\n+++ /etc/f\n@@ -1,2 +1,2 @@\n a\n-b\n"
		"\\ No newline at end of file\n+b\n");
	diff_is("a\nb\n", "a\nb", "--- /etc/f\n+++ /etc/f\n@@ -1,2 +1,2 @@\n a\n-b\n+b\n"
		"\\ No newline at end of file\n");
	diff_is("a\nb", "c\nb", "--- /etc/f\n+++ /etc/f\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n"
		"\\ No newline at end of file\n");
}

static void appends(void **state)
{
	_cleanup_text_ struct text out = {0};

	text_add(&out, "before\n");
	assert_int_equal(diff_unified(&out, "f", "a\n", "b\n"), 1);
	assert_string_equal(out.s, "before\n--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n");
}

static void many_edits(void **state)
{
	_cleanup_text_ struct text a = {0}, b = {0}, out = {0};

	/* More than the search is allowed to look for: everything between is replaced. */
	text_add(&a, "head\n");
	text_add(&b, "head\n");
	for (int i = 0; i < 1500; i++) {
		text_addf(&a, "a%d\n", i);
		text_addf(&b, "b%d\n", i);
	}
	text_add(&a, "tail\n");
	text_add(&b, "tail\n");
	assert_int_equal(diff_unified(&out, "f", a.s, b.s), 1);
	assert_non_null(strstr(out.s, "@@ -1,1502 +1,1502 @@\n head\n-a0\n"));
	assert_non_null(strstr(out.s, "-a1499\n+b0\n"));
	assert_non_null(strstr(out.s, "+b1499\n tail\n"));
}

/* A text of up to n lines out of few words, so that much is alike; sometimes without the last newline. */
static char *random_text(unsigned *seed, int n)
{
	struct text t = {0};
	int lines = rand_r(seed) % n;

	text_add(&t, "");
	for (int i = 0; i < lines; i++)
		text_addf(&t, "%c%s", 'a' + rand_r(seed) % 6,
			  i + 1 == lines && rand_r(seed) % 8 == 0 ? "" : "\n");
	return text_take(&t);
}

/* A few random edits of a text of many different lines. */
static char *edit(unsigned *seed, const char *s)
{
	struct text t = {0};

	text_add(&t, "");
	while (*s) {
		size_t n = strcspn(s, "\n");
		int what = rand_r(seed) % 40;

		n += s[n] == '\n';
		if (what == 0)
			text_addf(&t, "new %d\n", rand_r(seed) % 9);
		if (what != 1)
			text_add_bytes(&t, s, n);
		s += n;
	}
	return text_take(&t);
}

/* Lines of a diff that start with + or -, its header left out. */
static int changed_lines(const char *diff)
{
	int n = 0;

	for (; diff; diff = strchr(diff, '\n'), diff = diff ? diff + 1 : NULL)
		n += (*diff == '+' && strncmp(diff, "+++ ", 4)) || (*diff == '-' && strncmp(diff, "--- ", 4));
	return n;
}

/* Runs a command in the test's directory and takes its first output. Returns its exit status. */
static int run(const char *command, struct text *ret)
{
	_cleanup_free_ char *line = NULL;
	char buffer[4096];
	FILE *out;
	size_t n;
	int r;

	assert_true(asprintf(&line, "cd %s && export LC_ALL=C && { %s; } 2>&1", test_dir(), command) > 0);
	out = popen(line, "re");
	assert_non_null(out);
	while ((n = fread(buffer, 1, sizeof(buffer), out)) > 0)
		text_add_bytes(ret, buffer, n);
	text_add(ret, "");
	r = pclose(out);
	return WIFEXITED(r) ? WEXITSTATUS(r) : -1;
}

static void need(const char *tool)
{
	_cleanup_text_ struct text out = {0};
	char command[64];

	snprintf(command, sizeof(command), "command -v %s", tool);
	if (run(command, &out) != 0) {
		print_message("# SKIP %s is not there\n", tool);
		skip();
	}
}

enum { PAIRS = 300 };

/* One diff of all pairs for one patch: starting it once a pair would take most of the time. */
static void random_pairs(void **state)
{
	unsigned seed = 20240607;
	_cleanup_text_ struct text all = {0}, err = {0};
	char *after[PAIRS];

	need("patch");
	for (int i = 0; i < PAIRS; i++) {
		_cleanup_free_ char *before = NULL;
		char name[16];

		if (i % 2 == 0) {
			before = random_text(&seed, 4 + i / 8);
			after[i] = random_text(&seed, 4 + i / 8);
		} else {
			struct text t = {0};

			for (int k = 0; k < 60; k++)
				text_addf(&t, "line %d\n", k);
			before = text_take(&t);
			after[i] = edit(&seed, before);
		}
		assert_true(before && after[i]);
		snprintf(name, sizeof(name), "a%d", i);
		assert_int_equal(diff_unified(&all, name, before, after[i]), strcmp(before, after[i]) != 0);
		test_file(name, before);
	}
	test_file("all", all.s);
	if (run("patch -s -p0 --fuzz=0 --no-backup-if-mismatch <all", &err) != 0 || *err.s)
		fail_msg("patch: %s", err.s);
	for (int i = 0; i < PAIRS; i++) {
		_cleanup_text_ struct text t = {0};
		char name[16];
		int r;

		snprintf(name, sizeof(name), "a%d", i);
		r = host_read_own(test_path(name), &t);
		assert_true(r == 0 || r == -ENOENT);
		if (strcmp(t.s ? t.s : "", after[i]) != 0)
			fail_msg("pair %d is patched to something else", i);
		free(after[i]);
	}
}

static void as_short_as_diff(void **state)
{
	unsigned seed = 7;
	_cleanup_text_ struct text theirs = {0};
	int ours = 0;

	need("diff");
	assert_int_equal(mkdir(test_path("p"), 0755) + mkdir(test_path("q"), 0755), 0);
	for (int i = 0; i < PAIRS / 4; i++) {
		_cleanup_free_ char *a = random_text(&seed, 30), *b = random_text(&seed, 30);
		_cleanup_text_ struct text d = {0};
		char name[16];

		assert_int_equal(diff_unified(&d, "f", a, b), strcmp(a, b) != 0);
		ours += changed_lines(d.s);
		snprintf(name, sizeof(name), "p/%d", i);
		test_file(name, a);
		name[0] = 'q';
		test_file(name, b);
	}
	run("diff -r -d -u p q", &theirs);
	assert_true(ours > 0);
	assert_int_equal(ours, changed_lines(theirs.s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("equal texts give nothing", equal),
		TEST("an absent file is /dev/null", absent),
		TEST("a change stands between three lines of context", change),
		TEST("changes near each other share a hunk", hunks),
		TEST("a last line without newline is told from one with it", no_newline),
		TEST("the diff is appended to what is there", appends),
		TEST("beyond the bound of the search the diff is long but right", many_edits),
		TEST("patch turns the one text into the other, for 300 random pairs", random_pairs),
		TEST("as few lines are changed as by diff -d, for 75 random pairs", as_short_as_diff),
	};

	return RUN(tests);
}
