/* Files of the program's own, which are below no host's root: its configuration, and rules. */
#ifndef SETUP_OWN_H
#define SETUP_OWN_H

#include "setup/base/text.h"

/* The content of a file of the program's own, which is below no host's root. -EINVAL for what is not a regular
 * file; -EFBIG; -EPERM for one that everybody may write, as auditctl -R has it. */
int host_read_own(const char *path, struct text *ret) _must_check_;

/* May a directory of such files be read, as far as its rights tell? 0; -EPERM where everybody may put files
 * into it; what a mount makes read-only nobody may write (a ConfigMap's directory is such a one, with mode
 * 0777); other negative errno. */
int host_check_own_directory(const char *path) _must_check_;

/* What to say of such an error behind the file's name. */
const char *host_own_reason(int r);

#endif
