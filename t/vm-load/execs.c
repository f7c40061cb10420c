/* execs N NAME: this program executes itself N times, with what is left to do as its argument: the fastest way
 * to make records of execve. Links statically: nothing else is opened or mapped. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc == 3 ? strtol(argv[1], NULL, 10) : -1;
	char left[24];
	char *const again[] = { argv[0], left, argc == 3 ? argv[2] : NULL, NULL };
	char *const nothing[] = { NULL };

	if (n < 0)
		return 2;
	if (n == 0)
		return 0;
	snprintf(left, sizeof(left), "%ld", n - 1);
	execve(argv[0], again, nothing);
	return 1;
}
