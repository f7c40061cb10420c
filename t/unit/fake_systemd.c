/* Usage: fake_systemd SOCKET [MILLISECONDS [ANSWERS]]. Answers there like a systemd of which every unit is active, without
 * drop-ins, and every job is done, after that time, until its standard input ends: what it is told, it does not do.
 *
 * Lines of the file ANSWERS, which is read anew for every question, take precedence: "UNIT PROPERTY VALUE", where VALUE
 * is the rest of the line, and "UNIT GetUnitFileState VALUE". */
#include <stdlib.h>

#include "setup/base/mem.h"
#include "t/unit/peer.h"

/* The unit that a call is about: its object's path has other bytes than letters and digits as _XX. */
static void find_unit(const struct peer_call *call, char *out, size_t size)
{
	const char *s = strrchr(call->path, '/');
	size_t n = 0;

	if (strcmp(call->name, "GetUnitFileState") == 0) {
		snprintf(out, size, "%s", call->first);
		return;
	}
	for (s = s ? s + 1 : ""; *s && n + 1 < size; s++) {
		const char hex[] = { *s && *s == '_' ? s[1] : '0', *s == '_' && s[1] ? s[2] : '0', '\0' };

		out[n++] = *s == '_' ? (char)strtol(hex, NULL, 16) : *s;
		s += *s == '_' && s[1] && s[2] ? 2 : 0;
	}
	out[n] = '\0';
}

/* The value that the file has for this question; false for none. */
static bool find_answer(const char *file, const struct peer_call *call, char *out, size_t size)
{
	_cleanup_fclose_ FILE *f = file ? fopen(file, "re") : NULL;
	char unit[128], line[1024], about[256];
	bool found = false;

	find_unit(call, unit, sizeof(unit));
	snprintf(about, sizeof(about), "%s %s ", unit, call->name);
	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = strncmp(line, about, strlen(about)) == 0;
	}
	if (found)
		snprintf(out, size, "%s", line + strlen(about));
	return found;
}

static bool answer(struct peer *peer, const struct peer_call *call)
{
	char value[1024];

	if (!find_answer(peer->plan, call, value, sizeof(value)))
		return strcmp(call->name, "DropInPaths") == 0 ? peer_reply_words(peer, call, "") :
			peer_answer_well(peer, call);
	if (strcmp(call->name, "GetUnitFileState") == 0)
		return peer_reply_plain_string(peer, call, value);
	if (strcmp(call->name, "DropInPaths") == 0)
		return peer_reply_words(peer, call, value);
	if (strcmp(call->name, "NeedDaemonReload") == 0)
		return peer_reply_variant(peer, call, "b", NULL, (uint64_t)atoi(value));
	return peer_reply_variant(peer, call, "s", value, 0);
}

int main(int argc, char **argv)
{
	struct peer peer = { .answer = answer };
	char c;

	if (argc < 2 || argc > 4)
		return 2;
	peer.late = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	peer.plan = argc > 3 ? argv[3] : NULL;
	peer_start(&peer, argv[1]);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0) { }
	peer_stop(&peer);
	return 0;
}
