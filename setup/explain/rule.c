/* A rule in words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge/absent.h"
#include "rules/judge/lint.h"
#include "rules/judge/optimise.h"
#include "rules/match/people.h"
#include "rules/rule/data.h"
#include "rules/rule/names.h"
#include "rules/rule/show.h"
#include "setup/explain/explain.h"

enum { NAMED = 24, FIELDS = 8 };	/* system calls, and fields, of a screenful */

static const struct {
	uint32_t list;
	const char *asked;
} lists[] = {
	{ AUDIT_FILTER_EXIT, "when a system call ends" },
	{ AUDIT_FILTER_TASK, "when a process is made" },
	{ AUDIT_FILTER_USER, "when a program sends a record of its own" },
	{ AUDIT_FILTER_EXCLUDE, "before a record is written, whatever caused it" },
	{ AUDIT_FILTER_FS, "when an event touches a file, to leave its file system out" },
	{ AUDIT_FILTER_URING_EXIT, "when an operation of io_uring ends" },
};

/* By the name that stands in a rule; of names that begin alike the longer one first. */
static const struct {
	const char *name, *meaning;
} fields[] = {
	{ "auid", "the user who logged in, kept through su and sudo; unset: nobody did, a daemon's or a container's" },
	{ "loginuid", "the user who logged in" },
	{ "sessionid", "the login session" },
	{ "pid", "the process" }, { "ppid", "its parent" },
	{ "uid", "the user it belongs to" }, { "euid", "the user it acts as" }, { "suid", "its saved user" },
	{ "fsuid", "the user it opens files as" },
	{ "gid", "its group" }, { "egid", "the group it acts as" }, { "sgid", "its saved group" }, { "fsgid", "its group for files" },
	{ "success", "1: calls that succeed, 0: calls that fail" },
	{ "exit", "what the call returns; a failed one -ERROR" },
	{ "a0", "the call's first argument" }, { "a1", "its second" }, { "a2", "its third" }, { "a3", "its fourth" },
	{ "path", "this file" }, { "dir", "this directory and all below it" },
	{ "exe", "this program, by its path" },
	{ "inode", "the file's number" }, { "devmajor", "its device" }, { "devminor", "its device" },
	{ "filetype", "what kind of file" }, { "fstype", "which file system" },
	{ "obj_uid", "whose file it is" }, { "obj_gid", "of which group it is" },
	{ "obj_user", "its SELinux user" }, { "obj_role", "its SELinux role" }, { "obj_type", "its SELinux type" },
	{ "obj_lev_low", "its SELinux level" }, { "obj_lev_high", "its SELinux level" },
	{ "subj_user", "the process's SELinux user" }, { "subj_role", "its SELinux role, or AppArmor profile" },
	{ "subj_type", "its SELinux type" }, { "subj_sen", "its SELinux level" }, { "subj_clr", "its SELinux clearance" },
	{ "msgtype", "the type of record" },
	{ "saddr_fam", "the family of the address: 2 IPv4, 10 IPv6" },
	{ "pers", "the process's personality" },
	{ "field_compare", "two of the event's numbers against each other" },
};

static const char *meaning_of(const char *field)
{
	size_t n = strcspn(field, "=!<>&");

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == n && memcmp(fields[i].name, field, n) == 0)
			return fields[i].meaning;
	return NULL;
}

/* What the letters of perm= ask for. */
static void add_perm(struct text *out, const char *letters)
{
	static const char *const of_letter[] = { "rread it", "wwrite to it", "xexecute it", "achange its attributes" };
	const char *with = "calls that ";

	for (size_t i = 0; i < ARRAY_SIZE(of_letter); i++)
		if (strchr(letters, of_letter[i][0])) {
			text_addf(out, "%s%s", with, of_letter[i] + 1);
			with = ", or ";
		}
}

