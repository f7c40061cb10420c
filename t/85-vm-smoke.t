#!/bin/sh
# A node shaped like Container-Optimized OS, over SSH: the tarball, and t/smoke.
. t/vm/lib.sh
command -v ssh >/dev/null 2>&1 || skip_all 'ssh is not installed'
vm_up smoke cos
echo '. /var/lib/google/cas/guest.sh; journal_takes_audit' | t/vm/vm run "$vm"
out=$(t/image/once dist 2>"$vm_tmp/said"); ok $? 'the tarball is built' "$(cat "$vm_tmp/said")"
tarball=$(ls "$out"/*-amd64.tar.gz)
t/vm/vm ssh-config "$vm" >"$vm_tmp/ssh" || { echo 'Bail out! no SSH'; exit 1; }
# An emulated node on a busy machine is slow to reload systemd.
smoke() { t/smoke -F "$vm_tmp/ssh" -t "$tarball" -s unit.start_timeout=10min "$@" "$vm"; }

# --- what it says of a node that is not as it should be ---
out=$(smoke -s audit.lock=no -s events.audit-config=no -s events.apparmor=no -s events.exec=no -s events.socket=no \
	-s events.mmap=no -s events.network=no -s events.logins=no -s events.tty=no -r 2>&1)
is $? 1 'without any group it fails'
for group in audit-config apparmor exec socket mmap network logins tty; do
	like "$out" "^not ok .* $group: .* is in the journal" "it misses the event of $group"
	unlike "$out" "^ok .* $group: .* is in the journal" "each of $group"
done
like "$out" '^ok .* remove puts the node back' 'it removes what it applied'
vm_guest <<'EOT'
	is "$(ls /etc/systemd/system /etc/audit | grep -c cloud-audit)" 0 'the node has no file of it'
	is "$(find /var/lib/google /home/kubernetes/bin /etc -name 'cloud-audit-smoke*' 2>/dev/null)" '' 'nor of the test'
EOT
# An auditctl that loads no rules, but sends the message that ends the search for records.
t/vm/vm run "$vm" <<'EOT'
cp /sbin/auditctl /var/lib/google/auditctl
printf '#!/bin/sh\n[ "$1" = -m ] && exec /var/lib/google/auditctl "$@"\nexit 1\n' >/var/lib/google/no-rules
chmod 755 /var/lib/google/no-rules
mount --bind /var/lib/google/no-rules /sbin/auditctl
EOT
out=$(smoke 2>&1); is $? 1 'where rules cannot be loaded it fails'
like "$out" '^not ok .* apply makes the node match' 'at apply'
like "$out" '^not ok .* verify agrees' 'and at verify'
echo 'umount /sbin/auditctl; rm /var/lib/google/auditctl /var/lib/google/no-rules' | t/vm/vm run "$vm"

# --- a node as it should be ---
out=$(smoke 2>&1); ok $? 'with the default configuration all is well' "$out"
echo "$out" >"$vm_tmp/out"; printf 'cat %s\n' "$vm_tmp/out" >"$vm_tmp/cat"
prove -Q -e sh "$vm_tmp/cat" >"$vm_tmp/prove" 2>&1; ok $? 'in TAP that prove takes' "$(cat "$vm_tmp/prove")"
like "$out" '^ok .* verify: ' 'with each finding of verify'
vm_guest <<'EOT'
	like "$(auditctl -s)" '^enabled 2$' 'the node is configured and locked'
EOT

# --- where programs may not be executed ---
out=$(ssh -F "$vm_tmp/ssh" "$vm" 'tar -xzf - -C /var/tmp && /var/tmp/cloud-audit-setup-*/cloud-audit-setup --version' <"$tarball" 2>&1)
is $? 126 'unpacked where programs may not be executed, the shell says so'
like "$out" 'Permission denied' 'in these words'
done_testing
