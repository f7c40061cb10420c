/* Options of a rules file that set the audit system. They are never carried out: the configuration says how it is
 * set, and a rules file may say the same, or ask for more records to wait. What it asks for besides is told. */
#include <stdlib.h>
#include <string.h>

#include "rules/parse/draft.h"
#include "rules/parse/warnings.h"
#include "rules/rule/value.h"

enum control_kind {
	CONTROL_NUMBER,
	CONTROL_LEVEL,	/* 0, 1 or 2 */
	CONTROL_FLAG,	/* has no value */
	CONTROL_EVERY,	/* a flag that says how a file with mistakes is read */
};

/* What to write into the configuration instead, the value of a number behind it. */
static const struct {
	const char *option;
	enum control_kind kind;
	const char *instead;
	const char *levels[3];
} controls[] = {
	{ "-b", CONTROL_NUMBER, "[audit] backlog_limit = ", { NULL } },
	{ "-r", CONTROL_NUMBER, "[audit] rate_limit = ", { NULL } },
	{ "-f", CONTROL_LEVEL, "[audit] failure = ", { "silent", "printk", "panic" } },
	{ "-e", CONTROL_LEVEL, "[audit] lock = ", { NULL, "no", "yes" } },
	{ "--backlog_wait_time", CONTROL_NUMBER, "[audit] backlog_wait_time = ", { NULL } },
	{ "-D", CONTROL_FLAG, "[rules] existing = replace", { NULL } },
	{ "--loginuid-immutable", CONTROL_FLAG, "[audit] loginuid_immutable = yes", { NULL } },
	{ "-i", CONTROL_EVERY, NULL, { NULL } },
	{ "-c", CONTROL_EVERY, NULL, { NULL } },
};

/* One of them on a line. */
struct control {
	size_t row;
	const char *option, *value;	/* as written */
	uint32_t number;
	const struct rules_setting *setting;	/* NULL: the configuration has no such */
};

static size_t find_row(const char *option)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(controls) - 1 && strcmp(controls[i].option, option) != 0)
		i++;
	return i;
}

static const struct rules_setting *find_setting(const struct rules_env *env, const char *option)
{
	for (size_t i = 0; i < env->n_settings; i++)
		if (strcmp(env->settings[i].option, option) == 0)
			return &env->settings[i];
	return NULL;
}

static bool read_value(struct draft *draft, struct control *control)
{
	enum control_kind kind = controls[control->row].kind;
	const char *option = control->option, *value = control->value, *wrong;

	if (kind == CONTROL_FLAG || kind == CONTROL_EVERY)
		return true;
	wrong = value_number(value, 0, &control->number);
	if (kind == CONTROL_LEVEL && (wrong || value[1] || control->number > 2))
		return draft_fail(draft, "%s %s: expected 0, 1 or 2", option, value);
	if (!wrong)
		return true;
	if (value_is_number(value) && *value != '-')
		return draft_fail(draft, "%s %s: this is %s; auditctl would read it as %u", option, value,
				  wrong, value_as_auditctl(value, VALUE_STRTOUL));
	return draft_fail(draft, "%s %s: expected a number", option, value);
}

static bool agrees(const struct control *control)
{
	const struct rules_setting *setting = control->setting;
	uint32_t wanted = 0;

	if (!setting || !setting->value)
		return false;
	if (controls[control->row].kind == CONTROL_FLAG)
		return true;
	return !value_number(setting->value, 0, &wanted) && wanted == control->number;
}

static void warn(struct draft *draft, const struct control *control, const char *why)
{
	const char *level = controls[control->row].levels[control->number > 2 ? 0 : control->number];

	warnings_add(draft->env->warnings, draft->env->log, "control", draft->file, draft->line,
		     "%s%s%s: %s; %s%s sets it", control->option, *control->value ? " " : "", control->value, why,
		     controls[control->row].instead, level ? level : control->value);
}

/* -b asks for room, which it gets; what would leave less is told. */
static bool raise_backlog(struct draft *draft, const struct control *control)
{
	struct rules_backlog *backlog = draft->env->backlog;
	uint32_t least = 0;
	char *file;

	if (value_number(control->setting->value, 0, &least) || control->number < least) {
		warn(draft, control, control->number == 0 ? "only the configuration lifts the limit" :
		     "a rules file does not lower the limit, which stays at its default or what the kernel has");
		return true;
	}
	if (!backlog || control->number <= backlog->limit)
		return true;
	file = strdup(draft->file);
	if (!file)
		return draft_fail(draft, "out of memory");
	free(backlog->file);
	*backlog = (struct rules_backlog){ file, draft->line, control->number };
	return true;
}

static bool fail_contradiction(struct draft *draft, const struct control *control)
{
	const char *space = *control->value ? " " : "";

	if (!control->setting)
		return draft_fail(draft, "%s%s%s: the configuration has no such setting", control->option, space,
				  control->value);
	return draft_fail(draft, "%s%s%s contradicts %s (%s)", control->option, space, control->value,
			  control->setting->key, control->setting->source);
}

/* -e: whether to lock at the end is for the configuration to say, and auditing is on in any case. */
static bool control_enabled(struct draft *draft, const struct control *control)
{
	if (control->number == 0)
		return draft_fail(draft, "-e 0 would switch auditing off");
	if (control->number == 2)
		return fail_contradiction(draft, control);
	if (control->setting && control->setting->value && strcmp(control->setting->value, "2") == 0)
		warn(draft, control, "the audit configuration is locked all the same, as [audit] lock = yes asks");
	return true;
}

bool draft_control(struct draft *draft, const char *option, const char *value)
{
	struct control control = { .row = find_row(option), .option = option, .value = value,
				   .setting = find_setting(draft->env, option) };

	draft->control = true;
	if (!read_value(draft, &control))
		return false;
	if (strcmp(option, "-D") == 0 && draft->n_tokens != 1)
		return draft_fail(draft, "-D must stand alone on its line: auditctl would crash, or with -k "
				  "delete every rule whose key has that text in it");
	if (controls[control.row].kind == CONTROL_EVERY) {
		if (draft->n_tokens != 1)
			return draft_fail(draft, "%s must stand alone on its line: auditctl would drop a rule before it, and "
					  "refuse what comes after it", option);
		warnings_add(draft->env->warnings, draft->env->log, "control", draft->file, draft->line,
			     "%s: this program reads every line anyway, and loads nothing while one has a mistake", option);
		return true;
	}
	if (agrees(&control))
		return true;
	if (strcmp(option, "-e") == 0)
		return control_enabled(draft, &control);
	if (!control.setting || control.setting->given)
		return fail_contradiction(draft, &control);
	if (strcmp(option, "-b") == 0)
		return raise_backlog(draft, &control);
	warn(draft, &control, "not done: only the configuration sets this");
	return true;
}
