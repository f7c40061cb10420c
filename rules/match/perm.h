/* The system calls that a permission filter (-p, -F perm=) can match on any kernel. */
#ifndef RULES_PERM_H
#define RULES_PERM_H

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

#include "setup/base/mem.h"

enum {
	PERM_BITS = 4,	/* AUDIT_PERM_* 1 << 0 to 1 << 3 */
	PERM_NEW_FIRST = 470,	/* system calls from here on are not known */
};

/* By letter, the masks of one architecture. */
struct perm_masks {
	uint32_t of_bit[PERM_BITS][AUDIT_BITMASK_SIZE];	/* on any kernel, also one that is not written yet */
	uint32_t sure[PERM_BITS][AUDIT_BITMASK_SIZE];	/* on every kernel from 5.10 to 7.2 */
	uint32_t opens[AUDIT_BITMASK_SIZE];	/* matched by their flags: surely where r and w are asked for */
	uint32_t others[AUDIT_BITMASK_SIZE];	/* in of_bit for what is not known of them */
};

/* Fills in the masks of an AUDIT_ARCH_*. Returns false when this machine's libaudit does not know
 * its system calls, or the class lists of its kernel are not known here. */
bool perm_masks_init(struct perm_masks *masks, uint32_t arch) _must_check_;

/* Adds every system call for which audit_match_perm() can be true with these AUDIT_PERM_* bits (not 0), on any
 * kernel, also one that is not written yet. */
void perm_masks_add(const struct perm_masks *masks, uint32_t perms, uint32_t mask[AUDIT_BITMASK_SIZE]);

/* Adds those for which it can be true on a kernel that is known; those for which it is true on every one. */
void perm_masks_add_known(const struct perm_masks *masks, uint32_t perms, uint32_t mask[AUDIT_BITMASK_SIZE]);
void perm_masks_add_sure(const struct perm_masks *masks, uint32_t perms, uint32_t mask[AUDIT_BITMASK_SIZE]);

#endif
