#include "rules/rule/data.h"

#include <string.h>

#include "setup/base/mem.h"

uint32_t data_list(const struct audit_rule_data *data)
{
	return data->flags & ~(uint32_t)AUDIT_FILTER_PREPEND;
}

bool data_is_string(uint32_t field)
{
	static const uint32_t strings[] = {
		AUDIT_SUBJ_USER, AUDIT_SUBJ_ROLE, AUDIT_SUBJ_TYPE, AUDIT_SUBJ_SEN, AUDIT_SUBJ_CLR,
		AUDIT_OBJ_USER, AUDIT_OBJ_ROLE, AUDIT_OBJ_TYPE, AUDIT_OBJ_LEV_LOW, AUDIT_OBJ_LEV_HIGH,
		AUDIT_WATCH, AUDIT_DIR, AUDIT_FILTERKEY, AUDIT_EXE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (strings[i] == field)
			return true;
	return false;
}

bool data_next(const struct audit_rule_data *data, uint32_t *at, size_t *offset, struct data_field *ret)
{
	if (*at >= data->field_count || *at >= AUDIT_MAX_FIELDS)
		return false;
	*ret = (struct data_field){
		.field = data->fields[*at], .operator = data->fieldflags[*at], .value = data->values[*at],
	};
	++*at;
	if (!data_is_string(ret->field))
		return true;
	ret->text = data->buf + *offset;
	ret->len = ret->value;
	if (ret->len > data->buflen - *offset)
		ret->len = data->buflen - *offset;
	*offset += ret->len;
	return true;
}

bool data_next_syscall(const struct audit_rule_data *data, uint32_t *next, uint32_t *ret)
{
	uint32_t rest;

	while (*next < AUDIT_BITMASK_SIZE * 32) {
		rest = data->mask[AUDIT_WORD(*next)] >> *next % 32;
		if (rest) {
			*ret = *next + (uint32_t)__builtin_ctz(rest);
			*next = *ret + 1;
			return true;
		}
		*next = (*next | 31) + 1;
	}
	return false;
}

bool data_has(const struct audit_rule_data *data, uint32_t field)
{
	for (uint32_t i = 0; i < data->field_count; i++)
		if (data->fields[i] == field)
			return true;
	return false;
}

bool data_find_equal(const struct audit_rule_data *data, uint32_t field, uint32_t *ret)
{
	for (uint32_t i = 0; i < data->field_count; i++)
		if (data->fields[i] == field && data->fieldflags[i] == AUDIT_EQUAL) {
			*ret = data->values[i];
			return true;
		}
	return false;
}

bool data_mask_all(const struct audit_rule_data *data)
{
	for (size_t i = 0; i + 1 < AUDIT_BITMASK_SIZE; i++)
		if (data->mask[i] != UINT32_MAX)
			return false;
	return (data->mask[AUDIT_BITMASK_SIZE - 1] | DATA_CLASS_BITS) == UINT32_MAX;
}

bool data_mask_empty(const struct audit_rule_data *data)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		if (data->mask[i])
			return false;
	return true;
}

bool data_compare(uint32_t left, uint32_t operator, uint32_t right)
{
	switch (operator) {
	case AUDIT_EQUAL:
		return left == right;
	case AUDIT_NOT_EQUAL:
		return left != right;
	case AUDIT_LESS_THAN:
		return left < right;
	case AUDIT_LESS_THAN_OR_EQUAL:
		return left <= right;
	case AUDIT_GREATER_THAN:
		return left > right;
	case AUDIT_GREATER_THAN_OR_EQUAL:
		return left >= right;
	default:
		return false;
	}
}

static bool same_field(const struct audit_rule_data *a, const struct audit_rule_data *b, uint32_t i)
{
	uint32_t x = a->fields[i], y = b->fields[i];

	return (x == AUDIT_DIR ? AUDIT_WATCH : x) == (y == AUDIT_DIR ? AUDIT_WATCH : y) && a->values[i] == b->values[i] &&
	       a->fieldflags[i] == b->fieldflags[i];
}

bool data_same_but_form(const struct audit_rule_data *a, const struct audit_rule_data *b)
{
	if (data_list(a) != data_list(b) || a->action != b->action || a->field_count != b->field_count || a->buflen != b->buflen ||
	    memcmp(a->mask, b->mask, sizeof(a->mask)) != 0 || memcmp(a->buf, b->buf, a->buflen) != 0)
		return false;
	for (uint32_t i = 0; i < a->field_count && i < AUDIT_MAX_FIELDS; i++)
		if (!same_field(a, b, i))
			return false;
	return true;
}

bool data_drops(const struct audit_rule_data *data, uint32_t type)
{
	if (data_list(data) != AUDIT_FILTER_EXCLUDE)
		return false;
	for (uint32_t i = 0; i < data->field_count; i++)
		if (data->fields[i] != AUDIT_MSGTYPE || !data_compare(type, data->fieldflags[i], data->values[i]))
			return false;
	return data->field_count;
}
