#include "rules/match/range.h"

#include "setup/base/mem.h"

/* kernel/auditsc.c audit_filter_rules(), kernel/auditfilter.c audit_filter(): compared as numbers without sign. An unset
 * auid is the largest. */
static const struct {
	uint32_t field;
	bool order_only;	/* = and != also look at supplementary groups */
} scalars[RANGES] = {
	{ AUDIT_PID, false }, { AUDIT_PPID, false }, { AUDIT_UID, false }, { AUDIT_EUID, false },
	{ AUDIT_SUID, false }, { AUDIT_FSUID, false }, { AUDIT_LOGINUID, false }, { AUDIT_GID, true },
	{ AUDIT_EGID, true }, { AUDIT_SGID, false }, { AUDIT_FSGID, false }, { AUDIT_SESSIONID, false },
	{ AUDIT_MSGTYPE, false }, { AUDIT_EXIT, false }, { AUDIT_ARG0, false }, { AUDIT_ARG1, false },
	{ AUDIT_ARG2, false }, { AUDIT_ARG3, false }, { AUDIT_SADDR_FAM, false },
};

/* A call that failed returns -4095 to -1 (include/linux/err.h). */
static const uint32_t first_error = (uint32_t)-4095;

/* The row of what the field says something about, -1 when it is no such number. */
static int find_scalar(uint32_t field, uint32_t operator)
{
	for (size_t i = 0; i < RANGES; i++)
		if (scalars[i].field == field)
			return scalars[i].order_only && (operator == AUDIT_EQUAL || operator == AUDIT_NOT_EQUAL) ? -1 : (int)i;
	return -1;
}

static void keep_below(uint32_t *low, uint32_t *high, uint32_t limit)
{
	if (limit == 0)
		*low = 1, *high = 0;
	else if (*high >= limit)
		*high = limit - 1;
}

static void keep_above(uint32_t *low, uint32_t *high, uint32_t limit)
{
	if (limit == UINT32_MAX)
		*low = 1, *high = 0;
	else if (*low <= limit)
		*low = limit + 1;
}

/* Takes one number away where it is at an end of what is left; returns whether it was. */
static bool leave_out(uint32_t *low, uint32_t *high, uint32_t value)
{
	if (*low > *high || (*low != value && *high != value))
		return false;
	if (*low == value)
		keep_above(low, high, value);
	else
		keep_below(low, high, value);
	return true;
}

static void apply(uint32_t *low, uint32_t *high, uint32_t operator, uint32_t value)
{
	if (operator == AUDIT_LESS_THAN)
		keep_below(low, high, value);
	else if (operator == AUDIT_GREATER_THAN)
		keep_above(low, high, value);
	if ((operator == AUDIT_EQUAL || operator == AUDIT_LESS_THAN_OR_EQUAL) && *high > value)
		*high = value;
	if ((operator == AUDIT_EQUAL || operator == AUDIT_GREATER_THAN_OR_EQUAL) && *low < value)
		*low = value;
}

/* include/linux/audit.h: a call that succeeded is 1, one that failed 2, and success=0 means 2 (kernel/auditsc.c). */
static bool success_is(const struct data_field *field, bool succeeded)
{
	/* What is about bits is never refuted. */
	if (field->operator == AUDIT_BIT_MASK || field->operator == AUDIT_BIT_TEST)
		return true;
	return data_compare(succeeded ? 1 : 2, field->operator, field->value ? 1 : 2);
}

static void read_field(struct ranges *ranges, const struct data_field *field)
{
	int i = find_scalar(field->field, field->operator);

	if (field->field == AUDIT_SUCCESS) {
		ranges->failed = ranges->failed && success_is(field, false);
		ranges->succeeded = ranges->succeeded && success_is(field, true);
	} else if (i >= 0) {
		apply(&ranges->of[i].low, &ranges->of[i].high, field->operator, field->value);
		if (ranges->of[i].low > ranges->of[i].high && !ranges->empty)
			ranges->empty = field->field + 1;
	}
}

/* All !=, as long as one of them takes a number from an end. */
static void read_exceptions(struct ranges *ranges, const struct audit_rule_data *data)
{
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t n = 0; n < data->field_count; n++) {
			int i = find_scalar(data->fields[n], data->fieldflags[n]);

			if (i < 0 || data->fieldflags[n] != AUDIT_NOT_EQUAL ||
			    !leave_out(&ranges->of[i].low, &ranges->of[i].high, data->values[n]))
				continue;
			again = true;
			if (ranges->of[i].low > ranges->of[i].high && !ranges->empty)
				ranges->empty = data->fields[n] + 1;
		}
	}
}

void ranges_read(struct ranges *ranges, const struct audit_rule_data *data)
{
	int exit = find_scalar(AUDIT_EXIT, AUDIT_EQUAL);
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	*ranges = (struct ranges){ .failed = true, .succeeded = true };
	for (size_t i = 0; i < RANGES; i++)
		ranges->of[i].high = UINT32_MAX;
	while (data_next(data, &at, &offset, &field))
		read_field(ranges, &field);
	read_exceptions(ranges, data);
	if (exit >= 0 && ranges->of[exit].high < first_error)
		ranges->failed = false;
	if (exit >= 0 && ranges->of[exit].low >= first_error)
		ranges->succeeded = false;
	if (!ranges->failed && !ranges->succeeded && !ranges->empty)
		ranges->empty = AUDIT_SUCCESS + 1;
}

static bool is_within(uint32_t low, uint32_t high, uint32_t operator, uint32_t value)
{
	switch (operator) {
	case AUDIT_EQUAL:
		return low == value && high == value;
	case AUDIT_NOT_EQUAL:
		return value < low || value > high;
	case AUDIT_LESS_THAN:
		return high < value;
	case AUDIT_LESS_THAN_OR_EQUAL:
		return high <= value;
	case AUDIT_GREATER_THAN:
		return low > value;
	case AUDIT_GREATER_THAN_OR_EQUAL:
		return low >= value;
	case AUDIT_BIT_MASK:
		return low == high && (low & value);
	case AUDIT_BIT_TEST:
		return low == high && (low & value) == value;
	default:
		return false;
	}
}

bool ranges_imply(const struct ranges *ranges, const struct data_field *field)
{
	int i = find_scalar(field->field, field->operator);

	if (field->field == AUDIT_SUCCESS && field->operator != AUDIT_BIT_MASK && field->operator != AUDIT_BIT_TEST)
		return (!ranges->failed || success_is(field, false)) && (!ranges->succeeded || success_is(field, true));
	if (i < 0)
		return false;
	/* Which only calls with an address have, so that any condition on it is one. */
	if (field->field == AUDIT_SADDR_FAM && ranges->of[i].low == 0 && ranges->of[i].high == UINT32_MAX)
		return false;
	return is_within(ranges->of[i].low, ranges->of[i].high, field->operator, field->value);
}

bool ranges_meet(const struct ranges *a, const struct ranges *b)
{
	if (a->empty || b->empty || !((a->failed && b->failed) || (a->succeeded && b->succeeded)))
		return false;
	for (size_t i = 0; i < RANGES; i++)
		if (a->of[i].low > b->of[i].high || b->of[i].low > a->of[i].high)
			return false;
	return true;
}

void ranges_of_loginuid(const struct ranges *ranges, uint32_t *ret_low, uint32_t *ret_high)
{
	int i = find_scalar(AUDIT_LOGINUID, AUDIT_EQUAL);

	*ret_low = i < 0 ? 0 : ranges->of[i].low;
	*ret_high = i < 0 ? UINT32_MAX : ranges->of[i].high;
}
