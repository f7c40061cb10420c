#!/bin/sh
# The same work leaves the same records under the rules as written and as optimised, and of all system calls a
# permission matches those that rules/match/perm.c and t/unit/classes.inc have for this kernel.
. t/vm/lib.sh
. t/vm-events/lib.sh
vm_up optimise plain

# Made without a C library, so that the 32-bit one needs no packages.
work() {
	gcc "-m$1" -O1 -Wall -Werror -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie \
		-isystem /usr/include/x86_64-linux-gnu -o "$vm_tmp/work$1" t/vm-optimise/work.c
}
work 64; ok $? 'the 64-bit worker is built'
work 32; ok $? 'the 32-bit worker is built'
build_act 64
build_act 32

# The first record is auditd's own, with a number that an event of the kernel's has as well.
cat >"$vm_tmp/log" <<'EOF'
type=DAEMON_START msg=audit(1000.100:7): op=start res=success
type=USER msg=audit(1001.100:5): msg='mark one begin'
type=SYSCALL msg=audit(1001.200:7): exe="/opt/cas/work64" key="file"
type=USER msg=audit(1001.300:9): msg='mark one end'
EOF
is "$(perl t/vm-optimise/records.pl "$vm_tmp/log" one | grep -v '^event')" '  SYSCALL exe="/opt/cas/work64" key="file"' \
	"what auditd says of itself is of no event"
# What the kernels' headers say, a line a kernel, an architecture and a letter: KERNEL BITS LETTER NUMBER...
perl t/vm-optimise/classes.pl t/unit/classes.inc >"$vm_tmp/classes"
t/vm/vm push "$vm" "$vm_tmp/work64" "$vm_tmp/work32" "$vm_tmp/act64" "$vm_tmp/act32" "$vm_tmp/classes" \
	t/vm-optimise/records.pl t/vm-optimise/matched.pl t/vm-optimise/classes.sh t/vm-optimise/mixed.rules "$cas"

vm_guest --timeout 600 <<'EOT'
	cd $cas
	mkdir -p rules.d
	printf '[audit]\nlock = no\n[rules]\ndirectory = %s/rules.d\n' $cas >config.ini
	cas() { ./cloud-audit-setup -q -c config.ini "$@"; }

	. ./classes.sh
	auditd_with_room

	# fresh DIR...: the files that a run starts with.
	fresh() {
		for dir; do
			rm -rf "$dir/file" "$dir/secret" "$dir/program" "$dir/made"
			mkdir -p "$dir"
			echo file >"$dir/file"; echo secret >"$dir/secret"; cp work64 "$dir/program"
		done
	}

	# run NAME SETTINGS -- DIR...: applies, works in the directories, leaves the records in NAME.
	run() {
		name=$1 settings=
		while shift; [ "$1" != -- ]; do settings="$settings -s $1"; done
		shift
		auditctl -D >/dev/null; sleep 1
		fresh "$@"
		cas $settings apply >apply.log 2>&1; ok $? "$name: apply succeeds" "$(grep -v 'does not exist' apply.log)"
		auditctl -m "mark $name begin" >/dev/null
		./work64 "$@"; ok $? "$name: the 64-bit worker ends"
		./work32 "$@"; ok $? "$name: the 32-bit worker ends"
		auditctl -m "mark $name end" >/dev/null
		written "mark $name end"; ok $? "$name: auditd has written all of it"
		perl records.pl /var/log/audit/audit.log "$name" >"$name"
		is "$(auditctl -s | sed -n 's/^lost //p')" 0 "$name: no record is lost"
	}
	same() { diff "$1" "$2" >difference; tap_result $? "$3" || diag "$(head -n 40 difference)"; }

	off=
	for event in audit-config apparmor exec socket mmap network logins tty; do off="$off events.$event=no"; done
	cp mixed.rules rules.d/
	dirs='/srv/w /srv/v /srv/u /srv/r /srv/unwatched'
	run plain1 $off rules.optimise=no -- $dirs
	n=$(auditctl -l | wc -l)
	run plain2 $off rules.optimise=no -- $dirs
	run optimised $off rules.optimise=yes -- $dirs
	less=$(auditctl -l | wc -l)
	[ "$less" -lt "$n" ]; ok $? 'there are fewer rules' "$less of $n"
	like "$(auditctl -l | cut -c1-60)" '-S [a-z,_0-9]*open,.*' 'a watch has a list of system calls'
	same plain1 plain2 'two runs under the same rules leave the same records'
	same plain1 optimised 'the optimised rules leave the same records'
	for key in dir later file run attr cut read write32 first numbers signal opened result; do
		grep -q "key=\"$key\"" plain1; ok $? "some are of the rules with key $key"
	done
	is "$(grep -c 'cwd="/srv/unwatched"' plain1)" 0 'none are of where no rule looks'
	grep -q 'SYSCALL arch=40000003 ' plain1; ok $? 'some are of the 32-bit worker'
	grep -q '^  OBJ_PID ' plain1; ok $? 'some say whom a signal was sent to'
	diag "$(grep -c '^event' plain1) events under mixed.rules"

	# The comparison sees one system call that is missing.
	sed 's/-S rt_sigqueueinfo/-S getppid/' mixed.rules >rules.d/mixed.rules
	run missing $off rules.optimise=yes -- $dirs
	! cmp -s plain1 missing; ok $? 'a rule for another system call leaves other records'

	# What we ship, with work where it watches.
	rm rules.d/mixed.rules
	dirs='/etc/ssh /etc/audit /etc/pam.d /srv/unwatched'
	run shipped rules.optimise=no -- $dirs
	run shipped2 rules.optimise=yes -- $dirs
	same shipped shipped2 'our own rules leave the same records optimised'
	diag "$(grep -c '^event' shipped) events under our own rules"

	# Why no rule with never keeps the calls that no rule asks for from the others: what a security module writes down during
	# one comes without its SYSCALL record then.
	cp /bin/cat /srv/cat; echo secret >/srv/unread
	printf '/srv/cat {\n /srv/cat mr,\n /{,usr/}lib{,64}/** mr,\n /etc/ld.so.cache r,\n}\n' >profile
	apparmor_parser -r profile; ok $? 'a profile that lets a program read little'
	with_syscall() {
		auditctl -m "mark $1 begin" >/dev/null; /srv/cat /srv/unread 2>/dev/null; auditctl -m "mark $1 end" >/dev/null
		written "mark $1 end"
		sed -n "/mark $1 begin/,/mark $1 end/p" /var/log/audit/audit.log >said
		for id in $(sed -n 's/^type=AVC msg=audit(\([^)]*\)).*DENIED.*unread.*/\1/p' said); do
			grep -q "^type=SYSCALL msg=audit($id)" said && echo with || echo without
		done
	}
	auditctl -D >/dev/null; auditctl -a always,exit -F arch=b64 -S 999 >/dev/null
	is "$(with_syscall other)" with 'a denial has its SYSCALL record, whatever the rules ask for'
	auditctl -A never,exit -F arch=b64 -S openat >/dev/null
	is "$(with_syscall never)" without 'but not where a rule with never matches'
	auditctl -D >/dev/null; apparmor_parser -R profile

	permission_classes 64 32
EOT
done_testing
