/* Memory that ends: with memory_fail set, that allocation since memory_begin() fails, or all from it on; and what of it is held.
 * In one file of a program only. The sanitizers have a heap of their own. */
#ifndef T_UNIT_MEMORY_H
#define T_UNIT_MEMORY_H

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static size_t memory_n, memory_fail;	/* counted from 1; 0: none fails */
static bool memory_for_good;
static __attribute__((unused)) size_t memory_blocks, memory_bytes;	/* allocated and not freed, since the program's start */

static inline void memory_begin(size_t fail, bool for_good)
{
	memory_n = 0;
	memory_for_good = for_good;
	memory_fail = fail;
}

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { MEMORY_FAILS = 0 };
#else
enum { MEMORY_FAILS = 1 };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *block);

static bool memory_ends(void)
{
	memory_n++;
	if (!memory_fail || memory_n < memory_fail || (memory_n > memory_fail && !memory_for_good))
		return false;
	errno = ENOMEM;
	return true;
}

static void *memory_take(void *block)
{
	if (block) {
		memory_blocks++;
		memory_bytes += malloc_usable_size(block);
	}
	return block;
}

static void memory_give(void *block)
{
	if (block) {
		memory_blocks--;
		memory_bytes -= malloc_usable_size(block);
	}
}

void *malloc(size_t size)
{
	return memory_ends() ? NULL : memory_take(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return memory_ends() ? NULL : memory_take(__libc_calloc(n, size));
}

void *realloc(void *old, size_t size)
{
	void *block;

	if (memory_ends())
		return NULL;
	memory_give(old);
	block = __libc_realloc(old, size);
	/* Where there is none it stays. */
	if (!block && size)
		memory_take(old);
	return memory_take(block);
}

void free(void *block)
{
	memory_give(block);
	__libc_free(block);
}
#endif

#endif
