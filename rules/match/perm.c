/* What audit_match_perm() (kernel/auditsc.c) can say yes to.
 *
 * It asks audit_classify_syscall() (lib/audit.c, lib/compat_audit.c, arch/x86/kernel/audit_64.c,
 * arch/x86/ia32/audit.c): open, openat and openat2 are matched by their flags, which give r and w
 * only (ACC_MODE in include/linux/fs.h); execve and execveat match x; socketcall matches w when it
 * is a bind; all others match when the class of a letter lists them (include/asm-generic/
 * audit_read.h, audit_write.h, audit_dir_write.h, audit_change_attr.h; x has no class). Which names
 * a class lists differs by kernel, so the table below has
 *  - every name that a class or the classifier has on any kernel from 4.0 to 6.18, and
 *  - names of the same kind that none has so far, which a later kernel may well add,
 * with every letter that either may go with. A name that an architecture lacks is passed over.
 *
 * Calls that are newer than all of those have numbers from NEW_FIRST on, the same on every
 * architecture (scripts/syscall.tbl). Their classes cannot be known, so every one of them goes with
 * every letter, up to NEW_LAST: the line of a rules file, which lists them one by one, ends at 6143
 * bytes, where all up to 2031 take 7300. Half a thousand numbers are what Linux has given out in all
 * its time; it gives out five a year. Linux 6.18 ends at 469, 7.2 at 471.
 *
 * Warnings ask for less. What a filter surely matches is what the classes of all kernels from 5.10 to 7.2 have
 * (linux-headers-*-common of Debian); what it may match on a kernel that is known is the table. */
#include "rules/match/perm.h"

#include <string.h>

#include "rules/rule/names.h"

enum {
	NEW_FIRST = PERM_NEW_FIRST,
	NEW_LAST = 999,
};

#define R AUDIT_PERM_READ
#define W AUDIT_PERM_WRITE
#define X AUDIT_PERM_EXEC
#define A AUDIT_PERM_ATTR

/* With a number where an installed libaudit may be too old to know the name; from 424 on the number
 * is the same on every architecture. */
static const struct {
	const char *name;
	uint16_t number;
	uint8_t perms;
	uint8_t sure;	/* with every kernel */
} calls[] = {
	/* the classifier; an open that may go with any flags is matched where both letters are asked for */
	{ "open", 0, R | W, 0 }, { "openat", 0, R | W, 0 }, { "openat2", 437, R | W, 0 },
	{ "socketcall", 0, W, 0 }, { "execve", 0, X, X }, { "execveat", 0, X, X },
	/* audit_dir_write.h */
	{ "rename", 0, W, W }, { "mkdir", 0, W, W }, { "rmdir", 0, W, W }, { "creat", 0, W, W },
	{ "link", 0, W | A, W | A }, { "unlink", 0, W, W }, { "symlink", 0, W, W }, { "mknod", 0, W, W },
	{ "mkdirat", 0, W, W }, { "mknodat", 0, W, W }, { "unlinkat", 0, W, W }, { "renameat", 0, W, W },
	{ "linkat", 0, W | A, W | A }, { "symlinkat", 0, W, W }, { "renameat2", 0, W, W },
	/* audit_write.h */
	{ "acct", 0, W, W }, { "swapon", 0, W, W }, { "quotactl", 0, R | W, R | W }, { "quotactl_fd", 443, R | W, 0 },
	{ "truncate", 0, W, W }, { "truncate64", 0, W, W }, { "ftruncate", 0, W, W }, { "ftruncate64", 0, W, W },
	{ "bind", 0, W, W }, { "fallocate", 0, W, W },
	/* audit_change_attr.h */
	{ "chmod", 0, A, A }, { "fchmod", 0, A, A }, { "fchmodat", 0, A, A }, { "fchmodat2", 452, A, 0 },
	{ "chown", 0, A, A }, { "fchown", 0, A, A }, { "lchown", 0, A, A }, { "fchownat", 0, A, A },
	{ "chown32", 0, A, A }, { "fchown32", 0, A, A }, { "lchown32", 0, A, A },
	{ "setxattr", 0, A, A }, { "lsetxattr", 0, A, A }, { "fsetxattr", 0, A, A }, { "setxattrat", 463, A, 0 },
	{ "removexattr", 0, A, A }, { "lremovexattr", 0, A, A }, { "fremovexattr", 0, A, A },
	{ "removexattrat", 466, A, 0 }, { "open_tree_attr", 467, A, 0 }, { "file_setattr", 469, A, 0 },
	/* audit_read.h */
	{ "readlink", 0, R, R }, { "readlinkat", 0, R, R }, { "listxattr", 0, R, R }, { "llistxattr", 0, R, R },
	{ "flistxattr", 0, R, R }, { "listxattrat", 465, R, 0 }, { "getxattr", 0, R, R },
	{ "lgetxattr", 0, R, R }, { "fgetxattr", 0, R, R }, { "getxattrat", 464, R, 0 },
	{ "file_getattr", 468, R, 0 },
	/* of the same kind, in no class so far */
	{ "open_by_handle_at", 0, R | W, 0 }, { "name_to_handle_at", 0, R, 0 }, { "swapoff", 0, W, 0 },
	{ "copy_file_range", 0, W, 0 }, { "utime", 0, W | A, 0 }, { "utimes", 0, W | A, 0 },
	{ "futimesat", 0, W | A, 0 }, { "utimensat", 0, W | A, 0 }, { "utimensat_time64", 412, W | A, 0 },
};

