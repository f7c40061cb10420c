# exec, socket, mmap, network, logins, tty on aarch64, where system calls have other numbers and no 32-bit program is at
# hand; t/vm-events has each event there is, on x86_64. Runs in the guest.

b64=c00000b7 execve=221
act="arch=$b64 exe~/act64$ comm=act64"

rows_exec() {
	row 'execve' "SYSCALL key=exec syscall=221 success=yes $act EXECVE a1=nothing PATH name=./act64 CWD cwd=$PWD" ./act64 execve
	row 'execveat' "SYSCALL key=exec syscall=281 success=yes $act EXECVE a1=nothing PATH name=./act64" ./act64 execveat
	row 'an execve that fails' "SYSCALL key=exec syscall=221 success=no exit=-2 $act PATH name=/absent-program" ./act64 execve-absent
	row 'a program with its arguments' 'SYSCALL key=exec exe~/stat$ EXECVE argc=4 a1=-c a2=%a a3=/etc/hostname
		PATH name=/usr/bin/stat' /usr/bin/stat -c %a /etc/hostname
}

rows_socket() {
	row 'a socket of AF_VSOCK' "SYSCALL key=socket syscall=198 a0=28 $act" ./act64 socket 40
	row 'setsockopt SO_ATTACH_FILTER' "SYSCALL key=socket syscall=208 a1=1 a2=1a $act" ./act64 setsockopt 1 26
	not 'a socket of inet' 'SYSCALL syscall=198' ./act64 socket 2
	not 'setsockopt SO_REUSEADDR' 'SYSCALL syscall=208' ./act64 setsockopt 1 2
}

rows_mmap() {
	row 'an executable mapping without a file' "SYSCALL key=mmap syscall=222 a2=7 a3=22 success=yes $act" ./act64 map-memory
	row 'an executable mapping of a file' "SYSCALL key=mmap syscall=222 a2=5 a3=2 success=yes $act MMAP fd=3 flags=0x2" \
		./act64 map-file
	row 'memory made executable (mprotect)' "SYSCALL key=mmap syscall=226 a2=5 success=yes $act" ./act64 protect-exec
	row 'memory made executable (pkey_mprotect)' "SYSCALL key=mmap syscall=288 a2=5 $act" ./act64 pkey-protect-exec
	not 'a mapping that is not executable' 'SYSCALL syscall=222' ./act64 map-data
	not 'memory made read-only' 'SYSCALL syscall=226' ./act64 protect-data
}

zeros=00000000
# served FAMILY NAME PORT ADDRESS-BEFORE-PORT ADDRESS-AFTER
served() {
	own=$4$(printf %04X "$3")$5
	row "bind over $2, with address and port" "SYSCALL key=network $act syscall=200 success=yes SOCKADDR saddr=$own" ./act64 serve "$1" "$3"
	row "listen over $2" "SYSCALL key=network $act syscall=201 success=yes"
	row "connect over $2, with address and port" "SYSCALL key=network $act syscall=203 success=yes SOCKADDR saddr=$own"
	row "accept4 over $2, with the peer's address" "SYSCALL key=network $act syscall=242 success=yes SOCKADDR saddr~^$4....$5$"
	row "accept over $2, with the peer's address" "SYSCALL key=network $act syscall=202 success=yes SOCKADDR saddr~^$4....$5$"
	row "a connection over $2 that is refused" "SYSCALL key=network syscall=203 success=no exit=-111
		SOCKADDR saddr=$4$(printf %04X "$(($3 + 1))")$5" ./act64 connect "$1" "$(($3 + 1))"
}

rows_network() {
	served 2 IPv4 4100 0200 7F000001$zeros$zeros
	served 10 IPv6 4200 0A00 $zeros$zeros$zeros${zeros}00000001$zeros
	not 'bind of a unix socket' 'SYSCALL syscall=200' ./act64 serve 1 4300
	rm -f /run/act.*
}

rows_tty() {
	row 'input put into a terminal (TIOCSTI)' "SYSCALL key=tty syscall=29 a1=5412 $act" ./act64 tiocsti
}

rows_logins() {
	anyone=1
	row 'a group added' 'ADD_GROUP exe=/usr/sbin/groupadd res=success' groupadd crew
	row 'a user added' 'ADD_USER exe=/usr/sbin/useradd res=success' useradd bob
	row 'the file of users written' 'SYSCALL key=logins@ comm=useradd success=yes PATH name=/etc/passwd'
	row 'a user deleted' 'DEL_USER exe=/usr/sbin/userdel res=success' userdel bob
	row 'a group deleted' 'DEL_GROUP exe=/usr/sbin/groupdel res=success' groupdel crew
	row "PAM's configuration written" 'SYSCALL key=logins@ comm=touch success=yes PATH name=/etc/pam.d/ev' touch /etc/pam.d/ev
	row 'USER_LOGIN of a program' 'USER_LOGIN op=test exe=/usr/bin/perl res=success' \
		perl send.pl 1112 'op=test exe="/usr/bin/perl" res=success'
	anyone=
	rm -f /etc/pam.d/ev
}

for group in exec socket=unusual mmap=exec network logins; do on_and_off $group; done
# One call, and the keystrokes of t/71-vm-keystrokes.t, which need a login.
only tty; rows; rows_tty; judge on tty
without tty; rows; rows_tty; judge off tty
