/* What warnings claim of rules holds for events at random, on kernels whose classes of system calls differ: a rule that
 * never comes to act decides no event, and one that can never match matches none. */
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/judge/lint.h"
#include "rules/rule/data.h"
#include "rules/rule/names.h"
#include "rules/rules.h"

enum { RULES_MAX = 32 };

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = strcmp(path, "/d") == 0 || strcmp(path, "/d/s") == 0 || strcmp(path, "/d/link") == 0;
	return strcmp(path, "/d/link") == 0 ? RULES_LINK : 1;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	return 0;
}

static const struct rules_host host = { path_type, look_up, look_up, NULL, NULL, NULL };

/* --- the kernel ---------------------------------------------------------------------------- */

/* include/asm-generic/audit_*.h of Debian's kernels; each has those before it. */
static const struct {
	const char *writes, *reads, *changes, *by_flags;
} kernels[] = {
	{ "rename mkdir rmdir creat link unlink symlink mknod mkdirat mknodat unlinkat renameat linkat symlinkat renameat2 "
	  "acct swapon quotactl truncate truncate64 ftruncate ftruncate64 bind fallocate",
	  "readlink readlinkat quotactl listxattr llistxattr flistxattr getxattr lgetxattr fgetxattr",
	  "chmod fchmod fchmodat chown fchown lchown fchownat chown32 fchown32 lchown32 setxattr lsetxattr fsetxattr "
	  "removexattr lremovexattr fremovexattr link linkat", "open openat" },	/* 5.10 */
	{ "", "getxattrat listxattrat", "fchmodat2", "openat2" },	/* 6.1, 6.12 */
	{ "", "", "setxattrat removexattrat", "" },	/* 7.2 */
};

struct model {
	uint32_t arch, socketcall;
	uint8_t perms[2048];
	bool by_flags[2048];
};

static void mark(struct model *model, const char *names, uint8_t perm)
{
	_cleanup_free_ char *copy = strdup(names);
	char *rest = NULL;

	for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		int number = names_syscall(name, model->arch);

		if (number >= 0 && perm)
			model->perms[number] |= perm;
		else if (number >= 0)
			model->by_flags[number] = true;
	}
}

static void init_model(struct model *model, uint32_t arch, size_t kernel)
{
	int socketcall = names_syscall("socketcall", arch);

	*model = (struct model){ .arch = arch, .socketcall = socketcall < 0 ? UINT32_MAX : (uint32_t)socketcall };
	for (size_t i = 0; i <= kernel; i++) {
		mark(model, kernels[i].writes, AUDIT_PERM_WRITE);
		mark(model, kernels[i].reads, AUDIT_PERM_READ);
		mark(model, kernels[i].changes, AUDIT_PERM_ATTR);
		mark(model, kernels[i].by_flags, 0);
	}
	mark(model, "execve execveat", AUDIT_PERM_EXEC);
}

struct event {
	uint32_t arch, number, uid, auid, exit, exe, flags;
	size_t n_names;
	const char *names[2];
};

/* kernel/auditsc.c audit_match_perm() */
static bool match_perm(const struct model *model, const struct event *e, uint32_t perms)
{
	static const uint32_t access[] = {
		AUDIT_PERM_READ, AUDIT_PERM_WRITE, AUDIT_PERM_READ | AUDIT_PERM_WRITE,
		AUDIT_PERM_READ | AUDIT_PERM_WRITE,
	};

	if (model->by_flags[e->number])
		return perms & access[e->flags & 3];
	if (e->number == model->socketcall)
		return perms & AUDIT_PERM_WRITE && e->flags == 2;
	return perms & model->perms[e->number];
}

/* kernel/audit.h audit_comparator() */
static bool compare(uint32_t left, uint32_t operator, uint32_t right)
{
	switch (operator) {
	case AUDIT_EQUAL:
		return left == right;
	case AUDIT_NOT_EQUAL:
		return left != right;
	case AUDIT_LESS_THAN:
		return left < right;
	case AUDIT_LESS_THAN_OR_EQUAL:
		return left <= right;
	case AUDIT_GREATER_THAN:
		return left > right;
	case AUDIT_GREATER_THAN_OR_EQUAL:
		return left >= right;
	default:
		fail_msg("operator %u", operator);
		return false;
	}
}

static bool is_text(const struct data_field *f, const char *s)
{
	return f->len == strlen(s) && memcmp(f->text, s, f->len) == 0;
}

/* A link leads out of its directory. */
static bool is_in_dir(const struct data_field *dir, const char *path)
{
	size_t len = dir->len - (dir->text[dir->len - 1] == '/');

	return strncmp(path, "/d/link/", 8) != 0 && strncmp(dir->text, path, len) == 0 && path[len] == '/';
}

