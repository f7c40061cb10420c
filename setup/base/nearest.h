/* The nearest of some names to a misspelt one. */
#ifndef SETUP_NEAREST_H
#define SETUP_NEAREST_H

#include <stddef.h>

/* The name at the smallest edit distance from word, NULL when none is near enough to be meant. */
const char *nearest_name(const char *word, const char *const *names, size_t n);

#endif
