#!/bin/sh
# Two runs at once, and others who change the audit system while apply is at work.
. t/vm/lib.sh
pkg-config --exists libsystemd 2>/dev/null || skip_all 'libsystemd is missing (Debian package libsystemd-dev)'
vm_up together plain
vm_compile t/vm-together/forger.c "$vm_tmp/forger" $(pkg-config --cflags --libs libsystemd) ||
	{ echo 'Bail out! forger.c does not compile'; exit 1; }
cat >"$vm_tmp/shared.sh" <<'EOF'
cd "$cas"
# forge RESULT [flood]: from here on the user nobody says that of every job of ours, until unforge, which returns 0 if it did.
forge() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups ./forger "$@" >/run/forged 2>&1 & forger=$!
	until grep -q ready /run/forged; do kill -0 $forger 2>/dev/null || break; sleep 0.1; done
}
unforge() { kill $forger; wait $forger; sent=$(tail -n 1 /run/forged); [ "$sent" -gt 20 ]; }
EOF
t/vm/vm push "$vm" "$vm_tmp/forger" "$vm_tmp/shared.sh" "$cas" || exit 1

vm_guest --timeout 400 <<'EOF'
	cd $cas
	cas() { ./cloud-audit-setup -s audit.lock=no "$@"; }
	files() { find /etc/audit /etc/systemd/system -name '*cloud-audit*' | sort; }
	# Nothing between: all of it, or none.
	whole() {
		if [ -n "$(files)" ]; then cas verify >verified 2>&1 && echo configured
		elif [ "$(auditctl -l)" = '-w /etc/motd -p wa -k host' ]; then echo removed
		fi
	}
	# both COMMAND COMMAND: at once; out1, out2 are what they said, status1, status2 how they ended.
	both() {
		cas $1 >out1 2>&1 & first=$!
		cas $2 >out2 2>&1; status2=$?
		wait $first; status1=$?
	}
	printf '%s\n' -D '-w /etc/motd -p wa -k host' >/etc/audit/rules.d/audit.rules
	systemctl stop auditd

	# --- two at once ---
	both apply apply
	is "$status1 $status2" '0 0' 'two applies at once both succeed' || diag "$(cat out1 out2)"
	is "$(whole)" configured 'and the node is configured'
	is "$(cat out1 out2 | grep -c 'nothing to do')" 1 'one of them found nothing left to do'
	like "$(cat out1 out2)" 'info: process [0-9]+ .cloud-audit-set.* is changing this node; waiting for its end' 'having waited for the other, which it named'
	for round in 1 2 3 4; do
		both remove apply
		is "$status1 $status2" '0 0' "round $round: remove and apply at once both succeed" || diag "$(cat out1 out2)"
		like "$(whole)" '^(configured|removed)$' "round $round: and the node is one or the other" || diag "$(files; cat verified out1 out2)"
	done
	cas -q apply

	! setpriv --reuid=nobody --regid=nogroup --clear-groups flock -n /etc/audit true 2>/dev/null
	ok $? 'who is not root cannot lock, and so cannot keep the node from being configured'

	# --- one that hangs, one that dies ---
	./cloud-audit-setup -s audit.lock=no -s audit.backlog_limit=9000 apply >out1 2>&1 & hung=$!
	until grep -q " $hung " /proc/locks; do kill -0 $hung || break; done; kill -STOP $hung
	out=$(cas -s unit.start_timeout=2s remove 2>&1); is $? 1 'a run that hangs is waited for as long as start_timeout says'
	like "$out" "error: process $hung .* is still changing this node after 2 s" 'and named'
	out=$(cas plan 2>&1; cas verify 2>&1); unlike "$out" waiting 'plan and verify do not wait for it'
	kill -KILL $hung
	out=$(cas apply 2>&1); ok $? 'one that died is not waited for' "$out"
	unlike "$out" waiting 'nor spoken of'
	is "$(whole)" configured 'and what it left behind is put right'
EOF

