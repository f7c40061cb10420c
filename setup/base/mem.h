/* Cleanup attributes, so that every failure is one return.
 *
 * A variable declared with _cleanup_free_ and the like is released when it goes out of scope;
 * it must be initialised where it is declared (NULL, -1). TAKE() hands the value on. */
#ifndef SETUP_MEM_H
#define SETUP_MEM_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _must_check_ __attribute__((warn_unused_result))
#define _printf_format_(fmt, args) __attribute__((__format__(__printf__, fmt, args)))

static inline void mem_free(void *p)
{
	free(*(void **)p);
}

static inline void mem_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void mem_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(mem_free)
#define _cleanup_close_ _cleanup_(mem_close)
#define _cleanup_fclose_ _cleanup_(mem_fclose)

/* Yields the pointer's value and leaves NULL behind: ownership goes to the taker. */
#define TAKE(p) __extension__({ \
	__typeof__(p) take_ = (p); \
	(p) = NULL; \
	take_; \
})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
