#include "setup/node/wanted.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "rules/judge/absent.h"
#include "rules/match/classes.h"
#include "rules/parse/warnings.h"
#include "rules/rule/data.h"
#include "rules/rule/show.h"
#include "setup/base/sha256.h"
#include "setup/config/config_keys.h"
#include "setup/config/rulefiles.h"
#include "setup/containers/place.h"
#include "setup/host/lookups.h"
#include "setup/host/outlast.h"
#include "setup/host/pam.h"
#include "setup/node/recording.h"
#include "setup/node/settings.h"
#include "units/audit_units.h"
#include "units/host_units.h"

#define RULES_FILE "/etc/audit/cloud-audit-setup.rules"
#define SCANNER_FILE "/etc/audit/rules.d/zz-cloud-audit-setup.rules"
#define LEFT_OUT "#"	/* before a rule that is left out: a comment of ours has a space behind it */
#define STAGED ": left out until the boot after "
#define REFUSED ": left out, since the kernel has refused it at boot"

#define RULE_COMMENT "#"
#define UNIT_COMMENT "#;"

const struct wanted_file wanted_files[N_FILES] = {
	[FILE_TTY_PROGRAM] = { NULL, 0755, 0755, .optional = true, .binary = true },
	[FILE_RUNTIME_PROGRAM] = { NULL, 0755, 0755, .optional = true, .binary = true },
	[FILE_RUNTIME_FAILED] = { NULL, 0644, 0755, .optional = true, .alone = true },
	[FILE_RUNTIME_EXCEPT] = { NULL, 0644, 0755, .optional = true, .alone = true },
	[FILE_RUNTIME_RUNC] = { NULL, 0755, 0755, .optional = true, .binary = true, .alone = true },
	[FILE_RUNTIME_CRUN] = { NULL, 0755, 0755, .optional = true, .binary = true, .alone = true },
	[FILE_RULES] = { RULES_FILE, 0640, 0750, .comments = RULE_COMMENT },
	[FILE_SETUP_UNIT] = { UNIT_DIRECTORY "/" SETUP_UNIT, 0644, 0755, .unit = SETUP_UNIT, .comments = UNIT_COMMENT },
	[FILE_LOCK_UNIT] = { UNIT_DIRECTORY "/" LOCK_UNIT, 0644, 0755, .unit = LOCK_UNIT, .comments = UNIT_COMMENT },
	[FILE_SCANNER] = { SCANNER_FILE, 0640, 0750, .optional = true, .alone = true, .comments = RULE_COMMENT },
	[FILE_HOST_UNIT] = { UNIT_DIRECTORY "/" HOST_UNIT, 0644, 0755, .unit = HOST_UNIT, .optional = true,
			     .comments = UNIT_COMMENT },
	[FILE_JOURNALD] = { UNIT_DIRECTORY "/" JOURNALD_UNIT ".d/" DROP_IN, 0644, 0755, .optional = true,
			    .drop_in = true, .comments = UNIT_COMMENT },
	[FILE_JOURNALD_SOCKET] = { UNIT_DIRECTORY "/" JOURNALD_SOCKET ".d/" DROP_IN, 0644, 0755, .optional = true,
				   .drop_in = true, .comments = UNIT_COMMENT },
	[FILE_RUNTIME] = { NULL, 0644, 0755, .optional = true, .drop_in = true, .comments = UNIT_COMMENT },
	[FILE_RUNTIME_OLD] = { NULL, 0644, 0755, .optional = true, .drop_in = true, .comments = UNIT_COMMENT },
	[FILE_PAM_SSHD] = { PAM_SSHD, 0644, 0755, .optional = true, .foreign = true },
};

const char *wanted_path(const struct wanted *wanted, size_t i)
{
	return wanted->paths[i] ? wanted->paths[i] : wanted_files[i].path;
}

