#!/bin/sh
# cloud-audit-runtime as runc before containerd: whose each record is, with the truth known; what forgers can and cannot do;
# what PAM makes of it; that containers start without it, and how long a start takes while nobody reads the records.
# IDENT_EXECS programs are executed for the first, in 8 containers; from 20000 on in 20. IDENT_LAUREL=yes: forky's laurel tells
# the same containers in the same run, and cron is started in one, both from Debian's mirror. IDENT_STARTS containers are started
# each way, with it and without, timed, and their instructions counted (0); so are, in a machine whose clock counts them, those of
# the program itself against one more exec. make check-suites has all of that.
. t/vm/lib.sh
compiler=${RUNTIME_CC:-musl-gcc}
command -v "$compiler" >/dev/null || skip_all "$compiler is missing (Debian package musl-tools)"
mkdir "$vm_tmp/built"
for source in reader forge starts; do
	"$compiler" -O2 -static -o "$vm_tmp/built/$source" t/vm-identity/$source.c || { echo "Bail out! $source.c does not compile"; exit 1; }
done
echo 'int main(void) { return 0; }' | "$compiler" -O2 -static -o "$vm_tmp/built/nothing" -x c - || exit 1
case ${VM_SUITE:-} in bullseye | bookworm)
	# Their own ctr cannot tell a runtime names (1.4), or whose a container is (1.6). It is a client, which makes what a container is
	# to be: trixie's, with its C library.
	newer=$vm_tmp/built/newer; mkdir "$newer"
	container/debian trixie "$vm_tmp/ctr" --variant=extract --include=containerd || { echo "Bail out! no ctr from trixie"; exit 1; }
	mv "$vm_tmp/ctr/usr/bin/ctr" "$newer/ctr.trixie"
	cp "$vm_tmp/ctr/usr/lib/x86_64-linux-gnu/libc.so.6" "$vm_tmp/ctr/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$newer/" || exit 1
	printf '#!/bin/sh\nat=${0%%/*}\nexec $at/ld-linux-x86-64.so.2 --library-path $at $at/ctr.trixie "$@"\n' >"$newer/ctr"; chmod +x "$newer/ctr"
	rm -r "$vm_tmp/ctr"
esac
containers=8; [ "${IDENT_EXECS:-0}" -lt 20000 ] || containers=20
rounds=$(((${IDENT_EXECS:-1} + 80 * containers - 1) / (80 * containers)))
first=$(seq -f %02.0f 0 $((containers / 2 - 1)) | tr '\n' ' ') second=$(seq -f %02.0f $((containers / 2)) $((containers - 1)) | tr '\n' ' ')
if [ -n "${IDENT_LAUREL:-}" ]; then
	container/debian forky "$vm_tmp/forky" --variant=extract --include=laurel || { echo "Bail out! no laurel from forky"; exit 1; }
	container/debian trixie "$vm_tmp/trixie" --variant=extract --include=cron || { echo "Bail out! no cron from trixie"; exit 1; }
	mv "$vm_tmp/forky/usr/sbin/laurel" "$vm_tmp/trixie/usr/sbin/cron" "$vm_tmp/built/"
	mv "$vm_tmp/trixie/etc/pam.d/cron" "$vm_tmp/built/cron.pam"
fi
if [ "${IDENT_STARTS:-0}" -gt 0 ]; then
	mkdir "$vm_tmp/bin"
	cc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$vm_tmp/count.so" t/vm-identity/count.c || { echo "Bail out! count.c does not compile"; exit 1; }
	printf '#!/bin/sh\nexec %s "$@" -plugin %s\n' "$(command -v qemu-system-x86_64)" "$vm_tmp/count.so,to=$vm_tmp/counts" >"$vm_tmp/bin/qemu-system-x86_64"
	chmod +x "$vm_tmp/bin/qemu-system-x86_64"; PATH=$vm_tmp/bin:$PATH
