/* A list of strings that ends with NULL, list and strings owned. */
#ifndef SETUP_STRINGS_H
#define SETUP_STRINGS_H

#include "setup/base/mem.h"

static inline void strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

static inline void strings_freep(char ***strings)
{
	strings_free(*strings);
}

#define _cleanup_strings_ _cleanup_(strings_freep)

#endif
