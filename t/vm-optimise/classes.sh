# What a permission matches, of all system calls there are, on this kernel; in the guest, where guest.sh is read, cas() is
# the program, and the working folder has matched.pl, `classes` (classes.pl) and act64, act32: programs of that many bits.
#
#	permission_classes BITS...

# written TEXT: once auditd has written it. A busy machine takes its time.
written() { wait_for 240 grep -q "$1" /var/log/audit/audit.log; }

# every NAME SETTING...: apply with them; then each program makes every system call once. NAME has what was recorded.
every() {
	every_name=$1 every_settings=
	while shift; [ $# -gt 0 ]; do every_settings="$every_settings -s $1"; done
	auditctl -D >/dev/null; sleep 1
	out=$(cas -s audit.lock=no -s rules.directory="$PWD/classes.d" $every_settings apply 2>&1)
	ok $? "$every_name: apply succeeds" "$out"
	auditctl -m "mark $every_name begin" >/dev/null
	for program in every-*; do ./$program every; ok $? "$every_name: $program comes to its end"; done
	auditctl -m "mark $every_name end" >/dev/null
	written "mark $every_name end"; ok $? "$every_name: auditd has written all of it"
	is "$(auditctl -s | sed -n 's/^lost //p')" 0 "$every_name: no record is lost"
	perl matched.pl /var/log/audit/audit.log "$every_name" >"$every_name"
}

permission_classes() {
	mkdir -p classes.d
	for letter in r w x a; do
		for bits; do
			cp act$bits every-$letter$bits
			echo "-a always,exit -F arch=b$bits -F perm=$letter -F exe=$PWD/every-$letter$bits -k class-$letter"
		done
	done >classes.d/classes.rules
	off=
	for event in audit-config apparmor exec socket mmap network logins tty; do off="$off events.$event=no"; done
	every written $off rules.optimise=no
	every optimised-too $off rules.optimise=yes
	is "$(cat optimised-too)" "$(cat written)" 'of all system calls, a permission matches the same as written and optimised'
	kernel=$(uname -r | cut -d. -f1-2)
	for bits; do
		for letter in r w x a; do
			what="a permission matches what the headers of its kernel say: $bits bits, $letter"
			grep -q "^$kernel " classes || {
				skip "$what" "those of $kernel are not recorded: t/13-rules-classes.t says how"; continue; }
			is "$(grep "^$bits $letter " written)" "$(sed -n "s/^$kernel \($bits $letter \)/\1/p" classes)" "$what"
		done
		[ "$(grep "^$bits " written | wc -w)" -gt 30 ]; ok $? "which is many: $bits bits" "$(cat written)"
	done
}
