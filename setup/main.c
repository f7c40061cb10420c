#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rules/rule/data.h"
#include "setup/base/text.h"
#include "setup/commands/commands.h"
#include "setup/config/config_keys.h"
#include "setup/every.h"
#include "setup/host/hostlock.h"
#include "setup/outfile.h"
#include "setup/output/report.h"
#include "setup/output/sarif.h"
#include "setup/rights/confine.h"
#include "setup/screen/layout.h"

/* Kubernetes shows the content of this file as the reason why a container ended
 * (terminationMessagePath); it is there only in a Pod. */
static void leave_termination_message(const struct log *log)
{
	_cleanup_text_ struct text message = {0};
	_cleanup_close_ int fd = -1;

	if (!log_last_error(log))
		return;
	log_add_errors(log, &message);
	fd = open("/dev/termination-log", O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	/* It was said on stderr too: a failure here takes nothing away. */
	if (fd >= 0 && message.s && write(fd, message.s, message.len) < 0)
		return;
}

/* Only what changes nothing, and tells what it has not seen, does without systemd. */
static int check_bus(const struct context *c)
{
	enum command command = c->options->command;

	if (!config_without_bus(&c->config) || (command != COMMAND_APPLY && command != COMMAND_PLAN && command != COMMAND_REMOVE))
		return 0;
	log_say(c->log, LEVEL_ERROR, "%s: [dbus] address = none: %s needs systemd, and verify alone does without; set address = auto",
		config_source(&c->config, "dbus", "address"), options_command(c->options));
	return -EINVAL;
}

/* With the section, where only one has the key. */
static void say_bad_set(struct log *log, const char *set)
{
	const char *found = NULL, *section, *key;
	size_t n = 0;

	for (size_t i = 0; config_row(i, &section, &key); i++) {
		if (strncmp(key, set, strlen(key)) != 0 || set[strlen(key)] != '=')
			continue;
		found = section;
		n++;
	}
	if (n == 1)
		log_say(log, LEVEL_ERROR, "--set %s: expected SECTION.KEY=VALUE; did you mean '%s.%s'? (see --help)", set, found, set);
	else
		log_say(log, LEVEL_ERROR, "--set %s: expected SECTION.KEY=VALUE (see --help)", set);
}

/* The file first, then --set in order; everything wrong in either is said. */
static int load_config(struct context *c)
{
	const struct options *o = c->options;
	const char *file = o->config ? o->config : DEFAULT_CONFIG;
	int r = config_init(&c->config), worst = 0;

	if (r < 0)
		return r;
	r = config_read(&c->config, file, c->log);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT && o->config)
		log_at(c->log, LEVEL_ERROR, file, 0, "does not exist; create it, or leave out --config for "
		       "the defaults");
	if (r < 0 && (r != -ENOENT || o->config))
		worst = r;
	for (size_t i = 0; i < o->n_set; i++) {
		r = config_override(&c->config, o->set[i], c->log);
		if (r == -EBADMSG) {
			say_bad_set(c->log, o->set[i]);
			return r;
		}
		if (r == -ENOMEM)
			return r;
		worst = r < 0 ? r : worst;
	}
	r = config_check(&c->config, c->log);
	worst = r < 0 ? r : worst;
	return worst == -ENOMEM || check_bus(c) == 0 ? worst : -EINVAL;
}

/* A set that records nothing is valid, and hardly meant. */
static void warn_empty(const struct context *c)
{
	const struct rule_set *set = &c->wanted.rules;

	/* The last one ends the file, and matches nothing; what is on the list exclude is dropped, whatever the action. */
	for (size_t i = 0; i + 1 < set->n_rules; i++)
		if (set->rules[i].data->action == AUDIT_ALWAYS && data_list(set->rules[i].data) != AUDIT_FILTER_EXCLUDE)
			return;
	log_say(c->log, LEVEL_WARNING, "no rule records anything: every group of [events] is off, and [rules] directory (%s) has "
		"no rule that does", config_value(&c->config, "rules", "directory"));
}

/* Of the lock that another run had when the rules were read. 0 or negative errno, logged; -EINVAL: the rules have a mistake
 * now. */
static int take_lock(struct context *c, enum log_level no_auditctl)
{
	int r = hostlock_take(&c->host, (uint64_t)c->config.start_timeout, c->log, &c->lock);

	if (r < 0 || c->lock < 0 || c->options->command != COMMAND_APPLY)
		return r < 0 ? r : 0;
	/* Whom it waited for may have made, or deleted, what rules are about. */
	wanted_done(&c->wanted);
	return wanted_build(&c->wanted, &c->config, &c->host, c->options->machine, no_auditctl, c->log);
}

/* Is it for a machine that nothing is known of? */
static bool is_elsewhere(const struct options *o)
{
	return o->command == COMMAND_RENDER && o->render == RENDER_CLOUD_CONFIG;
}

