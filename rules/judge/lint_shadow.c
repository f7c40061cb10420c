/* Rules whose events an earlier rule takes.
 *
 * The kernel's first matching rule decides (rules/judge/optimise.c says how, with buckets). B never acts when for every
 * architecture and system call that B may match there is an earlier A of its list that has the call, and each of whose
 * conditions follows from B's. Where the classes of perm= matter, A has what every kernel's have, B what any known one's
 * has, so that nothing is claimed that is not so. Left out of account are hard links from outside of a watched directory,
 * and file systems that are mounted below it later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge/lint.h"
#include "rules/judge/lint_private.h"

/* More are not looked at for one rule: a warning is not worth the square of a hundred thousand. */
enum {
	CANDIDATES_MAX = 4096,
	TAKERS_MAX = 64,
};

/* Rules that have the same NAME=VALUE conditions and directory, in the kernel's order. */
struct chain {
	uint32_t first, last;	/* indices plus one */
};

struct search {
	struct lint_context *context;
	struct map map;	/* chains, by list and the sum of those conditions' hashes */
	struct chain *chains;
	uint32_t n_chains;
	uint32_t *next;	/* of its chain, index plus one, by rule */
	uint32_t *place;	/* in the kernel's order, by rule */
};

/* A rule that is looked at, with one architecture, and what is not taken of it yet. */
struct taken {
	const struct search *search;
	const struct audit_rule_data *data;
	struct ranges ranges;
	const struct lint_arch *arch;	/* NULL: one of which nothing is known */
	uint32_t elf;	/* AUDIT_ARCH_*, 0: not known either */
	bool has_perm;
	uint32_t perms;
	uint32_t rest[AUDIT_BITMASK_SIZE];
	unsigned budget;
	uint32_t takers[TAKERS_MAX];	/* indices of rules whose conditions follow from this one's, in the kernel's order */
	size_t n_takers;
	struct shadow *shadow;
};

/* --- conditions ---------------------------------------------------------------------------- */

/* Of these NAME=VALUE is looked for by hash; the others follow from more than the same words. */
static bool is_exact(const struct data_field *field)
{
	switch (field->field) {
	case AUDIT_FILTERKEY:
	case AUDIT_ARCH:
	case AUDIT_PERM:
	case AUDIT_SUCCESS:
	case AUDIT_DIR:
		return false;
	default:
		return field->operator == AUDIT_EQUAL;
	}
}

static uint64_t hash_dir(const char *path, size_t len)
{
	uint32_t field = AUDIT_DIR;

	while (len > 1 && path[len - 1] == '/')
		len--;
	return map_hash(map_hash(MAP_HASH_START, &field, sizeof(field)), path, len);
}

/* The key of the rule's chain. */
static uint64_t chain_key(const struct audit_rule_data *data)
{
	uint32_t list = data_list(data), at = 0;
	struct data_field field;
	size_t offset = 0;
	uint64_t sum = 0;

	while (data_next(data, &at, &offset, &field)) {
		if (field.field == AUDIT_DIR)
			sum += hash_dir(field.text, field.len);
		else if (is_exact(&field))
			sum += lint_hash_field(&field);
	}
	return map_hash(sum, &list, sizeof(list));
}

static bool has_field(const struct audit_rule_data *data, const struct data_field *wanted)
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	while (data_next(data, &at, &offset, &field))
		if (field.field == wanted->field && field.operator == wanted->operator && field.value == wanted->value &&
		    (!field.text || (field.len == wanted->len && memcmp(field.text, wanted->text, field.len) == 0)))
			return true;
	return false;
}

static bool is_true_of_arch(const struct data_field *field, uint32_t arch)
{
	return field->operator == AUDIT_EQUAL ? field->value == arch :
	       field->operator == AUDIT_NOT_EQUAL && field->value != arch;
}

