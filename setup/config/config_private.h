/* What the three files of the configuration share: the table's rows, how values are taken, and what is kept of
 * each. config_rows.c has the table, config_read.c reads files and --set by it, config.c keeps the values. */
#ifndef SETUP_CONFIG_PRIVATE_H
#define SETUP_CONFIG_PRIVATE_H

#include "setup/config/config.h"

struct config_row {
	const char *section, *key;
	/* Takes value into *target; 0, -EINVAL when it is not as row->expected says, -ENOMEM. */
	int (*parse)(const struct config_row *row, const char *value, void *target);
	size_t offset;			/* of the member in struct config */
	const char *value;		/* the default */
	const char *expected;		/* what a good value looks like */
	int64_t min, max;
	const char *const *choices;	/* last: gcc 10 takes a list in a row for one that ends too early */
};

enum { CONFIG_ROWS_MAX = 64 };	/* for arrays of one name a row */

extern const struct config_row config_rows[];
extern const int config_n_rows;

struct config_row_state {
	char *value;		/* as written; lists: items joined by commas */
	char *source;		/* for people */
	const char *file;	/* NULL: default */
	unsigned line;
	unsigned pass;		/* the reading that set it last, for repeats */
	bool bad;		/* what stands at its place was not taken */
};

/* The row's number, -1 for none. */
int config_row_find(const char *section, const char *key);
bool config_row_is_list(const struct config_row *row);
/* The words that a value is one of; NULL for other values. */
const char *const *config_row_words(const struct config_row *row);

/* Leaves the first n items; none, and no memory. */
void config_list_cut(struct config_list *list, size_t n);
void config_list_clear(struct config_list *list);

/* Gives row i a value from a place; add: the value goes on from the line before, and its place is still where
 * it began. 0, -EINVAL when the value is not as the row expects (nothing has changed), -ENOMEM. */
int config_set_row(struct config *config, int i, const char *value, bool add, const char *file,
		   unsigned line) _must_check_;
/* Notes where a row was set. 0 or -ENOMEM. */
int config_note_place(struct config_row_state *state, const char *file, unsigned line) _must_check_;

#endif
