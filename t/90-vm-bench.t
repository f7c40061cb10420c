#!/bin/sh
# The test machines themselves: what other tests take for granted about them. With MANY_RULES=10000 (make check-suites) as many rules
# are loaded in one of them, read back, and removed; with COUNT=yes (the same) a machine that counts instructions counts the same twice.
. t/vm/lib.sh

# --- an ordinary Debian ---
vm_up bench-plain plain
vm_guest <<'EOF'
	is "$(systemctl is-system-running)" running 'plain: the system is up and no unit has failed' ||
		diag "$(systemctl --failed)"
	is "$(findmnt -no OPTIONS / | cut -d, -f1)" rw 'plain: root is writable'
	is "$(. /etc/os-release; echo $ID)" debian 'plain: it calls itself debian'
	systemctl cat cloud-audit-setup >/dev/null 2>&1
	is $? 1 'plain: it brings no audit unit of its own'
	is "$(systemctl is-active auditd)" active 'plain: auditd runs'
	like "$(auditctl -s)" '^enabled 1$' 'plain: the kernel answers over audit netlink, and audits'
	augenrules --check >/dev/null; ok $? 'plain: augenrules is there'
	is "$(cat /sys/module/apparmor/parameters/enabled)" Y 'plain: AppArmor is enabled'
	journal_takes_audit
	journal_mark
	auditctl -m 'bench says hello' >/dev/null
	journal_has 'bench says hello'; ok $? 'plain: an audit record comes out of the journal' "$(journal_audit)"
	journal_mark
	! journal_has 'bench says hello' 1
	ok $? 'plain: a record from before the mark is not found'
	journal_lacks 'bench says hello'; ok $? 'plain: nor has the journal it since'
	auditctl -m 'bench says more' >/dev/null
	! journal_lacks 'bench says more'; ok $? 'plain: one that is made does not lack'
	auditctl -a always,exit -F arch=b64 -S execve >/dev/null
	journal_mark
	! journal_has 'nobody says this' 2
	ok $? 'plain: looking for a record leaves none that is taken for it, where programs executed are recorded'
	auditctl -D >/dev/null
	perl -MIO::Socket::INET -e '
		$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
		IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $l->sockport) or die'
	ok $? 'plain: a program can connect over TCP'
EOF

# What `run` promises.
got=$(echo 'echo out; echo err >&2; exit 7' | t/vm/vm run "$vm")
is "$?" 7 'run exits with the status of the script'
is "$got" 'out
err' 'run hands out both outputs in order'
echo 'kill -9 $$' | t/vm/vm run "$vm"
is "$?" 137 'run reports a signal as a shell does'
got=$(echo 'echo begun; sleep 60' | t/vm/vm run "$vm" --timeout 2)
is "$? $got" '124 begun' 'a script that hangs is ended at its deadline, its output kept'
got=$(printf '(sleep 60; echo late) &\necho done\n' | t/vm/vm run "$vm" --timeout 20)
is "$? $got" '0 done' 'a program left in the background is not waited for'
t/vm/vm start "$vm" plain 2>/dev/null
is "$?" 125 'a name in use is refused'

# Large in, large out.
mkdir -p "$vm_tmp/tree/sub dir"
head -c 6000000 /dev/urandom >"$vm_tmp/tree/sub dir/big"
printf '#!/bin/sh\necho ran\n' >"$vm_tmp/tree/program"
chmod 755 "$vm_tmp/tree/program"
t/vm/vm push "$vm" "$vm_tmp/tree" /srv/pushed
ok $? 'push copies a tree of 6 MB'
is "$(echo /srv/pushed/tree/program | t/vm/vm run "$vm")" ran 'a pushed program keeps its mode'
t/vm/vm pull "$vm" '/srv/pushed/tree/sub dir/big' | cmp - "$vm_tmp/tree/sub dir/big"
ok $? 'pull returns the very bytes'
t/vm/vm pull "$vm" /absent >/dev/null 2>&1
is "$?" 125 'pull of an absent file fails'

# Snapshots.
vm_guest <<'EOF'
	echo before >/srv/state; echo before >/run/state
	auditctl -a always,exit -F arch=b64 -S getppid -k bench >/dev/null
	auditctl -e 2 >/dev/null
	like "$(auditctl -s)" '^enabled 2$' 'the audit configuration is locked'
EOF
t/vm/vm save "$vm" locked
ok $? 'a running machine is saved'
echo 'echo after >/srv/state; echo after >/run/state; date -s 2001-01-01' | t/vm/vm run "$vm" >/dev/null
t/vm/vm load "$vm" locked
ok $? 'and loaded'
vm_guest <<'EOF'
	is "$(cat /srv/state /run/state)" "before
