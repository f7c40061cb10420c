#!/usr/bin/perl
# The manifests against Kubernetes itself: a kubectl of every release from 1.28 to the newest renders them and
# reads them with that release's API types; Kubernetes' OpenAPI; a linter. No cluster is needed.
use strict;
use warnings;
use Test::More;
use lib 't/unit', 't/k8s';
use Cli qw(run put slurp $tmp);
use Manifests;

plan skip_all => 'the program has no part in it: once is enough' if ($ENV{BUILD} || 'build') ne 'build';
plan skip_all => 'YAML::XS is missing: apt-get install libyaml-libyaml-perl' unless eval { require YAML::XS };
my $npm = `t/k8s/fetch 2>$tmp/why`;
plan skip_all => (split /\n/, slurp("$tmp/why"))[-1] || 't/k8s/fetch failed' if $?;
chomp $npm;
my %kubectl = map { m{/1\.(\d+)$} ? ($1 => $_) : () } glob "$npm/kubectl/1.*";
my @releases = sort { $a <=> $b } keys %kubectl;
my $newest = $kubectl{$releases[-1]};
plan skip_all => 'the kubectls from npm do not run on this machine' if (run($newest, 'version', '--client'))[0];

is_deeply \@releases, [ 28 .. $releases[-1] ], "there is a kubectl of every release from 1.28 to 1.$releases[-1]";
cmp_ok $releases[-1], '>=', 36, 'which is at least 1.36';
for my $release (@releases) {
	my (undef, $out) = run($kubectl{$release}, 'version', '--client');
	like $out, qr/^Client Version: v1\.$release\.\d+$/m, "1.$release is what it says";
}

# --- every way to put them together: [ name, folder ] ---
my @ways = ([ 'base', 'k8s/base' ], [ 'remove', 'k8s/remove' ],
	map { [ $_, overlay('base', $_) ] } components());
my %objects = map { my ($name, $dir) = @$_; $name => render($newest, $dir) } @ways;

for my $release (@releases) {
	my @other = grep { json(eval { render($kubectl{$release}, $_->[1]) } || $@) ne json($objects{$_->[0]}) } @ways;
	is join(' ', map { $_->[0] } @other), '', "kubectl kustomize of 1.$release renders all of them, and alike";
}

# --- what a release's types take of an object ---
# `kubectl set --local` reads an object into the API's own Go types and writes it again: what a release does not
# know is lost on the way, and what is of the wrong type is an error. One line a loss.
sub losses {
	my ($kubectl, $object) = @_;
	my $file = put("$tmp/object.json", json($object));
	my ($code, $out, $err) = run($kubectl, 'set', 'serviceaccount', '--local', '-f', $file,
		$object->{spec}{template}{spec}{serviceAccountName}, '-o', 'yaml');
	return "$err" if $code;
	# A service account has its old name, too, and what is written has defaults that were not there before.
	return join '', map { "$_\n" } grep { /^-/ } differences($object, load_yaml($out)->[0]);
}

# The others have no template of Pods. `kubectl patch --local` looks up in the types whatever is a list or a map,
# in an object that is patched with itself.
sub unknown {
	my ($kubectl, $object) = @_;
	my $file = put("$tmp/object.json", json($object));
	my ($code, undef, $err) = run($kubectl, 'patch', '--local', '-f', $file, '--type=strategic', '-p', json($object),
		'-o', 'name');
	return $code ? $err : '';
}

