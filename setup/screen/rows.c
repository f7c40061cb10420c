#include "setup/screen/rows.h"

#include <sys/utsname.h>

/* Rows that the screen needs, however full it is, each of its items in one; and that the messages have beside it. */
enum { LEAST = 15, BESIDE = SCREEN_ROWS - LEAST };

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
	screen->failed = screen->failed || text_error(&name) < 0;
}

int rows_print(struct screen *screen, const struct context *c)
{
	size_t need = screen_height(screen), messages;

	messages = log_end_room(c->log, need + BESIDE < SCREEN_ROWS ? SCREEN_ROWS - need : BESIDE);
	screen->room = messages + LEAST < SCREEN_ROWS ? SCREEN_ROWS - messages : LEAST;
	if (c->options->level >= LEVEL_DEBUG)
		screen->room = 0;
	return screen_print(screen);
}
