#include "rules/judge/order.h"

#include <errno.h>
#include <string.h>

#include "rules/match/perm.h"
#include "rules/parse/warnings.h"
#include "rules/rule/data.h"
#include "rules/rule/names.h"

enum {
	ARCHES = 2,	/* a machine's own and its 32-bit one */
	BINDS = 2,
	GROUPS_MAX = 32,
};

struct machine {
	uint32_t arches[ARCHES];
	bool known[ARCHES];		/* are the classes of its system calls? */
	int binds[ARCHES][BINDS];	/* -1: it has none of that name */
	struct perm_masks perms[ARCHES];
};

/* The system calls that a rule of the list exit can match, by architecture; of one that it excludes, none. */
struct calls {
	uint32_t mask[ARCHES][AUDIT_BITMASK_SIZE];
};

/* A shipped group: rules of one key. */
struct group {
	char *name;
	const struct rule *first;	/* of the user's rules that take events of it */
	size_t n;
	bool taken;			/* by the rule that is looked at */
};

static bool find_field(const struct audit_rule_data *data, uint32_t field, struct data_field *ret)
{
	uint32_t at = 0;
	size_t offset = 0;

	while (data_next(data, &at, &offset, ret))
		if (ret->field == field && ret->operator == AUDIT_EQUAL)
			return true;
	return false;
}

static void machine_init(struct machine *machine, const struct rules_env *env)
{
	machine->arches[0] = names_machine(env->machine);
	machine->arches[1] = names_arch32(machine->arches[0]);
	for (size_t i = 0; i < ARCHES; i++) {
		machine->known[i] = perm_masks_init(&machine->perms[i], machine->arches[i]);
		machine->binds[i][0] = names_syscall("bind", machine->arches[i]);
		machine->binds[i][1] = names_syscall("socketcall", machine->arches[i]);
	}
}

static void read_calls(const struct machine *machine, const struct audit_rule_data *data, struct calls *ret)
{
	struct data_field arch, perm;
	bool one_arch = find_field(data, AUDIT_ARCH, &arch), narrowed = find_field(data, AUDIT_PERM, &perm);

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARCHES; i++) {
		uint32_t classes[AUDIT_BITMASK_SIZE] = { 0 };

		if (one_arch && arch.value != machine->arches[i])
			continue;
		memcpy(ret->mask[i], data->mask, sizeof(ret->mask[i]));
		if (!narrowed || !machine->known[i])
			continue;
		perm_masks_add(&machine->perms[i], perm.value, classes);
		/* bind() has a file only where it makes a socket's, of the family unix (kernel/auditsc.c
		 * audit_match_perm()), and no group asks for that. */
		for (size_t k = 0; k < BINDS; k++)
			if (machine->binds[i][k] >= 0)
				classes[AUDIT_WORD(machine->binds[i][k])] &= ~AUDIT_BIT(machine->binds[i][k]);
		for (size_t k = 0; k < AUDIT_BITMASK_SIZE; k++)
			ret->mask[i][k] &= classes[k];
	}
}

static bool share_calls(const struct calls *a, const struct calls *b)
{
	for (size_t i = 0; i < ARCHES; i++)
		for (size_t k = 0; k < AUDIT_BITMASK_SIZE; k++)
			if (a->mask[i][k] & b->mask[i][k])
				return true;
	return false;
}

/* The path of a rule on a file or a directory. */
static bool find_path(const struct audit_rule_data *data, struct data_field *ret)
{
	return find_field(data, AUDIT_WATCH, ret) || find_field(data, AUDIT_DIR, ret);
}

/* Is it the same path, or below a directory? */
static bool reaches(const struct data_field *from, const struct data_field *path)
{
	size_t n = from->len;

	while (from->field == AUDIT_DIR && n > 1 && from->text[n - 1] == '/')
		n--;
	if (path->len < n || memcmp(from->text, path->text, n) != 0)
		return false;
	return path->len == n || (from->field == AUDIT_DIR && (path->text[n] == '/' || n == 1));
}

/* Do two rules ask for different values of one field? */
static bool contradict(const struct audit_rule_data *a, const struct audit_rule_data *b)
{
	struct data_field x, y;
	uint32_t at = 0;
	size_t offset = 0;

	if (find_path(a, &x) && find_path(b, &y) && !reaches(&x, &y) && !reaches(&y, &x))
		return true;
	while (data_next(a, &at, &offset, &x)) {
		if (x.operator != AUDIT_EQUAL || x.field == AUDIT_FILTERKEY || x.field == AUDIT_PERM ||
		    x.field == AUDIT_WATCH || x.field == AUDIT_DIR || x.field == AUDIT_ARCH || !find_field(b, x.field, &y))
			continue;
		if (x.value != y.value || (x.text && memcmp(x.text, y.text, x.len) != 0))
			return true;
	}
	return false;
}