/* Whether every condition of the taker that its chain says nothing about follows from those of the other rule. */
static bool follows(const struct taken *b, const struct audit_rule_data *taker)
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	while (data_next(taker, &at, &offset, &field)) {
		if (field.field == AUDIT_FILTERKEY || field.field == AUDIT_PERM || field.field == AUDIT_DIR || is_exact(&field))
			continue;
		if (field.field == AUDIT_ARCH ? !b->elf || !is_true_of_arch(&field, b->elf) :
		    !ranges_imply(&b->ranges, &field) && !has_field(b->data, &field))
			return false;
	}
	return true;
}

/* --- paths --------------------------------------------------------------------------------- */

static bool find_text(const struct audit_rule_data *data, uint32_t name, struct data_field *ret)
{
	uint32_t at = 0;
	size_t offset = 0;

	while (data_next(data, &at, &offset, ret))
		if (ret->field == name)
			return true;
	return false;
}

static size_t trimmed(const struct data_field *path)
{
	size_t len = path->len;

	while (len > 1 && path->text[len - 1] == '/')
		len--;
	return len;
}

/* Whether the way from path[0..from) down to path[0..to) has no symbolic link, which would lead elsewhere, in it. */
static bool leads_straight(const struct rules_host *host, const char *path, size_t from, size_t to)
{
	_cleanup_free_ char *copy = strndup(path, to);
	bool directory;

	for (size_t i = from; copy && i <= to; i++) {
		char end = copy[i];
		int r;

		if (i > 0 && end != '/' && end != '\0')
			continue;
		copy[i] = '\0';
		r = i ? host->path_type(host->context, copy, &directory) : 1;
		copy[i] = end;
		if (r < 0 || r == RULES_UNKNOWN || r == RULES_LINK)
			return false;
	}
	return copy;
}

/* Whether the other rule's files are below the taker's directory, where that has one; its chain says by name. */
static bool is_below(const struct taken *b, const struct audit_rule_data *taker)
{
	const struct rules_host *host = b->search->context->env->host;
	struct data_field dir, path;
	size_t from, to;

	if (!find_text(taker, AUDIT_DIR, &dir))
		return true;
	if (!find_text(b->data, AUDIT_DIR, &path) && !find_text(b->data, AUDIT_WATCH, &path))
		return false;
	from = trimmed(&dir);
	to = trimmed(&path);
	if (path.field == AUDIT_DIR && from == to)
		return true;
	/* The last part of a path is not followed. */
	while (to > 0 && path.text[to - 1] != '/')
		to--;
	to = to > 1 ? to - 1 : to;
	return to < from || !host ? false : leads_straight(host, path.text, from > 1 ? from : 0, to);
}

/* --- system calls -------------------------------------------------------------------------- */

static bool is_empty(const uint32_t *mask)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		if (mask[i])
			return false;
	return true;
}

/* Which system calls the rule may match, on any kernel that is known. */
static void read_calls(struct taken *b)
{
	uint32_t known[AUDIT_BITMASK_SIZE] = { 0 };

	memset(b->rest, 0xff, sizeof(b->rest));
	if (data_list(b->data) != AUDIT_FILTER_EXIT)
		return;
	memcpy(b->rest, b->data->mask, sizeof(b->rest));
	b->rest[AUDIT_BITMASK_SIZE - 1] &= ~DATA_CLASS_BITS;
	b->has_perm = data_find_equal(b->data, AUDIT_PERM, &b->perms);
	if (!b->has_perm || !b->arch || !b->arch->known)
		return;
	perm_masks_add_known(&b->arch->perms, b->perms, known);
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		b->rest[i] &= known[i];
}

/* Takes those away that the taker surely matches. Returns whether there were any. */
static bool take_calls(struct taken *b, const struct audit_rule_data *taker)
{
	uint32_t sure[AUDIT_BITMASK_SIZE] = { 0 }, perms, taken = 0;
	bool all = data_list(taker) != AUDIT_FILTER_EXIT, every_perm = true;

	if (!all && data_find_equal(taker, AUDIT_PERM, &perms)) {
		every_perm = b->has_perm && !(b->perms & ~perms);
		if (!every_perm && (!b->arch || !b->arch->known))
			return false;
		if (!every_perm)
			perm_masks_add_sure(&b->arch->perms, perms, sure);
	}
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++) {
		uint32_t bits = b->rest[i] & (all ? UINT32_MAX : taker->mask[i]) & (every_perm ? UINT32_MAX : sure[i]);

		taken |= bits;
		b->rest[i] &= ~bits;
	}
	return taken;
}

