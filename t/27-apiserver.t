#!/bin/bash
# The manifests and the chart with an API server that is nothing else: no node, no controller. What t/k8s/scene plays
# here is applied, compared, rolled back; that Pods follow is for `make check-cluster`, which plays it with nodes. Needs
# kube-apiserver and etcd, in $KUBE_BIN or where check-cluster builds them.
set -u
skip() { echo "1..0 # SKIP $1"; exit; }
[ "${BUILD:-build}" = build ] || skip 'the program has no part in it: once is enough'
bin=${KUBE_BIN:-build/kubernetes/bin}
[ -x "$bin/kube-apiserver" ] || skip "$bin/kube-apiserver is missing: make check-cluster builds it, or KUBE_BIN=DIR"
etcd=$bin/etcd
[ -x "$etcd" ] || etcd=$(command -v etcd) || skip 'etcd is missing: apt-get install etcd-server'
npm=$(t/k8s/fetch 2>&1) || skip "${npm##*$'\n'}"

tmp=$(mktemp -d)
end() { kill $server $store 2>/dev/null; wait 2>/dev/null; rm -rf "$tmp"; }
server='' store=''
trap end EXIT
trap 'exit 1' HUP INT TERM
chmod 0700 "$tmp"
free_port() { perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'; }
clients=$(free_port) peers=$(free_port) port=$(free_port)
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "$token,admin,admin,system:masters" >"$tmp/tokens"
ssh-keygen -q -t rsa -m PEM -N '' -f "$tmp/key"
"$etcd" --data-dir "$tmp/etcd" --listen-client-urls "http://127.0.0.1:$clients" --advertise-client-urls "http://127.0.0.1:$clients" \
	--listen-peer-urls "http://127.0.0.1:$peers" >"$tmp/etcd.log" 2>&1 &
store=$!
"$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$clients" --bind-address=127.0.0.1 --secure-port="$port" --cert-dir="$tmp" \
	--service-cluster-ip-range=10.96.0.0/24 --token-auth-file="$tmp/tokens" --authorization-mode=AlwaysAllow \
	--service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$tmp/key" \
	--service-account-signing-key-file="$tmp/key" >"$tmp/server.log" 2>&1 &
server=$!
export KUBECONFIG=$tmp/kubeconfig
(umask 077 && cat >"$KUBECONFIG") <<END
apiVersion: v1
kind: Config
clusters: [{name: it, cluster: {server: "https://127.0.0.1:$port", insecure-skip-tls-verify: true}}]
users: [{name: it, user: {token: "$token"}}]
contexts: [{name: it, context: {cluster: it, user: it}}]
current-context: it
END
# The oldest, since the server may be an old one.
export KUBECTL=$npm/kubectl/1.28 NODES=0
end=$(($(cut -d. -f1 /proc/uptime) + 240))
until "$KUBECTL" get --raw /readyz >/dev/null 2>&1; do
	kill -0 $server $store 2>/dev/null && [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || break
	sleep 1
done
minor=$("$KUBECTL" get --raw /version 2>"$tmp/why" | sed -n 's/.*"minor": "\([0-9]*\).*/\1/p')
if [ -z "$minor" ]; then
	echo 'not ok 1 - an API server answers'
	tail -n 5 "$tmp/why" "$tmp/server.log" "$tmp/etcd.log" | sed 's/^/# /'
	echo 1..1
	exit 1
fi
echo "ok 1 - the API server of Kubernetes 1.$minor answers"

# play NAME COMMAND...: a scene, as one test.
count=1
play() {
	count=$((count + 1))
	"${@:2}" >"$tmp/out" 2>&1 && echo "ok $count - $1" || echo "not ok $count - $1"
	sed 's/^/    /' "$tmp/out"
}
# Those that this release has the fields for, the others with them; the hash last.
overlay() {
	mkdir -p "$tree/$1"
	{ echo 'resources: [../../../k8s/base]'; echo 'components:'; printf -- '- ../../../k8s/components/%s\n' "${@:2}"; } >"$tree/$1/kustomization.yaml"
}
mkdir -p build
tree=$(mktemp -d build/overlay-XXXXXX)
trap 'rm -rf "$tree"; end' EXIT
since_1_30='recursive-read-only apparmor-unconfined'
[ "$minor" -ge 31 ] || since_1_30=
overlay most identity keystrokes selinux sigma forward $since_1_30
overlay fluent-bit fluent-bit config-hash
play 'applied as a controller does, base, components, remove: again and again without a difference' \
	t/k8s/scene gitops k8s/base "$tree/most" "$tree/fluent-bit" k8s/remove
"$KUBECTL" -n cos-auditd delete daemonsets,configmaps,resourcequotas,serviceaccounts --all >/dev/null
CHART_OUT=$tmp/package container/chart >/dev/null
for HELM in "$npm/helm/1.28" "$npm/helm/1.36"; do
	export HELM
	play "the chart's life, by helm $("$HELM" version --short)" t/k8s/scene chart "$tmp"/package/*.tgz
done
echo "1..$count"
