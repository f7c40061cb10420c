#include "t/unit/test.h"

#include <linux/audit.h>

#include "setup/kernel/forms.h"
#include "setup/kernel/rulesdiff.h"

enum { EXIT = AUDIT_FILTER_EXIT, USER = AUDIT_FILTER_USER, PREPEND = AUDIT_FILTER_PREPEND, MAX = 16 };

/* The wanted rules and a listing, both built rule by rule. */
struct sides {
	struct rule wanted[MAX];
	struct kernel_rule listed[MAX];
	struct rule_set set;
	struct kernel_rules list;
};

static struct audit_rule_data *make(uint32_t flags, const char *text)
{
	size_t n = strlen(text);
	struct audit_rule_data *rule = calloc(1, sizeof(*rule) + n);

	assert_non_null(rule);
	rule->flags = flags;
	rule->action = AUDIT_ALWAYS;
	rule->field_count = 1;
	rule->fields[0] = AUDIT_FILTERKEY;
	rule->fieldflags[0] = AUDIT_EQUAL;
	rule->values[0] = rule->buflen = (uint32_t)n;
	rule->mask[0] = 1;
	memcpy(rule->buf, text, n);
	return rule;
}

static struct audit_rule_data *want(struct sides *s, uint32_t flags, const char *text)
{
	struct audit_rule_data *rule = make(flags, text);

	s->set.rules = s->wanted;
	s->wanted[s->set.n_rules++] = (struct rule){ .data = rule, .size = sizeof(*rule) + rule->buflen };
	return rule;
}

static struct audit_rule_data *list(struct sides *s, uint32_t flags, const char *text)
{
	struct audit_rule_data *rule = make(flags, text);

	s->list.rules = s->listed;
	s->listed[s->list.n++] = (struct kernel_rule){ rule, sizeof(*rule) + rule->buflen };
	return rule;
}

static void done(struct sides *s)
{
	for (size_t i = 0; i < s->set.n_rules; i++)
		free(s->wanted[i].data);
	for (size_t i = 0; i < s->list.n; i++)
		free(s->listed[i].data);
}

/* missing and unexpected: the indexes as digits, in order. */
static void differs(struct sides *s, bool keep, const char *missing, const char *unexpected,
		    bool order)
{
	struct rulesdiff diff;
	char is_missing[MAX + 1] = "", is_unexpected[MAX + 1] = "";
	size_t n = 0;

	assert_int_equal(rulesdiff_compare(&diff, &s->set, &s->list, keep), 0);
	for (size_t i = 0; i < s->set.n_rules; i++)
		if (diff.missing[i])
			is_missing[n++] = (char)('0' + i);
	assert_int_equal(diff.n_missing, n);
	n = 0;
	for (size_t i = 0; i < s->list.n; i++)
		if (diff.unexpected[i])
			is_unexpected[n++] = (char)('0' + i);
	assert_int_equal(diff.n_unexpected, keep ? 0 : n);
	assert_string_equal(is_missing, missing);
	assert_string_equal(is_unexpected, unexpected);
	assert_int_equal(diff.order, order);
	assert_int_equal(rulesdiff_same(&diff), !diff.n_missing && !diff.n_unexpected && !order);
	rulesdiff_done(&diff);
}

#define SIDES _cleanup_(done) struct sides

static void nothing(void **state)
{
	SIDES s = {0};

	differs(&s, false, "", "", false);
	want(&s, EXIT, "a");
	differs(&s, false, "0", "", false);
	differs(&s, true, "0", "", false);
}

static void same(void **state)
{
	SIDES s = {0};

	want(&s, EXIT, "a");
	want(&s, EXIT, "b");
	want(&s, USER, "a");
	list(&s, USER, "a");
	list(&s, EXIT, "a");
	list(&s, EXIT, "b");
	differs(&s, false, "", "", false);
}

