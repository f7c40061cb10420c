#!/bin/sh
# What is typed into SSH sessions and into exec sessions of containers (type=TTY).
. t/vm/lib.sh

for machine in 'cos bookworm' 'plain trixie'; do
	vm_up "keystrokes-${machine% *}" $machine
	vm_guest --timeout 500 <<'EOF'
	. /etc/os-release; on="$ID $(uname -r)"
	cd $cas
	cas() { ./cloud-audit-setup "$@"; }
	journal_takes_audit
	# hex TEXT: as a TTY record has it
	hex() { printf %s "$1" | od -An -tx1 | tr -d ' \n' | tr a-f A-F; }
	# typed TEXT [SECONDS]: it was recorded since the mark
	typed() { journal_has "TTY.*data=[0-9A-F]*$(hex "$1")" ${2:-}; }
	untyped() { journal_lacks "TTY.*data=[0-9A-F]*$(hex "$1")"; }
	grep -h "^[^#]*pam_tty_audit" /etc/pam.d/* && diag 'pam_tty_audit is in use before'

	# --- SSH ---
	useradd -m -s /bin/sh alice; echo 'alice:first Pass1' | chpasswd
	systemctl start ssh; ok $? "$on: sshd runs"
	login() {
		(sleep 1; printf '%s\n' "$@" exit; sleep 2) | timeout 60 sshpass -p 'first Pass1' ssh -tt -o StrictHostKeyChecking=no \
			-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR alice@127.0.0.1 2>&1
	}
	cp -a /etc/pam.d/sshd /run/sshd.before
	journal_mark
	like "$(login 'echo typed-$((40+2))-before')" 'typed-42-before' "$on: alice logs in over SSH"
	untyped 'typed-'; ok $? "$on: nothing that is typed is recorded before"

	out=$(cas -s tty.sshd=yes plan --diff 2>/dev/null); like "$out" '^\+-session optional pam_tty_audit.so enable=\*$' "$on: plan shows the block"
	cmp /etc/pam.d/sshd /run/sshd.before; ok $? "$on: and leaves the file alone"
	out=$(cas -s tty.sshd=yes apply 2>&1); ok $? "$on: [tty] sshd = yes is applied, with the lock" "$out"
	is "$(stat -c '%a %U %G' /etc/pam.d/sshd)" "$(stat -c '%a %U %G' /run/sshd.before)" "$on: the file keeps its mode and owner"
	is "$(diff /run/sshd.before /etc/pam.d/sshd | grep -c '^<')" 0 "$on: and every line that it had"
	out=$(cas -s tty.sshd=yes verify 2>&1); ok $? "$on: verify agrees" "$out"
	out=$(cas -s tty.sshd=yes apply 2>&1); like "$out" 'nothing to do' "$on: a second apply has nothing to do"
	journal_mark
	like "$(login 'echo typed-$((40+2))-ssh' 'stty -echo' 'read x' 's3cret-word' 'stty echo')" 'typed-42-ssh' "$on: alice logs in with the block in place"
	typed 'echo typed-$((40+2))-ssh'; ok $? "$on: what she typed is in the journal" "$(journal_audit | grep -c .)"
	record=$(grep "$(hex 'typed-')" $journal_kept/journal-read | head -n 1)
	for field in AUDIT_LOGINUID AUDIT_SESSION UID PID COMM AUDIT_FIELD_MAJOR AUDIT_FIELD_MINOR; do
		like "$record" "\"_$field\"" "$on: the record has $field"
	done
	like "$record" "\"_AUDIT_LOGINUID\":\"$(id -u alice)\"" "$on: and names alice"
	untyped s3cret-word; ok $? "$on: what she typed without echo is not"
	out=$(cas -s tty.sshd=yes -s tty.log_passwords=yes apply 2>&1); ok $? "$on: log_passwords = yes is applied under the lock" "$out"
	journal_mark
	login 'stty -echo' 'read x' 's3cret-word' 'stty echo' >/dev/null
	typed s3cret-word; ok $? "$on: then it is"

	module=$(find /usr/lib /lib -name pam_tty_audit.so | head -n 1)
	mount --bind /dev/null "$module"
	like "$(login 'echo in-$((40+2))')" in-42 "$on: a module that cannot be loaded locks nobody out"
	umount "$module"
	echo '# somebody adds a line' >>/etc/pam.d/sshd
	out=$(cas -s tty.sshd=yes -s tty.log_passwords=yes verify 2>&1); ok $? "$on: a line that somebody adds is no difference" "$out"
	out=$(cas apply 2>&1); ok $? "$on: sshd = no is applied" "$out"
	is "$(cat /etc/pam.d/sshd)" "$(cat /run/sshd.before; echo '# somebody adds a line')" "$on: the block is gone, the other's line stays"
	cp -a /run/sshd.before /etc/pam.d/sshd
	cas -q -s tty.sshd=yes apply
	out=$(cas remove 2>&1); is $? 5 "$on: remove under the lock"
	cmp /etc/pam.d/sshd /run/sshd.before; ok $? "$on: takes the block out to the byte"

	sed -i '$a session include tty-elsewhere' /etc/pam.d/sshd; cp /etc/pam.d/sshd /run/sshd.other
	echo 'session required pam_tty_audit.so enable=*' >/etc/pam.d/tty-elsewhere
	out=$(cas -v -s tty.sshd=yes apply 2>&1); ok $? "$on: a host that has the module already" "$out"
	cmp /etc/pam.d/sshd /run/sshd.other; ok $? "$on: is left as it is"
	rm /etc/pam.d/tty-elsewhere; cp -a /run/sshd.before /etc/pam.d/sshd
	rm /etc/pam.d/sshd; ln -s /run/sshd.before /etc/pam.d/sshd
	out=$(cas -s tty.sshd=yes apply 2>&1); is $? 1 "$on: a link in the place of the file is refused"
	like "$out" 'is not a regular text file.*nothing was changed' "$on: with a message"
	out=$(cas apply 2>&1); ok $? "$on: but without [tty] sshd it is nobody's business" "$out"
	rm /etc/pam.d/sshd; mkdir /etc/pam.d/sshd
	out=$(cas apply 2>&1); ok $? "$on: nor is a directory there" "$out"
	rmdir /etc/pam.d/sshd; cp -a /run/sshd.before /etc/pam.d/sshd
EOF
	vm_guest --timeout 500 <<'EOF'
	. /etc/os-release; on="$ID $(uname -r)"
	cd $cas
	cas() { ./cloud-audit-setup "$@"; }
	hex() { printf %s "$1" | od -An -tx1 | tr -d ' \n' | tr a-f A-F; }
	typed() { journal_has "TTY.*data=[0-9A-F]*$(hex "$1")" ${2:-}; }
	untyped() { journal_lacks "TTY.*data=[0-9A-F]*$(hex "$1")"; }

	# --- what goes wrong leaves nothing behind ---
	systemctl start containerd
	state() { auditctl -l; find /etc/systemd /etc/audit /etc/pam.d /home/kubernetes /usr/local -type f 2>/dev/null | xargs cksum; }
	before=$(state)
	mount --bind /etc/pam.d /etc/pam.d; mount -o remount,bind,ro /etc/pam.d
	out=$(cas -s tty.sshd=yes apply 2>&1); is $? 1 "$on: a PAM directory that cannot be written to is exit status 1"
	like "$out" '/etc/pam.d/sshd cannot be written .*read-only file system' "$on: the message says why"
	umount /etc/pam.d
	is "$(state)" "$before" "$on: and the node is as before"
	mv cloud-audit-runtime good; cp /bin/busybox cloud-audit-runtime
	out=$(cas -s tty.runtime_unit=containerd.service apply 2>&1); is $? 1 "$on: a wrapper that does not work on the host is exit status 1"
	like "$out" 'the host cannot run .*/cloud-audit-runtime, so containerd.service was not touched' "$on: the message says so"
	is "$(state)" "$before" "$on: and the node is as before"
	rm cloud-audit-runtime
	out=$(cas -s tty.runtime_unit=containerd.service apply 2>&1); is $? 1 "$on: a wrapper that was not installed is exit status 1"
	like "$out" 'needs the program .*cloud-audit-runtime.*install it there.*nothing was changed' "$on: the message says what to do"
	mv good cloud-audit-runtime

	# --- exec into containers ---
	rootfs=/var/lib/docker/rootfs
	mkdir -p $rootfs/bin $rootfs/proc $rootfs/sys $rootfs/dev; cp /bin/busybox $rootfs/bin/; ln -sf busybox $rootfs/bin/sh
	systemctl start containerd; ok $? "$on: containerd runs"
	container() { ctr run -d --rootfs $rootfs "$1" /bin/busybox sleep 100000; }
	exec_into() {
		(sleep 3; printf '%s\n' "$2" exit; sleep 2) | timeout 60 script -qec "ctr task exec -t --exec-id x$$-$1-$(date +%N) $1 /bin/sh" /dev/null 2>&1
	}
	out=$(container c1 2>&1); ok $? "$on: a container runs" "$out"
	journal_mark
	like "$(exec_into c1 'echo typed-$((40+2))-c1')" typed-42-c1 "$on: somebody execs into it"
	untyped 'typed-'; ok $? "$on: nothing that is typed is recorded before"

	# As version 0.1 left it, and as its program was installed.
	old=/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf; bin=/usr/local/sbin; [ ! -d /home/kubernetes/bin ] || bin=/home/kubernetes/bin
	mkdir -p ${old%/*}; cp /bin/true $bin/cloud-audit-tty
	printf '[Service]\nExecStart=\nExecStart=/bin/sh -c "\\"$$0\\" --check && exec \\"$$0\\" \\"$$@\\"; exec \\"$$@\\"" %s/cloud-audit-tty /usr/bin/containerd\n' $bin >$old
	systemctl daemon-reload
	keys='-s tty.runtime_unit=containerd.service'
	out=$(cas $keys apply 2>&1); ok $? "$on: [tty] runtime_unit = containerd.service is applied under the lock" "$out"
	like "$out" 'warning: .*from the next start of containerd.service' "$on: and apply says when it takes effect"
	program=$(ls /home/kubernetes/bin/cloud-audit-runtime /usr/local/sbin/cloud-audit-runtime 2>/dev/null)
	is "$(ls $bin/cloud-audit-tty 2>/dev/null) $(grep -c cloud-audit-tty $old)" ' 0' "$on: the program of version 0.1 is gone, and no drop-in names it"
	$program --check; ok $? "$on: the wrapper is where the host can execute it" "$program"
	is "$(systemctl show -P NRestarts containerd) $(ctr task ls -q)" '0 c1' "$on: the runtime was not restarted"
	out=$(cas $keys verify 2>&1); is $? 4 "$on: verify says that it is not in effect"
	like "$(set -f; echo $out)" 'containerd.service runs with its terminals recorded there: it was started before' "$on: and why"
	is "$(cas $keys plan --diff 2>/dev/null)" '' "$on: there is nothing more that apply can do"
	systemctl restart containerd; ok $? "$on: containerd starts with the drop-in"
	is "$(systemctl show -P Type,KillMode containerd | tr '\n' ' ')" "$(printf 'notify process ')" "$on: its type and kill mode are as shipped"
	is "$(tr '\0' ' ' </proc/$(systemctl show -P MainPID containerd)/cmdline)" '/usr/bin/containerd ' "$on: its main process is containerd itself"
	is "$(ctr task ls -q)" c1 "$on: its containers live on"
	out=$(cas $keys verify 2>&1); ok $? "$on: verify agrees" "$out"
	out=$(cas $keys apply 2>&1); like "$out" 'nothing to do' "$on: a second apply has nothing to do"
	out=$(container c2 2>&1); ok $? "$on: another container runs" "$out"
	journal_mark
	like "$(exec_into c2 'echo typed-$((40+2))-c2')" typed-42-c2 "$on: somebody execs into it"
	typed 'echo typed-$((40+2))-c2'; ok $? "$on: what was typed is in the journal"
	record=$(grep "$(hex 'typed-')" $journal_kept/journal-read | head -n 1)
	for field in AUDIT_LOGINUID AUDIT_SESSION UID PID COMM AUDIT_FIELD_MAJOR AUDIT_FIELD_MINOR; do
		like "$record" "\"_$field\"" "$on: the record has $field"
	done

	chmod -x $program; systemctl restart containerd; ok $? "$on: a wrapper that cannot run does not keep containerd from starting"
	chmod +x $program; printf junk >$program; systemctl restart containerd; ok $? "$on: nor does one that is spoilt"
	rm $program; systemctl restart containerd; ok $? "$on: nor one that is gone"
	out=$(cas $keys apply 2>&1); ok $? "$on: apply brings it back" "$out"
	out=$(cas $keys verify 2>&1); ok $? "$on: and the node matches" "$out"
	# --- somebody else's command ---
	dir=/etc/systemd/system/containerd.service.d
	set_command() { printf '[Service]\nExecStart=\nExecStart=/usr/bin/containerd --log-level %s\n' $2 >$dir/$1; systemctl daemon-reload; }
	command() { tr '\0' ' ' </proc/$(systemctl show -P MainPID containerd)/cmdline; }
	set_command 10-early.conf debug
	out=$(cas $keys verify 2>&1); is $? 4 "$on: a drop-in before ours with another command is a difference"
	like "$(set -f; echo $out)" "$dir/cloud-audit-setup.conf is as configured there: its content differs" "$on: in our drop-in"
	out=$(cas $keys apply 2>&1); ok $? "$on: apply takes it over" "$out"
	systemctl restart containerd; is "$(command)" '/usr/bin/containerd --log-level debug ' "$on: containerd runs with it"
	out=$(cas $keys verify 2>&1); ok $? "$on: and the node matches" "$out"
	set_command override.conf info
	out=$(cas $keys verify 2>&1); is $? 4 "$on: one after ours is a difference"
	like "$(set -f; echo $out)" "$dir/override.conf does, and its name comes after" "$on: named"
	out=$(cas $keys apply 2>&1); is $? 1 "$on: that apply does not work around"
	like "$out" "$dir/override.conf does.*nothing was changed" "$on: it says why"
	rm $dir/override.conf $dir/10-early.conf; systemctl daemon-reload
	out=$(cas $keys apply 2>&1); ok $? "$on: without them the command is the unit's own again" "$out"
	systemctl restart containerd; is "$(command)" '/usr/bin/containerd ' "$on: containerd runs with it"
	mkdir -p /run/systemd/system; printf '[Service]\nExecStart=/bin/sleep 1000\n' >/run/systemd/system/other.service
	systemctl daemon-reload
	out=$(cas -s tty.runtime_unit=other.service apply 2>&1); ok $? "$on: another unit is configured" "$out"
	is "$(ls /etc/systemd/system/*.d/cloud-audit-setup.conf)" /etc/systemd/system/other.service.d/cloud-audit-setup.conf "$on: the drop-in moves"
	out=$(cas -s tty.runtime_unit=absent.service apply 2>&1); is $? 1 "$on: a unit that is not there is exit status 1"
	like "$out" 'absent.service: there is no such unit on this host; name the one that starts its containers; nothing was changed' "$on: with a message"
	printf '[Service]\nExecStart=@/bin/sleep name 1000\n' >/run/systemd/system/odd.service; systemctl daemon-reload
	out=$(cas -s tty.runtime_unit=odd.service apply 2>&1); is $? 1 "$on: a command with a prefix is refused"
	like "$out" 'odd.service: only a unit with a single, plain ExecStart=' "$on: with a message"
	out=$(cas remove 2>&1); is $? 5 "$on: remove"
	like "$out" 'warning: a container runtime .* until its next start' "$on: says what stays until when"
	is "$(find /etc/systemd/system /home/kubernetes/bin /usr/local/sbin -name '*cloud-audit*' 2>/dev/null)" '' "$on: no drop-in and no wrapper is left"
	systemctl restart containerd; ok $? "$on: containerd starts without them"
EOF
	t/vm/vm stop "$vm"
done
done_testing
