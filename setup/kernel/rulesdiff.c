#include "setup/kernel/rulesdiff.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

enum { N_LISTS = AUDIT_FILTER_PREPEND };	/* list numbers are below that bit */

/* A rule and its index in its own set. */
struct entry {
	const struct audit_rule_data *data;
	size_t index;
	uint32_t last_word;	/* of the mask, as a listing has it */
};

static struct entry make_entry(const struct audit_rule_data *data, size_t index)
{
	bool all = true;

	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		all = all && data->mask[i] == UINT32_MAX;
	return (struct entry){ data, index, all ? 0x0000ffff : data->mask[AUDIT_BITMASK_SIZE - 1] };
}

void rulesdiff_as_listed(struct audit_rule_data *rule)
{
	struct entry entry = make_entry(rule, 0);

	rule->mask[AUDIT_BITMASK_SIZE - 1] = entry.last_word;
	rule->flags &= ~(uint32_t)AUDIT_FILTER_PREPEND;
}

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_rules(const struct entry *a, const struct entry *b)
{
	const uint32_t list = ~(uint32_t)AUDIT_FILTER_PREPEND;
	const size_t fields = sizeof(*a->data) - offsetof(struct audit_rule_data, fields);
	int r = compare_numbers(a->data->flags & list, b->data->flags & list);

	if (r == 0)
		r = compare_numbers(a->data->action, b->data->action);
	if (r == 0)
		r = compare_numbers(a->data->field_count, b->data->field_count);
	if (r == 0)
		r = memcmp(a->data->mask, b->data->mask, sizeof(a->data->mask) - sizeof(uint32_t));
	if (r == 0)
		r = compare_numbers(a->last_word, b->last_word);
	if (r == 0)	/* fields, values, operators and the length of the strings */
		r = memcmp(a->data->fields, b->data->fields, fields);
	return r ? r : memcmp(a->data->buf, b->data->buf, a->data->buflen);
}

static int by_rule(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = compare_rules(x, y);

	return r ? r : (x->index > y->index) - (x->index < y->index);
}

void rulesdiff_listing_order(const struct rule_set *wanted, size_t *order)
{
	size_t n = 0;

	for (uint32_t list = 0; list < N_LISTS; list++) {
		for (size_t i = wanted->n_rules; i-- > 0;)
			if (wanted->rules[i].data->flags == (list | AUDIT_FILTER_PREPEND))
				order[n++] = i;
		for (size_t i = 0; i < wanted->n_rules; i++)
			if (wanted->rules[i].data->flags == list)
				order[n++] = i;
	}
}

/* Marks what only one side has; both sides are sorted. */
static void mark(struct rulesdiff *diff, const struct entry *wanted, size_t n_wanted,
		 const struct entry *listed, size_t n_listed, bool keep)
{
	size_t i = 0, j = 0;

	while (i < n_wanted || j < n_listed) {
		int r = i == n_wanted ? 1 : j == n_listed ? -1 : compare_rules(&wanted[i], &listed[j]);

		if (r < 0) {
			diff->missing[wanted[i++].index] = true;
			diff->n_missing++;
		} else if (r > 0) {
			diff->unexpected[listed[j++].index] = true;
			diff->n_unexpected += !keep;
		} else {
			diff->wanted[listed[j++].index] = wanted[i++].index;
		}
	}
}

/* Nothing is missing: do the wanted rules stand in the listing in the order that loading gives? */
static bool same_order(const struct rulesdiff *diff, const struct rule_set *wanted,
		       const struct kernel_rules *listed, const size_t *order)
{
	size_t n = 0;

	for (size_t i = 0; i < listed->n; i++) {
		struct entry a, b;

		if (diff->unexpected[i])
			continue;
		a = make_entry(listed->rules[i].data, 0);
		b = make_entry(wanted->rules[order[n++]].data, 0);
		if (compare_rules(&a, &b) != 0)
			return false;
	}
	return true;
}

int rulesdiff_compare(struct rulesdiff *ret, const struct rule_set *wanted,
		      const struct kernel_rules *listed, bool keep)
{
	_cleanup_free_ struct entry *a = calloc(wanted->n_rules + 1, sizeof(*a));
	_cleanup_free_ struct entry *b = calloc(listed->n + 1, sizeof(*b));
	_cleanup_free_ size_t *order = calloc(wanted->n_rules + 1, sizeof(*order));
	struct rulesdiff diff = {
		.missing = calloc(wanted->n_rules + 1, sizeof(bool)),
		.unexpected = calloc(listed->n + 1, sizeof(bool)),
		.wanted = calloc(listed->n + 1, sizeof(size_t)),
	};

	if (!a || !b || !order || !diff.missing || !diff.unexpected || !diff.wanted) {
		rulesdiff_done(&diff);
		return -ENOMEM;
	}
	for (size_t i = 0; i < wanted->n_rules; i++)
		a[i] = make_entry(wanted->rules[i].data, i);
	for (size_t i = 0; i < listed->n; i++)
		b[i] = make_entry(listed->rules[i].data, i);
	qsort(a, wanted->n_rules, sizeof(*a), by_rule);
	qsort(b, listed->n, sizeof(*b), by_rule);
	mark(&diff, a, wanted->n_rules, b, listed->n, keep);
	rulesdiff_listing_order(wanted, order);
	diff.order = diff.n_missing == 0 && diff.n_unexpected == 0 &&
		!same_order(&diff, wanted, listed, order);
	*ret = diff;
	return 0;
}

bool rulesdiff_same(const struct rulesdiff *diff)
{
	return diff->n_missing == 0 && diff->n_unexpected == 0 && !diff->order;
}

void rulesdiff_done(struct rulesdiff *diff)
{
	free(diff->missing);
	free(diff->unexpected);
	free(diff->wanted);
	*diff = (struct rulesdiff){0};
}
