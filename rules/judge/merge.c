#include "rules/judge/merge.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "rules/judge/lint.h"
#include "rules/match/map.h"
#include "rules/match/numbers.h"
#include "rules/rule/data.h"
#include "rules/rule/names.h"

enum {
	ARCHES = 2,	/* that a kernel has: its own and its 32-bit one */
	SYSCALLS = AUDIT_BITMASK_SIZE * 32,
	REST = offsetof(struct audit_rule_data, fields),	/* behind the mask */
};

/* Rules that differ in their system calls, or in one number, only. */
struct group {
	struct rule *rule;	/* the last one that stayed */
	uint32_t place;	/* its place in the kernel's order: of one pass behind all of the pass before */
	uint32_t mask[AUDIT_BITMASK_SIZE];	/* what all of them have */
};

/* The place of the last rule for a system call, its result, and the place of the last one with another result. */
struct latest {
	uint32_t place, result, other;
};

/* Lists have hundreds of calls in a row (rules/match/perm.c): words of the mask that are full are noted as a whole. */
struct calls {
	struct latest of[SYSCALLS];
	struct latest full[AUDIT_BITMASK_SIZE];	/* by word: of rules that have all of it */
	struct latest any[AUDIT_BITMASK_SIZE];	/* of rules that have some of it */
};

struct merger {
	struct rule_set *set;
	const uint32_t *order;	/* the kernel's */
	uint32_t *results;	/* by rule: which have the same action and key, and are in buckets or not, from 1 */
	struct map map;	/* the groups, by all that their rules have in common */
	struct map whole;	/* what rules are, or have been: no numbers */
	struct group *groups;
	uint32_t n_groups, n_merged;
	uint32_t arches[ARCHES];
	uint32_t place;	/* of the rule before */
	uint32_t wall;	/* place of the last rule of which it is not known what it matches */
	struct calls calls[1 + ARCHES];	/* of any architecture, of the first, of the second */
};

/* --- which rules decide an event otherwise ------------------------------------------------- */

static uint32_t result_of(const struct merger *merger, const struct rule *rule)
{
	return merger->results[rule - merger->set->rules];
}

/* In a bucket (kernel/auditfilter.c audit_add_rule(), audit_to_inode(), audit_to_watch()). */
static bool is_hashed(const struct audit_rule_data *data)
{
	return data_has(data, AUDIT_WATCH) || data_has(data, AUDIT_INODE);
}

/* The key, which stands last wherever rules are read; one that stands elsewhere makes the rule one of its own. */
static bool find_result(const struct audit_rule_data *data, struct data_field *ret_key)
{
	struct data_field field;
	uint32_t at = 0, n = 0;
	size_t offset = 0;

	*ret_key = (struct data_field){ 0 };
	while (data_next(data, &at, &offset, &field)) {
		if (field.field != AUDIT_FILTERKEY)
			continue;
		*ret_key = field;
		n++;
	}
	return n == 0 || (n == 1 && ret_key->operator == AUDIT_EQUAL && field.field == AUDIT_FILTERKEY);
}

/* One in a bucket is another than one in the list: which of a bucket can decide, whatever their order, depends on whether they were
 * added before the one of the list that matches. */
static bool is_same_result(const struct audit_rule_data *a, const struct audit_rule_data *b)
{
	struct data_field mine, others;

	return a->action == b->action && is_hashed(a) == is_hashed(b) && find_result(a, &mine) && find_result(b, &others) &&
	       mine.len == others.len && (mine.len == 0 || memcmp(mine.text, others.text, mine.len) == 0);
}

static int read_results(struct merger *merger)
{
	_cleanup_map_ struct map map = { 0 };
	const struct rule *rules = merger->set->rules;
	int r = map_init(&map, merger->set->n_rules);
	struct data_field key;
	uint32_t at;

	for (size_t i = 0; r == 0 && i < merger->set->n_rules; i++) {
		const struct audit_rule_data *data = rules[i].data;
		const uint32_t parts[] = { data->action, is_hashed(data) };
		uint64_t hash = map_hash(MAP_HASH_START, parts, sizeof(parts));

		find_result(data, &key);
		hash = map_hash(hash, key.text, key.len);
		if (map_find(&map, hash, &at) && is_same_result(rules[at].data, data)) {
			merger->results[i] = at + 1;
			continue;
		}
		merger->results[i] = (uint32_t)i + 1;
		map_put(&map, hash, (uint32_t)i);
	}
	return r;
}

