#include "setup/checks/hazards.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "setup/base/cmdline.h"
#include "setup/config/config_keys.h"

#define AUDITD_CONF "/etc/audit/auditd.conf"

enum { PANIC = 2 };	/* auditctl -f */

struct look {
	const struct config *config;
	const struct node *node;
	void (*hazard)(void *context, const char *name, const char *detail);
	void *context;
	bool out_of_memory;
};

/* Takes detail; one that nothing was appended to stands for nothing the matter. */
static void tell(struct look *look, const char *name, struct text *detail)
{
	if (text_error(detail) < 0)
		look->out_of_memory = true;
	else
		look->hazard(look->context, name, detail->s);
	text_done(detail);
}

/* Booted with audit=1 the kernel keeps every record for a daemon, and while none has come it counts those beyond
 * backlog_limit as lost, although it has given them to the multicast group (kauditd_hold_skb() in kernel/audit.c:
 * without audit=1 it keeps none). */
static bool keeps_for_nobody(const struct node *node)
{
	return node->status.pid == 0 && (cmdline_has("audit=1") || cmdline_has("audit=on"));
}

static bool would_panic(const struct config *config, const struct node *node)
{
	return config->failure == PANIC && keeps_for_nobody(node);
}

static void look_panic(struct look *look)
{
	struct text detail = {0};

	if (would_panic(look->config, look->node))
		text_addf(&detail, "%s: [audit] failure = panic, and nobody holds the audit PID while the kernel was booted with "
			  "audit=1: it keeps every record for a daemon that does not come, and panics when backlog_limit is "
			  "reached, some thousand programs after a boot; set failure = printk, run an audit daemon, or boot "
			  "without audit=1", config_source(look->config, "audit", "failure"));
	tell(look, "records that nobody fetches do not panic the kernel", &detail);
}

/* What these do, said to who set them in so many words. */
static void look_panic_any(struct look *look)
{
	struct text detail = {0};

	if (look->config->failure == PANIC && !would_panic(look->config, look->node))
		text_addf(&detail, "%s: [audit] failure = panic: a record that the kernel cannot keep, as in a burst that fills the "
			  "backlog, stops the node at once, with all that runs on it; failure = printk says so in the kernel log "
			  "and goes on", config_source(look->config, "audit", "failure"));
	tell(look, "a lost record does not stop the node", &detail);
}

static void look_unlimited(struct look *look)
{
	struct text detail = {0};

	if (config_given(look->config, "audit", "backlog_limit") && look->config->backlog_limit == 0)
		text_addf(&detail, "%s: [audit] backlog_limit = 0: there is no limit, and while nobody takes the records, or too "
			  "slowly, they fill the kernel's memory, about 1 kB each, until the node runs out of it; a number, "
			  "such as 8192, bounds that", config_source(look->config, "audit", "backlog_limit"));
	tell(look, "records that wait cannot fill the kernel's memory", &detail);
}

static void look_stall(struct look *look)
{
	const struct kernel_status *status = &look->node->status;
	struct text detail = {0};

	/* With identity it is made short. */
	if (!look->config->lock || look->config->backlog_wait_time >= 0 || status->pid == 0 ||
	    (look->config->identity && !config_given(look->config, "audit", "backlog_wait_time")))
		return;
	if (status->backlog_wait_time > 0 && !node_locked(look->node))
		text_addf(&detail, "the lock makes backlog_wait_time = %" PRIu32 " jiffies (%.3g s) permanent: so long may every program "
			  "that causes a record have to wait while %s (PID %" PRIu32 ") is slow; for a second: [audit] "
			  "backlog_wait_time = %" PRIu32, status->backlog_wait_time,
			  (double)status->backlog_wait_time / status->hz,
			  *look->node->reader.name ? look->node->reader.name : "the audit daemon", status->pid, status->hz);
	tell(look, "the lock makes no long waits permanent", &detail);
}