static void class_bits(void **state)
{
	SIDES s = {0};

	memset(want(&s, EXIT, "a")->mask, 0xff, sizeof(s.wanted[0].data->mask));
	memset(list(&s, EXIT, "a")->mask, 0xff, sizeof(s.wanted[0].data->mask));
	s.listed[0].data->mask[AUDIT_BITMASK_SIZE - 1] = 0x0000ffff;
	differs(&s, false, "", "", false);
	/* Not when a system call is missing, too. */
	s.listed[0].data->mask[AUDIT_BITMASK_SIZE - 1] = 0x0000fffe;
	differs(&s, false, "0", "0", false);
	s.listed[0].data->mask[AUDIT_BITMASK_SIZE - 1] = 0x0000ffff;
	s.listed[0].data->mask[3] &= ~1u;
	differs(&s, false, "0", "0", false);
}

static void class_bits_of_some(void **state)
{
	SIDES s = {0};

	/* A mask that is not all ones is listed as it was sent, as far as we know. */
	want(&s, EXIT, "a")->mask[AUDIT_BITMASK_SIZE - 1] = 0x80000000;
	list(&s, EXIT, "a");
	differs(&s, false, "0", "0", false);
}

static void prepend(void **state)
{
	SIDES s = {0};

	want(&s, EXIT | PREPEND, "a");
	list(&s, EXIT, "a");
	differs(&s, false, "", "", false);
}

static void padding(void **state)
{
	SIDES s = {0};

	want(&s, EXIT, "a");
	list(&s, EXIT, "a");
	s.wanted[0].size += 3;
	differs(&s, false, "", "", false);
}

/* Every single member of a rule makes another rule of it. */
static void nothing_else(void **state)
{
	for (int i = 0; i < 11; i++) {
		SIDES s = {0};
		struct audit_rule_data *rule;

		want(&s, EXIT, "abc");
		rule = list(&s, EXIT, i == 0 ? "abd" : i == 1 ? "abcd" : "abc");
		switch (i) {
		case 0: case 1: break;
		case 2: rule->flags = USER; break;
		case 3: rule->action = AUDIT_NEVER; break;
		case 4: rule->field_count = 2; break;
		case 5: rule->fields[0] = AUDIT_WATCH; break;
		case 6: rule->fieldflags[0] = AUDIT_NOT_EQUAL; break;
		case 7: rule->values[0]++; break;
		case 8: rule->mask[0] = 3; break;
		case 9: rule->mask[62] = 1; break;
		case 10: rule->mask[63] = 1; break;
		default: break;
		}
		differs(&s, false, "0", "0", false);
	}
}

static void both_sides(void **state)
{
	SIDES s = {0};

	want(&s, EXIT, "a");
	want(&s, EXIT, "b");
	want(&s, EXIT, "c");
	list(&s, EXIT, "x");
	list(&s, EXIT, "c");
	list(&s, EXIT, "a");
	list(&s, EXIT, "y");
	/* What is missing counts; the order of the rest is not judged until nothing is. */
	differs(&s, false, "1", "03", false);
	differs(&s, true, "1", "03", false);
}

static void order(void **state)
{
	SIDES s = {0};

	want(&s, EXIT, "a");
	want(&s, EXIT, "b");
	list(&s, EXIT, "b");
	list(&s, EXIT, "a");
	differs(&s, false, "", "", true);
	differs(&s, true, "", "", true);
}

static void order_of_lists(void **state)
{
	SIDES s = {0};

	/* A kernel lists list by list, whatever order they were loaded in. */
	want(&s, AUDIT_FILTER_EXCLUDE, "x");
	want(&s, EXIT, "a");
	want(&s, USER, "u");
	want(&s, AUDIT_FILTER_TASK, "t");
	list(&s, USER, "u");
	list(&s, AUDIT_FILTER_TASK, "t");
	list(&s, EXIT, "a");
	list(&s, AUDIT_FILTER_EXCLUDE, "x");
	differs(&s, false, "", "", false);
}

static void prepended(void **state)
{
	SIDES s = {0};
	size_t listing[MAX];

	want(&s, EXIT, "a");
	want(&s, EXIT | PREPEND, "b");
	want(&s, EXIT, "c");
	want(&s, EXIT | PREPEND, "d");
	want(&s, USER | PREPEND, "u");
	rulesdiff_listing_order(&s.set, listing);
	assert_int_equal(listing[0], 4);
	assert_int_equal(listing[1], 3);
	assert_int_equal(listing[2], 1);
	assert_int_equal(listing[3], 0);
	assert_int_equal(listing[4], 2);
	list(&s, USER, "u");
	list(&s, EXIT, "d");
	list(&s, EXIT, "b");
	list(&s, EXIT, "a");
	list(&s, EXIT, "c");
	differs(&s, false, "", "", false);
}

