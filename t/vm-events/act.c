/* Makes one event that the audit rules are about: act EVENT [NUMBER...]. Made without a C library so that
 * the same source gives a 64-bit and a 32-bit program, and one for aarch64; act32 has the calls that only 32-bit
 * programs have. Most results are of no interest, failures are recorded as well. */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
#define ENTRY "mov %rsp, %rdi; and $-16, %rsp; call begin"
static long call6(long n, const long a[6])
{
	long result;
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall" : "=a"(result)
			 : "a"(n), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
#define ENTRY "mov x0, sp; b begin"
static long call6(long n, const long a[6])
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a[0];
	register long x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3];
	register long x4 __asm__("x4") = a[4];
	register long x5 __asm__("x5") = a[5];

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#define ENTRY "mov %esp, %eax; and $-16, %esp; sub $12, %esp; push %eax; call begin"
static long call6(long n, const long a[6])
{
	long result;
	const long *rest = a;

	/* ebp is the frame's, so that it is saved by hand. */
	__asm__ volatile("push %%ebp; mov 20(%%edi), %%ebp; mov 16(%%edi), %%edi; int $0x80; pop %%ebp"
			 : "=a"(result), "+D"(rest) : "a"(n), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]) : "memory");
	return result;
}
#endif

/* Up to six arguments, the rest are zero. */
#define CALL(name, ...) call6(__NR_##name, (const long[6]){ __VA_ARGS__ })

enum {
	UNIX = 1, INET = 2, INET6 = 10, STREAM = 1, DGRAM = 2,
	SOL_SOCKET = 1, SO_REUSEADDR = 2,
	PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20,
	TIOCSTI = 0x5412, PAGE = 4096,
	/* The calls of socketcall(2), by number. */
	SYS_SOCKET = 1, SYS_BIND, SYS_CONNECT, SYS_LISTEN, SYS_ACCEPT, SYS_SENDTO = 11, SYS_SETSOCKOPT = 14,
	SYS_ACCEPT4 = 18,
};

static char *program;
static char **environment;
static long numbers[6];

/* --- programs run --- */

static void act_execve(void)
{
	char what[] = "nothing", *arguments[] = { program, what, NULL };

	CALL(execve, (long)program, (long)arguments, (long)environment);
}

static void act_execveat(void)
{
	char what[] = "nothing", *arguments[] = { program, what, NULL };

	CALL(execveat, AT_FDCWD, (long)program, (long)arguments, (long)environment);
}

static void act_execve_absent(void)
{
	char *arguments[] = { program, NULL };

	CALL(execve, (long)"/absent-program", (long)arguments, (long)environment);
}

/* --- sockets --- */

/* How a socket call is made: by a system call of its own or through socketcall(2). */
static bool indirect;

static long socket_call(long direct, long indirect_call, long a, long b, long c, long d, long e)
{
#ifdef __i386__
	long arguments[6] = { a, b, c, d, e };

	if (indirect)
		return CALL(socketcall, indirect_call, (long)arguments);
#endif
	(void)indirect_call;
	return call6(direct, (const long[6]){ a, b, c, d, e });
}

static long act_open(long family, long type)
{
	return socket_call(__NR_socket, SYS_SOCKET, family, type, 0, 0, 0);
}

static long act_option(long fd, long level, long option)
{
	int value[10] = { 1 };

	return socket_call(__NR_setsockopt, SYS_SETSOCKOPT, fd, level, option, (long)value, sizeof(value));
}

/* socket FAMILY */
static void act_socket(void)
{
	act_open(numbers[0], numbers[1] ? numbers[1] : STREAM);
}

/* setsockopt LEVEL OPTION: on a descriptor that is no socket. */
static void act_setsockopt(void)
{
	act_option(0, numbers[0], numbers[1]);
}

struct address {
	uint16_t family;
	union {
		struct { uint16_t port; uint8_t ip[4], zero[8]; } inet;
		struct { uint16_t port; uint8_t flow[4], ip[16], scope[4]; } inet6;
		char path[32];
	} of;
};

