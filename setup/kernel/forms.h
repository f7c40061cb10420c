/* A watch (-w PATH) is one of a file or of a directory by what is there when it is read, and stays what it was
 * loaded as, whatever comes to the path: under the lock nobody can load it anew. */
#ifndef SETUP_FORMS_H
#define SETUP_FORMS_H

#include "rules/rules.h"
#include "setup/kernel/kernel.h"

/* Calls back for each path that a wanted rule which is not listed watches as a file, and a listed one that is no other
 * wanted rule as a directory, or the other way round; directory: as which it is listed. path is valid during the call. 0, what
 * the callback returned when that is not 0, or -ENOMEM. */
int forms_compare(const struct rule_set *wanted, const struct kernel_rules *listed,
		  int (*form)(void *context, const char *path, bool directory), void *context) _must_check_;

#endif
