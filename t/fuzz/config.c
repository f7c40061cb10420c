/* libFuzzer target for the configuration: a file's content. Whatever it is: what was read without a
 * mistake is understood again, value by value, by --set; what was not is said with FILE:LINE. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup/config/config.h"
#include "setup/config/config_keys.h"
#include "t/fuzz/fuzz.h"

static const char *const sections[] = {
	"audit", "events", "filter", "rules", "unit", "dbus", "journal", "apparmor", "ima", "tty",
};
static char path[64];

static void look(const char *line)
{
	const char *at = strstr(line, path);

	if (strncmp(line, "cloud-audit-setup: error: ", 26) != 0 || !at || at[strlen(path)] != ':')
		FAIL("no place in: %s", line);
}

static void put(int fd, const uint8_t *bytes, size_t size)
{
	if (ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		abort();
}

/* Every value, as it is said to have been written, once more. */
static void check_again(const struct config *config, struct log *log)
{
	struct config again;

	if (config_init(&again) < 0)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		const char *key;

		for (size_t k = 0; (key = config_key(sections[i], k)); k++) {
			const char *value = config_value(config, sections[i], key);
			_cleanup_free_ char *setting = NULL;

			if (asprintf(&setting, "%s.%s=%s", sections[i], key, value) < 0)
				abort();
			if (config_override(&again, setting, log) < 0 ||
			    strcmp(config_value(&again, sections[i], key), value) != 0)
				FAIL("not understood again: %s", setting);
			if (!config_source(config, sections[i], key))
				FAIL("no source: %s", setting);
		}
	}
	config_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct said said;
	static FILE *out;
	static int fd = -1;
	struct config config;
	struct log *log;
	int r;

	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		/* One that everybody may write is refused, unread. */
		if (fchmod(fd, 0600) < 0)
			abort();
		out = said_open(&said, look);
	}
	log = log_new(out);
	put(fd, bytes, size);
	if (!log || config_init(&config) < 0)
		abort();
	r = config_read(&config, path, log);
	if ((r == 0) != (log_count(log, LEVEL_ERROR) == 0))
		FAIL("%d with %u errors", r, log_count(log, LEVEL_ERROR));
	if (r == 0)
		r = config_check(&config, log);
	if (r == 0)
		check_again(&config, log);
	config_done(&config);
	log_free(log);
	return 0;
}
