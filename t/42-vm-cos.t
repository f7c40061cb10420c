#!/bin/sh
# A node shaped like Container-Optimized OS: read-only root, /etc lost at every boot, a vendor's unit.
. t/vm/lib.sh
vm_up cos cos
t/vm/vm save "$vm" fresh || exit 1

vm_guest --timeout 300 <<'EOF'
	cd $cas
	journal_takes_audit
	vendor=$(realpath /usr/lib/systemd/system/cloud-audit-setup.service)
	is "$(realpath "$(systemctl show -P FragmentPath cloud-audit-setup)")" $vendor 'the node brings a unit of that name'
	out=$(./cloud-audit-setup -s audit.lock=no 2>&1); ok $? 'apply succeeds on a read-only root' "$out"
	is "$(systemctl show -P FragmentPath cloud-audit-setup)" /etc/systemd/system/cloud-audit-setup.service "our unit overrides the vendor's"
	is "$(stat -c '%a %U' /etc/cloud-audit-setup)" '755 root' "the program's own directory was made"
	journal_mark; touch /etc/cloud-audit-setup/file
	journal_has 'PATH item=[^}]*name=..?/etc/cloud-audit-setup/file'; ok $? 'so that what comes into it is recorded'
	rm /etc/cloud-audit-setup/file
	out=$(./cloud-audit-setup -s audit.lock=no remove 2>&1); ok $? 'remove succeeds' "$out"
	is "$(ls -d /etc/cloud-audit-setup 2>&1 | grep -c cannot)" 1 'and takes it away'
	is "$(realpath "$(systemctl show -P FragmentPath cloud-audit-setup)")" $vendor "after remove the vendor's unit is visible again"
	out=$(./cloud-audit-setup 2>&1); ok $? 'apply with the lock succeeds' "$out"
	like "$(auditctl -s)" '^enabled 2$' 'the node is locked'
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'verify succeeds' "$out"
	journal_mark; /bin/true
	journal_has '_EXE":"(/usr)?/bin/true"'; ok $? 'a program executed is in the journal'
EOF

t/vm/vm reboot "$vm" || exit 1
vm_guest --timeout 300 <<'EOF'
	cd $cas || exit 1
	vendor=$(realpath /usr/lib/systemd/system/cloud-audit-setup.service)
	is "$(ls /etc/audit/cloud-audit-setup.rules 2>&1 | grep -c cannot)" 1 'a reboot empties /etc'
	is "$(realpath "$(systemctl show -P FragmentPath cloud-audit-setup)")" $vendor "and leaves the vendor's unit"
	at=$(cut -d' ' -f1 /proc/uptime)
	out=$(./cloud-audit-setup 2>&1); ok $? 'apply works again after the reboot' "$out"
	diag "seconds after the kernel's start: apply began at $at and had the rules in force and locked at $(cut -d' ' -f1 /proc/uptime)"
	out=$(./cloud-audit-setup verify 2>&1); ok $? 'and verify succeeds' "$out"
	out=$(./cloud-audit-setup remove 2>&1); is $? 5 'remove under the lock is exit status 5'
EOF

# As it was after its boot.
t/vm/vm load "$vm" fresh || exit 1
vm_guest --timeout 300 <<'EOF'
	cd $cas || exit 1
	systemctl start cloud-audit-setup || diag "$(systemctl status cloud-audit-setup)"
	like "$(auditctl -s)" '^enabled 2$' "the vendor's unit locks the node with its own rules"
	rules=$(auditctl -l)
	out=$(./cloud-audit-setup 2>&1); ok $? 'apply on a node locked by its vendor stages' "$out"
	like "$out" 'warning: .*locked with other rules' 'and warns'
	is "$(auditctl -l)" "$rules" 'the kernel is unchanged'
	out=$(./cloud-audit-setup verify 2>&1); is $? 5 'verify says 5'
EOF
done_testing
