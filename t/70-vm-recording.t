#!/bin/sh
# What a host records besides audit rules: AppArmor's audit parameter, and an IMA policy.
. t/vm/lib.sh

for machine in 'cos bookworm' 'plain trixie'; do
	vm_up "recording-${machine% *}" $machine
	vm_guest --timeout 400 <<'EOF'
	. /etc/os-release; on="$ID $(uname -r)"
	cd $cas
	cas() { ./cloud-audit-setup "$@"; }
	journal_takes_audit
	parameter() { cat /sys/module/apparmor/parameters/audit; }

	# --- AppArmor ---
	mkdir aa; cp /bin/busybox aa/busybox
	printf 'profile aa-program %s/aa/busybox {\n  %s/aa/busybox mr,\n  /etc/hostname r,\n  /etc/passwd r,\n}\n' $cas $cas >aa-profile
	apparmor_parser -K -r aa-profile; ok $? "$on: a profile is loaded"
	is "$(parameter)" normal "$on: AppArmor's parameter is normal before"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: apply with the defaults" "$out"
	is "$(ls /etc/systemd/system/cloud-audit-host.service 2>&1 | grep -c cannot)" 1 "$on: without a reason there is no third unit"
	journal_mark; aa/busybox cat /etc/hostname >/dev/null
	journal_lacks 'apparmor=..?"AUDIT.*aa-program'; ok $? "$on: allowed accesses leave no record before" "$(journal_audit | grep AUDIT)"

	out=$(cas -s audit.lock=no -s apparmor.audit=all plan --diff 2>/dev/null); is $? 4 "$on: the parameter is a difference"
	like "$out" '^\+AppArmor audit all$' "$on: plan shows it"
	is "$(parameter)" normal "$on: plan does not change it"
	out=$(cas -s audit.lock=no -s apparmor.audit=all apply 2>&1); ok $? "$on: [apparmor] audit = all is applied" "$out"
	is "$(parameter)" all "$on: the parameter is all"
	is "$(systemctl is-active cloud-audit-host) $(systemctl is-enabled cloud-audit-host)" 'active enabled' "$on: the unit that did it is active and enabled"
	out=$(systemd-analyze verify /etc/systemd/system/cloud-audit-host.service 2>&1); is "$out" '' "$on: it passes systemd-analyze verify"
	journal_mark; aa/busybox cat /etc/hostname >/dev/null
	journal_has 'apparmor=..?"AUDIT.*operation=..?"open.*profile=..?"aa-program.*name=..?"/etc/hostname'
	ok $? "$on: an allowed access is in the journal" "$(journal_audit | grep -c .)"
	out=$(cas -s audit.lock=no -s apparmor.audit=all verify 2>&1); ok $? "$on: verify agrees" "$out"
	out=$(cas -s audit.lock=no -s apparmor.audit=all apply 2>&1); like "$out" 'nothing to do' "$on: a second apply has nothing to do"
	printf quiet >/sys/module/apparmor/parameters/audit
	out=$(cas -s audit.lock=no -s apparmor.audit=all verify 2>&1); is $? 4 "$on: a parameter changed behind our back is a difference"
	like "$(set -f; echo $out)" 'audit parameter is all there: quiet' "$on: and named"
	cas -q -s audit.lock=no -s apparmor.audit=all apply; is "$(parameter)" all "$on: apply sets it again"
	out=$(cas -s audit.lock=no apply 2>&1); ok $? "$on: keep is applied" "$out"
	is "$(parameter)" normal "$on: the value from before is back, not the one from in between"
	is "$(systemctl show -P LoadState cloud-audit-host)" not-found "$on: the unit is gone"

	# --- IMA ---
	# What nothing but a kernel with IMA takes; the cloud kernel of bullseye has none.
	ima='-s audit.lock=no -s ima.policy=exec,mmap' policy='-s ima.policy=exec,mmap'
	case $(uname -r) in 5.10.*-cloud-*) policy= ;; esac
	if [ -z "$policy" ]; then
		before=$(auditctl -l; ls -R /etc/audit /etc/systemd/system)
		out=$(cas $ima apply 2>&1); is $? 1 "$on: on a kernel without IMA, [ima] policy is exit status 1"
		like "$out" "error: .*this host's kernel has no IMA.*leave it at 'no'; nothing was changed" "$on: and the message says what to do"
		is "$(auditctl -l; ls -R /etc/audit /etc/systemd/system)" "$before" "$on: the node is untouched"
	else
		library=$(ls /usr/lib/x86_64-linux-gnu/libcap-ng.so.0 /usr/lib/x86_64-linux-gnu/libz.so.1 2>/dev/null | head -n 1)
		out=$(cas $ima apply 2>&1); ok $? "$on: [ima] policy = exec,mmap is applied" "$out"
		out=$(cas $ima verify 2>&1); ok $? "$on: verify agrees" "$out"
		journal_mark
		cp /bin/true ima-true; echo >>ima-true; ./ima-true
		cp "$library" ima-library.so; echo >>ima-library.so; LD_PRELOAD=$cas/ima-library.so /bin/true
		hash() { sha256sum <"$1" | cut -c 1-64; }
		journal_has "INTEGRITY_RULE.*ima-true.*$(hash ima-true)|$(hash ima-true).*INTEGRITY_RULE"
		ok $? "$on: an executed file is in the journal with its SHA-256 hash" "$(journal_audit | grep INTEGRITY_RULE | head -n 3)"
		journal_has "INTEGRITY_RULE.*ima-library.so.*$(hash ima-library.so)|$(hash ima-library.so).*INTEGRITY_RULE"
		ok $? "$on: so is a mapped library"
		record=$(grep 'INTEGRITY_RULE.*ima-true' $journal_kept/journal-read | head -n 1)
		for field in pid uid auid ses comm exe; do like "$record" " $field=" "$on: the record has $field"; done
		systemctl restart cloud-audit-host; ok $? "$on: a second run of the unit in one boot is no failure"
		out=$(cas $ima apply 2>&1); like "$out" 'nothing to do' "$on: nor is a second apply"
		out=$(cas -s audit.lock=no -s ima.policy=exec apply 2>&1); ok $? "$on: another policy in the same boot is put in place" "$out"
		like "$out" 'warning: .*waits for the next boot' "$on: with a warning that it waits for a boot"
		out=$(cas -s audit.lock=no -s ima.policy=exec verify 2>&1); is $? 4 "$on: verify says that it is not in force"
		like "$(set -f; echo $out)" 'the IMA policy is loaded there: another was loaded since boot' "$on: and why"
		out=$(cas -s audit.lock=no -s ima.policy=exec apply 2>&1); like "$out" 'nothing to do' "$on: there is nothing more that apply can do"
		out=$(cas remove 2>&1); ok $? "$on: remove" "$out"
		like "$out" 'IMA policy .*until the next boot' "$on: remove says that the policy ends with the next boot"
	fi

	# --- under the lock ---
	out=$(cas -s apparmor.audit=all $policy apply 2>&1); ok $? "$on: both with the lock" "$out"
	like "$(auditctl -s)" '^enabled 2$' "$on: the rules are locked"
	out=$(cas -s apparmor.audit=noquiet $policy apply 2>&1); ok $? "$on: AppArmor's parameter changes under the lock, too" "$out"
	is "$(parameter)" noquiet "$on: it has the new value"
	out=$(cas -s apparmor.audit=noquiet $policy verify 2>&1); ok $? "$on: verify agrees" "$out"
	sync
