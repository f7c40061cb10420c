/* auditd's own files, by auditd.conf(5): how fast they grow, by whose rules, and for how long they hold a record. */
#ifndef SETUP_AUDITD_FILES_H
#define SETUP_AUDITD_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/host/host.h"

enum { AUDITD_GROUPS = 10, AUDITD_KEY = 32 };

struct auditd_files {
	bool seen;		/* it writes files, which have enough in them to tell their rate */
	uint64_t per_day;	/* bytes a day, at the rate since the last file was begun */
	uint64_t room;		/* bytes that all of them may have; 0 where they are not limited */
	uint64_t holds;		/* microseconds until a record is deleted, at that rate; 0 where none is */
	struct auditd_group {
		char key[AUDITD_KEY];	/* the rule's key, cut where it is longer; "" for none */
		uint64_t per_day;	/* bytes of whole events, by what the last megabyte has */
	} groups[AUDITD_GROUPS];	/* the largest first; keys for which there was no room count as none */
	size_t n;		/* 0 also where they were not looked for */
};

/* conf is auditd.conf's text. What cannot be read is as if there were no files. Whose events fill them is looked for only where they
 * hold a record for less than `enough` microseconds, or that is AUDITD_ALWAYS: the last megabyte of them is read for it. */
#define AUDITD_ALWAYS UINT64_MAX
void auditd_files_read(struct auditd_files *ret, const struct host *host, const char *conf, uint64_t enough);

/* Takes a line of auditd.conf apart, "key = value" in whatever case; key is in lower case then. False for one that is none. */
enum { AUDITD_WORD = 256 };
bool auditd_conf_line(const char *line, size_t length, char key[AUDITD_WORD], char value[AUDITD_WORD]);

#endif
