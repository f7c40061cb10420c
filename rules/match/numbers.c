/* Conditions on one number are ANDed, so that they leave ranges; rules are ORed, so that two of them leave the ranges of both.
 * That is one range again, less the numbers in its gaps: >=LOW, <=HIGH, and != for each of those. */
#include "rules/match/numbers.h"

#include <string.h>

#include "rules/rule/data.h"

enum {
	RANGES_MAX = 2 * AUDIT_MAX_FIELDS + 2,
	FIELDS_MAX = AUDIT_MAX_FIELDS - 4,	/* that a line of a rules file surely gives */
};

/* In ascending order, with numbers between them that are in none. */
struct numbers {
	struct { uint32_t low, high; } of[RANGES_MAX];
	size_t n;
};

bool numbers_has(uint32_t field)
{
	static const uint32_t fields[] = {
		AUDIT_EXIT, AUDIT_ARG0, AUDIT_ARG1, AUDIT_ARG2, AUDIT_ARG3, AUDIT_SADDR_FAM, AUDIT_MSGTYPE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i] == field)
			return true;
	return false;
}

bool numbers_is_condition(const struct audit_rule_data *data, uint32_t i, uint32_t field)
{
	return data->fields[i] == field && data->fieldflags[i] != AUDIT_BIT_MASK && data->fieldflags[i] != AUDIT_BIT_TEST;
}

/* Leaves what is in low to high; outside: what is not. */
static void keep(struct numbers *numbers, uint32_t low, uint32_t high, bool outside)
{
	struct numbers kept = { .n = 0 };

	for (size_t i = 0; i < numbers->n; i++) {
		uint32_t from = numbers->of[i].low, to = numbers->of[i].high;

		if (!outside) {
			kept.of[kept.n].low = from > low ? from : low;
			kept.of[kept.n].high = to < high ? to : high;
			kept.n += from <= high && to >= low;
			continue;
		}
		if (from < low) {
			kept.of[kept.n].low = from;
			kept.of[kept.n++].high = to < low ? to : low - 1;
		}
		if (to > high) {
			kept.of[kept.n].low = from > high ? from : high + 1;
			kept.of[kept.n++].high = to;
		}
	}
	*numbers = kept;
}

/* What the conditions leave; false: there are none, or some that need other numbers to be told than they have. */
static bool read_numbers(struct numbers *numbers, const struct audit_rule_data *data, uint32_t field)
{
	bool any = false;

	*numbers = (struct numbers){ .of[0] = { 0, UINT32_MAX }, .n = 1 };
	for (uint32_t i = 0; i < data->field_count; i++) {
		uint32_t value = data->values[i];

		if (!numbers_is_condition(data, i, field))
			continue;
		any = true;
		switch (data->fieldflags[i]) {
		case AUDIT_EQUAL:
		case AUDIT_NOT_EQUAL:
			keep(numbers, value, value, data->fieldflags[i] == AUDIT_NOT_EQUAL);
			break;
		case AUDIT_GREATER_THAN_OR_EQUAL:
			keep(numbers, value, UINT32_MAX, false);
			break;
		case AUDIT_LESS_THAN_OR_EQUAL:
			keep(numbers, 0, value, false);
			break;
		default:
			/* > and < mean a number beside theirs, which the kernel may refuse (saddr_fam). */
			return false;
		}
	}
	return any && numbers->n > 0;
}

/* What is in either. */
static void add(struct numbers *to, const struct numbers *a, const struct numbers *b)
{
	size_t i = 0, k = 0;

	to->n = 0;
	while (i < a->n || k < b->n) {
		bool first = k == b->n || (i < a->n && a->of[i].low <= b->of[k].low);
		uint32_t low = first ? a->of[i].low : b->of[k].low, high = first ? a->of[i].high : b->of[k].high;

		i += first;
		k += !first;
		if (to->n > 0 && (to->of[to->n - 1].high == UINT32_MAX || low <= to->of[to->n - 1].high + 1)) {
			if (high > to->of[to->n - 1].high)
				to->of[to->n - 1].high = high;
			continue;
		}
		to->of[to->n].low = low;
		to->of[to->n++].high = high;
	}
}

static uint32_t count_gaps(const struct numbers *numbers)
{
	uint64_t n = 0;

	for (size_t i = 1; i < numbers->n; i++)
		n += numbers->of[i].low - numbers->of[i - 1].high - 1;
	return n > NUMBERS_GAPS ? NUMBERS_GAPS + 1 : (uint32_t)n;
}

static void add_field(struct audit_rule_data *data, uint32_t field, uint32_t operator, uint32_t value)
{
	data->fields[data->field_count] = field;
	data->fieldflags[data->field_count] = operator;
	data->values[data->field_count++] = value;
}

static void add_conditions(struct audit_rule_data *data, uint32_t field, const struct numbers *numbers)
{
	uint32_t low = numbers->of[0].low, high = numbers->of[numbers->n - 1].high, before = data->field_count;

	if (low == high) {
		add_field(data, field, AUDIT_EQUAL, low);
		return;
	}
	if (low > 0)
		add_field(data, field, AUDIT_GREATER_THAN_OR_EQUAL, low);
	if (high < UINT32_MAX)
		add_field(data, field, AUDIT_LESS_THAN_OR_EQUAL, high);
	/* From the end: that of exit has the errors that are most frequent. */
	for (size_t i = numbers->n; i-- > 1;)
		for (uint32_t value = numbers->of[i].low - 1; value > numbers->of[i - 1].high; value--)
			add_field(data, field, AUDIT_NOT_EQUAL, value);
	/* That there is such a number at all is a condition, too. */
	if (data->field_count == before)
		add_field(data, field, AUDIT_GREATER_THAN_OR_EQUAL, 0);
}

static void set_conditions(struct audit_rule_data *data, uint32_t field, const struct numbers *numbers)
{
	struct audit_rule_data old = *data;
	uint32_t n = old.field_count;
	bool key = n > 0 && old.fields[n - 1] == AUDIT_FILTERKEY;

	data->field_count = 0;
	for (uint32_t i = 0; i < n - key; i++)
		if (!numbers_is_condition(&old, i, field))
			add_field(data, old.fields[i], old.fieldflags[i], old.values[i]);
	/* Behind the others, which are fewer and most often false; before the key, which stands last wherever rules are read. */
	add_conditions(data, field, numbers);
	if (key)
		add_field(data, old.fields[n - 1], old.fieldflags[n - 1], old.values[n - 1]);
	for (uint32_t i = data->field_count; i < n; i++)
		data->fields[i] = data->fieldflags[i] = data->values[i] = 0;
}

bool numbers_unite(struct audit_rule_data *data, const struct audit_rule_data *with, uint32_t field)
{
	uint32_t gaps, most = data_list(data) == AUDIT_FILTER_EXCLUDE ? 0 : NUMBERS_GAPS;
	struct numbers mine, others, both;

	if (!read_numbers(&mine, data, field) || !read_numbers(&others, with, field))
		return false;
	add(&both, &mine, &others);
	gaps = count_gaps(&both);
	if (gaps > most || data->field_count + gaps + 2 > FIELDS_MAX)
		return false;
	set_conditions(data, field, &both);
	return true;
}
