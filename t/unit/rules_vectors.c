/* Not a test by itself: answers t/10-rules-vectors.t, which knows the vectors.
 *
 * Lines on stdin, words separated by tabs: "D PATH" a directory of the host, "U NAME ID" and
 * "G NAME ID" its users and groups, "M NAME" the machine from now on, "R HEX" a rules file of one
 * line. For each R one line on stdout: the rule's bytes in hex ("-" when there is none), the printed
 * line in hex, "same" or "differs" for the bytes that the printed line gives, the messages in hex. */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "rules/rules.h"

struct entry {
	char *name;
	char kind;
	uint32_t id;
};

struct host {
	struct entry entries[512];
	size_t n;
};

static const struct entry *find(const struct host *host, char kind, const char *name)
{
	for (size_t i = 0; i < host->n; i++)
		if (host->entries[i].kind == kind && strcmp(host->entries[i].name, name) == 0)
			return &host->entries[i];
	return NULL;
}

static int path_type(void *context, const char *path, bool *ret_directory)
{
	*ret_directory = find(context, 'D', path);
	return *ret_directory;
}

static int look_up(void *context, char kind, const char *name, uint32_t *ret_id)
{
	const struct entry *entry = find(context, kind, name);

	if (!entry)
		return 0;
	*ret_id = entry->id;
	return 1;
}

static int user_id(void *context, const char *name, uint32_t *ret_id)
{
	return look_up(context, 'U', name, ret_id);
}

static int group_id(void *context, const char *name, uint32_t *ret_id)
{
	return look_up(context, 'G', name, ret_id);
}

static void print_hex(const char *s, size_t n)
{
	if (!n)
		putchar('-');
	for (size_t i = 0; i < n; i++)
		printf("%02x", (unsigned char)s[i]);
}

static size_t read_hex(char *s)
{
	size_t n = strlen(s) / 2;
	unsigned byte;

	for (size_t i = 0; i < n; i++) {
		if (sscanf(s + 2 * i, "%2x", &byte) != 1)
			return i;
		s[i] = (char)byte;
	}
	return n;
}

/* Whether the printed rule gives the same bytes again. */
static bool reads_back(const struct rules_env *env, const struct rule *rule, const char *line)
{
	struct rule_set again = { 0 };
	bool same = rules_read_line(&again, env, "PRINTED", 1, line) == 0 && again.n_rules == 1 &&
		    again.rules[0].size == rule->size &&
		    memcmp(again.rules[0].data, rule->data, rule->size) == 0;

	rule_set_done(&again);
	return same;
}

static void answer(const struct rules_host *host, const char *machine, const char *content, size_t size)
{
	_cleanup_free_ char *messages = NULL;
	size_t messages_size = 0;
	_cleanup_text_ struct text line = { 0 };
	struct rule_set set = { 0 };
	FILE *f = open_memstream(&messages, &messages_size);
	struct rules_env env = { .log = log_new(f), .host = host, .machine = machine };
	bool exact;

	if (rules_read(&set, &env, "FILE", content, size) < 0 || rules_finish(&set, &env) < 0 ||
	    set.n_rules != 1) {
		printf("-\t-\t-\t");
	} else {
		print_hex((const char *)set.rules[0].data, set.rules[0].size);
		putchar('\t');
		exact = rule_print(&line, set.rules[0].data, set.rules[0].size);
		print_hex(line.s, line.len);
		printf("\t%s%s\t", reads_back(&env, &set.rules[0], line.s) ? "same" : "differs",
		       exact ? "" : " inexact");
	}
	log_free(env.log);
	fclose(f);
	print_hex(messages, messages_size);
	putchar('\n');
	fflush(stdout);
	rule_set_done(&set);
}

static void add_entry(struct host *host, char kind, char *rest)
{
	struct entry *entry = &host->entries[host->n++];
	char *id = strchr(rest, '\t');

	if (id)
		*id++ = '\0';
	*entry = (struct entry){ strdup(rest), kind, id ? (uint32_t)strtoul(id, NULL, 10) : 0 };
}

int main(void)
{
	static struct host host;
	struct rules_host callbacks = { path_type, user_id, group_id, NULL, NULL, &host };
	_cleanup_free_ char *line = NULL, *machine = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 1) {
		line[n - 1] = '\0';
		if (line[0] == 'R') {
			answer(&callbacks, machine, line + 2, read_hex(line + 2));
		} else if (line[0] == 'M') {
			free(machine);
			machine = strdup(line + 2);
		} else {
			add_entry(&host, line[0], line + 2);
		}
	}
	for (size_t i = 0; i < host.n; i++)
		free(host.entries[i].name);
	return 0;
}
