/* Reading unit files of others, as systemd.syntax(7) has them and config_parse() in systemd's
 * src/shared/conf-parser.c reads them. */
#ifndef UNITS_UNIT_FILE_H
#define UNITS_UNIT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/base/text.h"

/* Carries what this file says of KEY= in [SECTION] over to *values, a list of strings (NULL: empty) that the
 * caller frees: each assignment adds one, an empty one takes all away that came before. *ret_said: the file has
 * an assignment. 0 or -ENOMEM. */
int unit_file_read(const struct text *content, const char *section, const char *key, char ***values, bool *ret_said)
	_must_check_;

/* Is this value of ExecStart= one command, of a program with an absolute path, and with no prefix that changes
 * how it is run, but "-"? Such a one can be run by another program that gets it as words. */
bool unit_command_is_plain(const char *command);

/* The value of PATH in one value of Environment= (systemd.exec(5)), its last, without quotes: 1 and the caller's *ret, 0 where
 * it has none, -ENOMEM. */
int unit_environment_path(const char *value, char **ret) _must_check_;

/* Can this PATH stand in Environment= as it is, with nothing in it that systemd makes something else of? */
bool unit_path_is_plain(const char *path);

#endif
