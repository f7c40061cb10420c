/* Reading struct audit_rule_data: what printing and linting share. */
#ifndef RULES_DATA_H
#define RULES_DATA_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Linux 5.16; Debian bullseye's headers are older. */
#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif

/* The top 16 system calls stand for classes of them; a kernel clears these bits when it takes a
 * rule (kernel/auditfilter.c audit_to_entry_common) and lists it without. */
#define DATA_CLASS_BITS 0xffff0000U

/* One field; text is no string but len bytes, NULL for a number. */
struct data_field {
	uint32_t field, operator, value;
	const char *text;
	size_t len;
};

/* AUDIT_FILTER_* without the prepend bit. */
uint32_t data_list(const struct audit_rule_data *data);

/* Gives the fields one after the other; *at and *offset begin as 0. Returns false at the end. A
 * string that the message has no room for is cut. */
bool data_next(const struct audit_rule_data *data, uint32_t *at, size_t *offset, struct data_field *ret);

/* Gives the rule's system calls by number; *next begins as 0. Returns false at the end. */
bool data_next_syscall(const struct audit_rule_data *data, uint32_t *next, uint32_t *ret);

/* Has the rule such a field (AUDIT_*), whatever its value? */
bool data_has(const struct audit_rule_data *data, uint32_t field);

/* The value of the first NAME=VALUE of this field; false: there is none. */
bool data_find_equal(const struct audit_rule_data *data, uint32_t field, uint32_t *ret);

/* Every system call, the class bits aside; none. */
bool data_mask_all(const struct audit_rule_data *data);
bool data_mask_empty(const struct audit_rule_data *data);

/* Is the value of such a field a string, which follows the rule in its buf? */
bool data_is_string(uint32_t field);

/* Whether a field with this operator and the value right is true of left, as audit_comparator() of kernel/audit.h has it; false
 * for the operators on bits. */
bool data_compare(uint32_t left, uint32_t operator, uint32_t right);

/* The same rule, in the same list, wherever in it; whether its path is watched as a file or as a directory, which is what a plain
 * watch is by what is there when it is read, makes none another. */
bool data_same_but_form(const struct audit_rule_data *a, const struct audit_rule_data *b);

/* Does this rule of the list exclude drop every record of that type? One for some users or programs only does not, nor does one
 * without fields, which matches no record; the action makes no difference there (audit_filter() in kernel/auditfilter.c). */
bool data_drops(const struct audit_rule_data *data, uint32_t type);

#endif
