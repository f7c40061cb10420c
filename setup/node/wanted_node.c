#include "setup/node/wanted_node.h"

#include <errno.h>
#include <string.h>

#include "rules/judge/absent.h"
#include "rules/parse/warnings.h"
#include "rules/rule/data.h"
#include "setup/base/strings.h"
#include "setup/config/config_keys.h"
#include "setup/containers/files.h"
#include "setup/containers/place.h"
#include "setup/host/atboot.h"
#include "setup/host/lookups.h"
#include "setup/host/own.h"
#include "setup/host/pam.h"
#include "setup/kernel/forms.h"
#include "setup/kernel/rulesdiff.h"
#include "setup/rights/rights.h"
#include "units/audit_units.h"

static bool is_file(const struct host *host, const char *path)
{
	bool directory;

	return host_path_type(host, path, &directory) == 1 && !directory;
}

/* One that says so in its first line, as each that any version has written. */
static bool is_ours(const struct host *host, const char *path)
{
	static const char begin[] = "# Written by cloud-audit-setup";
	_cleanup_text_ struct text content = {0};

	return host_read(host, path, &content) == 0 && content.s && strncmp(content.s, begin, strlen(begin)) == 0;
}

static void forget(struct wanted *wanted)
{
	free(TAKE(wanted->overrides));
	free(TAKE(wanted->path_overrides));
	free(TAKE(wanted->runtime_path));
	text_done(&wanted->pam);
	for (size_t i = 0; i < N_FILES; i++) {
		if (i >= FILE_RULES && i <= FILE_HOST_UNIT)
			continue;
		text_done(&wanted->files[i]);
		free(wanted->paths[i]);
		wanted->paths[i] = NULL;
	}
}

static int complete_journald(struct wanted *wanted, const struct config *config,
			     const struct host *host, const struct node *node)
{
	bool ours = is_file(host, wanted_path(wanted, FILE_JOURNALD));
	int r;

	/* A host whose journal gets all records without us is left alone; so is one of which that is not known. */
	if (!config || config->reader != READER_ENABLE ||
	    (!ours && (node->reader.unknown || (node->reader.journal && node->reader.listeners.missed == 0))))
		return 0;
	r = print_journald_drop_in(&wanted->files[FILE_JOURNALD]);
	return r < 0 ? r : print_socket_drop_in(&wanted->files[FILE_JOURNALD_SOCKET]);
}

/* A drop-in of ours below UNIT_DIRECTORY for any service but `but`; *ret is NULL for none. */
static int find_drop_in(const struct host *host, const char *but, char **ret, struct log *log)
{
	_cleanup_strings_ char **names = NULL;
	int r = host_list(host, UNIT_DIRECTORY, &names);

	*ret = NULL;
	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -ENOMEM)
		log_say(log, LEVEL_ERROR, UNIT_DIRECTORY " cannot be listed below %s: %s%s; nothing was changed",
			host->root, strerror(-r), rights_advice_write(host, r));
	for (size_t i = 0; r == 0 && names[i]; i++) {
		_cleanup_free_ char *path = NULL;
		size_t n = strlen(names[i]);

		if (n < 3 || strcmp(names[i] + n - 2, ".d") != 0 ||
		    strcmp(names[i], JOURNALD_UNIT ".d") == 0 || strcmp(names[i], JOURNALD_SOCKET ".d") == 0 ||
		    strcmp(names[i], but) == 0)
			continue;
		if (asprintf(&path, "%s/%s/%s", UNIT_DIRECTORY, names[i], DROP_IN) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (!is_ours(host, path))
			continue;
		*ret = TAKE(path);
		break;
	}
	return r;
}

