#!/bin/sh
# remove is killed on its way; the next one must not say that there is nothing to remove.
. t/vm/lib.sh
vm_up remove-killed plain

vm_guest --timeout 400 <<'EOF'
	cd $cas
	cas() { ./cloud-audit-setup -q -s audit.lock=no "$@"; }
	messages="strace -o /tmp/trace -e trace=sendmsg -e inject=sendmsg"
	for mode in file transient; do
		cas -s unit.mode=$mode apply
		$messages:when=9999:signal=KILL ./cloud-audit-setup -q -s audit.lock=no remove
		all=$(grep -c '^sendmsg' /tmp/trace)
		# From where units are stopped to the last but one.
		for n in $((all / 2)) $((all * 2 / 3)) $((all * 5 / 6)) $((all - 1)); do
			killed=0 last=$((n + 1))
			# One run sends a message more or less than another, as it meets systemd. One that had ended by then ran to its
			# end, and its own last but one is next.
			for try in 1 2 3; do
				[ $killed = 0 ] || break
				[ $n -lt $last ] || n=$((last - 1))
				cas -s unit.mode=$mode apply
				$messages:when=$n:signal=KILL ./cloud-audit-setup -q -s audit.lock=no remove >/dev/null 2>&1
				killed=$? last=$(grep -c '^sendmsg' /tmp/trace)
			done
			is $killed 137 "$mode: remove is killed at message $n of $all"
			out=$(cas remove 2>&1); ok $? "$mode: remove after one that ended at message $n succeeds" "$out"
			is "$(auditctl -l) $(find /etc/audit /etc/systemd -name '*cloud-audit*' | wc -l) $(systemctl show -P LoadState cloud-audit-rules)" \
				'No rules 0 not-found' "$mode: ended at message $n: no rule, file or unit is left"
		done
	done
EOF
done_testing
