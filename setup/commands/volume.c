#include "setup/commands/commands.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "setup/journal/since.h"
#include "setup/output/evidence.h"
#include "setup/volume/print.h"

#define LIVE UINT64_C(3600000000)	/* a journal with nothing newer is a copy, or of a machine that is off */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Which time is meant. 0, or -EINVAL, logged. */
static int read_since(const struct context *c, uint64_t at, uint64_t *ret)
{
	const char *word = c->options->since ? c->options->since : "1d";
	int r = since_parse(word, at, ret);

	if (r == -ERANGE)
		log_say(c->log, LEVEL_ERROR, "--since '%s' is yet to come", word);
	else if (r < 0)
		log_say(c->log, LEVEL_ERROR, "--since: expected a time such as 1h, today, 08:00 or '2026-11-29 08:00', not '%s'",
			word);
	return r < 0 ? -EINVAL : 0;
}

static void say_unreadable(const struct context *c, int r)
{
	const char *root = c->host.root;

	if (r == -EACCES)
		log_say(c->log, LEVEL_ERROR, "the journal below %s may not be read by this user: run as root, or as a member of "
			"the group systemd-journal", root);
	else if (r == -ENOENT)
		log_say(c->log, LEVEL_ERROR, "there is no journal below %s, neither in /var/log/journal nor in /run/log/journal: "
			"point --root at the host's root, and in a container mount these two", root);
	else
		log_say(c->log, LEVEL_ERROR, "the journal below %s cannot be read: %s", root, strerror(-r));
}

static void say_nothing_there(const struct context *c, const struct records_span *span)
{
	if (span->to == 0)
		log_say(c->log, LEVEL_WARNING, "the journal below %s is empty", c->host.root);
	else
		log_say(c->log, LEVEL_WARNING, "the journal has no audit record of that time: auditing is off, or journald does "
			"not take the records (journal.reader=enable has it do so), or nothing was to be recorded; "
			"cloud-audit-setup verify tells which");
}

static int print(const struct context *c, const struct volume *volume)
{
	_cleanup_text_ struct text out = {0};

	if (c->options->output == OUTPUT_JSON) {
		text_add(&out, "{\"command\":\"volume\",\"status\":0");
		volume_add_json(&out, volume);
		evidence_add_origin(&out, c->options, &c->host);
		text_add(&out, "}\n");
	} else if (volume->account->all.records > 0) {
		volume_print(&out, volume, c->options->level == LEVEL_DEBUG, c->terminal.out);
	}
	if (text_error(&out) < 0)
		return log_no_memory(c->log);
	fputs(out.s ? out.s : "", stdout);
	return 0;
}

enum exit_status command_volume(struct context *c)
{
	_cleanup_(account_done) struct account account = {0};
	_cleanup_(savings_done) struct savings savings = {0};
	struct records_span span;
	struct volume volume = { .account = &account, .savings = &savings, .span = &span, .until = now() };
	uint64_t since;
	int r;

	if (read_since(c, volume.until, &since) < 0)
		return STATUS_USAGE;
	r = account_init(&account);
	if (r == 0)
		r = journal_records(&c->host, since, c->log, &span, account_take, &account);
	if (r < 0 && r != -ENOMEM) {
		say_unreadable(c, r);
		return STATUS_NODE;
	}
	if (r == 0)
		r = account_finish(&account);
	if (r == 0)
		r = savings_find(&savings, &account, &c->config, &c->host);
	if (r < 0) {
		log_no_memory(c->log);
		return STATUS_NODE;
	}
	if (span.to + LIVE < volume.until && span.to > since)
		volume.until = span.to;
	if (account.all.records == 0)
		say_nothing_there(c, &span);
	return print(c, &volume) < 0 ? STATUS_NODE : STATUS_DONE;
}