/* Where the files of ours for a runtime are on the host, or are to be. */
static int find_runtime_files(struct wanted *wanted, const struct host *host, const char *place)
{
	static const struct {
		size_t file;
		const char *name;
		bool wanted;
	} rows[] = {
		{ FILE_TTY_PROGRAM, TTY_PROGRAM, false }, { FILE_RUNTIME_PROGRAM, RUNTIME_PROGRAM, true },
		{ FILE_RUNTIME_FAILED, RUNTIME_FAILED, true }, { FILE_RUNTIME_EXCEPT, RUNTIME_EXCEPT, true },
		{ FILE_RUNTIME_RUNC, RUNTIME_RUNC, true }, { FILE_RUNTIME_CRUN, RUNTIME_CRUN, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *directory = rows[i].wanted && place ? place : place_of(host, rows[i].name);

		if (directory)
			wanted->paths[rows[i].file] = place_path(directory, rows[i].name);
		if (directory && !wanted->paths[rows[i].file])
			return -ENOMEM;
	}
	return 0;
}

static void copy_text(struct text *ret, const struct text *from)
{
	text_add_bytes(ret, from->s, from->len);
}

static int want_runtime(struct wanted *wanted, const struct config *config, const struct host *host,
			const struct node *node, struct log *log)
{
	_cleanup_(runtime_files_done) struct runtime_files files = {0};
	int r = runtime_files_make(&files, config, host, &node->runtime.unit, node->runtime.manager, wanted->paths[FILE_RUNTIME],
				   log);

	if (r == 0)
		r = find_runtime_files(wanted, host, files.place);
	if (r < 0)
		return r;
	if (files.runc)
		copy_text(&wanted->files[FILE_RUNTIME_RUNC], &files.program);
	if (files.crun)
		copy_text(&wanted->files[FILE_RUNTIME_CRUN], &files.program);
	if (files.except.s)
		copy_text(&wanted->files[FILE_RUNTIME_EXCEPT], &files.except);
	copy_text(&wanted->files[FILE_RUNTIME_PROGRAM], &files.program);
	copy_text(&wanted->files[FILE_RUNTIME], &files.drop_in);
	wanted->overrides = TAKE(files.command_after);
	wanted->path_overrides = TAKE(files.path_after);
	wanted->runtime_path = TAKE(files.path);
	for (size_t i = FILE_RUNTIME_PROGRAM; i <= FILE_RUNTIME; i++)
		r = text_error(&wanted->files[i]) < 0 ? -ENOMEM : r;
	return r;
}

static int complete_runtime(struct wanted *wanted, const struct config *config,
			    const struct host *host, const struct node *node, struct log *log)
{
	bool want = config && runtime_files_wanted(config);
	_cleanup_free_ char *directory = NULL;
	int r;

	if (!want) {
		r = find_runtime_files(wanted, host, NULL);
		if (r == 0)
			r = find_drop_in(host, "", &wanted->paths[FILE_RUNTIME], log);
		/* A run that was killed may have left a second one. */
		if (r == 0 && wanted->paths[FILE_RUNTIME])
			directory = strndup(wanted->paths[FILE_RUNTIME] + strlen(UNIT_DIRECTORY "/"),
					    strlen(wanted->paths[FILE_RUNTIME]) - strlen(UNIT_DIRECTORY "//" DROP_IN));
		return directory ? find_drop_in(host, directory, &wanted->paths[FILE_RUNTIME_OLD], log) : r;
	}
	if (asprintf(&directory, "%s.d", config->runtime_unit) < 0) {
		directory = NULL;
		return -ENOMEM;
	}
	if (asprintf(&wanted->paths[FILE_RUNTIME], "%s/%s/%s", UNIT_DIRECTORY, directory, DROP_IN) < 0) {
		wanted->paths[FILE_RUNTIME] = NULL;
		return -ENOMEM;
	}
	r = find_drop_in(host, directory, &wanted->paths[FILE_RUNTIME_OLD], log);
	return r < 0 ? r : want_runtime(wanted, config, host, node, log);
}

/* The file as it is. Where nothing is wanted of it, what it is else is no failure: -ENOENT, unlogged. */
static int read_pam(const struct host *host, bool want, struct text *ret, struct log *log)
{
	struct stat st;
	int r = host_stat(host, PAM_SSHD, &st);

	/* A rename would put a file in the place of a link. */
	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0)
		r = host_read(host, PAM_SSHD, ret);
	if (r == 0 && memchr(ret->s, '\0', ret->len))
		r = -EINVAL;
	if (r == -ENOENT || r == -ENOTDIR || (r < 0 && r != -ENOMEM && !want))
		return -ENOENT;
	if (r == -EINVAL)
		log_say(log, LEVEL_ERROR, PAM_SSHD " is not a regular text file, so it cannot be edited; set [tty] "
			"sshd = no; nothing was changed");
	else if (r < 0)
		log_say(log, LEVEL_ERROR, PAM_SSHD " cannot be read below %s: %s%s; nothing was changed",
			host->root, strerror(-r), rights_advice_write(host, r));
	return r;
}

