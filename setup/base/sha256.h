/* SHA-256 (FIPS 180-4). Not for secrets.
 *
 * It is here because none of the libraries that the program uses offers it, and one more (libmd, nettle) would have to
 * come along everywhere: into the image and its bill of materials, the package's dependencies, the static tarball. */
#ifndef SETUP_SHA256_H
#define SETUP_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t length;		/* bytes so far */
	unsigned char block[64];	/* those not yet worked in: length % 64 */
};

/* Begin; add n bytes, as often as wanted; see sha256_end(). */
void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t n);
/* The digest as 64 hexadecimal digits and NUL; sha256_begin() before the next use. */
void sha256_end(struct sha256 *sha, char ret_digits[65]);

/* The three at once. */
void sha256_of(const void *bytes, size_t n, char ret_digits[65]);

#endif
