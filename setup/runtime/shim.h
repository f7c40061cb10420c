/* What the program does when it is called as runc or crun: a container or a session in one that is about to start gets a
 * login uid of its own, and with it a session of its own, by which the kernel marks every record of it; a start record
 * says which container that is; then the program becomes the real runtime.
 *
 * Nothing keeps it from the last: what cannot be done is left, and told once, in the record or in the runtime's log. */
#ifndef SETUP_RUNTIME_SHIM_H
#define SETUP_RUNTIME_SHIM_H

/* The place it works in; tests have another. */
struct shim_place {
	const char *self;	/* the file that was executed; beside it lies "except", see identity_is_excepted() */
	const char *loginuid;	/* /proc/self/loginuid */
	int (*open_netlink)(int seconds, int *ret_fd);	/* netlink_open() */
};

/* Is it a runtime's name? */
int shim_is_runtime(const char *name);

/* Does all this as the runtime of that name. Returns only where there is none to become: with the exit status that
 * shells give that (127), after it was said on standard error and in the runtime's log. PATH in envp then is, and is for the
 * real one, as it would be without us. */
int shim_run(const struct shim_place *place, const char *name, int argc, char *const *argv, char *const *envp);

#endif
