#include "setup/output/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONTEXT = 3,
	EDITS_MAX = 2000,	/* beyond, what is between the equal ends is shown as replaced */
};

struct lines {
	struct line {
		const char *s;
		size_t length;	/* with its newline, which the last line may lack */
	} *line;
	size_t n;
	bool *changed;
};

static int split(struct lines *lines, const char *s)
{
	size_t n = 0;

	for (const char *p = s; *p; p += strcspn(p, "\n"), p += *p == '\n')
		n++;
	lines->line = calloc(n + 1, sizeof(*lines->line));
	lines->changed = calloc(n + 1, sizeof(*lines->changed));
	if (!lines->line || !lines->changed)
		return -ENOMEM;
	while (*s) {
		struct line *line = &lines->line[lines->n++];

		*line = (struct line){ s, strcspn(s, "\n") };
		line->length += s[line->length] == '\n';
		s += line->length;
	}
	return 0;
}

static void lines_done(struct lines *lines)
{
	free(lines->line);
	free(lines->changed);
}

static bool equal(const struct line *a, const struct line *b)
{
	return a->length == b->length && memcmp(a->s, b->s, a->length) == 0;
}

/* Walks the recorded frontiers back from the end and marks the edits of the shortest script. */
static void mark_path(struct lines *a, struct lines *b, size_t from, long x, long y, long d,
		      long *const *history)
{
	for (; d > 0; d--) {
		const long *v = history[d - 1] + d;	/* index 0 is diagonal 0 */
		long k = x - y;
		bool down = k == -d || (k != d && v[k - 1] < v[k + 1]);
		long before = down ? k + 1 : k - 1;

		x = v[before];
		y = x - before;
		if (down)
			b->changed[from + (size_t)y] = true;
		else
			a->changed[from + (size_t)x] = true;
	}
}

/* Myers, "An O(ND) Difference Algorithm": *ret_found says whether EDITS_MAX sufficed. */
static int shortest_script(struct lines *a, struct lines *b, size_t from, size_t n_a, size_t n_b,
			   bool *ret_found)
{
	long n = (long)n_a, m = (long)n_b, most = n + m < EDITS_MAX ? n + m : EDITS_MAX;
	long **history = calloc((size_t)most + 1, sizeof(*history));
	int r = history ? 0 : -ENOMEM;

	*ret_found = false;
	for (long d = 0; r == 0 && d <= most && !*ret_found; d++) {
		/* what mark_path() will ask of step d: diagonals -d-1 to d+1 */
		long *v = history[d] = calloc((size_t)(2 * d + 3), sizeof(*v));

		if (!v) {
			r = -ENOMEM;
			break;
		}
		v += d + 1;
		for (long k = -d; k <= d && !*ret_found; k += 2) {
			const long *u = d > 0 ? history[d - 1] + d : NULL;
			long x = !u ? 0 : k == -d || (k != d && u[k - 1] < u[k + 1]) ? u[k + 1] :
				u[k - 1] + 1;

			while (x < n && x - k < m &&
			       equal(&a->line[from + (size_t)x], &b->line[from + (size_t)(x - k)]))
				x++;
			v[k] = x;
			if (x >= n && x - k >= m) {
				*ret_found = true;
				mark_path(a, b, from, n, m, d, history);
			}
		}
	}
	for (long d = 0; history && d <= most; d++)
		free(history[d]);
	free(history);
	return r;
}

static int mark_changes(struct lines *a, struct lines *b)
{
	size_t head = 0, tail = 0;
	bool found;
	int r;

	while (head < a->n && head < b->n && equal(&a->line[head], &b->line[head]))
		head++;
	while (tail < a->n - head && tail < b->n - head &&
	       equal(&a->line[a->n - 1 - tail], &b->line[b->n - 1 - tail]))
		tail++;
	r = shortest_script(a, b, head, a->n - head - tail, b->n - head - tail, &found);
	if (r < 0 || found)
		return r;
	memset(a->changed + head, true, a->n - head - tail);
	memset(b->changed + head, true, b->n - head - tail);
	return 0;
}

static void print_range(struct text *out, char sign, size_t start, size_t n)
{
	text_addf(out, " %c%zu", sign, n ? start + 1 : start);
	if (n != 1)
		text_addf(out, ",%zu", n);
}

static void print_line(struct text *out, char sign, const struct line *line)
{
	text_add_bytes(out, &sign, 1);
	text_add_bytes(out, line->s, line->length);
	if (line->s[line->length - 1] != '\n')
		text_add(out, "\n\\ No newline at end of file\n");
}

/* One hunk that starts after the equal lines before (i, j); moves both past it. */
static void print_hunk(struct text *out, const struct lines *a, const struct lines *b, size_t *i,
		       size_t *j)
{
	size_t lead = *i < CONTEXT ? *i : CONTEXT, start_a = *i - lead, start_b = *j - lead;
	size_t x = *i, y = *j, same = 0;
	_cleanup_text_ struct text body = {0};

	for (size_t k = start_a; k < *i; k++)
		print_line(&body, ' ', &a->line[k]);
	while (x < a->n || y < b->n) {
		size_t gap = 0;

		while (x < a->n && a->changed[x])
			print_line(&body, '-', &a->line[x++]);
		while (y < b->n && b->changed[y])
			print_line(&body, '+', &b->line[y++]);
		while (x + gap < a->n && !a->changed[x + gap] && !b->changed[y + gap])
			gap++;
		same = gap;
		if (gap > 2 * CONTEXT || (x + gap >= a->n && y + gap >= b->n))
			same = gap < CONTEXT ? gap : CONTEXT;
		for (size_t k = 0; k < same; k++)
			print_line(&body, ' ', &a->line[x + k]);
		x += same;
		y += same;
		if (same < gap || (x >= a->n && y >= b->n))
			break;
	}
	text_add(out, "@@");
	print_range(out, '-', start_a, x - start_a);
	print_range(out, '+', start_b, y - start_b);
	text_add(out, " @@\n");
	if (body.s)
		text_add(out, body.s);
	if (text_error(&body) < 0)
		out->failed = true;
	*i = x;
	*j = y;
}

int diff_unified(struct text *out, const char *name, const char *before, const char *after)
{
	_cleanup_(lines_done) struct lines a = {0}, b = {0};
	size_t i = 0, j = 0;

	if ((!before && !after) || (before && after && strcmp(before, after) == 0))
		return 0;
	if (split(&a, before ? before : "") < 0 || split(&b, after ? after : "") < 0 ||
	    mark_changes(&a, &b) < 0)
		return -ENOMEM;
	text_addf(out, "--- %s\n+++ %s\n", before ? name : "/dev/null", after ? name : "/dev/null");
	while (i < a.n || j < b.n) {
		if ((i < a.n && a.changed[i]) || (j < b.n && b.changed[j])) {
			print_hunk(out, &a, &b, &i, &j);
		} else {
			i++;
			j++;
		}
	}
	return text_error(out) < 0 ? -ENOMEM : 1;
}
