/* Rules that no event can match. */
#include <string.h>

#include "rules/judge/lint_private.h"
#include "rules/rule/names.h"

static bool is_list(const struct subject *s, uint32_t list)
{
	return data_list(s->data) == list;
}

/* kernel/auditsc.c __audit_inode_child(), kernel/auditfilter.c audit_filter(): what no field says yes to is not
 * matched; audit_filter_rules(), of the lists exit and task, begins with a yes. */
static bool has_no_field(const struct subject *s, struct text *message)
{
	if (s->data->field_count || is_list(s, AUDIT_FILTER_EXIT) || is_list(s, AUDIT_FILTER_TASK))
		return false;
	text_add(message, "in this list the kernel matches nothing with a rule that has no field");
	return true;
}

static bool has_empty_range(const struct subject *s, struct text *message)
{
	uint32_t field = s->ranges.empty - 1;
	const char *name;

	if (!s->ranges.empty)
		return false;
	name = names_of_field(field);
	if (field == AUDIT_SUCCESS)
		text_add(message, "success= and exit= contradict each other: a call that fails returns -4095 to -1, one that "
			 "succeeds anything else");
	else if (field == AUDIT_MSGTYPE)
		text_add(message, "no record has two types; write a rule for each");
	else if (field == AUDIT_EXIT)
		text_add(message, "no number is left for exit (the kernel compares it without a sign: -1 is the largest, and "
			 "nothing is below 0; success=0 are the calls that failed)");
	else
		text_addf(message, "no number is left for %s", name ? name : "a field");
	return true;
}

/* The architectures that the rule meets, of those that the machine has; 0 when it has none of them. */
static size_t met_arches(const struct subject *s, const struct lint_arch **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < s->context->n_arches; i++)
		if (lint_meets_arch(s->data, s->context->arches[i].arch))
			ret[n++] = &s->context->arches[i];
	return n;
}

static bool is_for_another_machine(const struct subject *s, struct text *message)
{
	const struct lint_arch *met[ARRAY_SIZE(s->context->arches)];

	if (!s->context->n_arches || !data_has(s->data, AUDIT_ARCH) || met_arches(s, met))
		return false;
	text_addf(message, "this machine, %s, has no program of the rule's architecture",
		  names_of_arch(s->context->arches[0].arch) ? names_of_arch(s->context->arches[0].arch) : "?");
	return true;
}

/* kernel/auditsc.c audit_match_perm(): of a letter's calls only. */
static bool has_calls_without_perm(const struct subject *s, struct text *message)
{
	const struct lint_arch *met[ARRAY_SIZE(s->context->arches)];
	size_t n = met_arches(s, met);
	uint32_t perms;

	if (!is_list(s, AUDIT_FILTER_EXIT) || data_mask_all(s->data) || !n ||
	    !data_find_equal(s->data, AUDIT_PERM, &perms))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t mask[AUDIT_BITMASK_SIZE] = { 0 };

		if (!met[i]->known)
			return false;
		perm_masks_add_known(&met[i]->perms, perms, mask);
		for (uint32_t new = PERM_NEW_FIRST; new < AUDIT_BITMASK_SIZE * 32; new++)
			mask[AUDIT_WORD(new)] |= AUDIT_BIT(new);
		for (size_t word = 0; word < AUDIT_BITMASK_SIZE; word++)
			if (mask[word] & s->data->mask[word])
				return false;
	}
	text_add(message, "perm= is true of the system calls of its letters only, and -S names none of these; leave out one "
		 "of the two");
	return true;
}

/* kernel/auditfilter.c audit_filter(): at any other field it leaves the list. */
static bool has_field_that_ends_the_list(const struct subject *s, struct text *message)
{
	static const uint32_t known[] = {
		AUDIT_PID, AUDIT_UID, AUDIT_GID, AUDIT_LOGINUID, AUDIT_LOGINUID_SET, AUDIT_MSGTYPE, AUDIT_EXE,
		AUDIT_SUBJ_USER, AUDIT_SUBJ_ROLE, AUDIT_SUBJ_TYPE, AUDIT_SUBJ_SEN, AUDIT_SUBJ_CLR,
	};

	if (!is_list(s, AUDIT_FILTER_USER))
		return false;
	for (uint32_t i = 0; i < s->data->field_count; i++) {
		uint32_t field = s->data->fields[i];
		const char *name = names_of_field(field);
		size_t k = 0;

		while (k < ARRAY_SIZE(known) && known[k] != field)
			k++;
		if (k < ARRAY_SIZE(known))
			continue;
		text_addf(message, "in this list the kernel knows no %s, and where it gets there looks at no rule after this one "
			  "either; leave it out", name ? name : "such field");
		return true;
	}
	return false;
}

bool check_never_matches(const struct subject *s, struct text *message)
{
	static bool (*const reasons[])(const struct subject *s, struct text *message) = {
		has_no_field, has_field_that_ends_the_list, has_empty_range, is_for_another_machine, has_calls_without_perm,
	};

	text_add(message, "this rule can never match: ");
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i](s, message))
			return true;
	return false;
}
