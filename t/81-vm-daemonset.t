#!/bin/sh
# The flat manifests as they are shipped, played by podman: the node configured and locked before the shipper starts.
. t/vm/lib.sh
command -v buildah >/dev/null 2>&1 || skip_all 'buildah is not installed'

vm_up daemonset plain trixie
vm_has podman
image=$(t/image/once 2>"$vm_tmp/said"); ok $? 'the image is built' "$(cat "$vm_tmp/said")"
cp "$image"/*.oci.tar "$vm_tmp/image.tar"
# render NAME COMPONENT...: the base with these components.
kubectl=$(t/k8s/kubectl 2>"$vm_tmp/no-kubectl")
render() {
	render_to=$vm_tmp/$1.yaml
	shift
	mkdir -p "$vm_tmp/overlay"
	{
		printf 'resources:\n- %s\ncomponents:\n' "$(realpath --relative-to="$vm_tmp/overlay" k8s/base)"
		for component; do echo "- $(realpath --relative-to="$vm_tmp/overlay" "k8s/components/$component")"; done
	} >"$vm_tmp/overlay/kustomization.yaml"
	"$kubectl" kustomize "$vm_tmp/overlay" >"$render_to"
}
if [ -n "$kubectl" ]; then
	render dbus-only dbus-only && render keystrokes keystrokes recursive-read-only
	ok $? 'components are rendered'
fi
# What each shipper asks the journal for.
t/shipper/matches >"$vm_tmp/matches"
t/vm/vm push "$vm" t/vm-daemonset/* k8s/cloud-audit-logging.yaml k8s/cloud-audit-remove.yaml \
	"$vm_tmp"/matches "$vm_tmp"/image.tar \
	$(ls "$vm_tmp"/dbus-only.yaml "$vm_tmp"/keystrokes.yaml 2>/dev/null) "$cas" || exit 1

vm_guest --timeout 200 <<'EOF'
	cd $cas; . ./play.sh
	# podman honours hostPID for the main containers alone.
	mkdir -p /etc/containers/containers.conf.d
	printf '[containers]\npidns = "host"\n' >/etc/containers/containers.conf.d/pid.conf
	make_stand_in >/dev/null; ok $? 'the stand-in for the shipper is built'
	like "$(podman load -i image.tar 2>&1)" 'cloud-audit-setup:' 'podman loads the image from its archive'
	journal_takes_audit
	# As a COS node has it.
	mkdir -p /home/kubernetes/bin

	# --- a configuration with a mistake ---
	node() { ls -lR --time-style=full-iso /etc/audit /etc/systemd/system; auditctl -l; auditctl -s | head -n 1; }
	before=$(node)
	play cloud-audit-logging.yaml 's/^\( *\)lock = yes.*/\1lokc = yes/'; is $? 125 'a configuration with a mistake fails the Pod'
	like "$init_log" '/config/config.ini:[0-9]+: .*lokc.*lock' 'the init container names the line, and the key that was meant'
	is "$(state fluentd)" created 'the shipper is not started'
	[ ! -e $seen ]; ok $? 'and has not run'
	is "$(node)" "$before" 'the node is untouched'
	podman pod rm -fa >/dev/null 2>&1
EOF
t/vm/vm save "$vm" ready || exit 1

vm_guest --timeout 300 <<'EOF'
	cd $cas; . ./play.sh
	# --- as shipped ---
	play cloud-audit-logging.yaml; ok $? 'the flat manifest runs' "$(cat play.out; echo "$init_log")"
	like "$init_log" '^[0-9]+ rules are in force, locked$' 'the init container says that the rules are in force'
	locked; ok $? 'the node is locked'
	[ "$(auditctl -l | wc -l)" -gt 20 ]; ok $? 'with the rules' "$(auditctl -l)"
	is "$(our_files)" '/etc/audit/cloud-audit-setup.rules