static bool has_any(const struct taken *b, const struct audit_rule_data *taker)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		if (b->rest[i] & (data_list(taker) == AUDIT_FILTER_EXIT ? taker->mask[i] : UINT32_MAX))
			return true;
	return false;
}

/* --- the search ---------------------------------------------------------------------------- */

static void note_taker(struct taken *b, uint32_t index)
{
	const struct audit_rule_data *taker = b->search->context->set->rules[index].data;
	struct shadow *shadow = b->shadow;

	if (!shadow->by)
		shadow->by = index + 1;
	else if (shadow->by != index + 1 && !shadow->also)
		shadow->also = index + 1;
	shadow->turns = shadow->turns || data_has(taker, AUDIT_WATCH);
	shadow->within = shadow->within || (data_has(taker, AUDIT_DIR) && data_has(b->data, AUDIT_WATCH));
}

static void add_taker(struct taken *b, uint32_t index)
{
	const uint32_t *place = b->search->place;
	size_t at = b->n_takers;

	if (at == TAKERS_MAX)
		return;
	for (; at > 0 && place[b->takers[at - 1]] > place[index]; at--)
		b->takers[at] = b->takers[at - 1];
	b->takers[at] = index;
	b->n_takers++;
}

static void go_through(struct taken *b, uint64_t sum)
{
	const struct search *search = b->search;
	uint32_t list = data_list(b->data), at;

	if (!map_find(&search->map, map_hash(sum, &list, sizeof(list)), &at))
		return;
	for (at = search->chains[at].first; at && b->budget; at = search->next[at - 1], b->budget--) {
		const struct audit_rule_data *taker = search->context->set->rules[at - 1].data;

		if (has_any(b, taker) && follows(b, taker) && is_below(b, taker))
			add_taker(b, at - 1);
	}
}

/* Goes through the chains of every part of these conditions; with more than a few, of all, all but one, one or none. */
static void go_through_parts(struct taken *b, const uint64_t *hashes, size_t n, uint64_t dir)
{
	enum { EVERY_PART = 6 };
	uint64_t sum = dir;

	for (size_t i = 0; i < n; i++)
		sum += hashes[i];
	for (size_t i = 0; n > EVERY_PART && i < n; i++) {
		go_through(b, dir + hashes[i]);
		go_through(b, sum - hashes[i]);
	}
	if (n > EVERY_PART) {
		go_through(b, dir);
		go_through(b, sum);
		return;
	}
	for (uint32_t part = 0; part < 1u << n; part++) {
		uint64_t of_part = dir;

		for (size_t i = 0; i < n; i++)
			if (part & 1u << i)
				of_part += hashes[i];
		go_through(b, of_part);
	}
}

static void find_takers(struct taken *b)
{
	uint64_t hashes[AUDIT_MAX_FIELDS];
	struct data_field field, path;
	uint32_t at = 0;
	size_t offset = 0, n = 0;

	while (data_next(b->data, &at, &offset, &field))
		if (is_exact(&field))
			hashes[n++] = lint_hash_field(&field);
	go_through_parts(b, hashes, n, 0);
	if (!find_text(b->data, AUDIT_DIR, &path) && !find_text(b->data, AUDIT_WATCH, &path))
		return;
	for (size_t len = trimmed(&path); len > 0; len--)
		if (len == 1 || len == trimmed(&path) || path.text[len] == '/')
			go_through_parts(b, hashes, n, hash_dir(path.text, len));
}

