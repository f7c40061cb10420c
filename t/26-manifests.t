#!/usr/bin/perl
# The manifests of k8s/ as they are rendered: the rights they ask for, that their parts fit together, what each
# component changes, and that the configuration in them is the program's own.
use strict;
use warnings;
use Test::More;
use lib 't/unit', 't/k8s';
use Cli qw(program run put slurp make_root errors $tmp);
use Manifests;

plan skip_all => 'YAML::XS is missing: apt-get install libyaml-libyaml-perl' unless eval { require YAML::XS };

my $flat = load_flat('k8s/cloud-audit-logging.yaml');
my $undo = load_flat('k8s/cloud-audit-remove.yaml');
my ($kubectl, $why) = kubectl();

# --- what is there ---
is names($flat), join(' ', 'ConfigMap/cloud-audit-fluentd', 'ConfigMap/cloud-audit-rules',
	'ConfigMap/cloud-audit-setup', 'DaemonSet/cloud-audit-logging', 'Namespace/cos-auditd',
	'ResourceQuota/cloud-audit-logging', 'ServiceAccount/cloud-audit-logging'),
	'the flat file has the namespace, the account, the quota, three ConfigMaps and the DaemonSet';
is names($undo), names($flat), 'the undo has the same objects';
my $ns = object($flat, 'Namespace', 'cos-auditd')->{metadata}{labels};
is $ns->{"pod-security.kubernetes.io/$_"}, 'privileged', "the namespace lets Pods with host paths in: $_"
	for qw(enforce audit warn);

# --- rights ---
my %confined = (privileged => 'false', allowPrivilegeEscalation => 'false', readOnlyRootFilesystem => 'true',
	runAsUser => 0, runAsGroup => 0, seccompProfile => '{"type":"RuntimeDefault"}');

# One line a difference between a container's securityContext and what it should be.
sub rights {
	my ($container, $capabilities, %more) = @_;
	my %want = (%confined, capabilities => $capabilities, %more);
	my %has = %{$container->{securityContext} || {}};
	return join '', map {
		my ($has, $want) = map { defined $_ ? $_ : 'unset' } $has{$_} && json($has{$_}), $want{$_};
		$has = json($has{$_}) if exists $has{$_};
		$has eq $want ? () : "$_: $has, not $want\n";
	} sort keys %{{ %want, %has }};
}

my $pod = pod($flat);
my $setup = container($flat, 'initContainers', 'cloud-audit-setup');
my $fluentd = container($flat, 'containers', 'fluentd');
is rights($setup, '{"add":["AUDIT_CONTROL"],"drop":["ALL"]}'), '',
	'the init container has uid 0, AUDIT_CONTROL, and no right besides';
is rights($fluentd, '{"drop":["ALL"]}'), '', 'the shipper has uid 0 and no right at all';
is json([ @$pod{qw(hostPID hostNetwork hostIPC shareProcessNamespace)} ]), '[true,null,null,null]',
	'the Pod has the PID namespace of the host, and neither its network nor its IPC';
is json($pod->{automountServiceAccountToken}), 'false', 'no Pod gets a token for the API server';
is json(object($flat, 'ServiceAccount', 'cloud-audit-logging')->{automountServiceAccountToken}), 'false',
	'neither does another Pod of the account';
is json($pod->{enableServiceLinks}), 'false', 'no variables of Services';
is_deeply mounts($pod, $setup), [
	'/host = / Directory ro',
	'/host/etc/audit = /etc/audit Directory rw',
	'/host/etc/systemd/system = /etc/systemd/system Directory rw',
	'/host/run/dbus/system_bus_socket = /run/dbus/system_bus_socket Socket ro',
	'/config = ConfigMap cloud-audit-setup ro',
	'/etc/cloud-audit-setup/rules.d = ConfigMap cloud-audit-rules ro',
], 'the init container writes to two directories of the host, and reads the rest';
is_deeply mounts($pod, $fluentd), [
	'/var/log/journal = /var/log/journal Directory ro',
	'/etc/machine-id = /etc/machine-id File ro',
	'/var/log/containers = /var/log/containers DirectoryOrCreate ro',
	'/var/lib/cloud-audit-logging = /var/lib/cloud-audit-logging DirectoryOrCreate rw',
	'/fluentd/etc = ConfigMap cloud-audit-fluentd ro',
	'/tmp = emptyDir rw',
], 'the shipper reads the journal, never creates it, and writes to a directory of its own';

