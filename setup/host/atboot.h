/* What a boot of the host does by itself, as far as its files tell. Nothing is logged. */
#ifndef SETUP_ATBOOT_H
#define SETUP_ATBOOT_H

#include "setup/host/host.h"

/* Where augenrules(8) looks for the host's own, which fails without; and the file that it makes of them, or somebody has written. */
#define HOST_RULES_DIRECTORY "/etc/audit/rules.d"
#define HOST_RULES "/etc/audit/audit.rules"

/* Has augenrules made it? */
bool atboot_merged(const struct host *host);

struct own_line {
	char *file;
	unsigned line;
};

struct own_lines {
	struct own_line *items;
	size_t n;
};

enum own_kind {
	OWN_LOCKS,	/* -e 2 */
	OWN_SILENCES,	/* -a never,task without a condition: what starts under it is seen by no rule */
};

/* The lines of a kind in the host's own rules files, as auditd.service and audit-rules.service have them loaded at
 * boot: /etc/audit/rules.d, and /etc/audit/audit.rules where augenrules has not made it of that. Files that are absent or
 * cannot be read have none. 0 or -ENOMEM; ret, which is empty, is the caller's to end either way. */
int atboot_lines(const struct host *host, enum own_kind kind, struct own_lines *ret) _must_check_;
void own_lines_done(struct own_lines *lines);

/* The id of the present boot, "" where it cannot be read; and that which a rules file says it was put in place in, "" for none
 * or an absent file. ret has room for ATBOOT_ID. */
enum { ATBOOT_ID = 64 };
void atboot_id(char *ret);
void atboot_staged(const struct text *file, char *ret);
/* What the line of that file begins with. */
#define ATBOOT_STAGED "# staged in boot "

/* Appends why this directory is not there, or not as it is now, when a boot loads rules; nothing where it is. fstab: what the
 * host's has, NULL for none. */
void atboot_late(const char *fstab, const char *directory, struct text *out);

#endif
