#!/bin/sh
# What boots make of what a run has left: a rule that the kernel refuses at boot, a rules file that is not read, a host that
# locks by itself, a version before this one. What was said holds after two of them.
. t/vm/lib.sh
vm_up boots plain
. t/vm-afterwards/scenes.sh
# after_boot < SCRIPT: the same in the machine as it is, after a boot.
after_boot() { t/vm/vm reboot "$vm" || exit 1; { echo ". $cas/shared.sh; booted"; cat; } >"$vm_tmp/scene"; vm_guest --timeout 300 <"$vm_tmp/scene"; }
cat >>"$vm_tmp/shared.sh" <<'EOF'
booted() { systemctl is-system-running --wait >/dev/null; }
state() { echo "$(setting enabled) $(systemctl is-active cloud-audit-setup cloud-audit-lock | xargs)"; }
hopeless='in place for the next boot|reboot or recreate'
EOF
t/vm/vm load "$vm" fresh && t/vm/vm push "$vm" "$vm_tmp/shared.sh" "$cas" && t/vm/vm save "$vm" fresh || exit 1

scene <<'EOF'
	# --- a node that a version without the last rule has locked ---
	mine one; free -q apply; file=/etc/audit/cloud-audit-setup.rules
	sed -i '/^-c$/d; /^-a always,user -F pid=0$/d; /^# staged/d' $file; auditctl -R $file >/dev/null; auditctl -e 2 >/dev/null
	is "$(auditctl -l | grep -c pid=0) $(setting enabled)" '0 2' 'it is as that left it'
	out=$(cas -s audit.on_locked=fail apply 2>&1); ok $? 'our files are put in place' "$out"
	unlike "$out" 'locked with other rules|boot' 'and the node has no other rules for that'
	like "$(cat $file)" '^-a always,user -F pid=0$' 'for the next boot with the rule that ends the file'
	out=$(cas verify 2>&1); ok $? 'verify succeeds' "$out"
	like "$(cas -o tap verify 2>/dev/null)" '^not ok [0-9]+ - rule in force: built-in: -a always,user -F pid=0 # TODO' 'with a notice'
	out=$(cas -s audit.on_locked=fail apply 2>&1); ok $? 'and there is nothing more to do' "$out"
EOF

scene <<'EOF'
	# --- a path that the boot makes later ---
	mine one; mkdir -p /run/late /etc/cloud-audit-setup
	printf '[rules]\nscanner_copy = yes\n' >/etc/cloud-audit-setup/config.ini
	{ echo '-w /run/late/file -p wa -k late'; echo '-a always,exit -F arch=b64 -S mount -F auid=4711 -k two'; } >>/srv/rules.d/mine.rules
	out=$(cas apply 2>&1); ok $? 'a rule below /run is applied' "$out"
	like "$out" 'no file of rules says -e 2, for which scanners look' 'with the copy for scanners'
	like "$out" 'warning: /srv/rules.d/mine.rules:2: /run/late may be absent, or another, when a boot loads the rules, which goes on without this one: what is below /run .*lint: late' 'with a warning'
	is "$(state) $(keys)" '2 active active key=late key=one key=two ' 'all are in force, and locked'
	like "$(cat /etc/audit/cloud-audit-setup.rules)" "^# staged in boot $(cat /proc/sys/kernel/random/boot_id)\$" 'the file says in which boot it was written'
	sync
EOF
after_boot <<'EOF'
	is "$(state) $(keys)" '2 failed active key=one key=two ' 'the first boot refuses that rule, and loads and locks the others'
	line=$(grep -nE '(key=|-k )late' /etc/audit/cloud-audit-setup.rules | cut -d: -f1)
	out=$(cas verify 2>&1); is $? 5 'verify says 5'
	like "$out" "error: /srv/rules.d/mine.rules:2: the kernel has not got this rule, line $line of /etc/audit/cloud-audit-setup.rules: /run/late is not there; what is below /run" 'which rule, and why'
	like "$out" 'error: the kernel refused these rules at boot, and is locked with the others; booting again does the same' 'and that another boot does not help'
	unlike "$out" "$hopeless" 'nothing is promised of the next'
	out=$(cas -s rules.absent=fail apply 2>&1); is $? 3 'absent = fail: exit 3'
	for command in plan apply; do
		out=$(cas $command 2>&1); is $? 5 "$command says 5"
		like "$out" 'warning: /srv/rules.d/mine.rules:2: left out, since the kernel has refused it at boot: /run/late is not there; what is below /run' 'which rule is left out, and why'
		like "$out" 'error: the kernel refused 1 of the rules at boot, .*; the rules file leaves out what it refused' 'so that no boot tries again'
		unlike "$out" "$hopeless" 'nothing is promised of the next'
	done
	for command in apply verify; do out=$(cas $command 2>&1); ok $? "$command then finds the node as configured" "$out"; done
	sync
EOF
for boot in second third; do
	after_boot <<EOF
	is "\$(state) \$(keys)" '2 active active key=one key=two ' "the $boot boot loads what is left, no unit fails"
	is "\$(grep -c '^-a .*key=one' /etc/audit/audit.rules)" 1 'once, also with the copy for scanners, which the host has loaded before'
	mkdir -p /run/late
	for command in verify apply; do out=\$(cas \$command 2>&1); ok \$? "\$command is content, also when the path has come late" "\$out"; done
	like "\$(cas -o tap verify 2>/dev/null)" '^not ok [0-9]+ - rule not left out: mine.rules:2: .* # TODO' 'with a notice'
	sync