# --- where and when it runs ---
is_deeply $pod->{tolerations}, [ { operator => 'Exists' } ], 'no taint keeps it from a node';
is_deeply $pod->{nodeSelector}, { 'kubernetes.io/os' => 'linux', 'cloud.google.com/gke-os-distribution' => 'cos' },
	'it runs on nodes with COS';
is $pod->{priorityClassName}, 'system-node-critical', 'it comes before other Pods';
like daemonset($flat)->{spec}{updateStrategy}{rollingUpdate}{maxUnavailable}, qr/^[1-9]\d?%$/,
	'a rollout goes over a share of the nodes at a time';
is daemonset($undo)->{spec}{updateStrategy}{rollingUpdate}{maxUnavailable}, 1, 'the undo goes node by node';
for my $c ($setup, $fluentd) {
	is "$c->{terminationMessagePath} $c->{terminationMessagePolicy}", '/dev/termination-log FallbackToLogsOnError',
		"$c->{name}: the reason of a failure is the termination message";
}
ok !$setup->{command}, 'the init container runs the entrypoint of its image';
is "@{$setup->{args}}", '--config /config/config.ini apply', 'with the configuration of the ConfigMap';

# What would let others start before ours, or ours wait.
sub delays {
	my ($p) = @_;
	my ($first) = @{$p->{initContainers}};
	return ((map { $_->[1] ? () : $_->[0] }
		[ 'not of the highest priority', ($p->{priorityClassName} || '') eq 'system-node-critical' ],
		[ 'a taint keeps it off', json($p->{tolerations}) eq '[{"operator":"Exists"}]' ],
		[ "the first container is $first->{name}", $first->{name} eq 'cloud-audit-setup' ],
		[ 'a token is waited for', json($p->{automountServiceAccountToken}) eq 'false' ],
		[ 'a limit of CPU', !defined $first->{resources}{limits}{cpu} ]),
		(map { "a scheduling gate: $_->{name}" } @{$p->{schedulingGates} || []}),
		(map { "a volume of the network: $_->{name}" } grep { !grep { /^(?:hostPath|configMap|emptyDir|secret)$/ } keys %$_ } @{$p->{volumes}}));
}

# Every quantity, with its place, that is not written as the API server keeps it: what is applied would never be what is there.
sub unlike_kept {
	my ($object) = @_;
	my $spec = $object->{kind} eq 'DaemonSet' ? $object->{spec}{template}{spec} : {};
	my %quantities = ('hard' => $object->{kind} eq 'ResourceQuota' ? $object->{spec}{hard} : {},
		(map { my $c = $_; map { ("$c->{name} $_" => $c->{resources}{$_} || {}) } qw(limits requests) }
			@{$spec->{initContainers} || []}, @{$spec->{containers} || []}),
		map { $_->{emptyDir} ? ("volume $_->{name}" => $_->{emptyDir}) : () } @{$spec->{volumes} || []});
	return map {
		my ($place, $of) = ($_, $quantities{$_});
		map { $of->{$_} =~ /^[1-9]\d*(?:m|k|M|G|Ki|Mi|Gi)?$/ && $of->{$_} !~ /(?<=\d)000\D?$/ &&
			!($of->{$_} =~ /^(\d+)[KM]i$/ && $1 % 1024 == 0) ? () : "$place: $_: $of->{$_}" } grep { $_ ne 'medium' } sort keys %$of;
	} sort keys %quantities;
}

