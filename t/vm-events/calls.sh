# exec, socket, mmap, network, tty: system calls, by 64-bit and 32-bit programs. Runs in the guest.

b64=c000003e b32=40000003

rows_exec() {
	row 'execve by a 64-bit program' "SYSCALL key=exec arch=$b64 syscall=59 success=yes exe~/act64$ comm=act64
		EXECVE a1=nothing PATH name=./act64 CWD cwd=$PWD" ./act64 execve
	row 'execveat by a 64-bit program' "SYSCALL key=exec arch=$b64 syscall=322 success=yes exe~/act64$
		EXECVE a1=nothing PATH name=./act64" ./act64 execveat
	row 'a 64-bit execve that fails' "SYSCALL key=exec arch=$b64 syscall=59 success=no exit=-2 exe~/act64$
		PATH name=/absent-program" ./act64 execve-absent
	row 'execve by a 32-bit program' "SYSCALL key=exec arch=$b32 syscall=11 success=yes exe~/act32$ comm=act32
		EXECVE a1=nothing PATH name=./act32" ./act32 execve
	row 'execveat by a 32-bit program' "SYSCALL key=exec arch=$b32 syscall=358 success=yes exe~/act32$
		EXECVE a1=nothing PATH name=./act32" ./act32 execveat
	row 'a 32-bit execve that fails' "SYSCALL key=exec arch=$b32 syscall=11 success=no exit=-2 exe~/act32$
		PATH name=/absent-program" ./act32 execve-absent
	row 'a program with its arguments' 'SYSCALL key=exec exe~/stat$ EXECVE argc=4 a1=-c a2=%a a3=/etc/hostname
		PATH name=/usr/bin/stat' /usr/bin/stat -c %a /etc/hostname
}

# unusual_family FAMILY NAME [TYPE]
unusual_family() {
	hex=$(printf %x "$1")
	row "a socket of $2, 64 bit" "SYSCALL key=socket arch=$b64 syscall=41 a0=$hex exe~/act64$" ./act64 socket "$1" ${3:+"$3"}
	row "a socket of $2, 32 bit" "SYSCALL key=socket arch=$b32 syscall=359 a0=$hex exe~/act32$" ./act32 socket "$1" ${3:+"$3"}
	row "a socket of $2, 32 bit through socketcall" "SYSCALL key=socket arch=$b32 syscall=102 a0=1 exe~/act32$" \
		./act32 indirect socket "$1" ${3:+"$3"}
}

# option LEVEL NUMBER NAME
option() {
	level=$(printf %x "$1") hex=$(printf %x "$2")
	row "setsockopt $3, 64 bit" "SYSCALL key=socket arch=$b64 syscall=54 a1=$level a2=$hex exe~/act64$" ./act64 setsockopt "$1" "$2"
	row "setsockopt $3, 32 bit" "SYSCALL key=socket arch=$b32 syscall=366 a1=$level a2=$hex exe~/act32$" ./act32 setsockopt "$1" "$2"
}

# usual_option LEVEL NUMBER NAME
usual_option() {
	not "setsockopt $3, 64 bit" "SYSCALL syscall=54" ./act64 setsockopt "$1" "$2"
	not "setsockopt $3, 32 bit" "SYSCALL syscall=366" ./act32 setsockopt "$1" "$2"
}

rows_socket() {
	unusual_family 38 AF_ALG 5
	unusual_family 40 AF_VSOCK
	unusual_family 29 AF_CAN
	option 1 26 SO_ATTACH_FILTER
	option 1 50 SO_ATTACH_BPF
	option 1 51 SO_ATTACH_REUSEPORT_CBPF
	option 1 52 SO_ATTACH_REUSEPORT_EBPF
	option 263 22 PACKET_FANOUT_DATA
	option 0 64 IPT_SO_SET_REPLACE
	option 41 64 IP6T_SO_SET_REPLACE
	option 0 96 ARPT_SO_SET_REPLACE
	option 0 128 EBT_SO_SET_ENTRIES
	row 'setsockopt through socketcall, with level and option' "SYSCALL key=socket arch=$b32 syscall=102 a0=e
		exe~/act32$ SOCKETCALL nargs=5 a1=1 a2=1a" ./act32 indirect setsockopt 1 26
	for family in '1 unix' '2 inet' '10 inet6' '16 netlink 3' '17 packet 3'; do
		set -- $family
		not "a socket of $2, 64 bit" "SYSCALL syscall=41" ./act64 socket "$1" "${3:-1}"
		not "a socket of $2, 32 bit" "SYSCALL syscall=359" ./act32 socket "$1" "${3:-1}"
	done
	usual_option 1 2 SO_REUSEADDR
	usual_option 1 27 SO_DETACH_FILTER
	usual_option 6 50 'with the number of SO_ATTACH_BPF at TCP level'
}

