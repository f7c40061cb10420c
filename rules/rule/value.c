#include "rules/rule/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool value_is_number(const char *s)
{
	return isdigit((unsigned char)s[s[0] == '-']);
}

uint32_t value_as_auditctl(const char *s, unsigned flags)
{
	bool is_unsigned = flags & VALUE_STRTOUL && s[0] != '-';

	return is_unsigned ? (uint32_t)strtoul(s, NULL, 0) : (uint32_t)strtol(s, NULL, 0);
}

/* Most numbers, hundreds in the list of a rule: nothing but up to nine decimal digits. */
static bool read_plain(const char *s, uint32_t *ret)
{
	uint32_t value = 0;
	size_t n = 0;

	for (; s[n] >= '0' && s[n] <= '9' && n < 9; n++)
		value = value * 10 + (uint32_t)(s[n] - '0');
	if (n == 0 || s[n] || (n > 1 && s[0] == '0'))
		return false;
	*ret = value;
	return true;
}

const char *value_number(const char *s, unsigned flags, uint32_t *ret)
{
	const char *digits = s + (s[0] == '-');
	bool negative = digits != s, hex, octal;
	unsigned long long value;
	char *end;

	if (read_plain(s, ret))
		return NULL;
	if (!isdigit((unsigned char)*digits))
		return "not a number";
	if (negative && !(flags & VALUE_NEGATIVE))
		return "negative";
	hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	octal = digits[0] == '0' && !hex && digits[1];
	if (hex && !isxdigit((unsigned char)digits[2]))
		return "a number with trailing characters";
	errno = 0;
	value = strtoull(digits, &end, octal ? 8 : hex ? 16 : 10);
	if (*end)
		return "a number with trailing characters";
	if (octal && !(flags & VALUE_OCTAL))
		return "a number with a leading zero, which means octal";
	if (errno || value > (negative ? 0x80000000ULL : 0xffffffffULL))
		return "too large for 32 bits";
	*ret = negative ? (uint32_t)-value : (uint32_t)value;
	return NULL;
}
