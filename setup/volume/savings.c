#include "setup/volume/savings.h"

#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"

enum { PROGRAMS = 20 };	/* that are looked at */

/* Record types that an event can do without; of others the lints of rules say what would be missing. */
static const struct {
	const char *type, *loses;
} types[] = {
	{ "PATH", "the files of an event" },
	{ "CWD", "where relative names begin" },
	{ "PROCTITLE", "command lines but of exec" },
	{ "SOCKADDR", "addresses of connections" },
	{ "MMAP", "descriptors of mappings" },
	{ "BPF", "BPF programs loaded" },
	{ "NETFILTER_CFG", "packet filters changed" },
	{ "SERVICE_START", "units started" },
	{ "SERVICE_STOP", "units stopped" },
	{ "CRED_ACQ", "credentials taken" },
	{ "CRED_DISP", "credentials given back" },
	{ "CRED_REFR", "credentials renewed" },
	{ "ANOM_PROMISCUOUS", "promiscuous interfaces" },
	{ "SECCOMP", "what seccomp refused" },
	{ "INTEGRITY_RULE", "hashes of files run" },
};

/* Words of a group that record less than others. */
static const struct {
	const char *group, *value, *than, *loses;	/* than: values with a space around each */
} milder[] = {
	{ "mmap", "anonymous", " exec all ", "mappings of files" },
	{ "socket", "unusual", " all ", "sockets of usual families" },
};

static int add(struct savings *savings, char *setting, const char *loses, const struct sum *sum, bool most, bool whole)
{
	struct saving *items = setting ? reallocarray(savings->items, savings->n + 1, sizeof(*items)) : NULL;

	if (!items) {
		free(setting);
		return -ENOMEM;
	}
	savings->items = items;
	items[savings->n++] = (struct saving){ setting, loses, *sum, most, whole };
	return 0;
}

static char *setting_of(const char *key, const char *value)
{
	char *s;

	return asprintf(&s, "%s=%s", key, value) < 0 ? NULL : s;
}

static int add_types(struct savings *savings, const struct account *account)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(types); i++) {
		const struct sum *sum = tallies_find(&account->types, types[i].type);

		if (sum)
			r = add(savings, setting_of("filter.exclude_types", types[i].type), types[i].loses, sum, false, false);
	}
	return r;
}

/* Can this path be an item of a list? */
static bool is_item(const char *path)
{
	return *path == '/' && !strpbrk(path, ",\\ ");
}

static void sum_into(struct sum *sum, const struct sum *more)
{
	*sum = (struct sum){ sum->events + more->events, sum->records + more->records, sum->bytes + more->bytes };
}

static struct sum less(const struct sum *all, const struct sum *part)
{
	return (struct sum){ all->events - part->events, all->records - part->records, all->bytes - part->bytes };
}

/* The kernel takes exclude_exe for the host's file of that path when rules are loaded: the same path in a container is another
 * file. Without an identity nothing tells whose an event is. */
static int add_programs(struct savings *savings, const struct account *account, const struct config *config,
			const struct host *host)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < account->programs.n && i < PROGRAMS; i++) {
		const struct tally *program = &account->programs.items[i];
		struct sum sum = less(&program->sum, &program->contained);
		bool directory;

		if (sum.records > 0 && is_item(program->name) &&
		    host_path_type(host, program->name, &directory) == 1 && !directory)
			r = add(savings, setting_of("filter.exclude_exe", program->name), "all that it does", &sum,
				!config->identity, false);
	}
	return r;
}

static int add_group(struct savings *savings, const struct config *config, const char *group, const struct sum *sum)
{
	const char *value = config_value(config, "events", group);
	_cleanup_free_ char *key = NULL;

	if (asprintf(&key, "events.%s", group) < 0) {
		key = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < ARRAY_SIZE(milder); i++) {
		char word[32];

		snprintf(word, sizeof(word), " %s ", value);
		if (strcmp(milder[i].group, group) == 0 && strstr(milder[i].than, word) &&
		    add(savings, setting_of(key, milder[i].value), milder[i].loses, sum, true, false) < 0)
			return -ENOMEM;
	}
	return add(savings, setting_of(key, "no"), "the whole group", sum, false, true);
}

static int add_groups(struct savings *savings, const struct account *account, const struct config *config)
{
	const char *group;
	int r = 0;

	for (size_t i = 0; r == 0 && (group = config_key("events", i)); i++) {
		const struct sum *sum = tallies_find(&account->groups, group);

		if (sum)
			r = add_group(savings, config, group, sum);
	}
	return r;
}

/* What depends on whose an event is. */
static int add_people(struct savings *savings, const struct account *account, const struct config *config)
{
	struct sum low = account->of_class[AUID_LOW];
	const struct {
		const char *setting, *loses;
		struct sum sum;
	} by_class[] = {
		{ "filter.workloads=no", "what containers do alone", account->filtered[AUID_WORKLOADS] },
		{ "filter.sessions=terminal", "probes, exec without -t", account->filtered[AUID_SESSIONS] },
	};
	const bool is_set[] = { !config->workloads, config->sessions != SESSIONS_ALL };
	int r = 0;

	if (config->identity) {
		sum_into(&low, &account->of_class[AUID_WORKLOADS]);
		sum_into(&low, &account->of_class[AUID_SESSIONS]);
	}
	if (low.records)
		r = add(savings, strdup("filter.min_auid=1000"), "daemons and containers", &low, false, false);
	for (size_t i = 0; r == 0 && config->identity && i < ARRAY_SIZE(by_class); i++)
		if (!is_set[i] && by_class[i].sum.records)
			r = add(savings, strdup(by_class[i].setting), by_class[i].loses, &by_class[i].sum, false, false);
	return r;
}

static int by_bytes(const void *a, const void *b)
{
	const struct saving *x = a, *y = b;

	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes < y->sum.bytes ? 1 : -1;
	return strcmp(x->setting, y->setting);
}

int savings_find(struct savings *savings, const struct account *account, const struct config *config, const struct host *host)
{
	int r;

	*savings = (struct savings){0};
	r = add_types(savings, account);
	if (r == 0)
		r = add_programs(savings, account, config, host);
	if (r == 0)
		r = add_groups(savings, account, config);
	if (r == 0)
		r = add_people(savings, account, config);
	if (r == 0 && savings->n)
		qsort(savings->items, savings->n, sizeof(*savings->items), by_bytes);
	return r;
}

void savings_done(struct savings *savings)
{
	for (size_t i = 0; i < savings->n; i++)
		free(savings->items[i].setting);
	free(savings->items);
	*savings = (struct savings){0};
}
