#include "setup/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "setup/base/terminal.h"
#include "setup/base/text.h"

#define SECOND UINT64_C(1000000)

/* What Kubernetes keeps of a termination message. */
enum { ROOM = 4096, COUNT = 32 };	/* bytes; of them for the count of what has no room */

/* Columns and rows of a terminal: what one warning may take, and what says that there were more. */
enum { COLUMNS = 80, MOST = 6, MORE = 1 };
static const char cut_short[] = " ... (-v: all)";

struct log {
	FILE *out;
	bool json, colour, progress;
	bool unfinished;	/* a line of progress stands there, without its end */
	enum log_level level;
	bool waits, errors_wait;
	struct text waiting[3];	/* lines: errors about a line of a file, warnings about the node, warnings about a line of a file */
	size_t rows;	/* that messages have taken */
	unsigned count[LEVEL_MAX];
	char *last_error;
	struct text earlier;	/* errors before it, a line each, as long as there is room */
	unsigned n_earlier;	/* all of them */
	void (*listen)(void *context, enum log_level level, const char *file, unsigned line, const char *message);
	void *listener;
};

static const struct {
	const char *text;
	const char *severity;	/* LogSeverity of Cloud Logging */
	enum colour colour;
} level_names[LEVEL_MAX] = {
	[LEVEL_ERROR] = { "error", "ERROR", COLOUR_BAD },
	[LEVEL_WARNING] = { "warning", "WARNING", COLOUR_WARN },
	[LEVEL_INFO] = { "info", "INFO", COLOUR_GOOD },
	[LEVEL_DEBUG] = { "debug", "DEBUG", COLOUR_DIM },
};

struct log *log_new(FILE *out)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log) {
		log->out = out;
		log->level = LEVEL_INFO;
	}
	return log;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	free(log->last_error);
	text_done(&log->earlier);
	for (size_t i = 0; i < ARRAY_SIZE(log->waiting); i++)
		text_done(&log->waiting[i]);
	free(log);
}

void log_freep(struct log **log)
{
	log_free(*log);
}

FILE *log_set_out(struct log *log, FILE *out)
{
	FILE *before = log->out;

	log->out = out;
	return before;
}

void log_begin_anew(struct log *log)
{
	memset(log->count, 0, sizeof(log->count));
	free(log->last_error);
	log->last_error = NULL;
	text_done(&log->earlier);
	log->n_earlier = 0;
	log->rows = 0;
	log->errors_wait = false;
}

void log_set_json(struct log *log, bool json)
{
	log->json = json;
}

void log_set_colour(struct log *log, bool colour)
{
	log->colour = colour;
}

void log_set_progress(struct log *log, bool progress)
{
	log->progress = progress;
}

void log_set_listener(struct log *log,
		      void (*listen)(void *context, enum log_level level, const char *file, unsigned line,
				     const char *message),
		      void *context)
{
	log->listen = listen;
	log->listener = context;
}

bool log_shows_all(const struct log *log)
{
	return log->level >= LEVEL_DEBUG || log->listen;
}

bool log_shows_progress(const struct log *log)
{
	return log->progress && !log->json && log->level >= LEVEL_INFO;
}

/* Words, unit and time as far as they fit into one row: a row that the terminal breaks in two cannot be written over. */
static void add_progress(struct text *t, const char *step, const char *unit, uint64_t microseconds, bool end)
{
	size_t room = terminal_columns() - 1;
	char seconds[32] = "";

	if (microseconds >= SECOND)
		snprintf(seconds, sizeof(seconds), " %" PRIu64 " s", microseconds / SECOND);
	text_add(t, step);
	if (unit && strlen(step) + strlen(unit) + strlen(seconds) + strlen(" () ...") <= room)
		text_addf(t, " (%s)", unit);
	text_addf(t, "%s%s", seconds, end ? "" : " ...");
	if (t->len > room) {
		t->len = room;
		t->s[room] = '\0';
	}
}

static void show_progress(struct log *log, const char *step, const char *unit, uint64_t microseconds, bool end)
{
	_cleanup_text_ struct text row = {0};

	if (!log_shows_progress(log))
		return;
	/* What took no time is not worth a row that stays. */
	if (!end || microseconds >= SECOND)
		add_progress(&row, step, unit, microseconds, end);
	/* ECMA-48: back to the line's start, and erase to its end. */
	fprintf(log->out, "\r\033[K%s%s%s%s", row.s ? terminal_colour(log->colour, COLOUR_DIM) : "", row.s ? row.s : "",
		row.s ? terminal_colour(log->colour, COLOUR_NONE) : "", end && row.s ? "\n" : "");
	fflush(log->out);
	log->unfinished = !end;
	log->rows += end && row.s;
}