rows_socket_all() {
	row 'a socket of inet, 64 bit' "SYSCALL key=socket arch=$b64 syscall=41 a0=2 exe~/act64$" ./act64 socket 2
	row 'a socket of inet, 32 bit' "SYSCALL key=socket arch=$b32 syscall=359 a0=2 exe~/act32$" ./act32 socket 2
	row 'a socket through socketcall' "SYSCALL key=socket arch=$b32 syscall=102 a0=1 exe~/act32$" ./act32 indirect socket 2
	row 'setsockopt SO_REUSEADDR, 64 bit' "SYSCALL key=socket arch=$b64 syscall=54 a1=1 a2=2 exe~/act64$" ./act64 setsockopt 1 2
	row 'setsockopt SO_REUSEADDR, 32 bit' "SYSCALL key=socket arch=$b32 syscall=366 a1=1 a2=2 exe~/act32$" ./act32 setsockopt 1 2
	row 'setsockopt through socketcall' "SYSCALL key=socket arch=$b32 syscall=102 a0=e exe~/act32$" ./act32 indirect setsockopt 1 2
}

# Written in memory: the same under anonymous and exec.
rows_mmap_memory() {
	row 'an executable mapping without a file, 64 bit' "SYSCALL key=mmap arch=$b64 syscall=9 a2=7 a3=22 success=yes
		exe~/act64$" ./act64 map-memory
	row 'an executable mapping without a file, 32 bit (mmap2)' "SYSCALL key=mmap arch=$b32 syscall=192 a2=7 a3=22
		success=yes exe~/act32$" ./act32 map-memory
	row 'memory made executable, 64 bit (mprotect)' "SYSCALL key=mmap arch=$b64 syscall=10 a2=5 success=yes exe~/act64$" \
		./act64 protect-exec
	row 'memory made executable, 32 bit (mprotect)' "SYSCALL key=mmap arch=$b32 syscall=125 a2=5 success=yes exe~/act32$" \
		./act32 protect-exec
	row 'memory made executable, 64 bit (pkey_mprotect)' "SYSCALL key=mmap arch=$b64 syscall=329 a2=5 exe~/act64$" \
		./act64 pkey-protect-exec
	row 'memory made executable, 32 bit (pkey_mprotect)' "SYSCALL key=mmap arch=$b32 syscall=380 a2=5 exe~/act32$" \
		./act32 pkey-protect-exec
	row 'the old mmap of 32-bit programs' "SYSCALL key=mmap arch=$b32 syscall=90 success=yes exe~/act32$ MMAP fd=3 flags=0x2" \
		./act32 map-old
	not 'a mapping that is not executable, 64 bit' 'SYSCALL syscall=9' ./act64 map-data
	not 'a mapping that is not executable, 32 bit' 'SYSCALL syscall=192' ./act32 map-data
	not 'memory made read-only, 64 bit' 'SYSCALL syscall=10' ./act64 protect-data
	not 'memory made read-only, 32 bit' 'SYSCALL syscall=125' ./act32 protect-data
	# Holes that rules/README.md names.
	not 'shared memory attached as executable' 'SYSCALL syscall=30' ./act64 shm-exec
	not 'a mapping that personality(2) makes executable' 'SYSCALL syscall=9' ./act64 read-implies-exec
}

rows_mmap_anonymous() {
	rows_mmap_memory
	not 'an executable mapping of a file, 64 bit' 'SYSCALL syscall=9' ./act64 map-file
	not 'an executable mapping of a file, 32 bit' 'SYSCALL syscall=192' ./act32 map-file
	not 'a shared library mapped' 'SYSCALL syscall=9' /usr/bin/true
}

rows_mmap() {
	rows_mmap_memory
	row 'an executable mapping of a file, 64 bit' "SYSCALL key=mmap arch=$b64 syscall=9 a2=5 a3=2 success=yes
		exe~/act64$ MMAP fd=3 flags=0x2" ./act64 map-file
	row 'an executable mapping of a file, 32 bit (mmap2)' "SYSCALL key=mmap arch=$b32 syscall=192 a2=5 a3=2 success=yes
		exe~/act32$ MMAP fd=3 flags=0x2" ./act32 map-file
	row 'a shared library mapped' "SYSCALL key=mmap arch=$b64 syscall=9 a2=5 success=yes exe=/usr/bin/true MMAP fd=3" \
		/usr/bin/true
}

rows_mmap_all() {
	row 'a mapping that is not executable, 64 bit' "SYSCALL key=mmap arch=$b64 syscall=9 a2=1 exe~/act64$ MMAP fd=3" ./act64 map-data
	row 'a mapping that is not executable, 32 bit' "SYSCALL key=mmap arch=$b32 syscall=192 a2=1 exe~/act32$ MMAP fd=3" ./act32 map-data
	row 'memory made read-only, 64 bit' "SYSCALL key=mmap arch=$b64 syscall=10 a2=1 exe~/act64$" ./act64 protect-data
	row 'memory made read-only, 32 bit' "SYSCALL key=mmap arch=$b32 syscall=125 a2=1 exe~/act32$" ./act32 protect-data
}

