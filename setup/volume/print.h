/* What records add up to, as a screenful of text and as JSON. */
#ifndef SETUP_VOLUME_PRINT_H
#define SETUP_VOLUME_PRINT_H

#include "setup/base/text.h"
#include "setup/volume/account.h"
#include "setup/volume/savings.h"

/* What is printed. */
struct volume {
	const struct account *account;
	const struct savings *savings;
	const struct records_span *span;
	uint64_t until;	/* microseconds, CLOCK_REALTIME; rates are those from span->from to here */
};

/* At most 24 lines of 80 columns; all: every name and setting. colour: for a terminal. */
void volume_print(struct text *out, const struct volume *volume, bool all, bool colour);

/* Members for a JSON object, with a comma in front of each. */
void volume_add_json(struct text *out, const struct volume *volume);

#endif
