#include "setup/explain/explain.h"

#include <string.h>

#include "rules/judge/lint.h"
#include "setup/base/nearest.h"
#include "setup/config/config_keys.h"

enum { WIDTH = 80, LABEL = 10, NAMES_MAX = 256 };

void explain_add(struct text *out, const char *label, const char *words)
{
	size_t at = LABEL;

	text_addf(out, "%-*s", LABEL, label);
	while (*words) {
		size_t n = strcspn(words, " ");

		if (at > LABEL && at + 1 + n > WIDTH) {
			text_addf(out, "\n%*s", LABEL, "");
			at = LABEL;
		} else if (at > LABEL) {
			text_add(out, " ");
			at++;
		}
		text_add_bytes(out, words, n);
		at += n;
		words += n + strspn(words + n, " ");
	}
	text_add(out, "\n");
}

static void add_setting(struct text *out, const struct config *config, const char *section, const char *key)
{
	_cleanup_text_ struct text set = {0};
	const char *value = config_default(section, key);

	text_addf(out, "[%s] %s = %s\n", section, key, config_value(config, section, key));
	explain_add(out, "From", config_source(config, section, key));
	explain_add(out, "Means", config_meaning(section, key));
	explain_add(out, "Takes", config_expected(section, key));
	explain_add(out, "Default", *value ? value : "empty");
	text_addf(&set, "--set %s.%s=VALUE, or in the file [%s] and below it %s = VALUE", section, key, section, key);
	explain_add(out, "Set by", set.s ? set.s : "");
	explain_add(out, "More", "cloud-audit-setup.ini(5)");
}

static void add_section(struct text *out, const struct config *config, const char *section)
{
	const char *key;

	text_addf(out, "[%s]\n", section);
	for (size_t i = 0; (key = config_key(section, i)); i++) {
		_cleanup_text_ struct text line = {0};

		text_addf(&line, "%s = %s: %s", key, config_value(config, section, key), config_meaning(section, key));
		explain_add(out, "-", line.s ? line.s : "");
	}
}

/* Is the word, n bytes long, this key's name? */
static bool names_key(const char *word, size_t n, const char *section, const char *key)
{
	char name[128];

	snprintf(name, sizeof(name), "%s.%s", section, key);
	if (strlen(name) == n && memcmp(name, word, n) == 0)
		return true;
	snprintf(name, sizeof(name), "[%s] %s", section, key);
	if (strlen(name) == n && memcmp(name, word, n) == 0)
		return true;
	return strlen(key) == n && memcmp(key, word, n) == 0;
}

static bool names_section(const char *word, const char *section)
{
	size_t n = strlen(section);

	return strcmp(word, section) == 0 ||
		(word[0] == '[' && strncmp(word + 1, section, n) == 0 && strcmp(word + 1 + n, "]") == 0);
}

bool explain_setting(struct text *out, const struct config *config, const char *word)
{
	size_t n = strcspn(word, "=");
	const char *section, *key;
	bool found = false;

	while (n > 0 && word[n - 1] == ' ')
		n--;
	for (size_t i = 0; !found && config_row(i, &section, &key); i++)
		if (names_section(word, section)) {
			add_section(out, config, section);
			return true;
		}
	/* A key of two sections is both. */
	for (size_t i = 0; config_row(i, &section, &key); i++)
		if (names_key(word, n, section, key)) {
			add_setting(out, config, section, key);
			found = true;
		}
	return found;
}

bool explain_lint(struct text *out, const char *name)
{
	const struct lint *lint;

	for (size_t i = 0; (lint = lint_at(i)); i++) {
		_cleanup_text_ struct text accept = {0};

		if (strcmp(lint->name, name) != 0)
			continue;
		text_addf(out, "[lint: %s]\n", name);
		explain_add(out, "Warns", lint->what);
		text_addf(&accept, "# lint: accept %s on the line before a rule accepts it there", name);
		explain_add(out, "Accepted", accept.s ? accept.s : "");
		explain_add(out, "More", "cloud-audit-setup(8), DIAGNOSTICS");
		return true;
	}
	return false;
}

const char *explain_nearest(const char *word)
{
	const char *names[NAMES_MAX], *section, *key;
	const struct lint *lint;
	size_t n = 0;

	for (size_t i = 0; n < NAMES_MAX && config_row(i, &section, &key); i++)
		names[n++] = key;
	for (size_t i = 0; n < NAMES_MAX && (lint = lint_at(i)); i++)
		names[n++] = lint->name;
	/* SECTION.KEY by its key, where the section is one. */
	for (size_t i = 0; config_row(i, &section, &key); i++) {
		size_t length = strlen(section);

		if (strncmp(word, section, length) == 0 && word[length] == '.') {
			word += length + 1;
			break;
		}
	}
	return nearest_name(word, names, n);
}
