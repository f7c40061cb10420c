/* A screenful: rows of a label and what there is to say, folded at 80 columns. They are collected first, so that what all of
 * them need is known when they are printed. */
#ifndef SETUP_LAYOUT_H
#define SETUP_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/base/mem.h"
#include "setup/base/terminal.h"

enum { SCREEN_COLUMNS = 80, SCREEN_ROWS = 24 };

/* A space at which no row ends. */
#define SCREEN_STAY "\x1f"

struct screen_item;

struct screen {
	bool colour;
	size_t room;	/* rows that there are, before it is printed; 0: as many as it takes */
	struct screen_item *items;
	size_t n;
	bool failed;	/* there was no memory */
};

/* A line on its own, in a colour. */
void screen_line(struct screen *screen, enum colour colour, const char *format, ...) _printf_format_(3, 4);
/* LABEL and, from a fixed column on, the words, folded; label "" goes on with the one before. Kept by the caller: label. */
void screen_row(struct screen *screen, const char *label, const char *format, ...) _printf_format_(3, 4);
/* One of several things under a label, in a row, and where more is not NULL in a second one. The first one stays; of the others,
 * where there is no room, the last are counted alone. Kept by the caller: label. */
void screen_detail(struct screen *screen, const char *label, const char *words, const char *more);

/* How many rows it would have by itself, where long things are cut, and all are there. */
size_t screen_height(const struct screen *screen);
/* Prints it to standard output within its room, what is too long cut with a word on how all is had, and ends it. 0 or -ENOMEM. */
int screen_print(struct screen *screen) _must_check_;

#endif
