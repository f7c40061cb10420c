#include "rules/rule/names.h"

#include <errno.h>
#include <libaudit.h>
#include <string.h>
#include <strings.h>

#include "rules/rule/syscalls.h"
#include "setup/base/mem.h"
#include "setup/base/nearest.h"

#ifndef AUDIT_ARCH_PPC64LE
#define AUDIT_ARCH_PPC64LE 0xc0000015
#endif

/* What the tables of auditctl 3.0 end at; a later number is not a name to it. */
#define LAST_NAMED_SYSCALL 435

/* As Debian, container images and Kubernetes call machines. */
static const struct {
	const char *name, *machine;
} other_names[] = {
	{ "amd64", "x86_64" }, { "arm64", "aarch64" },
};

const char *names_canonical_machine(const char *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_names); i++)
		if (strcasecmp(machine, other_names[i].name) == 0)
			return other_names[i].machine;
	return machine;
}

uint32_t names_machine(const char *machine)
{
	int number = machine ? audit_name_to_machine(names_canonical_machine(machine)) : audit_detect_machine();

	return number < 0 ? 0 : audit_machine_to_elf(number);
}

static const struct {
	uint32_t arch, arch32;
	const char *name;
} arches[] = {
	{ AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, "x86_64" },
	{ AUDIT_ARCH_I386, AUDIT_ARCH_I386, "i386" },
	{ AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, "aarch64" },
	{ AUDIT_ARCH_ARM, AUDIT_ARCH_ARM, "arm" },
	{ AUDIT_ARCH_PPC64, AUDIT_ARCH_PPC, "ppc64" },
	{ AUDIT_ARCH_PPC, AUDIT_ARCH_PPC, "ppc" },
	{ AUDIT_ARCH_PPC64LE, 0, "ppc64le" },
	{ AUDIT_ARCH_S390X, AUDIT_ARCH_S390, "s390x" },
	{ AUDIT_ARCH_S390, AUDIT_ARCH_S390, "s390" },
};

uint32_t names_arch32(uint32_t arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (arches[i].arch == arch)
			return arches[i].arch32;
	return 0;
}

uint32_t names_arch(const char *name)
{
	int machine = audit_name_to_machine(names_canonical_machine(name));
	uint32_t arch = machine < 0 ? 0 : audit_machine_to_elf(machine);

	return names_of_arch(arch) ? arch : 0;
}

bool names_arch_known(uint32_t arch)
{
	return audit_elf_to_machine(arch) >= 0;
}

const char *names_of_arch(uint32_t arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (arches[i].arch == arch)
			return arches[i].name;
	return NULL;
}

int names_field(const char *name)
{
	return audit_name_to_field(name);
}

/* The number of a row for an architecture; 0: none. */
static uint32_t new_number(const struct new_syscall *row, uint32_t arch)
{
	switch (arch) {
	case AUDIT_ARCH_X86_64:
		return row->x86_64;
	case AUDIT_ARCH_I386:
		return row->i386;
	case AUDIT_ARCH_AARCH64:
		return row->aarch64;
	case AUDIT_ARCH_ARM:
		return row->arm;
	default:
		return 0;
	}
}

int names_syscall(const char *name, uint32_t arch)
{
	int machine = audit_elf_to_machine(arch);
	int number = machine < 0 ? -1 : audit_name_to_syscall(name, machine);
	const struct new_syscall *row;

	for (size_t i = 0; number < 0 && (row = new_syscall_at(i)); i++)
		if (new_number(row, arch) && strcasecmp(row->name, name) == 0)
			number = (int)new_number(row, arch);
	return number;
}

int names_message_type(const char *name)
{
	/* libaudit reads UNKNOWN[n] with strtol; numbers are the caller's. */
	if (strncmp(name, "UNKNOWN[", 8) == 0)
		return -1;
	return audit_name_to_msg_type(name);
}

int names_file_type(const char *name)
{
	return audit_name_to_ftype(name);
}

int names_errno(const char *name)
{
	return audit_name_to_errno(name);
}

bool names_fs_type(const char *name, uint32_t *ret)
{
	int type = audit_name_to_fstype(name);

	if (type == -1)
		return false;
	*ret = (uint32_t)type;
	return true;
}

const char *names_of_field(uint32_t field)
{
	return audit_field_to_name((int)field);
}

const char *names_of_syscall(unsigned number, uint32_t arch)
{
	int machine = audit_elf_to_machine(arch);
	const char *name;

	if (number > LAST_NAMED_SYSCALL || machine < 0)
		return NULL;
	name = audit_syscall_to_name((int)number, machine);
	return name && audit_name_to_syscall(name, machine) == (int)number ? name : NULL;
}

const char *names_show_syscall(unsigned number, uint32_t arch)
{
	const char *name = names_of_syscall(number, arch);
	const struct new_syscall *row;

	for (size_t i = 0; !name && number && (row = new_syscall_at(i)); i++)
		if (new_number(row, arch) == number)
			name = row->name;
	return name;
}

/* Collects up to n names of the numbers from..to, and returns the nearest of them to word. */
static const char *nearest_of(const char *word, int from, int to, const char *(*name_of)(int number))
{
	const char *names[2048];
	size_t n = 0;

	for (int number = from; number <= to && n < ARRAY_SIZE(names); number++)
		if ((names[n] = name_of(number)))
			n++;
	return nearest_name(word, names, n);
}

