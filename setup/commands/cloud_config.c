/* render cloud-config: rules and units as cloud-init's user-data, for a machine that this program does not run on. */
#include "setup/commands/cloud_config.h"

#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"
#include "setup/host/own.h"
#include "setup/node/settings.h"

/* What depends on the machine, which is not seen here. */
static const struct {
	const char *section, *key, *value;	/* value: the one that is possible; NULL: all but no */
} needs_machine[] = {
	{ "unit", "mode", "file" }, { "unit", "enable", "yes" }, { "journal", "reader", NULL },
	{ "tty", "sshd", "no" }, { "container", "keystrokes", "no" }, { "container", "identity", "no" },
	{ "rules", "existing", "replace" },
};

static bool is_possible(const struct config *config, size_t i)
{
	const char *value = config_value(config, needs_machine[i].section, needs_machine[i].key);

	if (!needs_machine[i].value)
		return strcmp(value, "enable") != 0;
	return strcmp(value, needs_machine[i].value) == 0;
}

static int check(const struct context *c)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(needs_machine); i++) {
		const char *section = needs_machine[i].section, *key = needs_machine[i].key;

		if (is_possible(&c->config, i))
			continue;
		log_say(c->log, LEVEL_ERROR, "%s: [%s] %s = %s needs the machine itself, which cloud-config cannot look at: run "
			"apply there, or leave it out", config_source(&c->config, section, key), section, key,
			config_value(&c->config, section, key));
		r = -EINVAL;
	}
	return r;
}

/* --- the rules ------------------------------------------------------------------------------ */

/* The rules file that was read last, and where its line `line` begins: rules come in the order of their lines. */
struct source {
	const char *file, *at;
	struct text content;
	unsigned line;
};

/* The line that a rule is written in, where that is a watch: whether of a file or a directory, the machine's own auditctl
 * finds out. NULL for other rules. */
static const char *watch_of(struct source *source, const struct rule *rule)
{
	const char *s;

	if (!rule->line || !rule->file)
		return NULL;
	if (!source->file || strcmp(source->file, rule->file) != 0) {
		text_done(&source->content);
		source->file = host_read_own(rule->file, &source->content) == 0 ? rule->file : NULL;
		source->line = 0;
	}
	if (source->line == 0 || source->line > rule->line) {
		source->at = source->file && source->content.s ? source->content.s : "";
		source->line = 1;
	}
	for (; source->line < rule->line && *source->at; source->line++) {
		source->at += strcspn(source->at, "\n");
		source->at += *source->at == '\n';
	}
	s = source->at + strspn(source->at, " ");
	return strncmp(s, "-w ", 3) == 0 ? s : NULL;
}

static void add_rules(const struct context *c, struct text *out)
{
	struct source source = {0};

	text_add(out, "# Written by cloud-init, from what cloud-audit-setup " VERSION " has rendered.\n-c\n");
	settings_lines(&c->wanted.settings, &c->config, true, settings_add_line, out);
	for (size_t i = 0; i < c->wanted.rules.n_rules; i++) {
		const struct rule *rule = &c->wanted.rules.rules[i];
		const struct rule_place place = rule_place(rule);
		const char *watch = watch_of(&source, rule);

		rule_add_source(out, &place);
		if (watch)
			text_add_bytes(out, watch, strcspn(watch, "\r\n"));
		else
			rule_print(out, rule->data, rule->size);
		text_add(out, "\n");
	}
	settings_lines(&c->wanted.settings, &c->config, false, settings_add_line, out);
	text_done(&source.content);
}

/* --- YAML ----------------------------------------------------------------------------------- */

static bool is_plain(const char *content)
{
	for (; *content; content++)
		if ((*content < 0x20 && *content != '\n') || *content == 0x7f)
			return false;
	return true;
}

/* A block of its lines; what a block cannot hold in base64. */
static void add_file(struct text *out, const char *path, unsigned mode, const struct text *content)
{
	const char *s = content->s ? content->s : "";

	text_addf(out, "- path: %s\n  owner: root:root\n  permissions: '%04o'\n", path, mode);
	if (!is_plain(s)) {
		text_add(out, "  encoding: b64\n  content: ");
		text_add_base64(out, s, strlen(s));
		text_add(out, "\n");
		return;
	}
	text_add(out, "  content: |\n");
	for (size_t n; *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		text_addf(out, "%s%.*s\n", n ? "    " : "", (int)n, s);
	}
}

static const char head[] =
	"#cloud-config\n"
	"# Audit rules and units, by cloud-audit-setup " VERSION " (render cloud-config): user-data for machines with cloud-init,\n"
	"# systemd and auditctl, such as Container-Optimized OS outside of GKE. cloud-init puts them there when the machine\n"
	"# first boots, on Container-Optimized OS at every boot, whose /etc is new each time.\n"
	"#\n"
	"# NOT VERIFIED: no program of ours runs there. What the kernel refuses, such as a rule about a directory that is not\n"
	"# there, is in the journal of cloud-audit-setup.service alone; `cloud-audit-setup verify`, run there, tells what holds.\n"
	"# The lock comes as at each boot of ours: where the rules file was read to its end.\n"
	"# Not for nodes of GKE, whose user-data is GKE's own: there is the DaemonSet.\n";

bool cloud_config_print(const struct context *c, struct text *out)
{
	_cleanup_text_ struct text rules = {0}, units = {0};

	if (check(c) < 0)
		return false;
	add_rules(c, &rules);
	text_add(out, head);
	text_add(out, "write_files:\n");
	add_file(out, wanted_files[FILE_RULES].path, wanted_files[FILE_RULES].mode, &rules);
	for (size_t i = 0; i < N_FILES; i++) {
		if (i == FILE_RULES || !c->wanted.files[i].s)
			continue;
		add_file(out, wanted_files[i].path, wanted_files[i].mode, &c->wanted.files[i]);
		if (wanted_files[i].unit)
			text_addf(&units, ", %s", wanted_files[i].unit);
	}
	text_addf(out, "runcmd:\n- [systemctl, daemon-reload]\n- [systemctl, enable%s]\n- [systemctl, restart%s]\n",
		  units.s ? units.s : "", units.s ? units.s : "");
	if (text_error(&rules) < 0 || text_error(&units) < 0)
		out->failed = true;
	return true;
}
