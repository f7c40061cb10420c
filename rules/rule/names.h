/* Names of the audit language and their numbers: the project's only door to libaudit.
 *
 * Of libaudit only the tables are used. Its rule builder (audit_rule_fieldpair_data) is not: it
 * asks the running kernel for its features over netlink, so that exe=, sessionid= and the exclude
 * and filesystem lists fail wherever there is none, reads numbers without looking at their end,
 * calls getpwnam() and keeps the state of a rule in exported globals. */
#ifndef RULES_NAMES_H
#define RULES_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* The name that uname gives a machine that others call amd64 or arm64; any other name as it is. */
const char *names_canonical_machine(const char *machine);
/* AUDIT_ARCH_* of a machine's name (NULL: this machine); 0 when it is unknown. */
uint32_t names_machine(const char *machine);
/* The 32-bit AUDIT_ARCH_* that auditctl's b32 means on a machine of this AUDIT_ARCH_*; 0: none. */
uint32_t names_arch32(uint32_t arch);
/* AUDIT_ARCH_* of an architecture name that auditctl knows, b32 and b64 left out; 0: unknown. */
uint32_t names_arch(const char *name);
/* Whether auditctl takes this AUDIT_ARCH_* as a number. */
bool names_arch_known(uint32_t arch);
/* An architecture name that every auditctl reads as this AUDIT_ARCH_*; NULL: there is none. */
const char *names_of_arch(uint32_t arch);

/* The number of a name, case ignored as auditctl does; -1: unknown. System calls also by names that are newer than
 * this machine's libaudit (rules/rule/syscalls.c). */
int names_field(const char *name);
int names_syscall(const char *name, uint32_t arch);
int names_message_type(const char *name);
int names_file_type(const char *name);
/* With or without a minus sign in front; 0: unknown. */
int names_errno(const char *name);
/* False: unknown. */
bool names_fs_type(const char *name, uint32_t *ret);

/* A name that reads back as this number, in auditctl 3.0.9 as in 4.0.2; NULL: there is none. */
const char *names_of_field(uint32_t field);
const char *names_of_syscall(unsigned number, uint32_t arch);
const char *names_of_message_type(uint32_t type);
const char *names_of_file_type(uint32_t type);
const char *names_of_errno(uint32_t number);
/* A name for people, which an older auditctl may not read. */
const char *names_show_syscall(unsigned number, uint32_t arch);

/* What a misspelt name may have been meant to be; NULL: nothing is near. */
const char *names_nearest_syscall(const char *word, uint32_t arch);
const char *names_nearest_field(const char *word);
const char *names_nearest_message_type(const char *word);
const char *names_nearest_errno(const char *word);

/* A comparison of two fields (-C), AUDIT_COMPARE_*; 0: there is none. Either order is the same. */
uint32_t names_comparison(uint32_t left, uint32_t right);
/* The two fields of a comparison; false: unknown. */
bool names_of_comparison(uint32_t comparison, uint32_t *ret_left, uint32_t *ret_right);

#endif
