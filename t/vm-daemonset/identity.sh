# [container] identity on a node with containerd, by hand, in the guest; $on says which. Leaves the node as it was.
cas() { ./cloud-audit-setup "$@"; }
identity='-s audit.lock=no -s container.runtime_unit=containerd.service -s container.identity=yes -s container.identity_except=none/such'
drop_in=/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf
place=/usr/local/sbin; [ ! -d /home/kubernetes/bin ] || place=/home/kubernetes/bin
started() { systemctl show -P ExecMainStartTimestampMonotonic containerd; }
container() { ctr run -d --rootfs $rootfs "$1" /bin/busybox sh -c "$2"; }
loginuid() { cat "/proc/$(ctr task ls | awk -v id="$1" '$1 == id { print $2 }')/loginuid"; }
class() { awk -v a="$1" 'BEGIN { print a < 3221225472 ? "people" : a < 3489660928 ? "C" : a < 3758096384 ? "D" : a < 4026531840 ? "E" : "unset" }'; }

rootfs=/var/lib/docker/rootfs
mkdir -p $rootfs/bin $rootfs/proc $rootfs/sys $rootfs/dev; cp /bin/busybox $rootfs/bin/; ln -sf busybox $rootfs/bin/sh
mkdir -p /var/lib/containerd; mount --bind /var/lib/containerd /var/lib/containerd; mount -o remount,bind,exec,dev,suid /var/lib/containerd
journal_takes_audit
systemctl start containerd; ok $? "$on: containerd runs"
own=$(tr '\0' '\n' </proc/$(systemctl show -P MainPID containerd)/environ | sed -n 's/^PATH=//p')
container old 'sleep 100000'; is "$(class "$(loginuid old)")" unset "$on: a container has no login uid"
forge='echo 1000 >/proc/self/loginuid; read a </proc/self/loginuid; echo got $a'
like "$(ctr task exec --exec-id forge --user 65534 old /bin/sh -c "$forge" 2>&1)" 'got 1000' "$on: and any process in it may give itself one, as nobody and without a capability"

# --- installed ---
at=$(started)
out=$(cas $identity apply 2>&1); ok $? "$on: identity is applied" "$out"
like "$out" 'warning: identity is not in effect: containerd.service runs since 2.*restart = yes' "$on: apply says that it is not in effect, since when, and what to do"
is "$(started)" "$at" "$on: containerd was not restarted"
crun=; ! command -v crun >/dev/null || crun='cloud-audit-runtime.d/crun '
is "$(cd $place && find cloud-audit-* -type f | LC_ALL=C sort | tr '\n' ' ')" "cloud-audit-runtime ${crun}cloud-audit-runtime.d/except cloud-audit-runtime.d/runc " "$on: the program is there by the names of the runtimes that the host has"
is "$(cat $place/cloud-audit-runtime.d/except)" none/such "$on: with whom it leaves alone"
is "$(systemctl show -P Environment containerd)" "PATH=$place/cloud-audit-runtime.d:$own" "$on: PATH is what containerd had, behind the directory"
is "$(grep -c '^[A-Z]' $drop_in)" 1 "$on: nothing else is set"
like "$(auditctl -s)" 'loginuid_immutable 1' "$on: loginuid_immutable is on"
is "$(auditctl -s | awk '$1 == "backlog_wait_time" { print $2 <= 400 }')" 1 "$on: and a wait for room in the backlog is short (t/73 times it)"
like "$(auditctl -l)" "never,exit.* -F exe=$place/cloud-audit-runtime.d/runc" "$on: the program's own start is left out"
out=$(cas $identity -o json verify 2>&1); ok $? "$on: verify matches: what waits is a notice" "$out"
like "$out" '"found":"not in effect: containerd.service runs since 2' "$on: that says since when"
like "$out" '"loginuid_immutable":true' "$on: and the evidence has loginuid_immutable"
out=$(cas $identity -s container.restart=yes apply 2>&1); ok $? "$on: with restart = yes apply restarts containerd, and ends well" "$out"
[ "$(started)" != "$at" ]; ok $? "$on: it was"
at=$(started); out=$(cas $identity -s container.restart=yes apply 2>&1); like "$out" 'nothing to do' "$on: a second apply has nothing to do"
is "$(started)" "$at" "$on: nor restarts it again"
is "$(systemctl show -P Type,KillMode containerd | tr '\n' ' ')" 'notify process ' "$on: its type and kill mode are as shipped"
like "$(ctr task ls)" 'old .*RUNNING' "$on: the old container lives on"
out=$(cas $identity verify 2>&1); ok $? "$on: verify matches" "$out"
out=$(cas $identity -o tap verify 2>&1); like "$out" 'not ok .*every container process has a login uid.*TODO' "$on: and says that a container is older"
container new 'sleep 100000'; is "$(class "$(loginuid new)")" C "$on: a new container is class C"
like "$(ctr task exec --exec-id forge --user 65534 new /bin/sh -c "$forge" 2>&1)" 'got 3[45]' "$on: and what is in it keeps the login uid that it got"

# --- the start record, of each runtime that the host has ---
# by RUNTIME ID: the login uid of a container that containerd's names are in the configuration of
bundle=/run/bundle; mkdir -p $bundle; (cd $bundle && runc spec)
sed -i '1s/{/{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-name":"web-0","io.kubernetes.cri.container-name":"web"},/
	s/"terminal": true/"terminal": false/; s|"path": "rootfs"|"path": "'$rootfs'"|; s|"sh"|"/bin/sh", "-c", "read a </proc/self/loginuid; echo $a"|' $bundle/config.json
