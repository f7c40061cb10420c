#include "setup/volume/print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/base/terminal.h"

enum { ROWS = 4, NAME = 34 };	/* rows of a table, columns of a name */
#define MINUTE UINT64_C(60000000)
#define MONTH_MINUTES (30 * 24 * 60)

static double minutes(const struct volume *volume)
{
	uint64_t span = volume->until > volume->span->from ? volume->until - volume->span->from : 0;

	/* What is shorter than a second says nothing of a minute. */
	return (double)(span < MINUTE / 60 ? MINUTE / 60 : span) / (double)MINUTE;
}

/* "1.23 MB"; three digits, the way disks are sold and logs are billed. */
static const char *size_of(char out[16], double bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	size_t unit = 0;

	for (; bytes >= 999.5 && unit + 1 < ARRAY_SIZE(units); unit++)
		bytes /= 1000;
	snprintf(out, 16, "%.*f %s", unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2, bytes, units[unit]);
	return out;
}

static const char *count_of(char out[32], uint64_t n)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

static double share(const struct volume *volume, const struct sum *sum)
{
	uint64_t all = volume->account->all.bytes;

	return all ? 100.0 * (double)sum->bytes / (double)all : 0;
}

static double monthly(const struct volume *volume, uint64_t n)
{
	return (double)n / minutes(volume) * MONTH_MINUTES;
}

/* A name in so many columns: of a longer one its end, which tells programs apart. */
static void add_name(struct text *out, const char *name, int columns, bool all)
{
	size_t n = strlen(name), room = (size_t)columns;

	if (n <= room || all)
		text_addf(out, "%-*s", columns, name);
	else
		text_addf(out, "...%s", name + n - (room - 3));
}

static void add_time(struct text *out, uint64_t at)
{
	time_t seconds = (time_t)(at / 1000000);
	char text[32] = "?";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%F %T", &tm);
	text_add(out, text);
}

static void add_head(struct text *out, const struct volume *volume)
{
	const struct sum *all = &volume->account->all;
	double per = minutes(volume);
	char a[32], b[32], c[16], d[16], e[16];

	text_add(out, "Audit records from ");
	add_time(out, volume->span->from);
	text_add(out, " to ");
	add_time(out, volume->until);
	text_addf(out, "\n%s records of %s events, %s of text\n", count_of(a, all->records), count_of(b, all->events),
		  size_of(c, (double)all->bytes));
	text_addf(out, "%.1f records and %s a minute: in a month of 30 days %s\n", (double)all->records / per,
		  size_of(d, (double)all->bytes / per), size_of(e, monthly(volume, all->bytes)));
}

static void add_table(struct text *out, const struct volume *volume, const char *head, const struct tallies *tallies, bool all,
		      bool colour)
{
	size_t n = all || tallies->n <= ROWS ? tallies->n : ROWS;

	text_addf(out, "%s%-*s %12s %10s %6s %12s%s\n", terminal_colour(colour, COLOUR_HEAD), NAME, head, "records", "text",
		  "share", "a month", terminal_colour(colour, COLOUR_NONE));
	for (size_t i = 0; i < n; i++) {
		const struct sum *sum = &tallies->items[i].sum;
		char a[32], b[16], c[16];

		add_name(out, tallies->items[i].name, NAME, all);
		text_addf(out, " %12s %10s %4.0f %% %12s\n", count_of(a, sum->records), size_of(b, (double)sum->bytes),
			  share(volume, sum), size_of(c, monthly(volume, sum->bytes)));
	}
}

static void add_savings(struct text *out, const struct volume *volume, bool all, bool colour)
{
	size_t shown = 0;

	if (volume->savings->n == 0)
		return;
	text_addf(out, "%s%-*s  share    a month  and lose%s\n", terminal_colour(colour, COLOUR_HEAD), NAME,
		  all ? "Each by itself would save" : "Each by itself would save (-v: all)",
		  terminal_colour(colour, COLOUR_NONE));
	for (size_t i = 0; i < volume->savings->n && (all || shown < ROWS); i++) {
		const struct saving *saving = &volume->savings->items[i];
		char size[16];

		if (saving->whole && !all)
			continue;
		shown++;
		add_name(out, saving->setting, NAME, all);
		text_addf(out, " %s%3.0f %% %10s  %s\n", saving->most ? "<" : " ", share(volume, &saving->sum),
			  size_of(size, monthly(volume, saving->sum.bytes)), saving->loses);
	}
}

void volume_print(struct text *out, const struct volume *volume, bool all, bool colour)
{
	const struct account *account = volume->account;

	add_head(out, volume);
	add_table(out, volume, "Group", &account->groups, all, colour);
	add_table(out, volume, "Record type", &account->types, all, colour);
	add_table(out, volume, "Program", &account->programs, all, colour);
	add_savings(out, volume, all, colour);
}

static void add_sum(struct text *out, const struct sum *sum, bool events)
{
	if (events)
		text_addf(out, ",\"events\":%" PRIu64, sum->events);
	text_addf(out, ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64, sum->records, sum->bytes);
}

static void add_list(struct text *out, const char *name, const struct tallies *tallies, bool events)
{
	text_addf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < tallies->n; i++) {
		text_add(out, i ? ",{\"name\":" : "{\"name\":");
		text_add_json(out, tallies->items[i].name);
		add_sum(out, &tallies->items[i].sum, events);
		text_add(out, "}");
	}
	text_add(out, "]");
}

static void add_moment(struct text *out, const char *name, uint64_t at)
{
	text_addf(out, ",\"%s\":\"", name);
	text_add_time(out, at);
	text_add(out, "\"");
}

void volume_add_json(struct text *out, const struct volume *volume)
{
	const struct account *account = volume->account;
	const struct records_span *span = volume->span;

	add_moment(out, "from", span->from);
	add_moment(out, "to", volume->until);
	add_sum(out, &account->all, true);
	text_addf(out, ",\"per_minute\":{\"records\":%.6f,\"bytes\":%.6f}", (double)account->all.records / minutes(volume),
		  (double)account->all.bytes / minutes(volume));
	text_addf(out, ",\"per_month\":{\"records\":%.0f,\"bytes\":%.0f}", monthly(volume, account->all.records),
		  monthly(volume, account->all.bytes));
	add_list(out, "groups", &account->groups, true);
	add_list(out, "types", &account->types, false);
	add_list(out, "programs", &account->programs, true);
	text_add(out, ",\"savings\":[");
	for (size_t i = 0; i < volume->savings->n; i++) {
		const struct saving *saving = &volume->savings->items[i];

		text_add(out, i ? ",{\"setting\":" : "{\"setting\":");
		text_add_json(out, saving->setting);
		add_sum(out, &saving->sum, false);
		text_addf(out, ",\"at_most\":%s,\"loses\":\"%s\"}", text_truth(saving->most), saving->loses);
	}
	text_addf(out, "],\"journal\":{\"files\":%zu,\"unread\":%zu,\"damaged\":%zu}", span->files, span->unread, span->damaged);
}