/* Whether all is taken of the rule on one architecture; *ret_any is set when there is anything. */
static bool is_taken(const struct search *search, uint32_t index, const struct lint_arch *arch, uint32_t elf,
		     bool *ret_any)
{
	struct taken b = {
		.search = search, .data = search->context->set->rules[index].data, .arch = arch, .elf = elf,
		.budget = CANDIDATES_MAX, .shadow = &search->context->shadows[index],
	};

	ranges_read(&b.ranges, b.data);
	read_calls(&b);
	if (is_empty(b.rest) || b.ranges.empty)
		return true;
	*ret_any = true;
	find_takers(&b);
	for (size_t i = 0; i < b.n_takers && !is_empty(b.rest); i++)
		if (take_calls(&b, search->context->set->rules[b.takers[i]].data))
			note_taker(&b, b.takers[i]);
	return is_empty(b.rest);
}

static void judge(const struct search *search, uint32_t index)
{
	const struct lint_context *context = search->context;
	const struct audit_rule_data *data = context->set->rules[index].data;
	struct shadow *shadow = &context->shadows[index];
	uint32_t elf = 0;
	bool taken = true, any = false, met = false;

	for (size_t i = 0; i < context->n_arches; i++)
		if (lint_meets_arch(data, context->arches[i].arch)) {
			taken = taken && is_taken(search, index, &context->arches[i], context->arches[i].arch, &any);
			met = true;
		}
	/* Another machine's, or of one that is not known. */
	if (!met && (data_find_equal(data, AUDIT_ARCH, &elf) || !context->n_arches))
		taken = is_taken(search, index, NULL, elf, &any);
	if (!taken || !any)
		*shadow = (struct shadow){ 0 };
	if (shadow->turns && !data_has(data, AUDIT_WATCH))
		shadow->turns = false;
}

static void add(struct search *search, uint32_t index)
{
	uint64_t key = chain_key(search->context->set->rules[index].data);
	struct chain *chain;
	uint32_t at;

	if (!map_find(&search->map, key, &at)) {
		at = search->n_chains++;
		search->chains[at].first = index + 1;
		map_put(&search->map, key, at);
	} else {
		chain = &search->chains[at];
		search->next[chain->last - 1] = index + 1;
	}
	search->chains[at].last = index + 1;
}

/* --- a rule with never that comes too late -------------------------------------------------- */

/* Whether both rules may match one event, apart from what files they are about. */
static bool may_meet(const struct lint_context *context, const struct audit_rule_data *a,
		     const struct audit_rule_data *b)
{
	struct data_field exe, other;
	struct ranges left, right;
	bool calls = false, arch = !context->n_arches;

	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		calls = calls || (a->mask[i] & b->mask[i]);
	for (size_t i = 0; i < context->n_arches; i++)
		arch = arch || (lint_meets_arch(a, context->arches[i].arch) && lint_meets_arch(b, context->arches[i].arch));
	if (!calls || !arch || (find_text(a, AUDIT_EXE, &exe) && find_text(b, AUDIT_EXE, &other) && !has_field(b, &exe)))
		return false;
	ranges_read(&left, a);
	ranges_read(&right, b);
	return ranges_meet(&left, &right);
}

/* Rules about files are compared with rules about the same files only. */
static bool same_files(const struct audit_rule_data *a, const struct audit_rule_data *b)
{
	static const uint32_t places[] = { AUDIT_WATCH, AUDIT_DIR };
	struct data_field field;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (find_text(a, places[i], &field) && !has_field(b, &field))
			return false;
	return true;
}

static void judge_never(const struct search *search, const uint32_t *order, size_t place)
{
	const struct rule *rules = search->context->set->rules, *rule = &rules[order[place]];
	struct shadow *shadow = &search->context->shadows[order[place]];

	if (rule->shipped || rule->data->action != AUDIT_NEVER || data_list(rule->data) != AUDIT_FILTER_EXIT || shadow->by)
		return;
	for (size_t i = 0; i < place; i++) {
		const struct rule *before = &rules[order[i]];

		if (!before->shipped || before->data->action != AUDIT_ALWAYS || data_list(before->data) != AUDIT_FILTER_EXIT ||
		    !same_files(before->data, rule->data) || !may_meet(search->context, before->data, rule->data))
			continue;
		if (!shadow->n_late++)
			shadow->late = order[i] + 1;
	}
}

