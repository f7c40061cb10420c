/* The keys of the configuration: their values as written, where these come from, and which there are. */
#ifndef SETUP_CONFIG_KEYS_H
#define SETUP_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct config;

/* The value of a key as written, "audit" and "lock" for instance; never NULL for a key that exists. */
const char *config_value(const struct config *config, const char *section, const char *key);
/* Where it comes from: "FILE:LINE", "--set ..." or "built-in default". */
const char *config_source(const struct config *config, const char *section, const char *key);
/* Same as file and line, for messages; file is NULL for a default, or when what was given is not valid. */
void config_place(const struct config *config, const char *section, const char *key,
		  const char **ret_file, unsigned *ret_line);

/* Its default; what it takes, in words; what it means, in a sentence, "" for one that nobody wrote. */
const char *config_default(const char *section, const char *key);
const char *config_expected(const char *section, const char *key);
const char *config_meaning(const char *section, const char *key);

/* Did somebody set it, in a file or with --set? */
bool config_given(const struct config *config, const char *section, const char *key);

/* Every setting on a line of its own: "SECTION.KEY=DEFAULT", two spaces or more, and the words that it takes,
 * joined by '|', or in words what is expected; below it, indented, what it means. The completions read this. */
void config_print_settings(FILE *out);

/* The n-th key of all, section by section; false after the last. */
bool config_row(size_t n, const char **ret_section, const char **ret_key);

/* The n-th key of a section, NULL after the last: the event groups are those of "events". */
const char *config_key(const char *section, size_t n);

#endif