fi
# Else there may be more than auditd's socket has room for (auditd_with_room in t/vm/guest.sh).
[ $containers -eq 8 ] || set -- --append audit=1
vm_up identity plain trixie "$@"
t/vm/vm push "$vm" "$vm_tmp"/built/* t/vm-identity/work.sh t/vm-identity/judge.pl "$cas" || exit 1

cat >"$vm_tmp/shared.sh" <<'EOF'
	. /etc/os-release; on="$ID $(uname -r), containerd $(containerd --version | cut -d ' ' -f 3)"
	cd $cas
	[ ! -d newer ] || PATH=$cas/newer:$PATH
	log=/var/log/audit/audit.log
	rootfs=/var/lib/identity
	unset=4294967295
	# id_of NN: a container's, as containerd makes them
	id_of() { printf 'c%s' "$1" | sha256sum | cut -c 1-64; }
	# auid_of CLASS ID: as it stands in records
	auid_of() { echo $((0x$1$(printf %.7s "$2"))); }
	# names NN: what containerd's CRI part tells a runtime
	names() {
		for name in container-type=container sandbox-name=pod-$1 sandbox-namespace=ns-$1 sandbox-uid=uid-$1 container-name=name-$1 image-name=image:$1; do
			printf -- '--annotation io.kubernetes.cri.%s ' $name
		done
	}
	# container ID ARGUMENTS...: runs in the background; its own program comes behind "--"
	container() {
		id=$1; shift; options=
		while [ "$1" != -- ]; do options="$options $1"; shift; done; shift
		ctr run -d $options --rootfs $rootfs "$id" "$@"
	}
	# Emulated, with all of them at work, containerd may be slow to answer.
	ctr() { command ctr --connect-timeout 300s "$@"; }
	session() { id=$1; shift; ctr task exec --exec-id "x$(cat /proc/sys/kernel/random/uuid)" "$id" "$@"; }
	# settle: until the kernel has handed all records over, and auditd has written them
	settle() { until [ "$(auditctl -s | awk '$1 == "backlog" { print $2 }')" -lt 5 ]; do sleep 0.2; done; sleep 1; }
	# start_of ID: the start records of that container in auditd's log
	start_of() { grep "^type=VIRT_CONTROL .*op=start virt=container vm=\"$1\"" $log; }
EOF
echo "rounds=$rounds containers=$containers first='$first' second='$second' starts=${IDENT_STARTS:-0}" >>"$vm_tmp/shared.sh"
t/vm/vm push "$vm" "$vm_tmp/shared.sh" "$cas" || exit 1

vm_guest --timeout 9000 <<'EOF'
	. $cas/shared.sh
	auditd_with_room
	ours=$cas/cloud-audit-runtime.d
	mkdir -p $ours; cp cloud-audit-runtime $ours/runc; cp cloud-audit-runtime $ours/crun
	mkdir -p $rootfs/bin $rootfs/proc $rootfs/sys $rootfs/dev $rootfs/tmp $rootfs/etc; cp /bin/busybox forge work.sh $rootfs/bin/
	for applet in sh true sleep setsid cat unshare; do ln -sf busybox $rootfs/bin/$applet; done
	mkdir -p /etc/systemd/system/containerd.service.d
	# Between containers that do nothing but execute, on a busy host, its start takes longer than systemd's 90 seconds.
	printf '[Service]\nTimeoutStartSec=10min\nEnvironment=PATH=%s:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' $ours >/etc/systemd/system/containerd.service.d/identity.conf
	systemctl daemon-reload
	journal_takes_audit
	# One file, however much comes.
	sed -i 's/^max_log_file_action.*/max_log_file_action = IGNORE/; s/^flush.*/flush = NONE/; s/^q_depth.*/q_depth = 90000/' /etc/audit/auditd.conf
	laurel=
	if [ -x laurel ]; then
		laurel=/run/laurel/audit.log; mkdir -p /run/laurel
		# Its defaults, but that it keeps its rights, and one file.
		printf 'directory = "/run/laurel"\n[auditlog]\nfile = "audit.log"\nsize = 2000000000\n[enrich]\ncontainer = true\n' >/run/laurel/config.toml
		printf 'active = yes\ndirection = out\ntype = always\nformat = string\npath = %s\nargs = --config /run/laurel/config.toml\n' \
			"$cas/laurel" >/etc/audit/plugins.d/laurel.conf
		chmod 640 /etc/audit/plugins.d/laurel.conf
		systemctl stop auditd; systemctl start auditd; host_rules_settle
		heard() { auditctl -m hello; [ -s $laurel ]; }; wait_for 60 heard
		[ -s $laurel ]; ok $? "$on: $(./laurel --version 2>&1 | head -n 1) hears auditd" "$(journalctl -b -n 20 -u auditd; pgrep -a laurel)"
	else
		kill -HUP $(pidof auditd)
	fi
	auditctl -D >/dev/null; auditctl -b 65536 >/dev/null
	auditctl --loginuid-immutable >/dev/null
	auditctl -a always,exclude -F msgtype=PATH; auditctl -a always,exclude -F msgtype=CWD; auditctl -a always,exclude -F msgtype=PROCTITLE
	auditctl -a always,exit -F arch=b64 -S execve -k truth
	systemctl restart containerd; ok $? "$on: containerd starts with our directory first in its PATH"
	tr '\0' '\n' </proc/$(systemctl show -P MainPID containerd)/environ | grep -q "^PATH=$ours:"; ok $? "$on: which it has"

	# --- whose each record is ---
	: >ids; lost=$(auditctl -s | awk '$1 == "lost" { print $2 }')
	./reader done >judged & reader=$!
	begin() {
		for nn in "$@"; do
			echo "$nn $(id_of $nn)" >>ids
			container $(id_of $nn) $(names $nn) -- /bin/sh -c "/bin/sh /bin/work.sh $nn C $((rounds * 4)); exec /bin/sleep 100000" || return
		done
	}
	begun=$(date +%s)
	out=$(begin $first 2>&1); ok $? "$on: containers start" "$out"
	systemctl restart containerd; ok $? "$on: containerd is restarted while they work"
	out=$(begin $second 2>&1); ok $? "$on: as many more start" "$out"
	sessions=
	for nn in $first $second; do
		session $(id_of $nn) /bin/sh /bin/work.sh $nn D $rounds & sessions="$sessions $!"
	done
	for pid in $sessions; do wait $pid || failed=1; done; ok ${failed:-0} "$on: a session in each runs to its end"
	all_done() { [ "$(ls $rootfs/tmp | grep -c '^done-.*-C')" -eq $containers ]; }; wait_for 1800 all_done
	settle; touch done; wait $reader; ok $? "$on: the reader ends"
	n=$((rounds * 80 * containers))
	diag "$n programs of $containers containers in $(($(date +%s) - begun)) s"
	# Whatever of this it has, it has all that was before.
	[ -z "$laurel" ] || { /bin/true nothing-more; wait_for 600 grep -q nothing-more $laurel; }
	perl judge.pl ids judged $log $laurel >verdict 2>&1; ok $? "$on: the records are judged" "$(cat verdict)"
	diag "$(cat verdict)"
	like "$(cat verdict)" "^auid right=$n unknown=0 wrong=0 of=$n$" "$on: the login uid in each of $n records tells the container"
	like "$(cat verdict)" "^session right=$n unknown=0 wrong=0 of=$n$" "$on: so does the start record of its session"
	like "$(cat verdict)" "^misclassed=0 overruns=0$" "$on: and the class tells sessions from what containers do by themselves"
	unlike "$(cat verdict)" "^cgroup right=$n " "$on: which /proc/PID/cgroup does not, however soon it is read"
	is "$(auditctl -s | awk '$1 == "lost" { print $2 }')" "$lost" "$on: no record is lost"

	# --- the start record ---
	id=$(id_of 03); record=$(start_of $id | head -n 1)
	like "$record" "^type=VIRT_CONTROL .* pid=[0-9]+ uid=0 auid=$(auid_of C $id) ses=[0-9]+ .*msg='op=start virt=container vm=\"$id\" pod=\"pod-03\" namespace=\"ns-03\" uuid=\"uid-03\" container=\"name-03\" image=\"image:03\" exec=no terminal=no login=set res=success'" "$on: a container's start record"
	session=$(echo "$record" | sed 's/.* ses=\([0-9]*\) .*/\1/')
	like "$(start_of $id | tail -n 1)" "auid=$(auid_of D $id) .* pod=\"pod-03\" .* exec=yes terminal=no login=set" "$on: that of a session in it, with the names"
	# On a busy machine an event's records come further apart than the two seconds that ausearch waits for: it takes them for two
	# events then, of which the second has no session. Where it can be told to wait longer (from audit 3.0.6 on), it is.
	slow=$(ausearch --help 2>&1 | grep -q eoe-timeout && echo --eoe-timeout 120)
	out=$(ausearch $slow --session $session -i 2>/dev/null)
	is "$(echo "$out" | grep -c 'type=VIRT_CONTROL')" 1 "$on: ausearch --session finds it"
	is "$(echo "$out" | grep -c 'type=EXECVE .*T-03-C')" "$((rounds * 4 * 16))" "$on: with each program that the container executed"
	has_session() { journalctl --quiet -o json _AUDIT_TYPE_NAME=VIRT_CONTROL _AUDIT_SESSION=$session >found; [ -s found ]; }
	wait_for 60 has_session
	like "$(cat found)" "\"_AUDIT_LOGINUID\":\"$(auid_of C $id)\"" "$on: the journal has it"
	pid=$(echo "$record" | sed 's/.* pid=\([0-9]*\) uid.*/\1/')
	like "$(grep '^type=LOGIN' $log)" " pid=$pid uid=0 .*old-auid=$unset auid=$(auid_of C $id) .*old-ses=$unset ses=$session res=1" "$on: the kernel says that its process got that login uid"
	journal_mark
	out=$( (sleep 8; echo 'exec /bin/true typed'; sleep 8) | timeout 60 script -qec "ctr task exec -t --exec-id tty $id /bin/sh" /dev/null 2>&1)
	settle
	like "$(start_of $id | tail -n 1)" "auid=$(auid_of E $id) .* exec=yes terminal=yes" "$on: a session with a terminal is class E"
	like "$(grep -A 3 "auid=$(auid_of E $id) .*exe=\"/bin/busybox\"" $log)" 'a1="typed"' "$on: and so is what is executed in it"
	for nn in $first $second; do [ $nn = 03 ] || ctr task kill -s KILL $(id_of $nn) || :; done 2>/dev/null
