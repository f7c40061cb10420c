#!/bin/sh
# What a run leaves behind when something goes wrong in the middle, or an earlier run left something odd: a unit that does
# not end, rules that change just before the lock, a rule that is no longer wanted, what cannot be taken back.
. t/vm/lib.sh
vm_up afterwards plain
. t/vm-afterwards/scenes.sh

scene <<'EOF'
	# --- what does not end in time ---
	mine one
	echo 'sleep 25' >/run/before-e
	enabled=$(setting enabled)
	out=$(cas -s unit.mode=transient -s unit.start_timeout=10s apply 2>&1); is $? 1 'a lock that does not end in time is exit status 1'
	like "$out" "error: StartTransientUnit .*(no result within 10 s.*the job was canceled, and the unit stopped|the job ended with '(failed|timeout)')" 'the unit is stopped, not the job alone'
	like "$out" 'nothing is left of this run' 'and undone'
	is "$(systemctl list-units --all --plain --no-legend 'cloud-audit-*')" '' 'nothing goes on'
	rm /run/before-e
	echo 'sleep 25' >/run/before-R
	out=$(free -s unit.start_timeout=10s apply 2>&1); is $? 1 'nor do rules that are not loaded in time'
	rm /run/before-R
	like "$out" 'nothing is left of this run' 'leave anything'
	is "$(systemctl is-active cloud-audit-setup) $(systemctl --failed --no-legend)" 'inactive ' 'no unit either'

	echo 'sleep 25' >/run/before-R
	./cloud-audit-setup $none -s audit.lock=no apply 2>/run/said & pid=$!
	until [ "$(systemctl is-active cloud-audit-setup)" = activating ]; do sleep 0.2; done
	kill -KILL $pid; wait $pid 2>/dev/null
	rm /run/before-R
	out=$(free remove 2>&1); ok $? 'remove after a run that was killed while the unit started' "$out"
	is "$(systemctl is-active cloud-audit-setup)" inactive 'stops the unit'
	# By then whatever went on of the three would have ended.
	sleep 20; is "$(keys)" '' 'which loads nothing later'
	is "$(setting enabled)" "$enabled" 'nor is anything locked later by the first'
EOF

scene <<'EOF'
	# --- existing = keep: rules that are wanted no more ---
	auditctl -w /etc/hosts -p wa -k host-own; auditctl -w '/srv/odd!=name' -p wa -k host-odd
	host=$(auditctl -l)
	mine one two; echo '-w /srv/my!=path -p wa -k odd' >>/srv/rules.d/mine.rules
	keep -q apply; ok $? 'rules beside the host'\''s'
	like "$(auditctl -l)" 'key=two|-k two' 'both are in force'
	mine one
	out=$(keep apply 2>&1); ok $? 'the second is taken out of the configuration' "$out"
	unlike "$(auditctl -l)" 'two|odd$.*my' 'and out of the kernel'
	unlike "$(auditctl -l)" 'my!=path' 'so is one that only -w can say'
	like "$(auditctl -l)" 'host-odd' 'the host'\''s own stay'
	auditctl -e 0 >/dev/null
	out=$(keep apply 2>&1); ok $? 'auditing that somebody switched off' "$out"
	is "$(setting enabled)" 1 'is switched on again'
	journal_takes_audit; before=$(auditctl -l); journal_mark; sed -i '1i # a comment' /srv/rules.d/mine.rules
	out=$(keep apply 2>&1); ok $? 'a comment is no other rule' "$out"
	is "$(auditctl -l)" "$before" 'all are in force'
	journal_lacks 'CONFIG_CHANGE.*remove_rule'; ok $? 'and none was deleted meanwhile' "$(grep remove_rule $journal_kept/journal-read)"
	mine one two; keep -q apply; mine one
	strace -f -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=1 ./cloud-audit-setup $none -s audit.lock=no -s rules.existing=keep apply 2>/dev/null
	is $? 137 'a run is killed when it has written the rules file'
	out=$(keep apply 2>&1); ok $? 'the next run' "$out"
	unlike "$(auditctl -l)" 'key=two|-k two' 'leaves no rule behind that its file does not name'
	printf '%s\n' "$refused" >>/srv/rules.d/mine.rules; before=$(auditctl -l)
	out=$(keep apply 2>&1); is $? 1 'a rule that the kernel refuses'
	like "$out" 'nothing is left of this run' 'is undone'
	is "$(auditctl -l | sort)" "$(printf '%s\n' "$before" | sort)" 'with every rule of the host'\''s, one that only -w can say among them' || diag "$out"
	out=$(keep remove 2>&1); is "$? $(auditctl -l)" "0 $host" 'remove leaves the host'\''s own' || diag "$out"