EOF
	t/vm/vm reboot "$vm" || exit 1
	vm_guest --timeout 300 <<'EOF'
	. /etc/os-release; on="$ID $(uname -r)"
	cd $cas
	cas() { ./cloud-audit-setup "$@"; }
	policy='-s ima.policy=exec,mmap'
	case $(uname -r) in 5.10.*-cloud-*) policy= ;; esac
	both="-s apparmor.audit=noquiet $policy"
	if [ "$ID" = cos ]; then
		is "$(cat /sys/module/apparmor/parameters/audit)" normal "$on: a boot empties /etc, and the unit is gone"
		if [ -n "$policy" ]; then
			echo 'audit func=BPRM_CHECK mask=MAY_EXEC' >/sys/kernel/security/ima/policy
			out=$(cas $both apply 2>&1); ok $? "$on: somebody else's IMA policy is no failure" "$out"
			like "$out" 'warning: .*IMA policy.* waits for the next boot' "$on: but a warning"
			out=$(cas $both verify 2>&1); is $? 4 "$on: and a difference"
		else
			out=$(cas $both apply 2>&1); ok $? "$on: apply sets it again" "$out"
		fi
	else
		systemctl is-system-running --wait >/dev/null
		is "$(cat /sys/module/apparmor/parameters/audit)" noquiet "$on: after a boot the unit has set AppArmor's parameter"
		if [ -n "$policy" ]; then
			[ ! -e /sys/kernel/security/ima/policy ]; ok $? "$on: and loaded the IMA policy"
		fi
		out=$(cas $both verify 2>&1); ok $? "$on: verify agrees" "$out"
		is "$(systemctl --failed --no-legend)" '' "$on: no unit has failed"
	fi
	out=$(cas remove 2>&1); is $? 5 "$on: remove under the lock is exit status 5"
	is "$(cat /sys/module/apparmor/parameters/audit)" normal "$on: AppArmor's value is put back under the lock, too"
	is "$(ls /etc/systemd/system /etc/systemd/system/* | grep -c cloud-audit)" 0 "$on: no unit is left"
EOF
	t/vm/vm stop "$vm"
done
done_testing
