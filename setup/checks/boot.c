#include "setup/checks/boot.h"

#include <errno.h>
#include <string.h>

#include "rules/judge/absent.h"
#include "setup/kernel/rulesdiff.h"
#include "setup/systemd/bus_units.h"
#include "units/audit_units.h"

/* Whether the last rule of the file is in the kernel; *ret_diff is the caller's to end. */
static bool read_to_end(const struct context *c, struct rulesdiff *ret_diff)
{
	size_t n = c->wanted.rules.n_rules;

	return rulesdiff_compare(ret_diff, &c->wanted.rules, &c->node.rules, true) == 0 && n > 0 &&
		!ret_diff->missing[n - 1];
}

bool boot_locked_by_others(const struct context *c)
{
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};

	return node_locked(&c->node) && !c->node.files[FILE_LOCK_UNIT].s && !c->node.transient.s && !read_to_end(c, &diff);
}

/* What a boot since the wanted rules were put in place has made of them, on a node that is locked with others. */
enum boot_past {
	BOOT_NONE,	/* there was none, or none is known of */
	BOOT_LOADED,	/* loaded them: what is missing has gone since */
	BOOT_UNASKED,	/* the one or the next: systemd, which knows, was not asked */
	BOOT_REFUSED,	/* read them to the end, but the kernel refused some */
	BOOT_NOT_READ,	/* somebody locked before they were read to the end */
	BOOT_LEFT_OUT,	/* refused some, which the file leaves out since */
	BOOT_LOCKED_FIRST,	/* whatever is in place: the host locks before it */
};

/* Told by the comment of the rules file, the kernel and the unit. */
static enum boot_past since_staging(const struct context *c)
{
	const struct text *have = &c->node.files[FILE_RULES];
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	char boot[ATBOOT_ID], now[ATBOOT_ID];

	atboot_staged(have, boot);
	atboot_id(now);
	if (!c->wanted.files[FILE_RULES].s || !wanted_same_rules(&c->wanted, have) || !*boot || !*now ||
	    strcmp(boot, now) == 0)
		return BOOT_NONE;
	if (!read_to_end(c, &diff))
		return BOOT_NOT_READ;
	if (c->node.units[FILE_SETUP_UNIT].unasked)
		return BOOT_UNASKED;
	return c->node.units[FILE_SETUP_UNIT].failed ? BOOT_REFUSED : BOOT_LOADED;
}

/* The number of the line on which the rules file has its next rule, from *at on. */
static unsigned next_rule_line(const char **at, unsigned line)
{
	for (const char *s = *at; s && *s; s = *at) {
		const char *end = strchr(s, '\n');

		line++;
		*at = end ? end + 1 : NULL;
		if (s[0] == '-' && s[1] && strchr("aAwS", s[1]) && s[2] == ' ')
			return line;
	}
	return 0;
}

static bool names_line(const char *said, unsigned line, const char *path)
{
	char words[128];

	snprintf(words, sizeof(words), "error in line %u of %s", line, path);
	return said && strstr(said, words);
}

void boot_say_missing(const struct context *c, const char *said)
{
	const struct rule_set *set = &c->wanted.rules;
	const char *path = c->wanted.transient.s ? "/dev/stdin" : wanted_files[FILE_RULES].path;
	const char *at = wanted_rules_text(&c->wanted)->s;
	/* The file has a line more, see files.h. */
	unsigned line = c->wanted.transient.s ? 0 : 1;
	_cleanup_(rulesdiff_done) struct rulesdiff diff = {0};
	_cleanup_(lookups_done) struct lookups lookups = { .n = 0 };
	const struct rules_host host = wanted_ask(&lookups, &c->host, &c->config);
	/* Of a file that was not read the lines are not what is wrong. */
	bool read = read_to_end(c, &diff);

	for (size_t i = 0; diff.missing && i < set->n_rules; i++) {
		const struct rule *rule = &set->rules[i];
		_cleanup_text_ struct text reason = {0};

		line = next_rule_line(&at, line);
		if (!(read && diff.missing[i]) && !names_line(said, line, path))
			continue;
		absent_at_boot(rule->data, &host, &reason);
		log_at(c->log, LEVEL_ERROR, rule->file, rule->line, "the kernel has %s this rule, line %u of %s%s",
		       diff.missing[i] ? "not got" : "refused", line, path, reason.s ? reason.s : "");
	}
}