/* Which part of merger->calls is the rule's. */
static size_t arch_slot(const struct merger *merger, const struct audit_rule_data *data)
{
	uint32_t arch;

	if (data_find_equal(data, AUDIT_ARCH, &arch))
		for (size_t i = 0; i < ARCHES; i++)
			if (merger->arches[i] == arch)
				return 1 + i;
	return 0;
}

static void note(struct latest *at, uint32_t place, uint32_t result)
{
	/* A rule that was widened may stand before the latest one: where a whole word is noted, they need have no call in common. */
	if (at->place >= place) {
		if (at->result != result && at->other < place)
			at->other = place;
		return;
	}
	if (at->result != result)
		at->other = at->place;
	at->place = place;
	at->result = result;
}

static void note_place(struct merger *merger, const struct rule *rule, uint32_t place)
{
	struct calls *calls = &merger->calls[arch_slot(merger, rule->data)];
	uint32_t result = result_of(merger, rule);

	for (uint32_t word = 0; word < AUDIT_BITMASK_SIZE; word++) {
		uint32_t mask = rule->data->mask[word];

		if (mask)
			note(&calls->any[word], place, result);
		if (mask == UINT32_MAX)
			note(&calls->full[word], place, result);
		for (uint32_t bits = mask == UINT32_MAX ? 0 : mask; bits; bits &= bits - 1)
			note(&calls->of[word * 32 + (uint32_t)__builtin_ctz(bits)], place, result);
	}
}

static void find_rival(const struct latest *at, uint32_t result, uint32_t *rival)
{
	uint32_t place = at->result == result ? at->other : at->place;

	if (place > *rival)
		*rival = place;
}

/* The place of the last rule so far that might decide an event that this one matches, otherwise than this one does. */
static uint32_t last_rival(const struct merger *merger, const struct rule *rule)
{
	size_t slot = arch_slot(merger, rule->data);
	uint32_t rival = merger->wall, result = result_of(merger, rule);

	for (size_t i = 0; i <= ARCHES; i++) {
		const struct calls *calls = &merger->calls[i];

		for (uint32_t word = 0; (i == 0 || slot == 0 || i == slot) && word < AUDIT_BITMASK_SIZE; word++) {
			uint32_t mask = rule->data->mask[word];

			if (mask)
				find_rival(&calls->full[word], result, &rival);
			if (mask == UINT32_MAX)
				find_rival(&calls->any[word], result, &rival);
			for (uint32_t bits = mask == UINT32_MAX ? 0 : mask; bits; bits &= bits - 1)
				find_rival(&calls->of[word * 32 + (uint32_t)__builtin_ctz(bits)], result, &rival);
		}
	}
	return rival;
}

/* --- one rule goes up in another ----------------------------------------------------------- */