int shadow_find(struct lint_context *context)
{
	size_t n = context->set->n_rules;
	_cleanup_free_ uint32_t *order = calloc(n + 1, sizeof(*order));
	_cleanup_free_ uint32_t *next = calloc(n + 1, sizeof(*next));
	_cleanup_free_ uint32_t *place = calloc(n + 1, sizeof(*place));
	_cleanup_free_ struct chain *chains = calloc(n + 1, sizeof(*chains));
	struct search search = { .context = context, .chains = chains, .next = next, .place = place };
	int r = order && next && place && chains ? map_init(&search.map, n) : -ENOMEM;

	if (r == 0)
		lint_kernel_order(context->set, order);
	for (size_t i = 0; r == 0 && i < n; i++) {
		place[order[i]] = (uint32_t)i;
		judge(&search, order[i]);
		/* One that is taken takes nothing that the others do not. */
		if (!context->shadows[order[i]].by)
			add(&search, order[i]);
		judge_never(&search, order, i);
	}
	map_done(&search.map);
	return r;
}

/* --- what is said --------------------------------------------------------------------------- */

static void add_rule_place(struct text *message, const struct subject *s, uint32_t index)
{
	struct rule_place place = rule_place(&s->context->set->rules[index - 1]);

	rule_add_place(message, &place);
}

/* What lets a rule come before a shipped one. */
static void add_remedy(struct text *message, const struct subject *s, const struct rule *before)
{
	struct data_field key;

	if (s->rule->shipped || !before->shipped) {
		text_add(message, "; to act, it has to stand first");
		return;
	}
	text_addf(message, "; first comes %s%s",
		  data_has(s->data, AUDIT_WATCH) || data_has(s->data, AUDIT_DIR) ? "a rule with -A, -F path= and -F perm=" :
		  "a rule with -A", before->guard ? "" : ", or with [rules] order = user-first every rule of yours");
	if (find_text(before->data, AUDIT_FILTERKEY, &key))
		text_addf(message, "; [events] %.*s = no takes the shipped one away", (int)key.len, key.text);
}

bool check_unreachable(const struct subject *s, struct text *message)
{
	const struct shadow *shadow = &s->context->shadows[s->index];
	const struct rule *taker;

	if (!shadow->by)
		return false;
	/* A type that a group drops and [filter] exclude_types drops, too, is dropped either way. */
	if (s->rule->shipped && data_list(s->data) == AUDIT_FILTER_EXCLUDE)
		return false;
	taker = &s->context->set->rules[shadow->by - 1];
	/* The user's rules were put first: rules/judge/order.c tells it by group. */
	if (s->rule->shipped && !taker->shipped)
		return false;
	text_add(message, "this rule never comes to act: ");
	add_rule_place(message, s, shadow->by);
	if (taker->data->action == AUDIT_NEVER)
		text_add(message, ", a rule with never,");
	else if (shadow->within)
		text_add(message, ", a watch of a directory above it,");
	if (shadow->also) {
		text_add(message, " together with ");
		add_rule_place(message, s, shadow->also);
	}
	text_add(message, " takes every event that it matches");
	if (shadow->turns)
		text_add(message, ", until the file is replaced: the kernel turns round the order of its rules then");
	add_remedy(message, s, taker);
	return true;
}

bool check_late_never(const struct subject *s, struct text *message)
{
	const struct shadow *shadow = &s->context->shadows[s->index];

	if (!shadow->late)
		return false;
	text_addf(message, "this comes too late for %u rule%s, the first ", shadow->n_late,
		  shadow->n_late == 1 ? "" : "s");
	add_rule_place(message, s, shadow->late);
	text_add(message, ": what they match is recorded all the same");
	add_remedy(message, s, &s->context->set->rules[shadow->late - 1]);
	if (data_has(s->data, AUDIT_EXE))
		text_add(message, "; [filter] exclude_exe leaves a program out of everything");
	return true;
}
