/* A systemd unit file as data: sections, keys, values; printed so that systemd.unit(5) reads back
 * exactly what was put in, and no value can smuggle in a line of its own. */
#ifndef UNITS_UNIT_H
#define UNITS_UNIT_H

#include <stddef.h>

#include "setup/base/text.h"

struct unit {
	struct unit_entry *entries;
	size_t n;
	int error;	/* first failure, reported by unit_print() */
};

/* Frees its entries; a unit that is all zero is fine. */
void unit_done(struct unit *unit);

/* Appends key=value to a section (borrowed: a string constant); entries of one section must follow
 * each other. A % is doubled, so that it is no specifier. Values that no unit file can carry (line
 * breaks, other control characters, white space at an end, a backslash at the end, what is not
 * UTF-8) make unit_print() fail with -EINVAL. */
void unit_add(struct unit *unit, const char *section, const char *key, const char *value);

/* Appends a command line such as ExecStart=: every word is quoted as systemd.service(5) unquotes it,
 * $ and % keep their own meaning. argv ends with NULL; the program comes first. Any byte but NUL can
 * be carried; words that are not UTF-8 are escaped. A program that is no absolute path, or has quotes,
 * backslashes or control characters in it, makes unit_print() fail with -EINVAL: systemd takes none. */
void unit_add_command(struct unit *unit, const char *section, const char *key,
		      const char *const *argv);

/* The same with the words of another unit's command behind them, which unit_command_is_plain() takes, as they
 * stand in that unit's file: quotes, variables and specifiers mean what they mean there. */
void unit_add_wrapped_command(struct unit *unit, const char *section, const char *key, const char *const *argv,
			      const char *command);

/* Appends the unit file to out, after a comment (lines starting with "# "). 0, -EINVAL, -ENOMEM. */
int unit_print(const struct unit *unit, const char *comment, struct text *out) _must_check_;

#endif
