/* System calls that are newer than the oldest libaudit, or that it knows by another name. */
#ifndef RULES_SYSCALLS_H
#define RULES_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* By architecture the number; 0: libaudit 3.0 has the name, or the architecture no such call. */
struct new_syscall {
	const char *name;
	uint16_t x86_64, i386, aarch64, arm;
};

/* The i-th of them, from 0; NULL after the last. */
const struct new_syscall *new_syscall_at(size_t i);

#endif
