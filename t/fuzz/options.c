/* libFuzzer target for the command line: words between NULs, and every --set of them. A command line that is
 * refused has one error, a setting that is refused at least one; none of them is more than a line. */
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "setup/config/config.h"
#include "setup/config/options.h"
#include "t/fuzz/fuzz.h"

enum { WORDS_MAX = 64 };

static void look(const char *line)
{
	if (strncmp(line, "cloud-audit-setup: error: ", 26) != 0 && strncmp(line, "{\"severity\":\"ERROR\"", 19) != 0)
		FAIL("no message: %s", line);
}

static void set_all(const struct options *options, struct log *log)
{
	struct config config;

	if (config_init(&config) < 0)
		abort();
	for (size_t i = 0; i < options->n_set; i++) {
		unsigned before = log_count(log, LEVEL_ERROR);
		int r = config_override(&config, options->set[i], log);

		if ((r < 0 && r != -EBADMSG) != (log_count(log, LEVEL_ERROR) > before))
			FAIL("%d, %u errors: %s", r, log_count(log, LEVEL_ERROR) - before, options->set[i]);
	}
	(void)!config_check(&config, log);
	config_done(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char name[] = "cloud-audit-setup";
	static struct said said;
	static FILE *out;
	char *words[WORDS_MAX + 2] = { name };
	struct bytes input = { bytes, size };
	struct options options = { 0 };
	struct log *log;
	int n = 1, r;

	if (!out) {
		out = said_open(&said, look);
		/* --help */
		if (!freopen("/dev/null", "w", stdout))
			abort();
	}
	log = log_new(out);
	if (!log)
		abort();
	while (n <= WORDS_MAX && (words[n] = take_string(&input)))
		n++;
	words[n] = NULL;
	/* glibc: start anew */
	optind = 0;
	said.lines = 0;
	r = options_parse(&options, n, words, log);
	if ((r == -EINVAL) != (log_count(log, LEVEL_ERROR) == 1) || log_count(log, LEVEL_ERROR) > 1)
		FAIL("%d with %u errors", r, log_count(log, LEVEL_ERROR));
	if (r > 0)
		set_all(&options, log);
	if (said.lines != log_count(log, LEVEL_ERROR) + log_count(log, LEVEL_WARNING))
		FAIL("%u lines for %u messages", said.lines, log_count(log, LEVEL_ERROR));
	options_done(&options);
	log_free(log);
	while (--n > 0)
		free(words[n]);
	return 0;
}
