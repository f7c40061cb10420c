#!/bin/sh
# remove is killed on its way; the next one must not say that there is nothing to remove.
. t/vm/lib.sh
vm_up remove-killed plain

vm_guest --timeout 400 <<'EOF'
	cd $cas
	cas() { ./cloud-audit-setup -q -s audit.lock=no "$@"; }
	# From where units are stopped to the end; a run that is not killed any more ends it.
	for mode in file transient; do
		killed=0
		for n in 20 26 32 38; do
			cas -s unit.mode=$mode apply
			strace -o /dev/null -e trace=sendmsg,sendto -e inject=sendmsg,sendto:signal=KILL:when=$n \
				./cloud-audit-setup -q -s audit.lock=no remove >/dev/null 2>&1
			status=$?
			out=$(cas remove 2>&1); ok $? "$mode: remove after one that ended at message $n succeeds" "$out"
			is "$(auditctl -l) $(find /etc/audit /etc/systemd -name '*cloud-audit*' | wc -l) $(systemctl show -P LoadState cloud-audit-rules)" \
				'No rules 0 not-found' "$mode: ended at message $n: no rule, file or unit is left"
			[ "$status" -eq 137 ] || break
			killed=$((killed + 1))
		done
		[ "$killed" -ge 3 ]; ok $? "$mode: it was killed on its way" "$killed"
	done
EOF
done_testing