# --- that the parts fit ---
# What an API server or a kubelet would find wrong with the references inside a set of objects.
sub misfits {
	my ($objects) = @_;
	my @bad;
	my $ds = daemonset($objects);
	my $p = pod($objects);
	my %map = map { $_->{metadata}{name} => $_->{data} } grep { $_->{kind} eq 'ConfigMap' } @$objects;
	my %volume;
	for my $o (@$objects) {
		my ($kind, $name, $namespace) = ($o->{kind}, @{$o->{metadata}}{qw(name namespace)});
		push @bad, "$kind/$name is in another namespace"
			unless $kind eq 'Namespace' || ($namespace || '') eq 'cos-auditd';
		push @bad, "$kind/$name: not a name" unless $name =~ /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
	}
	my %map_used = map { $_->{configMap} ? ($_->{configMap}{name} => 1) : () } @{$p->{volumes}};
	for my $v (@{$p->{volumes}}) {
		push @bad, "volume $v->{name} twice" if $volume{$v->{name}};
		$volume{$v->{name}} = $v;
		push @bad, "volume $v->{name}: no ConfigMap $v->{configMap}{name}"
			if $v->{configMap} && !$map{$v->{configMap}{name}};
	}
	my (%used, %name);
	for my $c (@{$p->{initContainers}}, @{$p->{containers}}) {
		push @bad, "container $c->{name} twice" if $name{$c->{name}}++;
		push @bad, "$c->{name}: image $c->{image}" unless $c->{image} =~ m{^[^:@]+(:(?!latest$)[\w.-]+|\@sha256:[0-9a-f]{64})$};
		# A node that boots while the registry is away has to get its rules from the image that it has.
		push @bad, "$c->{name}: pulled " . ($c->{imagePullPolicy} || 'as the tag says') if ($c->{imagePullPolicy} || '') ne 'IfNotPresent';
		push @bad, "$c->{name}: no request of cpu or memory" if grep { !$c->{resources}{requests}{$_} } qw(cpu memory);
		push @bad, "$c->{name}: no limit of memory" unless $c->{resources}{limits}{memory};
		my %at;
		for my $m (@{$c->{volumeMounts}}) {
			push @bad, "$c->{name}: no volume $m->{name}" unless $volume{$m->{name}};
			push @bad, "$c->{name}: $m->{mountPath} twice" if $at{$m->{mountPath}}++;
			push @bad, "$c->{name}: $m->{mountPath} has a subPath" if defined $m->{subPath};
			push @bad, "$c->{name}: $m->{mountPath} is mounted after what lies in it"
				if grep { m{^\Q$m->{mountPath}\E/} } keys %at;
			push @bad, "$c->{name}: $m->{mountPath} propagates mounts" if $m->{mountPropagation};
			$used{$m->{name}}++;
		}
		for my $key (map { $_->{valueFrom}{configMapKeyRef} || () } @{$c->{env} || []}) {
			push @bad, "$c->{name}: no $key->{key} in ConfigMap $key->{name}"
				unless $map{$key->{name}} && defined $map{$key->{name}}{$key->{key}};
			$map_used{$key->{name}} = 1;
		}
		my %port = map { $_->{name} => 1 } @{$c->{ports} || []};
		push @bad, "$c->{name}: a port of the host" if grep { $_->{hostPort} } @{$c->{ports} || []};
		for my $probe (map { $c->{$_} || () } qw(startupProbe livenessProbe readinessProbe)) {
			my $get = $probe->{httpGet} || $probe->{tcpSocket} || next;
			push @bad, "$c->{name}: no port $get->{port}" unless $get->{port} =~ /^\d+$/ || $port{$get->{port}};
		}
	}
	for my $c (@{$p->{containers}}) {
		# Of watch: what a probe executes would be recorded, and how the node is does not make its container one that fails.
		push @bad, "$c->{name}: no $_" for grep { !$c->{$_} && $c->{name} ne 'verify' } qw(livenessProbe readinessProbe);
	}
	push @bad, map { "volume $_ is not mounted" } grep { !$used{$_} } sort keys %volume;
	push @bad, map { "ConfigMap $_ is not used" } grep { !$map_used{$_} } sort keys %map;
	my ($selector, $labels) = ($ds->{spec}{selector}{matchLabels}, $ds->{spec}{template}{metadata}{labels});
	push @bad, map { "the selector's $_ is not the Pods'" }
		grep { ($labels->{$_} || '') ne $selector->{$_} } sort keys %$selector;
	push @bad, 'no ServiceAccount' unless object($objects, 'ServiceAccount', $p->{serviceAccountName} || '');
	my ($quota) = grep { $_->{kind} eq 'ResourceQuota' } @$objects;
	push @bad, 'no quota for the priority class'
		unless grep { $_ eq $p->{priorityClassName} }
			map { $_->{scopeName} eq 'PriorityClass' && $_->{operator} eq 'In' ? @{$_->{values}} : () }
			@{$quota->{spec}{scopeSelector}{matchExpressions}};
	push @bad, map { "the window between a node's start and its rules is longer: $_" } delays($p);
	my ($init) = @{$p->{initContainers}};
	my %arg = @{$init->{args}}[0, 1];
	my ($there) = map { $_->{name} } grep { $_->{mountPath} eq '/config' } @{$init->{volumeMounts}};
	push @bad, 'no key config.ini where --config looks' unless ($arg{'--config'} || '') eq '/config/config.ini' &&
		exists $map{$volume{$there}{configMap}{name}}{'config.ini'};
	return join '', map { "$_\n" } @bad;
}
is misfits($flat), '', 'every reference of the flat file leads somewhere, nothing in it is unused';
is misfits($undo), '', 'the same of the undo';
is join("\n", map { unlike_kept($_) } @$flat), '', 'every quantity is written as the API server keeps it';

