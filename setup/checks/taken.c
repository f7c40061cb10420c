#include "setup/checks/taken.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "rules/rule/data.h"
#include "rules/rule/show.h"
#include "setup/kernel/rulesdiff.h"

/* A key, or no key, and how many rules have it. */
struct group {
	struct data_field key;	/* text is NULL for none */
	const struct kernel_rule *first;
	size_t n;
};

static struct data_field key_of(const struct audit_rule_data *data)
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	while (data_next(data, &at, &offset, &field))
		if (field.field == AUDIT_FILTERKEY)
			return field;
	return (struct data_field){ .text = NULL };
}

static bool same_key(const struct data_field *a, const struct data_field *b)
{
	if (!a->text || !b->text)
		return a->text == b->text;
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void count(struct group *groups, size_t *n, const struct kernel_rule *rule)
{
	struct data_field key = key_of(rule->data);
	size_t i = 0;

	while (i < *n && !same_key(&groups[i].key, &key))
		i++;
	if (i == *n)
		groups[(*n)++] = (struct group){ .key = key, .first = rule };
	groups[i].n++;
}

/* Several keys of a rule are one field, with a byte between that no terminal shows (AUDIT_KEY_SEPARATOR). */
static void add_key(struct text *out, const struct data_field *key)
{
	for (size_t i = 0; key->text && i < key->len; i++)
		text_addf(out, "%c", (unsigned char)key->text[i] < ' ' ? '+' : key->text[i]);
	text_add(out, key->text ? "" : "without a key");
}

static void add_group(struct text *out, const struct group *group)
{
	if (out->s)
		text_add(out, ", ");
	add_key(out, &group->key);
	text_addf(out, " %zu", group->n);
	if (group->key.text)
		return;
	text_add(out, " (");
	rule_show(out, group->first->data, group->first->size);
	text_add(out, group->n > 1 ? ", ...)" : ")");
}

int taken_by_key(struct text *out, const struct kernel_rules *rules, const bool *which, const char *space)
{
	_cleanup_free_ struct group *groups = calloc(rules->n + 1, sizeof(*groups));
	size_t n = 0;

	if (!groups)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n; i++)
		if (which[i])
			count(groups, &n, &rules->rules[i]);
	for (size_t i = 0; i < n; i++) {
		text_add(out, i ? ", " : "");
		add_key(out, &groups[i].key);
		text_addf(out, "%s%zu", space, groups[i].n);
	}
	return text_error(out);
}

int taken_list(struct text *out, const struct wanted *wanted, const struct config *config, const struct node *node,
	       const struct host *host)
{
	_cleanup_free_ struct group *groups = calloc(node->rules.n + 1, sizeof(*groups));
	_cleanup_(rule_set_done) struct rule_set earlier = {0};
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0}, ours = {0};
	const char *own = node_own_rules(node)->s;
	size_t n = 0, n_rules = 0;
	bool replaced;

	if (config->existing == EXISTING_KEEP)
		return 0;
	if (!groups || rulesdiff_compare(&diff, &wanted->rules, &node->rules, false) < 0)
		return -ENOMEM;
	/* Ten thousand rules a second time are tens of megabytes. */
	if (diff.n_unexpected == 0)
		return 0;
	if ((own && wanted_earlier_rules(host, own, &earlier, &replaced) < 0) ||
	    rulesdiff_compare(&ours, &earlier, &node->rules, false) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < node->rules.n; i++) {
		if (!diff.unexpected[i] || !ours.unexpected[i])
			continue;
		count(groups, &n, &node->rules.rules[i]);
		n_rules++;
	}
	for (size_t i = 0; i < n; i++)
		add_group(out, &groups[i]);
	return text_error(out) < 0 ? -ENOMEM : (int)n_rules;
}
