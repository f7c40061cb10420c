#!/bin/sh
# A node shaped like Container-Optimized OS: read-only root, /etc lost at every boot, a vendor's unit.
. t/vm/lib.sh
vm_up cos cos
# Each part begins here, and looks into the journal.
echo ". $cas/guest.sh; journal_takes_audit" | t/vm/vm run "$vm" || exit 1
t/vm/vm save "$vm" fresh || exit 1

vm_guest --timeout 300 <<'EOF'
	cd $cas
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
	like "$out" 'warning: .*locked with other rules.*whose /etc is in memory and does not survive a boot' 'and warns, also that nothing of it is there after a boot'
	is "$(auditctl -l)" "$rules" 'the kernel is unchanged'
	out=$(./cloud-audit-setup verify 2>&1); is $? 5 'verify says 5'
EOF

# What render cloud-config prints, put there as cloud-init does it: on Container-Optimized OS at each boot, whose /etc is new.
t/vm/vm load "$vm" fresh || exit 1
build/cloud-audit-setup -q render cloud-config >"$vm_tmp/user-data"; ok $? 'user-data for cloud-init is rendered'
t/vm/user-data "$vm_tmp/user-data" >"$vm_tmp/play"; ok $? 'and read'
t/vm/vm run "$vm" <"$vm_tmp/play" >"$vm_tmp/played" 2>&1 || diag "$(cat "$vm_tmp/played")"
vm_guest --timeout 300 <<'EOF'
	cd $cas || exit 1
	like "$(auditctl -s)" '^enabled 2$' 'then the node is locked, as at a boot of ours'
	is "$(systemctl show -P FragmentPath cloud-audit-setup)" /etc/systemd/system/cloud-audit-setup.service "our unit overrides the vendor's"
	out=$(./cloud-audit-setup -s rules.optimise=no -o tap verify 2>&1)
	# The text of the file is another one, with the watches as they are written.
	is "$(echo "$out" | grep '^not ok' | grep -v '# TODO' | grep -v 'cloud-audit-setup.rules is as')" '' 'and has the rules, units and the lock that verify wants'
	journal_mark; touch /etc/systemd/file
	journal_has 'PATH item=[^}]*name=..?/etc/systemd/file'; ok $? 'a watch that auditctl has made one of a directory records'
	rm /etc/systemd/file
EOF

# rules/CIS-STIG.md, every line of its table.
sed -n 's/^| [^|]* | `\(-[^`]*\)` |.*/\1/p' rules/CIS-STIG.md >"$vm_tmp/benchmarks.rules"
[ "$(wc -l <"$vm_tmp/benchmarks.rules")" -gt 30 ]; ok $? 'the page has lines of every kind'
t/vm/vm load "$vm" fresh && t/vm/vm push "$vm" "$vm_tmp/benchmarks.rules" "$cas" || exit 1
vm_guest --timeout 600 <<'EOF'
	cd $cas || exit 1
	mkdir -p /etc/cloud-audit-setup/rules.d /etc/apparmor /etc/apparmor.d /etc/security && cp benchmarks.rules /etc/cloud-audit-setup/rules.d/
	first='-s rules.order=user-first'
	out=$(./cloud-audit-setup $first 2>&1); ok $? 'the lines of CIS and STIG are applied as they are' "$out"
	like "$(auditctl -s)" '^enabled 2$' 'and locked'
	out=$(./cloud-audit-setup $first verify 2>&1); ok $? 'verify agrees' "$out"
	# as COMMAND: in a session of user 1000's.
	as() { sh -c 'echo 1000 >/proc/self/loginuid; exec "$@"' as "$@"; }
	nobody() { as setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	touch /tmp/file; journal_mark
	date -s "@$(date +%s)" >/dev/null
	touch /etc/passwd /etc/hosts /etc/apparmor.d/file /var/log/faillog /run/utmp /etc/sudoers /var/log/sudo.log /etc/audit/file
	as chmod 600 /tmp/file; as rm /tmp/file; nobody cat /etc/shadow 2>/dev/null
	as /usr/bin/passwd -S root >/dev/null; nobody su --version >/dev/null
	as mount -t tmpfs none /mnt; auditctl -s >/dev/null
	perl -e 'my $name = "no-such-module"; syscall(176, $name, 0); syscall(101, 4, 0, 0, 0)'	# delete_module, ptrace
	for key in time-change identity system-locale MAC-policy logins session perm_mod access privileged mounts delete scope \
		actions modules execpriv code-injection; do
		journal_has "SYSCALL.*key=..?$key"; ok $? "what the lines with the key $key are about has that key"
	done
	# Before them stands the group audit-config, whatever the order.
	for of in 'exe=..?/usr/sbin/auditctl' 'comm=..?touch'; do
		journal_has "SYSCALL.*$of.*key=..?audit-config"; ok $? "what audit-config takes first, $of, has its key"
	done
EOF
done_testing
