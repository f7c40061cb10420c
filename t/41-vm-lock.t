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
	out=$(./cloud-audit-setup 2>&1); ok $? 'apply with the defaults succeeds' "$out"
	like "$(auditctl -s)" '^enabled 2$' 'the audit configuration is locked'
	is "$(systemctl is-active cloud-audit-lock)" active 'the lock unit did it'
	is "$(systemctl is-enabled cloud-audit-lock)" enabled 'the lock unit is enabled'
	out=$(systemd-analyze verify /etc/systemd/system/cloud-audit-*.service 2>&1); is "$? $out" '0 ' 'both units pass systemd-analyze verify'
	out=$(./cloud-audit-setup 2>&1); ok $? 'locked with the same rules is success' "$out"
	like "$out" 'nothing to do' 'and nothing is done'
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'verify succeeds' "$out"

	rules=$(auditctl -l); unlike "$rules" late 'a rule whose directory is not there is left out'
	mkdir -p /opt/late/dir
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'that it has come is no difference' "$out"
	out=$(./cloud-audit-setup 2>&1); ok $? 'and no failure of apply' "$out"
	like "$(cat /etc/audit/cloud-audit-setup.rules)" '^-.*/opt/late/dir/file' 'which has the rule in the file for the next boot'
	is "$(auditctl -l)" "$rules" 'leaves the kernel alone'
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'and makes no difference' "$out"
	like "$out" '05-late.rules:1: left out when rules were loaded' 'but a notice'
	out=$(./cloud-audit-setup 2>&1); like "$out" 'nothing to do' 'nor has a second apply anything to do'

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
t/vm/vm reboot "$vm" || exit 1
vm_guest <<'EOF'
	is "$(auditctl -l)" 'No rules' 'after remove and a reboot the rules are gone'
	unlike "$(auditctl -s)" '^enabled 2$' 'and so is the lock'
EOF
done_testing
