#include "rules/rule/rule.h"

#include <stdlib.h>

void rule_done(struct rule *rule)
{
	for (size_t i = 0; i < rule->n_merged; i++)
		free(rule->merged[i].file);
	free(rule->merged);
	free(rule->file);
	free(rule->data);
	*rule = (struct rule){ 0 };
}

void rule_set_done(struct rule_set *set)
{
	for (size_t i = 0; i < set->n_rules; i++)
		rule_done(&set->rules[i]);
	free(set->rules);
	*set = (struct rule_set){ 0 };
}

void rule_add_place(struct text *out, const char *file, unsigned line)
{
	text_add(out, file);
	if (line)
		text_addf(out, ":%u", line);
}
