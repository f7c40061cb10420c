# The Pod of the manifests under podman, in the guest; guest.sh is read before.

pod=cloud-audit-logging-pod
seen=/var/lib/cloud-audit-logging/seen

# make_stand_in: an image localhost/stand-in that has a program fluentd, which tells what it sees and waits.
make_stand_in() {
	mkdir -p stand-in/bin stand-in/tmp stand-in/etc stand-in/proc stand-in/dev stand-in/sys stand-in/var/lib
	cp /bin/busybox fluentd curl stand-in/bin/
	for applet in sh sleep id grep touch ls head cat; do ln -sf busybox stand-in/bin/$applet; done
	tar -C stand-in -c . | podman import -q - localhost/stand-in:1
}

# as_podman_takes_it < MANIFEST: other image names; a node's name that podman knows; and CAP_AUDIT_WRITE,
# without which podman's default seccomp profile refuses the audit socket (containerd's does not).
as_podman_takes_it() {
	sed -e 's|image: fluent/.*|image: localhost/stand-in:1|' -e 's|image: cloud-audit-setup|image: localhost/cloud-audit-setup|' \
		-e 's/fieldPath: spec.nodeName/fieldPath: metadata.name/' \
		-e 's/^\( *\)- AUDIT_CONTROL/&\n\1- AUDIT_WRITE/'
}

# play FILE [SED-EXPRESSION...]: plays the manifest, changed by these expressions; its status is podman's.
# init_log is then what the init container said.
play() {
	play_file=$1
	shift
	as_podman_takes_it <"$play_file" >played.yaml
	for play_change; do sed -i -e "$play_change" played.yaml; done
	rm -f "$seen"
	play_since=$(date +%s.%N)
	# Elsewhere: a file here that is named like an image is taken for the folder to build it from.
	play_here=$PWD
	(cd / && podman kube play --replace "$play_here/played.yaml") >play.out 2>&1
	play_status=$?
	# By podman's conmon, which may end after podman; and journalctl passes over a file that it meets while journald changes it.
	wait_for 60 sh -c "! pgrep -f -- '-n $pod-cloud-audit-setu[p] ' >/dev/null"
	wait_for 60 init_said
	return $play_status
}
init_said() {
	journalctl -q --sync
	init_log=$(journalctl -q --since "@$play_since" -o cat CONTAINER_NAME=$pod-cloud-audit-setup)
	[ -n "$init_log" ]
}

# state CONTAINER: created, running, ...; nothing when there is none.
state() { podman ps -a --format '{{.Names}} {{.State}}' | sed -n "s/^$pod-$1 //p"; }

# saw REGEX [SECONDS]: the stand-in wrote such a line.
saw() { wait_for "${2:-60}" grep -Eqs -- "$1" "$seen"; }

locked() { auditctl -s | grep -q '^enabled 2'; }
our_files() { find /etc/audit /etc/systemd/system -name '*cloud-audit*' | sort; }
