#!/bin/sh
# [unit] mode = transient: rules that reach the host over D-Bus alone.
. t/vm/lib.sh

# A root as an image has it: the program, its libraries, the rules; no shell.
image=$vm_tmp/image
mkdir -p "$image/proc" "$image/dev" "$image/full" "$image/rules.d" "$image/host/run/dbus"
touch "$image/host/run/dbus/system_bus_socket"
cp -r build/cloud-audit-setup rules "$image/"
ldd build/cloud-audit-setup | grep -o '/[^ ]*' | while read -r library; do
	mkdir -p "$image$(dirname "$library")"
	cp "$library" "$image$library"
done

transient() {
	vm_up "transient-$1-$2" "$1" "$2"
	t/vm/vm push "$vm" "$image" "$cas"
	vm_guest --timeout 400 <<'EOF'
	. /etc/os-release; on="$ID, $(systemctl --version | head -n 1 | cut -d ' ' -f 1-2)"
	cd $cas/image
	# Nothing of the host but the socket; below full all of it.
	mount --bind /run/dbus/system_bus_socket host/run/dbus/system_bus_socket
	mount -t proc proc proc; mount --bind /dev dev; mount --rbind / full
	# Time enough for a busy machine: rules are deleted one by one, each by an auditctl of its own.
	in_image() { chroot . /cloud-audit-setup -s rules.directory=/rules.d -s unit.start_timeout=5min "$@"; }
	cas() { in_image -R /host -s unit.mode=transient "$@"; }
	show() { systemctl show -P "$1" cloud-audit-rules; }
	files() { ls -lR --time-style=full-iso /etc/audit /etc/systemd/system; }
	mkdir -p /etc/cloud-audit-setup; before=$(files)

	out=$(cas -s audit.lock=no plan 2>/dev/null); is $? 4 "$on: plan on a fresh node says that it differs"
	out=$(cas -s audit.lock=no -v plan --diff 2>/dev/null)
	like "$out" '^\+\+\+ cloud-audit-rules.service .StandardInputData.$' "$on: plan shows the rules in the unit"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: apply with the socket alone" "$out"
	unlike "$out" 'warning: .*does not exist' "$on: paths that cannot be seen are no reason to warn"
	unlike "$out" 'set .journal. reader' "$on: nor is a setting advised that this mode refuses"
	is "$(files)" "$before" "$on: no file of the host is touched"
	is "$(show ActiveState) $(show UnitFileState)" 'active transient' "$on: the unit is active, and transient"
	is "$(auditctl -l | grep -c .)" "$(cas -s audit.lock=no render rules | grep -c '^-[aA]')" "$on: every rule is in the kernel"
	like "$(auditctl -l)" 'dir=/etc/audit|-w /etc/audit' "$on: a directory is watched as one"
	is "$(ls -A /run | grep cloud-audit)" '' "$on: nor is one in /run"
	out=$(cas -s audit.lock=no verify 2>&1); ok $? "$on: verify agrees" "$out"
	is "$(cas -s audit.lock=no plan 2>/dev/null)" '' "$on: plan after apply is empty"
	id=$(show InvocationID); out=$(cas -s audit.lock=no apply 2>&1); like "$out" 'nothing to do' "$on: a second apply has nothing to do"
	is "$(show InvocationID)" "$id" "$on: and leaves the unit alone"
	auditctl -D >/dev/null
	out=$(cas -s audit.lock=no verify 2>&1); is $? 4 "$on: rules that are gone are a difference"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: apply brings them back" "$out"
	{ echo '-w /etc/hostname -p wa -k mine'; path_rules; } >rules.d/10-mine.rules
	out=$(cas -s audit.lock=no verify 2>&1); is $? 4 "$on: a rule added is a difference"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: changed rules take the place of the unit" "$out"
	like "$(auditctl -l)" mine "$on: the new rule is in force"
	journal_takes_audit
	path_events "$on: a rule is on the path as the host has it"
	echo '-w /etc/hostname -p wa -k mine' >rules.d/10-mine.rules
	cas -q -s audit.lock=no apply
	n=$(auditctl -l | grep -c .)
	echo '-a always,exit -F arch=b64 -S getpid -F subj_role=no-such-profile -k absent' >rules.d/20-absent.rules
	out=$(cas -s audit.lock=no apply 2>&1); is $? 1 "$on: a rule that the kernel refuses is exit status 1" || diag "$out"
	like "$out" "StartTransientUnit cloud-audit-rules.service: the job ended with 'failed'" "$on: with the job's result"
	like "$out" 'nothing is left of this run' "$on: and the state of the node"
	is "$(auditctl -l | grep -c .) $(show ActiveState)" "$n active" "$on: which has the earlier rules and unit again"
	rm rules.d/20-absent.rules
	out=$(cas -s audit.lock=no verify 2>&1); ok $? "$on: as verify says" "$out"

	out=$(cas -s audit.lock=no remove 2>&1); ok $? "$on: remove" "$out"
	is "$(show LoadState)" not-found "$on: systemd does not know the unit any more"
	is "$(auditctl -l)" 'No rules' "$on: the rules are gone"
	out=$(cas -s audit.lock=no remove 2>&1); like "$out" 'nothing to remove' "$on: a second remove has nothing to do"

	# --- a run before this one was killed while systemd was at work ---
	systemd-run -q --no-block --unit=cloud-audit-rules -p Type=oneshot -p CollectMode=inactive-or-failed sleep 600
	is "$(show ActiveState)" activating "$on: a unit of the name is on its way"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: apply does not wait for it" "$out"
	out=$(cas -s audit.lock=no verify 2>&1); ok $? "$on: and verify agrees" "$out"
	cas -q -s audit.lock=no remove

	# --- the host is about to load its own rules, with -D ---
	loader=auditd; ! systemctl cat audit-rules >/dev/null 2>&1 || loader=audit-rules
	mkdir -p /run/systemd/system/$loader.service.d
	printf '[Service]\nExecStartPre=/bin/sleep 8\n' >/run/systemd/system/$loader.service.d/slow.conf
	systemctl daemon-reload
	systemctl restart --no-block $loader
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: while $loader is starting apply succeeds" "$out"
	host_rules_settle
	out=$(cas -s audit.lock=no verify 2>&1); ok $? "$on: and ours are the last word" "$out"
	rm -r /run/systemd/system/$loader.service.d; systemctl daemon-reload
	cas -q -s audit.lock=no remove

	# --- modes change ---
	here() { in_image -R /full -s audit.lock=no "$@"; }
	here -q apply; ok $? "$on: apply with files"
	out=$(here -s unit.mode=transient apply 2>&1); ok $? "$on: then in transient mode, the host's files in sight" "$out"
	is "$(ls /etc/audit /etc/systemd/system /etc/systemd/system/* | grep -c cloud-audit) $(show ActiveState)" '0 active' "$on: the files are gone, the unit has the rules"
	out=$(here -s unit.mode=transient verify 2>&1); ok $? "$on: verify agrees" "$out"
	out=$(here apply 2>&1); ok $? "$on: back to files" "$out"
	is "$(systemctl is-active cloud-audit-setup) $(show LoadState)" 'active not-found' "$on: the transient unit is gone"
	out=$(here verify 2>&1); ok $? "$on: verify agrees" "$out"
	here -q remove

	# --- existing = keep, and the lock ---
	auditctl -w /etc/hosts -p wa -k host-own
	keep='-s rules.existing=keep -s audit.lock=no'
	out=$(cas $keep apply 2>&1); ok $? "$on: existing = keep" "$out"
	echo '-w /etc/issue -p wa -k other' >rules.d/10-mine.rules
	out=$(cas $keep apply 2>&1); ok $? "$on: changed rules with existing = keep" "$out"
	is "$(auditctl -l | grep -c mine) $(auditctl -l | grep -Ec 'host-own|other')" '0 2' "$on: ours are replaced, the host's stay"
	out=$(cas $keep remove 2>&1); is "$? $(auditctl -l)" '0 -w /etc/hosts -p wa -k host-own' "$on: remove takes only ours"
	out=$(cas apply 2>&1); ok $? "$on: apply with the lock" "$out"
	like "$(auditctl -s)" '^enabled 2$' "$on: the node is locked"
	out=$(cas apply 2>&1); like "$out" 'nothing to do' "$on: again there is nothing to do"
	out=$(cas verify 2>&1); ok $? "$on: verify agrees" "$out"
	systemctl stop cloud-audit-rules
	out=$(cas verify 2>&1); ok $? "$on: under the lock the kernel's rules are what counts" "$out"
	echo '-w /etc/fstab -p wa -k late' >rules.d/10-mine.rules
	out=$(cas apply 2>&1); ok $? "$on: locked with other rules: on_locked = stage" "$out"
	like "$out" 'warning: .*leaves nothing on the host for the next boot.*apply again' "$on: says that nothing is staged"
	out=$(cas -s audit.on_locked=fail apply 2>&1); is $? 5 "$on: on_locked = fail is exit status 5"
	out=$(cas plan 2>&1); is $? 5 "$on: plan says 5"
	out=$(cas verify 2>&1); is $? 5 "$on: verify says 5"
	is "$(systemctl --failed --no-legend)" '' "$on: no unit has failed"
EOF
	t/vm/vm stop "$vm"
}
if [ -n "${VM_SUITE:-}" ]; then
	transient plain "$VM_SUITE"
	transient cos "$VM_SUITE"
else
	transient cos bookworm
	transient plain trixie
fi
done_testing
