#include "rules/rule/show.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "rules/rule/rule.h"

enum { RUN = 8 };

/* How many numbers in a row, each one more than the one before, stand at s; *ret_end is set behind
 * the last of them, *ret_last to it. */
static size_t count_run(const char *s, const char **ret_end, unsigned long *ret_last)
{
	size_t n = 0;

	while (isdigit((unsigned char)*s)) {
		const char *end = s;
		unsigned long number = 0;

		while (isdigit((unsigned char)*end) && number <= UINT32_MAX)
			number = number * 10 + (unsigned long)(*end++ - '0');
		if ((*end != ',' && *end != ' ' && *end) || (n > 0 && number != *ret_last + 1))
			break;
		n++;
		*ret_last = number;
		*ret_end = end;
		if (*end != ',')
			break;
		s = end + 1;
	}
	return n;
}

/* Shows the list of -S that starts at s; returns what follows it. */
static const char *show_list(struct text *out, const char *s)
{
	while (*s && *s != ' ') {
		const char *end = s + strcspn(s, ", ");
		unsigned long last = 0;
		const char *run_end = end;

		if (count_run(s, &run_end, &last) >= RUN) {
			text_addf(out, "%lu..%lu", strtoul(s, NULL, 10), last);
			end = run_end;
		} else {
			text_add_bytes(out, s, (size_t)(end - s));
		}
		if (*end == ',') {
			text_add(out, ",");
			end++;
		}
		s = end;
	}
	return s;
}

void rule_show_line(struct text *out, const char *line)
{
	const char *list;

	while ((list = strstr(line, " -S "))) {
		list += strlen(" -S ");
		text_add_bytes(out, line, (size_t)(list - line));
		line = show_list(out, list);
	}
	text_add(out, line);
}

/* An option of a line that rule_print() made, and its value; borrowed from it. */
struct pair {
	const char *option, *value;
	size_t n_option, n_value;
};

enum { PAIRS_MAX = 80 };

/* The word that begins at s, to the next space that no backslash is before. */
static size_t word_length(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != ' ')
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return n;
}

/* How many pairs the line has; 0: it has another form, or too many. */
static size_t split_pairs(const char *line, struct pair pairs[PAIRS_MAX])
{
	size_t n = 0;

	while (*line) {
		struct pair *pair = &pairs[n];

		*pair = (struct pair){ .option = line, .n_option = word_length(line) };
		line += pair->n_option;
		if (*line != ' ' || ++n == PAIRS_MAX)
			return 0;
		pair->value = ++line;
		pair->n_value = word_length(line);
		line += pair->n_value;
		line += *line == ' ';
	}
	return n > 0 && pairs[0].n_option == 2 && strncasecmp(pairs[0].option, "-a", 2) == 0 ? n : 0;
}

static bool begins(const char *s, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(s, with, strlen(with)) == 0;
}

/* The field's value where the pair is -F NAME=VALUE, else NULL. */
static const char *field_value(const struct pair *pair, const char *name)
{
	return begins(pair->option, pair->n_option, "-F") && begins(pair->value, pair->n_value, name) ?
		pair->value + strlen(name) : NULL;
}

static void add_value(struct text *out, const char *before, const struct pair *pair, const char *value)
{
	text_add(out, before);
	text_add_bytes(out, value, pair->n_value - (size_t)(value - pair->value));
}

/* -w PATH -p PERMISSIONS [-k KEY], which is a rule with these fields alone. */
static bool add_watch(struct text *out, const struct pair *pairs, size_t n)
{
	const char *path = NULL, *perm;

	if (n < 3 || !begins(pairs[0].option, pairs[0].n_option, "-a") ||
	    !begins(pairs[0].value, pairs[0].n_value, "always,exit"))
		return false;
	path = field_value(&pairs[1], "path=");
	path = path ? path : field_value(&pairs[1], "dir=");
	perm = field_value(&pairs[2], "perm=");
	for (size_t i = 3; path && perm && i < n; i++)
		path = field_value(&pairs[i], "key=") ? path : NULL;
	if (!path || !perm)
		return false;
	add_value(out, "-w ", &pairs[1], path);
	add_value(out, " -p ", &pairs[2], perm);
	for (size_t i = 3; i < n; i++)
		add_value(out, " -k ", &pairs[i], field_value(&pairs[i], "key="));
	return true;
}

/* An architecture as rules are written for any machine of its kind. */
static const char *usual_arch(const struct pair *pair)
{
	static const char *const names[][2] = {
		{ "arch=x86_64", "arch=b64" }, { "arch=aarch64", "arch=b64" },
		{ "arch=i386", "arch=b32" }, { "arch=arm", "arch=b32" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (pair->n_value == strlen(names[i][0]) && begins(pair->value, pair->n_value, names[i][0]))
			return names[i][1];
	return NULL;
}

/* Where the pair stands among the others: list and action, arch, -S, the rest. */
static int rank(const struct pair *pair, bool first)
{
	if (first)
		return 0;
	if (begins(pair->value, pair->n_value, "arch"))
		return 1;
	return begins(pair->option, pair->n_option, "-S") ? 2 : 3;
}

static void add_pair(struct text *out, const struct pair *pair)
{
	const char *arch = usual_arch(pair);
	bool perm = begins(pair->option, pair->n_option, "-p");

	text_add_bytes(out, pair->option, perm ? 0 : pair->n_option);
	text_add(out, perm ? "-F perm=" : " ");
	text_add_bytes(out, arch ? arch : pair->value, arch ? strlen(arch) : pair->n_value);
}

/* Any call that does something to a file: the list of a rule with a path and permissions goes without saying. */
static bool goes_without_saying(const struct pair *pairs, size_t n, size_t i)
{
	bool path = false, perm = false;

	for (size_t k = 0; k < n; k++) {
		path = path || field_value(&pairs[k], "path=") || field_value(&pairs[k], "dir=");
		perm = perm || begins(pairs[k].option, pairs[k].n_option, "-p");
	}
	return path && perm && begins(pairs[i].option, pairs[i].n_option, "-S") &&
		begins(pairs[i].value, pairs[i].n_value, "all");
}

void rule_show_usual(struct text *out, const struct audit_rule_data *data, size_t size)
{
	_cleanup_text_ struct text line = {0};
	struct pair pairs[PAIRS_MAX];
	size_t n;

	rule_print(&line, data, size);
	if (text_error(&line) < 0 || !line.s) {
		out->failed = true;
		return;
	}
	n = split_pairs(line.s, pairs);
	if (n == 0)
		text_add(out, line.s);
	if (n == 0 || add_watch(out, pairs, n))
		return;
	for (int at = 0; at <= 3; at++) {
		for (size_t i = 0; i < n; i++) {
			if (rank(&pairs[i], i == 0) != at || goes_without_saying(pairs, n, i))
				continue;
			text_add(out, i > 0 ? " " : "");
			add_pair(out, &pairs[i]);
		}
	}
}
