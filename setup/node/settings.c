#include "setup/node/settings.h"

#include <errno.h>
#include <inttypes.h>

#include "setup/config/config_keys.h"

enum kind { NUMBER, CHOICE, FLAG };

/* An option of auditctl(8), the configuration key it comes from, the kernel's field it sets. */
static const struct setting {
	const char *option, *key;
	enum kind kind;
	size_t config, status;
} table[] = {
	{ "-b", "backlog_limit", NUMBER, offsetof(struct config, backlog_limit),
	  offsetof(struct kernel_status, backlog_limit) },
	{ "--backlog_wait_time", "backlog_wait_time", NUMBER,
	  offsetof(struct config, backlog_wait_time),
	  offsetof(struct kernel_status, backlog_wait_time) },
	{ "-f", "failure", CHOICE, offsetof(struct config, failure),
	  offsetof(struct kernel_status, failure) },
	{ "-r", "rate_limit", NUMBER, offsetof(struct config, rate_limit),
	  offsetof(struct kernel_status, rate_limit) },
	{ "--loginuid-immutable", "loginuid_immutable", FLAG,
	  offsetof(struct config, loginuid_immutable), 0 },
};

/* The number wanted; -1: the kernel's is kept. */
static int64_t wanted_value(const struct config *config, const struct setting *s)
{
	const char *field = (const char *)config + s->config;

	switch (s->kind) {
	case NUMBER:
		return *(const int64_t *)(const void *)field;
	case CHOICE:
		return *(const int *)(const void *)field;
	case FLAG:
		return *(const bool *)(const void *)field ? 1 : -1;
	default:
		return -1;
	}
}

static void print_option(char *out, size_t size, const struct setting *s, int64_t value)
{
	if (s->kind == FLAG)
		snprintf(out, size, "%s", s->option);
	else
		snprintf(out, size, "%s %" PRId64, s->option, value);
}

/* Stores option value, key and source for the rule engine: three strings in one text. */
static int fill(const struct config *config, struct rules_setting *ret, struct text *store,
		const char *option, const char *section, const char *key, int64_t value, bool flag)
{
	size_t at;

	if (value >= 0 && !flag)
		text_addf(store, "%" PRId64, value);
	text_add_bytes(store, "", 1);
	at = store->len;
	text_addf(store, "[%s] %s = %s", section, key, config_value(config, section, key));
	if (text_error(store) < 0)
		return -ENOMEM;
	*ret = (struct rules_setting){
		.option = option, .value = value >= 0 ? store->s : NULL, .key = store->s + at,
		.source = config_source(config, section, key),
	};
	return 0;
}

int settings_for_rules(const struct config *config, struct rules_setting ret[SETTINGS_MAX],
		       struct text store[SETTINGS_MAX])
{
	size_t n = 0;
	int r = 0;

	_Static_assert(ARRAY_SIZE(table) + 2 <= SETTINGS_MAX, "a setting has no place");
	for (; r == 0 && n < ARRAY_SIZE(table); n++)
		r = fill(config, &ret[n], &store[n], table[n].option, "audit", table[n].key,
			 wanted_value(config, &table[n]), table[n].kind == FLAG);
	if (r == 0)
		r = fill(config, &ret[n], &store[n], "-e", "audit", "lock", config->lock ? 2 : 1, false);
	n++;
	if (r == 0)
		r = fill(config, &ret[n], &store[n], "-D", "rules", "existing",
			 config->existing == EXISTING_REPLACE ? 0 : -1, true);
	n++;
	return r < 0 ? r : (int)n;
}

void settings_lines(const struct config *config, bool before,
		    void (*line)(void *context, const char *control, const char *source),
		    void *context)
{
	char control[64];

	if (before && config->existing == EXISTING_REPLACE)
		line(context, "-D", config_source(config, "rules", "existing"));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int64_t value = wanted_value(config, &table[i]);

		/* What cannot be taken back comes after the rules, any of which the kernel may refuse. */
		if (value < 0 || before != (table[i].kind != FLAG))
			continue;
		print_option(control, sizeof(control), &table[i], value);
		line(context, control, config_source(config, "audit", table[i].key));
	}
	if (!before)
		line(context, "-e 1", config_source(config, "audit", "lock"));
}

void settings_compare(const struct config *config, const struct kernel_status *status,
		      bool loginuid_immutable,
		      void (*setting)(void *context, const char *wanted, const char *actual),
		      void *context)
{
	char wanted[64], actual[64];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct setting *s = &table[i];
		int64_t value = wanted_value(config, s);

		if (value < 0)
			continue;
		print_option(wanted, sizeof(wanted), s, value);
		if (s->kind == FLAG)
			snprintf(actual, sizeof(actual), "%s", loginuid_immutable ? s->option : "");
		else
			print_option(actual, sizeof(actual), s,
				     *(const uint32_t *)(const void *)((const char *)status + s->status));
		setting(context, wanted, actual);
	}
}
