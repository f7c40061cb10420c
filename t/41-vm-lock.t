#!/bin/sh
# The lock, changes under it, and what boots.
. t/vm/lib.sh
vm_up lock plain

vm_guest --timeout 300 <<'EOF'
	cd $cas
	journal_takes_audit
	conf=/etc/cloud-audit-setup
	mkdir -p $conf/rules.d
	echo '-w /opt/late/dir/file -p wa -k late' >$conf/rules.d/05-late.rules
	mkdir -p /opt/tree /opt/same
	echo '-w /opt/tree/ -p wa -k tree' >$conf/rules.d/06-tree.rules
	out=$(./cloud-audit-setup 2>&1); ok $? 'apply with the defaults succeeds' "$out"
	like "$(auditctl -s)" '^enabled 2$' 'the audit configuration is locked'
	is "$(systemctl is-active cloud-audit-lock)" active 'the lock unit did it'
	is "$(systemctl is-enabled cloud-audit-lock)" enabled 'the lock unit is enabled'
	out=$(systemd-analyze verify /etc/systemd/system/cloud-audit-*.service 2>&1); is "$? $out" '0 ' 'both units pass systemd-analyze verify'
	out=$(./cloud-audit-setup 2>&1); ok $? 'locked with the same rules is success' "$out"
	like "$out" 'nothing to do' 'and nothing is done'
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'verify succeeds' "$out"
	journalctl --rotate; auditctl -m rotated >/dev/null; journalctl --sync
	out=$(./cloud-audit-setup volume 2>&1); ok $? 'volume reads all files of the journal' "$out"

	rules=$(auditctl -l); unlike "$rules" late 'a rule whose directory is not there is left out'
	mkdir -p /opt/late/dir
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'that it has come is no difference' "$out"
	out=$(./cloud-audit-setup 2>&1); ok $? 'and no failure of apply' "$out"
	like "$(cat /etc/audit/cloud-audit-setup.rules)" '^-.*/opt/late/dir/file' 'which has the rule in the file for the next boot'
	is "$(auditctl -l)" "$rules" 'leaves the kernel alone'
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'and makes no difference' "$out"
	like "$out" '05-late.rules:1: left out when rules were loaded' 'but a notice'
	out=$(./cloud-audit-setup 2>&1); like "$out" 'nothing to do' 'nor has a second apply anything to do'
	# --- the same node, the same verdict ---
	cas() { ./cloud-audit-setup "$@"; }
	loaded=$(auditctl -l)
	printf '# a comment\n\n[audit]\n# and another\nlock = yes\n' >$conf/config.ini
	out=$(cas verify 2>&1); ok $? 'a comment in the configuration is no difference' "$out"
	out=$(cas plan 2>/dev/null); is "$? $out" '0 ' 'for plan neither'
	out=$(cas 2>&1); like "$out" 'nothing to do' 'and apply has nothing to do'
	rm $conf/config.ini
	mkdir -p /opt/there/bin /opt/there/share/cloud-audit-setup; cp cloud-audit-setup /opt/there/bin/
	cp -r rules /opt/there/share/cloud-audit-setup/
	out=$(/opt/there/bin/cloud-audit-setup verify 2>&1); ok $? 'nor is a program that lies elsewhere' "$out"
	rm -r /opt/there
	systemctl --runtime set-property vm-agent.service CPUWeight=100
	for path in /etc/sudoers.d /etc/apparmor /run/systemd/journald.conf.d /run/systemd/system.control; do
		[ -e $path ] || new="$new $path"
		mkdir -p $path
	done
	diag "new:$new"
	is "$(auditctl -l)" "$loaded" 'directories that come do not change the rules that are locked'
	out=$(cas -o tap verify 2>&1); ok $? 'they are no difference' "$out"
	for path in $new; do
		case $path in /etc/*) like "$out" "^not ok .* $path is watched as what it is # TODO" "but a notice: $path";; esac
	done
	forms=$(cas -o tap verify 2>/dev/null | grep -c 'is watched as what it is # TODO')
	out=$(cas plan 2>/dev/null); is $? "$([ "$forms" -gt 0 ] && echo 4 || echo 0)" 'for plan there is the file of the next boot' || diag "$out"
	out=$(cas 2>&1); ok $? 'which apply writes' "$out"
	for path in $new; do
		[ "$forms" = 0 ] || case $path in
		/etc/*) like "$(cat /etc/audit/cloud-audit-setup.rules)" "^-.*dir=$path" "for the next boot $path is a directory";;
		*) unlike "$(cat /etc/audit/cloud-audit-setup.rules)" "^-.*dir=$path" "but not $path, which is in memory";;
		esac
	done
	is "$(auditctl -l)" "$loaded" 'and leaves the kernel alone'
	out=$(cas verify 2>&1); ok $? 'for verify there is still no difference' "$out"
	out=$(cas 2>&1); like "$out" 'nothing to do' 'then apply has nothing to do'
	case $new in */etc/*) like "$out" 'warning: a watch stays what it was loaded as: /etc/[a-z.]*: a directory has come since the rules were loaded' 'but warns';; esac

	# --- what a boot would see ---
	file=/etc/audit/cloud-audit-setup.rules
	chmod 0646 $file
	out=$(cas -v verify 2>&1); is $? 4 'a rules file that everybody may write is a difference'
	like "$(set -f; echo $out)" "$file belongs to root and has mode 0640 there: it belongs to uid 0 and has mode 0646" 'named'
	chown daemon $file
	out=$(cas 2>&1); ok $? 'apply mends owner and mode under the lock' "$out"
	is "$(stat -c '%a %U' $file)" '640 root' 'so that they are as before'
	out=$(cas verify 2>&1); ok $? 'and verify agrees' "$out"
	drop_in=/run/systemd/system/cloud-audit-lock.service.d
	mkdir -p $drop_in; printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >$drop_in/x.conf; systemctl daemon-reload
	out=$(cas -v verify 2>&1); is $? 4 "somebody's drop-in on the lock unit is a difference"
	like "$(set -f; echo $out)" "$drop_in/x.conf: systemctl cat cloud-audit-lock.service" 'named'
	systemctl restart cloud-audit-lock.service 2>/dev/null
	rm -r $drop_in; systemctl daemon-reload
	out=$(cas -v verify 2>&1); is $? 4 'so is a lock unit that has failed'
	like "$(set -f; echo $out)" 'cloud-audit-lock.service has not failed' 'named'
	out=$(cas 2>&1); ok $? 'apply has systemd forget the failure' "$out"
	out=$(cas verify 2>&1); ok $? 'and verify agrees' "$out"
	for how in file mask; do
		path=/run/systemd/transient/cloud-audit-setup.service; mkdir -p /run/systemd/transient
		[ $how = mask ] && ln -s /dev/null $path || printf '[Service]\nExecStart=/bin/true\n' >$path
		systemctl daemon-reload
		out=$(cas -v verify 2>&1); is $? 4 "a $how that comes before our unit is a difference"
		like "$(set -f; echo $out)" "a boot reads /etc/systemd/system/cloud-audit-setup.service there: $path comes first" 'named'
		out=$(cas 2>&1); is $? 1 'apply refuses'
		like "$out" "$path comes first.*nothing was changed" 'and says why'
		rm $path; systemctl daemon-reload
	done
	systemctl mask -q --runtime cloud-audit-lock.service
	out=$(cas verify 2>&1); ok $? 'a runtime mask that our file wins over is none' "$out"
	systemctl unmask -q --runtime cloud-audit-lock.service

	echo '-w /etc/hostname -p wa -k staged' >$conf/rules.d/10-mine.rules
	rules=$(auditctl -l)
	out=$(./cloud-audit-setup verify 2>&1); is $? 5 'verify says 5 when the lock is in the way'
	out=$(./cloud-audit-setup plan 2>&1); is $? 5 'plan says 5 when the lock is in the way'
	out=$(./cloud-audit-setup -s audit.on_locked=fail 2>&1); is $? 5 'on_locked = fail is exit status 5'
	like "$out" 'error: .*locked with other rules.*reboot or recreate the node' 'and says to reboot'
	like "$(cat /etc/audit/cloud-audit-setup.rules)" staged 'the new rules are in place for the next boot'
	out=$(./cloud-audit-setup 2>&1); ok $? 'on_locked = stage is success' "$out"
	like "$out" 'warning: .*locked with other rules' 'with a warning'
	is "$(auditctl -l)" "$rules" 'the kernel is unchanged'
	ls -li --time-style=full-iso /etc/audit /etc/systemd/system >/run/ls1
	out=$(./cloud-audit-setup 2>&1); ok $? 'staging again succeeds' "$out"
	is "$(ls -li --time-style=full-iso /etc/audit /etc/systemd/system)" "$(cat /run/ls1)" 'staging again touches no file'
	journal_mark
	auditctl -D >/dev/null 2>&1
	journal_has 'CONFIG_CHANGE.*res=0'; ok $? 'an attempt to delete rules under the lock is recorded'
	is "$(auditctl -l)" "$rules" 'and fails'

	# --- what the lock is not about: two requests about watched directories ---
	# request TYPE [TEXT...]: sends it, with the texts' lengths before them; what the kernel answers
	request() { perl -e 'use Socket; socket(S, 16, SOCK_RAW, 9) or die $!; my $type = shift; my $data = pack "L*", map { length } @ARGV;
		$data = join "", $data, @ARGV; send(S, pack("LSSLL", 16 + length $data, $type, 5, 1, 0) . $data, 0, pack("SSLL", 16, 0, 0, 0)) or die $!;
		recv S, my $answer, 8192, 0; print +(unpack "LSSLLl", $answer)[5]' "$@"; }
	recorded() { journal_mark; : >"$1"; ! journal_lacks 'SYSCALL.*key=.*tree'; }
	recorded /opt/tree/1; ok $? 'what is written into a directory that is watched is recorded'
	! recorded /opt/same/1; ok $? 'into another it is not'
	same=$(request 1015 /opt/tree /opt/same) mark=$journal_cursor
	recorded /opt/same/2; of_same=$?
	mount -t tmpfs none /opt/tree; trim=$(request 1014); umount /opt/tree
	diag "$(uname -r): AUDIT_MAKE_EQUIV $same, AUDIT_TRIM $trim"
	recorded /opt/tree/2; of_tree=$?
	if [ "$trim" = -1 ]; then
		is "$same $of_same $of_tree" '-1 1 0' 'this kernel refuses both under the lock: what is watched stays what it was'
	else
		# A hole that rules/README.md names.
		is "$same $trim" '0 0' 'this kernel takes both under the lock'
		is "$of_same" 0 'a directory is watched that no rule names'
		is "$of_tree" 1 'and one that was mounted over meanwhile is no more watched'
		like "$(./cloud-audit-setup -o tap verify 2>/dev/null)" '^not ok.* 06-tree.rules:1' 'which verify finds missing'
		journal_cursor=$mark
		journal_has 'CONFIG_CHANGE.*op=trim'; ok $? 'of which a record tells'
	fi
	case $(uname -r) in 5.10.*) ;; *) is "$trim" -1 'as those newer than 5.10 do' ;; esac
	# A tree that has lost its root goes with its rules (trim_marked() in kernel/audit_tree.c).
	[ "$trim" = -1 ] || rules=$(echo "$rules" | grep -v -- '-F dir=/opt/tree ')
	is "$(auditctl -l)" "$rules" "the rules are listed as before, but where a kernel takes that from the directory's"

	# What starts containers on a node, with the order that it has there.
	unit() { printf '[Unit]\n%s\n[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' "$2" >/etc/systemd/system/$1.service; }
	unit containerd 'After=network.target local-fs.target'
	unit docker "$(printf 'After=network-online.target containerd.service\nWants=network-online.target containerd.service')"
	unit crio "$(printf 'After=network-online.target\nWants=network-online.target\nBefore=kubelet.service')"
	unit kubelet "$(printf 'After=network-online.target\nWants=network-online.target')"
	systemctl enable -q containerd docker crio kubelet
	out=$(systemd-analyze verify multi-user.target 2>&1); unlike "$out" 'ordering cycle' 'with them there is no ordering cycle'
	sync
EOF

t/vm/vm reboot "$vm" || exit 1
vm_guest --timeout 300 <<'EOF'
	cd $cas
	systemctl is-system-running --wait >/dev/null
	like "$(auditctl -s)" '^enabled 2$' 'after a reboot the node is locked'
	like "$(auditctl -l)" staged 'with the staged rules'
	like "$(auditctl -l)" late 'and that whose directory had come'
	at() { systemctl show -P ActiveEnterTimestampMonotonic "$1"; }
	[ "$(at cloud-audit-lock.service)" -gt 0 ] && [ "$(at cloud-audit-lock.service)" -le "$(at multi-user.target)" ]
	ok $? 'before multi-user.target' "$(at cloud-audit-lock.service) $(at multi-user.target)"
	did() { systemctl show -P "ExecMain$1TimestampMonotonic" "$2.service"; }
	locked=$(did Exit cloud-audit-lock)
	for unit in containerd docker crio kubelet; do
		[ "$locked" -gt 0 ] && [ "$(did Start $unit)" -gt "$locked" ]; ok $? "before $unit" "$locked $(did Start $unit)"
	done
	unlike "$(journalctl -q -b _PID=1 -o cat)" 'ordering cycle' 'and systemd found no cycle'
	for unit in auditd audit-rules; do
		started=$(did Start $unit) enabled=$(systemctl is-enabled $unit 2>/dev/null)
		{ [ "$enabled" != enabled ] || [ "${started:-0}" -gt 0 ]; } && [ "${started:-0}" -lt "$(did Start cloud-audit-setup)" ]
		ok $? "after $unit, where it is" "$enabled, $started"
		diag "$unit: ${enabled:-not there}, $started"
	done
	diag "microseconds after the kernel's start: rules $(did Exit cloud-audit-setup), lock $locked, containerd $(did Start containerd), basic.target $(at basic.target)"
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'verify succeeds after the reboot' "$out"
	out=$(./cloud-audit-setup 2>&1); like "$out" 'nothing to do' 'apply has nothing to do after the reboot'
	out=$(systemctl --failed --no-legend); is "$out" '' 'no unit has failed'

	out=$(./cloud-audit-setup remove 2>&1); is $? 5 'remove on a locked node is exit status 5'
	like "$out" 'error: .*reboot' 'and says to reboot'
	is "$(ls /etc/audit /etc/systemd/system /etc/systemd/system/* | grep -c cloud-audit)" 0 'units and files are gone'
	like "$(auditctl -l)" staged 'the kernel keeps its rules until then'
	out=$(./cloud-audit-setup 2>&1); ok $? 'apply after remove under the lock puts the files back' "$out"
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'and verify succeeds' "$out"
	./cloud-audit-setup remove 2>/dev/null
	sync
EOF
t/vm/vm reboot "$vm" --append apparmor=0 || exit 1
vm_guest <<'EOF'
	is "$(auditctl -l)" 'No rules' 'after remove and a reboot the rules are gone'
	unlike "$(auditctl -s)" '^enabled 2$' 'and so is the lock'

	# --- what a host may record besides rules, and this one cannot; t/70-vm-recording.t has one that can ---
	cd $cas
	before=$(auditctl -l; ls -R /etc/audit /etc/systemd/system)
	out=$(./cloud-audit-setup -s apparmor.audit=all apply 2>&1); is $? 1 'without AppArmor, audit = all is exit status 1'
	like "$out" 'error: .*this host has no AppArmor.*leave it at .keep.*nothing was changed' 'and the message says what to do'
	case $(uname -r) in
	5.10.*-cloud-*) ;;
	*)
		echo 'measure func=BPRM_CHECK' >/run/ima; mkdir -p /etc/ima; cp /run/ima /etc/ima/ima-policy
		out=$(./cloud-audit-setup -s ima.policy=exec apply 2>&1); is $? 1 "a host's own IMA policy is not replaced"
		like "$out" 'error: .*would replace an IMA policy of the host' 'and the message says so'
		;;
	esac
	is "$(auditctl -l; ls -R /etc/audit /etc/systemd/system)" "$before" 'the node is untouched'
EOF
done_testing
