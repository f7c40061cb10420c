#include "setup/checks/kept.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "rules/judge/lint.h"
#include "rules/rule/data.h"
#include "rules/rule/show.h"
#include "setup/kernel/rulesdiff.h"

/* The rules that are kept, in the kernel's order, with masks as they are sent, then ours. */
struct both {
	struct rule *rules;
	struct audit_rule_data **copies;
	size_t n_kept, n;
};

static void both_done(struct both *both)
{
	for (size_t i = 0; both->copies && i < both->n_kept; i++)
		free(both->copies[i]);
	free(both->copies);
	free(both->rules);
}

/* A listing has the class bits of a mask of all system calls cleared. */
static struct audit_rule_data *as_sent(const struct kernel_rule *listed)
{
	struct audit_rule_data *copy = malloc(listed->size);

	if (!copy)
		return NULL;
	memcpy(copy, listed->data, listed->size);
	if (data_mask_all(copy))
		memset(copy->mask, 0xff, sizeof(copy->mask));
	return copy;
}

static int put_together(struct both *ret, const struct wanted *wanted, const struct node *node, const bool *kept)
{
	size_t n = node->rules.n + wanted->rules.n_rules;

	ret->rules = calloc(n + 1, sizeof(*ret->rules));
	ret->copies = calloc(node->rules.n + 1, sizeof(*ret->copies));
	if (!ret->rules || !ret->copies)
		return -ENOMEM;
	for (size_t i = 0; i < node->rules.n; i++) {
		if (!kept[i])
			continue;
		ret->copies[ret->n_kept] = as_sent(&node->rules.rules[i]);
		if (!ret->copies[ret->n_kept])
			return -ENOMEM;
		ret->rules[ret->n_kept] = (struct rule){ .data = ret->copies[ret->n_kept], .size = node->rules.rules[i].size };
		ret->n_kept++;
	}
	ret->n = ret->n_kept;
	for (size_t i = 0; i < wanted->rules.n_rules; i++)
		ret->rules[ret->n++] = wanted->rules.rules[i];
	return 0;
}

/* Programs that start under it have no audit context, and no rule of the exit list is looked at for them
 * (audit_alloc() in kernel/auditsc.c). One with fields is about some of them only. */
static bool silences_all(const struct audit_rule_data *data)
{
	return data_list(data) == AUDIT_FILTER_TASK && data->action == AUDIT_NEVER && data->field_count == 0;
}

/* Of an event whose SYSCALL record is dropped nothing says by which rule it came, and who did it. */
static bool takes_all(const struct audit_rule_data *data)
{
	return silences_all(data) || data_drops(data, AUDIT_SYSCALL);
}

/* Is some other record of such an event left? */
static bool leaves_some(const struct audit_rule_data *data)
{
	static const uint32_t others[] = {
		AUDIT_EXECVE, AUDIT_CWD, AUDIT_PATH, AUDIT_PROCTITLE, AUDIT_SOCKADDR, AUDIT_SOCKETCALL, AUDIT_MMAP, AUDIT_FD_PAIR,
	};

	for (size_t i = 0; i < ARRAY_SIZE(others) && !silences_all(data); i++)
		if (!data_drops(data, others[i]))
			return true;
	return false;
}

/* The first of those that are kept that takes all; one that leaves nothing before one that leaves some; n_kept for none. */
static size_t find_whole(const struct both *both)
{
	size_t found = both->n_kept;

	for (size_t i = 0; i < both->n_kept; i++) {
		if (!takes_all(both->rules[i].data))
			continue;
		if (!leaves_some(both->rules[i].data))
			return i;
		found = found < both->n_kept ? found : i;
	}
	return found;
}

bool kept_has_silencer(const struct node *node)
{
	for (size_t i = 0; i < node->rules.n; i++)
		if (silences_all(node->rules.rules[i].data))
			return true;
	return false;
}

int kept_left_behind(bool **ret, size_t *ret_n, const struct wanted *wanted, const struct config *config, const struct node *node,
		     const struct host *host)
{
	const struct text *rules = node_own_rules(node);
	_cleanup_(rulesdiff_done) struct rulesdiff ours = {0}, diff = {0};
	_cleanup_(rule_set_done) struct rule_set earlier = {0};
	_cleanup_free_ bool *left = calloc(node->rules.n + 1, sizeof(*left));
	size_t n = 0;
	bool replaced;

	if (!left)
		return -ENOMEM;
	if (config->existing == EXISTING_KEEP && rules->s && !wanted_same_rules(wanted, rules)) {
		if (wanted_earlier_rules(host, rules->s, &earlier, &replaced) < 0 ||
		    rulesdiff_compare(&ours, &earlier, &node->rules, true) < 0 ||
		    rulesdiff_compare(&diff, &wanted->rules, &node->rules, true) < 0)
			return -ENOMEM;
		for (size_t i = 0; i < node->rules.n; i++)
			n += left[i] = diff.unexpected[i] && !ours.unexpected[i];
	}
	*ret = TAKE(left);
	*ret_n = n;
	return 0;
}

static void count(struct kept *kept, const struct both *both, const uint32_t *by)
{
	const struct rule *taker = NULL;
	size_t whole = find_whole(both);

	for (size_t i = both->n_kept; i < both->n; i++) {
		const struct audit_rule_data *data = both->rules[i].data;
		size_t by_rule = whole < both->n_kept ? whole + 1 : by[i];

		if (data_list(data) != AUDIT_FILTER_EXIT || data->action != AUDIT_ALWAYS)
			continue;
		kept->ours++;
		if (by_rule == 0 || by_rule > both->n_kept)
			continue;
		kept->taken++;
		taker = taker ? taker : &both->rules[by_rule - 1];
	}
	kept->headless = whole < both->n_kept && leaves_some(both->rules[whole].data);
	if (taker)
		rule_show(&kept->by, taker->data, taker->size);
}

int kept_judge(struct kept *ret, const struct wanted *wanted, const struct config *config, const struct node *node,
	       const struct host *host)
{
	const struct rules_env env = { .machine = NULL };
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0}, ours = {0};
	_cleanup_(rule_set_done) struct rule_set earlier = {0};
	_cleanup_(both_done) struct both both = {0};
	_cleanup_free_ uint32_t *by = NULL;
	const char *own = host ? node_own_rules(node)->s : NULL;
	bool replaced;
	int r;

	*ret = (struct kept){0};
	if (config->existing != EXISTING_KEEP)
		return 0;
	if (rulesdiff_compare(&diff, &wanted->rules, &node->rules, false) < 0 ||
	    (own && diff.n_unexpected > 0 && wanted_earlier_rules(host, own, &earlier, &replaced) < 0) ||
	    rulesdiff_compare(&ours, &earlier, &node->rules, false) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < node->rules.n; i++)
		diff.unexpected[i] = diff.unexpected[i] && ours.unexpected[i];
	r = put_together(&both, wanted, node, diff.unexpected);
	by = calloc(both.n + 1, sizeof(*by));
	if (r < 0 || !by)
		return -ENOMEM;
	r = lint_takers(&(struct rule_set){ .rules = both.rules, .n_rules = both.n }, &env, by);
	if (r < 0)
		return r;
	count(ret, &both, by);
	return text_error(&ret->by);
}

void kept_done(struct kept *kept)
{
	text_done(&kept->by);
}