EOF

vm_guest --timeout 1200 <<'EOF'
	. $cas/shared.sh
	# --- forgers ---
	victim=$(id_of 03)
	forged="op=start virt=container vm=\"$victim\" pod=\"forged\" namespace=? uuid=? container=? image=? exec=no terminal=no login=set res=success"
	# tries NAME OPTIONS...: what forge says in such a container
	tries() {
		who=$1; shift
		timeout 60 ctr run --rm "$@" --rootfs $rootfs "$(id_of "$who")" /bin/sh -c "${in:-}"' /bin/forge "$@"; :' sh "${auid:-$(auid_of C $victim)}" "${other:-1}" "$forged" >tried 2>&1
		grep own= tried || cat tried
	}
	caps='CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
	is "$(tries nobody --user 65534)" 'own=EPERM other=EPERM record=EPERM' "$on: uid 65534 takes no login uid and sends no record"
	is "$(tries no-caps $(for c in $caps; do echo --cap-drop CAP_$c; done))" 'own=EPERM other=EPERM record=EPERM' "$on: nor does root without capabilities"
	is "$(tries default)" 'own=EPERM other=EPERM record=ok' "$on: root with the default ones can send records, and takes no login uid"
	is "$(tries sys-admin --cap-add CAP_SYS_ADMIN)" 'own=EPERM other=EPERM record=ok' "$on: so it is with CAP_SYS_ADMIN"
	is "$(tries privileged --privileged)" 'own=EPERM other=EPERM record=ok' "$on: and privileged, since login uids are immutable"
	is "$(other=$(systemctl show -P MainPID containerd) tries host-pid --privileged --with-ns pid:/proc/1/ns/pid)" 'own=EPERM other=EPERM record=ok' "$on: and in the host's PID namespace, where it sees the host's processes"
	is "$(in='/bin/unshare -U -r' auid=0 tries user-ns --privileged)" 'own=EPERM other=EPERM record=Connection refused' "$on: in a user namespace neither goes"
	settle
	is "$(start_of $victim | grep -c 'pod="forged"')" 4 "$on: what they sent is in the log"
	is "$(start_of $victim | grep 'pod="forged"' | grep -c "auid=$(auid_of C $victim)")" 0 "$on: but none with the login uid that it speaks of"
	like "$(start_of $victim | grep 'pod="forged"' | head -n 1)" "auid=$(auid_of C $(id_of default)) " "$on: they have the sender's own"
	genuine() { for pid in $(start_of "$1" | sed 's/.* pid=\([0-9]*\) uid.*/\1/'); do grep -c "^type=LOGIN .* pid=$pid uid=0 .*old-auid=$unset " $log; done | sort | uniq -c | tr -s ' \n' ' '; }
	is "$(genuine $victim)" ' 4 0 3 1 ' "$on: a LOGIN record of the same process goes with the three genuine ones alone"

	# Where the genuine record was lost, a forgery is the first of its session, and under the right login uid.
	lost=$(id_of lost)
	auditctl -a always,exclude -F msgtype=VIRT_CONTROL
	( victim=$lost forged="op=start virt=container vm=\"$lost\" pod=\"forged\" namespace=? uuid=? container=? image=? exec=no terminal=no login=set res=success"
	in='until [ -e /tmp/go ]; do /bin/sleep 0.2; done;' tries lost --apparmor-default-profile cri-containerd.apparmor.d ) >said & forger=$!
	wait_for 120 grep -q "^type=LOGIN .* auid=$(auid_of C $lost) " $log
	sleep 2; auditctl -d always,exclude -F msgtype=VIRT_CONTROL; : >$rootfs/tmp/go; wait $forger; rm $rootfs/tmp/go
	settle
	is "$(start_of $lost | wc -l)" 1 "$on: the genuine record was lost, the forgery is the first of its session" "$(cat said)"
	like "$(start_of $lost)" "auid=$(auid_of C $lost) .*subj=cri-containerd.apparmor.d .*pod=\"forged\"" "$on: under the right login uid, but with a container's label"
	is "$(genuine $lost)" ' 1 0 ' "$on: and no LOGIN record of its process"

	# LOGIN never reaches the journal; what a rule records does.
	auditctl -a always,exit -F arch=b64 -S write -F exit=-EPERM -F 'auid>=3221225472' -F 'auid!=unset' -k forger; journal_mark
	tries seen >/dev/null; settle
	journal_has "SYSCALL .*success=no exit=-1 .*auid=$(auid_of C $(id_of seen)) .*exe=.*/bin/forge.*forger"
	ok $? "$on: a rule on what is refused shows the try in the journal"
	auditctl -d always,exit -F arch=b64 -S write -F exit=-EPERM -F 'auid>=3221225472' -F 'auid!=unset' -k forger
	like "$(grep '^type=LOGIN' $log)" "old-auid=$(auid_of C $(id_of seen)) .*res=0" "$on: auditd's log has it without"

	# From one that is excepted, any login uid, once: then the process's label is what tells.
	printf 'excepted\nmine/sshd\n' >$cas/cloud-audit-runtime.d/except
	cri='--annotation io.kubernetes.cri'
	excepted="$cri.sandbox-namespace=excepted --apparmor-default-profile cri-containerd.apparmor.d"
	is "$(tries excepted $excepted)" 'own=ok other=EPERM record=ok' "$on: a container that is excepted can take any login uid, once"
	settle
	forgery=$(start_of $victim | tail -n 1)
	like "$forgery" "auid=$(auid_of C $victim) .*pod=\"forged\"" "$on: its record has the other's"
	like "$forgery" ' subj=cri-containerd.apparmor.d' "$on: but the kernel writes whose it is: a container's"
	like "$(start_of $victim | head -n 1)" ' subj=unconfined' "$on: and the runtime's in the genuine one"
	is "$(start_of "$(id_of excepted)")" '' "$on: it has no start record of its own"

	# --- PAM in containers ---
	mkdir -p /run/pam /run/pam-own; mount --bind / /run/pam
	{ cat /etc/pam.d/su; echo 'session required pam_loginuid.so'; } >/run/pam-own/su
	log_in() {
		timeout 60 ctr run --rm $cri.container-type=container $cri.sandbox-namespace=mine $cri.container-name=$1 \
			--mount type=bind,src=/run/pam-own/su,dst=/etc/pam.d/su,options=rbind:ro --rootfs /run/pam "$(id_of $1)" \
			/bin/su -s /bin/sh nobody -c 'cat /proc/self/loginuid' 2>&1
	}
	out=$(log_in other); [ $? -ne 0 ]; ok $? "$on: pam_loginuid in a container with an identity ends the login" "$out"
	like "$out" 'Cannot make/remove an entry for the specified session' "$on: and says so"
	settle; like "$(grep ^type=LOGIN $log | tail -n 1)" "old-auid=$(auid_of C $(id_of other)) .*res=0" "$on: it is seen in auditd's log"
	is "$(log_in sshd)" 65534 "$on: in one that is excepted it goes, with PAM's login uid"
	# sshd, as it comes: its log stands for what a Pod's log would have.
	ssh-keygen -q -t ed25519 -N '' -f /var/lib/identity-key
	sshd() {
		ctr run -d --net-host $cri.container-type=container $cri.sandbox-namespace=mine $cri.container-name=$1 --rootfs /run/pam "$(id_of ssh-$1)" \
			/bin/sh -c "mkdir -p /run/sshd; exec /usr/sbin/sshd -D -p $2 -h /var/lib/identity-key -E /var/lib/identity-$1.log -o UsePAM=yes -o PidFile=none \
			-o StrictModes=no -o AuthorizedKeysFile=/var/lib/identity-key.pub"
		wait_for 60 grep -qs listening /var/lib/identity-$1.log
		ssh -p $2 -i /var/lib/identity-key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@127.0.0.1 'cat /proc/self/loginuid' 2>&1
	}
	journal_mark
	out=$(sshd covered 2222); is $? 254 "$on: sshd in a container with an identity takes the key and ends the session"
	unlike "$out" '^[0-9]+$' "$on: before anything is run"
	like "$(cat /var/lib/identity-covered.log)" 'Accepted publickey' "$on: as its log says"
	like "$(cat /var/lib/identity-covered.log)" 'pam_open_session.*Cannot make/remove an entry' "$on: with why"
	settle; like "$(grep ^type=LOGIN $log)" "old-auid=$(auid_of C $(id_of ssh-covered)) auid=0 .*res=0" "$on: auditd's log has the refusal"
	journal_has "USER_START .*auid=$(auid_of C $(id_of ssh-covered)) .*op=PAM:session_open .*res=failed"
	ok $? "$on: and the journal a session that was not opened, of that container"
	is "$(sshd sshd 2223)" 0 "$on: in one that is excepted it goes, with PAM's login uid"
	if [ -x cron ]; then
		mv cron /usr/local/sbin/; mv cron.pam /etc/pam.d/cron; mkdir -p /var/spool/cron/crontabs /etc/cron.d
		like "$(cat /etc/pam.d/cron)" 'session.*required.*pam_loginuid' "$on: Debian's cron has pam_loginuid"
		# One file for both: each writes where its own name says.
		echo '* * * * * root cat /proc/self/loginuid >/tmp/ran' >/etc/cron.d/identity
		printf 'mine/cron\n' >>$cas/cloud-audit-runtime.d/except
		for name in job cron; do
			mkdir -p /run/cron-$name
			ctr run -d $cri.container-type=container $cri.sandbox-namespace=mine $cri.container-name=$name --mount type=bind,src=/run/cron-$name,dst=/tmp,options=rbind:rw \
				--rootfs /run/pam "$(id_of cron-$name)" /usr/local/sbin/cron -f
		done
		wait_for 150 [ -e /run/cron-cron/ran ]
		is "$(cat /run/cron-cron/ran)" 0 "$on: cron in a container that is excepted runs its job, with PAM's login uid"
		[ ! -e /run/cron-job/ran ]; ok $? "$on: in one with an identity it runs none"
		settle; like "$(grep ^type=LOGIN $log)" "old-auid=$(auid_of C $(id_of cron-job)) auid=0 .*res=0" "$on: it is seen in auditd's log"
		rm /etc/cron.d/identity
	fi
	for task in $(ctr task ls -q); do ctr task kill -s KILL $task; done 2>/dev/null
	wait_for 60 umount /run/pam

	# --- nothing keeps a container from starting ---
	starts() { timeout 60 ctr run --rm --rootfs $rootfs "$(id_of "$1")" /bin/cat /proc/self/loginuid 2>&1; }
	ours=$cas/cloud-audit-runtime.d
	is "$(starts plain)" "$(auid_of C $(id_of plain))" "$on: a container has its login uid"
	chmod -x $ours/runc; is "$(starts no-x)" $unset "$on: with a program that cannot be executed it starts, without"; chmod +x $ours/runc
	mv $ours/runc $ours/away; is "$(starts gone)" $unset "$on: so it does without the program"; mv $ours/away $ours/runc
	if command -v crun >/dev/null; then
		out=$(timeout 60 ctr run --rm --runc-binary crun --rootfs $rootfs "$(id_of crun)" /bin/cat /proc/self/loginuid 2>&1)
		is "$out" "$(auid_of C $(id_of crun))" "$on: crun is covered as runc is"
	fi