/* Of this machine, with a port of its own; unix: a path made of the number. Returns its size. */
static long own_address(struct address *ret, long family, long port)
{
	uint16_t swapped = (uint16_t)((port & 0xff) << 8 | port >> 8);
	char *path = ret->of.path;

	*ret = (struct address){ .family = (uint16_t)family };
	if (family == INET) {
		ret->of.inet.port = swapped;
		ret->of.inet.ip[0] = 127;
		ret->of.inet.ip[3] = 1;
		return 16;
	}
	if (family == INET6) {
		ret->of.inet6.port = swapped;
		ret->of.inet6.ip[15] = 1;
		return 28;
	}
	for (const char *s = "/run/act."; *s; s++)
		*path++ = *s;
	for (long divisor = 10000; divisor; divisor /= 10)
		*path++ = (char)('0' + port / divisor % 10);
	return sizeof(*ret);
}

static void call_in(const struct address *to, long size)
{
	socket_call(__NR_connect, SYS_CONNECT, act_open(to->family, STREAM), (long)to, size, 0, 0);
}

/* A socket that listens at that address. */
static long listen_at(const struct address *own, long size)
{
	long fd = act_open(own->family, STREAM);

	act_option(fd, SOL_SOCKET, SO_REUSEADDR);
	socket_call(__NR_bind, SYS_BIND, fd, (long)own, size, 0, 0);
	socket_call(__NR_listen, SYS_LISTEN, fd, 5, 0, 0, 0);
	return fd;
}

/* serve FAMILY PORT: binds, listens, is connected to and accepts, by accept4 and, where it is, accept. */
static void act_serve(void)
{
	struct address own, peer;
	long size = own_address(&own, numbers[0], numbers[1]), n = sizeof(peer), fd = listen_at(&own, size);

	call_in(&own, size);
	socket_call(__NR_accept4, SYS_ACCEPT4, fd, (long)&peer, (long)&n, 0, 0);
	n = sizeof(peer);
	call_in(&own, size);
#ifdef __LP64__
	socket_call(__NR_accept, SYS_ACCEPT, fd, (long)&peer, (long)&n, 0, 0);
#else
	if (indirect)
		socket_call(0, SYS_ACCEPT, fd, (long)&peer, (long)&n, 0, 0);
#endif
}

/* accept-blind FAMILY PORT: accepts without asking who it is. */
static void act_accept_blind(void)
{
	struct address own;
	long size = own_address(&own, numbers[0], numbers[1]), fd = listen_at(&own, size);

	call_in(&own, size);
	socket_call(__NR_accept4, SYS_ACCEPT4, fd, 0, 0, 0, 0);
}

/* connect FAMILY PORT: where nobody listens. */
static void act_connect(void)
{
	struct address to;
	long size = own_address(&to, numbers[0], numbers[1]);

	call_in(&to, size);
}

/* sendto FAMILY PORT: a datagram, without a connection. */
static void act_sendto(void)
{
	struct address to;
	long size = own_address(&to, numbers[0], numbers[1]), fd = act_open(numbers[0], DGRAM);

	CALL(sendto, fd, (long)"x", 1, 0, (long)&to, size);
}

/* --- memory --- */

static long map(long protection, long flags, long fd)
{
#ifdef __LP64__
	return CALL(mmap, 0, PAGE, protection, flags, fd, 0);
#else
	return CALL(mmap2, 0, PAGE, protection, flags, fd, 0);
#endif
}

static long own_file(void)
{
	return CALL(openat, AT_FDCWD, (long)program, O_RDONLY);
}

static void act_map_file(void)
{
	map(PROT_READ | PROT_EXEC, MAP_PRIVATE, own_file());
}

static void act_map_memory(void)
{
	map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void act_map_data(void)
{
	map(PROT_READ, MAP_PRIVATE, own_file());
	map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void act_protect_exec(void)
{
	CALL(mprotect, map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), PAGE, PROT_READ | PROT_EXEC);
}

static void act_pkey_protect_exec(void)
{
	CALL(pkey_mprotect, map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), PAGE,
	     PROT_READ | PROT_EXEC, -1);
}

static void act_protect_data(void)
{
	CALL(mprotect, map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), PAGE, PROT_READ);
}

#ifdef __i386__
/* The old mmap(2), its arguments in memory. */
static void act_map_old(void)
{
	long arguments[6] = { 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, own_file(), 0 };

	CALL(mmap, (long)arguments);
}
#endif