/* A filter of the configuration as rules: each item of a list gives one of each pattern. */
static int add_filter(struct rule_set *set, const struct rules_env *env,
		      const struct config_list *list, const char *pattern)
{
	int worst = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct config_item *item = &list->items[i];
		_cleanup_text_ struct text rule = {0};
		int r;

		text_add(&rule, pattern);
		for (const char *s = item->value; *s; s++)
			text_addf(&rule, "%s%c", *s == ' ' || *s == '\\' ? "\\" : "", *s);
		r = text_error(&rule);
		if (r == 0)
			r = rules_read_line(set, env, item->file, item->line, rule.s);
		if (r < 0)
			worst = r;
	}
	return worst;
}

static int add_min_auid(struct rule_set *set, const struct rules_env *env,
			const struct config *config)
{
	const char *file;
	unsigned line;
	char rule[64];
	int64_t least;
	int r, s;

	if (config->min_auid < 0)
		return 0;
	config_place(config, "filter", "min_auid", &file, &line);
	/* What has a terminal in a container stays, however high the bound is. */
	least = config->identity && config->min_auid > CLASS_TERMINALS ? CLASS_TERMINALS : config->min_auid;
	snprintf(rule, sizeof(rule), "-a never,exit -F auid<%lld", (long long)least);
	r = rules_read_line(set, env, file, line, rule);
	s = rules_read_line(set, env, file, line, "-a never,exit -F auid=unset");
	r = r < 0 ? r : s;
	/* What containers do by themselves, and what nobody types, counts as it did when it had no login uid. */
	if (config->identity) {
		snprintf(rule, sizeof(rule), "-a never,exit -F auid>=%u -F auid<%u", CLASS_WORKLOADS, CLASS_TERMINALS);
		s = rules_read_line(set, env, file, line, rule);
		r = r < 0 ? r : s;
	}
	return r;
}

/* Every start of a container, every session and probe would have two events more: the start of what gives it its identity, and then
 * becomes the runtime, whose own start is recorded; and the call that gives it, of which LOGIN says all. It is started without a
 * login uid: what somebody in a session, or in a container that has one, puts in its place is not left out. */
static int add_wrapper(struct rule_set *set, const struct rules_env *env, const struct config *config,
		       const struct host *host)
{
	static const char *const names[] = { RUNTIME_RUNC, RUNTIME_CRUN };
	static const char *const calls[] = { "execve,execveat -F auid=unset", "pwritev" };
	const char *place = config->identity && !config->host_unseen ? place_find(host) : NULL;
	struct rules_env shipped = *env;
	int worst = 0;

	shipped.shipped = shipped.guard = true;
	for (size_t i = 0; place && i < ARRAY_SIZE(names) * ARRAY_SIZE(calls); i++) {
		_cleanup_text_ struct text rule = {0};
		int r;

		text_addf(&rule, "-a never,exit -F arch=b64 -S %s -F exe=%s/%s", calls[i / ARRAY_SIZE(names)], place,
			  names[i % ARRAY_SIZE(names)]);
		r = text_error(&rule);
		if (r == 0)
			r = rules_read_line(set, &shipped, RUNTIME_PROGRAM, 0, rule.s);
		worst = r < 0 ? r : worst;
	}
	return worst;
}

static int add_filters(struct rule_set *set, const struct rules_env *env,
		       const struct config *config)
{
	const struct {
		const struct config_list *list;
		const char *pattern;
	} filters[] = {
		{ &config->exclude_types, "-a never,exclude -F msgtype=" },
		{ &config->exclude_uid, "-a never,exclude -F uid=" },
		{ &config->exclude_exe, "-a never,exclude -F exe=" },
	};
	struct rules_env filter = *env;
	int worst = 0;

	filter.filter = true;
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		/* The exclude list drops whatever the task causes, also what no syscall rule asked for. */
		int r = add_filter(set, &filter, filters[i].list, filters[i].pattern);

		worst = r < 0 ? r : worst;
	}
	if (add_min_auid(set, &filter, config) < 0)
		worst = -EINVAL;
	return worst;
}

