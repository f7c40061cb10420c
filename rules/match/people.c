#include "rules/match/people.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rules/match/perm.h"
#include "rules/rule/data.h"
#include "rules/rule/names.h"
#include "rules/rule/rule.h"
#include "rules/rule/show.h"

/* Has the rule at least every system call that its permissions can be about? */
static bool mask_is_derived(const struct audit_rule_data *data)
{
	uint32_t machine = names_machine(NULL), arch = 0, perms;
	const uint32_t arches[] = { machine, names_arch32(machine) };
	uint32_t needs[AUDIT_BITMASK_SIZE] = { 0 };
	bool known = false;

	if (!data_find_equal(data, AUDIT_PERM, &perms) || data_mask_all(data) || data_mask_empty(data))
		return false;
	data_find_equal(data, AUDIT_ARCH, &arch);
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		struct perm_masks masks;

		if ((arch && arch != arches[i]) || !arches[i] || !perm_masks_init(&masks, arches[i]))
			continue;
		perm_masks_add_known(&masks, perms, needs);
		known = true;
	}
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		known = known && (data->mask[i] & needs[i]) == needs[i];
	return known;
}

/* Appends the list of -S that ends at the next space, numbers with a name by that; returns what follows it. */
static const char *add_calls(struct text *out, const char *s, uint32_t arch)
{
	while (*s && *s != ' ') {
		size_t n = strcspn(s, ", ");
		bool number = n > 0 && strspn(s, "0123456789") == n;
		const char *name = number && arch ? names_show_syscall((unsigned)strtoul(s, NULL, 10), arch) : NULL;

		if (name)
			text_add(out, name);
		else
			text_add_bytes(out, s, n);
		s += n;
		if (*s == ',')
			text_add_bytes(out, s++, 1);
	}
	return s;
}

static const char key_field[] = " -F key=";

/* A space within a key has a backslash in front. */
static bool only_keys(const char *s)
{
	while (*s) {
		if (strncmp(s, key_field, strlen(key_field)) != 0)
			return false;
		for (s += strlen(key_field); *s && (*s != ' ' || s[-1] == '\\'); s++)
			;
	}
	return true;
}

/* b64 and b32 for the machine's own; 0: it is another, or none. */
static size_t own_arch(const char *line, const char **ret)
{
	static const char field[] = " -F arch=";
	uint32_t machine = names_machine(NULL);
	const struct { uint32_t arch; const char *word; } own[] = { { machine, "b64" }, { names_arch32(machine), "b32" } };
	size_t n;

	if (strncmp(line, field, strlen(field)) != 0)
		return 0;
	n = strlen(field) + strcspn(line + strlen(field), " ");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		const char *name = own[i].arch ? names_of_arch(own[i].arch) : NULL;

		if (!name || strlen(name) != n - strlen(field) || strncmp(line + strlen(field), name, strlen(name)) != 0)
			continue;
		*ret = own[i].word;
		return n;
	}
	return 0;
}

/* Replaces the list by names, -F key= by -k. */
static void add_words(struct text *out, const char *line, uint32_t arch)
{
	static const char calls[] = " -S ";
	const char *word;
	size_t n;

	while (*line) {
		n = own_arch(line, &word);
		if (n > 0) {
			text_addf(out, " -F arch=%s", word);
			line += n;
			continue;
		}
		if (strncmp(line, calls, strlen(calls)) == 0) {
			text_add(out, calls);
			line = add_calls(out, line + strlen(calls), arch);
		} else if (strncmp(line, key_field, strlen(key_field)) == 0) {
			text_add(out, " -k ");
			line += strlen(key_field);
		} else {
			text_add_bytes(out, line++, 1);
		}
	}
}

/* "-a always,exit -F path=P -F perm=X ..." with nothing but keys behind it as "-w P -p X ..."; false: it is not that. */
static bool add_watch(struct text *out, const char *line)
{
	static const char *const forms[] = { "-a always,exit -F path=", "-a always,exit -F dir=" };
	static const char perm[] = " -F perm=";

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *path = line + strlen(forms[i]), *permissions, *rest;
		size_t length;

		if (strncmp(line, forms[i], strlen(forms[i])) != 0)
			continue;
		/* A space in the path has a backslash in front. */
		length = strcspn(path, " \\");
		permissions = path + length;
		if (strncmp(permissions, perm, strlen(perm)) != 0)
			return false;
		permissions += strlen(perm);
		rest = permissions + strcspn(permissions, " ");
		if (!only_keys(rest))
			return false;
		text_addf(out, "-w %.*s -p %.*s", (int)length, path, (int)(rest - permissions), permissions);
		add_words(out, rest, 0);
		return true;
	}
	return false;
}

void rule_show_people(struct text *out, const struct audit_rule_data *data, size_t size)
{
	_cleanup_free_ struct audit_rule_data *copy = malloc(size);
	_cleanup_text_ struct text line = { 0 }, shown = { 0 };
	uint32_t arch = 0;

	if (!copy) {
		out->failed = true;
		return;
	}
	memcpy(copy, data, size);
	if (mask_is_derived(copy))
		memset(copy->mask, 0xff, sizeof(copy->mask));
	rule_print(&line, copy, size);
	if (text_error(&line) < 0 || !line.s)
		out->failed = true;
	else if (!add_watch(out, line.s)) {
		data_find_equal(copy, AUDIT_ARCH, &arch);
		rule_show_line(&shown, line.s);
		out->failed = out->failed || text_error(&shown) < 0;
		add_words(out, shown.s ? shown.s : "", arch);
	}
}
