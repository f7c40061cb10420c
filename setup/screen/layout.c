#include "setup/screen/layout.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/base/text.h"


#define CUT " ... (-v: all)"

/* Columns; and rows that one item may take, where there is an end. */
enum { LABEL = 15, WIDTH = SCREEN_COLUMNS - LABEL, MOST = 4 };

struct screen_item {
	const char *label;	/* NULL: a line on its own */
	char *words, *more;
	enum colour colour;	/* of a line */
	bool detail;
	bool dropped;	/* counted alone */
	size_t most;	/* rows of each of the two */
};

static struct screen_item *add(struct screen *screen, const char *label)
{
	struct screen_item *items = reallocarray(screen->items, screen->n + 1, sizeof(*items));

	if (!items) {
		screen->failed = true;
		return NULL;
	}
	screen->items = items;
	items[screen->n] = (struct screen_item){ .label = label, .most = MOST };
	return &items[screen->n++];
}

/* Names that others have given are in it, which are not to act on the terminal; what holds words together stays. */
static char *copy(struct screen *screen, const char *s)
{
	_cleanup_text_ struct text out = {0};
	size_t n;

	text_add(&out, "");
	for (;; s += n + 1) {
		n = strcspn(s, SCREEN_STAY);
		text_add_shown(&out, s, n);
		if (!s[n])
			break;
		text_add(&out, SCREEN_STAY);
	}
	screen->failed = screen->failed || text_error(&out) < 0;
	return text_take(&out);
}

static char *words(struct screen *screen, const char *format, va_list args) _printf_format_(2, 0);
static char *words(struct screen *screen, const char *format, va_list args)
{
	_cleanup_free_ char *s = NULL;

	if (vasprintf(&s, format, args) >= 0)
		return copy(screen, s);
	s = NULL;
	screen->failed = true;
	return NULL;
}

void screen_line(struct screen *screen, enum colour colour, const char *format, ...)
{
	struct screen_item *item = add(screen, NULL);
	va_list args;

	if (!item)
		return;
	item->colour = colour;
	va_start(args, format);
	item->words = words(screen, format, args);
	va_end(args);
}

void screen_row(struct screen *screen, const char *label, const char *format, ...)
{
	struct screen_item *item = add(screen, label);
	va_list args;

	if (!item)
		return;
	va_start(args, format);
	item->words = words(screen, format, args);
	va_end(args);
}

void screen_detail(struct screen *screen, const char *label, const char *text, const char *more)
{
	struct screen_item *item = add(screen, label);

	if (!item)
		return;
	item->detail = true;
	item->words = copy(screen, text);
	item->more = more ? copy(screen, more) : NULL;
}

/* How many bytes of the words fit into a row: up to the last space that leaves room, or one word that is longer. */
static size_t fit(const char *s)
{
	size_t n = strlen(s), last = 0;

	if (n <= WIDTH)
		return n;
	for (size_t i = 0; i <= WIDTH; i++)
		last = s[i] == ' ' ? i : last;
	return last ? last : strcspn(s, " ");
}

/* Where words end that have to stop before n bytes: at a space, where there is one, and never within a character. */
static size_t stop(const char *s, size_t n)
{
	size_t at = n;

	while (at > 0 && s[at] != ' ')
		at--;
	if (at > 0)
		return at;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* The next line of the words: its bytes, and how many of the left rows it takes; true where the words are cut there. */
static bool next_line(const char *s, size_t left, size_t *ret_n, size_t *ret_rows)
{
	size_t n = fit(s), rows = n > WIDTH ? (n + LABEL + SCREEN_COLUMNS - 1) / SCREEN_COLUMNS : 1;
	const char *rest = s + n + strspn(s + n, " ");
	bool cut = rows > left || (rows == left && *rest);
	size_t room = (left - 1) * SCREEN_COLUMNS + WIDTH - strlen(CUT);

	*ret_rows = cut ? left : rows;
	*ret_n = n;
	/* Behind a word that is longer than a row the rest may have room. */
	if (cut && strlen(s) <= room)
		*ret_n = strlen(s);
	else if (cut)
		*ret_n = stop(s, room);
	return cut && strlen(s) > room;
}

static size_t height(const char *s, size_t most)
{
	size_t rows = 0, n, taken;
	bool cut;

	do {
		cut = next_line(s, most - rows, &n, &taken);
		rows += taken;
		s += n + strspn(s + n, " ");
	} while (*s && !cut);
	return rows;
}

static size_t item_height(const struct screen_item *item)
{
	if (item->dropped || !item->words)
		return 0;
	if (!item->label)
		return 1 + (strlen(item->words) - (*item->words != '\0')) / SCREEN_COLUMNS;
	return height(item->words, item->most) + (item->more ? height(item->more, item->most) : 0);
}

static bool same_label(const struct screen_item *a, const struct screen_item *b)
{
	return strcmp(a->label, b->label) == 0;
}

/* How many details with the label of the one before i are counted alone, where they end before i. */
static size_t n_dropped(const struct screen *screen, size_t i)
{
	const struct screen_item *last = i > 0 ? &screen->items[i - 1] : NULL;
	size_t n = 0;

	if (!last || !last->dropped || (i < screen->n && screen->items[i].detail && same_label(&screen->items[i], last)))
		return 0;
	while (i-- > 0 && screen->items[i].dropped && same_label(&screen->items[i], last))
		n++;
	return n;
}

size_t screen_height(const struct screen *screen)
{
	size_t rows = 0;

	for (size_t i = 0; i <= screen->n; i++) {
		rows += i < screen->n ? item_height(&screen->items[i]) : 0;
		rows += n_dropped(screen, i) > 0;
	}
	return rows;
}

/* What may go: all details but the first, or what differs would not be named, from the last on. */
static bool drop(struct screen *screen)
{
	struct screen_item *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < screen->n; i++) {
		if (!screen->items[i].detail || screen->items[i].dropped)
			continue;
		last = &screen->items[i];
		n++;
	}
	if (n < 2)
		return false;
	last->dropped = true;
	return true;
}