# An ExecStartPost of the host's own runs when our rules are loaded, before they are read back.
vm_guest --timeout 600 <<'EOF'
	. $cas/shared.sh
	cas() { ./cloud-audit-setup -s audit.lock=no "$@"; }
	meanwhile() {
		mkdir -p /etc/systemd/system/cloud-audit-setup.service.d
		printf '[Service]\nExecStartPost=+%s\n' "$1" >/etc/systemd/system/cloud-audit-setup.service.d/other.conf
		systemctl daemon-reload
	}
	nobody() { rm -rf /etc/systemd/system/cloud-audit-setup.service.d; systemctl daemon-reload; }
	rules_of() { auditctl -l | sort; }
	cas -q apply; before=$(rules_of)
	change='-s audit.backlog_limit=9000 -s events.network=no'

	# --- who is not systemd, and a systemd that is not as it was ---
	n=9100
	for how in failed done 'failed flood' 'done flood'; do
		n=$((n + 1))
		forge $how
		out=$(cas -s unit.start_timeout=2min -s audit.backlog_limit=$n apply 2>&1); ok $? "while nobody says '$how' of every job apply succeeds" "$out"
		unforge; ok $? 'whoever said so was heard' "$sent messages"
		out=$(cas -s unit.start_timeout=2min -s audit.backlog_limit=$n verify 2>&1); ok $? 'and the node is as configured' "$out"
	done
	meanwhile /bin/false; forge done
	out=$(cas $change apply 2>&1); is $? 1 'a job that failed is not done because nobody says so' || diag "$out"
	unforge; ok $? 'whoever said so was heard' "$sent messages"
	like "$out" "the job ended with 'failed'.*" 'it is systemd that was believed'
	like "$out" 'error: the files are as before' 'and the files are as before, though the unit fails with them, too'
	nobody; cas -q apply
	meanwhile "/bin/sh -c 'systemctl daemon-reexec; sleep 1'"
	out=$(cas $change apply 2>&1); ok $? 'systemd may be executed anew in the middle' "$out"
	nobody; cas -q apply
	meanwhile "/bin/systemctl restart dbus.service"
	out=$(cas $change apply 2>&1); ok $? 'so may dbus-daemon be restarted' "$out"
	nobody; cas -q apply

	meanwhile '/sbin/auditctl -w /etc/issue -p wa -k foreign'
	out=$(cas $change apply 2>&1); is $? 1 'a rule added between load and read-back is exit status 1'
	like "$out" 'read back from the kernel:.*/etc/issue' 'and is shown'
	nobody; auditctl -W /etc/issue -p wa -k foreign 2>/dev/null
	is "$(rules_of)" "$before" 'the node has its earlier rules again' || diag "$out"
	cas -q apply
	meanwhile '/sbin/auditctl -D'
	out=$(cas $change apply 2>&1); is $? 1 'rules that somebody deleted before the read-back are exit status 1'
	like "$out" 'read back from the kernel: (none of the [0-9]+ rules is in force|.*not in)' 'and are shown' || diag "$out"
	nobody; out=$(cas apply 2>&1); ok $? 'the next apply puts them in force' "$out"
	is "$(rules_of)" "$before" 'all of them'
	meanwhile '/sbin/auditctl -e 0'
	out=$(cas $change apply 2>&1); is $? 1 'auditing switched off meanwhile is exit status 1'
	like "$out" 'error: read back from the kernel: auditing is off \(enabled=0\) after the rules were loaded' 'and said'
	nobody; out=$(cas apply 2>&1); ok $? 'the next apply switches it on' "$out"

	# --- auditd, augenrules ---
	# auditd's own unit loads the host's rules until audit 4.0; then audit-rules.service, before auditd, and from 4.1 on after it.
	systemctl start auditd; host_rules_settle
	loader=auditd; ! systemctl cat audit-rules >/dev/null 2>&1 || loader=audit-rules
	for unit in auditd $([ $loader = auditd ] || echo $loader); do
		was=$(systemctl show -P InvocationID $loader)
		systemctl restart $unit; host_rules_settle
		[ "$(systemctl show -P InvocationID $loader)" != "$was" ]; ok $? "a restart of $unit starts $loader"
		is "$(auditctl -l)" '-w /etc/motd -p wa -k host' 'which loads the rules of the host, with -D'
		out=$(cas verify 2>&1); is $? 4 'and that is a difference' || diag "$out"
		out=$(cas apply 2>&1); ok $? 'that apply mends' "$out"
	done
	for n in 1 2 3; do
		(while :; do systemctl restart auditd; sleep 0.3; done) >/dev/null 2>&1 & noise=$!
		out=$(cas -s audit.backlog_limit=$((9000 + n)) apply 2>&1); status=$?
		kill $noise; wait $noise 2>/dev/null
		like "$status" '^[01]$' "apply $n while auditd restarts all the time ends with 0 or 1"
		# Which of the two it is depends on when; each has its own words, and none of the other's. What is said last is
		# what the node is like then.
		case $status in
		0)	unlike "$out" 'cloud-audit-setup: error: ' 'and says nothing of an error'
			like "$out" '^[0-9]+ rules are in force' 'but what is in force' ;;
		*)	unlike "$out" 'rules are in force' 'and does not say that rules are in force'
			like "$out" 'error: (read back from the kernel: |.*: the job ended with )' 'but what was found, or which job failed'
			like "$(printf '%s\n' "$out" | grep 'error: ' | tail -n 1)" \
				'error: (nothing is left of this run|the kernel has |see systemctl status |the files are as before|.* could not be put back )' \
				'and last what the node is like' ;;
		esac
	done
	systemctl stop auditd; host_rules_settle
	out=$(cas apply 2>&1); ok $? 'with auditd at rest apply succeeds' "$out"
	augenrules --load >/dev/null 2>&1
	out=$(cas verify 2>&1); is $? 4 'rules that augenrules loaded in the place of ours are a difference'

