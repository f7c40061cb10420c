# A cluster; read from t/95-cluster.t after t/vm/lib.sh. Its nodes are machines, cluster-n1 to cluster-nNODES, COS-shaped;
# its control plane is processes of this machine (t/cluster/control): emulated, an API server alone takes minutes to start.
# All that is in a network namespace of its own, where there is nothing else: a bridge with a tap for each node.

cluster_nodes=$(seq -f 'n%g' "${NODES:-1}")
cluster_token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
cluster_dir=$PWD/build/kubernetes/control
cluster_config=$cluster_dir/kubeconfig
# A Pod that starts on an emulated processor: minutes.
patience=${PATIENCE:-900}

# within SECONDS COMMAND...: until it succeeds.
within() {
	within_end=$(($(date +%s) + $1))
	shift
	until "$@" >"$vm_tmp/within" 2>&1; do
		[ "$(date +%s)" -lt "$within_end" ] || { diag "$(tail -n 20 "$vm_tmp/within")"; return 1; }
		sleep 1
	done
}

# k ARGUMENT...: kubectl.
k() { in_net build/kubernetes/kubectl --kubeconfig="$cluster_config" "$@"; }
# kn ARGUMENT...: in the namespace of the manifests.
kn() { k -n cos-auditd "$@"; }

# on NODE < SCRIPT: a node's machine.
on() { t/vm/vm run "cluster-$1" --timeout 120; }

# in_net COMMAND...: in the cluster's network.
in_net() { nsenter --net="/proc/$cluster_net/ns/net" "$@"; }

# net_up: the network, held by the process $cluster_net.
net_up() {
	$cluster_end unshare --net sleep infinity >/dev/null 2>&1 &
	cluster_net=$!
	until [ "$(readlink "/proc/$cluster_net/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
	in_net ip link set lo up &&
		in_net ip link add cluster type bridge &&
		in_net ip address add 10.9.0.1/24 dev cluster &&
		in_net ip link set cluster up || return
	for node in $cluster_nodes; do
		in_net ip tuntap add "$node" mode tap && in_net ip link set "$node" master cluster up || return
	done
}

# node_up NODE: what a COS node's cloud-init does at each boot.
node_up() {
	{
		echo 'mkdir -p /run/kube; mountpoint -q /run/kube || mount -o ro /dev/vdc /run/kube'
		echo "set -- $1 10.9.0.1${1#n} 10.9.0.1 $cluster_token"
		cat t/cluster/guest
	} | t/vm/vm run "cluster-$1" --timeout 600
}

# cluster_up: the network, the control plane, the nodes, all at once; until the API answers.
cluster_up() {
	cluster_end='setpriv --pdeathsig KILL'
	if [ -n "${KEEP:-}" ]; then
		cluster_end=setsid VM_OWNER=1
	else
		for node in $cluster_nodes; do vm_machines="$vm_machines cluster-$node"; done
	fi
	# Nothing can be fetched from there.
	t/vm/image bookworm >/dev/null && net_up || return
	rm -rf "$cluster_dir"
	# A command of its own, for its parent to be this shell.
	nsenter --net="/proc/$cluster_net/ns/net" $cluster_end t/cluster/control "$(t/cluster/kubernetes)" "$cluster_dir" 10.9.0.1 "$cluster_token" >"$vm_tmp/control" 2>&1 &
	cluster_control=$!
	cluster_starts=
	for node in $cluster_nodes; do
		in_net t/vm/vm start "cluster-$node" cos bookworm --memory 1024 --disk "$cluster_disk" --tap "$node" &
		cluster_starts="$cluster_starts $!"
	done
	for start in $cluster_starts; do wait "$start" || return; done
	for node in $cluster_nodes; do node_up "$node" || return; done
	within "$patience" k get --raw /readyz
}

# pod NODE: the newest Pod there.
pod() {
	kn get pods -o name --field-selector "spec.nodeName=$1" --sort-by=.metadata.creationTimestamp | tail -n 1
}

# of_pod NODE PATH: a field of it (kubectl's JSONPath); of_init NODE PATH: of its init container's status.
of_pod() { kn get "$(pod "$1")" -o jsonpath="{$2}"; }
of_init() { of_pod "$1" ".status.initContainerStatuses[0]$2"; }

# init_log NODE: what its init container said.
init_log() { kn logs "$(pod "$1")" -c cloud-audit-setup 2>&1; }

rollout() { kn rollout restart daemonset cloud-audit-logging; }

# rolled [SECONDS]: the rollout comes to its end.
rolled() { kn rollout status daemonset cloud-audit-logging --timeout="${1:-$patience}s"; }

# configure NAME FILE...: the ConfigMap of these files.
configure() {
	configure_name=$1
	shift
	kn create configmap "$configure_name" $(printf -- '--from-file=%s\n' "$@") --dry-run=client -o yaml | kn apply -f -
}
