/* Every kind of call that a watch is about, made without a C library so that the same source gives
 * a 64-bit and a 32-bit program: work DIR... does all in each directory; "work nothing" does nothing.
 * Most results are of no interest here, failures are recorded as well. */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <stddef.h>

#ifdef __x86_64__
#define ENTRY "mov %rsp, %rdi; and $-16, %rsp; call begin"
static long call(long n, long a, long b, long c, long d, long e)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;

	__asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#else
#define ENTRY "mov %esp, %eax; and $-16, %esp; sub $12, %esp; push %eax; call begin"
static long call(long n, long a, long b, long c, long d, long e)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return result;
}
#endif

#define CALL5(name, a, b, c, d, e) call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define CALL4(name, a, b, c, d) CALL5(name, a, b, c, d, 0)
#define CALL3(name, a, b, c) CALL5(name, a, b, c, 0, 0)
#define CALL2(name, a, b) CALL5(name, a, b, 0, 0, 0)
#define CALL1(name, a) CALL5(name, a, 0, 0, 0, 0)

enum {
	AT = AT_FDCWD,
	OPENAT2 = 437, FCHMODAT2 = 452, SETXATTRAT = 463, UNKNOWN = 700,
	X32 = 0x40000000,
	AF_UNIX = 1, SOCK_STREAM = 1, SIGCHLD = 17,
};

static void read_things(const char *file)
{
	char buf[256];
	long fd = CALL3(open, file, O_RDONLY, 0);

	CALL3(read, fd, buf, sizeof(buf));
	CALL1(close, fd);
	CALL1(close, CALL3(openat, AT, file, O_RDONLY));
	CALL3(readlink, "link", buf, sizeof(buf));
	CALL4(readlinkat, AT, "link", buf, sizeof(buf));
	CALL4(getxattr, file, "user.a", buf, sizeof(buf));
	CALL3(listxattr, file, buf, sizeof(buf));
	CALL2(access, file, 0);
	CALL2(stat, file, buf);
	CALL3(name_to_handle_at, AT, file, buf);
}

static void write_things(const char *file)
{
	unsigned long long how[3] = { O_RDWR, 0, 0 };
	long fd = CALL3(open, file, O_WRONLY | O_APPEND, 0);

	CALL3(write, fd, "x", 1);
	CALL1(close, fd);
	fd = CALL3(openat, AT, file, O_RDWR);
	CALL2(ftruncate, fd, 5);
	CALL4(fallocate, fd, 0, 0, 100);
	CALL2(fchmod, fd, 0640);
	CALL3(fchown, fd, 1, 1);
	CALL5(fsetxattr, fd, "user.b", "1", 1, 0);
	CALL2(fremovexattr, fd, "user.b");
	CALL1(close, fd);
	CALL1(close, call(OPENAT2, AT, (long)file, (long)how, sizeof(how), 0));
	CALL2(truncate, file, 3);
}

static void change_things(const char *file)
{
	CALL2(chmod, file, 0600);
	CALL3(fchmodat, AT, file, 0644);
	call(FCHMODAT2, AT, (long)file, 0600, 0, 0);
	CALL3(chown, file, 2, 2);
	CALL3(lchown, file, 0, 0);
	CALL5(fchownat, AT, file, 1, 1, 0);
	CALL5(setxattr, file, "user.a", "1", 1, 0);
	CALL5(lsetxattr, file, "user.c", "1", 1, 0);
	call(SETXATTRAT, AT, (long)file, 0, (long)"user.d", 0);
	CALL2(removexattr, file, "user.c");
	CALL4(utimensat, AT, file, 0, 0);
	CALL2(utime, file, 0);
}