EOF

# --- the lock ---
t/vm/vm save "$vm" unlocked || exit 1
vm_guest --timeout 200 <<'EOF'
	cd $cas
	cas() { ./cloud-audit-setup -s audit.lock=no "$@"; }
	meanwhile() {
		mkdir -p /etc/systemd/system/cloud-audit-setup.service.d
		printf '[Service]\nExecStartPost=+%s\n' "$1" >/etc/systemd/system/cloud-audit-setup.service.d/other.conf
		systemctl daemon-reload
	}
	mkdir -p /srv/watched rules.d; echo '-w /srv/watched/ -p wa -k gone' >rules.d/10.rules
	mine() { ./cloud-audit-setup -s "rules.directory=$PWD/rules.d" "$@"; }
	cas -q apply
	meanwhile "/bin/sh -c '/sbin/auditctl -w /etc/issue -p wa -k foreign; /sbin/auditctl -e 2'"
	out=$(mine apply 2>&1); is $? 5 'somebody who adds a rule and locks before the read-back is exit status 5'
	like "$out" 'somebody else locked the audit configuration meanwhile, with other rules; reboot the node' 'and the message says so, and what to do'
	like "$out" 'the new rules are in place for the next boot' 'and what is there'
	out=$(mine verify 2>&1); is $? 5 'files and rules stay together'
	unlike "$out" 'cloud-audit-.* it is absent' 'none of the files is gone'
	nobody; mine -q remove 2>/dev/null; sync
EOF
t/vm/vm load "$vm" unlocked || exit 1
vm_guest --timeout 200 <<'EOF'
	. $cas/shared.sh; cd $cas
	mkdir -p /srv/watched rules.d; echo '-w /srv/watched/ -p wa -k gone' >rules.d/10.rules
	mine() { ./cloud-audit-setup -s "rules.directory=$PWD/rules.d" "$@"; }
	auditctl -D >/dev/null; auditctl -e 1 >/dev/null
	forge failed
	out=$(mine apply 2>&1); ok $? 'where nobody has locked, apply locks with a watch of a directory, whatever nobody says' "$out"
	unforge; ok $? 'whoever said so was heard' "$sent messages"
	is "$(systemctl is-enabled cloud-audit-setup cloud-audit-lock | xargs) $(auditctl -s | head -1)" 'enabled enabled enabled 2' 'the files of a lock stay'
	rm -rf /srv/watched
	out=$(mine verify 2>&1); is $? 5 'a watched directory that vanishes under the lock is exit status 5' || diag "$out"
	like "$out" '/srv/watched' 'and the rule is named'
	out=$(mine apply 2>&1); ok $? 'apply under the lock stages the rules, and warns' "$out"
	like "$out" 'warning: .*locked' 'as it does for any other rules'
EOF
done_testing