#undef R
#undef W
#undef X
#undef A

static void add(uint32_t *mask, uint32_t number)
{
	mask[AUDIT_WORD(number)] |= AUDIT_BIT(number);
}

static void merge(uint32_t *mask, const uint32_t *by)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		mask[i] |= by[i];
}

static void add_named(uint32_t *mask, const char *name, uint32_t arch)
{
	int number = names_syscall(name, arch);

	if (number >= 0)
		add(mask, (uint32_t)number);
}

static bool is_known(uint32_t arch)
{
	static const uint32_t known[] = {
		AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM,
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == arch)
			return names_syscall("execve", arch) >= 0;
	return false;
}

bool perm_masks_init(struct perm_masks *masks, uint32_t arch)
{
	int number;

	memset(masks, 0, sizeof(*masks));
	if (!is_known(arch))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		number = calls[i].number ? calls[i].number : names_syscall(calls[i].name, arch);
		for (uint32_t bit = 0; number >= 0 && bit < PERM_BITS; bit++) {
			if (calls[i].perms & 1U << bit)
				add(masks->of_bit[bit], (uint32_t)number);
			if (calls[i].sure & 1U << bit)
				add(masks->sure[bit], (uint32_t)number);
		}
	}
	add_named(masks->opens, "open", arch);
	add_named(masks->opens, "openat", arch);
	/* No letter goes with it, but a kernel counts the rules whose mask has it, and only while there
	 * is one does it write down whom a signal was sent to (kernel/auditfilter.c
	 * audit_match_signal(), kernel/auditsc.c audit_signal_info_syscall()): with an all-ones mask
	 * the rule was counted, and so it stays. */
	add_named(masks->others, "kill", arch);
	for (uint32_t new = NEW_FIRST; new <= NEW_LAST; new++)
		add(masks->others, new);
	for (uint32_t bit = 0; bit < PERM_BITS; bit++)
		merge(masks->of_bit[bit], masks->others);
	return true;
}

void perm_masks_add(const struct perm_masks *masks, uint32_t perms, uint32_t mask[AUDIT_BITMASK_SIZE])
{
	for (uint32_t bit = 0; bit < PERM_BITS; bit++)
		if (perms & 1U << bit)
			merge(mask, masks->of_bit[bit]);
}

void perm_masks_add_known(const struct perm_masks *masks, uint32_t perms, uint32_t mask[AUDIT_BITMASK_SIZE])
{
	for (uint32_t bit = 0; bit < PERM_BITS; bit++)
		for (size_t i = 0; perms & 1U << bit && i < AUDIT_BITMASK_SIZE; i++)
			mask[i] |= masks->of_bit[bit][i] & ~masks->others[i];
}

void perm_masks_add_sure(const struct perm_masks *masks, uint32_t perms, uint32_t mask[AUDIT_BITMASK_SIZE])
{
	const uint32_t both = AUDIT_PERM_READ | AUDIT_PERM_WRITE;

	for (uint32_t bit = 0; bit < PERM_BITS; bit++)
		if (perms & 1U << bit)
			merge(mask, masks->sure[bit]);
	if ((perms & both) == both)
		merge(mask, masks->opens);
}