static void bind_things(void)
{
	struct { unsigned short family; char path[20]; } address = { AF_UNIX, "socket" };
	long fd;

#ifdef __x86_64__
	fd = CALL3(socket, AF_UNIX, SOCK_STREAM, 0);
	CALL3(bind, fd, &address, sizeof(address));
#else
	long socket[3] = { AF_UNIX, SOCK_STREAM, 0 }, bind[3], again = 1;

	fd = CALL2(socketcall, 1, socket);
	bind[0] = fd;
	bind[1] = (long)&address;
	bind[2] = sizeof(address);
	CALL2(socketcall, 2, bind);
	CALL1(unlink, "socket");
	again = CALL3(socket, AF_UNIX, SOCK_STREAM, 0);
	CALL3(bind, again, &address, sizeof(address));
	CALL1(close, again);
#endif
	CALL1(close, fd);
	CALL1(unlink, "socket");
}

static void move_things(const char *file)
{
	CALL1(close, CALL2(creat, "new", 0600));
	CALL1(close, CALL3(open, "made", O_CREAT | O_EXCL | O_WRONLY, 0600));
	CALL2(rename, "new", "renamed");
	CALL4(renameat, AT, "renamed", AT, "again");
	CALL5(renameat2, AT, "again", AT, "made", 0);
	CALL2(link, file, "hard");
	CALL5(linkat, AT, file, AT, "hard2", 0);
	CALL2(symlink, "made", "link");
	CALL3(symlinkat, "made", AT, "link2");
	CALL2(mkdir, "dir", 0700);
	CALL3(mkdirat, AT, "dir2", 0700);
	CALL3(mknod, "fifo", 0010600, 0);
	CALL4(mknodat, AT, "fifo2", 0010600, 0);
	read_things("link");
	CALL1(rmdir, "dir");
	CALL3(unlinkat, AT, "dir2", AT_REMOVEDIR);
	CALL3(unlinkat, AT, "fifo", 0);
	CALL1(unlink, "fifo2");
	CALL1(unlink, "hard");
	CALL1(unlink, "hard2");
	CALL1(unlink, "link");
	CALL1(unlink, "link2");
	CALL2(rename, "made", "quiet");
	CALL1(close, CALL3(open, "quiet", O_WRONLY, 0));
	CALL1(unlink, "quiet");
}

static void run_things(char *program, char **environment)
{
	char what[] = "nothing", *arguments[] = { program, what, NULL };
	long pid = CALL5(clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		CALL3(execve, program, arguments, environment);
		CALL1(exit, 127);
	}
	CALL4(wait4, pid, 0, 0, 0);
	CALL5(execveat, AT, "absent", arguments, environment, 0);
}

static void other_things(const char *file)
{
	int info[32] = { 0 };
	long pid = CALL1(getpid, 0);

	info[2] = -1;	/* SI_QUEUE */
	CALL1(getppid, 0);
	CALL2(kill, pid, 0);
	CALL3(rt_sigqueueinfo, pid, 23, info);	/* SIGURG: ignored */
	CALL1(acct, "absent");
	CALL2(swapon, "absent", 0);
	CALL4(quotactl, 0, file, 0, 0);
	call(UNKNOWN, AT, (long)file, 0, 0, 0);
	call(X32 | 257, AT, (long)file, O_WRONLY, 0, 0);
}

__attribute__((used, noreturn)) static void begin(long *stack)
{
	long n = stack[0];
	char **arguments = (char **)(stack + 1), **environment = arguments + n + 1;

	if (n == 2 && arguments[1][0] == 'n')
		CALL1(exit, 0);
	for (long i = 1; i < n; i++) {
		CALL1(chdir, arguments[i]);
		for (const char *const *file = (const char *const[]){ "file", "secret", NULL }; *file; file++) {
			read_things(*file);
			write_things(*file);
			change_things(*file);
			other_things(*file);
		}
		bind_things();
		move_things("file");
		run_things(arguments[0], environment);
		run_things((char[]){ "./program" }, environment);
		/* As editors do it: the watch follows. */
		CALL1(close, CALL2(creat, "secret.new", 0600));
		CALL2(rename, "secret.new", "secret");
		write_things("secret");
		change_things("secret");
	}
	for (;;)
		CALL1(exit, 0);
}

__asm__(".globl _start\n_start: " ENTRY "\n");
