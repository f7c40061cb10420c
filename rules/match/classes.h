/* Login uids by which the kernel tells containers and people apart, where the container runtime is started with an identity:
 * each range ends where the next begins, the last one below the unset login uid. Below them are people's own. */
#ifndef RULES_CLASSES_H
#define RULES_CLASSES_H

#define CLASS_WORKLOADS 0xC0000000u	/* containers' own processes */
#define CLASS_SESSIONS 0xD0000000u	/* exec sessions without a terminal */
#define CLASS_TERMINALS 0xE0000000u	/* whatever has a terminal, where somebody may type */
#define CLASS_END 0xF0000000u

#endif
