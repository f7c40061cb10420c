#include "rules/parse/draft.h"
#include "rules/parse/warnings.h"

#include <stdarg.h>
#include <string.h>

#include "rules/rule/names.h"
#include "rules/rule/value.h"

bool draft_fail(struct draft *draft, const char *format, ...)
{
	enum { HEAD = 160, TAIL = 200 };
	_cleanup_free_ char *message = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&message, format, args);
	va_end(args);
	if (n < 0)
		log_at(draft->env->log, LEVEL_ERROR, draft->file, draft->line, "out of memory");
	else if (n <= HEAD + TAIL)
		log_at(draft->env->log, LEVEL_ERROR, draft->file, draft->line, "%s", message);
	else	/* What is expected stands at the end, behind a word of up to six thousand bytes. */
		log_at(draft->env->log, LEVEL_ERROR, draft->file, draft->line, "%.*s...%s", HEAD, message,
		       message + n - TAIL);
	return false;
}

const char *draft_list_name(const struct draft *draft)
{
	static const char *const names[] = {
		[AUDIT_FILTER_USER] = "user", [AUDIT_FILTER_TASK] = "task",
		[AUDIT_FILTER_EXIT] = "exit", [AUDIT_FILTER_EXCLUDE] = "exclude",
		[AUDIT_FILTER_FS] = "filesystem",
	};

	return draft->list < ARRAY_SIZE(names) && names[draft->list] ? names[draft->list] : "?";
}

bool draft_add(struct draft *draft, uint32_t field, uint32_t operator, uint32_t value)
{
	if (draft->n_fields == DRAFT_FIELDS_MAX)
		return draft_fail(draft, "a rule has at most %d fields", DRAFT_FIELDS_MAX);
	draft->fields[draft->n_fields] = field;
	draft->operators[draft->n_fields] = operator;
	draft->values[draft->n_fields] = value;
	draft->n_fields++;
	return true;
}

bool draft_add_string(struct draft *draft, uint32_t field, uint32_t operator, const char *s)
{
	text_add(&draft->strings, s);
	return draft_add(draft, field, operator, (uint32_t)strlen(s));
}

bool draft_permissions(struct draft *draft, const char *letters, uint32_t *ret)
{
	static const struct {
		char letter;
		uint32_t bit;
	} bits[] = {
		{ 'r', AUDIT_PERM_READ }, { 'w', AUDIT_PERM_WRITE },
		{ 'x', AUDIT_PERM_EXEC }, { 'a', AUDIT_PERM_ATTR },
		{ 'R', AUDIT_PERM_READ }, { 'W', AUDIT_PERM_WRITE },
		{ 'X', AUDIT_PERM_EXEC }, { 'A', AUDIT_PERM_ATTR },
	};
	size_t row;

	*ret = 0;
	for (const char *p = letters; *p; p++) {
		for (row = 0; row < ARRAY_SIZE(bits) && bits[row].letter != *p; row++)
			;
		if (row == ARRAY_SIZE(bits))
			return draft_fail(draft, "permissions \"%s\": expected letters of r, w, x and a",
					  letters);
		*ret |= bits[row].bit;
	}
	if (strlen(letters) > 4)
		return draft_fail(draft, "permissions \"%s\": expected at most four letters", letters);
	return true;
}

static void set_all(struct draft *draft)
{
	memset(draft->mask, 0xff, sizeof(draft->mask));
}

/* A name that another machine has: the rule then asks for nothing that could happen here. */
static bool absent_here(const struct draft *draft, const char *name)
{
	uint32_t reference = names_machine("x86_64");

	if (!draft->arch_generic || draft->machine == reference)
		return false;
	if (!(draft->arch & __AUDIT_ARCH_64BIT))
		reference = names_arch32(reference);
	return names_syscall(name, reference) >= 0;
}

static bool add_syscall(struct draft *draft, const char *name)
{
	const char *wrong;
	uint32_t number;
	int known;

	if (strcmp(name, "all") == 0) {
		set_all(draft);
		return true;
	}
	known = names_syscall(name, draft->arch);
	if (known < 0 && absent_here(draft, name)) {
		warnings_add(draft->env->warnings, draft->env->log, "other-arch", draft->file, draft->line,
			     "-S %s: %s has no such system call; left out", name, names_of_arch(draft->arch));
		draft->absent++;
		return true;
	}
	if (known >= 0 && draft->arch_excluded)
		return draft_fail(draft, "-S %s: after -F arch!= a name is another call to every other architecture; "
				  "auditctl would take the number of the one that is left out; write a rule for each "
				  "architecture that is meant", name);
	number = (uint32_t)known;
	if (known < 0) {
		wrong = value_number(name, 0, &number);
		if (wrong && value_is_number(name) && *name != '-')
			return draft_fail(draft, "-S %s: this is %s; auditctl would read it as %u", name,
					  wrong, value_as_auditctl(name, 0));
		if (wrong)
			return draft_fail(draft, "-S %s: %s has no such system call", name,
					  names_of_arch(draft->arch) ? names_of_arch(draft->arch) : "the machine");
	}
	if (number >= AUDIT_BITMASK_SIZE * 32)
		return draft_fail(draft, "-S %s: system calls end at %d", name, AUDIT_BITMASK_SIZE * 32 - 1);
	draft->mask[AUDIT_WORD(number)] |= AUDIT_BIT(number);
	return true;
}

bool draft_syscalls(struct draft *draft, const char *names)
{
	_cleanup_free_ char *copy = NULL;
	char *rest = NULL, *name;
	bool any = false;

	if (draft->list != DRAFT_LIST_UNSET && draft->list != AUDIT_FILTER_EXIT)
		return draft_fail(draft, "-S %s: the list %s has no system calls", names,
				  draft_list_name(draft));
	if (!draft->arch) {
		draft->arch = draft->machine;
		draft->arch_generic = true;
	}
	if (!draft->arch)
		return draft_fail(draft, "-S %s: the machine \"%s\" is unknown", names,
				  draft->env->machine ? draft->env->machine : "");
	copy = strdup(names);
	if (!copy)
		return draft_fail(draft, "out of memory");
	for (name = strtok_r(copy, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		if (!add_syscall(draft, name))
			return false;
		any = true;
	}
	if (!any)
		return draft_fail(draft, "-S %s: expected a system call; auditctl would load a rule that never "
				  "matches", names);
	draft->syscalls = true;
	return true;
}
