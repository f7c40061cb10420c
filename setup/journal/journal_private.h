/* The one door to sd-journal, for the files of this room. */
#ifndef SETUP_JOURNAL_PRIVATE_H
#define SETUP_JOURNAL_PRIVATE_H

#include <systemd/sd-journal.h>

#endif