EOF
done
vm_guest --timeout 300 <<EOF
	. $cas/shared.sh
	sed -i /late/d /srv/rules.d/mine.rules
	out=\$(cas apply 2>&1); ok \$? 'without that rule the node is as configured' "\$out"
	unlike "\$out" staged 'at once'
	sync
EOF
after_boot <<'EOF'
	is "$(state) $(keys)" '2 active active key=one key=two ' 'the next boot loads all, no unit fails'
	rm /etc/cloud-audit-setup/config.ini; out=$(cas apply 2>&1); ok $? 'without the copy for scanners' "$out"
	chmod 666 /etc/audit/cloud-audit-setup.rules; auditctl -v | grep -q ' 3\.' || rm /etc/audit/cloud-audit-setup.rules; sync
EOF
after_boot <<'EOF'
	like "$(state) $(keys)" '^[01] failed failed $' 'a rules file that auditctl does not read locks nothing'
	like "$(journalctl -q -b -u cloud-audit-lock -o cat)" 'the rules file was not read to its end, so the kernel is not locked' 'and the unit says so'
	chmod 640 /etc/audit/cloud-audit-setup.rules 2>/dev/null
	out=$(free -s rules.scanner_copy=yes apply 2>&1); ok $? 'a node that is not locked takes the copy' "$out"
	augenrules >/dev/null; is "$(grep -c '^-a .*key=one' /etc/audit/audit.rules)" 1 'which augenrules merges'
	out=$(cas remove 2>&1); ok $? 'and is rid of it' "$out"
	is "$(grep -c key=one /etc/audit/audit.rules) $(keys)" '0 ' 'in the merged file and in the kernel'
	out=$(cas apply 2>&1); ok $? 'apply mends that' "$out"
	is "$(state) $(keys)" '2 active active key=one key=two ' 'whole'
EOF

scene <<'EOF'
	# --- a host that locks by itself ---
	mine one; printf -- '-w /etc/hosts -p wa -k host-own\n# the end\n-e 2\n' >/etc/audit/rules.d/99-finalize.rules
	out=$(cas apply 2>&1); ok $? 'on a host that will lock by itself the rules are applied' "$out"
	like "$out" 'warning: /etc/audit/rules.d/99-finalize.rules:3: this line of the host.s own locks the audit configuration at each boot before cloud-audit-setup.service can load its rules; take it out' 'with a warning'
	sync
EOF
for boot in first second; do
	after_boot <<EOF
	cp -a /etc/audit/cloud-audit-setup.rules /run/before
	is "\$(setting enabled) \$(auditctl -l)" '2 -w /etc/hosts -p wa -k host-own' "the $boot boot: the host is locked with its own rules"
	echo '-a always,exit -F arch=b64 -S mount -F auid=4711 -k more' >>/srv/rules.d/mine.rules
	for command in verify plan apply; do
		out=\$(cas \$command 2>&1); is \$? 5 "\$command says 5"
		like "\$out" 'error: /etc/audit/rules.d/99-finalize.rules:3: this line .* take it out .*, reboot, and apply again' 'and which line it is'
		unlike "\$out" "\$hopeless" 'nothing is promised of the next'
	done
	cmp /etc/audit/cloud-audit-setup.rules /run/before; ok \$? 'nothing is staged'
	sync
EOF
done
vm_guest <<'EOF'
	printf -- '-D\n-w /etc/hosts -p wa -k host-own\n-e 0\n' >/etc/audit/rules.d/99-finalize.rules; sync
EOF
after_boot <<'EOF'
	is "$(state) $(keys)" '2 active active key=one ' 'without it a boot loads and locks, whatever the host says of -D and -e 0 before'
	out=$(cas apply 2>&1); ok $? 'changed rules are staged then' "$out"
	like "$out" 'in place for the next boot' 'for the next boot'
	cat >/etc/systemd/system/hardening.service <<'UNIT'
[Unit]
DefaultDependencies=no
After=auditd.service audit-rules.service
Before=cloud-audit-setup.service
[Service]
Type=oneshot
ExecStart=/sbin/auditctl -e 2
[Install]
WantedBy=multi-user.target
UNIT
	systemctl enable -q hardening; sync
EOF
after_boot <<'EOF'
	for command in verify apply; do
		out=$(cas $command 2>&1); is $? 5 "$command, after somebody else locked at boot, says 5"
		like "$out" 'error: a boot has locked the audit configuration without loading /etc/audit/cloud-audit-setup.rules, and the next does the same' 'and why'
		unlike "$out" "$hopeless" 'nothing is promised of the next'
	done
	cas remove 2>/dev/null
	out=$(cas apply 2>&1); ok $? 'a node that is new to this is staged' "$out"
	like "$out" 'warning: it was not cloud-audit-setup that locked' 'with a warning'
	out=$(cas -s unit.enable=no -s audit.failure=silent apply 2>&1); ok $? 'with unit.enable = no, too' "$out"
	unlike "$out" 'in place for the next boot' 'but not for the next boot'
	like "$out" '.unit. enable = no, so no boot loads them' 'and that is said'
EOF
done_testing