static void add_meaning(struct text *out, const char *field, const struct audit_rule_data *data)
{
	const char *meaning = meaning_of(field);
	uint32_t arch;

	if (strncmp(field, "perm=", 5) == 0) {
		text_add(out, ": ");
		add_perm(out, field + 5);
	} else if (strncmp(field, "arch=", 5) == 0 && data_find_equal(data, AUDIT_ARCH, &arch)) {
		text_addf(out, ": %s-bit programs", arch & __AUDIT_ARCH_64BIT ? "64" : "32");
	} else if (meaning) {
		text_addf(out, ": %s", meaning);
	}
}

/* --- what the kernel does ------------------------------------------------------------------- */

static void add_action(struct text *out, const struct audit_rule_data *data, const char *key)
{
	_cleanup_text_ struct text words = {0};
	bool drops = data_list(data) == AUDIT_FILTER_EXCLUDE || data_list(data) == AUDIT_FILTER_FS;

	if (drops)
		text_add(&words, "drops what it matches");
	else if (data->action == AUDIT_NEVER)
		text_add(&words, "keeps what it matches from being recorded; no later rule of its list is asked");
	else
		text_add(&words, "records what it matches; no later rule of its list is asked");
	if (key && !drops && data->action != AUDIT_NEVER)
		text_addf(&words, "; the key is %s", key);
	explain_add(out, "Does", words.s ? words.s : "");
}

static uint32_t arch_of(const struct audit_rule_data *data, const char *machine)
{
	uint32_t arch;

	return data_find_equal(data, AUDIT_ARCH, &arch) ? arch : names_machine(machine);
}

static size_t count_calls(const struct audit_rule_data *data)
{
	uint32_t next = 0, number;
	size_t n = 0;

	while (data_next_syscall(data, &next, &number))
		n++;
	return n;
}

static void add_calls(struct text *out, const struct audit_rule_data *data, const struct explain_rules *rules)
{
	uint32_t arch = arch_of(data, rules->env->machine), next = 0, number;
	size_t n = 0, all = count_calls(data);

	while (data_next_syscall(data, &next, &number)) {
		const char *name = names_show_syscall(number, arch);

		if (n++ == NAMED && !rules->all) {
			text_addf(out, " and %zu more (-v: all)", all - NAMED);
			return;
		}
		text_add(out, n > 1 ? ", " : "");
		if (name)
			text_add(out, name);
		else
			text_addf(out, "%u", number);
	}
}

static void add_asked(struct text *out, const struct audit_rule_data *data, const struct explain_rules *rules)
{
	_cleanup_text_ struct text words = {0};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (lists[i].list == data_list(data))
			text_add(&words, lists[i].asked);
	if (data_list(data) == AUDIT_FILTER_EXIT && data_mask_all(data)) {
		text_add(&words, data_has(data, AUDIT_PERM) ? ", of every call that can do what perm asks for" : ", of every call");
	} else if (data_list(data) == AUDIT_FILTER_EXIT) {
		text_add(&words, ": ");
		add_calls(&words, data, rules);
	}
	explain_add(out, "Asked", words.s ? words.s : "");
}

