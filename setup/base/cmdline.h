/* The running kernel's command line (/proc/cmdline, proc(5)). */
#ifndef SETUP_CMDLINE_H
#define SETUP_CMDLINE_H

#include <stdbool.h>

/* Is this word on it? A word that ends in '=' stands for all that begin so. */
bool cmdline_has(const char *word);

#endif
