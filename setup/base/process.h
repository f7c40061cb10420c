/* The name of a process, for messages. */
#ifndef SETUP_PROCESS_H
#define SETUP_PROCESS_H

#include <stddef.h>

/* comm of proc(5), the name's first 15 bytes; "" when it cannot be seen from here. Our own /proc is the host's, or
 * the kernel's audit part would not talk to us. */
void process_name(long pid, char *out, size_t size);

#endif