const char *names_nearest_syscall(const char *word, uint32_t arch)
{
	const char *names[1024];
	size_t n = 0;

	for (unsigned number = 0; number < ARRAY_SIZE(names); number++)
		if ((names[n] = names_show_syscall(number, arch)))
			n++;
	return nearest_name(word, names, n);
}

const char *names_nearest_field(const char *word)
{
	return nearest_of(word, 0, AUDIT_FILTERKEY, audit_field_to_name);
}

const char *names_nearest_message_type(const char *word)
{
	return nearest_of(word, AUDIT_GET, AUDIT_LAST_USER_MSG2, audit_msg_type_to_name);
}

const char *names_nearest_errno(const char *word)
{
	return nearest_of(word, 1, 133, audit_errno_to_name);
}

const char *names_of_message_type(uint32_t type)
{
	const char *name = audit_msg_type_to_name((int)type);

	return name && names_message_type(name) == (int)type ? name : NULL;
}

const char *names_of_file_type(uint32_t type)
{
	return audit_ftype_to_name((int)type);
}

const char *names_of_errno(uint32_t number)
{
	const char *name = audit_errno_to_name((int)number);

	return name && audit_name_to_errno(name) == (int)number ? name : NULL;
}

/* include/uapi/linux/audit.h, AUDIT_FIELD_COMPARE; by the pairs that libaudit takes. */
static const struct {
	uint32_t left, right, comparison;
} comparisons[] = {
	{ AUDIT_UID, AUDIT_OBJ_UID, AUDIT_COMPARE_UID_TO_OBJ_UID },
	{ AUDIT_GID, AUDIT_OBJ_GID, AUDIT_COMPARE_GID_TO_OBJ_GID },
	{ AUDIT_EUID, AUDIT_OBJ_UID, AUDIT_COMPARE_EUID_TO_OBJ_UID },
	{ AUDIT_EGID, AUDIT_OBJ_GID, AUDIT_COMPARE_EGID_TO_OBJ_GID },
	{ AUDIT_LOGINUID, AUDIT_OBJ_UID, AUDIT_COMPARE_AUID_TO_OBJ_UID },
	{ AUDIT_SUID, AUDIT_OBJ_UID, AUDIT_COMPARE_SUID_TO_OBJ_UID },
	{ AUDIT_SGID, AUDIT_OBJ_GID, AUDIT_COMPARE_SGID_TO_OBJ_GID },
	{ AUDIT_FSUID, AUDIT_OBJ_UID, AUDIT_COMPARE_FSUID_TO_OBJ_UID },
	{ AUDIT_FSGID, AUDIT_OBJ_GID, AUDIT_COMPARE_FSGID_TO_OBJ_GID },
	{ AUDIT_UID, AUDIT_LOGINUID, AUDIT_COMPARE_UID_TO_AUID },
	{ AUDIT_UID, AUDIT_EUID, AUDIT_COMPARE_UID_TO_EUID },
	{ AUDIT_UID, AUDIT_FSUID, AUDIT_COMPARE_UID_TO_FSUID },
	{ AUDIT_UID, AUDIT_SUID, AUDIT_COMPARE_UID_TO_SUID },
	{ AUDIT_LOGINUID, AUDIT_FSUID, AUDIT_COMPARE_AUID_TO_FSUID },
	{ AUDIT_LOGINUID, AUDIT_SUID, AUDIT_COMPARE_AUID_TO_SUID },
	{ AUDIT_LOGINUID, AUDIT_EUID, AUDIT_COMPARE_AUID_TO_EUID },
	{ AUDIT_EUID, AUDIT_SUID, AUDIT_COMPARE_EUID_TO_SUID },
	{ AUDIT_EUID, AUDIT_FSUID, AUDIT_COMPARE_EUID_TO_FSUID },
	{ AUDIT_SUID, AUDIT_FSUID, AUDIT_COMPARE_SUID_TO_FSUID },
	{ AUDIT_GID, AUDIT_EGID, AUDIT_COMPARE_GID_TO_EGID },
	{ AUDIT_GID, AUDIT_FSGID, AUDIT_COMPARE_GID_TO_FSGID },
	{ AUDIT_GID, AUDIT_SGID, AUDIT_COMPARE_GID_TO_SGID },
	{ AUDIT_EGID, AUDIT_FSGID, AUDIT_COMPARE_EGID_TO_FSGID },
	{ AUDIT_EGID, AUDIT_SGID, AUDIT_COMPARE_EGID_TO_SGID },
	{ AUDIT_SGID, AUDIT_FSGID, AUDIT_COMPARE_SGID_TO_FSGID },
};

uint32_t names_comparison(uint32_t left, uint32_t right)
{
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
		if ((comparisons[i].left == left && comparisons[i].right == right) ||
		    (comparisons[i].left == right && comparisons[i].right == left))
			return comparisons[i].comparison;
	return 0;
}

bool names_of_comparison(uint32_t comparison, uint32_t *ret_left, uint32_t *ret_right)
{
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
		if (comparisons[i].comparison == comparison) {
			*ret_left = comparisons[i].left;
			*ret_right = comparisons[i].right;
			return true;
		}
	return false;
}