static int add_place(struct rule *to, struct rule *from)
{
	size_t n = to->n_merged + 1 + from->n_merged;
	struct rule_place *grown = reallocarray(to->merged, n, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	to->merged = grown;
	to->merged[to->n_merged++] = (struct rule_place){ TAKE(from->file), from->line, from->shipped,
							      TAKE(from->written) };
	for (size_t i = 0; i < from->n_merged; i++)
		to->merged[to->n_merged++] = from->merged[i];
	free(from->merged);
	from->merged = NULL;
	from->n_merged = 0;
	return 0;
}

static int go_up(struct merger *merger, struct group *group, struct rule *rule)
{
	int r = add_place(group->rule, rule);

	if (r < 0)
		return r;
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		group->mask[i] |= rule->data->mask[i];
	if (data_list(rule->data) == AUDIT_FILTER_EXIT)
		note_place(merger, group->rule, group->place);
	free(rule->data);
	rule->data = NULL;
	merger->n_merged++;
	return 1;
}

/* The group that this key leads to, whose rule may be another one (same is false then); it is made where there is none. */
static struct group *find_group(struct merger *merger, uint64_t key, bool *ret_new)
{
	uint32_t at;

	*ret_new = !map_find(&merger->map, key, &at);
	if (*ret_new) {
		at = merger->n_groups++;
		map_put(&merger->map, key, at);
	}
	return &merger->groups[at];
}

static void set_group(struct group *group, struct rule *rule, uint32_t place, bool afresh)
{
	if (afresh)
		memset(group, 0, sizeof(*group));
	group->rule = rule;
	group->place = place;
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		group->mask[i] |= rule->data->mask[i];
}

/* --- what a rule would become, and another is ---------------------------------------------- */

static uint64_t key_whole(const struct rule *rule, uint32_t flags)
{
	uint64_t key = map_hash(MAP_HASH_START, &flags, sizeof(flags));

	return map_hash(key, (const char *)rule->data + sizeof(flags), rule->size - sizeof(flags));
}

static int read_whole(struct merger *merger)
{
	const struct rule_set *set = merger->set;
	/* Each merge changes one rule, and takes one away. */
	int r = map_init(&merger->whole, 2 * set->n_rules);

	for (size_t i = 0; r == 0 && i < set->n_rules; i++)
		map_put(&merger->whole, key_whole(&set->rules[i], set->rules[i].data->flags), 0);
	return r;
}

/* Whether the rule has become what another is, not counting the one that goes up in it. In the list, behind one that is appended
 * like it, the later of the two can go (join_calls()); but one that was prepended is the same to the kernel, which would refuse
 * this one, and in a bucket what stands between the two comes first once the order is turned round. Else notes what it is. */
static bool becomes_another(struct merger *merger, const struct rule *rule, const struct rule *goes_up)
{
	uint32_t flags = rule->data->flags, any;
	uint64_t key = key_whole(rule, flags);

	if (key == key_whole(goes_up, flags))
		return false;
	if (map_find(&merger->whole, key_whole(rule, flags ^ AUDIT_FILTER_PREPEND), &any) ||
	    (is_hashed(rule->data) && map_find(&merger->whole, key, &any)))
		return true;
	map_put(&merger->whole, key, 0);
	return false;
}

/* --- rules that differ in system calls ----------------------------------------------------- */

static bool has_all(const uint32_t *mask, const struct audit_rule_data *data)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		if (data->mask[i] & ~mask[i])
			return false;
	return true;
}

static bool is_same_but_mask(const struct rule *a, const struct rule *b)
{
	return a->size == b->size && memcmp(a->data, b->data, offsetof(struct audit_rule_data, mask)) == 0 &&
	       memcmp((const char *)a->data + REST, (const char *)b->data + REST, a->size - REST) == 0;
}

static uint64_t key_but_mask(const struct rule *rule)
{
	uint64_t key = map_hash(MAP_HASH_START, rule->data, offsetof(struct audit_rule_data, mask));

	return map_hash(key, (const char *)rule->data + REST, rule->size - REST);
}

/* Gives the rule the other's system calls, too. False: no line of a rules file could say so, or another rule does. */
static bool widen(struct merger *merger, struct rule *rule, const struct rule *by)
{
	uint32_t before[AUDIT_BITMASK_SIZE];

	if (has_all(rule->data->mask, by->data))
		return true;
	memcpy(before, rule->data->mask, sizeof(before));
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		rule->data->mask[i] |= by->data->mask[i];
	/* As auditctl sends it. */
	if (data_mask_all(rule->data))
		memset(rule->data->mask, 0xff, sizeof(rule->data->mask));
	if (rule_fits(rule) && !becomes_another(merger, rule, by))
		return true;
	memcpy(rule->data->mask, before, sizeof(before));
	return false;
}

/* Lets the rule go up in the group's last one if it may. Returns 1 if so, 0, or -ENOMEM. */
static int join_calls(struct merger *merger, struct group *group, struct rule *rule)
{
	bool same = memcmp(group->rule->data->mask, rule->data->mask, sizeof(rule->data->mask)) == 0;

	if (!same && !(has_all(group->mask, rule->data) && !is_hashed(rule->data)) &&
	    (last_rival(merger, rule) > group->place || !widen(merger, group->rule, rule)))
		return 0;
	return go_up(merger, group, rule);
}

