/* libFuzzer target for the whole rule engine. The first byte chooses: rules files for x86_64 or
 * aarch64, optimised (bit 4) or not, or the bytes of a rule as a kernel may list it. Besides not
 * crashing, a rule that was read must be printed as a line that reads back as the same bytes. */
#include <linux/audit.h>
#include <string.h>

#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = strlen(path) % 2;
	return strlen(path) % 3 != 0;
}

static int look_up(void *context, const char *name, uint32_t *ret_id)
{
	*ret_id = (uint32_t)strlen(name);
	return name[0] >= 'a' && name[0] <= 'z';
}

static const struct rules_host host = { path_type, look_up, look_up, NULL, NULL, NULL };

static const struct rules_setting settings[] = {
	{ "-b", "8192", "backlog_limit = 8192", "config:1", false },
	{ "-e", "2", "lock = yes", "config:2", false },
	{ "-D", "", "existing = replace", "config:3", false },
	{ "--loginuid-immutable", NULL, "loginuid_immutable = no", "config:4", false },
};

static void check_again(const struct rules_env *env, const struct rule *rule)
{
	_cleanup_text_ struct text line = { 0 };
	struct rule_set again = { 0 };

	if (rule_print(&line, rule->data, rule->size) &&
	    (rules_read_line(&again, env, "AGAIN", 1, line.s) < 0 || again.n_rules != 1 ||
	     again.rules[0].size != rule->size || memcmp(again.rules[0].data, rule->data, rule->size))) {
		fprintf(stderr, "printed differently: %s\n", line.s);
		abort();
	}
	rule_set_done(&again);
}

static void read_file(const struct rules_env *env, const char *content, size_t size)
{
	struct rule_set set = { 0 };

	if (rules_read(&set, env, "FUZZ", content, size) == 0 && rules_finish(&set, env) == 0) {
		for (size_t i = 0; i < set.n_rules; i++)
			check_again(env, &set.rules[i]);
		if (rules_check_features(&set, env->log, (uint32_t)size) < 0 && log_count(env->log,
		    LEVEL_ERROR) == 0)
			abort();
	}
	rule_set_done(&set);
}

static void print_listed(const uint8_t *bytes, size_t size)
{
	_cleanup_text_ struct text line = { 0 };
	struct audit_rule_data *data;

	if (size < sizeof(*data))
		size = sizeof(*data);
	data = calloc(1, size);
	if (!data)
		return;
	memcpy(data, bytes, size < sizeof(*data) ? 0 : size);
	rule_print(&line, data, size);
	free(data);
}

/* A write to /dev/null for every message would be most of the time. */
static ssize_t discard(void *cookie, const char *bytes, size_t size)
{
	return (ssize_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct log *log;
	struct rules_env env = { .host = &host, .settings = settings, .n_settings = ARRAY_SIZE(settings) };

	if (!log)
		log = log_new(fopencookie(NULL, "w", (cookie_io_functions_t){ .write = discard }));
	env.log = log;
	if (size == 0)
		return 0;
	env.optimise = bytes[0] & 4;
	env.machine = bytes[0] % 4 == 1 ? "aarch64" : "x86_64";
	if (bytes[0] % 4 == 3) {
		if (size > sizeof(struct audit_rule_data))
			print_listed(bytes + 1, size - 1);
		return 0;
	}
	read_file(&env, (const char *)bytes + 1, size - 1);
	return 0;
}
