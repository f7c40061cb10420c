#!/usr/bin/perl
# The Helm chart: the objects that it makes are the kustomizations' for equal settings; its values are the program's
# settings, and take what the program takes; its package is one that helm pulls. No cluster is needed:
# t/27-apiserver.t installs it on API servers, t/95-cluster.t on nodes.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit', 't/k8s';
use Cli qw(program run put slurp make_root $tmp);
use Manifests;

plan skip_all => 'the program has no part in it: once is enough' if ($ENV{BUILD} || 'build') ne 'build';
plan skip_all => 'YAML::XS is missing: apt-get install libyaml-libyaml-perl' unless eval { require YAML::XS };
my $npm = `t/k8s/fetch 2>$tmp/why`;
plan skip_all => (split /\n/, slurp("$tmp/why"))[-1] || 't/k8s/fetch failed' if $?;
chomp $npm;
my @releases = sort { $a <=> $b } map { m{/1\.(\d+)$} } glob "$npm/kubectl/1.*";
my @helms = sort glob "$npm/helm/1.*";
my $helm = $helms[-1];
plan skip_all => 'the helm from npm does not run on this machine' if (run($helm, 'version'))[0];
my ($kubectl) = kubectl();
my ($version) = slurp('Makefile') =~ /^VERSION := (\S+)$/m;
# Nothing of the machine's own configuration, nor a plugin of it.
$ENV{"HELM_$_"} = "$tmp/helm" for qw(CONFIG_HOME CACHE_HOME DATA_HOME);
delete $ENV{KUBECONFIG};
my $yes = JSON::PP::true;

my %helm = map { $_ => (run($_, 'version', '--short'))[1] =~ /^v(\d+\.\d+)/ ? $1 : '?' } @helms;
is_deeply [ grep { defined } map { my $h = $_; grep { $_ eq $h } values %helm } '3.16', '4.1' ], [ '3.16', '4.1' ],
	'there are a helm 3.16 and a 4.1, and ' . ($helm{$helm} eq '4.1' ? 'no newer one' : $helm{$helm});

# --- what is made is what is there ---
{
	my $settings = put("$tmp/settings", (run(program(), '--help', 'settings'))[1]);
	mkdir "$tmp/made";
	my (undef, undef, $err) = run('k8s/make-chart', $settings, "$tmp/made");
	is $err, '', 'make-chart makes the chart of the kustomizations and the settings';
	for (qw(Chart.yaml values.yaml values.schema.json templates/objects.yaml templates/_data.tpl)) {
		ok slurp("k8s/chart/$_") eq slurp("$tmp/made/$_"), "k8s/chart/$_ is what it makes: make manifests"
			or diag((run('diff', '-u', "k8s/chart/$_", "$tmp/made/$_"))[1]);
	}
}

