/* The files on a host that are ours, or hold something of ours. */
#ifndef SETUP_WANTED_FILES_H
#define SETUP_WANTED_FILES_H

#include <stdbool.h>
#include <sys/types.h>

/* Where configuration and rules lie, by default. */
#define OWN_DIRECTORY "/etc/cloud-audit-setup"

/* In the order in which they are written; they are deleted in the opposite one. */
enum {
	FILE_TTY_PROGRAM,	/* of version 0.1: never written, and deleted when no drop-in names it */
	FILE_RUNTIME_PROGRAM,	/* rules name what is beside it, and so does a drop-in */
	FILE_RUNTIME_FAILED,	/* the mark of a restart that failed, see steps_runtime.h: never wanted */
	FILE_RUNTIME_EXCEPT, FILE_RUNTIME_RUNC, FILE_RUNTIME_CRUN,
	FILE_RULES, FILE_SETUP_UNIT, FILE_LOCK_UNIT,
	FILE_SCANNER,		/* the rules once more, where scanners look for them */
	FILE_HOST_UNIT,		/* AppArmor, IMA */
	FILE_JOURNALD,		/* drop-in: journald's audit socket */
	FILE_JOURNALD_SOCKET,	/* drop-in: that socket's room */
	FILE_RUNTIME,		/* drop-in: the container runtime through RUNTIME_PROGRAM, and its PATH */
	FILE_RUNTIME_OLD,	/* the same of a unit that was configured earlier */
	FILE_PAM_SSHD,		/* the host's own file, with a block of ours */
	N_FILES,
};

extern const struct wanted_file {
	const char *path;	/* NULL: it depends on the node, see wanted_path() */
	mode_t mode, dir_mode;
	const char *unit;	/* its name when it is one */
	bool optional;		/* not worth a word where it is neither wanted nor there */
	bool binary;
	bool drop_in;	/* in a directory that goes with it */
	bool alone;	/* so is this, though no drop-in */
	const char *comments;	/* what a line that has no effect begins with; NULL: every byte counts */
	bool foreign;		/* there without us, too: never deleted, its mode is kept, and left alone
				 * while no content is wanted */
} wanted_files[N_FILES];

#endif
