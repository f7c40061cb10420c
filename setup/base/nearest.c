#include "setup/base/nearest.h"

#include <string.h>

enum { WORD_MAX = 40 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, by rows, where two letters that changed places are one slip, too (optimal string alignment). */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], n = strlen(b), i;

	for (size_t j = 0; j <= n; j++)
		rows[0][j] = j;
	for (i = 1; a[i - 1]; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[(i - 1) % 3][n];
}

const char *nearest_name(const char *word, const char *const *names, size_t n)
{
	size_t length = strlen(word), best = length / 3 + 2;
	const char *found = NULL;

	if (length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d = strlen(names[i]) <= WORD_MAX ? distance(word, names[i]) : best;

		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