# Each once: most are the same everywhere.
my %others = map { json($_) => $_ } grep { $_->{kind} ne 'DaemonSet' } map { @{$objects{$_->[0]}} } @ways;
my $init = '- spec.template.spec.initContainers[cloud-audit-setup]';
my %since_1_30 = (
	'recursive-read-only' => qq($init.volumeMounts[/host].recursiveReadOnly = "IfPossible"\n),
	'apparmor-unconfined' => qq($init.securityContext.appArmorProfile = {"type":"Unconfined"}\n),
);
for my $release (@releases) {
	my $k = $kubectl{$release};
	for (@ways) {
		my ($name) = @$_;
		my $expected = $release < 30 ? $since_1_30{$name} // '' : '';
		is losses($k, daemonset($objects{$name})), $expected, $expected
			? "1.$release does not know what $name is about, which is why it is a component"
			: "1.$release knows every field of the DaemonSet of $name";
	}
	is join('', map { unknown($k, $others{$_}) } sort keys %others), '',
		"1.$release knows every map and list of the other objects";
}
{
	my $object = render($newest, 'k8s/base');
	my $ds = daemonset($object);
	$ds->{spec}{template}{spec}{initContainers}[0]{securityContext}{readOnlyRootFileSystem} = JSON::PP::true;
	is losses($newest, $ds), '- spec.template.spec.initContainers[cloud-audit-setup].securityContext.' .
		"readOnlyRootFileSystem = true\n", 'a misspelt field would be seen';
	$ds->{spec}{template}{spec}{hostPID} = 'yes';
	like losses($newest, $ds), qr/cannot unmarshal string into Go struct field PodSpec\.\S*hostPID of type bool/,
		'so would a wrong type';
	my $quota = object($object, 'ResourceQuota', 'cloud-audit-logging');
	$quota->{spec}{scopesSelector} = delete $quota->{spec}{scopeSelector};
	like unknown($newest, $quota), qr/unable to find api field in struct ResourceQuotaSpec .* "scopesSelector"/,
		'so would a misspelt map of another object';
}

# --- OpenAPI, and the linter ---
sub node {
	my ($script, $objects, @args) = @_;
	my $file = put("$tmp/objects.json", json($objects));
	my ($code, $out, $err) = run({ before => sub { open STDIN, '<', $file or die } }, 'node', "t/k8s/$script", $npm, @args);
	return $code ? "exit $code: $err" : $out;
}
is node('schema.mjs', $objects{$_->[0]}), '', "$_->[0]: Kubernetes' OpenAPI allows every value, and misses none" for @ways;
{
	my $object = render($newest, 'k8s/base');
	my $pod = pod($object);
	(grep { $_->{name} eq 'host-bus' } @{$pod->{volumes}})[0]{hostPath}{type} = 'socket';
	delete $pod->{containers}[0]{volumeMounts}[0]{mountPath};
	my $said = node('schema.mjs', $object);
	like $said, qr{^DaemonSet/cloud-audit-logging \S+/hostPath/type enum }m, 'a value that does not exist would be seen';
	like $said, qr{^DaemonSet/cloud-audit-logging /spec/template/spec/containers/0/volumeMounts/0 required }m,
		'so would a field that is missing';
}

# The startup taint of k8s/README.md, on a node.
{
	my ($key, $value, $effect) = slurp('k8s/README.md') =~ /--node-taints=([^=\s]+)=([^:\s]+):(\w+)/;
	my $tainted = sub { [ { apiVersion => 'v1', kind => 'Node', metadata => { name => 'n' },
		spec => { taints => [ { key => $key, value => $value, effect => $_[0] } ] } } ] };
	is node('schema.mjs', $tainted->($effect)), '', "a node may have the taint $key=$value:$effect";
	like node('schema.mjs', $tainted->('NoScheduling')), qr{/spec/taints/0/effect enum}, 'but none of another effect';
	is unknown($newest, $tainted->($effect)->[0]), '', 'kubectl knows it';
}

