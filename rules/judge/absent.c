#include "rules/judge/absent.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "rules/rule/data.h"
#include "setup/base/nearest.h"

/* What stands in the host's root: hier(7). A name of somebody's own may be like any of them. */
static const char *const top_names[] = {
	"bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run", "sbin", "srv",
	"sys", "tmp", "usr", "var",
};

/* Is there nothing of this path, or no directory where one is asked for? */
static bool is_absent(const struct rules_host *host, const char *path, bool as_directory)
{
	bool directory = false;
	int r = host->path_type(host->context, path, &directory);

	return r == 0 || (r == 1 && as_directory && !directory);
}

/* The path of the next field that has one, the caller's; NULL after the last, or without memory. */
static char *next_path(const struct audit_rule_data *data, uint32_t *at, size_t *offset, uint32_t *ret_field)
{
	struct data_field field;

	while (data_next(data, at, offset, &field)) {
		if (field.field != AUDIT_WATCH && field.field != AUDIT_DIR && field.field != AUDIT_EXE)
			continue;
		*ret_field = field.field;
		return strndup(field.text, field.len);
	}
	return NULL;
}

/* The same, cut to the directory that must be there: kernel/audit_watch.c audit_get_nd() and audit_fsnotify.c
 * audit_alloc_mark() look the parent up, audit_tree.c the directory itself. */
static char *next_directory(const struct audit_rule_data *data, uint32_t *at, size_t *offset, uint32_t *ret_field)
{
	char *path = next_path(data, at, offset, ret_field), *slash = path ? strrchr(path, '/') : NULL;

	if (slash && *ret_field != AUDIT_DIR)
		slash[slash == path] = '\0';
	return path;
}

bool absent_refuses(const struct audit_rule_data *data, const struct rules_host *host, struct text *ret_directory)
{
	uint32_t at = 0, field;
	size_t offset = 0;
	char *path;

	while ((path = next_directory(data, &at, &offset, &field))) {
		_cleanup_free_ char *directory = path;

		if (!strchr(directory, '/') || !is_absent(host, directory, field != AUDIT_DIR))
			continue;
		text_add(ret_directory, directory);
		return true;
	}
	return false;
}

bool absent_at_boot(const struct audit_rule_data *data, const struct rules_host *host, struct text *ret_why)
{
	bool any = false, again = false;
	uint32_t at = 0, field;
	size_t offset = 0;
	char *path;

	while ((path = next_directory(data, &at, &offset, &field))) {
		_cleanup_free_ char *directory = path;
		_cleanup_text_ struct text late = { 0 };
		bool absent = is_absent(host, directory, field != AUDIT_DIR);

		if (host->late)
			host->late(host->context, directory, &late);
		if (absent)
			text_addf(ret_why, ": %s is not there", directory);
		else if (late.s)
			text_addf(ret_why, ": %s is there now", directory);
		if (late.s)
			text_addf(ret_why, "; %s", late.s);
		again = again || absent || late.s;
		any = true;
	}
	return again || !any;
}

/* One letter wrong, missing or too many, or two that changed places. */
static bool is_slip(const char *a, const char *b)
{
	size_t m, n;

	while (*a && *a == *b)
		a++, b++;
	m = strlen(a);
	n = strlen(b);
	while (m > 0 && n > 0 && a[m - 1] == b[n - 1])
		m--, n--;
	if (m == 2 && n == 2)
		return a[0] == b[1] && a[1] == b[0];
	return m <= 1 && n <= 1 && (m == 0 || isalpha((unsigned char)*a));
}

/* The name in the host's root that the path's first part, which is not there, was meant to be; NULL: none. */
static const char *find_meant(const char *path, const struct rules_host *host)
{
	_cleanup_free_ char *top = strndup(path + 1, strcspn(path + 1, "/")), *absolute = NULL;
	const char *there[ARRAY_SIZE(top_names)], *near;
	size_t n = 0;

	if (!top || !*top || asprintf(&absolute, "/%s", top) < 0 || !is_absent(host, absolute, false))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(top_names); i++) {
		_cleanup_free_ char *name = NULL;

		if (strcmp(top_names[i], top) == 0)
			return NULL;
		if (asprintf(&name, "/%s", top_names[i]) < 0)
			return NULL;
		if (host->path_type(host->context, name, &(bool){ false }) == 1)
			there[n++] = top_names[i];
	}
	near = nearest_name(top, there, n);
	return near && is_slip(top, near) ? near : NULL;
}

static bool check_slips(const struct rule *rule, const struct rules_env *env)
{
	uint32_t at = 0, field;
	size_t offset = 0;
	bool good = true;
	char *path;

	while ((path = next_path(rule->data, &at, &offset, &field))) {
		_cleanup_free_ char *owned = path;
		const char *meant = *owned == '/' ? find_meant(owned, env->host) : NULL;
		int length = (int)strcspn(owned + 1, "/") + 1;

		if (!meant)
			continue;
		log_at(env->log, LEVEL_ERROR, rule->file, rule->line, "%s: there is no %.*s on the host; did you mean "
		       "/%s? (make %.*s before, if it is meant)", owned, length, owned, meant, length, owned);
		good = false;
	}
	return good;
}

int absent_check(const struct rule_set *set, const struct rules_env *env)
{
	int r = 0;

	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule *rule = &set->rules[i];
		_cleanup_text_ struct text directory = { 0 };

		if (!check_slips(rule, env)) {
			r = -EINVAL;
		} else if (env->absent_fails && absent_refuses(rule->data, env->host, &directory)) {
			log_at(env->log, LEVEL_ERROR, rule->file, rule->line, "the kernel would refuse this rule: %s is not on "
			       "the host, and [rules] absent = fail; make it, or leave the rule out with absent = warn",
			       directory.s ? directory.s : "its directory");
			r = -EINVAL;
		}
		if (text_error(&directory) < 0)
			return -ENOMEM;
	}
	return r;
}