EOF

scene <<'EOF'
	# --- existing = keep: rules that take what ours are to record ---
	mine one two; echo '-a always,exit -F arch=b64 -S umount2 -F auid=4711 -k three' >>/srv/rules.d/mine.rules
	for rule in '-a never,task' '-a never,exit -S all'; do
		auditctl -D >/dev/null; auditctl $rule 2>/dev/null; was=$(auditctl -l)
		out=$(keep apply 2>&1); is $? 3 "kept, $rule is exit status 3" || diag "$out"
		like "$out" "existing = keep leaves this rule in the kernel, before ours, and behind it none of them would record anything: ${rule% -S all}; .*existing = replace; nothing was changed" "$rule: the rule is shown, and what to do"
		is "$(auditctl -l; find /etc/audit /etc/systemd/system -name 'cloud-audit*')" "$was" "$rule: and nothing was changed"
	done
	auditctl -D >/dev/null; auditctl -a never,exit -F arch=b64 -S mount; auditctl -w /etc/hosts -p wa -k host-own
	out=$(keep apply 2>&1); ok $? 'one that takes some of ours is kept' "$out"
	like "$out" 'warning: existing = keep leaves a rule in the kernel, before ours, behind which 2 of our 3 rules record nothing: -a never,exit .*mount' 'with a warning that has its text'
	ours=$(grep -c '^-[aAw]' /etc/audit/cloud-audit-setup.rules)
	like "$out" "^$ours rules are in force, not locked, beside 2 that the kernel had\$" 'only ours are counted as rules in force'
	like "$(keep -o json apply 2>/dev/null)" "\"rules\":$ours," 'by JSON, too'
	out=$(keep verify 2>&1); is $? 4 'and verify fails'
	like "$out" '^Differs +wanted: no rule that is kept takes what ours are to record$' 'and says so'
	like "$out" 'there: +2 of 3 rules of ours record nothing behind it: -a' 'with what is there'
	like "$(keep -o tap verify 2>/dev/null)" '^not ok [0-9]+ - no rule that is kept takes what ours are to record$' 'in TAP, too'
	auditctl -d never,exit -F arch=b64 -S mount
	out=$(keep verify 2>&1); ok $? 'when it has gone verify agrees' "$out"

	# --- replaced, never,task goes on for what runs already ---
	free -q remove; auditctl -D >/dev/null; auditctl -e 1 >/dev/null
	mkdir -p /srv/watched; echo '-w /srv/watched/ -p wa -k seen' >/srv/rules.d/mine.rules
	journal_takes_audit
	wait_and_write() { until [ -e /run/go ]; do sleep 0.2; done; : >/srv/watched/$1; }
	auditctl -a never,task; wait_and_write under & under=$!
	out=$(free apply 2>&1); ok $? 'existing = replace deletes never,task' "$out"
	like "$out" 'warning: the kernel has -a never,task: programs that were started under it stay unseen by every rule until they are started again' 'and warns of what runs already'
	wait_and_write after & journal_mark; : >/run/go; wait $under; wait
	journal_has '/srv/watched/after'; ok $? 'what a program does that was started after it is recorded'
	! journal_has '/srv/watched/under' 3; ok $? 'what one does that was started under it is not'
	wait_and_write again; journal_has '/srv/watched/again'; ok $? 'but when it is started again'
EOF

