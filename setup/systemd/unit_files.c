#include "setup/systemd/unit_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "setup/base/strings.h"
#include "setup/base/text.h"
#include "units/audit_units.h"
#include "units/host_units.h"
#include "units/unit_file.h"

/* systemd.unit(5), "Unit File Load Path", in its order, of which others.c has the first. */
static const char *const load_path[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
	"/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached",
	"/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
	"/run/systemd/generator.late",
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static const char *last_part(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int by_last_part(const void *a, const void *b)
{
	return strcmp(last_part(*(char *const *)a), last_part(*(char *const *)b));
}

/* The first directory that has one of a name decides. */
static int add_drop_in(char ***paths, size_t *n, const char *directory, const char *name)
{
	char **more;

	for (size_t i = 0; i < *n; i++)
		if (strcmp(last_part((*paths)[i]), name) == 0)
			return 0;
	more = realloc(*paths, (*n + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*paths = more;
	more[*n] = more[*n + 1] = NULL;
	if (asprintf(&more[*n], "%s/%s", directory, name) < 0) {
		more[*n] = NULL;
		return -ENOMEM;
	}
	++*n;
	return 0;
}

/* Those in NAME.d of the whole path. */
static int list_drop_ins(const struct host *host, const char *name, char ***paths, size_t *n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(load_path); i++) {
		_cleanup_free_ char *directory = NULL;
		_cleanup_strings_ char **names = NULL;

		if (asprintf(&directory, "%s/%s.d", load_path[i], name) < 0) {
			directory = NULL;
			return -ENOMEM;
		}
		r = host_list(host, directory, &names);
		/* One that is absent, or cannot be read, has none. */
		r = r == -ENOMEM ? r : 0;
		for (size_t k = 0; r == 0 && names && names[k]; k++)
			if (ends_with(names[k], ".conf"))
				r = add_drop_in(paths, n, directory, names[k]);
	}
	return r;
}

/* "x@y.service" is made of x@.service; false where it is no instance, or has no room. */
static bool find_template(const char *unit, char *ret, size_t size)
{
	const char *at = strchr(unit, '@'), *type = strrchr(unit, '.');

	return at && type > at + 1 && snprintf(ret, size, "%.*s%s", (int)(at + 1 - unit), unit, type) < (int)size;
}

/* "a-b.service" reads a-b.service.d, a-.service.d and service.d, an instance its template's before those (systemd.unit(5)). */
static int list_drop_ins_of(const struct host *host, const char *unit, char ***paths, size_t *n)
{
	const char *type = strrchr(unit, '.');
	char template[256];
	int r = list_drop_ins(host, unit, paths, n);

	if (r == 0 && find_template(unit, template, sizeof(template)))
		r = list_drop_ins(host, template, paths, n);
	for (const char *dash = type; r == 0 && dash > unit; dash--) {
		_cleanup_free_ char *prefix = NULL;

		if (dash[-1] != '-')
			continue;
		if (asprintf(&prefix, "%.*s%s", (int)(dash - unit), unit, type) < 0) {
			prefix = NULL;
			return -ENOMEM;
		}
		r = list_drop_ins(host, prefix, paths, n);
	}
	return r;
}

/* Those of the unit's other names: links to it that stand where units do. */
static int list_aliases(const struct host *host, const char *unit, char ***paths, size_t *n)
{
	const char *type = strrchr(unit, '.');
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(load_path); i++) {
		_cleanup_strings_ char **names = NULL;

		r = host_list(host, load_path[i], &names);
		r = r == -ENOMEM ? r : 0;
		for (size_t k = 0; r == 0 && names && names[k]; k++) {
			char path[512], target[512];

			if (!ends_with(names[k], type) || strcmp(names[k], unit) == 0 ||
			    snprintf(path, sizeof(path), "%s/%s", load_path[i], names[k]) >= (int)sizeof(path) ||
			    host_read_link(host, path, target, sizeof(target)) < 0 || strcmp(text_base_name(target), unit) != 0)
				continue;
			r = list_drop_ins_of(host, names[k], paths, n);
		}
	}
	return r;
}

void unit_files_drop_masks(const struct host *host, char **drop_ins)
{
	size_t kept = 0;

	for (size_t i = 0; drop_ins && drop_ins[i]; i++) {
		if (strcmp(text_base_name(drop_ins[i]), DROP_IN) != 0 && host_is_masked(host, drop_ins[i]))
			free(drop_ins[i]);
		else
			drop_ins[kept++] = drop_ins[i];
	}
	if (drop_ins)
		drop_ins[kept] = NULL;
}

static int find_drop_ins(const struct host *host, const char *unit, struct unit_state *ret)
{
	const char *type = strrchr(unit, '.');
	size_t n = 0;
	int r = list_drop_ins_of(host, unit, &ret->drop_ins, &n);

	if (r == 0)
		r = list_aliases(host, unit, &ret->drop_ins, &n);
	if (r == 0)
		r = list_drop_ins(host, type + 1, &ret->drop_ins, &n);
	if (ret->drop_ins)
		qsort(ret->drop_ins, n, sizeof(*ret->drop_ins), by_last_part);
	unit_files_drop_masks(host, ret->drop_ins);
	return r;
}

/* 1 where it is there, 0 where not. */
static int find_file(const struct host *host, const char *unit, struct unit_state *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(load_path); i++) {
		_cleanup_free_ char *path = NULL;
		struct stat st;

		if (asprintf(&path, "%s/%s", load_path[i], unit) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (host_stat(host, path, &st) < 0)
			continue;
		ret->exists = true;
		/* As bus_unit_states() has it, a mask is no file. */
		ret->fragment = host_is_masked(host, path) ? strdup("") : TAKE(path);
		return ret->fragment ? 1 : -ENOMEM;
	}
	return 0;
}

/* Of an instance its own, else the template's. */
static int find_fragment(const struct host *host, const char *unit, struct unit_state *ret)
{
	char template[256];
	int r = find_file(host, unit, ret);

	if (r == 0 && find_template(unit, template, sizeof(template)))
		r = find_file(host, template, ret);
	if (r == 0) {
		ret->fragment = strdup("");
		r = ret->fragment ? 0 : -ENOMEM;
	}
	return r < 0 ? r : 0;
}

/* Any link, or one to ours, by its whole path or from DIRECTORY/TARGET.wants. */
static bool is_link(const struct host *host, const char *path, const char *ours)
{
	char target[512];
	struct stat st;

	if (!ours)
		return host_stat(host, path, &st) == 0 && S_ISLNK(st.st_mode);
	if (host_read_link(host, path, target, sizeof(target)) < 0)
		return false;
	return strcmp(target, ours) == 0 ||
	       (strncmp(target, "../", 3) == 0 && strcmp(target + 3, text_base_name(ours)) == 0);
}

/* A link in DIRECTORY/TARGET.wants, or .requires; ours: to this file, NULL: to any. */
static int find_links(const struct host *host, const char *directory, const char *unit, const char *ours, bool *ret)
{
	_cleanup_strings_ char **names = NULL;
	int r = host_list(host, directory, &names);

	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; names && names[i] && !*ret; i++) {
		_cleanup_free_ char *path = NULL;

		if (!ends_with(names[i], ".wants") && !ends_with(names[i], ".requires"))
			continue;
		if (asprintf(&path, "%s/%s/%s", directory, names[i], unit) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		*ret = is_link(host, path, ours);
	}
	return 0;
}

int unit_files_started(const struct host *host, const char *unit, bool *ret)
{
	int r = 0;

	*ret = false;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(load_path) && !*ret; i++)
		r = find_links(host, load_path[i], unit, NULL, ret);
	return r;
}

int unit_files_enabled(const struct host *host, const char *unit, bool *ret)
{
	struct unit_state state = {0};
	_cleanup_free_ char *ours = NULL;
	bool first;
	int r;

	*ret = false;
	if (asprintf(&ours, UNIT_DIRECTORY "/%s", unit) < 0) {
		ours = NULL;
		return -ENOMEM;
	}
	r = find_file(host, unit, &state);
	first = state.fragment && strcmp(state.fragment, ours) == 0;
	free(state.fragment);
	if (r < 0 || !first)
		return r < 0 ? r : 0;
	return find_links(host, UNIT_DIRECTORY, unit, ours, ret);
}

int unit_files_state(const struct host *host, const char *unit, struct unit_state *ret)
{
	int r;

	*ret = (struct unit_state){ .unasked = true };
	r = find_fragment(host, unit, ret);
	if (r == 0)
		r = find_drop_ins(host, unit, ret);
	return r < 0 ? r : find_links(host, UNIT_DIRECTORY, unit, NULL, &ret->enabled);
}

static int add_values(char ***values, const struct host *host, const char *path, const char *section, const char *key)
{
	_cleanup_text_ struct text content = {0};
	bool said;
	int r = host_read(host, path, &content);

	if (r == 0 && content.s)
		r = unit_file_read(&content, section, key, values, &said);
	return r == -ENOMEM ? r : 0;
}

int unit_files_values(char ***values, const struct host *host, const struct unit_state *state, const char *section, const char *key)
{
	int r = state->fragment && *state->fragment ? add_values(values, host, state->fragment, section, key) : 0;

	for (size_t i = 0; r == 0 && state->drop_ins && state->drop_ins[i]; i++)
		r = add_values(values, host, state->drop_ins[i], section, key);
	return r;
}
