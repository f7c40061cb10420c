#include "rules/parse/warnings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct warning {
	char *name, *file, *message;	/* of a comment that accepts there is no message */
	unsigned line;
	bool told;		/* logged, or accepted */
	bool accepted;
	bool expected, used;	/* of a comment */
};

struct list {
	struct warning *items;
	size_t n;
};

struct warnings {
	struct log *log;
	struct list kept, accepted;
};

struct warnings *warnings_new(struct log *log)
{
	struct warnings *warnings = calloc(1, sizeof(*warnings));

	if (warnings)
		warnings->log = log;
	return warnings;
}

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].name);
		free(list->items[i].file);
		free(list->items[i].message);
	}
	free(list->items);
}

void warnings_free(struct warnings *warnings)
{
	if (!warnings)
		return;
	list_done(&warnings->kept);
	list_done(&warnings->accepted);
	free(warnings);
}

/* Takes message. Without memory the log says so. */
static void add(struct warnings *warnings, struct list *list, const char *name, const char *file, unsigned line,
		char *message, bool expected)
{
	struct warning new = { strdup(name), strdup(file ? file : ""), message, line, false, false, expected, false };
	struct warning *items = list->items;

	/* The room doubles whenever their number reaches a power of two. */
	if ((list->n & (list->n - 1)) == 0)
		items = reallocarray(items, list->n ? list->n * 2 : 1, sizeof(*items));
	/* Where they were there is nothing any more. */
	list->items = items ? items : list->items;
	if (!items || !new.name || !new.file) {
		free(new.name);
		free(new.file);
		free(message);
		log_no_memory(warnings->log);
		return;
	}
	items[list->n++] = new;
}

void warnings_add(struct warnings *warnings, struct log *log, const char *name, const char *file, unsigned line,
		  const char *format, ...)
{
	char *message = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&message, format, args);
	va_end(args);
	if (n < 0) {
		log_no_memory(log);
	} else if (warnings) {
		add(warnings, &warnings->kept, name, file, line, message, false);
	} else {
		log_at(log, LEVEL_WARNING, file, line, "%s [lint: %s]", message, name);
		free(message);
	}
}

void warnings_accept(struct warnings *warnings, const char *name, const char *file, unsigned line, bool expected)
{
	if (warnings)
		add(warnings, &warnings->accepted, name, file, line, NULL, expected);
}

static bool is_accepted(struct warnings *warnings, const struct warning *warning)
{
	for (size_t i = 0; i < warnings->accepted.n; i++) {
		struct warning *comment = &warnings->accepted.items[i];

		if (comment->line + 1 != warning->line || strcmp(comment->name, warning->name) != 0 ||
		    strcmp(comment->file, warning->file) != 0)
			continue;
		comment->used = true;
		return true;
	}
	return false;
}

static void mark_accepted(struct warnings *warnings)
{
	for (size_t i = 0; i < warnings->kept.n; i++) {
		struct warning *warning = &warnings->kept.items[i];

		if (warning->told || !is_accepted(warnings, warning))
			continue;
		warning->told = warning->accepted = true;
		log_at(warnings->log, LEVEL_DEBUG, warning->file, warning->line, "accepted: %s [lint: %s]", warning->message,
		       warning->name);
	}
	for (size_t i = 0; i < warnings->accepted.n; i++) {
		struct warning *comment = &warnings->accepted.items[i];

		if (comment->expected && !comment->used)
			warnings_add(warnings, warnings->log, "accepted", comment->file, comment->line,
				     "%s does not occur on the next line any more; delete the comment", comment->name);
		comment->expected = false;
	}
}

/* The first one's line, and the others' where all are shown. */
static void tell_kind(struct warnings *warnings, size_t first, bool all)
{
	struct warning *items = warnings->kept.items;
	size_t n = 0;

	for (size_t i = first; i < warnings->kept.n; i++)
		n += !items[i].told && strcmp(items[i].name, items[first].name) == 0;
	if (n > 1 && !all)
		log_at(warnings->log, LEVEL_WARNING, items[first].file, items[first].line, "%s [lint: %s] (the first of "
		       "%zu; --verbose shows all)", items[first].message, items[first].name, n);
	for (size_t i = first; i < warnings->kept.n; i++) {
		if (items[i].told || (i != first && strcmp(items[i].name, items[first].name) != 0))
			continue;
		if (n == 1 || all)
			log_at(warnings->log, LEVEL_WARNING, items[i].file, items[i].line, "%s [lint: %s]", items[i].message,
			       items[i].name);
		if (i != first)
			items[i].told = true;
	}
	items[first].told = true;
}

void warnings_tell(struct warnings *warnings)
{
	bool all;

	if (!warnings)
		return;
	all = log_shows_all(warnings->log);
	mark_accepted(warnings);
	for (size_t i = 0; i < warnings->kept.n; i++)
		if (!warnings->kept.items[i].told)
			tell_kind(warnings, i, all);
}

void warnings_kinds(const struct warnings *warnings,
		    void (*kind)(void *context, const char *name, const char *file, unsigned line, size_t n), void *context)
{
	const struct list *kept = &warnings->kept;

	for (size_t i = 0; i < kept->n; i++) {
		const struct warning *first = &kept->items[i];
		bool seen = first->accepted;
		size_t n = 0;

		for (size_t k = 0; k < kept->n && !seen; k++) {
			bool same = !kept->items[k].accepted && strcmp(kept->items[k].name, first->name) == 0;

			seen = same && k < i;
			n += same;
		}
		if (!seen)
			kind(context, first->name, first->file, first->line, n);
	}
}
