/* Options of a rules file that set the audit system. They are never carried out: the
 * configuration says how it is set, and a rules file may say the same. */
#include <string.h>

#include "rules/parse/draft.h"
#include "rules/rule/value.h"

enum control_kind {
	CONTROL_NUMBER,
	CONTROL_LEVEL,	/* 0, 1 or 2 */
	CONTROL_FLAG,	/* has no value */
};

static const struct {
	const char *option;
	enum control_kind kind;
} controls[] = {
	{ "-b", CONTROL_NUMBER }, { "-r", CONTROL_NUMBER },
	{ "-f", CONTROL_LEVEL }, { "-e", CONTROL_LEVEL },
	{ "--backlog_wait_time", CONTROL_NUMBER },
	{ "-D", CONTROL_FLAG }, { "--loginuid-immutable", CONTROL_FLAG },
};

static enum control_kind kind_of(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		if (strcmp(controls[i].option, option) == 0)
			return controls[i].kind;
	return CONTROL_FLAG;
}

static const struct rules_setting *find_setting(const struct rules_env *env, const char *option)
{
	for (size_t i = 0; i < env->n_settings; i++)
		if (strcmp(env->settings[i].option, option) == 0)
			return &env->settings[i];
	return NULL;
}

static bool read_value(struct draft *draft, const char *option, const char *value, uint32_t *ret)
{
	enum control_kind kind = kind_of(option);
	const char *wrong;

	*ret = 0;
	if (kind == CONTROL_FLAG)
		return true;
	wrong = value_number(value, 0, ret);
	if (kind == CONTROL_LEVEL && (wrong || value[1] || *ret > 2))
		return draft_fail(draft, "%s %s: expected 0, 1 or 2", option, value);
	if (!wrong)
		return true;
	if (value_is_number(value) && *value != '-')
		return draft_fail(draft, "%s %s: this is %s; auditctl would read it as %u", option, value,
				  wrong, value_as_auditctl(value, VALUE_STRTOUL));
	return draft_fail(draft, "%s %s: expected a number", option, value);
}

static bool agrees(const struct rules_setting *setting, const char *option, uint32_t value)
{
	uint32_t wanted = 0;

	/* With -e 1 in the file the configuration still decides whether to lock at the end. */
	if (strcmp(option, "-e") == 0 && value < 2)
		return value == 1;
	if (!setting || !setting->value)
		return false;
	if (kind_of(option) == CONTROL_FLAG)
		return true;
	return !value_number(setting->value, 0, &wanted) && wanted == value;
}

bool draft_control(struct draft *draft, const char *option, const char *value)
{
	const struct rules_setting *setting = find_setting(draft->env, option);
	uint32_t number;

	draft->control = true;
	if (!read_value(draft, option, value, &number))
		return false;
	if (strcmp(option, "-D") == 0 && draft->n_tokens != 1)
		return draft_fail(draft, "-D must stand alone on its line: auditctl would crash, or with -k "
				  "delete every rule whose key has that text in it");
	if (agrees(setting, option, number))
		return true;
	if (strcmp(option, "-e") == 0 && number == 0)
		return draft_fail(draft, "-e 0 would switch auditing off");
	if (!setting)
		return draft_fail(draft, "%s%s%s: the configuration has no such setting", option,
				  *value ? " " : "", value);
	return draft_fail(draft, "%s%s%s contradicts %s (%s)", option, *value ? " " : "", value,
			  setting->key, setting->source);
}
