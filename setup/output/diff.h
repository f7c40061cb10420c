/* Unified diffs, as diff -u prints them. */
#ifndef SETUP_DIFF_H
#define SETUP_DIFF_H

#include "setup/base/text.h"

/* Appends the difference between two texts, each NULL for an absent file (/dev/null in the header);
 * appends nothing and returns 0 when they are the same, 1 when they differ, -ENOMEM. */
int diff_unified(struct text *out, const char *name, const char *before, const char *after)
	_must_check_;

#endif
