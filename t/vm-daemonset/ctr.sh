# The init container of the manifest under ctr, in the guest. ctr starts from containerd's own defaults, as the kubelet
# does; each row below says what of the manifest it is.

# As the default profile of containerd's CRI part, which ctr loads by that name.
profile=cas-default

# What containerd gives when nothing is dropped (drop: [ALL]).
default_capabilities='CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE
	SYS_CHROOT KILL AUDIT_WRITE'

bind() { printf -- '--mount type=bind,src=%s,dst=%s,options=rbind:%s ' "$1" "$2" "$3"; }

# What each container mounts below and beside the host's root: the init container; verify, of components/watch.
init_mounts() {
	bind /etc/audit /host/etc/audit rw
	bind /etc/systemd/system /host/etc/systemd/system rw
	bind /run/dbus/system_bus_socket /host/run/dbus/system_bus_socket ro
}
verify_mounts() { bind "$PWD/textfile" /textfile rw; }

# in_container PROGRAM ARGS...; host_read_only=rro is components/recursive-read-only; container=verify that of watch.
in_container() {
	run_n=$((${run_n:-0} + 1))
	ctr run --rm \
		$(for c in $default_capabilities; do echo "--cap-drop CAP_$c"; done) --cap-add CAP_AUDIT_CONTROL \
		--seccomp --apparmor-default-profile $profile \
		--with-ns pid:/proc/1/ns/pid \
		--read-only \
		--memory-limit 33554432 \
		$(bind / /host ${host_read_only:-ro}) \
		$(${container:-init}_mounts) \
		$(bind "$PWD/config" /config ro) \
		$(bind "$PWD/rules.d" /etc/cloud-audit-setup/rules.d ro) \
		$(bind "$PWD/termination" /dev/termination-log rw) \
		$(bind /bin/busybox /busybox ro) \
		"$image" "${container:-init}-$$-$run_n" "$@"
}

# init ARGS...: the program as in the manifest; termination is then its message, as the kubelet would read it.
init() {
	: >termination
	in_container /usr/sbin/cloud-audit-setup --config /config/config.ini "$@"
}
