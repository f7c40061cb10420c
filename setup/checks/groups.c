#include "setup/checks/groups.h"

#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"
#include "units/audit_units.h"

/* NN-GROUP[-VALUE][@MACHINE].rules */
static const char *shipped_group(const char *file)
{
	const char *name = text_base_name(file), *group, *found = NULL;

	name += strspn(name, "0123456789");
	name += *name == '-';
	for (size_t i = 0; (group = config_key("events", i)); i++) {
		size_t n = strlen(group);

		if (strncmp(name, group, n) == 0 && strchr("-.@", name[n]) && (!found || strlen(found) < n))
			found = group;
	}
	return found;
}

char *group_name(const struct rule *rule)
{
	const char *base = text_base_name(rule->file), *group = rule->shipped ? shipped_group(rule->file) : NULL;
	size_t n = strlen(base);

	if (group)
		return strdup(group);
	/* What ends the file is not one that anybody wrote. */
	if (strcmp(rule->file, END_SOURCE) == 0)
		return strdup("end");
	return strdup((n > 6 && strcmp(base + n - 6, ".rules") == 0) || rule->shipped || strcmp(base, "stdin") == 0 ?
		      base : "filter");
}

/* The group of a rule, made where it is the first; NULL without memory. */
static struct group *find(struct groups *groups, const struct config *config, const struct rule *rule)
{
	char *name = group_name(rule);
	struct group *items;
	const char *event = rule->shipped ? shipped_group(rule->file) : NULL;

	for (size_t i = 0; name && i < groups->n; i++) {
		if (strcmp(groups->items[i].name, name) != 0)
			continue;
		free(name);
		return &groups->items[i];
	}
	items = name ? realloc(groups->items, (groups->n + 1) * sizeof(*items)) : NULL;
	if (!items) {
		free(name);
		return NULL;
	}
	groups->items = items;
	items[groups->n] = (struct group){
		.name = name, .off = event && strcmp(config_value(config, "events", event), "no") == 0,
	};
	return &items[groups->n++];
}

int groups_count(struct groups *ret, const struct wanted *wanted, const struct config *config, const struct node *node)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};

	*ret = (struct groups){0};
	if (rulesdiff_compare(&diff, &wanted->rules, &node->rules, true) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < wanted->rules.n_rules; i++) {
		struct group *group = find(ret, config, &wanted->rules.rules[i]);

		if (!group)
			return -ENOMEM;
		group->wanted++;
		group->in_force += !diff.missing[i];
		ret->wanted++;
		ret->in_force += !diff.missing[i];
	}
	for (size_t i = 0; i < node->rules.n; i++)
		ret->others += diff.unexpected[i];
	return 0;
}

void groups_done(struct groups *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		free(groups->items[i].name);
	free(groups->items);
	*groups = (struct groups){0};
}

void groups_add(struct text *out, const struct groups *groups, const char *space)
{
	const char *comma = "";

	for (size_t i = 0; i < groups->n; i++, comma = ", ") {
		const struct group *g = &groups->items[i];

		text_addf(out, "%s%s%s", comma, g->name, space);
		/* Where none is in force that is said of all. */
		if (g->off && (g->in_force == g->wanted || groups->in_force == 0))
			text_add(out, "off");
		else if (g->in_force != g->wanted && groups->in_force > 0)
			text_addf(out, "%s%s%zu%sof%s%zu", g->off ? "(off)" : "", g->off ? space : "", g->in_force, space, space,
				  g->wanted);
		else
			text_addf(out, "%zu", g->wanted);
	}
}
