#include "t/unit/test.h"

#include "setup/base/sha256.h"

/* FIPS 180-4's examples and some of NIST's CAVP byte vectors (SHA256ShortMsg, SHA256LongMsg): csrc.nist.gov. */
static const struct {
	const char *message;
	size_t n;
	const char *digest;
} vectors[] = {
	{ "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "\xd3", 1, "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1" },
	{ "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
	  "mnopqrstnopqrstu", 112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
};

static void nist(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct sha256 sha;
		char digits[65];

		sha256_begin(&sha);
		sha256_add(&sha, vectors[i].message, vectors[i].n);
		sha256_end(&sha, digits);
		assert_string_equal(digits, vectors[i].digest);
	}
}

/* A million times "a", in pieces of every length that a block can be cut at. */
static void million(void **state)
{
	char as[200];
	struct sha256 sha;
	char digits[65];
	size_t left = 1000000, n = 0;

	memset(as, 'a', sizeof(as));
	sha256_begin(&sha);
	while (left > 0) {
		n = n % 199 + 1 > left ? left : n % 199 + 1;
		sha256_add(&sha, as, n);
		left -= n;
	}
	sha256_end(&sha, digits);
	assert_string_equal(digits, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("SHA-256 of the messages of FIPS 180-4 and NIST's CAVP", nist),
		TEST("a million bytes in pieces of every length give NIST's digest", million),
	};

	return RUN(tests);
}
