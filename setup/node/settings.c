#include "setup/node/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "setup/config/config_keys.h"

enum kind { NUMBER, CHOICE, FLAG };

enum { BACKLOG_LIMIT, BACKLOG_WAIT_TIME, FAILURE, RATE_LIMIT, LOGINUID_IMMUTABLE };

/* An option of auditctl(8), the configuration key it comes from, the kernel's field it sets. */
static const struct setting {
	const char *option, *key;
	enum kind kind;
	size_t config, status;
} table[] = {
	[BACKLOG_LIMIT] = { "-b", "backlog_limit", NUMBER, offsetof(struct config, backlog_limit),
	  offsetof(struct kernel_status, backlog_limit) },
	[BACKLOG_WAIT_TIME] = { "--backlog_wait_time", "backlog_wait_time", NUMBER,
	  offsetof(struct config, backlog_wait_time),
	  offsetof(struct kernel_status, backlog_wait_time) },
	[FAILURE] = { "-f", "failure", CHOICE, offsetof(struct config, failure),
	  offsetof(struct kernel_status, failure) },
	[RATE_LIMIT] = { "-r", "rate_limit", NUMBER, offsetof(struct config, rate_limit),
	  offsetof(struct kernel_status, rate_limit) },
	[LOGINUID_IMMUTABLE] = { "--loginuid-immutable", "loginuid_immutable", FLAG,
	  offsetof(struct config, loginuid_immutable), 0 },
};

/* The number that the configuration has; -1: the kernel's is kept. */
static int64_t configured(const struct config *config, const struct setting *s)
{
	const char *field = (const char *)config + s->config;

	switch (s->kind) {
	case NUMBER:
		return *(const int64_t *)(const void *)field;
	case CHOICE:
		return *(const int *)(const void *)field;
	case FLAG:
		return *(const int *)(const void *)field == LOGINUID_YES ||
			(*(const int *)(const void *)field == LOGINUID_AUTO && config->identity) ? 1 : -1;
	default:
		return -1;
	}
}

static int set(struct setting_value *value, int64_t wanted, const char *source)
{
	char *copy = strdup(source);

	if (!copy)
		return -ENOMEM;
	free(value->source);
	value->source = copy;
	value->wanted = wanted;
	return 0;
}

/* A rules file raises it. */
static int raise_backlog(struct setting_value *value, const struct rules_backlog *backlog)
{
	const struct rule_place place = { .file = backlog->file, .line = backlog->line };
	_cleanup_text_ struct text source = {0};

	rule_add_place(&source, &place);
	return text_error(&source) < 0 ? -ENOMEM : set(value, backlog->limit, source.s);
}

int settings_init(struct settings *ret, const struct config *config, const struct rules_backlog *backlog)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(table); i++)
		r = set(&ret->values[i], configured(config, &table[i]), config_source(config, "audit", table[i].key));
	if (r == 0 && backlog && backlog->file && backlog->limit > ret->values[BACKLOG_LIMIT].wanted &&
	    !config_given(config, "audit", "backlog_limit"))
		r = raise_backlog(&ret->values[BACKLOG_LIMIT], backlog);
	return r;
}

/* What an earlier run's rules have behind this option; 0: nothing, which no run writes on its own. */
static int64_t earlier_number(const char *earlier, const char *option)
{
	_cleanup_text_ struct text begin = {0};
	const char *line;

	text_addf(&begin, "\n%s ", option);
	line = earlier && begin.s ? strstr(earlier, begin.s) : NULL;
	return line ? strtoll(line + begin.len, NULL, 10) : 0;
}

/* A process that makes a record while the backlog is full sleeps so long, and the wrapper of the container runtime makes two at each
 * start, LOGIN and its own: together, with what else it does, they are to take less than a second. */
static int limit_wait(struct setting_value *wait, const struct kernel_status *status)
{
	uint32_t now = status->backlog_wait_time, most = status->hz * 2 / 5;

	return set(wait, now < most ? now : most, "at most 0.4 s with [container] identity, as [audit] backlog_wait_time is not set");
}

int settings_meet_kernel(struct settings *settings, const struct config *config, const struct kernel_status *status,
			 const char *earlier, bool *ret_changed)
{
	struct setting_value *backlog = &settings->values[BACKLOG_LIMIT], *failure = &settings->values[FAILURE];
	struct setting_value *wait = &settings->values[BACKLOG_WAIT_TIME];
	int64_t before = earlier_number(earlier, "-b"), limit = backlog->wanted, action = failure->wanted, time = wait->wanted;
	bool left;
	int r = 0;

	if (!config_given(config, "audit", "backlog_limit")) {
		/* No limit at all is the largest. */
		if (status->backlog_limit == 0 || status->backlog_limit > backlog->wanted)
			r = set(backlog, status->backlog_limit, "as the kernel had it: [audit] backlog_limit is not set");
		if (r == 0 && before > backlog->wanted && status->backlog_limit != 0)
			r = set(backlog, before, "as an earlier run had it: [audit] backlog_limit is not set");
	}
	/* Where nobody holds the audit PID every record counts as lost once the queue for it is full, and with panic
	 * the node dies of that. Under the lock it is too late for that: a daemon may be away for a moment. */
	left = earlier && !strstr(earlier, "\n-f ");
	if (r == 0 && !config_given(config, "audit", "failure") &&
	    ((status->pid != 0 && (left || status->failure != failure->wanted)) || (left && status->enabled == 2)))
		failure->wanted = -1;
	if (r == 0 && config->identity && !config_given(config, "audit", "backlog_wait_time"))
		r = limit_wait(wait, status);
	*ret_changed = backlog->wanted != limit || failure->wanted != action || wait->wanted != time;
	return r;
}

void settings_done(struct settings *settings)
{
	for (size_t i = 0; i < SETTINGS_MAX; i++)
		free(settings->values[i].source);
	*settings = (struct settings){0};
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
		/* auto is what it says: whatever fits. */
		.given = config_given(config, section, key) && strcmp(config_value(config, section, key), "auto") != 0,
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
			 configured(config, &table[n]), table[n].kind == FLAG);
	if (r == 0)
		r = fill(config, &ret[n], &store[n], "-e", "audit", "lock", config->lock ? 2 : 1, false);
	n++;
	if (r == 0)
		r = fill(config, &ret[n], &store[n], "-D", "rules", "existing",
			 config->existing == EXISTING_REPLACE ? 0 : -1, true);
	n++;
	return r < 0 ? r : (int)n;
}

void settings_lines(const struct settings *settings, const struct config *config, bool before,
		    void (*line)(void *context, const char *control, const char *source),
		    void *context)
{
	char control[64];

	if (before && config->existing == EXISTING_REPLACE)
		line(context, "-D", config_source(config, "rules", "existing"));
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int64_t value = settings->values[i].wanted;

		/* What cannot be taken back comes after the rules, any of which the kernel may refuse. */
		if (value < 0 || before != (table[i].kind != FLAG))
			continue;
		print_option(control, sizeof(control), &table[i], value);
		line(context, control, settings->values[i].source);
	}
	if (!before)
		line(context, "-e 1", config_source(config, "audit", "lock"));
}

void settings_add_line(void *context, const char *control, const char *source)
{
	text_addf(context, "# %s\n%s\n", source, control);
}

void settings_compare(const struct settings *settings, const struct kernel_status *status,
		      bool loginuid_immutable,
		      void (*setting)(void *context, const char *wanted, const char *actual),
		      void *context)
{
	char wanted[64], actual[64];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct setting *s = &table[i];
		int64_t value = settings->values[i].wanted;

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