/* The shipped rules and the user's, in the configured order. */
static int add_files(struct rule_set *set, const struct rules_env *env, const struct config *config)
{
	bool user_first = config->order == ORDER_USER_FIRST;
	int worst = rulefiles_add_shipped(set, env, config, user_first ? SHIPPED_GUARD : SHIPPED_ALL);
	int r = rulefiles_add_user(set, env, config);

	worst = r < 0 ? r : worst;
	if (user_first)
		r = rulefiles_add_shipped(set, env, config, SHIPPED_OTHERS);
	return r < 0 ? r : worst;
}

struct rules_host wanted_ask(struct lookups *lookups, const struct host *host, const struct config *config)
{
	static const char *const made[] = { "/etc/audit", UNIT_DIRECTORY, NULL };

	lookups->unseen = config->host_unseen;
	lookups->made[0] = config->unit_mode == MODE_FILE ? made : NULL;
	lookups->made[1] = config->identity ? place_made : NULL;
	return lookups_for(lookups, host);
}

/* Appends END_RULE, in the place of one that a user has copied from a rules file of ours. */
static int add_end(struct rule_set *set, const struct rules_env *env)
{
	int r = rules_read_line(set, env, END_SOURCE, 0, END_RULE);
	struct rule *rules = set->rules;
	size_t last = set->n_rules - 1, n = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i <= last; i++) {
		if (i == last || !data_same_but_form(rules[i].data, rules[last].data)) {
			rules[n++] = rules[i];
			continue;
		}
		log_at(env->log, LEVEL_WARNING, rules[i].file, rules[i].line, "this is the rule that ends every rules file of "
		       "cloud-audit-setup; it is loaded once, as the last [lint: double]");
		rule_done(&rules[i]);
	}
	set->n_rules = n;
	return 0;
}

/* One of add_wrapper()'s. */
static bool is_wrapper(const struct rule *rule)
{
	return rule->shipped && rule->line == 0 && strcmp(rule->file, RUNTIME_PROGRAM) == 0;
}

/* Before paths and names are looked up, doubles dropped and rules optimised: of equal rules the same, wherever their files
 * lie, and whatever stands between them. What nobody wrote names a directory of the host's, and is not in it: the same
 * rules have the same hash on each node, and where none is to be seen. */
static void hash_source(const struct rule_set *set, char *ret)
{
	struct sha256 sha;

	sha256_begin(&sha);
	for (size_t i = 0; i < set->n_rules; i++) {
		if (is_wrapper(&set->rules[i]))
			continue;
		sha256_add(&sha, set->rules[i].written, strlen(set->rules[i].written));
		sha256_add(&sha, "\n", 1);
	}
	sha256_end(&sha, ret);
}

