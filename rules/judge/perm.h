/* The system calls that a permission filter (-p, -F perm=) can match on any kernel. */
#ifndef RULES_PERM_H
#define RULES_PERM_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

#include "setup/base/mem.h"

/* By letter, the masks of one architecture. */
struct perm_masks {
	uint32_t of_bit[4][AUDIT_BITMASK_SIZE];	/* of AUDIT_PERM_* 1 << index */
};

/* Fills in the masks of an AUDIT_ARCH_*. Returns false when this machine's libaudit does not know
 * its system calls, or the class lists of its kernel are not known here. */
bool perm_masks_init(struct perm_masks *masks, uint32_t arch) _must_check_;

/* Adds every system call for which audit_match_perm() can be true with these AUDIT_PERM_* bits. */
void perm_masks_add(const struct perm_masks *masks, uint32_t perms, uint32_t mask[AUDIT_BITMASK_SIZE]);

#endif
