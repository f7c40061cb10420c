#!/bin/sh
# Who takes the audit records, and journald's audit socket.
. t/vm/lib.sh

common=$(cat <<'EOF'
	. /etc/os-release; on="$ID $(uname -r)"
	cd $cas
	cas() { ./cloud-audit-setup "$@"; }
	enable='-s journal.reader=enable'
	dropin=/etc/systemd/system/systemd-journald.service.d/cloud-audit-setup.conf
	socket() { systemctl is-active systemd-journald-audit.socket; }
	enabled() { auditctl -s | sed -n 's/^enabled //p'; }
	pid() { auditctl -s | sed -n 's/^pid //p'; }
	# arrives TEXT: a record with it comes out of the journal
	arrives() { journal_mark; auditctl -m "$1" >/dev/null; journal_has "$1" ${2:-}; }
	# restarts: whatever Audit= says, what verify tells of a restart of journald is what one does. To be called unlocked.
	restarts() {
		conf=/etc/systemd/journald.conf.d/zz.conf; mkdir -p ${conf%/*}
		for value in default no '' yes keep; do
			[ "$value" = default ] && rm -f $conf || printf '[Journal]\nAudit=%s\n' "$value" >$conf
			auditctl -e 1 >/dev/null
			said=$(cas -s audit.lock=no "$@" -o tap verify 2>/dev/null | grep 'a restart of journald leaves auditing on')
			systemctl restart systemd-journald; arrives "restarted$value" >/dev/null
			case $said in not*) told=0 ;; ok*) told=1 ;; *) told=unknown ;; esac
			is "$told" "$(enabled)" "$on: Audit=$value: what verify tells of a restart of journald is what one does" || diag "$said"
			diag "Audit=$value: $said"
		done
		rm $conf; auditctl -e 1 >/dev/null; systemctl restart systemd-journald; auditctl -e 1 >/dev/null
	}
	unheld() { [ "$(pid)" = 0 ]; }
	no_auditd() {
		kill "$(pid)"
		wait_for 60 unheld
	}
EOF
)

in_guest() { { echo "$common"; cat; } >"$vm_tmp/part"; vm_guest "$@" <"$vm_tmp/part"; }

# --- auditd takes them, and the journal does not ---
the_journal_does_not() {
vm_up reader-off plain "${VM_SUITE:-trixie}"
in_guest --timeout 700 <<'EOF'
	is "$(socket)" inactive "$on: journald's audit socket is off at first"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: apply with reader = check" "$out"
	like "$out" "warning: the journal does not get the audit records.*auditd .PID $(pid). takes them" "$on: warns that auditd takes the records past the journal"
	is "$(socket) $(ls $dropin 2>&1 | grep -c cannot)" 'inactive 1' "$on: and changes nothing"
	out=$(cas -s audit.lock=no -s journal.reader=ignore verify 2>&1); unlike "$out" 'warning' "$on: ignore does not warn"
	! arrives hello-before 1; ok $? "$on: a record does not arrive in the journal"

	out=$(cas -s audit.lock=no $enable plan --diff 2>/dev/null); is $? 4 "$on: with reader = enable that is a difference"
	like "$out" '^\+systemd-journald-audit.socket on$' "$on: plan shows it"
	out=$(cas -s audit.lock=no $enable apply 2>&1); ok $? "$on: reader = enable is applied" "$out"
	is "$(socket) $(systemctl is-active systemd-journald)" 'active active' "$on: the socket is on and journald runs"
	arrives hello-after; ok $? "$on: a record arrives in the journal"
	is "$(enabled)" 1 "$on: auditing is on"
	[ "$(pid)" != 0 ]; ok $? "$on: auditd still takes the records, too"
	out=$(cas -s audit.lock=no $enable verify 2>&1); ok $? "$on: verify agrees" "$out"
	restarts $enable
	started=$(systemctl show -P ExecMainStartTimestamp systemd-journald)
	out=$(cas -s audit.lock=no $enable apply 2>&1); like "$out" 'nothing to do' "$on: a second apply has nothing to do"
	is "$(systemctl show -P ExecMainStartTimestamp systemd-journald)" "$started" "$on: and does not restart journald"
	out=$(cas -s audit.lock=no remove 2>&1); ok $? "$on: remove" "$out"
	is "$(socket) $(ls $dropin 2>&1 | grep -c cannot)" 'inactive 1' "$on: takes the drop-in away and switches the socket off"
	is "$(systemctl is-active systemd-journald)" active "$on: journald runs"
	! arrives hello-removed 1; ok $? "$on: a record does not arrive any more"

	# --- nobody takes them ---
	no_auditd
	is "$(pid)" 0 "$on: nobody holds the audit PID"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: apply with nobody there" "$out"
	like "$out" 'warning: nobody takes the audit records.*reader = enable' "$on: warns and says what to set"
	out=$(cas apply 2>&1); is "$(enabled)" 2 "$on: the node is locked"
	out=$(cas $enable apply 2>&1); ok $? "$on: reader = enable is applied under the lock" "$out"
	unlike "$out" warning "$on: without a warning"
	like "$out" 'info: nobody holds the audit PID, so the kernel writes records to its own log as well.*dmesg -n 5' "$on: but it is told that the kernel's log has them, too"
	is "$(cas $enable apply 2>&1 | grep -c 'kernel writes records')" 0 "$on: once"
	is "$(socket) $(enabled)" 'active 2' "$on: the socket is on, and the lock still there"
	arrives hello-locked; ok $? "$on: a record arrives in the journal"
	out=$(cas $enable verify 2>&1); ok $? "$on: verify agrees" "$out"
	sync
EOF
t/vm/vm reboot "$vm" || exit 1
in_guest --timeout 200 <<'EOF'
	systemctl is-system-running --wait >/dev/null
	is "$(socket) $(enabled)" 'active 2' "$on: after a boot the socket is on and the node locked"
	arrives hello-booted; ok $? "$on: a record arrives in the journal"
	out=$(cas $enable verify 2>&1); ok $? "$on: verify agrees" "$out"
	is "$(systemctl --failed --no-legend)" '' "$on: no unit has failed"
EOF
t/vm/vm stop "$vm"
}

# --- a journald whose start switches auditing off (Audit=no before systemd 254) ---
start_switches_off() {
vm_up reader-cos cos
in_guest --timeout 700 <<'EOF'
	is "$(socket)" active "$on: journald's audit socket is on at first"

	auditctl -w /etc/motd -p wa -k agent; auditctl -a never,task
	taken="existing = replace deletes the kernel's 2 rules of others, by key: without a key 1 .-a never,task., agent 1"
	out=$(cas plan 2>&1); like "$out" "warning: $taken" "$on: plan names the rules of others that apply would delete"
	out=$(cas -s rules.existing=keep plan 2>&1); unlike "$out" 'rules of others' "$on: existing = keep deletes none"
	out=$(cas -s audit.lock=no apply 2>&1); like "$out" "warning: $taken" "$on: so does apply, which does it" "$out"
	out=$(cas -s audit.lock=no -s events.tty=no apply 2>&1); unlike "$out" 'rules of others' "$on: rules of an earlier run are our own"
	cas -q -s audit.lock=no remove; auditctl -D >/dev/null
	out=$(cas -s audit.lock=no $enable apply 2>&1); ok $? "$on: reader = enable with the socket on" "$out"
	is "$(ls $dropin 2>&1 | grep -c cannot)" 1 "$on: leaves a host alone whose journal gets the records"
	cas -q -s audit.lock=no remove

	cas -q -s audit.lock=no apply; restarts; cas -q -s audit.lock=no remove; auditctl -e 1 >/dev/null

	systemctl mask systemd-journald-audit.socket 2>/dev/null
	systemctl stop systemd-journald-audit.socket; systemctl restart systemd-journald
	is "$(socket)" inactive "$on: a masked socket is off after journald's restart"
	auditctl -e 1 >/dev/null
	before=$(auditctl -l; enabled; ls -R /etc/audit /etc/systemd/system)
	out=$(cas -s audit.lock=no $enable apply 2>&1); is $? 1 "$on: a masked socket is exit status 1"
	like "$out" 'error: systemd-journald.service was restarted, but systemd-journald-audit.socket is not on.*unmask' "$on: the message says to unmask it"
	like "$out" 'nothing is left of this run' "$on: and that nothing is left"
	is "$(auditctl -l; enabled; ls -R /etc/audit /etc/systemd/system)" "$before" "$on: the node is as before"
	is "$(systemctl is-active systemd-journald)" active "$on: journald runs"

	systemctl unmask systemd-journald-audit.socket 2>/dev/null
	out=$(cas -s audit.lock=no $enable verify 2>&1); is $? 4 "$on: a socket that is off is a difference"
	like "$out" '^Reader +NOT the journal: auditd .PID [0-9]+. takes them' "$on: verify names who takes the records"
	out=$(cas -s audit.lock=no $enable apply 2>&1); ok $? "$on: apply switches it on" "$out"
	is "$(socket) $(enabled)" 'active 1' "$on: socket and auditing are on, though journald was restarted"
	out=$(cas -s audit.lock=no $enable verify 2>&1); ok $? "$on: verify agrees" "$out"
	arrives hello-cos; ok $? "$on: a record arrives in the journal"
	is "$(systemctl show -P ReceiveBuffer systemd-journald-audit.socket)" 268435456 "$on: the socket has room for a burst"

	# A reader that is overrun once reads never again, and nothing else tells of it.
	small=/run/systemd/system/systemd-journald-audit.socket.d
	mkdir -p $small; printf '[Socket]\nReceiveBuffer=256K\n' >$small/small.conf; systemctl daemon-reload
	systemctl stop systemd-journald-audit.socket; systemctl restart systemd-journald; auditctl -e 1 >/dev/null
	out=$(cas -s audit.lock=no $enable verify 2>&1); ok $? "$on: with a small buffer verify agrees, while it is read" "$out"
	overrun() { i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i + 1)); done; }
	kill -STOP $(pidof systemd-journald); overrun; kill -CONT $(pidof systemd-journald); sleep 1
	# Somebody has to go on making records for a reader to be seen not to read them.
	while :; do /bin/true; done & busy=$!
	out=$(cas -s audit.lock=no $enable verify 2>&1); is $? 4 "$on: a journald that has stopped reading is a difference"
	like "$(printf '%s' "$out" | tr -s '\n ' ' ')" 'journald has stopped reading after its audit socket was overrun, and has missed [0-9]+ records so far' "$on: verify says so"
	out=$(cas -s audit.lock=no verify 2>&1)
	like "$out" 'warning: audit records no longer reach the journal: journald has stopped reading.*systemctl restart systemd-journald.service' "$on: reader = check warns, and says what to do"
	out=$(cas -s audit.lock=no -o tap verify 2>/dev/null)
	like "$out" '^not ok [0-9]+ - the journal gets the audit records # TODO' "$on: TAP has it"
	out=$(cas -s audit.lock=no -o json verify 2>/dev/null)
	like "$out" '"ok":false,"name":"the journal gets the audit records"' "$on: so has JSON"
	kill $busy; wait $busy 2>/dev/null
	is "$(auditctl -s | sed -n 's/^lost //p')" 0 "$on: the kernel counts none of it as lost"
	! arrives hello-deaf 1; ok $? "$on: no record arrives in the journal"
	rm -r $small; systemctl daemon-reload
	while :; do /bin/true; done & busy=$!
	out=$(cas -s audit.lock=no $enable apply 2>&1); ok $? "$on: apply mends it" "$out"
	kill $busy; wait $busy 2>/dev/null
	out=$(cas -s audit.lock=no $enable verify 2>&1); ok $? "$on: verify agrees" "$out"
	arrives hello-again 90; ok $? "$on: records arrive again" "$(grep ' 9 ' /proc/net/netlink; auditctl -s; systemctl status systemd-journald-audit.socket | tail -5; journalctl -u systemd-journald -n 5 --no-pager; uptime)"
	out=$(cas -s audit.lock=no remove 2>&1); ok $? "$on: remove" "$out"
	is "$(systemctl is-active systemd-journald) $(ls $dropin 2>&1 | grep -c cannot)" 'active 1' "$on: journald runs without the drop-in"
	is "$(enabled)" 1 "$on: and auditing is on"
EOF
t/vm/vm stop "$vm"
}

# Which journald leaves its audit socket off is the suite's choice.
case ${VM_SUITE:-} in
'' | trixie | forky) the_journal_does_not ;;
*) skip 'a journald that does not listen' "journald of $VM_SUITE has its audit socket on" ;;
esac
case ${VM_SUITE:-} in
trixie | forky)
	skip 'a journald that switches auditing off' "journald of $VM_SUITE has its audit socket off, and leaves auditing alone" ;;
*) start_switches_off ;;
esac
done_testing