static int build_rules(struct wanted *wanted, const struct config *config, const struct host *host,
		       const char *machine, struct log *log)
{
	struct rules_setting settings[SETTINGS_MAX];
	struct text store[SETTINGS_MAX] = {0};
	_cleanup_(lookups_done) struct lookups lookups = { .assumed = wanted->forms, .n_assumed = wanted->n_forms };
	struct rules_host ask = wanted_ask(&lookups, host, config);
	struct rules_backlog backlog = { .file = NULL };
	struct utsname uts;
	struct rules_env env = {
		.log = log, .warnings = wanted->warnings, .host = &ask, .settings = settings, .machine = machine,
		.identity = config->identity, .forgeable = !config->identity && !config->host_unseen && place_has_runtime(host),
		.optimise = config->optimise, .backlog = &backlog, .absent_fails = config->absent == ABSENT_FAIL,
	};
	int n = settings_for_rules(config, settings, store), worst = 0, r;

	/* Looked up here, and not again for every rule. */
	if (!machine) {
		if (n >= 0 && uname(&uts) < 0)
			n = -errno;
		env.machine = uts.machine;
	}
	if (n >= 0) {
		env.n_settings = (size_t)n;
		worst = add_filters(&wanted->rules, &env, config);
		r = add_wrapper(&wanted->rules, &env, config, host);
		worst = r < 0 ? r : worst;
		r = add_files(&wanted->rules, &env, config);
		worst = r < 0 ? r : worst;
		if (worst == 0)
			hash_source(&wanted->rules, wanted->source_sha256);
		/* A mistake in one rule keeps none in another from being told. */
		if (worst == -EINVAL && absent_check(&wanted->rules, &env) == -ENOMEM)
			worst = -ENOMEM;
		if (worst == 0)
			worst = rules_finish(&wanted->rules, &env);
		if (worst == 0)
			worst = settings_init(&wanted->settings, config, &backlog);
		if (worst == 0)
			worst = add_end(&wanted->rules, &env);
	}
	warnings_tell(wanted->warnings);
	free(backlog.file);
	for (size_t i = 0; i < SETTINGS_MAX; i++)
		text_done(&store[i]);
	return n < 0 ? n : worst;
}

/* What is left out before rule i, as comments, which tell a later run so. One whose path has come while the kernel was
 * locked is for the next boot to load, and no difference before. */
static void print_left_out(const struct rule_set *set, size_t i, size_t *next, struct text *out)
{
	for (; *next < set->n_rules && set->rules[*next].at <= i; ++*next) {
		const struct rule *rule = &set->rules[*next];
		const struct rule_place place = rule_place(rule);

		for (size_t k = 0; k < rule->n_merged; k++)
			rule_add_source(out, &rule->merged[k]);
		text_add(out, "# ");
		rule_add_place(out, &place);
		if (rule->staged)
			text_addf(out, STAGED "%s\n", rule->staged);
		else if (rule->refused)
			text_add(out, REFUSED "\n" LEFT_OUT);
		else
			text_addf(out, ": left out, since %s was not there when rules were loaded\n" LEFT_OUT,
				  rule->absent ? rule->absent : "the directory of its path");
		rule_print(out, rule->data, rule->size);
		text_add(out, "\n");
	}
}

/* log NULL: what there is to say was said before. */
static int print_rules_file(const struct wanted *wanted, const struct config *config,
			    struct text *out, struct log *log)
{
	struct rule_printed before = {0};
	size_t next = 0;
	int r = 0;

	text_add(out, "# Written by cloud-audit-setup, which replaces it when the configuration changes.\n"
		 "# Loaded with auditctl -R.\n"
		 "# " END_SOURCE ": a rule that the kernel refuses does not keep the others out\n-c\n");
	settings_lines(&wanted->settings, config, true, settings_add_line, out);
	for (size_t i = 0; i < wanted->rules.n_rules; i++) {
		const struct rule *rule = &wanted->rules.rules[i];
		const struct rule_place place = rule_place(rule);

		print_left_out(&wanted->left_out, i, &next, out);
		rule_add_source(out, &place);
		for (size_t k = 0; k < rule->n_merged; k++)
			rule_add_source(out, &rule->merged[k]);
		if (!rule_print_next(out, rule->data, rule->size, &before)) {
			if (log)
				log_at(log, LEVEL_ERROR, rule->file, rule->line, "auditctl has no line of a rules file for "
				       "this rule; write it in another way");
			r = -EINVAL;
		}
		text_add(out, "\n");
	}
	/* Where these are fewer than when it was left out, too. */
	print_left_out(&wanted->left_out, SIZE_MAX, &next, out);
	settings_lines(&wanted->settings, config, false, settings_add_line, out);
	return r < 0 ? r : text_error(out);
}

/* What augenrules makes of it at boot is loaded before our own file, which replaces it: so it has no setting, and not the rule
 * that tells that our file was read to its end. */
