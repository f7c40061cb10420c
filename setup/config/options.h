/* The command line: cloud-audit-setup(8). */
#ifndef SETUP_OPTIONS_H
#define SETUP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "setup/base/log.h"

enum command {
	COMMAND_APPLY, COMMAND_PLAN, COMMAND_RENDER, COMMAND_VERIFY, COMMAND_VOLUME, COMMAND_EXPLAIN,
	COMMAND_REMOVE,
};
enum output { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_TAP, OUTPUT_SARIF, OUTPUT_PROMETHEUS };
enum render { RENDER_RULES, RENDER_UNIT, RENDER_KERNEL, RENDER_HASH, RENDER_CLOUD_CONFIG };

struct options {
	enum command command;
	bool command_given;		/* else it is the default one */
	enum render render;		/* what to render */
	enum output output;
	bool diff;			/* plan: the unified diff, of one group where that is not NULL */
	const char *group;
	bool brief;			/* --short: JSON without its long lists */
	uint64_t every;			/* microseconds from one verify to the next; 0: one */
	bool changes;			/* of these only results that differ from the last one */
	const char *output_file;	/* NULL: standard output */
	const char *textfile;		/* metrics besides; NULL: none */
	const char *config;		/* NULL: the default file */
	const char *root;
	bool root_given;
	char *const *files;		/* rules files to check, "-" for standard input; inside argv */
	size_t n_files;
	char *const *what;		/* to explain; inside argv */
	size_t n_what;
	const char *machine;		/* NULL: this machine */
	const char *since;		/* of volume; NULL: its default */
	const char **set;		/* --set values in order; the array is owned */
	size_t n_set;
	enum log_level level;
};

#define DEFAULT_CONFIG "/etc/cloud-audit-setup/config.ini"

/* Reads argv into *ret, whose strings point into argv. Returns 1 to go on, 0 when --help or
 * --version was printed, -EINVAL after one line on the log saying what is wrong, -ENOMEM. */
int options_parse(struct options *ret, int argc, char **argv, struct log *log) _must_check_;
/* For who has given no command and looks on: the commands, and what the default one does. */
void options_print_usage(FILE *out);
/* The command's name, as on the command line. */
const char *options_command(const struct options *options);
void options_done(struct options *options);

#endif
