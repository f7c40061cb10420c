/* Usage: fake_systemd SOCKET [MILLISECONDS]. Answers there like a systemd of which every unit is active and every
 * job is done, after that time, until its standard input ends: what it is told, it does not do. */
#include <stdlib.h>

#include "setup/base/mem.h"
#include "t/unit/peer.h"

int main(int argc, char **argv)
{
	struct peer peer = { .answer = peer_answer_well };
	char c;

	if (argc != 2 && argc != 3)
		return 2;
	peer.late = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	peer_start(&peer, argv[1]);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0) { }
	peer_stop(&peer);
	return 0;
}