/* The file as it is wanted: with our block, unless the host's sessions have the module without it. */
static int edit_pam(struct text *ret, const struct config *config, const struct host *host,
		    const char *content, struct log *log)
{
	_cleanup_text_ struct text bare = {0};
	int r = pam_strip(&bare, content);

	if (r == -EBADMSG)
		log_say(log, LEVEL_ERROR, PAM_SSHD ": the block of cloud-audit-setup has no end; mend the file "
			"by hand; nothing was changed");
	if (r < 0)
		return r;
	text_add(&bare, "");
	r = config && config->tty_sshd ? pam_has_tty_audit(host, bare.s) : 1;
	if (r < 0)
		return r;
	if (r == 0)
		return pam_set(ret, content, config->log_passwords);
	if (config && config->tty_sshd)
		log_say(log, LEVEL_DEBUG, "SSH sessions have pam_tty_audit already: " PAM_SSHD " is left alone");
	text_add(ret, bare.s);
	return text_error(ret);
}

static int complete_pam(struct wanted *wanted, const struct config *config, const struct host *host,
			struct log *log)
{
	bool want = config && config->tty_sshd;
	_cleanup_text_ struct text content = {0};
	int r = read_pam(host, want, &content, log);

	if (r == -ENOENT && !want)
		return 0;
	if (r == -ENOENT || (r == 0 && want && !pam_module_exists(host))) {
		log_say(log, LEVEL_ERROR, "%s: [tty] sshd = yes: this host has no %s; leave it at 'no'; nothing "
			"was changed", config_source(config, "tty", "sshd"),
			r < 0 ? PAM_SSHD : "pam_tty_audit.so (libpam-modules)");
		return -ENOTSUP;
	}
	if (r < 0)
		return r;
	if (content.s)
		copy_text(&wanted->pam, &content);
	r = text_error(&wanted->pam);
	return r < 0 ? r : edit_pam(&wanted->files[FILE_PAM_SSHD], config, host, content.s, log);
}

int wanted_complete(struct wanted *wanted, const struct config *config, const struct host *host,
		    const struct node *node, struct log *log)
{
	int r, worst = 0;

	forget(wanted);
	if (config)
		worst = recording_check(&node->recording, config, host, log);
	r = complete_journald(wanted, config, host, node);
	worst = r < 0 ? r : worst;
	r = complete_runtime(wanted, config, host, node, log);
	worst = r < 0 ? r : worst;
	r = complete_pam(wanted, config, host, log);
	worst = r < 0 ? r : worst;
	if (worst == -ENOMEM)
		log_say(log, LEVEL_ERROR, "out of memory");
	return worst;
}

bool wanted_any_ours(const struct wanted *wanted, const struct node *node)
{
	for (size_t i = 0; i < N_FILES; i++) {
		const struct text *have = &node->files[i];

		if (!wanted_files[i].foreign ? have->s != NULL :
		    have->s && !text_equal(have, &wanted->files[i]))
			return true;
	}
	return false;
}

static int add_form(void *context, const char *path, bool directory)
{
	struct wanted *wanted = context;
	struct path_form *grown = reallocarray(wanted->forms, wanted->n_forms + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	wanted->forms = grown;
	grown[wanted->n_forms] = (struct path_form){ strdup(path), directory };
	if (!grown[wanted->n_forms].path)
		return -ENOMEM;
	wanted->n_forms++;
	return 0;
}

int wanted_keep_forms(struct wanted *wanted, const struct config *config, const struct host *host,
		      const struct kernel_rules *listed)
{
	size_t before = wanted->n_forms;
	int r = forms_compare(&wanted->rules, listed, add_form, wanted);

	if (r < 0 || wanted->n_forms == before)
		return r;
	/* What went well a moment ago fails when files change meanwhile: then the difference is shown as one. */
	r = wanted_read_again(wanted, config, host, &wanted->loaded);
	return r == -ENOMEM ? r : 0;
}

const char *wanted_form_note(const struct path_form *form)
{
	return form->directory ? "it is no directory any more" :
		"a directory has come since the rules were loaded and locked: the path is watched, files in it are not until "
		"a boot loads the rules again";
}

bool wanted_lacks_directory(const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->rules.n_rules; i++) {
		struct data_field field;
		size_t offset = 0;
		uint32_t at = 0;

		while (wanted->rules.rules[i].shipped && data_next(wanted->rules.rules[i].data, &at, &offset, &field))
			if (field.field == AUDIT_WATCH && field.len == strlen(OWN_DIRECTORY) &&
			    memcmp(field.text, OWN_DIRECTORY, field.len) == 0)
				return true;
	}
	return false;
}