static int merge_calls(struct merger *merger, struct rule *rule, uint32_t place)
{
	bool new, same, ordered = data_list(rule->data) == AUDIT_FILTER_EXIT;
	struct group *group;
	int r;

	/* In the list exclude nothing but what has become equal: the kernel would refuse it. */
	if (!ordered && data_list(rule->data) != AUDIT_FILTER_EXCLUDE)
		return 0;
	group = find_group(merger, key_but_mask(rule), &new);
	same = !new && is_same_but_mask(group->rule, rule);
	if (same && (ordered || memcmp(group->rule->data->mask, rule->data->mask, sizeof(rule->data->mask)) == 0)) {
		r = join_calls(merger, group, rule);
		if (r != 0)
			return r;
	}
	set_group(group, rule, place, !same);
	if (ordered)
		note_place(merger, rule, place);
	return 0;
}

/* --- rules that differ in the numbers they ask for ----------------------------------------- */

/* The next field that is not a condition on this number; false: there is none. */
static bool next_other(const struct audit_rule_data *data, uint32_t number, uint32_t *at)
{
	while (*at < data->field_count && numbers_is_condition(data, *at, number))
		++*at;
	return *at < data->field_count;
}

static bool is_same_but_number(const struct rule *a, const struct rule *b, uint32_t number)
{
	uint32_t i = 0, k = 0;
	bool more = true;

	if (a->size != b->size || a->data->flags != b->data->flags || a->data->action != b->data->action ||
	    memcmp(a->data->mask, b->data->mask, sizeof(a->data->mask)) != 0 ||
	    memcmp(a->data->buf, b->data->buf, a->data->buflen) != 0)
		return false;
	for (; more; i++, k++) {
		more = next_other(a->data, number, &i);
		if (more != next_other(b->data, number, &k))
			return false;
		if (more && (a->data->fields[i] != b->data->fields[k] || a->data->fieldflags[i] != b->data->fieldflags[k] ||
			     a->data->values[i] != b->data->values[k]))
			return false;
	}
	return true;
}

static uint64_t key_but_number(const struct rule *rule, uint32_t number)
{
	const struct audit_rule_data *data = rule->data;
	uint64_t key = map_hash(MAP_HASH_START, &number, sizeof(number));

	key = map_hash(key, data, offsetof(struct audit_rule_data, field_count));
	key = map_hash(key, data->mask, sizeof(data->mask));
	for (uint32_t i = 0; next_other(data, number, &i); i++) {
		const uint32_t field[] = { data->fields[i], data->fieldflags[i], data->values[i] };

		key = map_hash(key, field, sizeof(field));
	}
	return map_hash(key, data->buf, data->buflen);
}

static int join_numbers(struct merger *merger, struct group *group, struct rule *rule, uint32_t number)
{
	bool ordered = data_list(rule->data) == AUDIT_FILTER_EXIT;
	struct audit_rule_data before = *group->rule->data;

	if ((ordered && last_rival(merger, rule) > group->place) || !numbers_unite(group->rule->data, rule->data, number))
		return 0;
	if (!rule_fits(group->rule) ||
	    (memcmp(group->rule->data, &before, sizeof(before)) != 0 && becomes_another(merger, group->rule, rule))) {
		memcpy(group->rule->data, &before, sizeof(before));
		return 0;
	}
	return go_up(merger, group, rule);
}

/* The n-th number that the rule has conditions on; false: it has no more. */
static bool find_number(const struct audit_rule_data *data, uint32_t *at, uint32_t *ret)
{
	for (; *at < data->field_count; ++*at) {
		bool again = false;

		for (uint32_t k = 0; k < *at; k++)
			again = again || data->fields[k] == data->fields[*at];
		if (again || !numbers_has(data->fields[*at]))
			continue;
		*ret = data->fields[(*at)++];
		return true;
	}
	return false;
}