/* Files that are checked by themselves are of no node. */
static void say_mistakes(const struct context *c)
{
	unsigned n = log_count(c->log, LEVEL_ERROR);
	const char *s = n == 1 ? "" : "s";

	if (c->options->n_files > 0)
		log_say(c->log, LEVEL_INFO, "%u mistake%s in all", n, s);
	else
		log_say(c->log, LEVEL_INFO, "the configuration has %u mistake%s; the node is untouched", n, s);
}

static enum exit_status run(struct context *c)
{
	static enum exit_status (*const commands[])(struct context *) = {
		[COMMAND_APPLY] = command_apply, [COMMAND_PLAN] = command_plan,
		[COMMAND_RENDER] = command_render, [COMMAND_VERIFY] = command_verify,
		[COMMAND_VOLUME] = command_volume, [COMMAND_EXPLAIN] = command_explain,
		[COMMAND_REMOVE] = command_remove,
	};
	const struct options *o = c->options;
	bool needs_rules = o->command != COMMAND_REMOVE && o->command != COMMAND_VOLUME && o->command != COMMAND_EXPLAIN;
	bool changes = o->command == COMMAND_APPLY || o->command == COMMAND_REMOVE;
	enum log_level no_auditctl = o->command == COMMAND_PLAN ? LEVEL_WARNING : LEVEL_DEBUG;
	int config = load_config(c), r;

	if (config == -EBADMSG)
		return STATUS_USAGE;
	c->config.rules_files = o->files;
	c->config.n_rules_files = o->n_files;
	c->config.host_unseen = (o->n_files > 0 || is_elsewhere(o)) && !o->root_given;
	/* A watch is optimised by what there is at its path. */
	c->config.optimise = c->config.optimise && !is_elsewhere(o);
	/* What was read is not whole, and nothing more is made of it. */
	if (config == -ENOMEM) {
		log_say(c->log, LEVEL_ERROR, "out of memory; the node is untouched");
		return STATUS_NODE;
	}
	r = host_open_root(&c->host, o->root);
	/* In the image the default is where a node's root is mounted, which a check of files does without. */
	if (r < 0 && c->config.host_unseen)
		r = host_open_root(&c->host, "/");
	if (r < 0) {
		log_say(c->log, LEVEL_ERROR, "the host's root %s cannot be opened: %s; mount it there, or "
			"name another with --root", o->root, strerror(-r));
		return config < 0 ? STATUS_CONFIG : STATUS_NODE;
	}
	if (config == 0 && o->command == COMMAND_APPLY)
		no_auditctl = LEVEL_ERROR;
	/* What rules are about is not changed by another run from here on; who has to wait for one hears of mistakes before. */
	if (config == 0 && changes)
		c->lock = hostlock_try(&c->host);
	r = needs_rules ? wanted_build(&c->wanted, &c->config, &c->host, o->machine, no_auditctl, c->log) : 0;
	if (config < 0 || r == -EINVAL) {
		say_mistakes(c);
		return STATUS_CONFIG;
	}
	if (r == -ENOMEM)
		log_say(c->log, LEVEL_ERROR, "out of memory; the node is untouched");
	if (r == 0 && needs_rules && o->n_files == 0)
		warn_empty(c);
	if (r == 0 && changes && c->lock < 0)
		r = take_lock(c, no_auditctl);
	if (r == -EINVAL)
		return STATUS_CONFIG;
	return r < 0 ? STATUS_NODE : commands[o->command](c);
}

/* Did the run end before its result? Exit status 4 and 5 are results. */
static bool failed(enum exit_status status)
{
	return status == STATUS_NODE || status == STATUS_USAGE || status == STATUS_CONFIG;
}