EOF

vm_guest --timeout $((900 + 40 * ${IDENT_STARTS:-0})) <<'EOF'
	. $cas/shared.sh
	# --- a full backlog, and a reader that has stopped, with the product's own settings ---
	auditd_with_room 212992	# as the kernel has it: there is to be none
	# What Debian's audit.rules sets, which tells nothing of how long a jiffy is.
	auditctl -D >/dev/null; auditctl --backlog_wait_time 60000 >/dev/null
	rm -f /etc/systemd/system/containerd.service.d/identity.conf; systemctl daemon-reload
	out=$(./cloud-audit-setup -s audit.lock=no -s container.runtime_unit=containerd.service -s container.identity=yes apply 2>&1)
	ok $? "$on: identity is applied" "$out"
	ours=/usr/local/sbin/cloud-audit-runtime.d
	mkdir -p /run/stub; cp nothing /run/stub/runc; cp nothing /run/stub/flood
	bundle=/run/bundle/$(id_of full); mkdir -p $bundle
	printf '{"process":{"args":["x"]},"annotations":{"io.kubernetes.cri.sandbox-name":"p"},"linux":{}}' >$bundle/config.json
	direct() { PATH=/run/stub ./starts "$1" runc --log $bundle/log.json "$2" --bundle $bundle "$(id_of full)"; }
	through() { PATH=$ours:/run/stub ./starts "$1" runc --log $bundle/log.json "$2" --bundle $bundle "$(id_of full)"; }
	# The runtime's own start waits with and without: not here.
	auditctl -A never,exit -F arch=b64 -S execve -F exe=/run/stub/runc
	direct 3 create >/dev/null; through 3 create >/dev/null; settle
	is "$(start_of $(id_of full) | wc -l)" 3 "$on: it stands in front of what is timed"
	is "$(ausearch --raw --session $(start_of $(id_of full) | tail -n 1 | sed 's/.* ses=\([0-9]*\) .*/\1/') 2>/dev/null | grep -o '^type=[A-Z_]*' | tr '\n' ' ')" \
		'type=LOGIN type=VIRT_CONTROL ' "$on: a start is two records"
	auditctl -b 64 >/dev/null; kill -STOP $(pidof auditd)
	floods=; for flood in 1 2 3 4 5 6; do PATH=/run/stub ./starts 1000000 flood >/dev/null & floods="$floods $!"; done
	sleep 5
	# The median: an emulated processor may itself stand still for a second.
	median() { set -- $1; echo $2; }
	for command in create exec; do
		# Beside much other work six of them may not keep it full: then once more, as nothing was measured.
		for try in 1 2 3 4 5; do
			without=$(direct 9 $command) with=$(through 9 $command)
			[ "${with##* }" -le 300000 ] || break
		done
		diag "fastest, median, slowest of 9 starts, in us: $command without $without, with $with"
		[ $(median "$with") -le $(($(median "$without") + 1000000)) ]; ok $? "$on: nobody reads, and the backlog is full: $command takes at most a second longer" "$without; $with"
		[ "${with##* }" -gt 300000 ]; ok $? "$on: and had to wait" "$with"
	done
	kill $floods; wait; kill -CONT $(pidof auditd)

	if [ "$starts" -gt 0 ]; then
		auditctl -D >/dev/null; auditctl -b 8192 >/dev/null
		# Instructions are counted of one processor.
		[ ! -e /sys/devices/system/cpu/cpu1 ] || echo 0 >/sys/devices/system/cpu/cpu1/online
		systemctl restart containerd
		rm -f $cas/cloud-audit-runtime.d/except
		with=$(./starts "$starts" ctr run --rm --rootfs $rootfs starts /bin/true)
		without=$(./starts "$starts" ctr run --rm --runc-binary /usr/sbin/runc --rootfs $rootfs starts /bin/true)
		diag "us a container, fastest, median, slowest of $starts: without ours $without, with ours $with"
	fi
