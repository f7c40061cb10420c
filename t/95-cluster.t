#!/bin/sh
# The flat manifests on real kubelets: make check-cluster. NODES=N for more nodes than one, KUBE_BIN=DIR for other programs
# of Kubernetes than those of t/cluster/kubernetes; KEEP=1 leaves the cluster running (t/vm/README.md).
. t/vm/lib.sh
. t/cluster/lib.sh
[ -n "${CLUSTER:-}" ] || skip_all 'builds Kubernetes, and takes long: make check-cluster'
for need in qemu-system-x86_64 mmdebstrap buildah mke2fs ip unshare; do
	command -v $need >/dev/null || skip_all "$need is not installed"
done
[ "$(id -u)" = 0 ] || skip_all "building a machine's disk needs root"

cluster_disk=$(t/cluster/disk 2>"$vm_tmp/said") || { echo "Bail out! $(cat "$vm_tmp/said")"; exit 1; }
cluster_up || { echo 'Bail out! the cluster does not start'; exit 1; }
first=${cluster_nodes%%
*}
ready() { k get nodes --no-headers && [ "$(k get nodes --no-headers | grep -c ' Ready')" = "$(echo "$cluster_nodes" | wc -l)" ]; }
within "$patience" ready; ok $? "$(k version --short 2>/dev/null | sed -n 's/^Server Version: //p'): $(echo $cluster_nodes) are Ready"

# our_files NODE; kernel_rules NODE; kernel_state NODE
our_files() { echo "find /etc/audit /etc/systemd/system -name '*cloud-audit*' | sort" | on "$1"; }
kernel_rules() { echo 'auditctl -l' | on "$1"; }
kernel_state() { echo 'auditctl -s | head -n 1' | on "$1"; }
unit_run() { echo 'systemctl show -P InvocationID cloud-audit-setup' | on "$1"; }

# --- first apply ---
k apply -f k8s/cloud-audit-logging.yaml >"$vm_tmp/said" 2>&1; ok $? 'kubectl apply takes the flat manifest' "$(cat "$vm_tmp/said")"
rolled >"$vm_tmp/said" 2>&1; ok $? 'first apply: every node has its Pod Running and Ready' "$(tail -n 3 "$vm_tmp/said"; kn get pods -o wide; kn describe pods | tail -n 30)"
for node in $cluster_nodes; do
	like "$(init_log "$node")" '^[0-9]+ rules are in force, locked$' "first apply, $node: its log says that the rules are in force"
	is "$(kernel_state "$node")" 'enabled 2' "first apply, $node: the kernel is locked"
	[ "$(kernel_rules "$node" | wc -l)" -gt 20 ]; ok $? "first apply, $node: with the rules"
	like "$(our_files "$node")" '^/etc/systemd/system/multi-user.target.wants/cloud-audit-setup.service$' "first apply, $node: the units are there, and enabled"
	is "$(of_init "$node" .restartCount)" 0 "first apply, $node: at the first try"
done
like "$(k apply -f k8s/cloud-audit-logging.yaml)" 'daemonset.*unchanged' 'applied again, nothing changes'

# --- rollout restart, under the lock ---
runs=$(for node in $cluster_nodes; do unit_run "$node"; done)
rollout >"$vm_tmp/said" && rolled >"$vm_tmp/said" 2>&1; ok $? 'rollout restart: every node has its Pod again' "$(kn get pods -o wide)"
for node in $cluster_nodes; do like "$(init_log "$node")" 'nothing to do' "rollout restart, $node: there is nothing to do"; done
is "$(for node in $cluster_nodes; do unit_run "$node"; done)" "$runs" 'rollout restart: the units are left alone'

# --- a change, on locked nodes ---
echo '-w /etc/hostname -p wa -k mine' >"$vm_tmp/50-local.rules"
configure cloud-audit-rules "$vm_tmp/50-local.rules" >"$vm_tmp/said" 2>&1 && rollout >"$vm_tmp/said" && rolled >"$vm_tmp/said" 2>&1
ok $? 'changed rules: the rollout comes to its end' "$(cat "$vm_tmp/said"; kn get pods -o wide)"
for node in $cluster_nodes; do
	like "$(init_log "$node")" 'warning: .*locked' "changed rules, $node: a warning says that it is locked with others"
	like "$(echo 'grep mine /etc/audit/cloud-audit-setup.rules' | on "$node")" '-F path=/etc/hostname .*-F key=mine' "changed rules, $node: they are in the file"
	unlike "$(kernel_rules "$node")" mine "changed rules, $node: not in the kernel"
done

# --- mistakes ---
cp k8s/base/config.ini "$vm_tmp/good.ini"
sed -e 's/^lock = yes/lokc = yes/' -e 's/^rate_limit = 0/rate_limit = many/' k8s/base/config.ini >"$vm_tmp/config.ini"
echo '-a always,exit -F arch=b64 -S nosuchcall -k x' >"$vm_tmp/60-wrong.rules"
before=$(for node in $cluster_nodes; do kernel_rules "$node"; our_files "$node"; echo 'sha256sum /etc/audit/cloud-audit-setup.rules' | on "$node"; done)
configure cloud-audit-setup "$vm_tmp/config.ini" >"$vm_tmp/said" 2>&1 &&
	configure cloud-audit-rules "$vm_tmp/50-local.rules" "$vm_tmp/60-wrong.rules" >"$vm_tmp/said" 2>&1 && rollout >"$vm_tmp/said"
