#!/bin/sh
# Makes rules/rule/syscalls.c: the system calls of the kernel's own headers that auditctl 3.0 has no name for.
#
#     rules/rule/syscalls.sh UAPI LIBAUDIT VERSION >rules/rule/syscalls.c
#
# UAPI is usr/lib/linux/uapi of the package linux-libc-dev (from 6.12 on it has all architectures), LIBAUDIT the
# libaudit.so.1 of Debian's libaudit1 1:3.0, the oldest that is supported, VERSION the kernel's for the comment.
set -eu
[ $# = 3 ] || { sed -n 's/^#  *//p' "$0" >&2; exit 2; }
uapi=$1 libaudit=$2 version=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/lacks.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>

/* "MACHINE NAME NUMBER" lines on stdin; prints those whose name the library does not know. */
int main(int argc, char **argv)
{
	void *library = dlopen(argv[1], RTLD_NOW);
	int (*machine_of)(const char *) = library ? dlsym(library, "audit_name_to_machine") : NULL;
	int (*number_of)(const char *, int) = library ? dlsym(library, "audit_name_to_syscall") : NULL;
	char machine[16], name[64];
	int number, known;

	if (!machine_of || !number_of)
		return fprintf(stderr, "%s: %s\n", argv[1], dlerror()), 1;
	while (scanf("%15s %63s %d", machine, name, &number) == 3) {
		known = number_of(name, machine_of(machine));
		if (known < 0)
			printf("%s %s %d\n", machine, name, number);
		else if (known != number)
			return fprintf(stderr, "%s %s: %d, and %d to libaudit\n", machine, name, number, known), 1;
	}
	return 0;
}
C
${CC:-cc} -o "$work/lacks" "$work/lacks.c" -ldl
for pair in x86_64:x86/asm/unistd_64.h i386:x86/asm/unistd_32.h aarch64:arm64/asm/unistd_64.h \
	arm:arm/asm/unistd-eabi.h; do
	sed -nE "s/^#define __NR_([a-z]\w*|_[a-z]\w*)\s+\(?(__NR_SYSCALL_BASE\s*\+\s*)?([0-9]+)\)?\$/${pair%%:*} \1 \3/p" \
		"$uapi/${pair#*:}"
done >"$work/all"
"$work/lacks" "$libaudit" <"$work/all" >"$work/lacking"
[ -s "$work/lacking" ]
cat <<H
/* Made by rules/rule/syscalls.sh from the headers of Linux $version: system calls that libaudit 3.0 has no name for. */
#include "rules/rule/syscalls.h"

#include "setup/base/mem.h"

static const struct new_syscall calls[] = {
H
awk '{ number[$1, $2] = $3; if (!($2 in least) || $3 < least[$2]) least[$2] = $3 }
	END { for (name in least) printf "%d %s %d %d %d %d\n", least[name], name, number["x86_64", name],
		number["i386", name], number["aarch64", name], number["arm", name] }' "$work/lacking" |
	sort -k1,1n -k2,2 | awk '{ printf "\t{ \"%s\", %d, %d, %d, %d },\n", $2, $3, $4, $5, $6 }'
cat <<'H'
};

const struct new_syscall *new_syscall_at(size_t i)
{
	return i < ARRAY_SIZE(calls) ? &calls[i] : NULL;
}
H
