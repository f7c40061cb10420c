/* Narrower masks and fewer rules, so that a system call that no rule asks for costs less.
 *
 * The kernel (kernel/auditsc.c, Linux 4.0 to 6.18; names of 6.1) decides an event in
 * audit_filter_syscall(), which goes through the list exit, and audit_filter_inodes(), which goes
 * for every file of the event through a bucket of rules with path= or inode=, hashed by inode. A
 * rule with dir= or exe= is in the list and costs something at every system call whose number its
 * mask has. Both call __audit_filter_op(): the first rule decides whose mask has the number
 * ctx->major (audit_in_mask()) and whose fields match (audit_filter_rules()); its action and key are
 * the event's. A rule from a bucket wins over one from the list when it was added before it
 * (rule->prio). What is done here changes no decision:
 *
 * 1. Narrowing. A rule with perm=LETTERS and an all-ones mask is given the numbers for which
 *    audit_match_perm() can be true. That function, too, asks for ctx->major (and ctx->arch), never
 *    for anything else: where audit_in_mask() now says no, the field perm said no before. The mask is
 *    looked at nowhere else when an event is decided: not by the lists task, user, exclude and
 *    filesystem, which are left alone; audit_filter_uring() compares it with the number of an
 *    io_uring operation, but goes through the list io_uring only, which is left alone, and the
 *    buckets are searched by ctx->major for io_uring, too. A number with bit 30 (x32) or from 2048 on
 *    is in no mask, not even in one of all ones. A rule without arch= meets both architectures and
 *    gets the numbers of both. One more use of the mask is when a rule is added: see "kill" in
 *    rules/match/perm.c. Which numbers these are, and what holds for kernels that are not written yet, is
 *    said there. The class bits 2032 to 2047 are not set, so that the kernel lists the mask as it was
 *    sent.
 *
 * 2. Merging. C goes into an earlier rule A whose list, action, fields, values and key are the same
 *    bytes: A takes the system calls of both. This moves C up to the place of A. Let e be an event.
 *    If C does not match e, the rules that match e are the same ones in the same order. If C matches
 *    e, so that its mask has the number and its arch= is the event's: no rule B between A and C
 *    has that number in its mask and an arch= that is the same or none (this is what is checked), so
 *    none of them matches e, and among the rules that do match, C is in the same place. (If A matches
 *    e as well it decided before, with the same result.) So it is with the order in a bucket, even
 *    though the kernel turns round the order of all rules on one file when that file is replaced
 *    (kernel/audit_watch.c audit_update_watch()), and with prio, of which only the order counts.
 *    One merge is made after the other, each on what the one before left, so that this holds for all.
 *
 * 3. Dropping. A rule in the list (not in a bucket, where order can turn round) never decides when
 *    earlier rules with the same fields have every system call of it. Where rules became equal, in a
 *    bucket as well, one has to go: the kernel would refuse it (EEXIST).
 *
 * "Order" is the order in which the kernel goes through the rules: prepended ones stand last first.
 *
 * What does differ: the CONFIG_CHANGE records of loading and removing the rules themselves are as
 * many as there are rules. */
#include "rules/judge/optimise.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "rules/judge/lint.h"
#include "rules/judge/map.h"
#include "rules/match/perm.h"
#include "rules/rule/data.h"
#include "rules/rule/lex.h"
#include "rules/rule/names.h"

enum {
	ARCHES = 2,	/* that a kernel has: its own and its 32-bit one */
	SYSCALLS = AUDIT_BITMASK_SIZE * 32,
};

/* --- what both parts ask ----------------------------------------------------------------- */

/* Without printing it, which would be most of the time for a large set. What besides a list that is
 * too long can hinder is a path with an operator in it, which -w can have only. */
static bool surely_can_be_written(const struct audit_rule_data *data)
{
	enum { HEAD = 32, FIELD = 40, NAME = 24, NUMBER = 5, NAMED = 15 };	/* words of the mask */
	size_t name = data_has(data, AUDIT_ARCH) ? NAME : NUMBER;
	size_t length = HEAD + FIELD * data->field_count + 2 * data->buflen;

	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		length += (size_t)__builtin_popcount(data->mask[i]) * (i < NAMED ? name : NUMBER);
	return length <= LEX_LINE_MAX && !memchr(data->buf, '=', data->buflen);
}

