/* What the files lint*.c and the optimiser read of a rule and of a set. */
#include "rules/judge/lint.h"
#include "rules/judge/lint_private.h"

uint64_t lint_hash_field(const struct data_field *field)
{
	uint64_t hash = map_hash(MAP_HASH_START, &field->field, sizeof(field->field));

	hash = map_hash(hash, &field->operator, sizeof(field->operator));
	hash = map_hash(hash, &field->value, sizeof(field->value));
	return map_hash(hash, field->text, field->len);
}

bool lint_meets_arch(const struct audit_rule_data *data, uint32_t arch)
{
	for (uint32_t i = 0; i < data->field_count; i++)
		if (data->fields[i] == AUDIT_ARCH && (data->values[i] == arch) != (data->fieldflags[i] == AUDIT_EQUAL))
			return false;
	return true;
}

void lint_kernel_order(const struct rule_set *set, uint32_t *order)
{
	size_t n = 0;

	for (size_t i = set->n_rules; i-- > 0; )
		if (set->rules[i].data->flags & AUDIT_FILTER_PREPEND)
			order[n++] = (uint32_t)i;
	for (size_t i = 0; i < set->n_rules; i++)
		if (!(set->rules[i].data->flags & AUDIT_FILTER_PREPEND))
			order[n++] = (uint32_t)i;
}
