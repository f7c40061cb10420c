#include "setup/containers/sources.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "setup/base/strings.h"

#define WHITE " \t\r\n"

static int add_file(struct sources *sources, const char *path)
{
	char **grown;

	for (size_t i = 0; i < sources->n; i++)
		if (strcmp(sources->paths[i], path) == 0)
			return 0;
	if (sources->n == SOURCES_MAX) {
		sources->more = true;
		return 0;
	}
	grown = reallocarray(sources->paths, sources->n + 2, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sources->paths = grown;
	grown[sources->n] = strdup(path);
	if (!grown[sources->n])
		return -ENOMEM;
	grown[++sources->n] = NULL;
	return 0;
}

/* Where the first part of a path that is a pattern begins; NULL for none. */
static const char *find_pattern(const char *path)
{
	const char *at = strpbrk(path, "*?[");

	while (at && at > path && at[-1] != '/')
		at--;
	return at;
}

/* What a pattern stands for is looked up part by part: each is a directory to be listed. */
static int expand(struct sources *sources, const char *path)
{
	const char *part = find_pattern(path), *tail = part ? part + strcspn(part, "/") : NULL;
	_cleanup_strings_ char **names = NULL;
	_cleanup_free_ char *directory = NULL, *pattern = NULL;
	int r;

	if (!part)
		return add_file(sources, path);
	if (sources->listed++ == SOURCES_MAX) {
		sources->more = true;
		return 0;
	}
	directory = strndup(path, (size_t)(part - path));
	pattern = strndup(part, (size_t)(tail - part));
	if (!directory || !pattern)
		return -ENOMEM;
	r = host_list(sources->host, directory, &names);
	for (size_t i = 0; r == 0 && names[i] && !sources->more; i++) {
		_cleanup_free_ char *found = NULL;

		if (fnmatch(pattern, names[i], 0) != 0)
			continue;
		if (asprintf(&found, "%s%s%s", directory, names[i], tail) < 0) {
			found = NULL;
			return -ENOMEM;
		}
		r = expand(sources, found);
	}
	return r == -ENOMEM ? r : 0;
}

int sources_add(struct sources *sources, const char *from, const char *path)
{
	_cleanup_free_ char *joined = NULL;
	const char *slash = strrchr(from, '/');

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (*path == '/')
		return expand(sources, path);
	if (asprintf(&joined, "%.*s/%s", slash ? (int)(slash - from) : 0, from, path) < 0) {
		joined = NULL;
		return -ENOMEM;
	}
	return expand(sources, joined);
}

/* Behind the "[" of the value that a line gives to imports, in quotes or not; NULL. */
static const char *imports_of(const char *line)
{
	static const char key[] = "imports";
	const char *s = line + strspn(line, " \t");
	char quote = *s == '"' || *s == '\'' ? *s++ : '\0';

	if (strncmp(s, key, strlen(key)) != 0)
		return NULL;
	s += strlen(key);
	if (quote && *s++ != quote)
		return NULL;
	s += strspn(s, " \t");
	if (*s++ != '=')
		return NULL;
	s += strspn(s, " \t");
	return *s == '[' ? s + 1 : NULL;
}

/* The next text of an array, at *at, that ends in its line: true and the caller's *ret, which is NULL without memory.
 * Between double quotes a backslash stands before what is meant as it is. */
static bool next_text(const char **at, char **ret)
{
	const char *s = *at;
	char quote, *to;

	for (;;) {
		s += strspn(s, WHITE ",");
		if (*s != '#')
			break;
		s += strcspn(s, "\n");
	}
	quote = *s;
	if (quote != '"' && quote != '\'')
		return false;
	*ret = to = malloc(strcspn(++s, "\n") + 1);
	for (; to && *s && *s != '\n' && *s != quote; s++) {
		if (quote == '"' && *s == '\\' && s[1] && s[1] != '\n')
			s++;
		*to++ = *s;
	}
	if (to)
		*to = '\0';
	*at = s + (*s == quote);
	return true;
}

static int add_list(struct sources *sources, const char *from, const char *at)
{
	char *path = NULL;
	int r = 0;

	while (r == 0 && next_text(&at, &path)) {
		r = path ? sources_add(sources, from, path) : -ENOMEM;
		free(path);
	}
	return r;
}

int sources_add_imports(struct sources *sources, const char *from, const char *content)
{
	int r = 0;

	/* No table of containerd's has a key of that name: which one it stands in is not asked. */
	while (r == 0 && *content) {
		const char *list = imports_of(content);

		if (list)
			r = add_list(sources, from, list);
		content += strcspn(content, "\n");
		content += *content == '\n';
	}
	return r;
}

void sources_done(struct sources *sources)
{
	strings_free(sources->paths);
	*sources = (struct sources){0};
}

/* Behind the name of the option, if the word at s is it: a "=", white space, or the end. */
static const char *option_of(const char *s)
{
	static const char *const names[] = { "config", "c" };
	size_t dashes = strspn(s, "-");

	for (size_t i = 0; (dashes == 1 || dashes == 2) && i < ARRAY_SIZE(names); i++) {
		size_t n = dashes + strlen(names[i]);

		if (strncmp(s + dashes, names[i], strlen(names[i])) == 0 && strchr("= \t\"'", s[n]))
			return s + n;
	}
	return NULL;
}

static int command_config(const char *command, char **ret)
{
	for (const char *s = command; *s; s += strcspn(s, " \t"), s += strspn(s, " \t")) {
		const char *value = option_of(s + (*s == '"' || *s == '\''));

		if (!value)
			continue;
		value += strspn(value, "= \t\"'");
		if (!*value)
			return 0;
		*ret = strndup(value, strcspn(value, " \t\"'"));
		return *ret ? 1 : -ENOMEM;
	}
	return 0;
}

int sources_of_command(char *const *commands, char **ret)
{
	int r = 0;

	*ret = NULL;
	for (; commands && *commands && r == 0; commands++)
		r = command_config(*commands, ret);
	return r;
}
