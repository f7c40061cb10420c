#!/bin/sh
# 20,000 programs executed as fast as the machine can, under the default configuration: no record is lost, and the
# journal has every one. Then with a backlog that is too small, and nobody waited for: what is lost is counted. Then with a
# journald that is too slow for its socket, which nothing counts as lost, and which ends its reading for good.
. t/vm/lib.sh
compiler=${RUNTIME_CC:-musl-gcc}
command -v "$compiler" >/dev/null || skip_all "$compiler is missing (Debian package musl-tools)"
"$compiler" -O2 -static -o "$vm_tmp/execs" t/vm-load/execs.c || { echo 'Bail out! execs.c does not compile'; exit 1; }
# Whoever writes records faster than they are taken has a processor of its own.
export VM_CPUS=2
vm_up load plain
t/vm/vm push "$vm" "$vm_tmp/execs" /opt/cas || exit 1

vm_guest --timeout 2400 <<'EOF'
	cd $cas
	journal_takes_audit
	n=20000 chains=4
	# The journal may grow: what it drops to stay small would be missing here.
	mkdir -p /etc/systemd/journald.conf.d
	printf '[Journal]\nStorage=persistent\nSystemMaxUse=2G\nSystemKeepFree=1M\nRuntimeMaxUse=1G\n' >/etc/systemd/journald.conf.d/load.conf
	systemctl restart systemd-journald
	lost() { auditctl -s | awk '$1 == "lost" { print $2 }'; }
	# execute NAME: makes the programs start, and waits until the kernel has handed all records over.
	execute() {
		i=0; while [ $i -lt $chains ]; do ./execs $((n / chains)) "$1-$i" & i=$((i + 1)); done; wait
		until [ "$(auditctl -s | awk '$1 == "backlog" { print $2 }')" -lt 20 ]; do sleep 1; done
	}
	executed() { execute "$1"; journalctl --sync; }
	# recorded NAME [-u]: how many calls of execs the journal has, with -u: how many different ones.
	recorded() {
		journalctl -q -o cat --output-fields=MESSAGE _TRANSPORT=audit _AUDIT_TYPE_NAME=EXECVE |
			grep -o "a1=\"[0-9]*\" a2=\"$1-[0-9]\"" | sort $2 | wc -l
	}

	./cloud-audit-setup -q -s audit.lock=no apply; ok $? 'the default configuration, but for the lock, is applied'
	before=$(lost)
	start=$(date +%s); executed all; end=$(date +%s)
	diag "$n programs executed and recorded in $((end - start)) s"
	is "$(lost)" "$before" 'the kernel loses no record'
	like "$(auditctl -s)" '^backlog_limit 8192$' 'with the backlog as configured'
	# Each chain records its first call, too.
	is "$(recorded all -u)" "$((n + chains))" 'the journal has every program executed'
	is "$(recorded all)" "$((n + chains))" 'and each of them once'
	is "$(journalctl -q -b _TRANSPORT=kernel | grep 'audit: .*lost')" '' 'the kernel log speaks of no loss'

	# --- how long what there is will stay ---
	cursors=/var/lib/cloud-audit-logging
	mkdir -p $cursors/fluentd $cursors/fluent-bit
	printf '{"journal":"%s"}' "$(journalctl -q -n 1 --show-cursor | sed -n 's/^-- cursor: //p')" >$cursors/fluentd/cursor.json
	printf 'SQLite\0s=0123456789abcdef0123456789abcdef;i=1;b=f;m=1;t=5d00000000000;x=f\0' >$cursors/fluent-bit/cursor.db
	./cloud-audit-setup -s audit.lock=no -o json verify >verified.json 2>/dev/null
	./cloud-audit-setup -s audit.lock=no -o tap verify >verified.tap 2>/dev/null
	like "$(grep -o '"journal":{"oldest.*' verified.json)" '^"journal":[{]"oldest":"20[^"]*Z","newest":"20[^"]*Z","recent":10000,"recent_seconds":[0-9]+,"holds_seconds":[1-9][0-9]*[}]' 'verify tells how much the journal has, and for how long'
	like "$(grep -o '"auditd":{.*' verified.json)" '^"auditd":[{]"bytes_per_day":[0-9]+,"holds_seconds":[0-9]+,"groups":.[{]"key":"exec","bytes_per_day":[0-9]+[}]' "and auditd's files, with whose events fill them"
	diag "$(grep -oE '"(journal":[{]"oldest|auditd":)[^]}]*' verified.json)"
	like "$(cat verified.tap)" "^not ok [0-9]+ - auditd's files hold the records of a day # TODO" 'which at this rate hold less than a day'
	like "$(cat verified.tap)" 'they hold [0-9]+ (minutes|hours) at the present [0-9]+ MB a day .exec [0-9]+ MB' 'as is said'
	like "$(grep -o '"shippers":.*' verified.json)" '"name":"fluentd","read_until":"20[^"]*","overtaken":false.*"name":"fluent-bit","read_until":"20[^"]*","overtaken":true' 'a cursor that is older than the journal is told from one that is not'
	like "$(cat verified.tap)" '^not ok [0-9]+ - the journal has all that a shipper has not read # TODO' 'as a notice'
	rm -r $cursors

	./cloud-audit-setup -q -s audit.lock=no -s audit.backlog_limit=64 -s audit.backlog_wait_time=0 apply
	ok $? 'a backlog of 64 records, and no waiting, is applied'
	before=$(lost); n=4000; executed few; after=$(lost)
	[ "$after" -gt "$before" ]; ok $? 'such a backlog loses records, and the kernel counts them' "$before, $after"
	[ "$(recorded few -u)" -lt "$((n + chains))" ]; ok $? 'the journal lacks them' "$(recorded few)"
	like "$(journalctl -q -b _TRANSPORT=kernel)" 'audit: .*backlog limit exceeded|audit_backlog=.* > audit_backlog_limit=64' 'failure = printk says so in the kernel log'
	diag "with a backlog of 64: $((after - before)) records lost, $(recorded few) of $((n + chains)) programs recorded"

	# --- a journald that is too slow for its socket ---
	cas() { ./cloud-audit-setup -s audit.lock=no "$@"; }
	enable='-s journal.reader=enable'
	# socket FIELD: 5 what is unread in journald's audit socket, 9 how many records had no room in it
	socket() { awk -v field="$1" '$2 == 9 && $4 == "00000001" { print $field }' /proc/net/netlink; }
	# Else systemd has journald start again while it is stopped; a reload forgets that.
	anew() { systemctl daemon-reload; systemctl service-watchdogs no; systemctl stop systemd-journald-audit.socket; systemctl restart systemd-journald; auditctl -e 1 >/dev/null; }
	# fails WHAT: verify finds, in each form, a reader that has stopped.
	fails() {
		said='journald has stopped reading after its audit socket was overrun, and has missed [0-9]+ records so far'
		out=$(cas $enable verify 2>&1); is $? 4 "$1: reader = enable: verify fails" || diag "$out"
		# As text it stands in rows of 80 columns.
		like "$(printf '%s' "$out" | tr -s '\n ' ' ')" "$said" "$1: and says why"
		out=$(cas verify 2>&1); ok $? "$1: reader = check: it does not" "$out"
		like "$out" "warning: audit records no longer reach the journal: $said; on the node: systemctl restart systemd-journald" "$1: but warns, and says what to do"
		like "$(cas $enable -o tap verify 2>/dev/null | grep '^not ok')" 'the journal gets the audit records$' "$1: TAP fails the point"
		like "$(cas $enable -o json verify 2>/dev/null)" '"reader":[{][^}]*"listeners":1,"missed":[1-9][0-9]*,"stopped":true' "$1: JSON has the counts"
		is "$(lost)" "$before" "$1: the kernel counts nothing as lost"
		[ "$(recorded "$2" -u)" -lt "$((n + chains))" ]; ok $? "$1: the journal lacks programs" "$(recorded "$2" -u)"
	}
	# The kernel's default again, under which programs wait for room.
	auditctl --backlog_wait_time 15000 >/dev/null
	cas -q apply
	small=/run/systemd/system/systemd-journald-audit.socket.d
	mkdir -p $small; printf '[Socket]\nReceiveBuffer=256K\n' >$small/small.conf; anew
	before=$(lost); n=4000; execute small
	fails 'a buffer of 256 KB, at full speed' small
	rm -r $small; anew

	# Four records each, of some 1,900 bytes of the kernel's memory, which takes twice what it is asked for: half of systemd's own
	# buffer is too little for them, 256 MB are not.
	mkdir -p $small; printf '[Socket]\nReceiveBuffer=64M\n' >$small/small.conf; anew
	n=30000 before=$(lost)
	out=$(cas $enable verify 2>&1); ok $? 'started anew it reads again, and verify agrees' "$out"
	kill -STOP $(pidof systemd-journald); start=$(date +%s); execute half; end=$(date +%s); kill -CONT $(pidof systemd-journald); sleep 3
	fails "a buffer of 64 MB, journald stopped for $n programs" half
	diag "$n programs executed in $((end - start)) s: $(socket 9) records had no room"
	rm -r $small; systemctl daemon-reload; systemctl service-watchdogs no
	out=$(cas $enable apply 2>&1); ok $? 'reader = enable mends it' "$out"
	# Still more than the half holds.
	n=20000
	systemctl service-watchdogs no
	auditctl -e 1 >/dev/null; kill -STOP $(pidof systemd-journald); execute large; diag "$(socket 5) bytes unread"; kill -CONT $(pidof systemd-journald)
	drained() { [ "$(socket 5)" = 0 ]; }; wait_for 600 drained; journalctl --sync
	is "$(socket 9)" 0 'and gives it room for as many'
	out=$(cas $enable verify 2>&1); ok $? 'verify agrees' "$out"
	is "$(recorded large -u)" "$((n + chains))" 'the journal has every program executed'
EOF
done_testing