/* A space within is written "\ ", a backslash as two: does the word go on behind the space that it ends at? */
static bool goes_on(const char *word)
{
	size_t n = strlen(word), backslashes = 0;

	while (backslashes < n && word[n - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 != 0;
}

/* A line for each field of a printed rule, which is cut up; its keys apart. */
static void add_fields(struct text *out, const struct audit_rule_data *data, char *line, bool all, struct text *keys)
{
	static const char *const named[] = { "-F", "-C", "-w", "-p", "-k" };
	static const char *const prefix[] = { "", "", "path=", "perm=", "key=" };
	size_t n = 0;
	char *save, *option;

	for (option = strtok_r(line, " ", &save); option; option = strtok_r(NULL, " ", &save)) {
		_cleanup_text_ struct text words = {0}, field = {0};
		char *value;
		size_t i;

		for (i = 0; i < ARRAY_SIZE(named) && strcmp(named[i], option) != 0; i++)
			;
		if (i == ARRAY_SIZE(named))
			continue;
		value = strtok_r(NULL, " ", &save);
		if (!value)
			return;
		while (*save && goes_on(value)) {
			value[strlen(value)] = ' ';
			strtok_r(NULL, " ", &save);
		}
		if (strcmp(option, "-k") == 0 || strncmp(value, "key=", 4) == 0) {
			text_addf(keys, "%s%s", keys->s ? ", " : "", value + (option[1] == 'F' ? 4 : 0));
			continue;
		}
		text_addf(&field, "%s%s", prefix[i], value);
		text_add(&words, field.s ? field.s : "");
		if (strcmp(option, "-C") == 0)
			text_add(&words, ": two of the event's numbers against each other");
		else
			add_meaning(&words, field.s ? field.s : "", data);
		if (n == FIELDS && !all)
			explain_add(out, "", "and more (-v: all)");
		if (n < FIELDS || all)
			explain_add(out, n ? "" : "Matches", words.s ? words.s : "");
		n++;
	}
	if (n == 0)
		explain_add(out, "Matches", "whatever happens: no field narrows it");
}

/* --- among the others ----------------------------------------------------------------------- */

static int copy_rule(struct rule *ret, const struct rule *rule)
{
	*ret = (struct rule){ .line = rule->line, .size = rule->size, .shipped = rule->shipped, .guard = rule->guard };
	ret->file = strdup(rule->file ? rule->file : "");
	ret->data = malloc(rule->size);
	if (!ret->file || !ret->data)
		return -ENOMEM;
	memcpy(ret->data, rule->data, rule->size);
	return 0;
}

static bool same_place(const char *file, unsigned line, const struct rule *rule)
{
	return line == rule->line && strcmp(file, rule->file) == 0;
}

static bool same_data(const struct rule *a, const struct rule *b)
{
	return a->size == b->size && data_list(a->data) == data_list(b->data) &&
		memcmp(&a->data->action, &b->data->action, a->size - sizeof(a->data->flags)) == 0;
}

/* Where one more would stand: before the program's own last rule; one of the user's that come first before the shipped
 * groups that come after them. */
static size_t place_of_new(const struct rule_set *set, bool before_shipped)
{
	size_t at = set->n_rules;

	while (at > 0 && !set->rules[at - 1].shipped && set->rules[at - 1].line == 0)
		at--;
	while (before_shipped && at > 0 && set->rules[at - 1].shipped && !set->rules[at - 1].guard)
		at--;
	return at;
}

/* A set of its own, with the rule in it: at its place, or as the last of those that the user may write. *ret_at: where. */
static int copy_set(struct rule_set *ret, const struct rule *rule, const struct explain_rules *rules, size_t *ret_at,
		    bool *ret_in)
{
	const struct rule_set *set = rules->set;
	size_t at = set->n_rules;

	ret->rules = calloc(set->n_rules + 1, sizeof(*ret->rules));
	if (!ret->rules)
		return -ENOMEM;
	*ret_in = false;
	for (size_t i = 0; i < set->n_rules && !*ret_in; i++)
		if (same_place(rule->file, rule->line, &set->rules[i]) || same_data(&set->rules[i], rule)) {
			at = i;
			*ret_in = true;
		}
	if (!*ret_in)
		at = place_of_new(set, rules->user_first && !rule->shipped);
	for (size_t i = 0; i < set->n_rules + !*ret_in; i++) {
		const struct rule *from = i == at && !*ret_in ? rule : &set->rules[i - (i > at && !*ret_in)];

		if (copy_rule(&ret->rules[ret->n_rules++], from) < 0)
			return -ENOMEM;
	}
	*ret_at = at;
	return 0;
}

static void add_place(struct text *out, const struct rule *rule)
{
	struct rule_place place = rule_place(rule);

	rule_add_place(out, &place);
}

static int add_earlier(struct text *out, const struct rule_set *set, size_t at, const struct explain_rules *rules)
{
	_cleanup_free_ uint32_t *by = calloc(set->n_rules + 1, sizeof(*by));
	_cleanup_text_ struct text words = {0};
	int r = by ? lint_takers(set, rules->env, by) : -ENOMEM;

	if (r < 0)
		return r;
	if (by[at]) {
		add_place(&words, &set->rules[by[at] - 1]);
		text_add(&words, " takes every event that it matches: it never comes to act");
		if (!set->rules[at].shipped && set->rules[by[at] - 1].shipped)
			text_addf(&words, ". -A in place of -a%s puts it before",
				  set->rules[by[at] - 1].guard ? "" : ", or [rules] order = user-first,");
	} else {
		text_add(&words, "no rule before it takes all its events");
	}
	explain_add(out, "Earlier", words.s ? words.s : "");
	return text_error(&words);
}

/* The rule that this one is in, when all are optimised. */
static const struct rule *find_optimised(const struct rule_set *set, const struct rule *rule)
{
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct rule *candidate = &set->rules[i];

		if (!candidate->data)
			continue;
		if (same_place(candidate->file, candidate->line, rule))
			return candidate;
		for (size_t k = 0; k < candidate->n_merged; k++)
			if (same_place(candidate->merged[k].file, candidate->merged[k].line, rule))
				return candidate;
	}
	return NULL;
}

/* The rules that a shipped one has become for some classes of login uids. */
static int add_parts(struct text *out, const struct rule_set *set, const struct rule *rule)
{
	_cleanup_text_ struct text words = {0};
	size_t n = 0;

	for (size_t i = 0; i < set->n_rules; i++)
		n += same_place(rule->file, rule->line, &set->rules[i]);
	text_addf(&words, "as %zu rule%s, which [filter] workloads and sessions make of it:", n, n == 1 ? "" : "s");
	explain_add(out, "Loaded", words.s ? words.s : "");
	for (size_t i = 0; i < set->n_rules; i++) {
		_cleanup_text_ struct text shown = {0};

		if (!same_place(rule->file, rule->line, &set->rules[i]))
			continue;
		rule_show_people(&shown, set->rules[i].data, set->rules[i].size);
		if (text_error(&shown) < 0)
			return -ENOMEM;
		explain_add(out, "", shown.s ? shown.s : "");
	}
	return text_error(&words);
}

/* Would the kernel refuse it, so that it is left out? */
static bool add_absent(struct text *out, const struct rule *rule, const struct explain_rules *rules)
{
	_cleanup_text_ struct text directory = {0}, words = {0};

	if (!rules->env->host || !absent_refuses(rule->data, rules->env->host, &directory))
		return false;
	text_addf(&words, "not loaded: left out, since %s is not there and the kernel would refuse it",
		  directory.s ? directory.s : "a directory");
	explain_add(out, "Loaded", words.s ? words.s : "");
	return true;
}

/* in: the set has it, and not for this question alone. */
static int add_loaded(struct text *out, struct rule_set *set, const struct rule *rule, const struct explain_rules *rules, bool in)
{
	_cleanup_text_ struct text words = {0};
	const struct rule *loaded;
	int r = rules->optimise ? optimise_set(set, rules->env) : 0;

	if (r < 0)
		return r;
	loaded = find_optimised(set, rule);
	if (!loaded)
		return 0;
	text_add(&words, in ? "" : "not loaded: it is no rule of the configuration. If it were: ");
	if (loaded->n_merged) {
		text_add(&words, "in one rule with ");
		add_place(&words, loaded);
		for (size_t i = 0; i < loaded->n_merged; i++) {
			text_add(&words, ", ");
			rule_add_place(&words, &loaded->merged[i]);
		}
	} else if (same_data(loaded, rule)) {
		text_add(&words, "as it is written");
	} else {
		text_addf(&words, "with the list of %zu calls that it can match, in place of all", count_calls(loaded->data));
	}
	explain_add(out, "Loaded", words.s ? words.s : "");
	if (rules->all && !same_data(loaded, rule)) {
		text_done(&words);
		rule_show(&words, loaded->data, loaded->size);
		explain_add(out, "", words.s ? words.s : "");
	}
	return text_error(&words);
}

int explain_rule(struct text *out, const struct rule *rule, const struct explain_rules *rules)
{
	_cleanup_(rule_set_done) struct rule_set set = {0};
	_cleanup_(rule_done) struct rule at_its_place = {0};
	_cleanup_text_ struct text line = {0}, of_fields = {0}, keys = {0};
	size_t at;
	bool in;
	int r;

	rule_print(&line, rule->data, rule->size);
	if (text_error(&line) < 0 || copy_set(&set, rule, rules, &at, &in) < 0)
		return -ENOMEM;
	add_fields(&of_fields, rule->data, line.s, rules->all, &keys);
	add_action(out, rule->data, keys.s);
	add_asked(out, rule->data, rules);
	text_add(out, of_fields.s ? of_fields.s : "");
	if (in && !same_place(rule->file, rule->line, &set.rules[at]) && rule->line) {
		_cleanup_text_ struct text words = {0};

		text_add(&words, "the same rule stands at ");
		add_place(&words, &set.rules[at]);
		text_add(&words, ", and is loaded once");
		explain_add(out, "Double", words.s ? words.s : "");
	}
	r = add_earlier(out, &set, at, rules);
	/* Optimising takes those away that are made one with others. */
	if (r == 0)
		r = copy_rule(&at_its_place, &set.rules[at]);
	if (r < 0 || add_absent(out, rule, rules))
		return r < 0 ? r : text_error(out);
	if (in && same_place(rule->file, rule->line, &set.rules[at]) && !same_data(rule, &set.rules[at]))
		r = add_parts(out, &set, rule);
	else
		r = add_loaded(out, &set, &at_its_place, rules, in);
	return r < 0 ? r : text_error(out);
}

/* --- no rules ------------------------------------------------------------------------------- */

static const struct {
	const char *option, *means;
} controls[] = {
	{ "-D", "deletes all rules that the kernel has" },
	{ "-b", "how many records may wait in the kernel: [audit] backlog_limit" },
	{ "-f", "what the kernel does when it cannot record: [audit] failure" },
	{ "-r", "records a second above which the kernel drops them: [audit] rate_limit" },
	{ "-e", "auditing off (0), on (1), or on and locked until the next boot (2): [audit] lock" },
	{ "-c", "a rule that the kernel refuses does not keep those after it from being loaded" },
	{ "-i", "mistakes are ignored" },
	{ "--backlog_wait_time", "how long a process waits for room in the backlog: [audit] backlog_wait_time" },
	{ "--loginuid-immutable", "nobody can change a login uid once it is set: [audit] loginuid_immutable" },
	{ "--reset-lost", "the count of lost records begins at 0 again" },
};

void explain_other(struct text *out, const char *line)
{
	size_t n = strcspn(line += strspn(line, " "), " ");

	if (n == 0) {
		explain_add(out, "Is", "an empty line, which means nothing");
		return;
	}
	if (strncmp(line, "# lint: accept ", 15) == 0) {
		explain_add(out, "Is", "a comment that accepts a warning about the rule on the next line");
		return;
	}
	if (strncmp(line, "#-", 2) == 0) {
		explain_add(out, "Is", "a rule that is left out, since the directory of its path was not there when rules were loaded");
		return;
	}
	if (*line == '#') {
		explain_add(out, "Is", "a comment, for people");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		if (strlen(controls[i].option) == n && memcmp(controls[i].option, line, n) == 0) {
			explain_add(out, "Does", controls[i].means);
			return;
		}
	explain_add(out, "Is", "no rule, and no option that is known");
}