/etc/systemd/system/cloud-audit-lock.service
/etc/systemd/system/cloud-audit-setup.service
/etc/systemd/system/multi-user.target.wants/cloud-audit-lock.service
/etc/systemd/system/multi-user.target.wants/cloud-audit-setup.service' 'the rules file and the units are on the node, and enabled'
	is "$(systemctl is-active cloud-audit-setup cloud-audit-lock | tr '\n' ' ')" 'active active ' 'both units are active'
	saw args; ok $? 'the shipper is started' "$(podman ps -a)"
	locked_at=$(date -d "$(systemctl show -P ActiveEnterTimestamp --timestamp=us cloud-audit-lock)" +%s)
	[ "$locked_at" -le "$(stat -c %Y $seen)" ]; ok $? 'after the lock' "locked $locked_at, started $(stat -c %Y $seen)"
	saw 'CapEff:.0000000000000000'; ok $? 'without a capability' "$(cat $seen)"
	saw 'CapBnd:.0000000000000000'; ok $? 'not even in its bounding set'
	saw 'NoNewPrivs:.1'; ok $? 'with no new privileges'
	saw 'Seccomp:.2'; ok $? 'under a seccomp filter'
	saw '^LPKSHHRH'; ok $? 'it can read the journal'
	is "$(grep '^writes' $seen)" 'writes /tmp' 'it can write to /tmp and its state, and to nothing else that was tried'
	saw 'fluent.conf'; ok $? 'it has its configuration'
	saw '^node .'; ok $? "and the node's name"
	journalctl -q --sync
	until=$(date '+%F %T')
	all=$(journalctl -q -o json --until "$until" | grep -c '"_TRANSPORT":"audit"')
	[ "$all" -gt 10 ]; ok $? 'the journal has audit records' "$all"
	is "$(wc -l <matches)" 2 'each shipper has a match of the journal'
	while read -r match; do
		# journalctl passes over a file that it meets while journald changes it.
		for try in 1 2 3; do
			given=$(journalctl -q -o json --until "$until" $match </dev/null | wc -l)
			[ "$given" != "$all" ] || break
			diag "journalctl gave $given of $all at try $try"
		done
		is "$given" "$all" "$match gives all of them, and nothing else"
	done <matches

	# --- again, under the lock ---
	id=$(systemctl show -P InvocationID cloud-audit-setup)
	play cloud-audit-logging.yaml; ok $? 'the Pod starts again under the lock' "$(cat play.out; echo "$init_log")"
	like "$init_log" 'nothing to do' 'and has nothing to do'
	is "$(systemctl show -P InvocationID cloud-audit-setup)" "$id" 'and leaves the unit alone'

	# --- the undo, under the lock ---
	play cloud-audit-remove.yaml; is $? 125 'remove fails once on a locked node' || diag "$init_log"
	like "$init_log" 'locked.*reboot or recreate the node' 'and says why, and what to do'
	is "$(our_files)" '' 'the files are gone'
	play cloud-audit-remove.yaml; ok $? 'tried again, as the kubelet does, it is done' "$(cat play.out; echo "$init_log")"
	like "$init_log" 'nothing to remove' 'with nothing left to remove'
EOF

t/vm/vm load "$vm" ready || exit 1
vm_guest --timeout 300 <<'EOF'
	cd $cas; . ./play.sh
	# --- a change of the rules, and the undo, without a lock ---
	unlocked='s/^\( *\)lock = yes/\1lock = no/'
	play cloud-audit-logging.yaml "$unlocked"; ok $? 'without the lock: the manifest runs' "$(cat play.out; echo "$init_log")"
	play cloud-audit-logging.yaml "$unlocked" 's|^  50-local.rules: .*|&\n    -w /etc/hostname -p wa -k mine|'
	ok $? 'and again, with a rule in the ConfigMap' "$(cat play.out; echo "$init_log")"
	like "$(auditctl -l)" 'key=mine|-k mine' 'the rule is in force'
	play cloud-audit-remove.yaml "$unlocked"; ok $? 'remove' "$(cat play.out; echo "$init_log")"
	is "$(our_files)" '' 'the files are gone'
	unlike "$(auditctl -l)" mine 'and the rules'
	saw args; ok $? 'the shipper goes on'
EOF

if [ -z "$kubectl" ]; then
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - components # SKIP $(tail -n 1 "$vm_tmp/no-kubectl")"
	done_testing
fi
t/vm/vm load "$vm" ready || exit 1
vm_guest --timeout 300 <<'EOF'
	cd $cas; . ./play.sh
	# --- dbus-only ---
	before=$(ls -lR --time-style=full-iso /etc/audit /etc/systemd/system)
	play dbus-only.yaml; ok $? 'dbus-only runs' "$(cat play.out; echo "$init_log")"
	locked; ok $? 'dbus-only: the node is locked'
	is "$(ls -lR --time-style=full-iso /etc/audit /etc/systemd/system)" "$before" 'dbus-only: no file of the node was written'
	is "$(systemctl show -P UnitFileState cloud-audit-rules)" transient 'dbus-only: the rules came in a transient unit'
	saw args; ok $? 'dbus-only: the shipper is started'
	play dbus-only.yaml; ok $? 'dbus-only: the Pod starts again' "$(cat play.out; echo "$init_log")"
	like "$init_log" 'nothing to do' 'dbus-only: and has nothing to do'
	play cloud-audit-remove.yaml; is $? 125 'dbus-only: remove fails once on a locked node'
	play cloud-audit-remove.yaml; ok $? 'dbus-only: and then not' "$(cat play.out; echo "$init_log")"
	is "$(systemctl show -P LoadState cloud-audit-rules)" not-found 'dbus-only: the unit is gone'
EOF

t/vm/vm load "$vm" ready || exit 1
vm_guest --timeout 300 <<'EOF'
	cd $cas; . ./play.sh
	# --- keystrokes, with the host's root read-only to its leaves ---
	play keystrokes.yaml; ok $? 'keystrokes runs' "$(cat play.out; echo "$init_log")"
	like "$(cat /etc/pam.d/sshd)" pam_tty_audit 'keystrokes: the block is in /etc/pam.d/sshd'
	like "$(systemctl show -P ExecStart containerd)" /home/kubernetes/bin/cloud-audit-runtime 'keystrokes: containerd is started by the program'
	play cloud-audit-remove.yaml; is $? 125 'keystrokes: remove fails once on a locked node'
	unlike "$(cat /etc/pam.d/sshd)" pam_tty_audit 'keystrokes: remove takes the block back'
	is "$(ls /home/kubernetes/bin)" '' 'keystrokes: and the program'
EOF
done_testing