ok $? 'mistakes in config.ini and in a rules file are rolled out' "$(cat "$vm_tmp/said")"
# failed: a node whose init container has ended with a mistake.
failed() {
	for node in $cluster_nodes; do
		case $(of_init "$node" '.state.terminated.exitCode')$(of_init "$node" '.lastState.terminated.exitCode') in
		*"$1"*) echo "$node" >"$vm_tmp/failed"; return 0 ;;
		esac
	done
	kn get pods -o wide
	return 1
}
within "$patience" failed 3; ok $? 'mistakes: an init container ends with exit status 3'
bad=$(cat "$vm_tmp/failed" 2>/dev/null)
message=$(kn get "$(pod "$bad")" -o jsonpath='{.status.initContainerStatuses[0].state.terminated.message}{.status.initContainerStatuses[0].lastState.terminated.message}')
for mistake in '/config/config.ini:[0-9]+: .*lokc.*lock' '/config/config.ini:[0-9]+: .*rate_limit' '60-wrong.rules:1: .*nosuchcall'; do
	like "$message" "$mistake" "mistakes: the Pod's message has $mistake"
	like "$(init_log "$bad")" "$mistake" "mistakes: and the log"
done
like "$(kn get "$(pod "$bad")" --no-headers)" 'Init:(Error|CrashLoopBackOff)' 'mistakes: kubectl get pods says Init:Error'
! rolled 20 >"$vm_tmp/said" 2>&1; ok $? 'mistakes: the rollout does not come to its end' "$(cat "$vm_tmp/said")"
is "$(kn get pods --no-headers | grep -c ' 0/1 ')" 1 'mistakes: and has come to one node only' || diag "$(kn get pods -o wide)"
is "$(for node in $cluster_nodes; do kernel_rules "$node"; our_files "$node"; echo 'sha256sum /etc/audit/cloud-audit-setup.rules' | on "$node"; done)" \
	"$before" 'mistakes: the nodes are untouched'

# --- recovery, and on_locked = fail ---
sed 's/^on_locked = stage/on_locked = fail/' "$vm_tmp/good.ini" >"$vm_tmp/config.ini"
configure cloud-audit-setup "$vm_tmp/config.ini" >"$vm_tmp/said" 2>&1 &&
	configure cloud-audit-rules "$vm_tmp/50-local.rules" >"$vm_tmp/said" 2>&1 && rollout >"$vm_tmp/said"
within "$patience" failed 5; ok $? 'on_locked = fail: an init container ends with exit status 5'
like "$(kn describe "$(pod "$(cat "$vm_tmp/failed")")")" 'locked.*(reboot|recreate)' 'on_locked = fail: kubectl describe says to reboot or recreate the node'
cp "$vm_tmp/good.ini" "$vm_tmp/config.ini"
configure cloud-audit-setup "$vm_tmp/config.ini" >"$vm_tmp/said" 2>&1 && rollout >"$vm_tmp/said" && rolled >"$vm_tmp/said" 2>&1
ok $? 'mended: the rollout comes to its end' "$(cat "$vm_tmp/said"; kn get pods -o wide)"

# --- reboot ---
began=$(of_init "$first" .state.terminated.startedAt)
t/vm/vm reboot "cluster-$first" && node_up "$first"; ok $? "$first boots again"
again() { now=$(of_init "$first" .state.terminated.startedAt) && [ "${now:-$began}" != "$began" ]; }
within "$patience" again && rolled >"$vm_tmp/said" 2>&1; ok $? 'after a boot: the Pod is Ready again' "$(kn get pods -o wide)"
like "$(init_log "$first")" '^[0-9]+ rules are in force, locked$' 'after a boot: its log says that the rules are in force'
like "$(kernel_rules "$first")" 'key=mine|-k mine' 'after a boot: the changed rules are'
is "$(kernel_state "$first")" 'enabled 2' 'after a boot: and locked'

# --- remove ---
k apply -f k8s/cloud-audit-remove.yaml >"$vm_tmp/said" 2>&1 && within "$patience" failed 5
ok $? 'remove, locked: an init container ends with exit status 5' "$(cat "$vm_tmp/said")"
like "$(kn describe "$(pod "$(cat "$vm_tmp/failed")")")" 'Message: .*locked.*reboot or recreate the node' 'remove, locked: its message says what to do'
rolled >"$vm_tmp/said" 2>&1; ok $? 'remove: the rollout comes to its end' "$(cat "$vm_tmp/said"; kn get pods -o wide)"
for node in $cluster_nodes; do
	is "$(our_files "$node")" '' "remove, $node: the files are gone"
	is "$(kernel_state "$node")" 'enabled 2' "remove, $node: the kernel is locked as before"
	# A kubelet forgets what went before a success, but for the count.
	is "$(of_init "$node" .restartCount)" 1 "remove, $node: it has failed once, and then not"
	like "$(kn logs "$(pod "$node")" -c cloud-audit-setup)" 'nothing to remove' "remove, $node: it finds nothing any more"
done
t/vm/vm reboot "cluster-$first" && node_up "$first"; ok $? "$first boots again"
unlike "$(kernel_state "$first")" 'enabled 2' 'remove: after a boot the node is not locked' || diag "$(kernel_rules "$first")"
k delete namespace cos-auditd --timeout="${patience}s" >"$vm_tmp/said" 2>&1; ok $? 'remove: the namespace is deleted' "$(cat "$vm_tmp/said")"

if [ -n "${KEEP:-}" ]; then
	diag "kubectl: nsenter --net=/proc/$cluster_net/ns/net build/kubernetes/kubectl --kubeconfig=$cluster_config get pods -A
the end: for node in $(echo $cluster_nodes); do t/vm/vm stop cluster-\$node; done; kill -- -$cluster_control $cluster_net"
fi
done_testing
