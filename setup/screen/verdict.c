#include "setup/screen/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "setup/checks/groups.h"
#include "setup/checks/told.h"
#include "setup/node/wanted_node.h"
#include "setup/screen/rows.h"

/* What a row has said before. */
struct said {
	bool rules;	/* that none of ours is in force */
	bool all;	/* that nothing of ours is on the node */
};

static void add_time(char *ret, size_t size, uint64_t microseconds)
{
	time_t seconds = (time_t)(microseconds / 1000000);
	struct tm tm;

	if (microseconds == 0 || !gmtime_r(&seconds, &tm) || strftime(ret, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		ret[0] = '\0';
}

static void add_verdict(struct screen *screen, const struct context *c, const struct checks *checks, enum exit_status status)
{
	size_t failed = checks_failed(checks), counted = checks_counted(checks);

	if (c->options->every) {
		char now[64];

		add_time(now, sizeof(now), (uint64_t)time(NULL) * 1000000);
		screen_line(screen, COLOUR_DIM, "--- %s", now);
	}
	if (status == STATUS_DONE)
		screen_line(screen, COLOUR_GOOD, "the node matches: %zu checks", counted);
	else if (status == STATUS_LOCKED)
		screen_line(screen, COLOUR_BAD, "the node differs, and is locked: %zu of %zu checks failed", failed, counted);
	else
		screen_line(screen, COLOUR_BAD, "the node differs: %zu of %zu checks failed", failed, counted);
	rows_configuration(screen, c);
}

static void add_lock(struct screen *screen, const struct context *c)
{
	if (node_locked(&c->node))
		screen_row(screen, "Lock", "yes, until the next boot");
	else if (c->node.status.enabled == 0)
		screen_row(screen, "Lock", "NO: auditing is off, and nothing is recorded");
	else
		screen_row(screen, "Lock", c->config.lock ? "NO, though [audit] lock = yes: root can change the rules" :
			   "no ([audit] lock = no): root can change the rules");
}

static int add_rules(struct screen *screen, const struct context *c)
{
	_cleanup_(groups_done) struct groups groups = {0};
	_cleanup_text_ struct text list = {0};
	char since[64];

	if (groups_count(&groups, &c->wanted, &c->config, &c->node) < 0)
		return -ENOMEM;
	groups_add(&list, &groups, SCREEN_STAY);
	if (text_error(&list) < 0)
		return -ENOMEM;
	add_time(since, sizeof(since), c->node.loaded);
	screen_row(screen, "Rules", "%zu wanted, %zu in force%s%s", groups.wanted, groups.in_force,
		   *since ? "; loaded " : "", since);
	screen_row(screen, "", "%s", list.s ? list.s : "none");
	if (groups.others > 0)
		screen_row(screen, "", "%zu more in force that nobody here asked for%s", groups.others,
			   c->config.existing == EXISTING_KEEP ? " ([rules] existing = keep)" : "");
	if (c->wanted.left_out.n_rules > 0)
		screen_row(screen, "", "%zu left out, as the kernel would refuse them (-v: which)", c->wanted.left_out.n_rules);
	return 0;
}

static void add_records(struct screen *screen, const struct context *c)
{
	const struct audit_reader *reader = &c->node.reader;
	const struct kernel_status *status = &c->node.status;
	char why[160];

	screen_row(screen, "Records", "%" PRIu32 " lost since boot; %" PRIu32 " of %" PRIu32 " in the backlog", status->lost,
		   status->backlog, status->backlog_limit);
	reader_print(reader, why, sizeof(why));
	if (c->config.reader == READER_IGNORE)
		screen_row(screen, "Reader", "not looked for ([journal] reader = ignore)");
	else if (reader->unknown)
		screen_row(screen, "Reader", "%s", why);
	else if (!reader->journal)
		screen_row(screen, "Reader", "NOT the journal: %s", why);
	else if (reader->socket && reader->pid != 0)
		screen_row(screen, "Reader", "the journal, by its audit socket; %s", why);
	else
		screen_row(screen, "Reader", reader->socket ? "the journal, by its audit socket" : "the journal: %s", why);
}

static bool is_said(const struct check *check, const struct said *said)
{
	bool ours = check->kind == CHECK_FILE || check->kind == CHECK_UNIT || check->kind == CHECK_SETTING ||
		check->kind == CHECK_LOCK || check->kind == CHECK_HOST;

	return (said->rules && !check->listed && (check->rule || check->kind == CHECK_RULE)) || (said->all && ours);
}

static int add_failed(struct screen *screen, const struct context *c, const struct checks *checks, bool notices,
		      const struct said *said)
{
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];
		_cleanup_text_ struct text wanted = {0}, there = {0};

		if (check->ok || check->skip || (check->kind == CHECK_NOTICE) != notices || is_said(check, said) ||
		    (notices && check->elsewhere && c->options->level < LEVEL_DEBUG))
			continue;
		text_add(&wanted, "wanted: ");
		text_add(&there, "there:  ");
		told_add(check, &wanted, &there);
		if (there.len == strlen("there:  "))
			text_add(&there, "it is not so");
		if (text_error(&wanted) < 0 || text_error(&there) < 0)
			return -ENOMEM;
		screen_detail(screen, notices ? "Note" : "Differs", wanted.s, there.s);
	}
	return 0;
}

/* What to do about the first that says it by its kind. */
static void add_next(struct screen *screen, const struct context *c, const struct checks *checks)
{
	const char *next = NULL;

	for (size_t i = 0; i < CHECK_KINDS && !next; i++)
		if (checks->failed[i] > 0)
			next = told_do(c, (enum check_kind)i);
	if (node_locked(&c->node) && checks->failed[CHECK_RULE] + checks->failed[CHECK_SETTING] > 0)
		next = told_do(c, CHECK_RULE);
	if (next)
		screen_row(screen, "Next", "%s", next);
}

int verdict_print(const struct context *c, const struct checks *checks, enum exit_status status)
{
	_cleanup_text_ struct text gone = {0};
	struct screen screen = { .colour = c->terminal.out };
	struct said said = { .rules = told_all_gone(c, checks, &gone) };
	int r;

	said.all = said.rules && c->wanted.files[FILE_RULES].s && !wanted_any_ours(&c->wanted, &c->node) &&
		!c->node.files[FILE_RULES].s;
	add_verdict(&screen, c, checks, status);
	rows_node(&screen, c, "");
	add_lock(&screen, c);
	r = add_rules(&screen, c);
	add_records(&screen, c);
	if (said.rules)
		screen_detail(&screen, "Differs", gone.s ? gone.s : "", NULL);
	if (r == 0)
		r = add_failed(&screen, c, checks, false, &said);
	if (r == 0)
		r = add_failed(&screen, c, checks, true, &said);
	add_next(&screen, c, checks);
	screen.failed = screen.failed || r < 0;
	return rows_print(&screen, c);
}