void boot_say_locks(const struct context *c, enum log_level level)
{
	for (size_t i = 0; i < c->locks.n; i++)
		log_at(c->log, level, c->locks.items[i].file, c->locks.items[i].line, "this line of the host's own "
		       "locks the audit configuration at each boot before " SETUP_UNIT " can load its rules; take it out (the lock "
		       "of [audit] lock = yes comes after the rules)%s", node_locked(&c->node) ? ", reboot, and apply again" : "");
}

int boot_check_refused(const struct context *c)
{
	if (c->wanted.n_refused == 0 || c->config.absent != ABSENT_FAIL)
		return 0;
	for (size_t i = 0; i < c->wanted.left_out.n_rules; i++) {
		const struct rule *rule = &c->wanted.left_out.rules[i];

		if (rule->refused)
			log_at(c->log, LEVEL_ERROR, rule->file, rule->line, "the kernel has refused this rule at boot, and [rules] "
			       "absent = fail: have its path made before " SETUP_UNIT " runs, or leave the rule out with absent = warn; "
			       "the node is untouched");
	}
	return -EINVAL;
}

/* Why booting again does not help; BOOT_NONE or BOOT_LOADED: it may. */
static enum boot_past hopeless(const struct context *c)
{
	if (c->locks.n > 0)
		return BOOT_LOCKED_FIRST;
	return c->wanted.n_refused > 0 ? BOOT_LEFT_OUT : since_staging(c);
}

const char *boot_mend(const struct context *c)
{
	static const char *const mends[] = {
		[BOOT_NONE] = NULL, [BOOT_LOADED] = NULL,
		[BOOT_UNASKED] = "systemctl status " SETUP_UNIT ": has it failed, no boot mends it; else reboot",
		[BOOT_LOCKED_FIRST] = "take out the host's own line that locks, reboot, apply again",
		[BOOT_LEFT_OUT] = "drop the rules that a boot refused, or make their paths earlier",
		[BOOT_REFUSED] = "drop the rules that a boot refused, or make their paths earlier",
		[BOOT_NOT_READ] = "systemctl status " SETUP_UNIT ": no boot mends it",
	};

	return mends[hopeless(c)];
}

bool boot_say_hopeless(const struct context *c)
{
	switch (hopeless(c)) {
	case BOOT_LOCKED_FIRST:
		boot_say_locks(c, LEVEL_ERROR);
		return true;
	case BOOT_LEFT_OUT:
		log_say(c->log, LEVEL_ERROR, "the kernel refused %zu of the rules at boot, and is locked with the others; the rules file "
			"leaves out what it refused, so that no boot tries in vain: take these rules out of the configuration, or have "
			"their paths made before " SETUP_UNIT " runs, and apply on a node that is not locked", c->wanted.n_refused);
		return true;
	case BOOT_UNASKED:
		log_say(c->log, LEVEL_ERROR, "the kernel is locked without some of the rules: systemctl status " SETUP_UNIT " on the node "
			"says whether the boot has refused them, which the next does again; else reboot or recreate the node");
		return true;
	case BOOT_REFUSED:
		boot_say_missing(c, NULL);
		log_say(c->log, LEVEL_ERROR, "the kernel refused these rules at boot, and is locked with the others; booting again "
			"does the same while their paths are not there before " SETUP_UNIT " runs: have them made earlier, or take "
			"the rules out of the configuration, and apply (which leaves out what the next boot would refuse)");
		return true;
	case BOOT_NOT_READ:
		log_say(c->log, LEVEL_ERROR, "a boot has locked the audit configuration without loading %s, and the next does the "
			"same: see systemctl status " SETUP_UNIT " " LOCK_UNIT ", and journalctl -b _TRANSPORT=audit for who else "
			"locks (op=set audit_enabled=2)", wanted_files[FILE_RULES].path);
		return true;
	case BOOT_NONE:
	case BOOT_LOADED:
	default:
		return false;
	}
}
