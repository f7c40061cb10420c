#include "rules/rule/rule.h"

#include <stdlib.h>
#include <string.h>

void rule_done(struct rule *rule)
{
	for (size_t i = 0; i < rule->n_merged; i++) {
		free(rule->merged[i].file);
		free(rule->merged[i].written);
	}
	free(rule->merged);
	free(rule->file);
	free(rule->written);
	free(rule->absent);
	free(rule->staged);
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

void rule_add_place(struct text *out, const struct rule_place *place)
{
	/* What stands on no line is no file's name. */
	const char *slash = place->line ? strrchr(place->file, '/') : NULL;

	text_add(out, place->shipped ? "shipped " : "");
	/* It stands in lines of a rules file, where a line break in a name would begin a rule. */
	for (const char *s = slash ? slash + 1 : place->file; *s; s++)
		text_add_bytes(out, (unsigned char)*s < 0x20 ? "?" : s, 1);
	if (place->line)
		text_addf(out, ":%u", place->line);
}

void rule_add_source(struct text *out, const struct rule_place *place)
{
	text_add(out, "# ");
	rule_add_place(out, place);
	text_add(out, "\n");
}

struct rule_place rule_place(const struct rule *rule)
{
	return (struct rule_place){ rule->file, rule->line, rule->shipped, rule->written };
}