void log_progress(struct log *log, const char *step, const char *unit, uint64_t microseconds)
{
	show_progress(log, step, unit, microseconds, false);
}

void log_progress_end(struct log *log, const char *step, const char *unit, uint64_t microseconds)
{
	show_progress(log, step, unit, microseconds, true);
}

void log_set_level(struct log *log, enum log_level level)
{
	log->level = level;
}

static void add_one_line(struct text *t, const char *s)
{
	size_t end = strlen(s);

	while (end > 0 && s[end - 1] == '\n')
		end--;
	for (size_t i = 0; i < end;) {
		size_t n = strcspn(s + i, "\n");

		n = n < end - i ? n : end - i;
		text_add_shown(t, s + i, n);
		i += n;
		if (i < end) {
			text_add(t, "; ");
			i++;
		}
	}
}

static void print_json(struct log *log, enum log_level level, const char *message)
{
	_cleanup_text_ struct text line = {0};

	text_addf(&line, "{\"severity\":\"%s\",\"time\":\"", level_names[level].severity);
	text_add_now(&line);
	text_add(&line, "\",\"message\":");
	text_add_json(&line, message);
	text_add(&line, "}\n");
	/* Half an object would be worse than none of the words. */
	if (text_error(&line) < 0)
		fprintf(log->out, "{\"severity\":\"%s\",\"message\":\"out of memory\"}\n", level_names[level].severity);
	else
		fputs(line.s, log->out);
}

static void keep_error(struct log *log, const char *message)
{
	_cleanup_free_ char *before = TAKE(log->last_error);

	log->last_error = strdup(message);
	log->n_earlier += before != NULL;
	if (before && log->earlier.len < ROOM)
		text_addf(&log->earlier, "%s\n", before);
}

static bool must_wait(const struct log *log, enum log_level level, bool placed)
{
	return log->waits && !log->json && !log_shows_all(log) &&
		(level == LEVEL_WARNING || (level == LEVEL_ERROR && placed && log->errors_wait));
}

void log_wait_for_room(struct log *log)
{
	log->waits = true;
}

void log_wait_with_errors(struct log *log)
{
	log->errors_wait = true;
}

static size_t prefix_length(enum log_level level)
{
	return strlen("cloud-audit-setup: : ") + strlen(level_names[level].text);
}

static size_t rows_of(enum log_level level, size_t n)
{
	return (prefix_length(level) + n + COLUMNS - 1) / COLUMNS;
}

