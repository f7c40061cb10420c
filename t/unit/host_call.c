/* One call of setup/host/host.h for t/15-host-faults.t, which lets its system calls fail.
 *
 * Usage: host_call ROOT write|remove|rmdir|read|list|stat|type PATH [CONTENT]. Prints what it returns, by name, and
 * what it read. */
#include <errno.h>
#include <libaudit.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/host/host.h"

static int call(const struct host *host, const char *what, const char *path, const char *content)
{
	_cleanup_text_ struct text text = {0};
	_cleanup_strings_ char **names = NULL;
	struct stat st;
	bool directory;
	int r = -EINVAL;

	if (strcmp(what, "write") == 0)
		return host_write(host, path, content, strlen(content), 0640, 0750);
	if (strcmp(what, "remove") == 0)
		return host_remove(host, path);
	if (strcmp(what, "rmdir") == 0)
		return host_remove_directory(host, path);
	if (strcmp(what, "stat") == 0)
		return host_stat(host, path, &st);
	if (strcmp(what, "type") == 0) {
		r = host_path_type(host, path, &directory);
		printf("%s\n", r == 0 ? "absent" : r > 0 && directory ? "directory" : "other");
		return r > 0 ? 0 : r;
	}
	if (strcmp(what, "read") == 0) {
		r = host_read(host, path, &text);
		printf("%s\n", r == 0 ? text.s : "");
	}
	if (strcmp(what, "list") == 0) {
		r = host_list(host, path, &names);
		for (size_t i = 0; r == 0 && names[i]; i++)
			printf("%s\n", names[i]);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct host host;
	int r;

	if (argc < 4 || host_open_root(&host, argv[1]) < 0)
		return 2;
	/* What came before is the business of the loader. */
	(void)!access("/begin", F_OK);
	r = call(&host, argv[2], argv[3], argc > 4 ? argv[4] : "");
	(void)!access("/end", F_OK);
	printf("%s\n", r < 0 ? audit_errno_to_name(-r) : "ok");
	host_done(&host);
	return r < 0;
}
