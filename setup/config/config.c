#include "setup/config/config_private.h"

#include <errno.h>
#include <string.h>

#include "setup/base/terminal.h"
#include "setup/base/text.h"
#include "setup/config/config_keys.h"

static void set_item_places(struct config_list *list, size_t from, const char *file, unsigned line)
{
	for (size_t i = from; i < list->n; i++) {
		list->items[i].file = file;
		list->items[i].line = line;
	}
}

static int note_value(struct config_row_state *state, const char *value, bool add)
{
	_cleanup_text_ struct text text = {0};
	size_t n = add && state->value ? strlen(state->value) : 0;

	if (n > 0)
		text_addf(&text, "%s%s", state->value, state->value[n - 1] == ',' ? "" : ",");
	text_add(&text, value);
	if (text_error(&text) < 0)
		return -ENOMEM;
	free(state->value);
	state->value = text_take(&text);
	return 0;
}

int config_note_place(struct config_row_state *state, const char *file, unsigned line)
{
	_cleanup_text_ struct text source = {0};

	if (!file)
		text_add(&source, "built-in default");
	else if (line)
		text_addf(&source, "%s:%u", file, line);
	else
		text_add(&source, file);
	if (text_error(&source) < 0)
		return -ENOMEM;
	free(state->source);
	state->source = text_take(&source);
	state->file = file;
	state->line = line;
	return 0;
}

int config_set_row(struct config *config, int i, const char *value, bool add, const char *file,
		   unsigned line)
{
	const struct config_row *row = &config_rows[i];
	void *target = (char *)config + row->offset;
	struct config_list *list = config_row_is_list(row) ? target : NULL;
	size_t from;
	int r;

	if (list && !add)
		config_list_clear(list);
	from = list ? list->n : 0;
	r = row->parse(row, value, target);
	if (r < 0 && list)
		config_list_cut(list, from);
	if (r < 0)
		return r;
	if (list)
		set_item_places(list, from, file, line);
	config->state[i].bad = false;
	r = note_value(&config->state[i], value, add);
	return r < 0 || add ? r : config_note_place(&config->state[i], file, line);
}

int config_init(struct config *config)
{
	*config = (struct config){0};
	config->state = calloc((size_t)config_n_rows, sizeof(*config->state));
	if (!config->state)
		return -ENOMEM;
	for (int i = 0; i < config_n_rows; i++) {
		int r = config_set_row(config, i, config_rows[i].value, false, NULL, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

void config_done(struct config *config)
{
	for (int i = 0; config->state && i < config_n_rows; i++) {
		free(config->state[i].value);
		free(config->state[i].source);
		if (config_row_is_list(&config_rows[i]))
			config_list_clear((void *)((char *)config + config_rows[i].offset));
	}
	free(config->state);
	for (size_t i = 0; i < config->n_names; i++)
		free(config->names[i]);
	free(config->names);
	free(config->rules_directory);
	free(config->dbus_address);
	free(config->tty_runtime_unit);
	free(config->runtime_unit);
	*config = (struct config){0};
}

const char *config_value(const struct config *config, const char *section, const char *key)
{
	return config->state[config_row_find(section, key)].value;
}

const char *config_source(const struct config *config, const char *section, const char *key)
{
	return config->state[config_row_find(section, key)].source;
}

void config_place(const struct config *config, const char *section, const char *key,
		  const char **ret_file, unsigned *ret_line)
{
	const struct config_row_state *state = &config->state[config_row_find(section, key)];

	*ret_file = state->bad ? NULL : state->file;
	*ret_line = state->line;
}

bool config_given(const struct config *config, const char *section, const char *key)
{
	return config->state[config_row_find(section, key)].file;
}

bool config_row(size_t n, const char **ret_section, const char **ret_key)
{
	if (n >= (size_t)config_n_rows)
		return false;
	*ret_section = config_rows[n].section;
	*ret_key = config_rows[n].key;
	return true;
}

const char *config_key(const char *section, size_t n)
{
	for (int i = 0; i < config_n_rows; i++)
		if (strcmp(config_rows[i].section, section) == 0 && n-- == 0)
			return config_rows[i].key;
	return NULL;
}

const char *config_default(const char *section, const char *key)
{
	return config_rows[config_row_find(section, key)].value;
}

const char *config_expected(const char *section, const char *key)
{
	return config_rows[config_row_find(section, key)].expected;
}

void config_print_settings(FILE *out)
{
	enum { TAKES = 32, MEANS = 6 };

	for (int i = 0; i < config_n_rows; i++) {
		const struct config_row *row = &config_rows[i];
		const char *const *words = config_row_words(row);
		int n = fprintf(out, "  %s.%s=%s", row->section, row->key, row->value);
		size_t at = n < TAKES - 2 ? TAKES : (size_t)n + 2;

		fprintf(out, "%*s", (int)at - n, "");
		if (words) {
			for (size_t k = 0; words[k]; k++)
				fprintf(out, "%s%s", k ? "|" : "", words[k]);
			fputs("\n", out);
		} else {
			terminal_print_folded(out, at, TAKES, row->expected);
		}
		fprintf(out, "%*s", MEANS, "");
		terminal_print_folded(out, MEANS, MEANS, config_meaning(row->section, row->key));
	}
}