# --- the package ---
$ENV{CHART_OUT} = "$tmp/package";
$ENV{SOURCE_DATE_EPOCH} = 1700000000;
is((run('container/chart'))[0], 0, 'the chart is packaged');
my $package = "$tmp/package/cloud-audit-setup-$version.tgz";
my $archive = "$tmp/package/cloud-audit-setup-chart-$version.oci.tar";
my $first = join ' ', map { slurp($_) } $package, $archive;
run('container/chart');
ok $first eq join(' ', map { slurp($_) } $package, $archive), 'twice with the same bytes';
{
	mkdir "$tmp/layout";
	run('tar', '-C', "$tmp/layout", '-xf', $archive);
	pipe my $port_in, my $port_out or die;
	pipe my $end_in, my $end_out or die;
	my $pid = fork // die;
	if (!$pid) {
		close $end_out;
		open STDIN, '<&', $end_in or die;
		open STDOUT, '>&', $port_out or die;
		exec 't/k8s/registry', "$tmp/layout" or die;
	}
	close $_ for $port_out, $end_in;
	chomp(my $port = <$port_in> // '');
	for my $h (@helms) {
		mkdir "$tmp/pulled";
		my ($code, $out, $err) = run($h, 'pull', "oci://127.0.0.1:$port/charts/cloud-audit-setup", '--version', $version,
			'--plain-http', '-d', "$tmp/pulled");
		my $digest = slurp("$tmp/package/chart-digest") =~ s/\n//r;
		like "$code $out$err", qr/^0 .*^Digest: \Q$digest\E$/ms, "helm $helm{$h} pulls the artifact from a registry";
		my ($pulled) = glob "$tmp/pulled/*";
		ok $pulled && slurp($pulled) eq slurp($package), 'and gets the package';
		unlink $pulled if $pulled;
	}
	close $end_out;
	waitpid $pid, 0;
}

# --- helm's own opinion ---
for my $h (@helms) {
	my ($code, $out, $err) = run($h, 'lint', '--strict', $package);
	is $code . (($out . $err) =~ s/^\[INFO\] .*\n//mgr), "0==> Linting $package\n\n1 chart(s) linted, 0 chart(s) failed\n",
		"helm $helm{$h} lint finds nothing";
}

# The objects for these values, or what helm says against them.
sub chart {
	my ($values, @args) = @_;
	my $file = put("$tmp/values.yaml", ref $values ? json($values) : $values);
	my ($code, $out, $err) = run($helm, 'template', 'release', $package, '-n', 'cos-auditd', '-f', $file, @args);
	return $code ? $err : load_yaml($out);
}
sub sorted { return [ sort { "$a->{kind}/$a->{metadata}{name}" cmp "$b->{kind}/$b->{metadata}{name}" } @{$_[0]} ] }
# Whatever the order of mounts and arguments.
sub unlike_each_other { return join "\n", differences(map { my $list = $_; ({ map { ("$_->{kind}/$_->{metadata}{name}" => $_) } @$list }) } @_) }
# Without the hash, which is the chart's alone.
sub unhashed {
	my ($objects) = @_;
	delete daemonset($objects)->{spec}{template}{metadata}{annotations}{'checksum/config'} if ref $objects;
	return $objects;
}
sub hash { return daemonset($_[0])->{spec}{template}{metadata}{annotations}{'checksum/config'} }

# --- the kustomizations' objects ---
my %namespace = (namespace => { create => $yes });
my $default = chart(\%namespace);
like hash($default), qr/^[0-9a-f]{64}$/, 'the Pods have a hash of the settings';
is json(sorted(unhashed($default))), json(sorted(render($kubectl, 'k8s/base'))), 'else the chart makes what k8s/base is, to the letter';
is names(chart({})), names($default) =~ s{Namespace/\S+ }{}r, 'without the namespace, as helm has made it by then';
for my $with (map({ [ $helm, $_ ] } @releases), map({ [ $_, 28 ] } @helms)) {
	my ($h, $release) = @$with;
	my ($code, $out) = run($h, 'template', 'release', $package, '-n', 'cos-auditd', '--kube-version', "1.$release.0", '--set',
		'namespace.create=true');
	is json(unhashed(load_yaml($out))), json($default), "the same for Kubernetes 1.$release, by helm $helm{$h}";
}
is json(unhashed(load_yaml((run($helm, 'template', 'release', 'k8s/chart', '-n', 'cos-auditd', '--set', 'namespace.create=true'))[1]))),
	json($default), 'the same from the source tree as from the package';
like((run($helm, 'template', 'r', $package, '--kube-version', '1.19.0'))[2], qr/requires kubeVersion: >=1\.20/, 'not for 1.19');

my @components = sort keys %{load_yaml(slurp('k8s/chart/values.yaml'))->[0]{components}};
my @there = sort map { s{^k8s/components/(.*)/kustomization\.yaml$}{$1}r } glob 'k8s/components/{*,*/*}/kustomization.yaml';
is "@components", join(' ', grep { $_ ne 'config-hash' } @there), 'every component is a value; config-hash is what the chart always does';
sub with { return { %namespace, components => { map { $_ => $yes } @_ } } }
for my $one (@components) {
	is json(sorted(unhashed(chart(with($one))))), json(sorted(render($kubectl, overlay('base', $one)))),
		"$one: the same objects as by kustomize";
}
# Which do not go together.
my @refused = map { [ /"(\S+)" "(\S+)"/ ] } grep { /^\t\(list / } split /\n/, slurp('k8s/chart/templates/_helpers.tpl');
cmp_ok scalar(@refused), '>=', 8, 'there are pairs that do not go together';
for (@refused) {
	like chart(with(@$_)), qr/components\.\Q$_->[0]\E and components\.\Q$_->[1]\E do not go together: /, "$_->[0] and $_->[1]: refused, by name";
}
my %refused = map { ("@$_" => 1, join(' ', reverse @$_) => 1) } @refused;
# What a component sets by an argument, config cannot take back.
{
	my %sets = map { $_ => [ map { /^--set=((\w+)\.(\w+)=(.*))$/ ? [ $1, $2, $3, $4 ] : () }
		@{container(render($kubectl, overlay('base', $_)), 'initContainers', 'cloud-audit-setup')->{args}} ] } @components;
	my @said = map { /^\t"(\S+ \w+\.\w+=\S+)"/ ? $1 : () } split /\n/, slurp('k8s/chart/templates/_helpers.tpl');
	# Of two words one is the default and the other the component's: nothing to tell apart.
	is_deeply [ sort @said ], [ sort grep { $_ ne 'dbus-only unit.mode=transient' } map { my $c = $_; map { "$c $_->[0]" } @{$sets{$c}} } @components ],
		'the chart knows what components set by arguments';
	for (map { my $c = $_; map { [ $c, @$_ ] } @{$sets{$c}} } grep { $_ ne 'dbus-only' } @components) {
		my ($component, $set, $section, $key, $value) = @$_;
		my $other = $value eq 'yes' ? JSON::PP::false : 'crio.service';
		my $with = sub { return chart({ %{with($component)}, config => { $section => { $key => $_[0] } }, @_[1 .. $#_] }) };
		my $written = $value eq 'yes' ? 'no' : $other;
		like $with->($other), qr/config\.\Q$section.$key\E: \Q$written\E has no effect: components\.\Q$component\E sets \Q$set\E; .*extraArgs/,
			"$component: $section.$key = $written is refused, which it would silently outweigh";
		ok ref $with->($value), '... not what it sets itself';
		ok ref $with->($other, extraArgs => ["--set=$section.$key=$written"]), '... nor where the argument is there that outweighs it';
		ok ref $with->($other, action => 'remove'), '... nor when nodes are taken back';
		# As `helm show values` has it: whose word it is cannot be told.
		ok ref $with->($value eq 'yes' ? 'no' : ''), '... nor the default';
	}
	ok ref chart({ config => { container => { restart => JSON::PP::false, runtime_unit => 'crio.service' } } }), 'without a component they are config\'s';
}
# Each with all that go with it, so that what two of them change is seen, too.
my %sets;
for my $one (@components) {
	my @set = $one;
	for my $more (@components, @components) {
		push @set, $more unless grep { $_ eq $more || $refused{"$_ $more"} } @set;
	}
	$sets{join ' ', sort @set} = 1;
}
for my $set (sort keys %sets) {
	my @set = split / /, $set;
	my ($made, $want) = (unhashed(chart(with(@set))), eval { render($kubectl, overlay('base', @set)) });
	ok ref $made && $want, "kustomize and chart take together: $set" or diag $made, $@;
	next unless ref $made && $want;
	is unlike_each_other($want, $made), '', '... and make the same objects';
}
for ([], ['fluent-bit'], ['forward'], ['dbus-only']) {
	is unlike_each_other(render($kubectl, overlay('remove', @$_)), unhashed(chart({ action => 'remove', %{with(@$_)} }))), '',
		"action: remove is k8s/remove (@$_)";
}
for my $one (grep { /^watch/ } @components) {
	is unlike_each_other(render($kubectl, 'k8s/remove'), unhashed(chart({ action => 'remove', %{with($one)} }))), '',
		"action: remove with $one: nobody calls a node different that is taken back";
}

{
	my $undo = chart({ action => 'remove', %namespace });
	my $moved = unlike_each_other($undo, my $opt = chart({ action => 'remove', hostBin => '/opt', %namespace }));
	like json(mounts(pod($opt), container($opt, 'initContainers', 'cloud-audit-setup'))), qr{"/host/opt = /opt Directory rw"},
		'hostBin: another directory';
	is $moved =~ tr/\n// + 1, 4, '... is mounted in its place, and nothing else changes' or diag $moved;
	my $left = unlike_each_other($undo, my $none = chart({ action => 'remove', hostBin => '', %namespace }));
	unlike json(pod($none)), qr/host-bin|kubernetes\/bin/, 'hostBin empty: neither volume nor mount, for nodes that have no such directory';
	is $left =~ tr/\n// + 1, 2, '... and nothing else changes' or diag $left;
}
like chart({ hostBin => '/srv' }), qr/hostBin/, 'helm refuses a hostBin that the program does not look into';

# --- the values are the settings ---
my $ini = slurp('k8s/base/config.ini');
sub config { my ($objects) = @_; return ref $objects ? object($objects, 'ConfigMap', 'cloud-audit-setup')->{data}{'config.ini'} : $objects }
sub ini_with {
	my (%set) = @_;
	my $section = '';
	return join "\n", map {
		$section = $1 if /^\[(.+)\]$/;
		/^;?([\w-]+) =/ && defined $set{"$section.$1"} ? "$1 = " . $set{"$section.$1"} : $_;
	} split /\n/, $ini, -1;
}
# What the unit test of the configuration holds against the program: values that it takes, and that it does not.
my @keys;
{
	my ($table) = slurp('t/unit/config.c') =~ /keys\[\] = \{\n(.*?)^\};/ms;
	my ($booleans) = $table =~ /define YES_NO ("[^\n]+)/;
	$table =~ s/, YES_NO \}/, $booleans }/g;
	my $strings = sub { return [ map { s/\\(.)/$1/gr } $_[0] =~ /"((?:[^"\\]|\\.)*)"/g ] };
	push @keys, { section => $1, key => $2, default => $3, good => $strings->($4), bad => $strings->($5) }
		while $table =~ /\{ "([a-z]+)", "([\w-]+)", "([^"]*)",\s+"[^"]*",\s+\{([^{}]*)\},\s+\{([^{}]*)\}/g;
}
my $schema = JSON::PP->new->decode(slurp('k8s/chart/values.schema.json'));
my %sections = %{$schema->{properties}{config}{properties}};
is join(' ', sort map { my $s = $_; map { "$s.$_" } keys %{$sections{$s}{properties}} } keys %sections),
	join(' ', sort map { "$_->{section}.$_->{key}" } @keys), 'the schema has every key of the configuration, and no other';
# A number as YAML has it, where the schema has one.
sub typed {
	my ($key, $value) = @_;
	my $is = $sections{$key->{section}}{properties}{$key->{key}};
	my $number = grep { ($_->{type} // '') eq 'integer' } $is, @{$is->{anyOf} || []};
	return $number && $value =~ /^-?\d{1,15}$/ ? $value + 0 : $value;
}
sub setting { my ($key, $value) = @_; return { config => { $key->{section} => { $key->{key} => $value } } } }
{
	my (@asked, @names, @expected);
	for my $key (@keys) {
		for (map({ [ $_, 'taken' ] } @{$key->{good}}), map({ [ $_, 'refused' ] } @{$key->{bad}}, "/x\n[audit]\nlock = no")) {
			push @asked, setting($key, typed($key, $_->[0]));
			push @expected, "$key->{section}.$key->{key} = '$_->[0]': $_->[1]";
			my $is = $sections{$key->{section}}{properties}{$key->{key}};
			my @items = split /\s*,\s*/, $_->[0];
			# A list of YAML is as what it joins to is; none of nothing.
			next if !@items || grep({ $_ eq '' } @items) || !grep { ($_->{type} // '') eq 'array' } @{$is->{anyOf} || []};
			push @asked, setting($key, [ map { typed($key, $_) } @items ]);
			push @expected, "$key->{section}.$key->{key} = [" . join('|', @items) . "]: $_->[1]";
		}
	}
	for ([ exclude_exe => 7 ], [ exclude_exe => '/bin/a, b' ], [ exclude_types => ' ' ], [ exclude_uid => "a\nb" ], [ exclude_uid => '' ]) {
		push @asked, { config => { filter => { $_->[0] => [ $_->[1] ] } } };
		push @expected, "filter.$_->[0] = [$_->[1]]: refused";
	}
	push @asked, { config => { container => { identity_except => [ $_ ] } } } for my @except = ('shop/web', 'shop', '7', 'shop/', '/web', 'shop/web/x', 'Shop', 'shop/Web');
	push @expected, map { "container.identity_except = [$_]: " . (m{^[a-z0-9.-]+(/[a-z0-9.-]+)?$} ? 'taken' : 'refused') } @except;
	cmp_ok scalar(@asked), '>=', 200, 'there are enough values to ask about';
	my $file = put("$tmp/asked", json({ schema => $schema, asked => \@asked }));
	my ($code, $out, $err) = run('python3', '-c', 'import json, sys
from jsonschema import Draft7Validator as Validator
it = json.load(open(sys.argv[1]))
Validator.check_schema(it["schema"])
validator = Validator(it["schema"])
for value in it["asked"]:
    print("taken" if validator.is_valid(value) else "refused")', $file);
	SKIP: {
		skip 'python3-jsonschema is missing', 1 if $code && $err =~ /No module named/;
		my @got = split /\n/, $out;
		is join("\n", map { my $i = $_; $expected[$i] =~ s/\w+$/$got[$i] \/\/ $err/re } 0 .. $#expected), join("\n", @expected),
			'it takes what the program takes, and nothing else';
	}
}
{
	my (%values, %set);
	for my $key (@keys) {
		my ($other) = grep { $_ ne $key->{default} } reverse @{$key->{good}};
		$values{$key->{section}}{$key->{key}} = typed($key, $other);
		$set{"$key->{section}.$key->{key}"} = $other;
	}
	is config(chart({ config => \%values })), ini_with(%set), 'each value stands at its place in config.ini, the rest as it was';
}
{
	my $made = config(chart(<<'END'));
config:
  audit: {lock: no, backlog_limit: 4294967295, failure: panic}
  events: {exec: false, socket: no, tty: yes}
  filter: {exclude_types: [CWD, PROCTITLE], exclude_uid: [1000000, node], min_auid: 1000000}
END
	is $made, ini_with('audit.lock' => 'no', 'audit.backlog_limit' => '4294967295', 'audit.failure' => 'panic', 'events.exec' => 'no',
		'events.socket' => 'no', 'events.tty' => 'yes', 'filter.exclude_types' => 'CWD,PROCTITLE',
		'filter.exclude_uid' => '1000000,node', 'filter.min_auid' => '1000000'), "YAML's own no, numbers and lists mean what they say";
	my ($code, $out, $err) = run(program(), '-R', make_root(), '-c', put("$tmp/config.ini", $made), 'render', 'rules');
	is $code, 0, 'and the program reads it' or diag $err;
	is config(chart({}, '--set', 'config.events.socket=no,config.audit.backlog_limit=100,config.filter.exclude_types=CWD\,PATH')),
		ini_with('events.socket' => 'no', 'audit.backlog_limit' => 100, 'filter.exclude_types' => 'CWD,PATH'), 'so does --set';
}
for ([ '{audit: {lokc: yes}}', 'lokc' ], [ '{audits: {lock: yes}}', 'audits' ], [ '{audit: {lock: maybe}}', '/config/audit/lock' ]) {
	like chart("config: $_->[0]\n"), qr/\Q$_->[1]\E/, "helm refuses $_->[0], and names it";
}
like chart("components: {idenity: true}\n"), qr/idenity/, 'so does it a component that is none';

# --- the other values ---
{
	my $digest = 'sha256:' . 'a' x 64;
	my $objects = chart(<<"END");
image: {repository: example.org/p/cloud-audit-setup, digest: $digest}
shipper:
  image: {repository: example.org:5000/fluentd, tag: mine}
  files: {filter.conf: "# mine\\n"}
imagePullSecrets: [{name: key}]
rules: {60-mine.rules: "-w /etc/hosts -p wa -k hosts\\n"}
nodeSelector: {kubernetes.io/os: linux, audit: canary}
tolerations: []
maxUnavailable: 1
resources: {cloud-audit-setup: {requests: {memory: 20Mi}}}
extraArgs: ["--set=container.restart=no"]
serviceAccount: {annotations: {iam.gke.io/gcp-service-account: a\@b}}
END
	unhashed($objects);
	my $init = 'DaemonSet spec.template.spec.initContainers[cloud-audit-setup]';
	my $main = 'DaemonSet spec.template.spec.containers[fluentd]';
	my @changed = map {
		my $o = $_;
		map { my $line = $_; $line =~ s/^(. )/$1$o->{kind} /; length $line > 200 ? substr($line, 0, 60) : $line }
			differences($o, object($objects, $o->{kind}, $o->{metadata}{name}))
	} grep { $_->{kind} ne 'Namespace' } @$default;
	my ($filter) = grep { /filter\.conf/ && /^-/ } @changed;
	is join("\n", sort grep { $_ ne $filter } @changed), join("\n", sort
		"- $init.image = \"cloud-audit-setup:$version\"", "+ $init.image = \"example.org/p/cloud-audit-setup\@$digest\"",
		"- $main.image = " . json(container($default, 'containers', 'fluentd')->{image}), "+ $main.image = \"example.org:5000/fluentd:mine\"",
		"+ ConfigMap data.filter.conf = \"# mine\\n\"", '+ DaemonSet spec.template.spec.imagePullSecrets = [{"name":"key"}]',
		'+ ConfigMap data.60-mine.rules = "-w /etc/hosts -p wa -k hosts\n"',
		'- DaemonSet spec.template.spec.nodeSelector.cloud.google.com/gke-os-distribution = "cos"',
		'+ DaemonSet spec.template.spec.nodeSelector.audit = "canary"',
		'- DaemonSet spec.template.spec.tolerations = [{"operator":"Exists"}]', '+ DaemonSet spec.template.spec.tolerations = []',
		'- DaemonSet spec.updateStrategy.rollingUpdate.maxUnavailable = "10%"', '+ DaemonSet spec.updateStrategy.rollingUpdate.maxUnavailable = 1',
		"- $init.resources.limits = {\"memory\":\"64Mi\"}", "- $init.resources.requests.cpu = \"10m\"",
		"- $init.resources.requests.memory = \"16Mi\"", "+ $init.resources.requests.memory = \"20Mi\"",
		"+ $init.args: --set=container.restart=no",
		'+ ServiceAccount metadata.annotations = {"iam.gke.io/gcp-service-account":"a@b"}'), 'every other value changes what it says, and nothing else';
}

# --- the hash ---
my $hash = hash(chart({}));
is hash(chart({})), $hash, 'equal settings have an equal hash';
is hash(chart({ maxUnavailable => 1, resources => { fluentd => {} } })), $hash, 'what is no setting does not change it';
my %rolls = (
	'a setting' => { config => { audit => { lock => 'no' } } }, 'a rule' => { rules => { 'a.rules' => "-w /a -p wa -k a\n" } },
	'a file of the shipper' => { shipper => { files => { 'filter.conf' => '' } } },
	'a component with other files' => { components => { ecs => $yes } },
);
isnt hash(chart($rolls{$_})), $hash, "$_ that changes does: it rolls out by itself" for sort keys %rolls;
{
	my $to = sub { return hash(chart({ components => { forward => $yes }, forward => { host => $_[0] } })) };
	isnt $to->('a'), $to->('b'), 'so does the destination';
}

done_testing;