static bool match_field(const struct model *models, const struct event *e, const char *name, const struct data_field *f)
{
	bool failed = e->exit >= (uint32_t)-4095, any = false;

	switch (f->field) {
	case AUDIT_ARCH:
		return compare(e->arch, f->operator, f->value);
	case AUDIT_UID:
		return compare(e->uid, f->operator, f->value);
	case AUDIT_LOGINUID:
		return compare(e->auid, f->operator, f->value);
	case AUDIT_EXIT:
		return compare(e->exit, f->operator, f->value);
	case AUDIT_SUCCESS:
		return compare(failed ? 2 : 1, f->operator, f->value ? 1 : 2);
	case AUDIT_EXE:
		return is_text(f, e->exe ? "/b" : "/a") == (f->operator == AUDIT_EQUAL);
	case AUDIT_PERM:
		return match_perm(e->arch == models[0].arch ? &models[0] : &models[1], e, f->value);
	case AUDIT_WATCH:
		return name && is_text(f, name);
	case AUDIT_DIR:
		for (size_t i = 0; i < e->n_names; i++)
			any = any || is_in_dir(f, e->names[i]);
		return any;
	case AUDIT_FILTERKEY:
		return true;
	default:
		fail_msg("field %u", f->field);
		return false;
	}
}

static bool matches(const struct model *models, const struct event *e, const char *name, const struct rule *rule)
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	if (!(rule->data->mask[AUDIT_WORD(e->number)] & AUDIT_BIT(e->number)))
		return false;
	while (data_next(rule->data, &at, &offset, &field))
		if (!match_field(models, e, name, &field))
			return false;
	return true;
}

static bool in_bucket(const struct rule *rule)
{
	return data_has(rule->data, AUDIT_WATCH);
}

/* audit_filter_syscall(), then audit_filter_inodes(): of a file's rules one decides when it was added before. */
static const struct rule *decide(const struct model *models, const struct rule_set *set, const uint32_t *order,
				 const struct event *e)
{
	size_t place = 0;

	while (place < set->n_rules && (in_bucket(&set->rules[order[place]]) ||
					!matches(models, e, NULL, &set->rules[order[place]])))
		place++;
	for (size_t i = 0; i < e->n_names; i++)
		for (size_t j = 0; j < place; j++)
			if (in_bucket(&set->rules[order[j]]) && matches(models, e, e->names[i], &set->rules[order[j]]))
				return &set->rules[order[j]];
	return place < set->n_rules ? &set->rules[order[place]] : NULL;
}

static bool matches_at_all(const struct model *models, const struct event *e, const struct rule *rule)
{
	for (size_t i = 0; i < e->n_names; i++)
		if (matches(models, e, e->names[i], rule))
			return true;
	return matches(models, e, NULL, rule);
}

/* --- sets and events at random -------------------------------------------------------------- */

/* xorshift64 */
static uint32_t draw(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 33) % n;
}

static const char *const calls[] = {
	"openat", "openat2", "creat", "unlink", "unlinkat", "chmod", "fchmod", "fchmodat2", "setxattrat", "execve", "execveat",
	"readlink", "getxattrat", "mount", "truncate", "quotactl", "linkat",
};
static const char *const paths[] = { "/d/a", "/d/s/b", "/d/link/c", "/x" };
static const uint32_t ids[] = { 0, 1, 2, 3, UINT32_MAX };
static const uint32_t exits[] = { 0, 3, (uint32_t)-1, (uint32_t)-13 };

static void add_rule(struct text *out, uint64_t *random)
{
	static const char *const arches[] = { "", "", " -F arch=b64", " -F arch=b64", " -F arch=b32", " -F arch!=b32" };
	static const char *const places[] = {
		"", "", "", " -F dir=/d", " -F dir=/d/s", " -F dir=/d/", " -F path=/d/a", " -F path=/d/s/b", " -F path=/d/link/c",
		" -F path=/x",
	};
	static const char *const perms[] = {
		"", "", " -F perm=w", " -F perm=wa", " -F perm=r", " -F perm=x", " -F perm=rw", " -F perm=rwxa",
	};
	static const char *const operators[] = { "=", "!=", "<", "<=", ">", ">=" };
	static const char *const fields[] = { "uid", "auid", "auid" };
	static const char *const rest[] = {
		"", "", "", " -F success=1", " -F success=0", " -F exit=-13", " -F exit=-1", " -F exit=3", " -F exe=/a", " -F exe!=/b",
	};
#define ONE(of) of[draw(random, ARRAY_SIZE(of))]
	const char *arch = ONE(arches);

	text_addf(out, "%s %s,exit", draw(random, 12) ? "-a" : "-A", draw(random, 5) ? "always" : "never");
	text_add(out, arch);
	/* A name behind arch!= is an error. */
	if (!strchr(arch, '!') && draw(random, 3)) {
		text_addf(out, " -S %s", ONE(calls));
		for (uint32_t n = draw(random, 4); n; n--)
			text_addf(out, ",%s", ONE(calls));
	} else {
		text_add(out, " -S all");
	}
	text_addf(out, "%s%s%s", ONE(places), ONE(perms), ONE(rest));
	for (uint32_t n = draw(random, 3); n; n--)
		text_addf(out, " -F %s%s%u", ONE(fields), ONE(operators), draw(random, 4));
	text_addf(out, " -k k%u\n", draw(random, 100));
}