static int print_scanner_copy(const struct wanted *wanted, const struct config *config, struct text *out)
{
	text_done(out);
	if (!config->scanner_copy)
		return 0;
	text_add(out, "# Written by cloud-audit-setup ([rules] scanner_copy = yes) for scanners, which look for rules here. In\n"
		 "# force is " RULES_FILE ", which is loaded after what is here, and replaces it.\n");
	for (size_t i = 0; i + 1 < wanted->rules.n_rules; i++) {
		const struct rule *rule = &wanted->rules.rules[i];
		const struct rule_place place = rule_place(rule);

		rule_add_source(out, &place);
		rule_show_usual(out, rule->data, rule->size);
		text_add(out, "\n");
	}
	return text_error(out);
}

const char *wanted_find_auditctl(const struct host *host)
{
	static const char *const paths[] = { "/sbin/auditctl", "/usr/sbin/auditctl" };
	bool directory;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (host_path_type(host, paths[i], &directory) == 1 && !directory)
			return paths[i];
	return NULL;
}

int wanted_build(struct wanted *ret, const struct config *config, const struct host *host,
		 const char *machine, enum log_level no_auditctl, struct log *log)
{
	uint64_t timeout = (uint64_t)config->start_timeout;
	struct host_recording recording;
	int r;

	*ret = (struct wanted){ .auditctl = wanted_find_auditctl(host), .warnings = warnings_new(log) };
	if (!ret->warnings)
		return -ENOMEM;
	r = build_rules(ret, config, host, machine, log);
	if (r < 0)
		return r;
	if (!ret->auditctl && lookups_see_host(host)) {
		log_say(log, no_auditctl, "there is no auditctl in /sbin or /usr/sbin below %s, which apply needs; "
			"install the host's audit package, or point --root at the host's root; nothing was changed",
			host->root);
		if (no_auditctl == LEVEL_ERROR)
			return -ENOENT;
	}
	if (!ret->auditctl)
		ret->auditctl = "/sbin/auditctl";
	if (config->unit_mode == MODE_TRANSIENT)
		return print_rules_file(ret, config, &ret->transient, log);
	r = print_rules_file(ret, config, &ret->files[FILE_RULES], log);
	if (r == 0)
		r = print_scanner_copy(ret, config, &ret->files[FILE_SCANNER]);
	if (r == 0)
		r = print_setup_unit(ret->auditctl, RULES_FILE, timeout, &ret->files[FILE_SETUP_UNIT]);
	if (r == 0 && config->lock)
		r = print_lock_unit(ret->auditctl, timeout, &ret->files[FILE_LOCK_UNIT]);
	if (r == 0 && recording_wanted(config, &recording))
		r = print_host_unit(&recording, timeout, &ret->files[FILE_HOST_UNIT]);
	return r;
}

/* The rule of the set, or else one that is the same in the other form; n_rules: none. */
static size_t find_rule(const struct rule_set *set, const struct rule *rule)
{
	size_t other = set->n_rules;

	for (size_t i = 0; i < set->n_rules; i++) {
		if (!data_same_but_form(set->rules[i].data, rule->data))
			continue;
		if (memcmp(set->rules[i].data->fields, rule->data->fields, sizeof(rule->data->fields)) == 0)
			return i;
		other = i;
	}
	return other;
}

/* Takes the rules out that were left out before, which get the form that they have now. */
static void drop_left_out(struct rule_set *rules, struct rule_set *out)
{
	for (size_t k = 0; k < out->n_rules; k++) {
		size_t i = find_rule(rules, &out->rules[k]);
		struct rule *rule = &rules->rules[i];
		struct audit_rule_data *data = out->rules[k].data;

		if (i == rules->n_rules)
			continue;
		out->rules[k].data = rule->data;
		rule->data = data;
		rule_done(rule);
		memmove(rule, rule + 1, (--rules->n_rules - i) * sizeof(*rule));
	}
}

