#!/bin/sh
# apply and remove are killed, or the machine loses its power, just after a system call that changes something or
# asks systemd for a change: every file is then whole, and the next run brings the node where it should be.
#
# Each kind of run is traced once; its points are those calls. By default three of them are killed, and one is
# followed by a power cut; KILL_STEP=1 POWER_STEP=1 take every point.
. t/vm/lib.sh
vm_up killed plain
kill_step=${KILL_STEP:-11} power_step=${POWER_STEP:-34}

# For the guest: what the scripts below share.
cat >"$vm_tmp/shared.sh" <<'EOF'
conf=/etc/cloud-audit-setup/config.ini
dirs='/etc/audit /etc/systemd/system /etc/pam.d'
calls=openat,openat2,write,pwrite64,fsync,fdatasync,fchmod,fchown,rename,renameat,renameat2,unlink,unlinkat,mkdir
calls=$calls,mkdirat,link,linkat,symlink,symlinkat,rmdir,sendmsg

# points FILE: "CALL NUMBER WHAT" for every call of a trace that changes something, or asks for a change.
points() {
	awk '{
		name = $0; sub(/\(.*/, "", name); n[name]++
		what = substr($0, 1, 60)
		if (name ~ /^open/ && !/O_CREAT/) next
		if (name == "write" && /^write\([12],/) next
		if (name !~ /^[a-z]/ || / = -1 /) next
		if (name == "sendmsg") {
			if (!match($0, /(Start|Stop|Restart|StartTransient|ResetFailed|Reload)Unit\\0|(En|Dis)ableUnitFiles|Reload\\0|Subscribe/)) next
			what = substr($0, RSTART, RLENGTH); sub(/\\0/, "", what)
		}
		gsub(/[^a-zA-Z0-9_.,() -]/, "", what)
		print name, n[name], what
	}' "$1"
}
# files: every file of ours, with its content; temporary files, too.
names() { find $dirs -name '*cloud-audit*' -o -name '.*.new' -o -name sshd | sort; }
files() { names | while read -r f; do [ -d "$f" ] || echo "$f $([ -L "$f" ] && readlink "$f" || sha256sum <"$f")"; done; }
temporary() { find /etc -name '.*.new' | wc -l; }
# halves: files that are neither as before nor as after.
halves() { files | grep -v '/\..*\.new ' | grep -vxFf /srv/before -f /srv/after; }
# in_force: the kernel's rules, one line; settings are verify's.
in_force() { auditctl -l | sha256sum; }
# configuration LINE...: time enough for a busy machine, [tty], and then the lines.
configuration() { printf '%s\n' '[unit]' start_timeout=10min '[tty]' "$@"; }
configured() {
	configuration sshd=yes '[audit]' lock=no >$conf
	./cloud-audit-setup -q apply; ok $? 'an earlier configuration is applied'
}
stop_at() { # CALL NUMBER COMMAND: returns when it is stopped, its PID in $pid
	rm -f /run/strace
	strace -o /run/strace -e trace="$1" -e inject="$1:signal=STOP:when=$2" ./cloud-audit-setup -q $3 >/run/said 2>&1 &
	tracer=$!
	until grep -q 'stopped by SIGSTOP' /run/strace 2>/dev/null; do
		kill -0 $tracer 2>/dev/null || return 1
		sleep 0.05
	done
	pid=$(pgrep -x cloud-audit-set)
}
cd "$cas"
EOF
t/vm/vm push "$vm" "$vm_tmp/shared.sh" "$cas" || exit 1

# kind NAME COMMAND < SCRIPT: makes the machine what that kind of run begins with, saves it as NAME, traces
# COMMAND and takes its points; then both are known, what is before it and what is after.
kind() {
	{
		echo ". $cas/shared.sh"
		cat
		cat <<-EOF
			files >/srv/before; in_force >/srv/rules-before; : >/srv/after
			sync
		EOF
	} >"$vm_tmp/begin"
	vm_guest --timeout 900 <"$vm_tmp/begin"
	t/vm/vm save "$vm" "$1" || exit 1
	vm_guest --timeout 900 <<-EOF
		. $cas/shared.sh
		strace -s 400 -o /run/trace -e trace=\$calls ./cloud-audit-setup -q $2 >/run/said 2>&1
		ok \$? "$1: a run that is not killed succeeds" "\$(cat /run/said)"
		files >/srv/after; in_force >/srv/rules-after
		points /run/trace >/run/points
		[ \$(wc -l </run/points) -ge 15 ]; ok \$? "$1: there are many points" "\$(cat /run/points)"
	EOF
	for file in run/points srv/after srv/rules-after; do
		t/vm/vm pull "$vm" /$file >"$vm_tmp/$1-${file##*/}" || exit 1
	done
	diag "$1: $(wc -l <"$vm_tmp/$1-points") points"
}

# at KIND COMMAND STEP FUNCTION: FUNCTION at every STEPth point, the machine as the kind begins.
at() {
	awk -v step="$3" 'NR % step == int(step / 2)' "$vm_tmp/$1-points" >"$vm_tmp/chosen"
	while read -r call number what; do
		t/vm/vm load "$vm" "$1" || exit 1
		mkdir -p "$vm_tmp/push"
		for file in after rules-after; do cp "$vm_tmp/$1-$file" "$vm_tmp/push/$file"; done
		t/vm/vm push "$vm" "$vm_tmp"/push/* /srv || exit 1
		$4 "$1" "$2" "$call" "$number" "$what" </dev/null
	done 3<&0 <"$vm_tmp/chosen"
}

converges='
	[ "$(temporary)" -le 1 ]; ok $? "$at: one temporary file at most is left" "$(names)"
	is "$(halves)" "" "$at: every file is whole"
	out=$(./cloud-audit-setup $command 2>&1); ok $? "$at: the next run succeeds" "$out"
	is "$(files)" "$(cat /srv/after)" "$at: and leaves the files that a run leaves that is not killed"
	is "$(in_force)" "$(cat /srv/rules-after)" "$at: and its rules"
	[ $command = remove ] || { out=$(./cloud-audit-setup verify 2>&1); ok $? "$at: verify agrees" "$out"; }'

killed() { # KIND COMMAND CALL NUMBER WHAT
	vm_guest --timeout 900 <<-EOF
		. $cas/shared.sh
		at="$1, killed after $3 #$4 $5" command=$2
		stop_at $3 $4 $2 && kill -KILL \$pid; ok \$? "\$at: it was" "\$(cat /run/said)"
		wait
		$converges
	EOF
}

power_cut() { # KIND COMMAND CALL NUMBER WHAT
	vm_guest --timeout 900 <<-EOF
		. $cas/shared.sh
		sync
		stop_at $3 $4 $2; ok \$? "$1, power cut after $3 #$4 $5: it was stopped there" "\$(cat /run/said)"
	EOF
	t/vm/vm crash "$vm" && t/vm/vm boot "$vm" || exit 1
	vm_guest --timeout 900 <<-EOF
		. $cas/shared.sh
		at="$1, power cut after $3 #$4 $5" command=$2
		is "\$(systemctl --failed --plain --no-legend | grep cloud-audit)" '' "\$at: no unit of ours fails at the next boot"
		now=\$(in_force); ./cloud-audit-setup verify >/run/said 2>&1; status=\$?
		case "\$now" in
		"\$(cat /srv/rules-before)") rules=before ;;
		"\$(cat /srv/rules-after)") rules=after ;;
		*) rules=other ;;
		esac
		diag "after the boot: rules as \$rules, verify exits with \$status"
		unlike "\$rules" other "\$at: the kernel has the earlier rules, or the new ones"
		$converges
	EOF
}

# disturb KIND COMMAND < SCRIPT: that kind of run, killed and without power.
disturb() {
	kind "$1" "$2"
	at "$1" "$2" "$kill_step" killed
	at "$1" "$2" "$power_step" power_cut
	# Where the next kind begins.
	t/vm/vm load "$vm" fresh
}

disturb fresh apply <<'EOF'
	printf '%s\n' -D '-w /etc/motd -p wa -k host' >/etc/audit/rules.d/audit.rules
	augenrules --load >/dev/null 2>&1
	mkdir -p ${conf%/*}; configuration sshd=yes >$conf
EOF

disturb other apply <<'EOF'
	configured
	configuration sshd=no '[audit]' backlog_limit=9000 '[events]' socket=all logins=no >$conf
EOF

disturb remove remove <<'EOF'
	configured
EOF

done_testing