static void prepended_otherwise(void **state)
{
	SIDES s = {0};

	want(&s, EXIT, "a");
	want(&s, EXIT | PREPEND, "b");
	list(&s, EXIT, "a");
	list(&s, EXIT, "b");
	differs(&s, false, "", "", true);
}

static void duplicates(void **state)
{
	SIDES s = {0};

	want(&s, EXIT, "a");
	want(&s, EXIT, "a");
	list(&s, EXIT, "a");
	differs(&s, false, "1", "", false);
	list(&s, EXIT, "a");
	differs(&s, false, "", "", false);
	list(&s, EXIT, "a");
	differs(&s, false, "", "2", false);
}

static void keep(void **state)
{
	SIDES s = {0};

	want(&s, EXIT, "a");
	want(&s, EXIT, "b");
	list(&s, USER, "theirs");
	list(&s, EXIT, "theirs");
	list(&s, EXIT, "a");
	list(&s, EXIT, "theirs too");
	list(&s, EXIT, "b");
	differs(&s, true, "", "013", false);
	differs(&s, false, "", "013", false);
}

static void watch(struct audit_rule_data *rule, uint32_t field)
{
	rule->fields[0] = field;
}

static int add_form(void *context, const char *path, bool directory)
{
	text_addf(context, "%s%s ", path, directory ? "/" : "");
	return 0;
}

static void forms(void **state)
{
	_cleanup_text_ struct text found = {0};
	SIDES s = {0};

	watch(want(&s, EXIT, "/came"), AUDIT_DIR);
	watch(want(&s, EXIT, "/went"), AUDIT_WATCH);
	watch(want(&s, EXIT, "/same"), AUDIT_DIR);
	watch(want(&s, EXIT, "/new"), AUDIT_DIR);
	watch(want(&s, EXIT, "/both"), AUDIT_DIR);
	want(&s, EXIT, "/key");
	watch(want(&s, EXIT, "/two"), AUDIT_DIR);
	watch(want(&s, EXIT, "/two"), AUDIT_WATCH);
	watch(list(&s, EXIT, "/went"), AUDIT_DIR);
	watch(list(&s, EXIT, "/same"), AUDIT_DIR);
	watch(list(&s, EXIT, "/came"), AUDIT_WATCH);
	watch(list(&s, EXIT, "/key"), AUDIT_WATCH);
	watch(list(&s, EXIT, "/both"), AUDIT_DIR);
	watch(list(&s, EXIT, "/both"), AUDIT_WATCH);
	watch(list(&s, EXIT, "/two"), AUDIT_WATCH);
	watch(list(&s, EXIT, "/ne"), AUDIT_WATCH);
	watch(list(&s, EXIT, "/news"), AUDIT_WATCH);
	assert_int_equal(forms_compare(&s.set, &s.list, add_form, &found), 0);
	assert_string_equal(found.s, "/came /went/ ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("nothing wanted and nothing there is the same, an empty kernel lacks all", nothing),
		TEST("a listing of the same rules is the same", same),
		TEST("the class bits of an all-ones mask do not count, its system calls do", class_bits),
		TEST("the last word of any other mask counts in full", class_bits_of_some),
		TEST("the prepend flag does not count", prepend),
		TEST("padding does not count", padding),
		TEST("any other difference makes another rule", nothing_else),
		TEST("missing and unexpected rules are told apart, by index", both_sides),
		TEST("the same rules in another order are a difference", order),
		TEST("the order counts within a list only", order_of_lists),
		TEST("prepended rules come first, the last one at the top", prepended),
		TEST("a prepended rule at the end is in the wrong order", prepended_otherwise),
		TEST("each of several equal rules needs one of its own", duplicates),
		TEST("a missing watch that is listed in its other form is found, with that form", forms),
		TEST("with keep, rules that nobody wanted are no difference", keep),
	};

	return RUN(tests);
}
