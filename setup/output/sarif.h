/* What is wrong with rules, for editors and CI: SARIF 2.1.0 (OASIS, sarif-v2.1.0), one document on stdout. */
#ifndef SETUP_SARIF_H
#define SETUP_SARIF_H

#include "setup/base/log.h"

struct sarif;

/* Takes the errors and warnings of the log from now on, which is borrowed. NULL without memory. */
struct sarif *sarif_new(struct log *log);
void sarif_freep(struct sarif **sarif);	/* for _cleanup_() */

/* Prints what was taken. ran: everything was looked at; status: the exit status. */
void sarif_print(const struct sarif *sarif, bool ran, int status);

#endif
