#!/bin/sh
# The Debian package on a Debian node: installed by dpkg, used as it comes, removed.
. t/vm/lib.sh
for need in dh dpkg-buildpackage; do
	command -v $need >/dev/null 2>&1 || skip_all "$need is not installed"
done
[ "${VM_SUITE:-}" != bullseye ] || skip_all 'a package built here asks for a newer C library than bullseye has'
vm_up package plain
out=$(t/image/once deb 2>"$vm_tmp/said"); ok $? 'the package is built' "$(cat "$vm_tmp/said")"
t/vm/vm push "$vm" "$out"/cloud-audit-setup_*.deb "$cas" || exit 1
vm_guest --timeout 400 <<'EOF'
	. /etc/os-release; on="$ID $VERSION_ID"
	# Not the program that the other tests run.
	rm -rf $cas/rules $cas/cloud-audit-setup $cas/cloud-audit-runtime $cas/cloud-audit-tty; cd /
	before=$(ls -R /etc; auditctl -l; auditctl -s | head -n 1)
	out=$(dpkg -i $cas/cloud-audit-setup_*.deb 2>&1); ok $? "$on: dpkg installs it, with what the node has" "$out"
	is "$(ls -R /etc; auditctl -l; auditctl -s | head -n 1)" "$before" "$on: which changes nothing of how the node is configured"
	is "$(dpkg -V cloud-audit-setup | grep -v '/usr/share/\(man\|doc\|locale\)/')" '' "$on: every file is there as it was packed"
	out=$(cloud-audit-setup -s audit.lock=no plan 2>/dev/null); is $? 4 "$on: plan, without a path or a configuration"
	like "$out" '^Files .*/etc/audit/cloud-audit-setup\.rules' "$on: says what would change"
	mkdir -p /etc/cloud-audit-setup; printf '[audit]\nlock = no\n[tty]\nsshd = yes\n' >/etc/cloud-audit-setup/config.ini
	out=$(cloud-audit-setup apply 2>&1); ok $? "$on: apply, with the configuration where it is looked for" "$out"
	like "$out" '^[0-9]+ rules are in force, not locked$' "$on: puts the shipped rules in force"
	out=$(cloud-audit-setup verify 2>&1); ok $? "$on: verify agrees" "$out"
	rules=$(auditctl -l)
	out=$(dpkg -r cloud-audit-setup 2>&1); ok $? "$on: dpkg removes it" "$out"
	like "$out" 'stays configured' "$on: and it says that the node stays configured"
	is "$(auditctl -l)" "$rules" "$on: the rules stay in force"
	systemctl restart cloud-audit-setup; ok $? "$on: the unit needs nothing of the package" "$(journalctl -u cloud-audit-setup -n 5 -o cat)"
	is "$(auditctl -l)" "$rules" "$on: and loads the same rules"
	dpkg -i $cas/cloud-audit-setup_*.deb >/dev/null 2>&1
	out=$(cloud-audit-setup remove 2>&1); ok $? "$on: installed again, remove takes all back" "$out"
	is "$(ls /etc/systemd/system /etc/audit | grep -c cloud-audit)" 0 "$on: no file of it is left"
	out=$(dpkg -r cloud-audit-setup 2>&1); unlike "$out" 'stays configured' "$on: then dpkg has nothing to say"
EOF
done_testing