# served FAMILY NAME PORT ADDRESS-BEFORE-PORT ADDRESS-AFTER: by own system calls of both worlds and socketcall.
served() {
	own=$4$(printf %04X "$3")$5
	who="arch=$b64 exe~/act64$"
	row "bind over $2, 64 bit, with address and port" "SYSCALL key=network $who syscall=49 success=yes
		SOCKADDR saddr=$own" ./act64 serve "$1" "$3"
	row "listen over $2, 64 bit" "SYSCALL key=network $who syscall=50 success=yes"
	row "connect over $2, 64 bit, with address and port" "SYSCALL key=network $who syscall=42 success=yes SOCKADDR saddr=$own"
	row "accept4 over $2, 64 bit, with the peer's address" "SYSCALL key=network $who syscall=288 success=yes
		SOCKADDR saddr~^$4....$5$"
	row "accept over $2, 64 bit, with the peer's address" "SYSCALL key=network $who syscall=43 success=yes
		SOCKADDR saddr~^$4....$5$"
	who="arch=$b32 exe~/act32$"
	row "bind over $2, 32 bit, with address and port" "SYSCALL key=network $who syscall=361 success=yes
		SOCKADDR saddr=$own" ./act32 serve "$1" "$3"
	row "listen over $2, 32 bit" "SYSCALL key=network $who syscall=363 success=yes"
	row "connect over $2, 32 bit, with address and port" "SYSCALL key=network $who syscall=362 success=yes SOCKADDR saddr=$own"
	row "accept4 over $2, 32 bit, with the peer's address" "SYSCALL key=network $who syscall=364 success=yes
		SOCKADDR saddr~^$4....$5$"
	row "bind over $2 through socketcall" "SYSCALL key=network $who syscall=102 a0=2 success=yes SOCKADDR saddr=$own" \
		./act32 indirect serve "$1" "$3"
	row "connect over $2 through socketcall" "SYSCALL key=network $who syscall=102 a0=3 success=yes SOCKADDR saddr=$own"
	row "listen over $2 through socketcall" "SYSCALL key=network $who syscall=102 a0=4 success=yes"
	row "accept over $2 through socketcall" "SYSCALL key=network $who syscall=102 a0=5 success=yes SOCKADDR saddr~^$4....$5$"
	row "accept4 over $2 through socketcall" "SYSCALL key=network $who syscall=102 a0=12 success=yes SOCKADDR saddr~^$4....$5$"
	row "a connection over $2 that is refused" "SYSCALL key=network arch=$b64 syscall=42 success=no exit=-111
		SOCKADDR saddr=$4$(printf %04X "$(($3 + 1))")$5" ./act64 connect "$1" "$(($3 + 1))"
}

zeros=00000000
rows_network() {
	served 2 IPv4 4100 0200 7F000001$zeros$zeros
	served 10 IPv6 4200 0A00 $zeros$zeros$zeros${zeros}00000001$zeros
	rm -f /run/act.*
	not 'bind of a unix socket' "SYSCALL syscall=49" ./act64 serve 1 4300
	not 'connect to a unix socket' "SYSCALL syscall=42"
	not 'accept on a unix socket' "SYSCALL syscall=43"
	row 'listen on a unix socket, which names no address' "SYSCALL key=network syscall=50 success=yes exe~/act64$"
	rm -f /run/act.*
	not 'connect to a unix socket through socketcall' "SYSCALL syscall=102 a0=3" ./act32 indirect serve 1 4300
	# Holes that rules/README.md names.
	case $(uname -r) in
	# Before 5.16 the filter has the address of the process's last call that had one: here, that of its connect.
	4.* | 5.[0-9].* | 5.1[0-5].*) blind=row ;;
	*) blind=not ;;
	esac
	$blind 'accept that asks for no address' "SYSCALL syscall=288" ./act64 accept-blind 2 4400
	not 'a datagram sent' "SYSCALL syscall=44" ./act64 sendto 2 4500
}

rows_tty_call() {
	row 'input put into a terminal (TIOCSTI), 64 bit' "SYSCALL key=tty arch=$b64 syscall=16 a1=5412 exe~/act64$" ./act64 tiocsti
	row 'input put into a terminal (TIOCSTI), 32 bit' "SYSCALL key=tty arch=$b32 syscall=54 a1=5412 exe~/act32$" ./act32 tiocsti
}

on_and_off exec
on_and_off socket=unusual
only socket=all
rows
rows_socket_all
judge on socket=all
on_and_off mmap=exec
only mmap=anonymous
rows
rows_mmap_anonymous
judge on mmap=anonymous
only mmap=all
rows
rows_mmap_all
judge on mmap=all
on_and_off network
only tty
rows
rows_tty_call
judge on tty
without tty
rows
rows_tty_call
judge off tty
