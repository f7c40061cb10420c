/* Numbers as a rules file may write them: strictly, where auditctl takes what strtoul() leaves. */
#ifndef RULES_VALUE_H
#define RULES_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "setup/base/mem.h"

enum value_flag {
	VALUE_NEGATIVE = 1,	/* down to -2147483648, stored as its two's complement */
	VALUE_OCTAL = 2,	/* a leading 0 is meant */
	VALUE_STRTOUL = 4,	/* auditctl reads it with strtoul(), not strtol(): for messages */
};

/* Reads a decimal or 0x number of 32 bits. Returns NULL, or what is wrong with it, without the
 * number itself. */
const char *value_number(const char *s, unsigned flags, uint32_t *ret) _must_check_;

/* Whether auditctl would read this as a number and not as a name: a digit, or a minus and a digit. */
bool value_is_number(const char *s);

/* What auditctl would make of it: strtol(s, NULL, 0) or strtoul(), cut to 32 bits. */
uint32_t value_as_auditctl(const char *s, unsigned flags);

#endif