/* --- what is left out -------------------------------------------------------------------- */

/* What is known of the node when it is decided. */
struct knowledge {
	struct rule_set loaded, left_out, refused, staged;	/* of an earlier run's rules */
	bool boot_refused;			/* a boot since has read all of these, and the kernel has refused some */
	struct rulesdiff diff;			/* with the kernel's */
	struct rules_host host;
	bool node;
	enum settle settle;
	char boot[ATBOOT_ID];			/* this one's id */
};

static void knowledge_done(struct knowledge *known)
{
	rule_set_done(&known->loaded);
	rule_set_done(&known->left_out);
	rule_set_done(&known->refused);
	rule_set_done(&known->staged);
	rulesdiff_done(&known->diff);
}

/* What the path was or is taken for makes it no other rule: that changes with the host, and not with the configuration. */
static bool has_rule(const struct rule_set *set, const struct rule *rule)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (data_same_but_form(set->rules[i].data, rule->data))
			return true;
	return false;
}

/* Is wanted rule i left out? Appends the directory that it lacks, and why a boot has refused it: anew, which *ret_anew says,
 * or before. */
static bool is_left_out(const struct knowledge *known, struct rule *rule, size_t i, struct text *ret_directory,
			struct text *ret_why, bool *ret_anew)
{
	bool absent = absent_refuses(rule->data, &known->host, ret_directory);

	*ret_anew = false;
	/* The kernel found it, whatever is seen of the host from here. */
	if (known->node && !known->diff.missing[i])
		return false;
	if (!known->node || known->settle == SETTLE_LOAD)
		return absent;
	*ret_anew = known->boot_refused && known->settle == SETTLE_STAGE && has_rule(&known->loaded, rule) &&
		absent_at_boot(rule->data, &known->host, ret_why);
	rule->refused = *ret_anew || has_rule(&known->refused, rule);
	if (rule->refused || has_rule(&known->left_out, rule) || has_rule(&known->staged, rule))
		return true;
	return absent && !has_rule(&known->loaded, rule);
}

static void warn(const struct wanted *wanted, bool node, struct log *log, const struct rule *rule,
		 const char *directory, const char *why)
{
	if (rule->refused)
		warnings_add(wanted->warnings, log, "left-out", rule->file, rule->line, "left out, since the kernel has refused it at "
			     "boot%s", why);
	else if (directory)
		warnings_add(wanted->warnings, log, "left-out", rule->file, rule->line, "%s: %s is not on the host, and the "
			     "kernel would refuse the rule; the rest is loaded",
			     node ? "left out" : "apply would leave it out here", directory);
	else
		warnings_add(wanted->warnings, log, "left-out", rule->file, rule->line, "left out when rules were loaded, since "
			     "the directory of its path was not there; it has come, and the next load takes the rule");
}

/* Moves rule i there, with what is to be said of it; takes directory. */
static void leave_out(struct rule_set *out, const struct knowledge *known, struct rule *rule, size_t at,
		      char *directory)
{
	_cleanup_text_ struct text why = {0};
	bool again = absent_at_boot(rule->data, &known->host, &why);
	bool stage = !directory && !again && known->settle == SETTLE_STAGE;

	rule->absent = directory;
	rule->at = at;
	if (*known->boot && (stage || (known->settle == SETTLE_LOOK && has_rule(&known->staged, rule))))
		rule->staged = strdup(known->boot);
	out->rules[out->n_rules++] = *rule;
}

