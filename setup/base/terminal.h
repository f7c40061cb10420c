/* Colour, where a person looks on: a terminal that has it, and nobody who asked for none.
 *
 * NO_COLOR (no-color.org) and TERM are the only environment variables that the program reads. They decide of
 * colour, and of progress that is shown, and of nothing else. */
#ifndef SETUP_TERMINAL_H
#define SETUP_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct terminal {
	bool out, err;	/* colour on standard output, on standard error */
	bool screen;	/* standard error is a terminal: what is said has to fit it */
	bool progress;	/* its lines can be written anew, too */
	bool typed;	/* somebody types, and sees what is said */
};

enum colour { COLOUR_BAD, COLOUR_WARN, COLOUR_GOOD, COLOUR_PLACE, COLOUR_HEAD, COLOUR_DIM, COLOUR_NONE };

/* Before confine_process(), which clears the environment. */
struct terminal terminal_look(void);

/* How many columns standard error has; 80 where that is not known. */
unsigned terminal_columns(void);

/* The sequence that begins a colour, COLOUR_NONE ends it; "" where there is none to be. */
const char *terminal_colour(bool on, enum colour colour);

/* Prints words, which begin at a column that the output has come to, in rows of 80 columns, the next ones from another column on. */
void terminal_print_folded(FILE *out, size_t at, size_t column, const char *words);

/* Prints a unified diff to standard output; on a terminal without bytes that act on it, and with colours where on says so. */
void terminal_print_diff(bool on, const char *diff);

#endif
