#!/bin/sh
# A right is missing: the message names the line of the manifest, or the setting of the host.
. t/vm/lib.sh
vm_up rights plain

vm_guest --timeout 300 <<'EOF'
	cd $cas
	before=$(auditctl -l; ls -R /etc/audit /etc/systemd/system)
	# refused WANTED SENTENCE COMMAND...: apply under COMMAND fails with 1 and says WANTED; below $root, where that is set
	refused() {
		wanted=$1 sentence=$2; shift 2
		out=$("$@" ./cloud-audit-setup $root apply 2>&1); is $? 1 "$sentence: exit status 1" || diag "$out"
		like "$out" "error: .*$wanted" "$sentence: the message says what to change"
	}
	# What a Pod is told, whose host is below another root, and what who types is told.
	mkdir /run/pod && mount --rbind / /run/pod && mount --make-rslave /run/pod && root='-R /run/pod'
	refused 'set hostPID: true' 'in another PID namespace' unshare --pid --fork
	refused 'capabilities.add: \[AUDIT_CONTROL\]' 'without CAP_AUDIT_CONTROL' setpriv --bounding-set=-audit_control --inh-caps=-audit_control
	refused 'user namespace.*hostUsers: true' 'in a user namespace' unshare --user --map-root-user
	refused 'runAsUser: 0' 'as another user' setpriv --reuid 65534 --clear-groups
	root=
	refused 'run outside of the container' 'by hand in another PID namespace' unshare --pid --fork
	unlike "$out" 'Pod|securityContext|hostPID: true' 'and nothing of Pods'
	refused 'CAP_AUDIT_CONTROL is missing, although this is root' 'by hand without CAP_AUDIT_CONTROL' setpriv --bounding-set=-audit_control --inh-caps=-audit_control
	refused 'user namespace.*run outside of it' 'by hand in a user namespace' unshare --user --map-root-user
	refused 'run as root: sudo cloud-audit-setup' 'by hand as another user' setpriv --reuid 65534 --clear-groups
	unlike "$out" 'Pod|securityContext' 'and nothing of Pods'

	cat >/run/seccomp.pl <<'END'
# As podman's default profile: socket(AF_NETLINK, *, NETLINK_AUDIT) is EINVAL. struct sock_filter is "SCCL".
my $filter = pack("SCCL" x 6,
	0x20, 0, 0, 0,			# nr
	0x15, 0, 3, 41,			# socket
	0x20, 0, 0, 32,			# third argument
	0x15, 0, 1, 9,			# NETLINK_AUDIT
	0x06, 0, 0, 0x00050000 | 22,	# EINVAL
	0x06, 0, 0, 0x7fff0000);
syscall(157, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
syscall(157, 22, 2, pack("Sx6P", 6, $filter)) == 0 or die "seccomp: $!";
exec @ARGV;
END
	root='-R /run/pod'
	refused 'seccomp.*AUDIT_WRITE' 'under a seccomp filter' perl /run/seccomp.pl
	root=

	cat >/run/nobus.sh <<'END'
mount -t tmpfs none /run/dbus && mount -t tmpfs none /run/systemd && exec "$@"
END
	refused 'systemd must run here' 'without a D-Bus socket' unshare -m sh /run/nobus.sh
	cat >/run/roetc.sh <<'END'
mount --bind /etc /etc && mount -o remount,ro,bind /etc && exec "$@"
END
	refused 'read-only file system: remount it' 'with a read-only /etc' unshare -m sh /run/roetc.sh
	umount -l /run/pod
	is "$(auditctl -l; ls -R /etc/audit /etc/systemd/system)" "$before" 'the node is untouched by all of these'
	is "$(systemctl --failed --no-legend)" '' 'no unit has failed'

	cat >/run/private.sh <<'END'
mount -t tmpfs none /run/dbus && exec "$@"
END
	out=$(unshare -m sh /run/private.sh ./cloud-audit-setup -s audit.lock=no apply 2>&1)
	ok $? "without the system bus, systemd's private socket serves" "$out"
	out=$(./cloud-audit-setup -s audit.lock=no -s dbus.address=unix:path=/run/dbus/system_bus_socket verify 2>&1)
	ok $? 'a D-Bus address can be named' "$out"

	# --- the host below another directory, as a container has it ---
	mkdir -p /run/host; mount --rbind / /run/host
	out=$(./cloud-audit-setup -R /run/host -s audit.lock=no verify 2>&1)
	ok $? 'a root below which the host is mounted is the same node' "$out"
	out=$(./cloud-audit-setup -R /run/host -s audit.lock=no remove 2>&1)
	ok $? 'remove works through such a root' "$out"

	# --- units in the way ---
	systemctl mask cloud-audit-setup.service >/dev/null 2>&1
	out=$(./cloud-audit-setup apply 2>&1); is $? 1 'a masked unit is exit status 1'
	like "$out" 'systemctl unmask' 'and the message says to unmask it'
	systemctl unmask cloud-audit-setup.service >/dev/null 2>&1
EOF
done_testing
