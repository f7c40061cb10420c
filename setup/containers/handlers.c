#include "setup/containers/handlers.h"

#include <errno.h>
#include <string.h>

#include "setup/containers/sources.h"

/* What a unit whose name has a word in it reads: containerd where its command has no --config. */
static const struct {
	const char *word, *path;
} begins[] = {
	{ "containerd", "/etc/containerd/config.toml" },
	/* Imported by containerd 2.x by itself. */
	{ "containerd", "/etc/containerd/conf.d/*.toml" },
	{ "k3s", "/var/lib/rancher/k3s/agent/etc/containerd/config.toml" },
	{ "rke2", "/var/lib/rancher/rke2/agent/etc/containerd/config.toml" },
	{ "crio", "/etc/crio/crio.conf" },
	{ "crio", "/etc/crio/crio.conf.d/*.conf" },
};

/* A key of TOML whose value has a text in it, wherever the key stands: the tables that it stands in have other names from
 * release to release. */
static const struct sign {
	const char *key, *in, *means;
	const char *word;	/* of the units that it says so to; NULL: all */
} signs[] = {
	{ "BinaryName", "/", "is a path, which passes identity by (but where that program looks for runc in PATH itself, as NVIDIA's "
	  "does): make it the name alone, as \"runc\"", NULL },
	{ "runtime_engine", "/", "is a path, which passes identity by: make it \"\"", "containerd" },
	{ "runtime_path", "/", "is a path, which passes identity by: make it \"\", so that the runtime is looked for in PATH", "crio" },
	{ "runtime_type", "runsc", "is gVisor, whose containers have no identity", NULL },
	{ "runtime_type", "kata", "is Kata Containers, whose containers have no identity on the node", NULL },
	{ "runtime_type", "\"vm\"", "is a virtual machine, whose containers have no identity on the node", NULL },
};

static const char *skip_white(const char *s)
{
	return s + strspn(s, " \t");
}

/* Does a comment begin in these bytes of a line, outside quotes? */
static bool has_comment(const char *s, const char *end)
{
	char quote = '\0';

	for (; s < end; s++) {
		if (!quote && *s == '#')
			return true;
		if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? '\0' : *s;
	}
	return false;
}

/* The value of KEY = VALUE that comes next, from a place in a line up to its end: KEY may be the last part of one with dots, stand
 * in quotes, and in a table that is written in the line. NULL where there is none, or it is a comment. */
static const char *value_of(const char *line, const char *at, const char *end, const char *key)
{
	size_t n = strlen(key);

	for (; (at = memmem(at, (size_t)(end - at), key, n)); at += n) {
		const char *value = at + n;

		if (at > line && !memchr(" \t.{,\"'", at[-1], 7))
			continue;
		value = skip_white(value + (*value == '"' || *value == '\''));
		if (*value == '=' && !has_comment(line, at))
			return skip_white(value + 1);
	}
	return NULL;
}

/* How many bytes of a line it has: of a text with both quotation marks. */
static size_t value_length(const char *value, const char *end)
{
	const char *closing = NULL;
	size_t n;

	if (value < end && (*value == '"' || *value == '\''))
		closing = memchr(value + 1, *value, (size_t)(end - value - 1));
	if (closing)
		return (size_t)(closing + 1 - value);
	n = strcspn(value, " \t\r\n,}#");
	return n < (size_t)(end - value) ? n : (size_t)(end - value);
}

static void judge_line(struct text *out, const char *unit, const char *line, size_t length, const char *file,
		       unsigned number)
{
	const char *end = line + length;

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		const char *value = signs[i].word && !strstr(unit, signs[i].word) ? NULL : value_of(line, line, end, signs[i].key);

		for (; value; value = value_of(line, value, end, signs[i].key)) {
			size_t n = value_length(value, end);

			if (memmem(value, n, signs[i].in, strlen(signs[i].in)))
				text_addf(out, "%s%s:%u: %s = %.*s %s", out->s ? "; " : "", file, number, signs[i].key, (int)n,
					  value, signs[i].means);
		}
	}
}

static int look_file(struct text *out, struct sources *sources, const char *unit, const char *path)
{
	_cleanup_text_ struct text content = {0};
	unsigned number = 1;

	if (host_read(sources->host, path, &content) == -ENOMEM)
		return -ENOMEM;
	for (const char *s = content.s ? content.s : ""; *s; number++) {
		size_t n = strcspn(s, "\n");

		judge_line(out, unit, s, n, path, number);
		s += n + (s[n] == '\n');
	}
	return content.s && !strstr(unit, "crio") ? sources_add_imports(sources, path, content.s) : 0;
}

static int find_begins(struct text *out, struct sources *sources, const char *unit, char *const *commands)
{
	_cleanup_free_ char *config = NULL;
	int r = strstr(unit, "containerd") ? sources_of_command(commands, &config) : 0;

	if (r > 0 && strpbrk(config, "$%"))
		text_addf(out, "%s: --config %s: which file that is is not known here: look in it for BinaryName and "
			  "runtime_type yourself", unit, config);
	else if (r > 0)
		r = sources_add(sources, "/", config);
	for (size_t i = 0; r == 0 && !config && i < ARRAY_SIZE(begins); i++)
		if (strstr(unit, begins[i].word))
			r = sources_add(sources, "/", begins[i].path);
	return r < 0 ? r : 0;
}

bool handlers_know(const char *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (strstr(unit, begins[i].word))
			return true;
	return false;
}

int handlers_look(struct text *out, const struct host *host, const char *unit, char *const *commands)
{
	_cleanup_(sources_done) struct sources sources = { .host = host };
	bool directory;
	int r = find_begins(out, &sources, unit, commands);

	for (size_t i = 0; r == 0 && i < sources.n; i++)
		r = look_file(out, &sources, unit, sources.paths[i]);
	if (sources.more)
		text_addf(out, "%s%s: its configuration is of more than %d files, and only the first ones were looked at",
			  out->s ? "; " : "", unit, SOURCES_MAX);
	/* It has no unit, and a list of absolute paths built in (containers.conf(5), engine.runtimes). */
	if (r == 0 && host_path_type(host, "/usr/bin/podman", &directory) == 1)
		text_addf(out, "%spodman, which is installed, calls runtimes by their paths: its containers have no identity",
			  out->s ? "; " : "");
	return r < 0 ? r : text_error(out);
}