/* The tallest is cut by a row. */
static bool shrink(struct screen *screen)
{
	struct screen_item *tallest = NULL;
	size_t most = 1;

	for (size_t i = 0; i < screen->n; i++) {
		struct screen_item *item = &screen->items[i];
		size_t rows = item->label && !item->dropped ? height(item->words, item->most) : 0;
		size_t more = rows > 0 && item->more ? height(item->more, item->most) : 0;

		rows = rows > more ? rows : more;
		if (rows <= most)
			continue;
		most = rows;
		tallest = item;
	}
	if (tallest)
		tallest->most = most - 1;
	return tallest;
}

static void print_words(const struct screen *screen, struct text *out, const char *label, char *s, size_t most)
{
	size_t rows = 0, n, taken;
	bool cut;

	do {
		cut = next_line(s, most - rows, &n, &taken);
		for (char *stay = memchr(s, *SCREEN_STAY, n); stay; stay = memchr(stay, *SCREEN_STAY, n - (size_t)(stay - s)))
			*stay = ' ';
		text_addf(out, "%s%-*s%s%.*s%s\n", terminal_colour(screen->colour && *label, COLOUR_HEAD), LABEL, label,
			  terminal_colour(screen->colour && *label, COLOUR_NONE), (int)n, s, cut ? CUT : "");
		rows += taken;
		s += n + strspn(s + n, " ");
		label = "";
	} while (*s && !cut);
}

static void print_item(const struct screen *screen, struct text *out, size_t i)
{
	struct screen_item *item = &screen->items[i];

	if (item->dropped)
		return;
	if (!item->label) {
		text_addf(out, "%s%s%s\n", terminal_colour(screen->colour, item->colour), item->words,
			  terminal_colour(screen->colour, COLOUR_NONE));
		return;
	}
	print_words(screen, out, item->label, item->words, item->most);
	if (item->more)
		print_words(screen, out, "", item->more, item->most);
}

static void print_all(struct screen *screen, struct text *out)
{
	for (size_t i = 0; i <= screen->n; i++) {
		size_t n = n_dropped(screen, i);

		if (n > 0)
			text_addf(out, "%-*s... %zu more (-v: all)\n", LABEL, screen->items[i - 1].label, n);
		if (i < screen->n)
			print_item(screen, out, i);
	}
}

int screen_print(struct screen *screen)
{
	_cleanup_text_ struct text out = {0};

	if (!screen->failed) {
		for (size_t i = 0; !screen->room && i < screen->n; i++)
			screen->items[i].most = SIZE_MAX;
		while (screen->room && screen_height(screen) > screen->room && drop(screen))
			continue;
		while (screen->room && screen_height(screen) > screen->room && shrink(screen))
			continue;
		print_all(screen, &out);
		screen->failed = text_error(&out) < 0;
	}
	for (size_t i = 0; i < screen->n; i++) {
		free(screen->items[i].words);
		free(screen->items[i].more);
	}
	free(screen->items);
	screen->items = NULL;
	screen->n = 0;
	if (screen->failed)
		return -ENOMEM;
	fputs(out.s ? out.s : "", stdout);
	return 0;
}