by() { PATH=$place/cloud-audit-runtime.d:$PATH "$1" --log $bundle/log.json run --bundle $bundle "$2" </dev/null 2>&1; }
id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
for runtime in runc ${crun:+crun}; do
	journal_mark
	is "$(by $runtime $id)" $((0xC0123456)) "$on: by $runtime: a container has its class and the first bits of its id"
	journal_has "VIRT_CONTROL .*auid=$((0xC0123456)) .*op=start virt=container vm=[^ ]*$id.* pod=.*web-0.* namespace=.*shop.* container=.*web.* exec=no terminal=no login=set res=success"
	ok $? "$on: by $runtime: its start record has the names" "$(cat $bundle/log.json)"
done
sed -i '1s/"shop"/"none"/; 1s/"web"/"such"/' $bundle/config.json
is "$(class "$(by runc $id)")" unset "$on: one that is excepted has none"

# --- filtered by class ---
# One workload: what a container does by itself, a session without and one with a terminal: 40 programs each.
# The records and thousand bytes that are named are those of rules/README.md: a few more or fewer are the host's own.
near() { [ $(($1 * 100)) -ge $(($2 * 95)) ] && [ $(($1 * 100)) -le $(($2 * 105)) ]; }
loop='i=0; while [ $i -lt 40 ]; do /bin/busybox true; i=$((i + 1)); done'
has_records() { journal_audit >/run/records; [ -s /run/records ]; }
workload() {
	journal_mark
	container work-$1 "$loop; sleep 100000"; sleep 2
	ctr task exec --exec-id d work-$1 /bin/sh -c "$loop"
	script -qec "ctr task exec -t --exec-id e work-$1 /bin/sh -c '$loop'" /dev/null >/dev/null
	has_records || wait_for 60 has_records
	ctr task kill -s 9 work-$1
	is "$(grep '"_AUDIT_TYPE_NAME":"SYSCALL"' /run/records | grep '"_COMM":"busybox"' | grep -o '"_AUDIT_LOGINUID":"[0-9]*"' | cut -d '"' -f 4 |
		sort | uniq -c | while read -r n a; do [ "$n" -lt 40 ] || class "$a"; done | sort -u | tr '\n' ' ')" "$2" "$on: $3"
	records=$(wc -l </run/records) bytes=$(grep -o '"MESSAGE":"\([^"\\]\|\\.\)*"' /run/records | wc -c)
	near $records $4 && near $bytes ${5}000; ok $? "$on: $3: $4 records of $5 kB, or a few more or fewer" "$records records, $bytes bytes"
	diag "$on: $3: $records records, $bytes bytes of MESSAGE"
}
workload all 'C D E ' 'everything: all classes are recorded' 880 135
out=$(cas $identity -s filter.workloads=no apply 2>&1); ok $? "$on: workloads = no is applied" "$out"
workload off 'D E ' 'workloads = no: what a container does by itself is not' 610 95
out=$(cas $identity -s filter.workloads=no -s filter.sessions=terminal apply 2>&1); ok $? "$on: sessions = terminal is applied" "$out"
workload terminal 'E ' 'and sessions = terminal: what has a terminal alone is' 345 55
out=$(cas $identity -s filter.min_auid=1000 apply 2>&1); ok $? "$on: min_auid is applied" "$out"
workload people 'E ' 'min_auid = 1000: what has a terminal counts as people' 272 41

# --- what would defeat it ---
printf '[Service]\nEnvironment=X=1\nEnvironment=PATH=/usr/bin\n' >${drop_in%/*}/override.conf; systemctl daemon-reload
out=$(cas $identity apply 2>&1); is $? 3 "$on: a later drop-in that sets PATH is exit status 3"
like "$out" "${drop_in%/*}/override.conf:3 sets PATH of containerd.service after our drop-in" "$on: with its line"
rm ${drop_in%/*}/override.conf; systemctl daemon-reload
mkdir -p /etc/containerd; [ ! -e /etc/containerd/config.toml ] || mv /etc/containerd/config.toml /run/config.toml
printf '[plugins.x]\n  BinaryName = "/usr/sbin/runc" # here\n' >/etc/containerd/config.toml
out=$(cas $identity plan 2>&1); like "$out" '/etc/containerd/config.toml:2: BinaryName = "/usr/sbin/runc" is a path' "$on: a runtime that is called by its path is named with its line"
rm /etc/containerd/config.toml; [ ! -e /run/config.toml ] || mv /run/config.toml /etc/containerd/config.toml

# --- removed ---
out=$(cas remove 2>&1); ok $? "$on: remove" "$out"
like "$out" 'loginuid_immutable stays on until the next boot' "$on: says that loginuid_immutable stays"
is "$(find /etc/systemd/system $place -name '*cloud-audit*')" '' "$on: no drop-in and no program is left"
is "$(systemctl show -P Environment containerd)" '' "$on: systemd has PATH no more"
is "$(ctr task exec --exec-id after new /bin/sh -c 'echo runs')" runs "$on: a shim that was started with the directory in PATH finds the next runc"
container after 'sleep 100000'; is "$(class "$(loginuid after)")" unset "$on: and so does containerd, which has not been restarted"
systemctl restart containerd; ok $? "$on: containerd starts without"
for c in $(ctr task ls -q); do ctr task kill -s 9 "$c"; done
systemctl stop containerd