/* shm-exec: attaches shared memory as executable. */
static void act_shm_exec(void)
{
	enum { SHM_EXEC = 0100000, IPC_CREAT = 01000, SHMGET = 23, SHMAT = 21, SHMCTL = 24 };
#ifdef __LP64__
	long id = CALL(shmget, 0, PAGE, IPC_CREAT | 0700);

	CALL(shmat, id, 0, SHM_EXEC);
	CALL(shmctl, id, 0, 0);
#else
	long id = CALL(ipc, SHMGET, 0, PAGE, IPC_CREAT | 0700), where;

	CALL(ipc, SHMAT, id, SHM_EXEC, (long)&where);
	CALL(ipc, SHMCTL, id, 0, 0);
#endif
}

/* read-implies-exec: a mapping that asks only to be read, executable by personality(2). */
static void act_read_implies_exec(void)
{
	CALL(personality, 0x0400000);
	map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* --- terminals --- */

static void act_tiocsti(void)
{
	CALL(ioctl, 0, TIOCSTI, (long)"\n");
}

/* --- all there are --- */

/* That ends a program, stops it, or makes another of it. */
static bool is_left_out(long n)
{
	enum { URETPROBE = 335, UPROBE = 336, CLONE3 = 435 };
	static const short calls[] = {
		__NR_exit, __NR_exit_group, __NR_rt_sigreturn, __NR_clone, CLONE3, __NR_vhangup,
#ifdef __x86_64__
		URETPROBE, UPROBE,
#endif
#ifndef __aarch64__
		__NR_fork, __NR_vfork, __NR_pause,
#endif
#ifdef __i386__
		__NR_sigreturn, __NR_sigsuspend,
#endif
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i] == n)
			return true;
	return false;
}

/* every: each of the other system calls once, with arguments that none takes: -1. What a permission looks at is there:
 * flags, for openat2(2) too, that are for reading and writing, and socketcall(2)'s bind. */
static void act_every(void)
{
	enum { OPENAT2 = 437, BEYOND = 1024, RDWR = 2 };
	const uint64_t how[3] = { RDWR, 0, 0 };

	for (long n = 0; n < BEYOND; n++) {
		long first = -1, third = -1, fourth = -1;

		if (is_left_out(n))
			continue;
		if (n == OPENAT2) {
			third = (long)how;
			fourth = sizeof(how);
		}
#ifdef __i386__
		if (n == __NR_socketcall)
			first = SYS_BIND;
#endif
		call6(n, (const long[6]){ first, -1, third, fourth, -1, -1 });
	}
}

/* --- */

static void act_nothing(void)
{
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{ "nothing", act_nothing },
	{ "execve", act_execve },
	{ "execveat", act_execveat },
	{ "execve-absent", act_execve_absent },
	{ "socket", act_socket },
	{ "setsockopt", act_setsockopt },
	{ "serve", act_serve },
	{ "accept-blind", act_accept_blind },
	{ "connect", act_connect },
	{ "sendto", act_sendto },
	{ "map-file", act_map_file },
	{ "map-memory", act_map_memory },
	{ "map-data", act_map_data },
	{ "protect-exec", act_protect_exec },
	{ "pkey-protect-exec", act_pkey_protect_exec },
	{ "protect-data", act_protect_data },
#ifdef __i386__
	{ "map-old", act_map_old },
#endif
	{ "shm-exec", act_shm_exec },
	{ "read-implies-exec", act_read_implies_exec },
	{ "tiocsti", act_tiocsti },
	{ "every", act_every },
};

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static long number(const char *s)
{
	long n = 0;

	while (*s >= '0' && *s <= '9')
		n = 10 * n + (*s++ - '0');
	return n;
}

/* act [indirect] EVENT [NUMBER...]; indirect: through socketcall(2). */
__attribute__((used, noreturn)) static void begin(long *stack)
{
	long n = stack[0], first = 1, status = 2;
	char **arguments = (char **)(stack + 1);

	const long alarm[4] = { 0, 0, 5, 0 };

	/* An accept() that nobody connects to ends, too. */
	CALL(setitimer, 0, (long)alarm);
	program = arguments[0];
	environment = arguments + n + 1;
	if (n > 2 && same(arguments[1], "indirect"))
		indirect = ++first;
	for (long i = first + 1; i < n && i - first <= 6; i++)
		numbers[i - first - 1] = number(arguments[i]);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		if (first < n && same(arguments[first], acts[i].name)) {
			acts[i].act();
			status = 0;
		}
	}
	for (;;)
		CALL(exit, status);
}

__asm__(".globl _start\n_start: " ENTRY "\n");
