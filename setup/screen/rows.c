#include "setup/screen/rows.h"

#include <sys/utsname.h>

void rows_configuration(struct screen *screen, const struct context *c)
{
	const char *file = c->options->config ? c->options->config : DEFAULT_CONFIG;
	char set[64] = "";

	if (c->options->n_set > 0)
		snprintf(set, sizeof(set), ", %zu --set", c->options->n_set);
	if (*c->config.sha256)
		screen_row(screen, "Configuration", "%s%s", file, set);
	else
		screen_row(screen, "Configuration", "defaults (no %s)%s", file, set);
}

void rows_node(struct screen *screen, const struct context *c, const char *and)
{
	_cleanup_text_ struct text name = {0};
	struct utsname uts;

	if (uname(&uts) < 0)
		uts = (struct utsname){0};
	node_name(&c->host, &name);
	screen_row(screen, "Node", "%s, kernel %s%s", name.len ? name.s : "no name", uts.release, and);
	screen->out.failed = screen->out.failed || text_error(&name) < 0;
}