# What the linter finds and why it stays; all else is a failure. %c is any container of the Pod, %i the init
# container, %v any of its host path volumes, %k a variable that is the key of a Secret.
my @accepted = (
	[ 'KBP003 %c.resources.limits.cpu', 'a limit of CPU would delay the lock, and the records' ],
	[ 'KBP104 %c.securityContext.runAsUser', "the host's files, systemd and the journal are root's" ],
	[ 'PSS204 %c.securityContext.runAsUser', 'the same' ],
	[ 'PSS203 %c.securityContext.runAsNonRoot', 'the same' ],
	[ 'KBP105 %c.securityContext.runAsGroup', "so are the files that it writes" ],
	[ 'KBP109 %c.securityContext.runAsGroup', 'the same' ],
	[ 'PSS102 hostPID', 'the kernel answers to the initial PID namespace only' ],
	[ 'PSS104 %i.securityContext.capabilities.add', 'AUDIT_CONTROL: to ask it' ],
	[ 'PSS206 %i.securityContext.capabilities.add', 'the same' ],
	[ 'PSS105 volumes[%v].hostPath', 'it configures the host, and reads its journal' ],
	[ 'PSS201 volumes[%v].hostPath', 'the same' ],
	[ 'KBP112 %k.valueFrom.secretKeyRef', 'a password of the destination: the shipper takes it no other way' ],
);
my %accepted_with = (
	'selinux' => [ [ 'PSS108 %i.securityContext.seLinuxOptions', 'the type of what sets a host up' ] ],
	map { $_ => [ [ 'PSS104 containers[verify].securityContext.capabilities.add', 'AUDIT_CONTROL: to ask the kernel' ],
		[ 'PSS206 containers[verify].securityContext.capabilities.add', 'the same' ] ] } qw(watch watch-textfile),
);
for (@ways) {
	my ($name) = @$_;
	my $pod = pod($objects{$name});
	my @init = map { "initContainers[$_->{name}]" } @{$pod->{initContainers}};
	my %places = ('%i' => \@init, '%c' => [ @init, map { "containers[$_->{name}]" } @{$pod->{containers}} ],
		'%v' => [ map { $_->{hostPath} ? $_->{name} : () } @{$pod->{volumes}} ]);
	my @keys = map {
		my $c = $_;
		map { $_->{valueFrom}{secretKeyRef} ? "containers[$c->{name}].env[$_->{name}]" : () } @{$c->{env} || []}
	} @{$pod->{containers}};
	$places{'%k'} = \@keys;
	# The user makes the Secrets; they are in no file.
	my $secrets = @keys + grep { $_->{secret} } @{$pod->{volumes}};
	my @expected = map {
		my ($rule, $path) = split / /, $_->[0];
		my ($sign) = $path =~ /(%.)/;
		map { my $place = $_; "$rule DaemonSet/cloud-audit-logging spec.template.spec." . ($path =~ s/%./$place/r) }
			$sign ? @{$places{$sign}} : '';
	} @accepted, @{$accepted_with{$name} || []};
	push @expected, ('LNK001 DaemonSet/cloud-audit-logging Unsatisfied resource link.') x $secrets;
	is node('lint.mjs', $objects{$name}), join('', map { "$_\n" } sort @expected),
		"$name: the linter finds what we stand for, and nothing else";
}
cmp_ok scalar(() = node('lint.mjs', [], '--rules') =~ /^\S+$/mg), '>=', 40, 'it has at least 40 rules';
{
	my $object = render($newest, 'k8s/base');
	my $pod = pod($object);
	$pod->{containers}[0]{image} = 'fluentd';
	$pod->{initContainers}[0]{securityContext}{privileged} = JSON::PP::true;
	$pod->{hostNetwork} = JSON::PP::true;
	$_->{configMap}{name} =~ s/fluentd/fluent/ for grep { $_->{configMap} } @{$pod->{volumes}};
	my $said = node('lint.mjs', $object);
	my $at = 'DaemonSet/cloud-audit-logging spec.template.spec.';
	like $said, qr/^\Q$_\E/m, "it would find: $_" for "KBP116 ${at}containers[fluentd].image",
		"PSS103 ${at}initContainers[cloud-audit-setup].securityContext.privileged", "PSS102 ${at}hostNetwork",
		'LNK001 DaemonSet/cloud-audit-logging ';
}

done_testing;