/* Only what was given in so many words may lower what somebody gave the kernel; that is said once, before it is done. */
static void look_lowered(struct look *look)
{
	const struct config *config = look->config;
	const struct kernel_status *status = &look->node->status;
	struct text detail = {0};

	if (node_locked(look->node))
		return;
	/* 0 is no limit at all. */
	if (config_given(config, "audit", "backlog_limit") && config->backlog_limit != 0 &&
	    (status->backlog_limit == 0 || config->backlog_limit < status->backlog_limit))
		text_addf(&detail, "%s: backlog_limit = %" PRId64 " is less than the kernel's %" PRIu32,
			  config_source(config, "audit", "backlog_limit"), config->backlog_limit, status->backlog_limit);
	if (config_given(config, "audit", "failure") && config->failure < (int)status->failure)
		text_addf(&detail, "%s%s: failure = %s, and the kernel has %" PRIu32 " (auditctl -f)", detail.s ? "; " : "",
			  config_source(config, "audit", "failure"), config_value(config, "audit", "failure"), status->failure);
	tell(look, "no setting takes from what the kernel has", &detail);
}

static void look_agents(struct look *look)
{
	struct text detail = {0};

	/* Nobody was asked who runs. */
	if (config_without_bus(look->config))
		return;
	for (size_t i = 0; i < N_NEIGHBOURS; i++)
		if (look->node->neighbours[i] && neighbour_rows[i].quiet)
			text_addf(&detail, "%s%s runs, which has audit rules of its own: %s; %s", detail.s ? "; " : "",
				  neighbour_rows[i].unit, look->config->lock ? "the lock refuses them, and it may fail" :
				  "it loads them again beside ours, or in their place", neighbour_rows[i].quiet);
	tell(look, "no other agent manages audit rules", &detail);
}

/* Ours replace it, but what has been started by then stays without an audit context. */
static void look_silenced(struct look *look)
{
	const struct own_lines *lines = &look->node->silences;
	struct text detail = {0};

	for (size_t i = 0; i < lines->n; i++)
		text_addf(&detail, "%s%s:%u", i ? ", " : "", lines->items[i].file, lines->items[i].line);
	if (lines->n > 0)
		text_add(&detail, ": -a never,task is in force at each boot until ours are loaded: what is started before that stays "
			 "unseen by every rule until it is started again; take it out");
	tell(look, "no rule of the host's own hides programs from a boot on", &detail);
}

/* What auditd.conf(5) lets auditd do to a node, or to the trail, when its disk is full. */
#define ON_DISK "space_left_action admin_space_left_action disk_full_action disk_error_action"
static const struct disk_action {
	const char *keys, *value, *effect;
} disk_actions[] = {
	{ ON_DISK, "suspend", "auditd stops writing" },
	{ ON_DISK, "single", "the node goes into single user mode" },
	{ ON_DISK, "halt", "the node shuts down" },
	{ "max_log_file_action", "keep_logs", "its files fill the disk" },
	{ "max_log_file_action", "ignore", "its file fills the disk" },
};

static bool has_word(const char *words, const char *word)
{
	const char *at = strstr(words, word);

	return at && (at == words || at[-1] == ' ') && strchr(" ", at[strlen(word)]);
}