before" 'load brings back disk and memory'
	like "$(auditctl -s)" '^enabled 2$' 'load brings back the lock'
	like "$(auditctl -l)" 'getppid' 'load brings back the rules'
EOF
skew=$(($(echo 'date +%s' | t/vm/vm run "$vm") - $(date +%s)))
[ "$skew" -ge -2 ] && [ "$skew" -le 2 ]
ok $? 'load sets the clock right' "$skew s"
t/vm/vm load "$vm" no-such-tag 2>/dev/null
is "$?" 125 'a tag that was never saved is refused'

# Reboots.
t/vm/vm reboot "$vm"
ok $? 'plain: the machine reboots'
vm_guest <<'EOF'
	is "$(cat /srv/state)" before 'plain: a reboot keeps the disk'
	[ ! -e /run/state ]; ok $? 'plain: a reboot empties /run'
	like "$(auditctl -s)" '^enabled 1$' 'plain: a reboot ends the lock'
	echo synced >/srv/cut; sync
EOF
echo "many=${MANY_RULES:-0}" >"$vm_tmp/many"
t/vm/vm push "$vm" "$vm_tmp/many" "$cas" || exit 1
vm_guest --timeout 7200 <<'EOF'
	cd $cas; . ./many; rm many
	[ "$many" -ge 4 ] || { skip 'many rules in the kernel' '10,000 take ten minutes: MANY_RULES=10000, as make check-suites has it'; exit 0; }
	mkdir many
	# Half of them are in the list that each call goes through.
	i=0; while [ $((i += 1)) -le $((many / 4)) ]; do
		echo "-a always,exit -F arch=b64 -S openat,unlink -F auid=$i -F uid=0 -k open"
		echo "-a always,exit -F path=/usr/bin/p$i -F perm=x -F auid>=1000 -k run"
		echo "-a always,exit -F arch=b64 -S mount -F uid=$i -k mount"
		echo "-w /etc/f$i -p wa -k file"
	done >many/many.rules
	# rules STATUS ARG...: in a screenful, and without the rules a second time in memory: each of a set takes 3 kB, of the kernel's
	# list 1 kB, and what needs no more than both, and the texts, stays below 75 MB.
	rules() {
		want=$1; shift
		command time -o took -f '%e %M' ./cloud-audit-setup -s rules.directory=$PWD/many -s audit.lock=no -s unit.start_timeout=60min \
			"$@" >said 2>&1
		is $? "$want" "$many rules: $*: exit $want" || diag "$(head -c 2000 said)"
		set -- "$*" $(tail -n 1 took) $(wc -l <said)
		diag "$1: $2 s, $3 kB, $4 lines"
		[ "$3" -lt $((5000 + many * 7)) ]; ok $? "$many rules: $1: with one set in memory" "$3 kB"
		[ "$4" -le 24 ]; ok $? "$many rules: $1: $4 lines"
	}
	rules 4 plan
	rules 0 apply
	[ "$(sed -n 's/^\([0-9]*\) rules are in force.*/\1/p' said)" -gt "$many" ]; ok $? 'all of them are in force' "$(cat said)"
	rules 0 verify
	rules 0 apply
	like "$(cat said)" 'nothing to do' 'there is nothing to do'
	rules 0 explain "many.rules:$((many / 2))"
	rules 0 remove
	is "$(auditctl -l)" 'No rules' 'none is left'
	rm -r many
EOF
t/vm/vm crash "$vm"
t/vm/vm run "$vm" </dev/null 2>/dev/null
is "$?" 125 'a machine without power does not answer'
t/vm/vm boot "$vm" --append audit=0
ok $? 'it boots again after a power cut'
vm_guest <<'EOF'
	is "$(cat /srv/cut)" synced 'what was synced outlives a power cut'
	like "$(cat /proc/cmdline)" ' audit=0$' 'arguments reach the kernel'

	# --- the program there ---
	cd $cas
	out=$(./cloud-audit-setup apply 2>&1); is $? 1 'on a kernel booted with audit=0: exit status 1'
	like "$out" 'error: .*booted with audit=0; remove it from the kernel command line' 'and the message says so'
	out=$(./cloud-audit-setup render rules 2>/dev/null); ok $? 'render needs no kernel'
EOF
t/vm/vm stop "$vm"

