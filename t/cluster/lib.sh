# A cluster; read from t/95-cluster.t after t/vm/lib.sh. Its nodes are machines, cluster-n1 to cluster-nNODES, COS-shaped, or
# with CLUSTER_NAME, for two of them at a time, cluster-NAME-n1;
# its control plane is processes of this machine (t/cluster/control): emulated, an API server alone takes minutes to start.
# All that is in a network namespace of its own, where there is nothing else: a bridge with a tap for each node.

# cluster_nodes: those that have joined, at first one.
cluster_nodes=n1 first=n1
cluster_token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
cluster=cluster${CLUSTER_NAME:+-$CLUSTER_NAME}
cluster_dir=$PWD/build/kubernetes/control${CLUSTER_NAME:+-$CLUSTER_NAME}
cluster_config=$cluster_dir/kubeconfig
# A Pod that starts on an emulated processor: minutes.
patience=${PATIENCE:-900}
# The nodes' Debian. RUNTIME is what containerd runs containers with there, runc if it is not set.
suite=${VM_SUITE:-bookworm}

# within SECONDS COMMAND...: until it succeeds.
within() {
	within_seconds=$1
	shift
	wait_for "$within_seconds" within_try "$@" || { diag "$(tail -n 20 "$vm_tmp/within")"; return 1; }
}
within_try() { "$@" >"$vm_tmp/within" 2>&1; }

# k ARGUMENT...: kubectl.
k() { in_net build/kubernetes/kubectl --kubeconfig="$cluster_config" "$@"; }
# kn ARGUMENT...: in the namespace of the manifests, or another that a scene has named.
kn() { k -n "${ns:-cos-auditd}" "$@"; }

# on NODE < SCRIPT: a node's machine.
on() { t/vm/vm run "$cluster-$1" --timeout 120; }

# in_net COMMAND...: in the cluster's network, with a home of its own: kubectl keeps there what it has seen of an API server, by
# its address alone.
in_net() { nsenter --net="/proc/$cluster_net/ns/net" env HOME="$cluster_dir" "$@"; }

# net_up: the network, held by the process $cluster_net.
net_up() {
	$cluster_end unshare --net sleep infinity >/dev/null 2>&1 &
	cluster_net=$!
	until [ "$(readlink "/proc/$cluster_net/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
	in_net ip link set lo up &&
		in_net ip link add cluster type bridge &&
		in_net ip address add 10.9.0.1/24 dev cluster &&
		in_net ip link set cluster up || return
	for node in $(seq -f 'n%g' "${NODES:-2}"); do
		in_net ip tuntap add "$node" mode tap && in_net ip link set "$node" master cluster up || return
	done
}

# node_up NODE: what a COS node's cloud-init does at each boot.
node_up() {
	{
		echo 'mkdir -p /run/kube; mountpoint -q /run/kube || mount -o ro /dev/vdc /run/kube'
		echo "set -- $1 10.9.0.1${1#n} 10.9.0.1 $cluster_token ${RUNTIME:-runc}"
		cat t/cluster/guest
	} | t/vm/vm run "$cluster-$1" --timeout 600
}

# machine_up NODE: its machine, with disks as they are when they are new. Of one processor: with two,
# scenes of two clusters at a time took up to twice as long.
machine_up() { in_net env VM_CPUS=1 t/vm/vm start "$cluster-$1" cos "$suite" --memory 1024 --disk "$cluster_disk" --tap "$1"; }

# join NODE: a new machine becomes a node.
join() {
	[ -n "${KEEP:-}" ] || vm_machines="$vm_machines $cluster-$1"
	machine_up "$1" && node_up "$1" || return
	case " $cluster_nodes " in *" $1 "*) ;; *) cluster_nodes="$cluster_nodes $1" ;; esac
	within "$patience" ready
}

# leave NODE: for good, machine and all.
leave() {
	t/vm/vm stop "$cluster-$1"
	k delete node "$1" >/dev/null
	cluster_nodes=$(echo " $cluster_nodes " | sed "s/ $1 / /; s/^ //; s/ $//")
}

