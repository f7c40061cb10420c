#!/bin/sh
# What k8s/ has, on real kubelets: make check-cluster. A scene is a file of t/cluster/scenes, named in SCENES (all). NODES=1 leaves
# out what needs two nodes; KUBE_BIN=DIR for other programs of Kubernetes than those of t/cluster/kubernetes; VM_SUITE for nodes of
# another Debian, RUNTIME=crun for another runtime under containerd; KEEP=1 leaves the cluster running (t/vm/README.md).
. t/vm/lib.sh
. t/cluster/lib.sh
[ -n "${CLUSTER:-}" ] || skip_all 'builds Kubernetes, and takes long: make check-cluster'
for need in qemu-system-x86_64 mmdebstrap buildah mke2fs ip unshare; do
	command -v $need >/dev/null || skip_all "$need is not installed"
done
[ "$(id -u)" = 0 ] || skip_all "building a machine's disk needs root"

cluster_disk=$(t/cluster/disk 2>"$vm_tmp/said") || { echo "Bail out! $(cat "$vm_tmp/said")"; exit 1; }
cluster_up || { echo 'Bail out! the cluster does not start'; exit 1; }
ok 0 "Kubernetes $version, $suite, ${RUNTIME:-runc}: $first is Ready"
scenes='components flat google stuck installed newer upgrade window unlocked'
[ "${NODES:-2}" -lt 2 ] || scenes="second $scenes"
for scene in ${SCENES:-$scenes}; do
	begun=$(date +%s)
	fresh; ok $? "$scene: the cluster has nothing of ours"
	. "t/cluster/scenes/$scene"
	diag "$scene took $(($(date +%s) - begun)) s"
done

if [ -n "${KEEP:-}" ]; then
	diag "kubectl: nsenter --net=/proc/$cluster_net/ns/net build/kubernetes/kubectl --kubeconfig=$cluster_config get pods -A
the end: for node in $(echo $cluster_nodes); do t/vm/vm stop $cluster-\$node; done; kill -- -$cluster_control $cluster_net"
fi
done_testing