/* Reads the rules once more, without those that were left out; forms: of paths that are not taken as they are now. */
static int read_rules(struct rule_set *ret, struct wanted *wanted, const struct config *config, const struct host *host,
		      struct path_form *forms, size_t n_forms)
{
	/* Everything that there is to say was said at the first reading. */
	_cleanup_fclose_ FILE *nowhere = fopen("/dev/null", "we");
	_cleanup_(log_freep) struct log *quiet = nowhere ? log_new(nowhere) : NULL;
	struct wanted fresh = { .forms = forms, .n_forms = n_forms };
	int r = quiet ? build_rules(&fresh, config, host, NULL, quiet) : -ENOMEM;

	settings_done(&fresh.settings);
	if (r < 0) {
		rule_set_done(&fresh.rules);
		return r;
	}
	drop_left_out(&fresh.rules, &wanted->left_out);
	*ret = fresh.rules;
	return 0;
}

/* In the place of what is in the text. */
static int print_again(const struct wanted *wanted, const struct config *config, struct text *text)
{
	text_done(text);
	return print_rules_file(wanted, config, text, NULL);
}

int wanted_read_again(struct wanted *wanted, const struct config *config, const struct host *host, struct text *text)
{
	struct rule_set rules = {0};
	int r = read_rules(&rules, wanted, config, host, wanted->forms, wanted->n_forms);

	if (r < 0)
		return r;
	rule_set_done(&wanted->rules);
	wanted->rules = rules;
	r = print_again(wanted, config, text);
	return r < 0 ? r : print_scanner_copy(wanted, config, &wanted->files[FILE_SCANNER]);
}

/* Is a directory there when a boot loads rules that is there now? */
static bool is_there_at_boot(const struct host *host, const struct rules_host *ask, const char *directory)
{
	_cleanup_text_ struct text why = {0};

	ask->late(ask->context, directory, &why);
	return !why.s && host_outlasts(host, directory) != OUTLAST_NO;
}

/* The files for the next boot, which finds the host's paths as they are now, but for a directory that comes later than rules: there it
 * finds none, and the kernel would refuse the rule. */
static int print_for_boot(struct wanted *wanted, const struct config *config, const struct host *host)
{
	_cleanup_free_ struct path_form *forms = calloc(wanted->n_forms + 1, sizeof(*forms));
	_cleanup_(lookups_done) struct lookups lookups = { .n = 0 };
	struct rules_host ask = wanted_ask(&lookups, host, config);
	struct rule_set kept = wanted->rules, rules = {0};
	size_t n = 0;
	int r;

	if (!forms)
		return -ENOMEM;
	for (size_t i = 0; i < wanted->n_forms; i++)
		if (!wanted->forms[i].directory && !is_there_at_boot(host, &ask, wanted->forms[i].path))
			forms[n++] = wanted->forms[i];
	r = read_rules(&rules, wanted, config, host, forms, n);
	if (r < 0)
		return r;
	wanted->rules = rules;
	r = print_again(wanted, config, &wanted->files[FILE_RULES]);
	if (r == 0)
		r = print_scanner_copy(wanted, config, &wanted->files[FILE_SCANNER]);
	wanted->rules = kept;
	rule_set_done(&rules);
	return r;
}

static int print_now(struct wanted *wanted, const struct config *config, struct text *rules, struct text *copy)
{
	int r = print_again(wanted, config, rules);

	return r < 0 ? r : print_scanner_copy(wanted, config, copy);
}

int wanted_print_rules(struct wanted *wanted, const struct config *config, const struct host *host, struct log *log)
{
	struct text *copy = &wanted->files[FILE_SCANNER];
	int r;

	if (config->unit_mode == MODE_TRANSIENT)
		r = print_now(wanted, config, &wanted->transient, copy);
	else if (wanted->loaded.s)
		r = print_for_boot(wanted, config, host);
	else
		r = print_now(wanted, config, &wanted->files[FILE_RULES], copy);
	if (r == 0 && wanted->loaded.s)
		r = print_now(wanted, config, &wanted->loaded, &wanted->loaded_copy);
	if (r == -EINVAL)
		log_say(log, LEVEL_ERROR, "rules or accounts were changed while they were read; run it again; nothing was changed");
	return r == -ENOMEM ? log_no_memory(log) : r;
}