is json(daemonset($flat)->{spec}{selector}), '{"matchLabels":{"app.kubernetes.io/name":"cloud-audit-logging"}}',
	'the selector, which can never be changed, is the name alone';

# --- the undo ---
my @to_undo = (
	'- spec.template.spec.initContainers[cloud-audit-setup].args: apply',
	'+ spec.template.spec.initContainers[cloud-audit-setup].args: remove',
	'- spec.updateStrategy.rollingUpdate.maxUnavailable = "10%"',
	'+ spec.updateStrategy.rollingUpdate.maxUnavailable = 1',
);
my @keystroke_mounts = (
	'+ spec.template.spec.initContainers[cloud-audit-setup].volumeMounts[/host/etc/pam.d] = ' .
		'{"mountPath":"/host/etc/pam.d","name":"host-pam"}',
	'+ spec.template.spec.initContainers[cloud-audit-setup].volumeMounts[/host/home/kubernetes/bin] = ' .
		'{"mountPath":"/host/home/kubernetes/bin","name":"host-bin"}',
	'+ spec.template.spec.volumes[host-bin] = ' .
		'{"hostPath":{"path":"/home/kubernetes/bin","type":"Directory"},"name":"host-bin"}',
	'+ spec.template.spec.volumes[host-pam] = ' .
		'{"hostPath":{"path":"/etc/pam.d","type":"Directory"},"name":"host-pam"}',
);
is join("\n", sort(differences(daemonset($flat), daemonset($undo)))), join("\n", sort(@to_undo, @keystroke_mounts)),
	'the undo is the same DaemonSet with another command, which reaches all that a component may have written';
is json([ grep { $_->{kind} ne 'DaemonSet' } @$flat ]), json([ grep { $_->{kind} ne 'DaemonSet' } @$undo ]),
	'and with the same objects around it';

# --- the configuration in it is the program's own ---
my $program = program();
my $root = make_root();
my $ini = 'k8s/base/config.ini';
my $none = "$tmp/none";
mkdir $none or die;

# Sources are named in what is rendered; they differ, and nothing else may.
sub rendered {
	my ($thing, @args) = @_;
	my ($code, $out, $err) = run($program, '-R', $root, @args, 'render', $thing);
	$out =~ s/^# .*\n//mg if $thing eq 'rules';
	$out =~ s/"source":"[^"]*"/"source":""/g;
	return "$code $err$out";
}
for my $thing (qw(rules unit kernel)) {
	like rendered($thing), qr/\A0 [^\n]+\n/, "render $thing works without a configuration";
	is rendered($thing, '-c', $ini), rendered($thing), "config.ini gives the same $thing as no configuration";
}