# boot NODE: it boots again, and joins.
boot() { t/vm/vm reboot "$cluster-$1" && node_up "$1"; }

# ready: every node is.
ready() { k get nodes --no-headers && [ "$(k get nodes --no-headers | grep -c ' Ready')" = "$(echo $cluster_nodes | wc -w)" ]; }

# cluster_up: the network, the control plane, and the first node, until it is Ready; Kubernetes' $version, its $minor, its $tools.
cluster_up() {
	cluster_end='setpriv --pdeathsig KILL'
	[ -z "${KEEP:-}" ] || cluster_end=setsid VM_OWNER=1
	# Nothing can be fetched from there.
	t/vm/image "$suite" >/dev/null && net_up || return
	rm -rf "$cluster_dir"
	# A command of its own, for its parent to be this shell.
	nsenter --net="/proc/$cluster_net/ns/net" $cluster_end t/cluster/control "$(t/cluster/kubernetes)" "$cluster_dir" 10.9.0.1 "$cluster_token" >"$vm_tmp/control" 2>&1 &
	cluster_control=$!
	join "$first" && version=$(k get --raw /version | sed -n 's/.*"gitVersion": "v\([^"]*\)".*/\1/p') || return
	minor=${version#*.} minor=${minor%%.*}
	# The tools for it: of those that t/k8s/fetch brings, helm's oldest, or its newest.
	[ "$minor" -lt 36 ] && tools=1.28 || tools=1.36
}

# fresh: what a scene begins with: nothing of ours in the cluster, no node locked, and nothing of ours on it.
fresh() {
	for fresh_ns in cos-auditd ${ns:-}; do
		k delete namespace "$fresh_ns" --ignore-not-found --timeout="${patience}s" >"$vm_tmp/said" 2>&1 || { diag "$(cat "$vm_tmp/said")"; return 1; }
	done
	ns=
	for node in $cluster_nodes; do
		[ "$(kernel_state "$node")$(our_files "$node")" = 'enabled 1' ] || boot "$node" || return
	done
	within "$patience" ready
}

# our_files NODE; kernel_rules NODE; kernel_state NODE; unit_run NODE [UNIT]: its invocation, another each time where there is none
our_files() { echo "find /etc/audit /etc/systemd/system -name '*cloud-audit*' | sort" | on "$1"; }
kernel_rules() { echo 'auditctl -l' | on "$1"; }
kernel_state() { echo 'auditctl -s | head -n 1' | on "$1"; }
unit_run() { echo "systemctl show -P InvocationID ${2:-cloud-audit-setup} | grep . || cat /proc/sys/kernel/random/uuid" | on "$1"; }

# untouched NODE: what a mistake leaves as it was.
untouched() { kernel_rules "$1"; our_files "$1"; echo 'sha256sum /etc/audit/cloud-audit-setup.rules' | on "$1"; }

# all WHAT: for every node that has joined, WHAT NODE.
all() { for all_node in $cluster_nodes; do "$1" "$all_node"; done; }

# failed STATUS: an init container has ended with it; its node's name is then in $vm_tmp/failed.
failed() {
	for node in $cluster_nodes; do
		case $(of_init "$node" '.state.terminated.exitCode')$(of_init "$node" '.lastState.terminated.exitCode') in
		*"$1"*) echo "$node" >"$vm_tmp/failed"; return 0 ;;
		esac
	done
	kn get pods -o wide
	return 1
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

# joined NODE: its Pod is Ready.
joined() { [ "$(of_pod "$1" '.status.containerStatuses[0].ready')" = true ]; }

# applied NODE WHEN: it is as configured, at the first try.
applied() {
	like "$(init_log "$1")" '^[0-9]+ rules are in force, locked$' "$2, $1: its log says that the rules are in force"
	is "$(kernel_state "$1")" 'enabled 2' "$2, $1: the kernel is locked"
	[ "$(kernel_rules "$1" | wc -l)" -gt 20 ]; ok $? "$2, $1: with the rules"
	like "$(our_files "$1")" '^/etc/systemd/system/multi-user.target.wants/cloud-audit-setup.service$' "$2, $1: the units are there, and enabled"
	is "$(of_init "$1" .restartCount)" 0 "$2, $1: at the first try"
	windows "$1"
}

# staged NODE: rules with the key mine are in its file, not in its kernel, and that is said.
staged() {
	like "$(init_log "$1")" 'warning: .*locked' "changed rules, $1: a warning says that it is locked with others"
	like "$(echo 'grep mine /etc/audit/cloud-audit-setup.rules' | on "$1")" '-F path=/etc/hostname .*-F key=mine' "changed rules, $1: they are in the file"
	unlike "$(kernel_rules "$1")" mine "changed rules, $1: not in the kernel"
}

# again NODE: its init container has run since $began.
again() { now=$(of_init "$1" .state.terminated.startedAt) && [ "${now:-$began}" != "$began" ]; }

# work_up: a Pod on every node that is none of ours, DaemonSet work.
work_up() {
	k apply -f - >"$vm_tmp/said" 2>&1 <<-END
	apiVersion: apps/v1
	kind: DaemonSet
	metadata: {name: work}
	spec:
	  selector: {matchLabels: {it: work}}
	  template:
	    metadata: {labels: {it: work}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers: [{name: work, image: "work:1"}]
	END
}

# work_began NODE: how many seconds after the rules were in force its container began; rules_at is set by windows.
work_began() {
	for work_began in $(k get pods -l it=work --field-selector "spec.nodeName=$1" -o 'jsonpath={.items[*].status.containerStatuses[*].state.running.startedAt}'); do
		echo $(($(date -d "$work_began" +%s) - rules_at))
	done
}

# windows NODE [UNIT]: told, not judged: how long after its kubelet's start the rules were in force, which UNIT brings, $window, and
# what else ran by then.
windows() {
	times=$(echo "at() { systemctl show -P \"\$2\" \$1; }
		for unit in kubelet ${2:-cloud-audit-setup} cloud-audit-lock; do at \$unit ActiveEnterTimestampMonotonic | sed 's/......\$//'; done
		date -d \"\$(at ${2:-cloud-audit-setup} ActiveEnterTimestamp)\" +%s" | on "$1")
	is_ready=$(k get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].lastTransitionTime}')
	set -- "$1" $times
	[ $# -eq 5 ] && [ "$3" -gt 0 ] && [ -n "$is_ready" ] || { diag "$*: cannot tell"; return 0; }
	rules_at=$5 window=$(($3 - $2))
	diag "$1, seconds after its kernel's start: kubelet $2, rules $3, lock $4: the rules $window s after the kubelet's start,
$(($5 - $(date -d "$is_ready" +%s))) s after it last became Ready; another Pod's container began so many after the rules: $(work_began "$1")"
}

# rendered FOLDER: a kustomization's objects; this release's own kubectl is too old for them.
rendered() { "$(t/k8s/kubectl)" kustomize "$1"; }

# overlay NAME < KUSTOMIZATION: a kustomization as a user has it, its folder in $overlay; k8s/ is ../../../../k8s from there.
overlay() {
	overlay=build/kubernetes/overlay/$1
	mkdir -p "$overlay" && cat >"$overlay/kustomization.yaml"
}

# play NAME COMMAND...: a scene of t/k8s/scene, as one assertion.
play() {
	play_name=$1
	shift
	in_net env KUBECONFIG="$cluster_config" KUBECTL="$(t/k8s/fetch)/kubectl/$tools" HELM="$(t/k8s/fetch)/helm/$tools" PATIENCE="$patience" "$@" >"$vm_tmp/played" 2>&1
	play_code=$?
	sed 's/^/    /' "$vm_tmp/played"
	ok $play_code "$play_name"
}