scene <<'EOF'
	# --- what cannot be taken back ---
	mine one; printf '%s\n' "$refused" >>/srv/rules.d/mine.rules
	# bullseye's cloud kernel has none.
	ima=; [ ! -e /sys/kernel/security/ima ] || ima='-s ima.policy=exec'
	out=$(free -s audit.loginuid_immutable=yes $ima apply 2>&1); is $? 1 'a rule that the kernel refuses is found'
	like "$out" 'error: /srv/rules.d/mine.rules:2: the kernel has not got this rule, line [0-9]+ of /etc/audit/cloud-audit-setup.rules' 'by its place'
	like "$out" 'the files are as before' 'the files are as before'
	like "$out" 'loginuid_immutable stays on until the next boot' 'and what cannot be taken back is named'
	if [ -n "$ima" ]; then
		[ ! -e /run/cloud-audit-setup/ima-policy ]; ok $? 'nor an IMA policy'
	else
		skip 'nor an IMA policy' "the kernel $(uname -r) has no IMA"
	fi
	unlike "$out" 'service result success' 'a unit that failed is not said to have succeeded'
	out=$(free -s unit.mode=transient apply 2>&1); unlike "$out" 'result success' 'nor is a transient one'
	mine one
	out=$(free -s audit.failure=silent -s audit.rate_limit=7777 -s audit.backlog_limit=9999 apply 2>&1); ok $? 'settings are applied' "$out"
	out=$(free remove 2>&1); ok $? 'and removed' "$out"
	is "$(setting failure) $(setting rate_limit)" '1 0' 'the kernel has its own settings again'
	parameter=/sys/module/apparmor/parameters/audit; was=$(cat $parameter)
	apparmor=-sevents.apparmor=yes
	out=$(free $apparmor -s apparmor.audit=all $ima apply 2>&1); ok $? 'AppArmor and IMA, where the kernel has it' "$out"
	is "$(cat $parameter)" all 'AppArmor writes all'
	out=$(free $apparmor $ima apply 2>&1); ok $? 'then AppArmor no more' "$out"
	is "$(cat $parameter)" "$was" 'AppArmor is as it was'
EOF

scene <<'EOF'
	# --- odd nodes ---
	mine one; free -q apply
	systemctl stop cloud-audit-setup; auditctl -R /etc/audit/cloud-audit-setup.rules >/dev/null
	out=$(free plan 2>/dev/null); is $? 4 'a unit that was stopped is a difference'
	like "$out" '^To hold +cloud-audit-setup.service is active; now: inactive' 'which plan shows'
	free -q apply
	mount --bind /etc/audit /etc/audit; mount -o remount,ro,bind /etc/audit
	out=$(free remove 2>&1); is $? 1 'remove where the rules file cannot be deleted is exit status 1'
	like "$out" 'cloud-audit-setup.rules cannot be deleted below /: Read-only file system.*nothing was changed' 'and says so before it begins'
	is "$(systemctl is-active cloud-audit-setup) $(keys)" 'active key=one ' 'nothing was changed'
	umount /etc/audit
	mkdir -p /run/part/run/systemd; touch /run/part/run/systemd/private; mount --bind /run/systemd/private /run/part/run/systemd/private
	free -q -R /run/part -s unit.mode=transient apply
	out=$(free -R /run/part remove 2>&1); is $? 1 'remove through a root without the files is exit status 1'
	like "$out" 'systemd still has cloud-audit-setup.service, loaded from /etc/systemd/system/' 'and says what is left'
	out=$(free remove 2>&1); ok $? 'where they can be seen it goes on' "$out"

	free -q apply; echo exit 1 >/run/before-R; systemctl restart cloud-audit-setup 2>/dev/null; rm /run/before-R
	is "$(systemctl is-failed cloud-audit-setup)" failed 'a unit has failed'
	out=$(free -s unit.mode=transient apply 2>&1); ok $? 'another mode' "$out"
	is "$(systemctl --failed --no-legend)" '' 'leaves no failed unit'
	for name in one two; do
		mkdir -p /etc/systemd/system/$name.service.d
		echo '# Written by cloud-audit-setup, which replaces it when the configuration changes.' >/etc/systemd/system/$name.service.d/cloud-audit-setup.conf
	done
	out=$(free remove 2>&1); ok $? 'remove' "$out"
	is "$(ls -d /etc/systemd/system/*.d/cloud-audit-setup.conf 2>/dev/null)" '' 'takes every drop-in that runs have left'

	systemctl mask -q cloud-audit-setup
	out=$(free -s unit.mode=transient apply 2>&1); ok $? 'a masked unit does not keep the rules from coming over D-Bus' "$out"
	out=$(free plan 2>/dev/null -s unit.mode=transient); is "$? $out" '0 ' 'plan has nothing to say of it'
	out=$(free remove 2>&1); ok $? 'remove is not kept from its end by it' "$out"
	is "$(readlink /etc/systemd/system/cloud-audit-setup.service)" /dev/null 'nor does it take the mask'
	auditctl -w /etc/hosts -p wa -k host-own
	out=$(free remove 2>&1); is "$? $(auditctl -l)" '0 -w /etc/hosts -p wa -k host-own' 'where there is only the mask there is nothing to remove' || diag "$out"
	systemctl unmask -q cloud-audit-setup

	# --- the lock ---
	cas -q -s unit.mode=transient apply; is "$(setting enabled)" 2 'locked over D-Bus alone'
	out=$(cas apply 2>&1); ok $? 'then with files' "$out"
	out=$(cas verify 2>&1); ok $? 'under the lock, too, the transient unit goes' "$out"
	out=$(cas apply 2>&1); like "$out" 'nothing to do' 'and there is nothing more to do'
