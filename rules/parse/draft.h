/* One line of a rules file while it is read: the state that auditctl keeps in globals. */
#ifndef RULES_DRAFT_H
#define RULES_DRAFT_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rule/env.h"

#define DRAFT_LIST_UNSET 0x80
/* libaudit refuses the 64th field (audit_rule_fieldpair_data); the kernel would take it. */
#define DRAFT_FIELDS_MAX (AUDIT_MAX_FIELDS - 1)

struct draft {
	const struct rules_env *env;
	const char *file;
	unsigned line;
	size_t n_tokens;
	const char *next;	/* the word behind the option at hand and its value; NULL: the line ends there */
	uint32_t machine;	/* AUDIT_ARCH_* of the machine that the rules are for; 0 when it is unknown */

	bool control;	/* the line has an option that is no part of a rule */
	bool list_given;	/* -a, -A or -d was seen */
	bool delete, prepend, watch;
	bool perm_given;	/* -p was seen */
	uint32_t list, action;	/* AUDIT_FILTER_*, AUDIT_*; DRAFT_LIST_UNSET before it is known */
	uint32_t arch;	/* whose system calls are meant; 0 until it matters */
	bool arch_excluded;	/* arch!=: system calls of any other are meant, and no name says which number that is */
	bool arch_generic;	/* b32, b64 or none: the rule was not written for one machine only */
	struct text absent;	/* system calls that this machine lacks and another has, with commas */

	/* What makes a key acceptable to auditctl (EAU_KEYDEP). */
	bool syscalls, permissions, exe, fs_type;

	uint32_t mask[AUDIT_BITMASK_SIZE];
	uint32_t n_fields;
	uint32_t fields[DRAFT_FIELDS_MAX], values[DRAFT_FIELDS_MAX], operators[DRAFT_FIELDS_MAX];
	struct text strings;	/* of the string fields, in order, without separators */
	struct text key;	/* all keys, joined with AUDIT_KEY_SEPARATOR */
};

/* Logs a mistake of this line. Returns false, for the caller to return. */
bool draft_fail(struct draft *draft, const char *format, ...) _printf_format_(2, 3);

/* Logs a warning about this line by its name in rules/judge/lint.c. */
void draft_warn(const struct draft *draft, const char *lint, const char *format, ...) _printf_format_(3, 4);

/* The name of the list that the rule is for, as a rules file writes it. */
const char *draft_list_name(const struct draft *draft);

/* Appends a field. Each returns false after logging when there are too many. */
bool draft_add(struct draft *draft, uint32_t field, uint32_t operator, uint32_t value) _must_check_;
bool draft_add_string(struct draft *draft, uint32_t field, uint32_t operator, const char *s)
	_must_check_;

/* Options of a rule; each returns false after logging a mistake. */
bool draft_field(struct draft *draft, const char *pair) _must_check_;	/* -F */
bool draft_compare(struct draft *draft, const char *pair) _must_check_;	/* -C */
bool draft_syscalls(struct draft *draft, const char *names) _must_check_;	/* -S */
bool draft_key(struct draft *draft, const char *key) _must_check_;	/* -k, -F key= */
bool draft_permissions(struct draft *draft, const char *letters, uint32_t *ret) _must_check_;

/* Warns of the calls that were left out. Returns whether nothing is left of the rule then. */
bool draft_say_absent(const struct draft *draft);

/* Whether auditctl would take a key now. */
bool draft_key_allowed(const struct draft *draft);

/* Options that set the audit system: compared with the configuration. */
bool draft_control(struct draft *draft, const char *option, const char *value) _must_check_;

/* Packs a finished rule as auditctl sends it. Returns 0, or -ENOMEM. */
int draft_compile(const struct draft *draft, struct audit_rule_data **ret, size_t *ret_size)
	_must_check_;

#endif