static void judge_line(struct text *detail, const char *line, size_t length, unsigned number)
{
	char key[AUDITD_WORD], value[AUDITD_WORD];

	if (!auditd_conf_line(line, length, key, value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(disk_actions); i++) {
		const struct disk_action *a = &disk_actions[i];

		if (has_word(a->keys, key) && strcasecmp(a->value, value) == 0)
			text_addf(detail, "%s" AUDITD_CONF ":%u: %s = %s: %s", detail->s ? "; " : "", number, key, a->value,
				  a->effect);
	}
}

static void look_disk(struct look *look)
{
	const char *line = look->node->auditd_conf.s;
	struct text detail = {0};

	if (!look->node->neighbours[NEIGHBOUR_AUDITD] || !line)
		return;
	for (unsigned number = 1; *line; number++) {
		size_t length = strcspn(line, "\n");

		judge_line(&detail, line, length, number);
		line += length + (line[length] == '\n');
	}
	if (detail.s)
		text_add(&detail, "; where the journal is what is shipped, write_logs = no, else rotate, and suspend or halt nothing");
	tell(look, "auditd's disk ends neither the node nor the trail", &detail);
}

static void add_span(struct text *out, uint64_t usec)
{
	uint64_t minutes = usec / 60000000;

	if (minutes < 120)
		text_addf(out, "%" PRIu64 " minutes", minutes);
	else
		text_addf(out, "%" PRIu64 " hours", minutes / 60);
}

static void add_bytes(struct text *out, uint64_t bytes)
{
	if (bytes < 1000000)
		text_addf(out, "%" PRIu64 " kB", bytes / 1000);
	else
		text_addf(out, "%" PRIu64 " MB", bytes / 1000000);
}

static void look_auditd_files(struct look *look)
{
	const struct auditd_files *files = &look->node->trail.auditd;
	struct text detail = {0};

	if (!files->seen || files->room == 0)
		return;
	if (files->holds < TRAIL_ENOUGH) {
		text_add(&detail, "they hold ");
		add_span(&detail, files->holds);
		text_add(&detail, " at the present ");
		add_bytes(&detail, files->per_day);
		text_add(&detail, " a day (");
		for (size_t i = 0; i < files->n && i < 3; i++) {
			text_addf(&detail, "%s%s ", i ? ", " : "", *files->groups[i].key ? files->groups[i].key : "without a key");
			add_bytes(&detail, files->groups[i].per_day);
		}
		text_add(&detail, "); max_log_file times num_logs in " AUDITD_CONF " is ");
		add_bytes(&detail, files->room);
		text_add(&detail, ": raise it, or record less; where the journal is what is shipped, write_logs = no");
	}
	tell(look, "auditd's files hold the records of a day", &detail);
}

static void look_journal(struct look *look)
{
	const struct journal_span *span = &look->node->trail.journal;
	struct text detail = {0};

	if (span->newest == 0 || span->holds == 0)
		return;
	if (span->holds < TRAIL_ENOUGH) {
		text_add(&detail, "it holds ");
		add_span(&detail, span->holds);
		text_addf(&detail, " at the present %" PRIu64 " audit records a minute: a shipper that is down for longer misses some; "
			  "raise SystemMaxUse= in journald.conf, or record less", span->recent * 60000000 / span->window);
	}
	tell(look, "the journal holds the records of a day", &detail);
}

/* The lock keeps auditing on, whatever journald asks for. */
static void look_restart(struct look *look)
{
	const struct node *node = look->node;
	struct text detail = {0};

	if (look->config->lock || node_locked(node) || !node->reader.socket || node->systemd.major == 0)
		return;
	if (node->trail.journald.audit == JOURNALD_OFF && *node->trail.journald.file)
		text_addf(&detail, "%s has Audit=no", node->trail.journald.file);
	else if (node->trail.journald.audit == JOURNALD_OFF)
		text_addf(&detail, "Audit= is not set in journald.conf, and its default is no, as Debian's before systemd 254 (here it is "
			  "%u)", node->systemd.major);
	if (detail.s)
		text_addf(&detail, ": it ends with any restart of journald, until apply runs again; set Audit=%s in "
			  "/etc/systemd/journald.conf, or [audit] lock = yes", node->systemd.major >= 258 ? "keep" :
			  node->systemd.major >= 249 ? " (to nothing)" : "yes");
	tell(look, "a restart of journald leaves auditing on", &detail);
}

static void look_long_records(struct look *look)
{
	const struct systemd_version *version = &look->node->systemd;
	struct text detail = {0};

	if (version->major != 250)
		return;
	if (version->minor <= 3)
		text_addf(&detail, "that of systemd 250.%u aborts at one, of a program that was started with that many arguments: "
			  "update systemd to 250.4 or later", version->minor);
	tell(look, "journald takes records of more than 64 fields", &detail);
}

/* fluentd goes on behind what is gone, fluent-bit sends all that there is again. */
static void look_shippers(struct look *look)
{
	uint64_t begins = look->node->trail.journal.begins;
	struct text detail = {0};
	bool any = false;

	for (size_t i = 0; i < N_SHIPPERS; i++) {
		uint64_t read = look->node->trail.shippers[i];

		any = any || (read > 0 && begins > 0);
		if (read == 0 || read >= begins)
			continue;
		text_addf(&detail, "%s%s (%s) has read up to ", detail.s ? "; " : "", shipper_rows[i].name, shipper_rows[i].path);
		text_add_time(&detail, read);
		text_add(&detail, ", and the journal begins at ");
		text_add_time(&detail, begins);
	}
	if (detail.s)
		text_add(&detail, ": audit records that came between may be lost to it; look at its log and metrics; where none runs any "
			 "more, delete the file");
	if (any)
		tell(look, "the journal has all that a shipper has not read", &detail);
}

static void look_uncovered(struct look *look)
{
	struct text detail = {0};

	if (!look->config->identity)
		return;
	if (look->node->runtime.uncovered.s)
		text_addf(&detail, "%s", look->node->runtime.uncovered.s);
	tell(look, "every runtime is looked for in PATH, where identity comes first", &detail);
}

/* An excepted container is among them, and cannot be told from one that is older by its processes. */
static void look_old_containers(struct look *look)
{
	const struct container_processes *c = &look->node->runtime.containers;
	struct text detail = {0};

	if (!look->config->identity)
		return;
	if (c->unset > 0)
		text_addf(&detail, "%zu of %zu have none: those of Pods whose shim was started before identity was in effect keep "
			  "none, nor do their later sessions get one%s; recreate these Pods (crictl pods, ctr task ls): %s%s", c->unset,
			  c->all, look->config->identity_except.n > 0 ? ", and those of identity_except" : "",
			  c->shims.s ? c->shims.s : "", c->n_shims > 5 ? " and more" : "");
	tell(look, "every container process has a login uid", &detail);
}

int hazards_look(const struct config *config, const struct node *node,
		 void (*hazard)(void *context, const char *name, const char *detail), void *context)
{
	static void (*const all[])(struct look *look) = { look_panic, look_panic_any, look_unlimited,
		look_stall, look_lowered, look_agents,
		look_silenced, look_disk, look_auditd_files, look_journal, look_shippers,
		look_restart, look_long_records, look_uncovered, look_old_containers };
	struct look look = { .config = config, .node = node, .hazard = hazard, .context = context };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i](&look);
	return look.out_of_memory ? -ENOMEM : 0;
}

static void warn(void *context, const char *name, const char *detail)
{
	if (detail)
		log_say(context, LEVEL_WARNING, "at risk: %s: %s", name, detail);
}

int hazards_warn(const struct config *config, const struct node *node, struct log *log)
{
	if (config->lock && would_panic(config, node)) {
		log_say(log, LEVEL_ERROR, "%s: [audit] failure = panic with lock = yes: nobody holds the audit PID, and the "
			"kernel, booted with audit=1, would panic some thousand programs after every boot; set failure = "
			"printk, run an audit daemon, or boot without audit=1; nothing was changed",
			config_source(config, "audit", "failure"));
		return -EINVAL;
	}
	return hazards_look(config, node, warn, log) < 0 ? log_no_memory(log) : 0;
}

void hazards_explain_lost(struct text *out, const struct node *node)
{
	if (keeps_for_nobody(node) && node->reader.journal)
		text_add(out, "of the copies that the kernel, booted with audit=1, keeps for an audit daemon that never came; "
			 "the journal has them; no setting of ours changes that, but booting without audit=1, or an audit "
			 "daemon, do");
	else
		text_add(out, "a larger [audit] backlog_limit, or fewer events, keep it from losing more");
}