/* Whether a line of a rules file gives this rule, which did so with other system calls. */
static bool can_be_written(const struct rule *rule)
{
	_cleanup_text_ struct text line = { 0 };

	return surely_can_be_written(rule->data) ||
	       (rule_print(&line, rule->data, rule->size) && text_error(&line) == 0);
}

/* --- narrowing --------------------------------------------------------------------------- */

struct narrower {
	uint32_t arches[ARCHES];
	struct perm_masks perms[ARCHES];
};

/* Whether the architecture's system calls are among those that the rule may meet. */
static bool meets(const struct audit_rule_data *data, uint32_t arch)
{
	uint32_t only;

	return !data_find_equal(data, AUDIT_ARCH, &only) || only == arch;
}

static void narrow(const struct narrower *narrower, struct rule *rule)
{
	enum { EVERY_PERM = AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR };
	struct audit_rule_data *data = rule->data;
	uint32_t before[AUDIT_BITMASK_SIZE], perms;

	if (data_list(data) != AUDIT_FILTER_EXIT || !data_mask_all(data) ||
	    !data_find_equal(data, AUDIT_PERM, &perms) || !perms || perms & ~(uint32_t)EVERY_PERM)
		return;
	memcpy(before, data->mask, sizeof(before));
	memset(data->mask, 0, sizeof(data->mask));
	for (size_t i = 0; i < ARCHES; i++)
		if (meets(data, narrower->arches[i]))
			perm_masks_add(&narrower->perms[i], perms, data->mask);
	/* Of an architecture that is not this machine's nothing is known. */
	if (data_mask_empty(data) || !can_be_written(rule))
		memcpy(data->mask, before, sizeof(before));
}

static void narrow_set(struct rule_set *set, const uint32_t *arches)
{
	struct narrower narrower;

	for (size_t i = 0; i < ARCHES; i++) {
		narrower.arches[i] = arches[i];
		if (!perm_masks_init(&narrower.perms[i], arches[i]))
			return;
	}
	for (size_t i = 0; i < set->n_rules; i++)
		narrow(&narrower, &set->rules[i]);
}

/* --- merging ----------------------------------------------------------------------------- */

/* Rules that differ in their system calls only. */
struct group {
	struct rule *rule;	/* the last one that stayed */
	uint32_t place;	/* its place in the kernel's order, from 1 */
	uint32_t mask[AUDIT_BITMASK_SIZE];	/* what all of them have */
};

struct merger {
	struct map map;	/* the groups, by everything but the mask */
	struct group *groups;
	uint32_t n_groups;
	uint32_t arches[ARCHES];
	uint32_t wall;	/* place of the last rule of which it is not known what it matches */
	/* Places of the last rule, by system call: of any architecture, of the first, of the second. */
	uint32_t last[1 + ARCHES][SYSCALLS];
};

/* Which part of merger->last is the rule's. */
static size_t arch_slot(const struct merger *merger, const struct audit_rule_data *data)
{
	uint32_t arch;

	if (data_find_equal(data, AUDIT_ARCH, &arch))
		for (size_t i = 0; i < ARCHES; i++)
			if (merger->arches[i] == arch)
				return 1 + i;
	return 0;
}

static void note_place(struct merger *merger, const struct audit_rule_data *data, uint32_t place)
{
	uint32_t *last = merger->last[arch_slot(merger, data)], next = 0, n;

	while (data_next_syscall(data, &next, &n))
		if (last[n] < place)
			last[n] = place;
}

/* The place of the last rule so far that might match an event that this one matches. */
static uint32_t last_rival(const struct merger *merger, const struct audit_rule_data *data)
{
	size_t slot = arch_slot(merger, data);
	uint32_t rival = merger->wall, next = 0, n;

	while (data_next_syscall(data, &next, &n))
		for (size_t i = 0; i <= ARCHES; i++)
			if ((i == 0 || slot == 0 || i == slot) && merger->last[i][n] > rival)
				rival = merger->last[i][n];
	return rival;
}

/* In a bucket (kernel/auditfilter.c audit_add_rule(), audit_to_inode(), audit_to_watch()). */
static bool is_hashed(const struct audit_rule_data *data)
{
	return data_has(data, AUDIT_WATCH) || data_has(data, AUDIT_INODE);
}

static bool has_all(const uint32_t *mask, const struct audit_rule_data *data)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		if (data->mask[i] & ~mask[i])
			return false;
	return true;
}

