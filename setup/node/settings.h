/* The kernel's audit settings that the configuration names: one table row each. */
#ifndef SETUP_SETTINGS_H
#define SETUP_SETTINGS_H

#include "rules/rules.h"
#include "setup/config/config.h"
#include "setup/kernel/kernel.h"

enum { SETTINGS_MAX = 8 };

/* What each row of the table is to be. It begins with what the configuration says; what that leaves open may then
 * be raised, by a rules file or by what the kernel has. */
struct settings {
	struct setting_value {
		int64_t wanted;		/* -1: the kernel's is kept */
		char *source;		/* where it comes from */
	} values[SETTINGS_MAX];
};

/* As the configuration has it, and the -b of a rules file where that is raised. -ENOMEM. */
int settings_init(struct settings *ret, const struct config *config, const struct rules_backlog *backlog)
	_must_check_;

/* A setting that nobody set does not lower what the kernel has: backlog_limit is the largest of the default, the
 * kernel's, and that of an earlier run's rules (NULL: none); failure is kept while somebody holds the audit PID. But with
 * [container] identity backlog_wait_time is at most 0.4 s: starts of containers and probes would wait.
 * After settings_init(). -ENOMEM. */
int settings_meet_kernel(struct settings *settings, const struct config *config, const struct kernel_status *status,
			 const char *earlier, bool *ret_changed) _must_check_;
void settings_done(struct settings *settings);

/* What a user's rules file may say without contradiction. Returns how many of ret were filled;
 * their strings live in *store. -ENOMEM. */
int settings_for_rules(const struct config *config, struct rules_setting ret[SETTINGS_MAX],
		       struct text store[SETTINGS_MAX]) _must_check_;

/* Calls back for each control line of the rules file; before: those that precede the rules, else
 * those after them, "-e 1" last. The line is valid during the call only. */
void settings_lines(const struct settings *settings, const struct config *config, bool before,
		    void (*line)(void *context, const char *control, const char *source),
		    void *context);

/* The callback for a rules file's text, which context is: the line, below a comment with its source. */
void settings_add_line(void *context, const char *control, const char *source);

/* Calls back for each setting with what is wanted and what the kernel has, as auditctl options; the
 * lock is not among them. */
void settings_compare(const struct settings *settings, const struct kernel_status *status,
		      bool loginuid_immutable,
		      void (*setting)(void *context, const char *wanted, const char *actual),
		      void *context);

#endif
