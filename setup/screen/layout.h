/* A screenful: rows of a label and what there is to say, folded at 80 columns. */
#ifndef SETUP_LAYOUT_H
#define SETUP_LAYOUT_H

#include <stdbool.h>

#include "setup/base/terminal.h"
#include "setup/base/text.h"

enum { SCREEN_COLUMNS = 80, SCREEN_ROWS = 24 };

/* A space at which no row ends. */
#define SCREEN_STAY "\x1f"

struct screen {
	struct text out;
	bool colour;
	size_t rows;
};

/* A line on its own, in a colour. */
void screen_line(struct screen *screen, enum colour colour, const char *format, ...) _printf_format_(3, 4);
/* LABEL and, from a fixed column on, the words, folded; label "" goes on with the one before. */
void screen_row(struct screen *screen, const char *label, const char *format, ...) _printf_format_(3, 4);
/* How many rows that would take. */
size_t screen_height(const char *words);

#endif
