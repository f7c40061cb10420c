#include "setup/journal/journald_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "setup/base/strings.h"
#include "units/unit_file.h"

enum {
	EMPTY_KEEPS = 249,	/* from here on nothing is a value: before, it was left out (config_parse_tristate() in conf-parser.c) */
	DEFAULT_ON = 254,	/* from here on Debian leaves upstream's default, which is yes */
	DEFAULT_KEEP = 258,	/* from here on keep is a value, and the default */
};

/* In the order in which a file of one hides one of the same name of those behind it (journald.conf(5)). */
static const char *const directories[] = {
	"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd",
};

struct drop_in {
	char *name;
	const char *directory;
};

struct drop_ins {
	struct drop_in *items;
	size_t n;
};

static void drop_ins_done(struct drop_ins *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->items[i].name);
	free(d->items);
}

static bool has_name(const struct drop_ins *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->items[i].name, name) == 0)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

static int add_directory(struct drop_ins *d, const struct host *host, const char *directory)
{
	_cleanup_strings_ char **names = NULL;
	char path[64];

	snprintf(path, sizeof(path), "%s/journald.conf.d", directory);
	if (host_list(host, path, &names) < 0)
		return 0;
	for (size_t i = 0; names[i]; i++) {
		size_t n = strlen(names[i]);
		struct drop_in *grown;

		if (n < 6 || strcmp(names[i] + n - 5, ".conf") != 0 || has_name(d, names[i]))
			continue;
		grown = reallocarray(d->items, d->n + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		d->items = grown;
		grown[d->n] = (struct drop_in){ strdup(names[i]), directory };
		if (!grown[d->n].name)
			return -ENOMEM;
		d->n++;
	}
	return 0;
}

static bool is_one_of(const char *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

/* A value that journald does not know it leaves out, with a line in the journal (parse_boolean() in
 * src/basic/parse-util.c). */
static void take(struct journald_conf *conf, unsigned version, const char *value, const char *path)
{
	static const char *const no[] = { "no", "n", "false", "f", "0", "off" };
	static const char *const yes[] = { "yes", "y", "true", "t", "1", "on" };
	enum journald_audit audit = JOURNALD_KEEPS;

	if (is_one_of(value, no, ARRAY_SIZE(no)))
		audit = JOURNALD_OFF;
	else if (is_one_of(value, yes, ARRAY_SIZE(yes)))
		audit = JOURNALD_ON;
	else if (*value && (version < DEFAULT_KEEP || strcmp(value, "keep") != 0))
		return;
	conf->audit = audit;
	snprintf(conf->file, sizeof(conf->file), "%s", path);
}

/* 1 when the file is there, 0 when not. */
static int read_file(struct journald_conf *conf, const struct host *host, unsigned version, const char *path)
{
	_cleanup_strings_ char **values = NULL;
	_cleanup_text_ struct text content = {0};
	bool said = false;
	int r = host_read(host, path, &content);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = unit_file_read(&content, "Journal", "Audit", &values, &said);
	if (r < 0)
		return r;
	if (said && (!values || !values[0]) && version >= EMPTY_KEEPS)
		take(conf, version, "", path);
	for (size_t i = 0; values && values[i]; i++)
		take(conf, version, values[i], path);
	return 1;
}

int journald_conf_read(struct journald_conf *ret, const struct host *host, unsigned version)
{
	_cleanup_(drop_ins_done) struct drop_ins drop_ins = { .n = 0 };
	char path[320];
	int r = 0;

	*ret = (struct journald_conf){ .audit = version >= DEFAULT_KEEP ? JOURNALD_KEEPS :
		version >= DEFAULT_ON ? JOURNALD_ON : JOURNALD_OFF };
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof(path), "%s/journald.conf", directories[i]);
		r = read_file(ret, host, version, path);
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(directories); i++)
		r = add_directory(&drop_ins, host, directories[i]);
	if (r >= 0 && drop_ins.n > 0)
		qsort(drop_ins.items, drop_ins.n, sizeof(drop_ins.items[0]), by_name);
	for (size_t i = 0; r >= 0 && i < drop_ins.n; i++) {
		snprintf(path, sizeof(path), "%s/journald.conf.d/%s", drop_ins.items[i].directory, drop_ins.items[i].name);
		r = read_file(ret, host, version, path);
	}
	return r < 0 ? r : 0;
}