const struct text *wanted_rules_text(const struct wanted *wanted)
{
	return wanted->transient.s ? &wanted->transient : &wanted->files[FILE_RULES];
}

/* Does the line begin as rule_print() begins a rule? */
static bool is_rule(const char *line)
{
	static const char *const begins[] = { "-a ", "-A ", "-S ", "-w " };
	bool is = false;

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		is = is || strncmp(line, begins[i], strlen(begins[i])) == 0;
	return is;
}

/* The next line with a rule that is left out; NULL: there is none. */
static const char *next_left_out(const char *s, size_t *ret_length)
{
	for (; *s; s += *s == '\n') {
		size_t length = strcspn(s, "\n");

		if (strncmp(s, LEFT_OUT, strlen(LEFT_OUT)) == 0 && is_rule(s + strlen(LEFT_OUT))) {
			*ret_length = length;
			return s;
		}
		s += length;
	}
	return NULL;
}

static bool same_bytes(const char *a, size_t n_a, const char *b, size_t n_b)
{
	return n_a == n_b && memcmp(a, b, n_a) == 0;
}

/* Is the line of a file's path the same as that of a directory's, but for that? */
static bool same_but_form(const char *a, size_t n_a, const char *b, size_t n_b)
{
	static const char file[] = " -F path=", directory[] = " -F dir=";
	const char *x = memmem(a, n_a, file, strlen(file)), *y = memmem(b, n_b, directory, strlen(directory));
	size_t at = x ? (size_t)(x - a) : 0;

	return x && y && same_bytes(a, at, b, (size_t)(y - b)) &&
	       same_bytes(x + strlen(file), n_a - at - strlen(file), y + strlen(directory), n_b - at - strlen(directory));
}

/* Of a rule that is not loaded the form is as it was found. */
static bool same_line(const char *a, size_t n_a, const char *b, size_t n_b)
{
	return same_bytes(a, n_a, b, n_b) || same_but_form(a, n_a, b, n_b) || same_but_form(b, n_b, a, n_a);
}

/* What is left out is a comment to auditctl, and not to us. */
static bool same_rules(const struct text *a, const struct text *b)
{
	const char *x = a->s, *y = b->s;
	size_t n_x = 0, n_y = 0;

	if (!text_equal_but_comments(a, b, RULE_COMMENT) || !x)
		return !x && !y;
	do {
		x = next_left_out(x + n_x, &n_x);
		y = next_left_out(y + n_y, &n_y);
		if (!x || !y)
			return !x && !y;
	} while (same_line(x, n_x, y, n_y));
	return false;
}

bool wanted_same(const struct wanted *wanted, size_t i, const struct text *have)
{
	const char *comments = wanted_files[i].comments;

	if (i == FILE_RULES && wanted->files[i].s)
		return wanted_same_rules(wanted, have);
	if (i == FILE_SCANNER && wanted->loaded_copy.s && text_equal_but_comments(&wanted->loaded_copy, have, comments))
		return true;
	return comments ? text_equal_but_comments(&wanted->files[i], have, comments) :
		text_equal(&wanted->files[i], have);
}

bool wanted_same_rules(const struct wanted *wanted, const struct text *have)
{
	return same_rules(wanted_rules_text(wanted), have) || (wanted->loaded.s && same_rules(&wanted->loaded, have));
}