static int split(struct wanted *wanted, const struct knowledge *known, struct log *log)
{
	struct rule_set *rules = &wanted->rules, *out = &wanted->left_out;
	size_t kept = 0;
	int r = 0;

	out->rules = calloc(rules->n_rules + 1, sizeof(*out->rules));
	if (!out->rules)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n_rules; i++) {
		struct rule *rule = &rules->rules[i];
		_cleanup_text_ struct text directory = {0}, why = {0};
		bool anew, left_out = is_left_out(known, rule, i, &directory, &why, &anew);

		r = text_error(&directory) < 0 || text_error(&why) < 0 ? -ENOMEM : r;
		wanted->n_refused += anew;
		/* What comes with the program suits any host, and this one may be none. */
		if (left_out && (known->node || !rule->shipped))
			warn(wanted, known->node, log, rule, directory.s, why.s ? why.s : "");
		/* Without a node nothing is loaded, and nothing decided. */
		if (left_out && known->node)
			leave_out(out, known, rule, kept, TAKE(directory.s));
		else
			rules->rules[kept++] = *rule;
	}
	rules->n_rules = kept;
	return r;
}

/* Has a boot since these rules were put in place read them to their end, with some of them refused? */
static bool boot_refused(const struct knowledge *known, const struct wanted *wanted, const struct node *node)
{
	size_t n = wanted->rules.n_rules;
	char staged[ATBOOT_ID];

	atboot_staged(&node->files[FILE_RULES], staged);
	return *staged && *known->boot && strcmp(staged, known->boot) != 0 && node_locked(node) &&
		node->units[FILE_SETUP_UNIT].failed && n > 0 && !known->diff.missing[n - 1];
}

/* Is what the earlier file loads asked for? Not of a rule that it leaves out. */
static bool needs_loaded(const struct knowledge *known, const struct rule_set *rules)
{
	bool needed = known->boot_refused;

	for (size_t i = 0; !needed && i < rules->n_rules; i++)
		needed = known->diff.missing[i] && !has_rule(&known->left_out, &rules->rules[i]) &&
			 !has_rule(&known->refused, &rules->rules[i]) && !has_rule(&known->staged, &rules->rules[i]);
	return needed;
}

static int gather(struct knowledge *known, const struct wanted *wanted, const struct host *host,
		  const struct node *node)
{
	const char *earlier = node ? node_own_rules(node)->s : NULL;
	bool replaced;
	int r = node ? rulesdiff_compare(&known->diff, &wanted->rules, &node->rules, true) : 0;

	/* What is in force is never left out, and a file of a hundred kilobytes need not be read for it. */
	if (r == 0 && earlier && known->diff.n_missing > 0)
		r = wanted_earlier_left_out(host, earlier, known->boot, &known->left_out, &known->refused, &known->staged);
	if (r == 0 && node)
		known->boot_refused = boot_refused(known, wanted, node);
	if (r == 0 && earlier && known->diff.n_missing > 0 && needs_loaded(known, &wanted->rules))
		r = wanted_earlier_rules(host, earlier, &known->loaded, &replaced);
	return r;
}

int wanted_settle(struct wanted *wanted, const struct config *config, const struct host *host, const struct node *node,
		  enum settle settle, struct log *log)
{
	_cleanup_(knowledge_done) struct knowledge known = { .node = node, .settle = settle };
	_cleanup_(lookups_done) struct lookups lookups = { .n = 0 };
	const char *earlier = node ? node_own_rules(node)->s : NULL;
	bool raised = false;
	int r;

	/* Over D-Bus alone nothing is left for the next boot; without its id nothing is staged. */
	if (config->unit_mode == MODE_FILE)
		atboot_id(known.boot);
	r = gather(&known, wanted, host, node);
	known.host = wanted_ask(&lookups, host, config);
	if (r == 0)
		r = split(wanted, &known, log);
	if (r == 0 && node)
		r = settings_meet_kernel(&wanted->settings, config, &node->status, earlier, &raised);
	if (r < 0)
		return log_no_memory(log);
	warnings_tell(wanted->warnings);
	if (raised || wanted->left_out.n_rules > 0 || wanted->loaded.s)
		r = wanted_print_rules(wanted, config, host, log);
	/* A file with the forms that were loaded is as good as it is until the next boot, and no longer. */
	if (settle == SETTLE_STAGE && config->unit_mode == MODE_FILE) {
		text_done(&wanted->loaded);
		text_done(&wanted->loaded_copy);
	}
	return r;
}
