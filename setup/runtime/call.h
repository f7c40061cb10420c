/* A call of runc or crun: which container it is about, and where what is known of it lies. */
#ifndef SETUP_RUNTIME_CALL_H
#define SETUP_RUNTIME_CALL_H

#include <stdbool.h>

struct call {
	bool starts;		/* a container (create, run, restore) or a session in one (exec) */
	bool session;		/* exec */
	const char *id;		/* NULL: none was given */
	const char *bundle;	/* --bundle, or NULL: the working directory */
	const char *config;	/* crun's --config FILE, or NULL: config.json in the bundle */
	const char *process;	/* --process FILE of exec, or NULL */
	const char *log;	/* --log FILE, or NULL; without crun's "file:" */
	bool log_is_json;
	bool terminal;		/* exec --tty */
	bool console;		/* --console-socket */
};

/* Reads the arguments as that runtime does: runc (Go's flag package: -name like --name, NAME=VALUE), crun (getopt_long:
 * bundled letters, names cut short). runtime is "runc" or "crun". What neither knows is passed over; a call that is not
 * understood starts nothing. The strings are those of argv. */
void call_read(struct call *ret, const char *runtime, int argc, char *const *argv);

#endif