# Section and key of every row of the program's table, with its default.
my %default;
for (slurp('setup/config/config_rows.c') =~ /^const struct config_row config_rows\[\] = \{\n(.*?)^\};/ms) {
	$default{"$1.$2"} = $3 while /\{ "([^"]+)", "([^"]+)", parse_\w+, IN\(\w+\),\s+"([^"]*)"/g;
	$default{"events.$1"} = 'yes' while /\bSWITCH\("([^"]+)"\)/g;
	$default{"events.$1"} = $2 while /\bEVENT\("([^"]+)", "([^"]*)"/g;
}
cmp_ok scalar(keys %default), '>=', 30, "the program's table of keys is understood";
my (%in_file, $section);
for (split /\n/, slurp($ini)) {
	$section = $1 if /^\[(.+)\]$/;
	# One line a key; a key that is set only by way of example is commented without a blank.
	$in_file{"$section.$1"} = $2 if /^;?([\w-]+) = ?(.*)$/;
}
is_deeply \%in_file, \%default, 'config.ini lists every key that the program knows, with its default';
{
	my ($code, undef, $err) = run($program, '-R', $root, map({ ('-s', "$_=$in_file{$_}") }
		grep { $_ ne 'rules.directory' } sort keys %in_file), 'render', 'rules');
	is "$code $err", '0 ', 'and the program takes every one of them';
}
{
	(my $with = slurp($ini)) =~ s{^;directory = \S+$}{directory = $none}m;
	is rendered('rules', '-c', put("$tmp/with.ini", $with)), rendered('rules'),
		'also with the line for the directory of rules';
}

# --- the rules in it ---
(my $examples = slurp('k8s/base/rules.d/50-local.rules')) =~ s/^#-/-/mg;
cmp_ok scalar(() = $examples =~ /^-/mg), '>=', 4, 'the file for your own rules has examples';
put("$tmp/examples/50-local.rules", $examples);
for my $machine (qw(x86_64 aarch64)) {
	my ($code, undef, $err) = run($program, '-R', $root, '--machine', $machine, '-s', "rules.directory=$tmp/examples",
		'render', 'rules');
	# The paths are those of a node.
	is $code . join('', map { "\n$_" } grep { !/\[lint: (?:absent|left-out)\]/ && !/render --help/ } split /\n/, $err), '0',
		"its examples are good rules for $machine";
}

# --- as the kubelet lays a ConfigMap: a link to a link, in a directory that everybody may write to ---
sub lay {
	my ($dir, $data) = @_;
	put("$dir/..2026_01_01_00_00_00.1/$_", $data->{$_}) for keys %$data;
	symlink '..2026_01_01_00_00_00.1', "$dir/..data" or die;
	symlink "..data/$_", "$dir/$_" or die for keys %$data;
	chmod 01777, $dir or die;
}
lay("$tmp/config", object($flat, 'ConfigMap', 'cloud-audit-setup')->{data});
my %rules = %{object($flat, 'ConfigMap', 'cloud-audit-rules')->{data}};
is rendered('kernel', '-c', "$tmp/config/config.ini"), rendered('kernel'), 'the ConfigMap of the configuration is read';
$rules{'60-more.rules'} = "-a always,exit -F arch=b64 -S swapoff -F auid=0 -k from-a-configmap\n-a always,exit -F arch=b32 -S swapoff -F auid=0 -k also\n";
lay("$tmp/rules", \%rules);
my @rendered = ($program, '-R', $root, '-s', "rules.directory=$tmp/rules", 'render', 'rules');
SKIP: {
	# A Pod mounts it read-only, so that the mode means nothing.
	skip 'only root may mount', 2 if $>;
	my ($code, $out, $err) = run('/usr/bin/unshare', '--mount', '/bin/sh', '-c',
		'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', "$tmp/rules", @rendered);
	is "$code $err", '0 ', 'the ConfigMap of the rules is read';
	is scalar(() = $out =~ /key=from-a-configmap/g), 1, 'every rule of it once, although its files are there twice';
}

# --- a startup taint ---
{
	my ($values) = @{load_flat('k8s/startup-taint/nidhogg.yaml')};
	is join(' ', sort keys %$values) . ': ' . join(' ', sort keys %{$values->{configuration}}), 'configuration: daemonsets nodeSelector',
		"nidhogg is told which nodes and which DaemonSets";
	my ($watched, @more) = @{$values->{configuration}{daemonsets}};
	ok !@more && object($flat, 'DaemonSet', $watched->{name}), 'it watches ours';
	is $watched->{namespace}, daemonset($flat)->{metadata}{namespace}, 'in its namespace';
	is join(' ', sort @{$values->{configuration}{nodeSelector}}), join(' ', map { "$_=$pod->{nodeSelector}{$_}" } sort keys %{$pod->{nodeSelector}}),
		'on the nodes that it runs on, and no others, which would be tainted for ever';
	# As nidhogg forms it.
	my $taint = "nidhogg.uswitch.com/$watched->{namespace}.$watched->{name}";
	my %said = map { $_ => [ slurp($_) =~ m{([\w.]+/cos-auditd[\w.-]*?)(?=[:=`]|\s|\z)}g ] } 'k8s/README.md', 'k8s/startup-taint/nidhogg.yaml';
	is join(' ', map { @{$said{$_}} } sort keys %said), join(' ', ($taint) x 3), 'and every place names the taint that it takes away';
	like $taint, qr{^[a-z0-9.-]{1,253}/[A-Za-z0-9][A-Za-z0-9_.-]{0,61}[A-Za-z0-9]$}, 'a key that Kubernetes takes';
}

# --- rendering ---
SKIP: {
	skip $why, 1 unless $kubectl;
	for ([ 'base', 'cloud-audit-logging' ], [ 'remove', 'cloud-audit-remove' ]) {
		my ($dir, $file) = @$_;
		my $out = `$kubectl kustomize k8s/$dir 2>&1`;
		(my $shipped = slurp("k8s/$file.yaml")) =~ s/\A(#.*)\n//;
		like $1, qr/`make manifests`/, "$file.yaml says where it comes from";
		ok $shipped eq $out, "$file.yaml is what k8s/$dir renders to: make manifests"
			or diag((run('diff', '-u', put("$tmp/shipped", $shipped), put("$tmp/rendered", $out)))[1]);
	}

	my $base = render($kubectl, 'k8s/base');
	my %change = (
		'dbus-only' => [
			'+ args: --set=unit.mode=transient',
			'- volumeMounts[/host] = {"mountPath":"/host","name":"host-root","readOnly":true}',
			'- volumeMounts[/host/etc/audit] = {"mountPath":"/host/etc/audit","name":"host-audit"}',
			'- volumeMounts[/host/etc/systemd/system] = ' .
				'{"mountPath":"/host/etc/systemd/system","name":"host-units"}',
			'- spec.template.spec.volumes[host-root] = {"hostPath":{"path":"/","type":"Directory"},"name":"host-root"}',
			'- spec.template.spec.volumes[host-audit] = ' .
				'{"hostPath":{"path":"/etc/audit","type":"Directory"},"name":"host-audit"}',
			'- spec.template.spec.volumes[host-units] = ' .
				'{"hostPath":{"path":"/etc/systemd/system","type":"Directory"},"name":"host-units"}',
		],
		'keystrokes' => [
			'+ args: --set=tty.sshd=yes', '+ args: --set=container.runtime_unit=containerd.service',
			'+ args: --set=container.keystrokes=yes', @keystroke_mounts,
		],
		'identity' => [
			'+ args: --set=container.runtime_unit=containerd.service', '+ args: --set=container.identity=yes',
			'+ args: --set=container.restart=yes', grep { !/pam/ } @keystroke_mounts,
		],
		'apparmor-unconfined' => [ '+ securityContext.appArmorProfile = {"type":"Unconfined"}' ],
		'selinux' => [ '+ securityContext.seLinuxOptions = {"type":"spc_t"}' ],
		'recursive-read-only' => [ '+ volumeMounts[/host].recursiveReadOnly = "IfPossible"' ],
	);
	# What a security module of the node does not hold there is what the component is for.
	my %unheld = (
		'apparmor-unconfined' => [ appArmorProfile => '{"type":"Unconfined"}' ],
		'selinux' => [ seLinuxOptions => '{"type":"spc_t"}' ],
	);
	my $init = 'spec.template.spec.initContainers[cloud-audit-setup]';
	my %is_setup = map { $_ => 1 } keys %change;
	ok -e "k8s/components/$_/kustomization.yaml", "component $_ is there" for sort keys %change;
	for my $component (components()) {
		for my $below (qw(base remove)) {
			# The undo reaches what these wrote, and need not be told to.
			next if $below eq 'remove' && $component =~ /^(?:keystrokes|identity)$/;
			my $objects = eval { render($kubectl, overlay($below, $component)) };
			ok $objects, "$component can be put on $below" or do { diag $@; next };
			is misfits($objects), '', "$component on $below: every reference leads somewhere, nothing is unused";
			is join("\n", map { unlike_kept($_) } @$objects), '', "$component on $below: every quantity as the API server keeps it";
			my $c = container($objects, 'initContainers', 'cloud-audit-setup');
			is rights($c, '{"add":["AUDIT_CONTROL"],"drop":["ALL"]}', @{$unheld{$component} || []}), '',
				"$component on $below: the init container has no right more";
			is rights($_, '{"drop":["ALL"]}'), '', "$component on $below: $_->{name} has no right at all"
				for grep { $_->{name} ne 'verify' } @{pod($objects)->{containers}};
			my ($code, undef, $err) = run($program, '-R', $root, map {
				$_ eq '/config/config.ini' ? $ini : $_ eq ($below eq 'base' ? 'apply' : 'remove') ?
					('render', 'unit') : $_ } @{$c->{args}});
			is "$code $err", '0 ', "$component on $below: the program takes its arguments";
			next if $below ne 'base';
			if ($is_setup{$component}) {
				my @want = map { s/^(. )(args|volumeMounts|securityContext)/$1$init.$2/r } @{$change{$component}};
				is join("\n", sort(differences(daemonset($base), daemonset($objects)))), join("\n", sort @want),
					"$component changes what it says";
				is json([ grep { $_->{kind} ne 'DaemonSet' } @$objects ]),
					json([ grep { $_->{kind} ne 'DaemonSet' } @$base ]), '... and nothing else';
			} else {
				is json([ grep { m{^. \Q$init\E} } differences(daemonset($base), daemonset($objects)) ]), '[]',
					"$component leaves the init container alone";
			}
		}
	}
	# With those that have ConfigMaps of their own.
	for my $besides ('', grep { slurp("k8s/components/$_/kustomization.yaml") =~ /^configMapGenerator:/m } components()) {
		my ($plain, $hashed) = map { render($kubectl, overlay('base', $besides || (), @$_)) } [], ['config-hash'];
		my $suffix = qr/-[0-9a-z]{10}$/;
		my %map = map { $_->{kind} eq 'ConfigMap' ? ($_->{metadata}{name} => 1) : () } @$hashed;
		my $with = $besides ? "with $besides" : 'alone';
		is join(' ', grep { !/$suffix/ } sort keys %map), '', "config-hash $with: every ConfigMap has a hash in its name";
		is misfits($hashed), '', "config-hash $with: every reference leads to one of them";
		s/(cloud-audit-[a-z-]+?)-[0-9a-z]{10}(?=")/$1/g for my $without = json($hashed);
		is_deeply [ sort { json($a) cmp json($b) } @{JSON::PP->new->decode($without)} ],
			[ sort { json($a) cmp json($b) } @{JSON::PP->new->decode(json($plain))} ], "config-hash $with: all else is as without";
	}
	{
		# As a user writes it: a setting of his own in a kustomization, the component last.
		my $rolled = sub {
			my ($lock, @components) = @_;
			my $dir = overlay('base', @components);
			put("$dir/config.ini", "[audit]\nlock = $lock\n");
			put("$dir/kustomization.yaml", slurp("$dir/kustomization.yaml") . "configMapGenerator:\n- name: cloud-audit-setup\n" .
				"  namespace: cos-auditd\n  behavior: replace\n  files: [config.ini]\n");
			my $objects = render($kubectl, $dir);
			my ($map) = grep { /^cloud-audit-setup/ } map { $_->{kind} eq 'ConfigMap' ? $_->{metadata}{name} : () } @$objects;
			return wantarray ? $map : json(daemonset($objects)->{spec}{template});
		};
		isnt scalar $rolled->('yes', 'config-hash'), scalar $rolled->('no', 'config-hash'),
			'with config-hash a changed setting changes the Pods: it rolls out by itself';
		is scalar $rolled->('yes', 'config-hash'), scalar $rolled->('yes', 'config-hash'), '... and an equal one does not';
		is scalar $rolled->('yes'), scalar $rolled->('no'), 'without it the Pods stay until they are started again';
		my ($before, $after, $hashed, $other) = map { ($rolled->(@$_))[0] } [ 'yes' ], [ 'no' ], [ 'yes', 'config-hash' ], [ 'no', 'config-hash' ];
		isnt $hashed, $other, 'with config-hash former Pods keep their ConfigMap';
		is $before, $after, '... without it is replaced under them';
		my ($said) = slurp('k8s/README.md') =~ /^(ConfigMaps keep their names.*?)\n\n/ms;
		is join(' ', grep { index($said // '', "`$_`") < 0 } 'rollout undo', 'cloud-audit-setup render rules FILE', 'helm rollback'), '',
			'... as k8s/README.md tells, and what to do';
	}
	# One for the init container with one for the shipper.
	for my $one (sort keys %is_setup) {
		for my $other (grep { !$is_setup{$_} } components()) {
			# Its rules are in a unit without a file.
			next if "$one $other" =~ /^dbus-only watch/;
			my $objects = eval { render($kubectl, overlay('base', $one, $other)) } || diag $@;
			is ref $objects ? misfits($objects) : 'not rendered', '', "$one and $other go together";
		}
	}
	{
		my $objects = render($kubectl, overlay('base', 'dbus-only'));
		is_deeply [ grep { !/ConfigMap/ } @{mounts(pod($objects), container($objects, 'initContainers', 'cloud-audit-setup'))} ],
			['/host/run/dbus/system_bus_socket = /run/dbus/system_bus_socket Socket ro'],
			'dbus-only mounts nothing of the host for the init container but the socket of its bus';
		is_deeply mounts(pod($objects), container($objects, 'containers', 'fluentd')), mounts($pod, $fluentd),
			'dbus-only leaves the shipper what it reads';
	}

	# --- watch ---
	my @read = ('/config = ConfigMap cloud-audit-setup ro', '/etc/cloud-audit-setup/rules.d = ConfigMap cloud-audit-rules ro');
	my $textfile = '/textfile = /var/lib/node_exporter/textfile_collector DirectoryOrCreate rw';
	for ([ [ 'watch' ], [ '/host = / Directory ro', @read ] ],
		[ [ 'recursive-read-only', 'watch' ], [ '/host = / Directory ro IfPossible', @read ] ],
		[ [ 'selinux', 'watch' ], [ '/host = / Directory ro', @read ] ],
		[ [ 'apparmor-unconfined', 'selinux', 'watch-textfile' ], [ $textfile, '/host = / Directory ro', @read ],
		'--textfile=/textfile/cloud-audit-setup.prom' ],
		[ [ 'watch-textfile' ], [ $textfile, '/host = / Directory ro', @read ], '--textfile=/textfile/cloud-audit-setup.prom' ],
		[ [ 'fluent-bit', 'keystrokes', 'identity', 'watch-textfile' ], [ $textfile, '/host = / Directory ro', @read ],
		'--textfile=/textfile/cloud-audit-setup.prom' ]) {
		my ($components, $mounts, @more) = @$_;
		my $objects = render($kubectl, overlay('base', @$components));
		my ($verify, $init) = (container($objects, 'containers', 'verify'), container($objects, 'initContainers', 'cloud-audit-setup'));
		is misfits($objects), '', "@$components: every reference leads somewhere";
		is rights($verify, '{"add":["AUDIT_CONTROL"],"drop":["ALL"]}', map { @{$unheld{$_} || []} } @$components), '',
			'... its container has AUDIT_CONTROL and no right besides, and is held by a security module as the init container is';
		is_deeply [ sort @{mounts(pod($objects), $verify)} ], [ sort @$mounts ], '... and writes to one directory of the host at most';
		is_deeply $verify->{command}, [ qw(/usr/sbin/cloud-audit-setup --every=5min --changes --output=json --short --set=dbus.address=none), @more ],
			'... it looks again and again, without a bus';
		is_deeply $verify->{args}, [ map { $_ eq 'apply' ? 'verify' : $_ } @{$init->{args}} ], '... at what the init container was told to apply';
		is $verify->{image}, $init->{image}, '... in the same image';
		my @arguments = map { $_ eq '/config/config.ini' ? $ini : $_ } grep { !/^--(?:every|changes|textfile)/ } @{$verify->{command}}[1 .. $#{$verify->{command}}],
			@{$verify->{args}};
		my ($code, $out) = run($program, '-R', $root, @arguments);
		like "$code $out", qr/^(?:1 \{.*"result":"failed"|[45] \{.*"matches":false)/, '... the program takes its arguments';
	}
}

# --- the sources ---
SKIP: {
	skip 'yamllint is missing: apt-get install yamllint', 1 if (run('yamllint', '--version'))[0];
	my $rules = '{extends: default, rules: {document-start: disable, indentation: {indent-sequences: whatever},' .
		' line-length: %s, comments-indentation: disable, truthy: {check-keys: false}}}';
	my (undef, $out) = run('yamllint', '-s', '-f', 'parsable', '-d', sprintf($rules, '{max: 130}'), 'k8s/base',
		'k8s/components', 'k8s/remove');
	is $out, '', 'yamllint has nothing to say about the sources';
	(undef, $out) = run('yamllint', '-s', '-f', 'parsable', '-d', sprintf($rules, 'disable'),
		glob 'k8s/*.yaml');
	is $out, '', 'nor about the flat files';
}

done_testing;