# --- a node with a read-only root ---
# Each row of the tables about it has its line, and each line its row.
sed -n '/^## Mounts/,/^## Sources/s/^| \([^|]*[^| ]\) *| .*/\1/p' t/vm/COS.md | grep -vxE -e '---' -e option | sort -u >"$vm_tmp/rows"
{
	sed -n "s/^# elsewhere '\(.*\)': .*/\1/p" t/vm/cos-rows.sh
	grep -v '^#' t/vm/cos-rows.sh | grep -oE "\b(of|here) ('[^']+'|\"[^\"]+\")" | sed -e 's/^[a-z]* .//' -e 's/.$//'
} | sort -u >"$vm_tmp/looked"
is "$(cat "$vm_tmp/looked")" "$(cat "$vm_tmp/rows")" 'cos: every row of what COS.md says of it is looked at'
vm_up bench-cos cos
t/vm/vm push "$vm" t/vm/cos-rows.sh "$cas" || exit 1
vm_guest <<'EOF'
	. $cas/cos-rows.sh
EOF
vm_guest <<'EOF'
	is "$(systemctl is-system-running)" running 'cos: the system is up and no unit has failed' ||
		diag "$(systemctl --failed)"
	is "$(findmnt -no OPTIONS / | cut -d, -f1)" ro 'cos: root is read-only'
	is "$(. /etc/os-release; echo $ID)" cos 'cos: it calls itself cos'
	is "$(findmnt -no FSTYPE /etc)" overlay 'cos: /etc is an overlay'
	is "$(findmnt -no FSTYPE -T /run/cos/upper)" tmpfs 'cos: changes to /etc live in memory'
	is "$(systemctl is-active auditd)" active 'cos: auditd runs'
	like "$(auditctl -s)" '^enabled 1$' 'cos: the kernel answers over audit netlink, and audits'
	augenrules --check >/dev/null; ok $? 'cos: augenrules is there'

	printf '#!/bin/sh\necho ran\n' >/run/program
	chmod 755 /run/program
	is "$(findmnt -no FSTYPE,OPTIONS /var/lib/cloud | grep -c '^tmpfs .*size=2048k')" 1 'cos: what cloud-init leaves is in memory, too'

	cp /run/program /var/lib/google/
	for dir in /var /home /tmp /run /dev/shm; do
		cp /var/lib/google/program $dir/; $dir/program 2>/dev/null
		is $? 126 "cos: nothing in $dir can be executed"
	done
	for dir in /home/kubernetes/bin /var/lib/google /var/lib/docker /var/lib/containerd /var/lib/toolbox /var/lib/cloud; do
		[ -e $dir/program ] || cp /run/program $dir/
		is "$($dir/program 2>&1)" ran "cos: a program in $dir can be executed"
	done
	touch /usr/program 2>/dev/null
	is $? 1 'cos: nothing can be written below /usr'

	is "$(systemctl is-enabled cloud-audit-setup)" disabled 'cos: the audit unit of the image is there, not enabled'
	is "$(realpath "$(systemctl show -P FragmentPath cloud-audit-setup)")" /usr/lib/systemd/system/cloud-audit-setup.service \
		'cos: it lies below /usr'
	systemctl start cloud-audit-setup; ok $? 'cos: it starts' "$(systemctl status cloud-audit-setup)"
	like "$(auditctl -s)" '^enabled 2$' 'cos: and locks the audit configuration'

	echo changed >/etc/bench; echo kept >/var/bench
EOF
t/vm/vm reboot "$vm"
ok $? 'cos: the machine reboots'
vm_guest <<'EOF'
	[ ! -e /etc/bench ]; ok $? 'cos: a reboot empties what was changed in /etc'
	is "$(cat /var/bench)" kept 'cos: a reboot keeps /var'
	is "$(systemctl is-system-running)" running 'cos: no unit has failed after the reboot'
EOF
t/vm/vm stop "$vm"

# --- a machine whose clock is the instructions that it executes ---
if [ "${COUNT:-}" != yes ]; then
	skip 'instructions of a call, counted twice' 'a boot and a minute: COUNT=yes, as make check-suites has it'
	done_testing
fi
VM_ACCEL=count
export VM_ACCEL
vm_up bench-count plain bookworm --append "$(grep -v '^#' t/bench-rules/kernel | tr '\n' ' ')"
gcc -O2 -static -o "$vm_tmp/loops" t/bench-rules/loops.c &&
	t/vm/vm push "$vm" "$vm_tmp/loops" t/bench-rules/measure "$cas" || exit 1
vm_guest --timeout 1800 <<'EOF'
	cd $cas
	# Beside much other work too few counts may be of what nothing came between: then once more, of twice as many.
	sh measure default >said 2>&1 || VISITS=4 sh measure default >said 2>&1
	ok $? 'count: what a call, an open, an exec take, recorded and not, is the same within 0.1 % in two rounds' "$(cat said)"
	diag "$(tail -n 1 said)"
EOF
done_testing
