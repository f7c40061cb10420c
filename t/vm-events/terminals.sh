# tty: the terminal of programs run in an SSH session and in an interactive exec into a container, and
# keystrokes that were recorded. Runs in the guest.
. ./sshd.sh

# containerd and what it runs, where a Container-Optimized OS lets programs be executed.
where=/var/lib/docker/ev
rootfs=$where/rootfs
ctr() { command ctr --address /run/ev-containerd "$@"; }
start_container() {
	mkdir -p $rootfs/bin $rootfs/proc $rootfs/dev $rootfs/sys
	cp "$(command -v busybox)" $rootfs/bin/
	ln -sf busybox $rootfs/bin/stat
	ln -sf busybox $rootfs/bin/sleep
	containerd --root $where/root --state $where/state --address /run/ev-containerd >containerd.log 2>&1 &
	containerd=$!
	wait_for 60 [ -S /run/ev-containerd ]
	ctr run -d --rootfs $rootfs ev /bin/sleep 600 >containerd.out 2>&1
	ok $? 'containerd starts a container' "$(cat containerd.out; tail -n 5 containerd.log)"
}
stop_container() {
	ctr task kill -s KILL ev
	sleep 1
	ctr task rm ev
	ctr container rm ev
	kill "$containerd"
	wait "$containerd"
} >/dev/null 2>&1

in_container() {
	script -qc "ctr --address /run/ev-containerd task exec -t --exec-id ev-$$-$((execs += 1)) ev /bin/stat -c %a /" /dev/null
}

# Keystrokes as the kernel records them: of a program that switched it on for itself and its children.
tty_on='1017 x:0100000000000000'	# AUDIT_TTY_SET: enabled, without passwords
type_something() { printf 'typed-by-hand\n' | perl send.pl $tty_on -- script -qc 'head -n 1' /dev/null; }

rows_tty() {
	anyone=1
	row 'keystrokes that the kernel records' 'TTY comm=head data~74797065642D62792D68616E64' type_something
	row 'keystrokes that a shell records' 'USER_TTY data~6C73' perl send.pl $tty_on 1124 'ls -l'
	kept "a program's message of another kind" 'USER_CMD cmd=test exe=/usr/bin/perl' \
		perl send.pl 1123 'cmd="test" exe="/usr/bin/perl" res=success'
	row 'input put into the terminal of an SSH session (TIOCSTI)' "SYSCALL key=tty arch=$b64 syscall=16 a1=5412
		exe~/act64$ auid=$alice tty~^pts" ssh_as alice right -tt 127.0.0.1 "$PWD/act64 tiocsti"
	anyone=
}

rows_exec_terminal() {
	anyone=1
	row 'a command in an SSH session with a terminal' "SYSCALL key=exec arch=$b64 exe=/usr/bin/stat auid=$alice uid=$alice
		ses!=4294967295 tty~^pts[0-9] success=yes EXECVE a1=-c a2=%s a3=/etc/hostname" \
		ssh_as alice right -tt 127.0.0.1 stat -c %s /etc/hostname
	row 'a command in an SSH session without one' "SYSCALL key=exec arch=$b64 exe=/usr/bin/stat auid=$alice uid=$alice
		ses!=4294967295 tty=(none) success=yes EXECVE a1=-c a2=%i a3=/etc/hostname" \
		ssh_as alice right 127.0.0.1 stat -c %i /etc/hostname
	row 'a command executed in a container with a terminal' "SYSCALL key=exec arch=$b64 exe=/bin/busybox comm=stat
		auid=4294967295 tty~^pts[0-9] success=yes EXECVE a0=/bin/stat a2=%a PATH name=/bin/stat" in_container
	anyone=
}

b64=c000003e execs=0 alice=$(id -u alice)
chmod 755 "$PWD" act64
start_container
on_and_off tty
only exec
rows
rows_exec_terminal
judge on 'exec, terminals'
stop_container