static bool is_same_but_mask(const struct rule *a, const struct rule *b)
{
	const size_t rest = offsetof(struct audit_rule_data, fields);

	return a->size == b->size && memcmp(a->data, b->data, offsetof(struct audit_rule_data, mask)) == 0 &&
	       memcmp((const char *)a->data + rest, (const char *)b->data + rest, a->size - rest) == 0;
}

static uint64_t key_but_mask(const struct rule *rule)
{
	const size_t rest = offsetof(struct audit_rule_data, fields);
	uint64_t key = map_hash(MAP_HASH_START, rule->data, offsetof(struct audit_rule_data, mask));

	return map_hash(key, (const char *)rule->data + rest, rule->size - rest);
}

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

/* Gives the rule the other's system calls, too. False: no line of a rules file could say so. */
static bool widen(struct rule *rule, const struct audit_rule_data *by)
{
	uint32_t before[AUDIT_BITMASK_SIZE];

	memcpy(before, rule->data->mask, sizeof(before));
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		rule->data->mask[i] |= by->mask[i];
	/* As auditctl sends it. */
	if (data_mask_all(rule->data))
		memset(rule->data->mask, 0xff, sizeof(rule->data->mask));
	if (can_be_written(rule))
		return true;
	memcpy(rule->data->mask, before, sizeof(before));
	return false;
}

/* Lets the rule go up in the group's last one if it may. Returns 1 if so, 0, or -ENOMEM. */
static int join(struct merger *merger, struct group *group, struct rule *rule)
{
	bool same = memcmp(group->rule->data->mask, rule->data->mask, sizeof(rule->data->mask)) == 0;
	int r;

	if (!same && !(has_all(group->mask, rule->data) && !is_hashed(rule->data)) &&
	    (last_rival(merger, rule->data) > group->place || !widen(group->rule, rule->data)))
		return 0;
	r = add_place(group->rule, rule);
	if (r < 0)
		return r;
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		group->mask[i] |= rule->data->mask[i];
	note_place(merger, group->rule->data, group->place);
	free(rule->data);
	rule->data = NULL;
	return 1;
}

static bool is_opaque(const struct audit_rule_data *data)
{
	/* The kernel puts lists of its own in place of class bits. */
	return data_list(data) == AUDIT_FILTER_URING_EXIT ||
	       (!data_mask_all(data) && data->mask[AUDIT_BITMASK_SIZE - 1] & DATA_CLASS_BITS);
}

static int merge(struct merger *merger, struct rule *rule, uint32_t place)
{
	uint64_t key = key_but_mask(rule);
	struct group *group;
	uint32_t at;
	int r;

	if (!map_find(&merger->map, key, &at)) {
		at = merger->n_groups++;
		map_put(&merger->map, key, at);
	} else if (is_same_but_mask(merger->groups[at].rule, rule)) {
		r = join(merger, &merger->groups[at], rule);
		if (r != 0)
			return r < 0 ? r : 0;
	} else {
		memset(&merger->groups[at], 0, sizeof(merger->groups[at]));
	}
	group = &merger->groups[at];
	group->rule = rule;
	group->place = place;
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		group->mask[i] |= rule->data->mask[i];
	note_place(merger, rule->data, place);
	return 0;
}

static int merge_set(struct rule_set *set, struct merger *merger, const uint32_t *order)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->n_rules; i++) {
		struct rule *rule = &set->rules[order[i]];
		uint32_t place = (uint32_t)i + 1;

		if (is_opaque(rule->data))
			merger->wall = place;
		else if (data_list(rule->data) == AUDIT_FILTER_EXIT)
			r = merge(merger, rule, place);
	}
	return r;
}

int optimise_set(struct rule_set *set, const struct rules_env *env)
{
	_cleanup_free_ struct merger *merger = calloc(1, sizeof(*merger));
	_cleanup_free_ struct group *groups = calloc(set->n_rules + 1, sizeof(*groups));
	_cleanup_free_ uint32_t *order = calloc(set->n_rules + 1, sizeof(*order));
	int r = -ENOMEM;

	if (!merger || !groups || !order)
		return r;
	merger->groups = groups;
	merger->arches[0] = names_machine(env->machine);
	merger->arches[1] = names_arch32(merger->arches[0]);
	r = map_init(&merger->map, set->n_rules);
	if (r == 0) {
		narrow_set(set, merger->arches);
		lint_kernel_order(set, order);
		r = merge_set(set, merger, order);
	}
	map_done(&merger->map);
	return r;
}
