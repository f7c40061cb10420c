#include "setup/base/cmdline.h"

#include <fcntl.h>
#include <string.h>

#include "setup/base/mem.h"

bool cmdline_has(const char *word)
{
	_cleanup_close_ int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	size_t length = strlen(word);
	bool prefix = length > 0 && word[length - 1] == '=';
	char line[4097];
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	char *save = NULL;

	if (n < 0)
		return false;
	line[n] = '\0';
	for (char *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		if (strncmp(w, word, length) == 0 && (prefix || w[length] == '\0'))
			return true;
	return false;
}
