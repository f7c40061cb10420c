#include "setup/config/rulefiles.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "rules/match/classes.h"
#include "setup/config/config_keys.h"
#include "setup/config/shipped.h"
#include "setup/host/host.h"
#include "setup/host/own.h"

/* Bounds memory: a rule takes 1.4 kB. */
enum { RULES_MAX = 100000 };

static int is_rules_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 6 && strcmp(entry->d_name + n - 6, ".rules") == 0;
}

/* A file that somebody may have meant to be read: no hidden one, nothing of an editor or a volume mount, no README. */
static int is_passed_over(const struct dirent *entry)
{
	return !is_rules_file(entry) && entry->d_name[0] != '.' && strncmp(entry->d_name, "README", 6) != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names of the *.rules files of a directory in C-locale order. How many, or negative errno; -EPERM: see
 * host_check_own_directory(). */
static int list_directory(const char *directory, struct dirent ***ret)
{
	int n = host_check_own_directory(directory);

	if (n < 0)
		return n;
	n = scandir(directory, ret, is_rules_file, by_name);

	return n < 0 ? -errno : n;
}

static void free_list(struct dirent **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static int refuse(const struct rules_env *env, const char *directory)
{
	log_at(env->log, LEVEL_ERROR, directory, 0, "%s", host_own_reason(-EPERM));
	return -EINVAL;
}

/* How many lines of a file may be rules. */
static size_t count_lines(const struct text *content)
{
	size_t n = 0;

	for (size_t i = 0; i < content->len; i++)
		n += (i == 0 || content->s[i - 1] == '\n') && content->s[i] != '#' && content->s[i] != '\n';
	return n;
}

static int add_content(struct rule_set *set, const struct rules_env *env, const char *name, const struct text *content)
{
	if (count_lines(content) > RULES_MAX - (set->n_rules < RULES_MAX ? set->n_rules : RULES_MAX)) {
		log_at(env->log, LEVEL_ERROR, name, 0, "with this file there are more than %d rules, which no kernel "
		       "can go through at every system call", RULES_MAX);
		return -EINVAL;
	}
	return rules_read(set, env, name, content->s ? content->s : "", content->len);
}

static int say_unread(const struct rules_env *env, const char *path, int r)
{
	const char *reason = host_own_reason(r);

	log_at(env->log, LEVEL_ERROR, path, 0, "%s%s", reason ? reason : "cannot be read: ", reason ? "" : strerror(-r));
	return r == -ENOMEM ? r : -EINVAL;
}

static int add_path(struct rule_set *set, const struct rules_env *env, const char *path)
{
	_cleanup_text_ struct text content = {0};
	int r = host_read_own(path, &content);

	return r < 0 ? say_unread(env, path, r) : add_content(set, env, path, &content);
}

static int add_file(struct rule_set *set, const struct rules_env *env, const char *directory,
		    const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return add_path(set, env, path);
}

/* What comes through a pipe has no owner and no mode to be looked at. */
static int add_stdin(struct rule_set *set, const struct rules_env *env)
{
	_cleanup_text_ struct text content = {0};
	char buffer[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0 && content.len <= HOST_FILE_MAX)
		text_add_bytes(&content, buffer, (size_t)n);
	if (n < 0 || content.len > HOST_FILE_MAX)
		return say_unread(env, "stdin", n < 0 ? -errno : -EFBIG);
	return text_error(&content) < 0 ? -ENOMEM : add_content(set, env, "stdin", &content);
}

static int add_named(struct rule_set *set, const struct rules_env *env, const struct config *config)
{
	int worst = 0;

	for (size_t i = 0; i < config->n_rules_files; i++) {
		const char *path = config->rules_files[i];
		int r = strcmp(path, "-") == 0 ? add_stdin(set, env) : add_path(set, env, path);

		worst = r < 0 ? r : worst;
	}
	return worst;
}

/* What follows a word at the beginning of a text; NULL where the text is NULL or begins otherwise. */
static const char *after(const char *text, const char *word)
{
	size_t n = strlen(word);

	return text && strncmp(text, word, n) == 0 ? text + n : NULL;
}

/* Does NN-GROUP[-VALUE][@MACHINE].rules belong to a group with this value on this machine? Asked for every file and
 * group, so that no name is put together for it. */
static bool belongs(const char *name, const char *group, const char *value, const char *machine)
{
	name = after(name + strspn(name, "0123456789"), "-");
	name = after(name, group);
	if (strcmp(value, "yes") != 0)
		name = after(after(name, "-"), value);
	if (name && *name == '@')
		name = after(name + 1, machine);
	return name && strcmp(name, ".rules") == 0;
}

static bool is_guard(const char *group)
{
	return strcmp(group, "audit-config") == 0;
}

static bool is_of_part(const char *group, enum shipped_part part)
{
	return part == SHIPPED_ALL || is_guard(group) == (part == SHIPPED_GUARD);
}

/* The group of a part that a shipped file serves in this configuration, -1 for none. */
static int wanted_group(const struct config *config, enum shipped_part part, const char *name, const char *machine)
{
	const char *group;

	for (size_t i = 0; (group = config_key("events", i)); i++)
		if (is_of_part(group, part) && belongs(name, group, config_value(config, "events", group), machine))
			return (int)i;
	return -1;
}

/* Also one that cannot be read: it is the one to speak of. */
static bool has_rules(const char *directory)
{
	struct dirent **list = NULL;
	int n = list_directory(directory, &list);

	free_list(list, n);
	return n > 0 || (n < 0 && n != -ENOENT && n != -ENOTDIR);
}

char *rulefiles_shipped_directory(void)
{
	return shipped_rules(has_rules);
}

static int say_missing(const struct rules_env *env, const struct config *config, enum shipped_part part, uint64_t seen,
		       const char *directory)
{
	const char *group;
	int r = 0;

	for (size_t i = 0; (group = config_key("events", i)); i++) {
		const char *value = config_value(config, "events", group);

		if (!is_of_part(group, part) || strcmp(value, "no") == 0 || (seen & (UINT64_C(1) << i)))
			continue;
		log_say(env->log, LEVEL_ERROR, "%s: [events] %s = %s: no rules file for it in %s; install "
			"the shipped rules there", config_source(config, "events", group), group, value,
			directory);
		r = -EINVAL;
	}
	return r;
}

bool rulefiles_by_class(const char *group)
{
	static const char *const groups[] = { "exec", "socket", "mmap", "network" };
	bool is = false;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		is = is || strcmp(groups[i], group) == 0;
	return is;
}

/* The file with a condition in each rule that records, in front of its key; only: other rules are left out. Lines keep their
 * numbers. */
static void add_condition(struct text *ret, const struct text *content, const char *condition, bool only)
{
	static const char records[] = "-a always,exit ", key[] = " -k ";

	for (const char *s = content->s ? content->s : ""; *s;) {
		size_t n = strcspn(s, "\n");
		const char *at = strncmp(s, records, strlen(records)) == 0 ? memmem(s, n, key, strlen(key)) : NULL;

		if (at)
			text_addf(ret, "%.*s%s%.*s", (int)(at - s), s, condition, (int)(n - (size_t)(at - s)), at);
		else if (!only)
			text_add_bytes(ret, s, n);
		text_add(ret, "\n");
		s += n + (s[n] == '\n');
	}
}

/* A shipped file for all but the classes that are left out: as a rule has no "or" and the unset login uid is the largest, those
 * below them and those above are a rule each. A rule with never in front would take what other groups, and the user's rules,
 * are to have. */
static int add_by_class(struct rule_set *set, const struct rules_env *env, const struct config *config,
			const char *directory, const char *name)
{
	bool terminal = config->sessions == SESSIONS_TERMINAL;
	_cleanup_text_ struct text content = {0}, below = {0}, above = {0};
	_cleanup_free_ char *path = NULL;
	char condition[32];
	int r, s;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = host_read_own(path, &content);
	if (r < 0)
		return say_unread(env, path, r);
	snprintf(condition, sizeof(condition), " -F auid<%u", config->workloads ? CLASS_SESSIONS : CLASS_WORKLOADS);
	add_condition(&below, &content, condition, false);
	snprintf(condition, sizeof(condition), " -F auid>=%u", terminal ? CLASS_TERMINALS : CLASS_SESSIONS);
	add_condition(&above, &content, condition, true);
	if (text_error(&below) < 0 || text_error(&above) < 0)
		return -ENOMEM;
	r = add_content(set, env, path, &below);
	s = add_content(set, env, path, &above);
	return r < 0 ? r : s;
}

int rulefiles_add_shipped(struct rule_set *set, const struct rules_env *env,
			  const struct config *config, enum shipped_part part)
{
	_cleanup_free_ char *directory = rulefiles_shipped_directory();
	struct rules_env shipped = *env;
	struct dirent **list = NULL;
	bool by_class = !config->workloads || config->sessions != SESSIONS_ALL;
	uint64_t seen = 0;
	int n, worst = 0, r;

	if (!directory)
		return -ENOMEM;
	shipped.shipped = true;
	n = list_directory(directory, &list);
	if (n == -EPERM)
		return refuse(env, directory);
	if (n < 0) {
		log_say(env->log, LEVEL_ERROR, "the shipped rules cannot be read from %s: %s; install them "
			"there, or in rules/ beside the program", directory, strerror(-n));
		return -EINVAL;
	}
	for (int i = 0; i < n; i++) {
		int group = wanted_group(config, part, list[i]->d_name, env->machine);

		if (group < 0)
			continue;
		seen |= UINT64_C(1) << group;
		shipped.guard = is_guard(config_key("events", (size_t)group));
		if (by_class && rulefiles_by_class(config_key("events", (size_t)group)))
			r = add_by_class(set, &shipped, config, directory, list[i]->d_name);
		else
			r = add_file(set, &shipped, directory, list[i]->d_name);
		worst = r < 0 ? r : worst;
	}
	free_list(list, n);
	r = say_missing(env, config, part, seen, directory);
	return r < 0 ? r : worst;
}

/* Files that are not read for their names; augenrules reads the same ones. */
static void say_passed_over(struct log *log, const char *directory)
{
	enum { NAMED = 5 };
	struct dirent **list = NULL;
	_cleanup_text_ struct text names = {0};
	int n = scandir(directory, &list, is_passed_over, by_name);

	for (int i = 0; i < n && i < NAMED; i++)
		text_addf(&names, "%s%s", i ? ", " : "", list[i]->d_name);
	if (n > NAMED)
		text_addf(&names, " and %d more", n - NAMED);
	if (n > 0 && text_error(&names) == 0)
		log_say(log, LEVEL_WARNING, "in %s not read, for their names do not end in .rules: %s", directory, names.s);
	free_list(list, n);
}

int rulefiles_add_user(struct rule_set *set, const struct rules_env *env,
		       const struct config *config)
{
	struct dirent **list = NULL;
	const char *file;
	unsigned line;
	int n, worst = 0;

	if (config->n_rules_files > 0)
		return add_named(set, env, config);
	config_place(config, "rules", "directory", &file, &line);
	n = list_directory(config->rules_directory, &list);
	if (n == -ENOENT && !file)
		return 0;
	if (n == -EPERM)
		return refuse(env, config->rules_directory);
	if (n < 0) {
		log_say(env->log, LEVEL_ERROR, "%s: [rules] directory = %s cannot be read: %s",
			config_source(config, "rules", "directory"), config->rules_directory,
			strerror(-n));
		return -EINVAL;
	}
	say_passed_over(env->log, config->rules_directory);
	for (int i = 0; i < n; i++) {
		int r = add_file(set, env, config->rules_directory, list[i]->d_name);

		worst = r < 0 ? r : worst;
	}
	free_list(list, n);
	return worst;
}