static void enter_numbers(struct merger *merger, struct rule *rule, uint32_t place)
{
	uint32_t at = 0, number;
	bool new;

	while (find_number(rule->data, &at, &number))
		set_group(find_group(merger, key_but_number(rule, number), &new), rule, place, true);
}

static int merge_numbers(struct merger *merger, struct rule *rule, uint32_t place)
{
	uint32_t list = data_list(rule->data), at = 0, number;
	int r = 0;

	if (list != AUDIT_FILTER_EXIT && list != AUDIT_FILTER_EXCLUDE)
		return 0;
	while (find_number(rule->data, &at, &number)) {
		struct group *group;
		uint32_t found;

		if (!map_find(&merger->map, key_but_number(rule, number), &found))
			continue;
		group = &merger->groups[found];
		if (!group->rule->data || !is_same_but_number(group->rule, rule, number))
			continue;
		r = join_numbers(merger, group, rule, number);
		if (r == 0)
			continue;
		if (r > 0)
			enter_numbers(merger, group->rule, group->place);
		return r;
	}
	enter_numbers(merger, rule, place);
	if (list == AUDIT_FILTER_EXIT)
		note_place(merger, rule, place);
	return 0;
}

/* --- the set ------------------------------------------------------------------------------- */

typedef int merge_fn(struct merger *merger, struct rule *rule, uint32_t place);

static bool is_opaque(const struct audit_rule_data *data)
{
	/* The kernel puts lists of its own in place of class bits. */
	return data_list(data) == AUDIT_FILTER_URING_EXIT ||
	       (!data_mask_all(data) && data->mask[AUDIT_BITMASK_SIZE - 1] & DATA_CLASS_BITS);
}

/* How many groups there may be: a rule is in one by its system calls, or in one for each of its numbers. */
static size_t count_groups(const struct rule_set *set, merge_fn *merge)
{
	size_t n = 0;
	uint32_t number;

	for (size_t i = 0; i < set->n_rules; i++)
		if (merge == merge_calls)
			n++;
		else if (set->rules[i].data)
			for (uint32_t at = 0; find_number(set->rules[i].data, &at, &number);)
				n++;
	return n;
}

/* Goes through the rules once. Returns how many were merged, or -ENOMEM. */
static int64_t pass(struct merger *merger, merge_fn *merge)
{
	size_t n = count_groups(merger->set, merge);
	_cleanup_free_ struct group *groups = calloc(n + 1, sizeof(*groups));
	int r = groups ? map_init(&merger->map, n) : -ENOMEM;

	merger->groups = groups;
	merger->n_groups = merger->n_merged = 0;
	for (size_t i = 0; r >= 0 && i < merger->set->n_rules; i++) {
		struct rule *rule = &merger->set->rules[merger->order[i]];
		/* What the calls, and the wall, are left with stands before all of these, and is no rival. */
		uint32_t place = ++merger->place;

		if (!rule->data)
			continue;
		if (is_opaque(rule->data))
			merger->wall = place;
		else
			r = merge(merger, rule, place);
	}
	map_done(&merger->map);
	return r < 0 ? (int64_t)r : (int64_t)merger->n_merged;
}

int merge_set(struct rule_set *set, const struct rules_env *env)
{
	_cleanup_free_ struct merger *merger = calloc(1, sizeof(*merger));
	_cleanup_free_ uint32_t *order = calloc(set->n_rules + 1, sizeof(*order));
	_cleanup_free_ uint32_t *results = calloc(set->n_rules + 1, sizeof(*results));
	int64_t r = -ENOMEM;

	if (!merger || !order || !results)
		return -ENOMEM;
	lint_kernel_order(set, order);
	merger->set = set;
	merger->order = order;
	merger->results = results;
	merger->arches[0] = names_machine(env->machine);
	merger->arches[1] = names_arch32(merger->arches[0]);
	r = read_results(merger);
	r = r < 0 ? r : read_whole(merger);
	/* Rules that have become equal in their numbers may now differ in system calls only. */
	do {
		r = r < 0 ? r : pass(merger, merge_calls);
		r = r < 0 ? r : pass(merger, merge_numbers);
	} while (r > 0);
	map_done(&merger->whole);
	return (int)r;
}
