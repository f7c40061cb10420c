#!/bin/sh
# 20,000 programs executed as fast as the machine can, under the default configuration: no record is lost, and the
# journal has every one. Then with a backlog that is too small, and nobody waited for: what is lost is counted.
. t/vm/lib.sh
compiler=${TTY_CC:-musl-gcc}
command -v "$compiler" >/dev/null || skip_all "$compiler is missing (Debian package musl-tools)"
"$compiler" -O2 -static -o "$vm_tmp/execs" t/vm-load/execs.c || { echo 'Bail out! execs.c does not compile'; exit 1; }
vm_up load plain
t/vm/vm push "$vm" "$vm_tmp/execs" /opt/cas || exit 1

vm_guest --timeout 900 <<'EOF'
	cd $cas
	journal_takes_audit
	n=20000 chains=4
	# The journal may grow: what it drops to stay small would be missing here.
	mkdir -p /etc/systemd/journald.conf.d
	printf '[Journal]\nStorage=persistent\nSystemMaxUse=2G\nSystemKeepFree=1M\nRuntimeMaxUse=1G\n' >/etc/systemd/journald.conf.d/load.conf
	systemctl restart systemd-journald
	lost() { auditctl -s | awk '$1 == "lost" { print $2 }'; }
	# executed NAME: makes the programs start, and waits until the kernel has handed all records over.
	executed() {
		i=0; while [ $i -lt $chains ]; do ./execs $((n / chains)) "$1-$i" & i=$((i + 1)); done; wait
		until [ "$(auditctl -s | awk '$1 == "backlog" { print $2 }')" -lt 20 ]; do sleep 1; done
		journalctl --sync
	}
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
	is "$(journalctl -q -b _TRANSPORT=kernel | grep -c 'audit: .*lost')" 0 'the kernel log speaks of no loss'

	./cloud-audit-setup -q -s audit.lock=no -s audit.backlog_limit=64 -s audit.backlog_wait_time=0 apply
	ok $? 'a backlog of 64 records, and no waiting, is applied'
	before=$(lost); n=4000; executed few; after=$(lost)
	[ "$after" -gt "$before" ]; ok $? 'such a backlog loses records, and the kernel counts them' "$before, $after"
	[ "$(recorded few -u)" -lt "$((n + chains))" ]; ok $? 'the journal lacks them' "$(recorded few)"
	like "$(journalctl -q -b _TRANSPORT=kernel)" 'audit: .*backlog limit exceeded|audit_backlog=.* > audit_backlog_limit=64' 'failure = printk says so in the kernel log'
	diag "with a backlog of 64: $((after - before)) records lost, $(recorded few) of $((n + chains)) programs recorded"
EOF
done_testing