EOF

scene <<'EOF'
	mine one
	echo '/usr/sbin/auditctl.real -D >/dev/null' >/run/before-e
	out=$(cas apply 2>&1); is $? 5 'rules that somebody deletes just before the lock are exit status 5' || diag "$out"
	like "$out" 'error: somebody changed the rules just before they were locked' 'and the message says so'
	like "$out" 'locked with rules that are not those asked for.*in place for the next boot' 'the files wait for the next boot'
	out=$(cas verify 2>&1); is $? 5 'as verify says'
EOF

# --- a lock that took effect is a lock, whatever became of its job ---
cat >>"$vm_tmp/shared.sh" <<'EOF'
is_locked() { # WHAT [OPTION...]: $out and $? are those of an apply
	ok $? "$1: apply succeeds" "$out"
	is "$(setting enabled) $(keys)" '2 key=one ' "$1: the kernel is locked with the rules asked for"
	what=$1; shift
	out=$(cas "$@" verify 2>&1); ok $? "$what: verify agrees" "$out"
	is "$(systemctl --failed --no-legend 'cloud-audit-*')" '' "$what: no unit of ours has failed"
}
EOF
t/vm/vm load "$vm" fresh && t/vm/vm push "$vm" "$vm_tmp/shared.sh" "$cas" && t/vm/vm save "$vm" fresh || exit 1
scene <<'EOF'
	mine one
	echo '/usr/sbin/auditctl.real "$@"; exit 1' >/run/before-e
	out=$(cas apply 2>&1); status=$?
	like "$out" 'warning: the kernel is locked all the same' 'a lock whose job fails after it is said'
	(exit $status); is_locked 'failed after it'
	rm /run/before-e; sync
EOF
for boots in 'a boot' 'two boots'; do
	t/vm/vm reboot "$vm" || exit 1
	vm_guest <<EOF
	. $cas/shared.sh
	true; is_locked 'failed after it, and $boots'
	sync
EOF
done
scene <<'EOF'
	mine one
	echo '/usr/sbin/auditctl.real "$@"; sleep 50' >/run/before-e
	out=$(cas -s unit.start_timeout=20s apply 2>&1); status=$?; rm /run/before-e
	like "$out" 'warning: the kernel is locked all the same' 'so is one whose job does not end'
	(exit $status); is_locked 'no end' -s unit.start_timeout=20s
EOF
scene <<'EOF'
	mine one
	echo 'systemctl restart dbus.service; sleep 3' >/run/before-e
	out=$(cas apply 2>&1); is_locked 'dbus-daemon is restarted meanwhile'
EOF
scene <<'EOF'
	mine one
	# What loads fails, having loaded that and more; what is to take it back finds that somebody has locked.
	cat >/run/before-R <<-'END'
		if /usr/sbin/auditctl.real -l | grep -q foreign; then
			/usr/sbin/auditctl.real -e 2
		else
			/usr/sbin/auditctl.real "$@"; /usr/sbin/auditctl.real -w /etc/issue -p wa -k foreign; exit 1
		fi
	END
	out=$(free apply 2>&1); is $? 5 'a lock in the middle of taking back is exit status 5' || diag "$out"
	like "$out" 'locked with rules that are not those asked for.*in place for the next boot' 'and said'
	is "$(systemctl is-enabled cloud-audit-setup) $(ls /etc/audit | grep cloud)" 'enabled cloud-audit-setup.rules' 'the files of what is locked stay'
	rm /run/before-R
	out=$(free remove 2>&1); is $? 5 'remove' || diag "$out"
	out=$(free remove 2>&1); ok $? 'a second remove has nothing to do' "$out"
	like "$out" "warning: the audit configuration is locked, so the kernel keeps its [0-9]+ rules" 'but says that the rules stay'
