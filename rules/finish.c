/* The set as a whole: deletions, doubles, the features of a kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge/absent.h"
#include "rules/judge/lint.h"
#include "rules/judge/optimise.h"
#include "rules/judge/order.h"
#include "rules/match/map.h"
#include "rules/parse/warnings.h"
#include "rules/rule/data.h"
#include "rules/rules.h"

/* Of everything that the kernel compares, which is all but the place in the list: a rule that was
 * prepended is stored without that bit (kernel/auditfilter.c audit_add_rule, audit_compare_rule). */
static uint64_t rule_key(const struct rule *rule)
{
	uint32_t list = data_list(rule->data);
	uint64_t key = map_hash(MAP_HASH_START, &list, sizeof(list));

	return map_hash(key, (const char *)rule->data + sizeof(list), rule->size - sizeof(list));
}

/* In place of a rule's index: there was one, and it was deleted. */
#define DELETED (UINT32_MAX - 1)

static void drop(struct rule *rule)
{
	free(rule->data);
	rule->data = NULL;
}

/* Closes the gaps that dropped rules left. */
static void compact(struct rule_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->n_rules; i++) {
		if (set->rules[i].data)
			set->rules[kept++] = set->rules[i];
		else
			rule_done(&set->rules[i]);
	}
	set->n_rules = kept;
}

/* A deletion of what is not the user's own: of a roll-back file, or meant. */
static void tell_deleted(const struct rule *rule, const struct rule *deleted, const struct rules_env *env)
{
	_cleanup_text_ struct text place = { 0 };
	struct rule_place at = rule_place(deleted);

	if (!deleted->shipped && !deleted->filter)
		return;
	rule_add_place(&place, &at);
	warnings_add(env->warnings, env->log, "deletes", rule->file, rule->line, "this deletes the rule of %s, which is not loaded "
		     "then; %s", place.s ? place.s : "another", deleted->filter ? "its setting of [filter] takes it away, too" :
		     "[events] has a setting for each group of rules");
}

/* Drops the equal rules that stand before a deletion, and the deletion. */
static int delete_rules(struct rule_set *set, const struct rules_env *env)
{
	_cleanup_map_ struct map map = { 0 };
	_cleanup_free_ uint32_t *before = calloc(set->n_rules + 1, sizeof(*before));
	int r = before ? map_init(&map, set->n_rules) : -ENOMEM, result = r;
	uint32_t at;

	for (size_t i = 0; r == 0 && i < set->n_rules; i++) {
		struct rule *rule = &set->rules[i];
		uint64_t key = rule_key(rule);
		bool found = map_find(&map, key, &at) && at != DELETED;

		if (!rule->remove) {
			before[i] = found ? at + 1 : 0;
			map_put(&map, key, (uint32_t)i);
			continue;
		}
		if (!found) {
			log_at(env->log, LEVEL_ERROR, rule->file, rule->line, "this deletes a rule that is not "
			       "there: no equal rule stands before it");
			result = -EINVAL;
		} else {
			for (uint32_t next = at + 1; next; next = before[next - 1]) {
				tell_deleted(rule, &set->rules[next - 1], env);
				drop(&set->rules[next - 1]);
			}
			map_put(&map, key, DELETED);
		}
		drop(rule);
	}
	compact(set);
	return result;
}

/* Of equal rules the one stays that the kernel comes to first: the others can never act. */
static int drop_doubles(struct rule_set *set, const struct rules_env *env)
{
	_cleanup_map_ struct map map = { 0 };
	_cleanup_free_ uint32_t *order = calloc(set->n_rules + 1, sizeof(*order));
	_cleanup_text_ struct text place = { 0 };
	struct rule_place at;
	int r = order ? map_init(&map, set->n_rules) : -ENOMEM;
	size_t n = set->n_rules;
	uint32_t first;

	if (r < 0)
		return r;
	lint_kernel_order(set, order);
	for (size_t i = 0; i < n; i++) {
		struct rule *rule = &set->rules[order[i]];
		uint64_t key = rule_key(rule);

		if (!map_find(&map, key, &first)) {
			map_put(&map, key, order[i]);
			continue;
		}
		text_done(&place);
		at = rule_place(&set->rules[first]);
		rule_add_place(&place, &at);
		warnings_add(env->warnings, env->log, "double", rule->file, rule->line,
			     "the same rule as %s; it is loaded once", place.s ? place.s : "another");
		drop(rule);
	}
	compact(set);
	return 0;
}

int rules_finish(struct rule_set *set, const struct rules_env *env)
{
	int r = delete_rules(set, env);

	if (r == -ENOMEM || drop_doubles(set, env) < 0 || lint_set(set, env) < 0 ||
	    order_check(set, env) < 0)
		return -ENOMEM;
	if (r == 0)
		r = absent_check(set, env);
	if (r == 0 && env->optimise) {
		r = optimise_set(set, env);
		compact(set);
	}
	return r;
}

static bool has_exe(const struct audit_rule_data *data)
{
	return data_has(data, AUDIT_EXE);
}

static bool has_session(const struct audit_rule_data *data)
{
	return data_has(data, AUDIT_SESSIONID);
}

static bool is_filesystem(const struct audit_rule_data *data)
{
	return data_list(data) == AUDIT_FILTER_FS;
}

static bool is_wide_exclude(const struct audit_rule_data *data)
{
	if (data_list(data) != AUDIT_FILTER_EXCLUDE)
		return false;
	for (uint32_t i = 0; i < data->field_count; i++)
		if (data->fields[i] != AUDIT_MSGTYPE)
			return true;
	return false;
}

/* include/uapi/linux/audit.h, AUDIT_FEATURE_BITMAP_*. All are set from Linux 4.17 on; a kernel that
 * leaves one out has been changed. */
static const struct {
	uint32_t bit;
	bool (*needs)(const struct audit_rule_data *data);
	const char *what;
} features[] = {
	{ AUDIT_FEATURE_BITMAP_EXECUTABLE_PATH, has_exe, "the field exe" },
	{ AUDIT_FEATURE_BITMAP_EXCLUDE_EXTEND, is_wide_exclude,
	  "other fields than msgtype in the list exclude" },
	{ AUDIT_FEATURE_BITMAP_SESSIONID_FILTER, has_session, "the field sessionid" },
	{ AUDIT_FEATURE_BITMAP_FILTER_FS, is_filesystem, "the list filesystem" },
};

int rules_check_features(const struct rule_set *set, struct log *log, uint32_t feature_bitmap)
{
	int r = 0;

	for (size_t i = 0; i < set->n_rules; i++)
		for (size_t j = 0; j < ARRAY_SIZE(features); j++) {
			if (feature_bitmap & features[j].bit || !features[j].needs(set->rules[i].data))
				continue;
			log_at(log, LEVEL_ERROR, set->rules[i].file, set->rules[i].line, "the running kernel does not have %s, which "
			       "Linux has from 4.17 on; nothing was changed: boot such a kernel, or leave the rule out",
			       features[j].what);
			r = -EINVAL;
		}
	return r;
}
