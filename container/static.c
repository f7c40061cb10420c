/* For the program that carries its libraries in itself (container/node). A static program that loads a library of
 * the host's, of another version than its own C library, may crash: here there is none to load. libsystemd takes
 * that for a host without compression libraries, whose journal entries are skipped, and for a name that is not
 * found. */
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>

void *dlopen(const char *file, int mode)
{
	return NULL;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	return EAI_FAIL;
}

/* In the same object of the C library as getaddrinfo(). */
void freeaddrinfo(struct addrinfo *list)
{
}
