#!/bin/sh
# The init container under containerd, with the rights that the manifest gives it and containerd's default profiles; before it,
# what the program does to containerd by hand: identity installed, in effect, filtered by class, and removed.
. t/vm/lib.sh
command -v buildah >/dev/null 2>&1 || skip_all 'buildah is not installed'
[ "${VM_SUITE:-}" != bullseye ] || skip_all 'the ctr of bullseye (1.4) has no --cap-drop, which the manifest is played with'

image=$(t/image/once 2>"$vm_tmp/said"); ok $? 'the image is built' "$(cat "$vm_tmp/said")"
cp "$image"/*.oci.tar "$vm_tmp/image.tar"
for machine in 'cos bookworm' 'plain trixie'; do
	vm_up "containerd-${machine% *}" $machine
	t/vm/vm push "$vm" t/vm-daemonset/identity.sh "$cas" || exit 1
	vm_guest --timeout 500 <<'EOF'
	. /etc/os-release; on="$ID $(uname -r), $(ctr --version | cut -d ' ' -f 3)"
	cd $cas; . ./identity.sh
EOF
	t/vm/vm push "$vm" t/vm-daemonset/ctr.sh k8s/base/config.ini "$vm_tmp/image.tar" "$cas" || exit 1
	vm_guest --timeout 500 <<'EOF'
	. /etc/os-release; on="$ID $(uname -r), $(ctr --version | cut -d ' ' -f 3)"
	cd $cas; . ./ctr.sh
	# On COS programs may be executed here.
	mkdir -p /var/lib/containerd; mount --bind /var/lib/containerd /var/lib/containerd
	mount -o remount,bind,exec,dev,suid /var/lib/containerd
	systemctl start containerd; ok $? "$on: containerd runs"
	ctr image import image.tar >/dev/null; ok $? "$on: it takes the image's archive"
	image=$(ctr image ls -q | grep 'cloud-audit-setup:')
	mkdir -p config rules.d; cp config.ini config/; : >termination

	# --- what the rights are ---
	in_container /busybox sh -c 'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp:|NSpid)" /proc/self/status; cat /proc/self/attr/current' >rights
	like "$(cat rights)" 'CapEff:.0000000040000000' "$on: CAP_AUDIT_CONTROL is the only capability" || cat rights
	like "$(cat rights)" 'CapBnd:.0000000040000000' "$on: in the bounding set, too"
	like "$(cat rights)" 'NoNewPrivs:.1' "$on: no new privileges"
	like "$(cat rights)" 'Seccomp:.2' "$on: containerd's seccomp filter is on"
	like "$(cat rights)" '^cas-default' "$on: and an AppArmor profile as containerd's default"
	is "$(grep -c '^NSpid:.[0-9]*$' rights)" 1 "$on: it is in the host's PID namespace"

	# --- whether it sees who reads the records ---
	like "$(in_container /busybox cat /proc/1/net/netlink 2>&1)" '^[0-9a-f]+ +9 ' "$on: it can read the host's table of netlink sockets, the audit ones among them"
	like "$(in_container /busybox cat /host/proc/1/net/netlink 2>&1)" '^[0-9a-f]+ +9 ' "$on: below the host's root, too"

	# --- what it can write to ---
	probe='for d in / /host /host/usr /host/root /host/etc /host/var /host/etc/audit /host/etc/systemd/system; do
		/busybox touch $d/probe 2>/dev/null && /busybox rm $d/probe && echo $d; done; true'
	own='/host/etc/audit
/host/etc/systemd/system'
	# A mount below the host's root is not read-only with it, and COS has several.
	mounts=
	for d in /etc /var; do ! mountpoint -q $d || mounts="$mounts/host$d
"; done
	is "$(in_container /busybox sh -c "$probe")" "$mounts$own" "$on: it can write to its two directories, and to what is mounted below the host's root, of what was tried"
	host_read_only=rro
	is "$(in_container /busybox sh -c "$probe")" "$own" "$on: with recursive-read-only, to its two directories alone"

	# --- what is wrong is told ---
	node() { ls -lR --time-style=full-iso /etc/audit /etc/systemd/system; auditctl -l; auditctl -s | head -n 1; }
	before=$(node)
	echo '-a always,exit -F arch=b64 -S nosuchcall -k x' >rules.d/50-local.rules
	init apply >out 2>&1; is $? 3 "$on: a rule with a mistake is exit status 3" || cat out
	like "$(cat termination)" '50-local.rules:1: .*nosuchcall' "$on: the termination message names its place"
	is "$(node)" "$before" "$on: the node is untouched"
	rm rules.d/50-local.rules

	# --- apply ---
	mkdir -p /var/lib/watched; echo '-w /var/lib/watched/ -p wa -k vanishes' >rules.d/50-local.rules
	init apply >out 2>&1; ok $? "$on: apply succeeds with the manifest's rights and half of its memory" "$(cat out)"
	like "$(cat out)" '^[0-9]+ rules are in force, locked$' "$on: and locks"
	like "$(auditctl -s)" '^enabled 2' "$on: as the kernel says"
	is "$(cat termination)" '' "$on: there is no termination message"
	init apply >out 2>&1; ok $? "$on: again under the lock" "$(cat out)"
	like "$(cat out)" 'nothing to do' "$on: it has nothing to do"
	host_read_only=ro
	init verify >out 2>&1; ok $? "$on: verify agrees" "$(cat out)"
	case $(systemctl is-active systemd-journald-audit.socket) in active) sees='"listeners":1,"missed":0,"stopped":false' ;; *) sees='"listeners":null' ;; esac
	like "$(init -o json verify 2>/dev/null)" "$sees" "$on: and sees that journald reads"

	# --- components/watch, with textfile: its container, looking every second ---
	mkdir -p textfile
	host_read_only=rro
	is "$(container=verify; in_container /busybox sh -c "$probe; /busybox touch /textfile/probe && /busybox rm /textfile/probe && echo /textfile")" /textfile "$on: watch: of what was tried its container can write to the directory for metrics alone"
	(container=verify; in_container /usr/sbin/cloud-audit-setup --every=1s --changes --output=json --short --set=dbus.address=none \
		--textfile=/textfile/cloud-audit-setup.prom --config /config/config.ini verify) >watch.out 2>watch.err &
	watching=$!
	# said N: its N-th line is there, within a minute.
	has_said() { [ "$(wc -l <watch.out)" -ge "$1" ]; }
	said() { wait_for 60 has_said "$1"; }
	said 1; ok $? "$on: watch: it says what it finds" "$(cat watch.err)"
	like "$(cat watch.out)" '"matches":true,"status":0' "$on: watch: the node matches" || cat watch.err
	like "$(cat watch.out)" '"wanted":"systemd was asked","there":"it was not' "$on: watch: that systemd was not asked is said"
	# Whose a listener is, the kernel's table tells only where journald's socket has the number of the first process.
	case $(systemctl is-active systemd-journald-audit.socket) in active) sees='"journald_socket":(true,"journal":true|null,"journal":null),"listeners":1' ;; *) sees='"reader":.*"journal":true' ;; esac
	like "$(cat watch.out)" "$sees" "$on: watch: without a bus, too, it sees who takes the records, or that it cannot tell"
	# The kernel drops the rule with the directory, lock or not.
	rmdir /var/lib/watched; gone=$(date +%s)
	said 2; ok $? "$on: watch: a watched directory goes, and that is said" "$(cat watch.out watch.err)"
	took=$(($(date +%s) - gone)); [ $took -le 10 ]; ok $? "$on: watch: in its period and the time of a look" "$took s"
	like "$(sed 1d watch.out)" '"matches":false,"status":5.*"differs":.*-w /var/lib/watched/.*not in force' "$on: watch: the rule is named"
	like "$(cat textfile/cloud-audit-setup.prom)" '^cloud_audit_matches 0$' "$on: watch: the metrics say so, too"
	like "$(cat textfile/cloud-audit-setup.prom)" '^cloud_audit_locked 1$' "$on: watch: and that the node is locked"
	pid=$(ctr task ls | awk '/^verify-/ { print $2 }')
	host_read_only=ro
	echo '-w /etc/hostname -p wa -k mine' >rules.d/50-local.rules
	init apply >out 2>&1; ok $? "$on: other rules under the lock are written for the next boot" "$(cat out)"
	like "$(cat out)" 'warning: .*locked' "$on: with a warning"
	like "$(cat /etc/audit/cloud-audit-setup.rules)" mine "$on: they are in the file"
	init -s audit.on_locked=fail apply >out 2>&1; is $? 5 "$on: with on_locked = fail it is exit status 5"
	like "$(cat termination)" 'locked.*(reboot|recreate)' "$on: and the termination message says what to do"
	# Its own pages alone, between looks at the same node: what is mapped from files comes and goes with the page cache,
	# and a look that finds more to say has more code and memory under it. Counted anew: in status, kernels before 6.2 leave
	# out up to 63 pages that a task has since had (TASK_RSS_EVENTS_THRESH, mm/memory.c).
	resident() { awk "/^$1:/ { print \$2 }" "/proc/$pid/smaps_rollup"; }
	# The first looks at a node that has changed take turns in which freed memory they use again, and grow by less and less
	# (by some 120 kB in ten); a leak grows on.
	# looked N: until N looks more have written the metrics; the first of them may have begun before.
	metrics() { stat -c '%i %y' textfile/cloud-audit-setup.prom; }
	has_looked() { [ "$(metrics)" != "$last" ]; }
	looked() { for look in $(seq "$1"); do last=$(metrics); wait_for 60 has_looked; done; }
	looked 15; before=$(resident Anonymous); looked 15; after=$(resident Anonymous)
	[ "$before" -gt 0 ] && [ "$after" -le $((before + 64)) ]; ok $? "$on: watch: it does not grow from look to look" "$before kB, then $after"
	whole=$(resident Rss); began=$(date +%s%N); kill -TERM "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	took=$((($(date +%s%N) - began) / 1000000)); wait $watching; ended=$?
	[ $took -lt 10000 ]; ok $? "$on: watch: SIGTERM ends it, at most after the look that it is at" "$took ms"
	is $ended 5 "$on: watch: with the last verdict's exit status"
	echo "# $on: watch: $whole kB resident, $before of them its own; ended after $took ms"
	init remove >out 2>&1; is $? 5 "$on: remove under the lock is exit status 5"
	like "$(cat termination)" 'reboot or recreate the node' "$on: and the termination message says what to do"
	init remove >out 2>&1; ok $? "$on: and then there is nothing to remove" "$(cat out)"
EOF
	t/vm/vm stop "$vm"
done
done_testing