static struct event draw_event(uint64_t *random, const struct model *models)
{
	struct event e = {
		.arch = models[draw(random, 3) == 0].arch, .uid = ONE(ids), .auid = ONE(ids), .exit = ONE(exits),
		.exe = draw(random, 2), .flags = draw(random, 4), .n_names = draw(random, 3),
	};
	int number = names_syscall(ONE(calls), e.arch);

	e.number = number < 0 || draw(random, 8) == 0 ? draw(random, 460) : (uint32_t)number;
	for (size_t i = 0; i < e.n_names; i++)
		e.names[i] = ONE(paths);
	return e;
}
#undef ONE

enum claim { CLAIM_NONE, CLAIM_HIDDEN, CLAIM_NEVER };

/* What the messages claim, by line. Returns how many claims there are. */
static size_t read_claims(char *messages, enum claim *claims)
{
	char *line, *rest = NULL;
	size_t n = 0;

	for (line = strtok_r(messages, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *place = strstr(line, " F:");
		unsigned long number = place ? strtoul(place + 3, NULL, 10) : 0;

		assert_true(number > 0 && number < RULES_MAX);
		if (strstr(line, "[lint: never-matches]"))
			claims[number] = CLAIM_NEVER;
		else if (strstr(line, "[lint: unreachable]"))
			claims[number] = CLAIM_HIDDEN;
		else
			continue;
		n++;
	}
	return n;
}

static size_t check_set(uint64_t *random, const char *machine, const struct model (*models)[2])
{
	_cleanup_text_ struct text content = { 0 };
	_cleanup_free_ char *messages = NULL;
	size_t size = 0, n_claims;
	FILE *f = open_memstream(&messages, &size);
	struct rules_env env = { .log = log_new(f), .host = &host, .machine = machine };
	struct rule_set set = { 0 };
	enum claim claims[RULES_MAX] = { CLAIM_NONE };
	uint32_t order[RULES_MAX];

	for (uint32_t i = 0, n = 2 + draw(random, RULES_MAX - 4); i < n; i++)
		add_rule(&content, random);
	if (rules_read(&set, &env, "F", content.s, content.len) < 0 || rules_finish(&set, &env) < 0)
		fail_msg("a mistake in: %s", content.s);
	log_free(env.log);
	fclose(f);
	n_claims = read_claims(messages, claims);
	lint_kernel_order(&set, order);
	for (unsigned i = 0; i < 300; i++) {
		const struct model *kernel = models[draw(random, ARRAY_SIZE(kernels))];
		struct event e = draw_event(random, kernel);
		const struct rule *rule = decide(kernel, &set, order, &e);

		if (rule && claims[rule->line] != CLAIM_NONE)
			fail_msg("line %u decides call %u of %x, uid %u, auid %u, exit %u, flags %u, %zu files %s %s, in\n%s",
				 rule->line, e.number, e.arch, e.uid, e.auid, e.exit, e.flags, e.n_names,
				 e.n_names ? e.names[0] : "", e.n_names > 1 ? e.names[1] : "", content.s);
		for (size_t j = 0; j < set.n_rules; j++)
			if (claims[set.rules[j].line] == CLAIM_NEVER && matches_at_all(kernel, &e, &set.rules[j]))
				fail_msg("line %u matches call %u of %x in\n%s", set.rules[j].line, e.number, e.arch, content.s);
	}
	rule_set_done(&set);
	return n_claims;
}

static void no_claim_is_refuted_by_an_event(void **state)
{
	static const char *const machines[] = { "x86_64", "aarch64" };
	static struct model models[ARRAY_SIZE(kernels)][2];
	uint64_t random = 20240131;
	size_t n_claims = 0;

	for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
		for (size_t kernel = 0; kernel < ARRAY_SIZE(kernels); kernel++) {
			init_model(&models[kernel][0], names_machine(machines[m]), kernel);
			init_model(&models[kernel][1], names_arch32(names_machine(machines[m])), kernel);
		}
		for (unsigned i = 0; i < 1500; i++)
			n_claims += check_set(&random, machines[m], (const struct model (*)[2])models);
	}
	/* The sets are such that there is something to claim. */
	assert_true(n_claims > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_claim_is_refuted_by_an_event) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
