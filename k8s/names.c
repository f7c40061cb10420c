/* names: prints the names that entries have for the kernel's numbers, one a line: WHAT NUMBER NAME. For k8s/tables. */
#include <stdio.h>
#include <stdlib.h>

#include "rules/rule/names.h"
#include "setup/base/mem.h"

/* Beyond every number that a call has. */
#define CALLS 1024
/* MAX_ERRNO: what exit= counts as an error. */
#define ERRNOS 4096

static const char *const arches[] = { "x86_64", "i386", "aarch64", "arm" };

int main(void)
{
	const char *name;

	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		uint32_t arch = names_arch(arches[i]);

		printf("arch %x %s\n", arch, arches[i]);
		for (unsigned number = 0; number < CALLS; number++)
			if ((name = names_show_syscall(number, arch)))
				printf("%s %u %s\n", arches[i], number, name);
	}
	for (uint32_t number = 1; number < ERRNOS; number++)
		if ((name = names_of_errno(number)))
			printf("errno %u %s\n", number, name);
	return ferror(stdout) || fclose(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
