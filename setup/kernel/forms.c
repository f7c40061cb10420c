#include "setup/kernel/forms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule/data.h"
#include "setup/kernel/rulesdiff.h"

/* The next field that is a watch; *at and *offset as data_next() has them. */
static bool next_watch(const struct audit_rule_data *data, uint32_t *at, size_t *offset, struct data_field *ret)
{
	while (data_next(data, at, offset, ret))
		if (ret->field == AUDIT_WATCH || ret->field == AUDIT_DIR)
			return true;
	return false;
}

static int by_form(const void *a, const void *b)
{
	const struct data_field *x = a, *y = b;

	if (x->field != y->field)
		return x->field < y->field ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->text, y->text, x->len);
}

/* The watches of a listing that are no wanted rule's, sorted: what another wanted rule watches at the same path is that
 * rule, and no form that this one has kept. The caller's, NULL without memory; the texts are the listing's. */
static struct data_field *collect(const struct kernel_rules *listed, const struct rulesdiff *diff, size_t *ret_n)
{
	/* The kernel takes one of them a rule (audit_to_watch(), audit_make_tree()). */
	struct data_field *watches = calloc(listed->n + 1, sizeof(*watches));

	*ret_n = 0;
	for (size_t i = 0; watches && i < listed->n; i++) {
		size_t offset = 0;
		uint32_t at = 0;

		if (diff->unexpected[i])
			*ret_n += next_watch(listed->rules[i].data, &at, &offset, &watches[*ret_n]);
	}
	if (watches)
		qsort(watches, *ret_n, sizeof(*watches), by_form);
	return watches;
}

/* Calls back where the rule's path is among the watches in the other form. */
static int compare(const struct audit_rule_data *rule, const struct data_field *watches, size_t n,
		   int (*form)(void *context, const char *path, bool directory), void *context)
{
	_cleanup_free_ char *path = NULL;
	struct data_field watch;
	size_t offset = 0;
	uint32_t at = 0;

	if (!next_watch(rule, &at, &offset, &watch))
		return 0;
	watch.field = watch.field == AUDIT_DIR ? AUDIT_WATCH : AUDIT_DIR;
	if (!bsearch(&watch, watches, n, sizeof(*watches), by_form))
		return 0;
	path = strndup(watch.text, watch.len);
	return path ? form(context, path, watch.field == AUDIT_DIR) : -ENOMEM;
}

int forms_compare(const struct rule_set *wanted, const struct kernel_rules *listed,
		  int (*form)(void *context, const char *path, bool directory), void *context)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	_cleanup_free_ struct data_field *watches = NULL;
	size_t n;
	int r = rulesdiff_compare(&diff, wanted, listed, true);

	if (r < 0 || diff.n_missing == 0)
		return r;
	watches = collect(listed, &diff, &n);
	if (!watches)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < wanted->n_rules; i++)
		if (diff.missing[i])
			r = compare(wanted->rules[i].data, watches, n, form, context);
	return r;
}