/* The reader of a pipe is gone when it has seen enough, as head(1) has. */
static bool nobody_reads(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

/* What is left of the result goes out; the exit status of a run whose result does not. */
static int finish_output(const struct context *c, enum exit_status status)
{
	struct log *log = c->log;
	int last = outfile_flush(), r = c->out_error < 0 ? c->out_error : last;

	if (r == 0)
		return (int)status;
	if (!nobody_reads()) {
		/* The last error is why a container ended: that stays the failure. */
		outfile_failed(log, failed(status) ? LEVEL_WARNING : LEVEL_ERROR, "stdout", r);
		return (int)(status == STATUS_DONE ? STATUS_NODE : status);
	}
	if (status != STATUS_DONE)
		return (int)status;
	/* As other tools end there, but with everything done: until here the signal was ignored. */
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
	return 128 + SIGPIPE;
}

/* What stays from one result to the next. */
struct repeat {
	struct context *first;
	char digest[65];
};

/* On a terminal what people read fits it, the result with what is said; what is kept, as a Pod's log, has all of it. */
static bool for_people(const struct context *c)
{
	const struct options *o = c->options;

	return c->terminal.screen && o->output == OUTPUT_TEXT && (o->command == COMMAND_APPLY || o->command == COMMAND_REMOVE ||
		o->command == COMMAND_VERIFY || (o->command == COMMAND_PLAN && !o->diff));
}

/* May it take the place of the last one in the file? As text a run that failed has none. */
static bool is_result(const struct context *c, enum exit_status status)
{
	return !c->same && (!failed(status) || c->options->output != OUTPUT_TEXT);
}

/* Each result's metrics, whether it is printed or not: their age tells that somebody looks. */
static int write_metrics(struct context *c)
{
	if (!c->options->textfile || !c->metrics.s)
		return 0;
	return text_error(&c->metrics) < 0 ? log_no_memory(c->log) : outfile_put(c->options->textfile, &c->metrics, c->log);
}

/* A failure is said each time: a watcher whose metrics are old is taken for one that is well. */
static enum exit_status with_metrics(struct context *c, enum exit_status status)
{
	if (write_metrics(c) == 0)
		return status;
	c->same = false;
	return status == STATUS_DONE ? STATUS_NODE : status;
}

/* Who pressed ^C has seen nothing come of it. */
static void say_signal(const struct context *c)
{
	const char *name = confine_waiting_signal();

	if (name && !c->options->every)
		log_say(c->log, LEVEL_WARNING, "%s came while the node was changed: what it had begun was brought to its end", name);
}

/* One result, on standard output or in its file. */
static enum exit_status result(struct context *c)
{
	struct outfile file = { .out = -1 };
	_cleanup_(sarif_freep) struct sarif *sarif = NULL;
	enum exit_status status;

	if (c->options->output_file && outfile_begin(&file, c->options->output_file, c->log) < 0) {
		report_failed(c, STATUS_NODE);
		return with_metrics(c, STATUS_NODE);
	}
	sarif = c->options->output == OUTPUT_SARIF ? sarif_new(c->log) : NULL;
	if (for_people(c))
		log_wait_for_room(c->log);
	status = run(c);
	say_signal(c);
	log_end_room(c->log, SCREEN_ROWS - 1);
	if (sarif)
		sarif_print(sarif, status == STATUS_DONE || status == STATUS_CONFIG, (int)status);
	if (failed(status))
		report_failed(c, status);
	if (c->options->output_file && outfile_end(&file, is_result(c, status), c->log) < 0 && status == STATUS_DONE) {
		status = STATUS_NODE;
		report_failed(c, status);
	}
	return with_metrics(c, status);
}

/* With --changes messages are those of a result that is printed. */
static enum exit_status next_result(void *user)
{
	struct repeat *repeat = user;
	_cleanup_(context_done) struct context c = { .options = repeat->first->options, .log = repeat->first->log,
						      .terminal = repeat->first->terminal, .lock = -1 };
	bool changes = c.options->changes;
	char *messages = NULL;
	size_t size;
	FILE *buffer = changes ? open_memstream(&messages, &size) : NULL, *out = NULL;
	enum exit_status status;
	int r;

	c.digest = changes ? repeat->digest : NULL;
	log_begin_anew(c.log);
	if (buffer)
		out = log_set_out(c.log, buffer);
	status = result(&c);
	r = outfile_flush();
	/* It ends the run (in_vain()), but where results have a file. */
	if (r < 0 && !c.options->output_file)
		repeat->first->out_error = r;
	if (!buffer)
		return status;
	log_set_out(c.log, out);
	fclose(buffer);
	if (!c.same && messages)
		fputs(messages, out);
	free(messages);
	return status;
}

/* A file is collected from time to time; of standard output the reader may have gone, or the disk be full. */
static bool in_vain(void *user)
{
	const struct repeat *repeat = user;

	return !repeat->first->options->output_file && (ferror(stdout) || nobody_reads());
}

int main(int argc, char **argv)
{
	const struct terminal terminal = terminal_look();
	_cleanup_(log_freep) struct log *log = log_new(stderr);
	_cleanup_(options_done) struct options options = {0};
	_cleanup_(context_done) struct context context = { .options = &options, .log = log, .terminal = terminal,
							    .lock = -1 };
	struct repeat repeat = { .first = &context };
	enum exit_status status;
	int r, code;

	confine_process();
	/* Sorting and case are those of the C locale, whatever the environment says. */
	setlocale(LC_ALL, "C");
	if (!log) {
		fputs("cloud-audit-setup: error: out of memory; the node is untouched\n", stderr);
		return STATUS_NODE;
	}
	log_set_colour(log, terminal.err);
	log_set_progress(log, terminal.progress);
	r = confine_capabilities(CONFINE_START);
	if (r < 0)
		log_say(log, LEVEL_WARNING, "capabilities cannot be dropped: %s; going on with them", strerror(-r));
	r = options_parse(&options, argc, argv, log);
	log_set_level(log, r > 0 ? options.level : LEVEL_INFO);
	/* Who types it without a command may not mean to lock the node. */
	if (r > 0 && !options.command_given && terminal.typed) {
		options_print_usage(stderr);
		status = STATUS_USAGE;
	} else if (r > 0) {
		status = options.every ? every_interval(options.every, next_result, in_vain, &repeat) : result(&context);
	} else {
		if (r == -ENOMEM)
			log_say(log, LEVEL_ERROR, "out of memory; the node is untouched");
		status = r == 0 ? STATUS_DONE : r == -EINVAL ? STATUS_USAGE : STATUS_NODE;
	}
	code = finish_output(&context, status);
	if (code != STATUS_DONE)
		leave_termination_message(log);
	return code;
}