/* The group of a shipped rule, by its key; NULL: it has none. */
static struct group *find_group(struct group *groups, size_t *n, const struct audit_rule_data *data)
{
	struct data_field key;

	if (!find_field(data, AUDIT_FILTERKEY, &key))
		return NULL;
	for (size_t i = 0; i < *n; i++)
		if (strlen(groups[i].name) == key.len && memcmp(groups[i].name, key.text, key.len) == 0)
			return &groups[i];
	if (*n == GROUPS_MAX || !(groups[*n].name = strndup(key.text, key.len)))
		return NULL;
	return &groups[(*n)++];
}

/* Is it put before all rules, and takes each event of its system calls? */
static bool is_wide(const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->data->field_count; i++)
		if (rule->data->fields[i] != AUDIT_ARCH && rule->data->fields[i] != AUDIT_FILTERKEY)
			return false;
	return rule->data->action == AUDIT_NEVER && (rule->data->flags & AUDIT_FILTER_PREPEND);
}

/* Marks the groups behind rule i that it takes events of. What is put before all with a condition is meant so. */
static void mark_taken(const struct rule_set *set, size_t i, size_t end, const struct machine *machine,
		       const struct calls *calls, struct group *groups, size_t *n)
{
	const struct rule *rule = &set->rules[i];
	struct calls mine;

	read_calls(machine, rule->data, &mine);
	for (size_t k = is_wide(rule) ? 0 : i + 1; k < end; k++) {
		const struct rule *shipped = &set->rules[k];
		struct group *group;

		if (!shipped->shipped || data_list(shipped->data) != AUDIT_FILTER_EXIT || !share_calls(&mine, &calls[k]) ||
		    contradict(rule->data, shipped->data))
			continue;
		group = find_group(groups, n, shipped->data);
		if (group)
			group->taken = true;
	}
}

static void tell_rule(const struct rule *rule, const struct rules_env *env, struct group *groups, size_t n)
{
	_cleanup_text_ struct text names = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (!groups[i].taken)
			continue;
		groups[i].taken = false;
		if (rule->data->action == AUDIT_NEVER) {
			text_addf(&names, "%s%s", names.len ? ", " : "", groups[i].name);
			continue;
		}
		if (!groups[i].first)
			groups[i].first = rule;
		groups[i].n++;
	}
	if (names.s)
		warnings_add(env->warnings, env->log, "silences", rule->file, rule->line, "this rule with never stands before "
			     "the shipped groups: events of %s that it matches are not recorded", names.s);
}

static void tell_groups(const struct rules_env *env, const struct group *groups, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rule *first = groups[i].first;

		if (first && groups[i].n == 1)
			log_at(env->log, LEVEL_INFO, first->file, first->line, "events of the group %s that this rule matches "
			       "carry its key, not the group's", groups[i].name);
		else if (first)
			log_at(env->log, LEVEL_INFO, first->file, first->line, "events of the group %s that this rule and %zu "
			       "more of yours match carry their keys, not the group's", groups[i].name, groups[i].n - 1);
	}
}

/* Of the list exit, neither the configuration's nor behind all shipped ones, the last of which stands before end. */
static bool may_take(const struct rule *rule, size_t i, size_t end)
{
	return !rule->shipped && !rule->filter && data_list(rule->data) == AUDIT_FILTER_EXIT && (i < end || is_wide(rule));
}

int order_check(const struct rule_set *set, const struct rules_env *env)
{
	_cleanup_free_ struct calls *calls = NULL;
	struct group groups[GROUPS_MAX] = { 0 };
	struct machine machine;
	size_t first = 0, end = set->n_rules, n = 0;

	while (end > 0 && !set->rules[end - 1].shipped)
		end--;
	while (first < set->n_rules && !may_take(&set->rules[first], first, end))
		first++;
	if (end == 0 || first == set->n_rules)
		return 0;
	calls = calloc(end, sizeof(*calls));
	if (!calls)
		return -ENOMEM;
	machine_init(&machine, env);
	for (size_t i = 0; i < end; i++)
		if (set->rules[i].shipped)
			read_calls(&machine, set->rules[i].data, &calls[i]);
	for (size_t i = first; i < set->n_rules; i++) {
		if (!may_take(&set->rules[i], i, end))
			continue;
		mark_taken(set, i, end, &machine, calls, groups, &n);
		tell_rule(&set->rules[i], env, groups, n);
	}
	tell_groups(env, groups, n);
	for (size_t i = 0; i < n; i++)
		free(groups[i].name);
	return 0;
}
