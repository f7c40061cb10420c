/* The block in the host's /etc/pam.d/sshd that has pam_tty_audit(8) record keystrokes. Works on the
 * file's text; the edit can be taken back to the byte. */
#ifndef SETUP_PAM_H
#define SETUP_PAM_H

#include "setup/base/text.h"
#include "setup/host/host.h"

#define PAM_SSHD "/etc/pam.d/sshd"

/* Appends the text without our block. 1 when there was one, 0 when not; -EBADMSG for a block that does
 * not end; -ENOMEM. */
int pam_strip(struct text *out, const char *content) _must_check_;

/* Appends the text with a block: in the place of the one that is there, else at the end. 0, -EBADMSG,
 * -ENOMEM. */
int pam_set(struct text *out, const char *content, bool log_passwords) _must_check_;

/* Does a session of this service have pam_tty_audit record every user already, in the text (without our block) or in a file
 * that it includes? 1 or 0. */
int pam_has_tty_audit(const struct host *host, const char *content) _must_check_;

/* Is pam_tty_audit.so where the host's PAM looks for modules? */
bool pam_module_exists(const struct host *host);

#endif
