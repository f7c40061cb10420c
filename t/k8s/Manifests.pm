# What the tests of k8s/ share: its kustomizations and flat files as Perl data, and the kubectl that renders.
package Manifests;
use strict;
use warnings;
use Exporter 'import';
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP;

our @EXPORT = qw(kubectl load_yaml load_flat render overlay components object daemonset pod container
	names mounts differences json slurp_file);

my $json = JSON::PP->new->canonical->allow_nonref;
sub json { return $json->encode($_[0]) }

# The path of a kubectl that can render, or undef and why.
sub kubectl {
	my $path = `t/k8s/kubectl 2>&1`;
	chomp $path;
	return $? ? (undef, (split /\n/, $path)[-1] || 'no kubectl') : $path;
}

sub slurp_file {
	my ($path) = @_;
	open my $f, '<', $path or die "$path: $!";
	local $/;
	return scalar <$f>;
}

# All documents of a text; true and false as such, so that they differ from 1 and "".
sub load_yaml {
	my ($text) = @_;
	require YAML::XS;
	no warnings 'once';
	local $YAML::XS::Boolean = 'JSON::PP';
	return [ grep { defined } YAML::XS::Load($text) ];
}

sub load_flat { return load_yaml(slurp_file($_[0])) }

# The objects of a kustomization; dies with what kubectl said.
sub render {
	my ($kubectl, $dir) = @_;
	my $out = `$kubectl kustomize $dir 2>&1`;
	die "kubectl kustomize $dir: $out" if $?;
	return load_yaml($out);
}

# A kustomization as a user writes one: these components on top of a folder of k8s/. Kustomize takes folders
# by relative path only, so it lies in the tree.
sub overlay {
	my ($base, @components) = @_;
	make_path('build');
	my $dir = tempdir('build/overlay-XXXXXX', CLEANUP => 1);
	open my $f, '>', "$dir/kustomization.yaml" or die;
	print $f "resources:\n- ../../k8s/$base\n";
	print $f "components:\n", map { "- ../../k8s/components/$_\n" } @components if @components;
	close $f or die;
	return $dir;
}

sub components { return map { m{([^/]+)/kustomization\.yaml$} } sort glob 'k8s/components/*/kustomization.yaml' }

sub names { return join ' ', sort map { "$_->{kind}/$_->{metadata}{name}" } @{$_[0]} }

sub object {
	my ($objects, $kind, $name) = @_;
	return (grep { $_->{kind} eq $kind && $_->{metadata}{name} eq $name } @$objects)[0];
}

sub daemonset { return object($_[0], 'DaemonSet', 'cloud-audit-logging') }
sub pod { return daemonset($_[0])->{spec}{template}{spec} }
sub container {
	my ($objects, $list, $name) = @_;
	return (grep { $_->{name} eq $name } @{pod($objects)->{$list} || []})[0];
}

# The mounts of a container, one line each: where, what (host path with its type, or ConfigMap, or emptyDir),
# and ro or rw.
sub mounts {
	my ($pod, $container) = @_;
	my %volume = map { $_->{name} => $_ } @{$pod->{volumes} || []};
	return [ map {
		my $v = $volume{$_->{name}} || {};
		my $what = $v->{hostPath} ? "$v->{hostPath}{path} " . ($v->{hostPath}{type} || 'any')
			: $v->{configMap} ? "ConfigMap $v->{configMap}{name}"
			: exists $v->{emptyDir} ? 'emptyDir' : '?';
		"$_->{mountPath} = $what " . ($_->{readOnly} ? 'ro' : 'rw') .
			($_->{recursiveReadOnly} ? " $_->{recursiveReadOnly}" : '');
	} @{$container->{volumeMounts} || []} ];
}

# The element of a list of hashes by its own name, so that a list reads as what it is: a set of named things.
sub keyed {
	my ($list) = @_;
	my %named = map { ref $_ eq 'HASH' ? (($_->{mountPath} || $_->{name} || '') => $_) : ('' => 1) } @$list;
	return if !@$list || keys %named != @$list || exists $named{''};
	return \%named;
}

# What two values differ in: one line "- PATH = VALUE" or "+ PATH = VALUE" for whatever one of them lacks.
sub differences {
	my ($old, $new, $path) = @_;
	my $names;
	$path = '' unless defined $path;
	return () if json($old) eq json($new);
	if (ref $old eq 'ARRAY' && ref $new eq 'ARRAY') {
		my ($a, $b) = (keyed($old), keyed($new));
		if ($a && $b) {
			($old, $new, $names) = ($a, $b, 1);
		} elsif (!grep { ref } @$old, @$new) {
			my (%old, %new);
			$old{$_}++ for @$old;
			$new{$_}++ for @$new;
			return ((map { "- $path: $_" } grep { !$new{$_} } @$old),
				(map { "+ $path: $_" } grep { !$old{$_} } @$new));
		}
	}
	if (ref $old eq 'HASH' && ref $new eq 'HASH') {
		my %all = (%$old, %$new);
		return map {
			my $p = $names ? "$path\[$_]" : $path eq '' ? $_ : "$path.$_";
			!exists $old->{$_} ? "+ $p = " . json($new->{$_})
				: !exists $new->{$_} ? "- $p = " . json($old->{$_})
				: differences($old->{$_}, $new->{$_}, $p);
		} sort keys %all;
	}
	return ("- $path = " . json($old), "+ $path = " . json($new));
}

1;