EOF

# counted: of the N-th last run of starts above, the machine's instructions a start: fewest, median, most
counted() {
	N=$1 perl -e 'my (@runs, $begun); while (<>) { /^R/ and push @runs, []; /^B (\d+)/ and $begun = $1; /^E (\d+)/ and push @{$runs[-1]}, $1 - $begun }
		my @n = sort { $a <=> $b } @{$runs[-$ENV{N}]}; print "$n[0] $n[@n / 2] $n[-1]"' "$vm_tmp/counts"
}
[ "${IDENT_STARTS:-0}" -eq 0 ] || diag "instructions a container, fewest, median, most: without ours $(counted 1), with ours $(counted 2)"
t/vm/vm stop "$vm"
[ "${IDENT_STARTS:-0}" -gt 0 ] || done_testing

# --- what the program itself does before it becomes the runtime ---
# A microsecond of this machine's clock is 1,000 instructions. Where a clock goes on while so much is computed as slowly as it is
# emulated, what the median has more than the least is the clock's own interrupts.
PATH=${PATH#"$vm_tmp/bin:"} VM_ACCEL=count; export VM_ACCEL
vm_up identity-count plain trixie
t/vm/vm push "$vm" "$vm_tmp/built/starts" "$vm_tmp/built/nothing" "$vm_tmp/shared.sh" "$cas" || exit 1
vm_guest --timeout 1800 <<'EOF'
	. $cas/shared.sh
	journal_takes_audit
	out=$(./cloud-audit-setup -s audit.lock=no -s container.runtime_unit=containerd.service -s container.identity=yes apply 2>&1)
	ok $? "$on, one processor: identity is applied" "$out"
	mkdir -p /run/stub /run/bundle; cp nothing /run/stub/runc; cp starts /run/stub/starts
	# As large as they come.
	{ printf '{"process":{"args":["x"],"env":['; for n in $(seq 100); do printf '"SERVICE_%s_PORT=tcp://10.0.0.%s:80",' $n $n; done
	printf '"X=1"]},"annotations":{"io.kubernetes.cri.sandbox-name":"p"},"linux":{"seccomp":{"syscalls":[{"names":["x"'
	for n in $(seq 350); do printf ',"call%s"' $n; done; printf ']}]}}}'; } >/run/bundle/config.json
	# started PATH PROGRAM...: fewest, median, most of 300. In the pause before each the earlier one's records are read: who
	# reads them meanwhile is no work of what is started, and gets the share of the one processor that the scheduler likes.
	started() {
		settle
		path=$1; shift
		PATH=$path $cas/starts 300/20 "$@" --log /run/bundle/log.json create --bundle /run/bundle "$(id_of count)"
	}
	median() { set -- $1; echo $2; }
	# compared STATE: one more exec of a static program against what ours does beyond its own exec, of which no rule makes a record
	compared() {
		none=$(started /run/stub runc) exec=$(started /run/stub $cas/starts next /run/stub/runc)
		plain=$(started /run/stub /run/stub/starts next /run/stub/runc) ours=$(started /usr/local/sbin/cloud-audit-runtime.d:/run/stub runc)
		more=$(($(median "$exec") - $(median "$none"))) own=$(($(median "$ours") - $(median "$plain")))
		diag "$1: fewest, median, most of 300, in thousands of instructions: a static program $none, one that executes it $exec, by such a start as ours $plain, through ours $ours"
		diag "$1: medians: one more exec $more, its own work $own; least: $((${exec%% *} - ${none%% *})), $((${ours%% *} - ${plain%% *}))"
	}
	auditctl -A never,exit -F arch=b64 -S execve -F exe=/run/stub/runc; auditctl -A never,exit -F arch=b64 -S execve -F exe=/run/stub/starts
	compared "rules in force"
	is "$(start_of "$(id_of count)" | wc -l)" 300 "$on: each start is recorded"
	[ $own -le $more ]; ok $? "$on: with the rules in force its own work is at most one more exec of a static program, by the median" "$own, $more"
	auditctl -D >/dev/null
	compared "auditing on, no rules"
	auditctl -e 0 >/dev/null
	compared "auditing off"
	[ $own -le $more ]; ok $? "$on: with auditing off as well" "$own, $more"
EOF
t/vm/vm stop "$vm"
done_testing