EOF
scene <<'EOF'
	# Somebody locks when remove has begun: as if it had been so before.
	mine one; free -q apply
	echo '/usr/sbin/auditctl.real -e 2' >/run/before-R
	out=$(free remove 2>&1); is $? 5 'a lock in the middle of remove is exit status 5' || diag "$out"
	like "$out" 'error: the audit configuration is locked, so the kernel keeps its [0-9]+ rules' 'and says what stays'
	is "$(find /etc/audit /etc/systemd -name '*cloud-audit*')" '' 'units and files are gone'
EOF

# --- all that was there is there again ---
scene <<'EOF'
	auditctl -A always,exit -F arch=b64 -S mount -F auid=0 -k twice; auditctl -A always,exit -F arch=b64 -S mount -F auid=0 -k twice
	auditctl -a always,exit -F arch=b64 -S umount2 -F auid=0 -k once; auditctl -A always,exit -F arch=b64 -S umount2 -F auid=0 -k once
	auditctl -S 5 -a always,user -F uid=0; auditctl -w '/srv/odd!=name' -p wa -k host-odd; auditctl -a never,exclude -F msgtype=CWD
	auditctl -b 5000 -f 0 -r 777 --backlog_wait_time 3000 >/dev/null
	all() { auditctl -l; auditctl -s | grep -E '^(enabled|failure|rate_limit|backlog_limit|backlog_wait_time) '; }
	before=$(all); is "$(auditctl -l | grep -c twice) $(auditctl -l | grep -c once)" '2 2' 'there are rules that auditctl -R would stop at'
	mine one; printf '%s\n' "$refused" >>/srv/rules.d/mine.rules
	out=$(free apply 2>&1); is $? 1 'a rule that the kernel refuses'
	like "$out" 'nothing is left of this run' 'is undone'
	is "$(all)" "$before" 'with all rules, in their order, and all settings' || diag "$out"
	mine one; echo '-S 7 -a always,user -F uid=77' >>/srv/rules.d/mine.rules
	keep -q apply; ok $? 'a rule that is written -S N -a'
	mine two
	out=$(keep apply 2>&1); ok $? 'is wanted no more' "$out"
	unlike "$(auditctl -l)" 'uid=77|key=one|-k one' 'and goes'
	mine one; echo '-S 7 -a always,user -F uid=77' >>/srv/rules.d/mine.rules; keep -q apply
	printf '%s\n' "$refused" >>/srv/rules.d/mine.rules; was=$(auditctl -l | sort)
	out=$(keep apply 2>&1); is $? 1 'beside it a rule that the kernel refuses'
	is "$(auditctl -l | sort)" "$was" 'is undone' || diag "$out"
	out=$(keep remove 2>&1); ok $? 'remove' "$out"
	is "$(auditctl -l | sort)" "$(printf '%s\n' "$before" | grep -E '^-|^LIST' | sort)" 'leaves the host'\''s own rules'
	mine one; free -q apply; printf '%s\n' "$refused" >>/srv/rules.d/mine.rules
	out=$(cas apply 2>&1); is $? 1 'over a set of ours a rule that the kernel refuses'
	like "$out" 'nothing is left of this run' 'is undone'
	mine one; sync
EOF
for boots in 'a boot' 'two boots'; do
	t/vm/vm reboot "$vm" || exit 1
	vm_guest <<EOF
	. $cas/shared.sh
	systemctl is-system-running --wait >/dev/null
	is "\$(setting enabled) \$(systemctl is-active cloud-audit-setup) \$(keys)" '1 active key=one ' 'after $boots the earlier set is in force, not locked'
	out=\$(free verify 2>&1); ok \$? 'as verify says after $boots' "\$out"
	sync
EOF
done
done_testing