/* How many bytes of a message there are room for, cut at a character's end. */
static size_t cut(enum log_level level, const char *message)
{
	size_t n = strlen(message);

	if (rows_of(level, n) <= MOST)
		return n;
	n = MOST * COLUMNS - prefix_length(level) - strlen(cut_short);
	while (n > 0 && ((unsigned char)message[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void print_text(struct log *log, enum log_level level, const char *message, size_t n)
{
	fprintf(log->out, "cloud-audit-setup: %s%s%s: %.*s%s\n", terminal_colour(log->colour, level_names[level].colour),
		level_names[level].text, terminal_colour(log->colour, COLOUR_NONE), (int)n, message,
		message[n] ? cut_short : "");
}

static void print_message(struct log *log, enum log_level level, const char *message, size_t n)
{
	if (log->unfinished)
		fputs("\r\033[K", log->out);
	log->unfinished = false;
	log->rows += rows_of(level, n + (message[n] ? strlen(cut_short) : 0));
	if (log->json)
		print_json(log, level, message);
	else
		print_text(log, level, message, n);
}

/* placed: about a line of a file. */
static void log_put(struct log *log, enum log_level level, bool placed, const char *message)
{
	log->count[level]++;
	if (level == LEVEL_ERROR)
		keep_error(log, message);
	if (level > log->level)
		return;
	if (must_wait(log, level, placed))
		text_addf(&log->waiting[level + (level == LEVEL_WARNING && placed)], "%s\n", message);
	else
		print_message(log, level, message, strlen(message));
}

/* The first error is said whatever room there is; nothing, where something that weighs more had no room. Returns how many had
 * none. */
static unsigned print_waiting(struct log *log, size_t i, size_t room, bool full)
{
	_cleanup_text_ struct text all = log->waiting[i];
	enum log_level level = i == LEVEL_ERROR ? LEVEL_ERROR : LEVEL_WARNING;
	bool always = level == LEVEL_ERROR;
	unsigned held = 0;
	char *rest = NULL;

	log->waiting[i] = (struct text){0};
	if (text_error(&all) < 0)
		print_message(log, level, "out of memory", strlen("out of memory"));
	for (char *line = all.s ? strtok_r(all.s, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
		size_t n = cut(level, line);

		if (always || (!full && log->rows + rows_of(level, n + (line[n] ? strlen(cut_short) : 0)) + MORE <= room))
			print_message(log, level, line, n);
		else
			held++;
		always = false;
	}
	return held;
}

size_t log_use_room(struct log *log, size_t rows)
{
	_cleanup_text_ struct text more = {0};
	unsigned held = 0, errors = 0;

	if (!log->waits)
		return log->rows;
	for (size_t i = 0; i < ARRAY_SIZE(log->waiting); i++) {
		held += print_waiting(log, i, rows, held > 0);
		errors += i == LEVEL_ERROR ? held : 0;
	}
	if (held > 0) {
		text_addf(&more, "%u more message%s: -v shows all", held, held == 1 ? "" : "s");
		print_message(log, errors > 0 ? LEVEL_ERROR : LEVEL_WARNING, more.s ? more.s : "", more.len);
	}
	return log->rows;
}

size_t log_end_room(struct log *log, size_t rows)
{
	log_use_room(log, rows);
	log->waits = false;
	return log->rows;
}

static void log_vat(struct log *log, enum log_level level, const char *file, unsigned line,
		    const char *format, va_list args) _printf_format_(5, 0);
static void log_vat(struct log *log, enum log_level level, const char *file, unsigned line,
		    const char *format, va_list args)
{
	_cleanup_free_ char *raw = NULL;
	_cleanup_text_ struct text message = {0};

	if (vasprintf(&raw, format, args) < 0) {
		raw = NULL;
		log_put(log, level, false, "out of memory while writing a message");
		return;
	}
	if (log->listen && level <= LEVEL_WARNING)
		log->listen(log->listener, level, file, line, raw);
	/* A file's name may have newlines, too: it comes from a command line or a directory. */
	if (file)
		add_one_line(&message, file);
	if (file && line)
		text_addf(&message, ":%u", line);
	text_add(&message, file ? ": " : "");
	add_one_line(&message, raw);
	/* A cause that is cut short is none: without memory, what was made first is said. */
	if (text_error(&message) < 0)
		for (char *s = raw; *s; s++)
			*s = (unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f ? ' ' : *s;
	log_put(log, level, file != NULL, text_error(&message) < 0 ? raw : message.s ? message.s : "");
}

void log_say(struct log *log, enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vat(log, level, NULL, 0, format, args);
	va_end(args);
}

void log_at(struct log *log, enum log_level level, const char *file, unsigned line,
	    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vat(log, level, file, line, format, args);
	va_end(args);
}

int log_no_memory(struct log *log)
{
	log_say(log, LEVEL_ERROR, "out of memory");
	return -ENOMEM;
}

void log_conclude(struct log *log, const char *format, ...)
{
	_cleanup_free_ char *cause = TAKE(log->last_error), *both = NULL;
	va_list args;

	va_start(args, format);
	log_vat(log, LEVEL_ERROR, NULL, 0, format, args);
	va_end(args);
	if (!cause || !log->last_error || asprintf(&both, "%s; %s", cause, log->last_error) < 0)
		return;
	free(log->last_error);
	log->last_error = TAKE(both);
}

unsigned log_count(const struct log *log, enum log_level level)
{
	return log->count[level];
}

const char *log_last_error(const struct log *log)
{
	return log->last_error;
}

/* How many bytes of the text its whole lines take that fit into the room; *ret_n: how many lines these are. */
static size_t whole_lines(const struct text *t, size_t room, unsigned *ret_n)
{
	size_t length = 0;

	*ret_n = 0;
	for (const char *end; t->s && (end = strchr(t->s + length, '\n')) && (size_t)(end + 1 - t->s) <= room; ++*ret_n)
		length = (size_t)(end + 1 - t->s);
	return length;
}

void log_add_errors(const struct log *log, struct text *out)
{
	const char *last = log->last_error ? log->last_error : "";
	size_t length = strlen(last), room = ROOM - strlen("\n");
	unsigned n;

	length = length < room ? length : room;
	room -= length;
	if (whole_lines(&log->earlier, room, &n) == log->earlier.len && n == log->n_earlier) {
		text_add(out, log->earlier.s ? log->earlier.s : "");
	} else {
		size_t fits = whole_lines(&log->earlier, room > COUNT ? room - COUNT : 0, &n);

		text_add_bytes(out, log->earlier.s ? log->earlier.s : "", fits);
		if (room > COUNT)
			text_addf(out, "(%u more errors)\n", log->n_earlier - n);
	}
	text_add_bytes(out, last, length);
	text_add(out, "\n");
}