void wanted_done(struct wanted *wanted)
{
	text_done(&wanted->transient);
	text_done(&wanted->pam);
	text_done(&wanted->loaded);
	text_done(&wanted->loaded_copy);
	for (size_t i = 0; i < wanted->n_forms; i++)
		free(wanted->forms[i].path);
	free(wanted->forms);
	rule_set_done(&wanted->rules);
	free(wanted->overrides);
	free(wanted->path_overrides);
	free(wanted->runtime_path);
	rule_set_done(&wanted->left_out);
	settings_done(&wanted->settings);
	warnings_free(wanted->warnings);
	for (size_t i = 0; i < N_FILES; i++) {
		text_done(&wanted->files[i]);
		free(wanted->paths[i]);
	}
}

/* What a line of a rules file of ours is. */
enum { LINE_OTHER, LINE_RULE, LINE_LEFT_OUT, LINE_REFUSED, LINE_STAGED, LINE_KINDS };

/* Does the line, which is n long, end so? */
static bool ends_with(const char *line, size_t n, const char *end)
{
	size_t n_end = strlen(end);

	return n >= n_end && memcmp(line + n - n_end, end, n_end) == 0;
}

/* boot: NULL where it does not matter what was staged in it; before: the line in front. */
static int line_kind(const char *line, const char *before, const char *boot)
{
	size_t n = strcspn(before, "\n"), n_boot = boot ? strlen(boot) : 0;
	bool left_out = strncmp(line, LEFT_OUT, strlen(LEFT_OUT)) == 0;

	if (!is_rule(left_out ? line + strlen(LEFT_OUT) : line))
		return LINE_OTHER;
	if (left_out)
		return ends_with(before, n, REFUSED) ? LINE_REFUSED : LINE_LEFT_OUT;
	return boot && ends_with(before, n, boot) && ends_with(before, n - n_boot, STAGED) ? LINE_STAGED : LINE_RULE;
}

/* The rules in a rules file's content, by kind; NULL for those that are not wanted. */
static int read_lines(const struct host *host, const char *content, const char *boot,
		      struct rule_set *const ret[LINE_KINDS])
{
	_cleanup_fclose_ FILE *nowhere = fopen("/dev/null", "we");
	_cleanup_(log_freep) struct log *quiet = nowhere ? log_new(nowhere) : NULL;
	_cleanup_(lookups_done) struct lookups lookups = { .n = 0 };
	struct rules_host ask = lookups_for(&lookups, host);
	struct rules_env env = { .log = quiet, .host = &ask };
	const char *before = "";

	if (!quiet)
		return -ENOMEM;
	for (size_t length; *content; content += length + (content[length] == '\n')) {
		int kind = line_kind(content, before, boot);
		const char *rule = kind == LINE_LEFT_OUT || kind == LINE_REFUSED ? content + strlen(LEFT_OUT) : content;
		_cleanup_free_ char *line = NULL;

		before = content;
		length = strcspn(content, "\n");
		if (!ret[kind])
			continue;
		line = strndup(rule, length - (size_t)(rule - content));
		if (!line)
			return -ENOMEM;
		/* A line that somebody else spoilt is no rule of ours. */
		if (rules_read_line(ret[kind], &env, wanted_files[FILE_RULES].path, 0, line) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

int wanted_earlier_rules(const struct host *host, const char *content, struct rule_set *ret,
			 bool *ret_replaced)
{
	struct rule_set *const kinds[LINE_KINDS] = { [LINE_RULE] = ret };

	*ret_replaced = strncmp(content, "-D\n", 3) == 0 || strstr(content, "\n-D\n");
	return read_lines(host, content, NULL, kinds);
}

int wanted_earlier_left_out(const struct host *host, const char *content, const char *boot, struct rule_set *ret,
			    struct rule_set *ret_refused, struct rule_set *ret_staged)
{
	struct rule_set *const kinds[LINE_KINDS] = {
		[LINE_LEFT_OUT] = ret, [LINE_REFUSED] = ret_refused, [LINE_STAGED] = ret_staged,
	};

	return read_lines(host, content, boot, kinds);
}
