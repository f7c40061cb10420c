/* The kernel's audit settings that the configuration names: one table row each. */
#ifndef SETUP_SETTINGS_H
#define SETUP_SETTINGS_H

#include "rules/rules.h"
#include "setup/config/config.h"
#include "setup/kernel/kernel.h"

enum { SETTINGS_MAX = 8 };

/* What a user's rules file may say without contradiction. Returns how many of ret were filled;
 * their strings live in *store. -ENOMEM. */
int settings_for_rules(const struct config *config, struct rules_setting ret[SETTINGS_MAX],
		       struct text store[SETTINGS_MAX]) _must_check_;

/* Calls back for each control line of the rules file; before: those that precede the rules, else
 * those after them, "-e 1" last. The line is valid during the call only. */
void settings_lines(const struct config *config, bool before,
		    void (*line)(void *context, const char *control, const char *source),
		    void *context);

/* Calls back for each setting with what is wanted and what the kernel has, as auditctl options; the
 * lock is not among them. */
void settings_compare(const struct config *config, const struct kernel_status *status,
		      bool loginuid_immutable,
		      void (*setting)(void *context, const char *wanted, const char *actual),
		      void *context);

#endif
