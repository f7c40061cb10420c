/* What a kernel says to a rule, without a kernel. */
#ifndef RULES_KERNEL_H
#define RULES_KERNEL_H

#include <stddef.h>

struct audit_rule_data;

/* Why AUDIT_ADD_RULE would fail with EINVAL or ENAMETOOLONG on every kernel from 5.10 to 6.12,
 * whatever the host is like; NULL when it would not. Static text. Source: kernel/auditfilter.c
 * (audit_to_entry_common, audit_field_valid, audit_data_to_entry, audit_to_inode),
 * audit_watch.c (audit_to_watch), audit_tree.c (audit_make_tree), audit_fsnotify.c
 * (audit_alloc_mark) of Linux 6.1. */
const char *kernel_refuses(const struct audit_rule_data *data, size_t size);

#endif
