/* Unified diffs, as diff -u prints them (Myers' algorithm).
 *
 * Our own, because the program executes nothing, no image of a node has diff(1), and the libraries that have one bring a
 * version control system along (libgit2). */
#ifndef SETUP_DIFF_H
#define SETUP_DIFF_H

#include "setup/base/text.h"

/* Appends the difference between two texts, each NULL for an absent file (/dev/null in the header);
 * appends nothing and returns 0 when they are the same, 1 when they differ, -ENOMEM. */
int diff_unified(struct text *out, const char *name, const char *before, const char *after)
	_must_check_;

#endif
