#!/bin/sh
# What a run leaves behind when something goes wrong in the middle, or an earlier run left something odd: a unit that does
# not end, rules that change just before the lock, a rule that is no longer wanted, what cannot be taken back.
. t/vm/lib.sh
vm_up afterwards plain

cat >"$vm_tmp/shared.sh" <<'EOF'
cd "$cas"
# A few rules of the user's, so that no run takes long.
none='-s events.audit-config=no -s events.apparmor=no -s events.exec=no -s events.socket=no -s events.mmap=no
	-s events.network=no -s events.logins=no -s events.tty=no'
none="$none -s filter.exclude_types= -s rules.directory=/srv/rules.d"
cas() { ./cloud-audit-setup $none "$@"; }
free() { cas -s audit.lock=no "$@"; }
keep() { free -s rules.existing=keep "$@"; }
mkdir -p /srv/rules.d
mine() { for key; do echo "-a always,exit -F arch=b64 -S mount -F auid=4711 -k $key"; done >/srv/rules.d/mine.rules; }
refused='-a always,exit -F arch=b64 -S getpid -F subj_role=no-such-profile -k absent'
keys() { auditctl -l | grep -o 'key=[a-z-]*' | grep -Ev '=(CONFIG|logins)' | sort | tr '\n' ' '; }
setting() { auditctl -s | sed -n "s/^$1 //p"; }
EOF
cat >"$vm_tmp/auditctl" <<'EOF'
#!/bin/sh
# The host's auditctl, which does what a test has put into /run/before-OPTION first.
[ ! -e "/run/before$1" ] || . "/run/before$1"
exec /usr/sbin/auditctl.real "$@"
EOF
t/vm/vm push "$vm" "$vm_tmp/shared.sh" "$vm_tmp/auditctl" "$cas" || exit 1
vm_guest <<EOF
	mv /usr/sbin/auditctl /usr/sbin/auditctl.real && cp $cas/auditctl /usr/sbin/auditctl && chmod 755 /usr/sbin/auditctl
	auditctl -s >/dev/null; ok \$? "the host's auditctl may be slowed down"
EOF
t/vm/vm save "$vm" fresh || exit 1
# scene < SCRIPT: in the machine as it was saved, time enough for a busy one.
scene() { t/vm/vm load "$vm" fresh || exit 1; { echo ". $cas/shared.sh"; cat; } >"$vm_tmp/scene"; vm_guest --timeout 300 <"$vm_tmp/scene"; }

scene <<'EOF'
	# --- what does not end in time ---
	mine one
	echo 'sleep 25' >/run/before-e
	enabled=$(setting enabled)
	out=$(cas -s unit.mode=transient -s unit.start_timeout=10s apply 2>&1); is $? 1 'a lock that does not end in time is exit status 1'
	like "$out" 'error: StartTransientUnit .*no result within 10 s.*the job was canceled, and the unit stopped' 'the unit is stopped, not the job alone'
	like "$out" 'nothing is left of this run' 'and undone'
	is "$(systemctl list-units --all --plain --no-legend 'cloud-audit-*')" '' 'nothing goes on'
	sleep 20; is "$(setting enabled)" "$enabled" 'so that nothing is locked later' || diag "$out"
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
	sleep 20; is "$(keys)" '' 'which loads nothing later'
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
	before=$(auditctl -l); journal_mark; sed -i '1i # a comment' /srv/rules.d/mine.rules
	out=$(keep apply 2>&1); ok $? 'a comment is no other rule' "$out"
	is "$(auditctl -l)" "$before" 'all are in force'
	journal_audit | grep -c 'CONFIG_CHANGE.*remove_rule' >/run/removed; is "$(cat /run/removed)" 0 'and none was deleted meanwhile'
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
	# --- what cannot be taken back ---
	mine one; printf '%s\n' "$refused" >>/srv/rules.d/mine.rules
	out=$(free -s audit.loginuid_immutable=yes -s ima.policy=exec apply 2>&1); is $? 1 'a rule that the kernel refuses is found'
	like "$out" 'nothing is left of this run' 'when nothing is left behind yet'
	like "$(auditctl -s)" '^loginuid_immutable 0' 'not loginuid_immutable'
	[ ! -e /run/cloud-audit-setup/ima-policy ]; ok $? 'nor an IMA policy'
	unlike "$out" 'service result success' 'a unit that failed is not said to have succeeded'
	out=$(free -s unit.mode=transient apply 2>&1); unlike "$out" 'result success' 'nor is a transient one'
	mine one
	out=$(free -s audit.failure=silent -s audit.rate_limit=7777 -s audit.backlog_limit=9999 apply 2>&1); ok $? 'settings are applied' "$out"
	out=$(free remove 2>&1); ok $? 'and removed' "$out"
	is "$(setting failure) $(setting rate_limit)" '1 0' 'the kernel has its own settings again'
	parameter=/sys/module/apparmor/parameters/audit; was=$(cat $parameter)
	apparmor=-sevents.apparmor=yes
	out=$(free $apparmor -s apparmor.audit=all -s ima.policy=exec apply 2>&1); ok $? 'AppArmor and IMA' "$out"
	is "$(cat $parameter)" all 'AppArmor writes all'
	out=$(free $apparmor -s ima.policy=exec apply 2>&1); ok $? 'then IMA alone' "$out"
	is "$(cat $parameter)" "$was" 'AppArmor is as it was'
EOF

scene <<'EOF'
	# --- odd nodes ---
	mine one; free -q apply
	systemctl stop cloud-audit-setup; auditctl -R /etc/audit/cloud-audit-setup.rules >/dev/null
	out=$(free plan 2>/dev/null); is $? 4 'a unit that was stopped is a difference'
	like "$out" '^# cloud-audit-setup.service is active' 'which plan shows'
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
	for name in one two; do mkdir -p /etc/systemd/system/$name.service.d; : >/etc/systemd/system/$name.service.d/cloud-audit-setup.conf; done
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
done_testing
