#!/usr/bin/perl
# t/smoke without a node: why it bails out, what it sends from a tarball's folder, JUnit's XML; and the jobs of t/smoke.d for CI.
# GitHub's is checked by @action-validator, of the npm registry; for Cloud Build and Prow there is no schema in a registry: their
# YAML is read, and what they rely on is looked at. On a node smoke runs in t/85-vm-smoke.t.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;
use lib 't/unit';
use Cli;

plan skip_all => 'YAML::XS is not installed: make deps' if !eval { require YAML::XS; 1 };

# A tarball's folder, and an ssh that is a script.
my $folder = "$tmp/cloud-audit-setup-9.9.9";
make_path("$folder/smoke", "$tmp/bin");
for my $file (['t/smoke', 'smoke'], ['t/vm/guest.sh', 'guest.sh'], ['t/vm-events/act.c', 'act.c']) {
	copy $file->[0], "$folder/smoke/$file->[1]" or die;
}
chmod 0755, "$folder/smoke/smoke";
put("$folder/cloud-audit-setup", "#!/bin/sh\n");
chmod 0755, "$folder/cloud-audit-setup";
sub smoke {
	my ($ssh, @command) = @_;
	put("$tmp/bin/ssh", "#!/bin/sh\n$ssh\n");
	chmod 0755, "$tmp/bin/ssh";
	my ($code, $out, $err) = run({ seconds => 120, before => sub { $ENV{PATH} = "$tmp/bin:$ENV{PATH}" } }, @command);
	return ($code, $out, $err);
}
my $refused = 'echo "Warning: something" >&2; echo "ssh: connect to host node port 22: Connection refused" >&2; exit 255';
for my $smoke ('t/smoke', "$folder/smoke/smoke") {
	my ($code, $out) = smoke($refused, $smoke, 'root@node');
	is $code, 1, "$smoke: without a node it fails";
	like $out, qr/^Bail out! no node at root\@node: ssh: connect to host node port 22: Connection refused$/m, 'and says why in the line that counts';
}
my ($code, $out) = smoke('cat >/dev/null; echo 1000; echo x86_64; case "$*" in *sudo*) echo "sudo: a password is required"; exit 1;; esac',
	"$folder/smoke/smoke", 'u@node');
like $out, qr/^Bail out! the user of u\@node may not become root by sudo: sudo: a password is required$/m, 'a user who is not root is told so';
($code, $out) = smoke('cat >/dev/null; echo 0; echo riscv64', "$folder/smoke/smoke", 'u@node');
like $out, qr/^Bail out! there is no tarball for riscv64$/m, 'a machine of another kind, too';

# A node that takes the tarball, whose program then does not run.
my $node = "case \"\$*\" in *'tar -xzf'*) cat >$tmp/sent;; *) s=\$(cat); case \$s in *uname*) echo 0; echo x86_64;; *mktemp*) echo /opt/x;; " .
	"*--version*) echo 'sh: ./cloud-audit-setup: Permission denied'; exit 126;; esac;; esac";
($code, $out) = smoke($node, "$folder/smoke/smoke", 'u@node');
like $out, qr/^Bail out! the program does not run there: sh: \.\/cloud-audit-setup: Permission denied$/m, 'a program that does not run there, too';
like qx{tar -tzf $tmp/sent 2>&1}, qr{^cloud-audit-setup-9\.9\.9/cloud-audit-setup$}m, 'in a tarball it sends its own folder';
($code, undef, my $err) = smoke($node, "$folder/smoke/smoke");
is $code, 2, 'without a node it tells its usage';
like $err, qr/^usage: t\/smoke \[-p PORT\]/, 'as it stands in its head';

SKIP: {
	skip 'TAP::Formatter::JUnit is not installed: make deps', 2 if !eval { require TAP::Formatter::JUnit; 1 };
	my (undef, $xml) = smoke($refused, 'prove', '--formatter', 'TAP::Formatter::JUnit', "$folder/smoke/smoke", '::', 'root@node');
	like $xml, qr/<testsuite [^>]*failures="[1-9]/, 'JUnit: a failed test is one';
	like $xml, qr/Connection refused/, 'JUnit: with the reason';
}

# --- the jobs ---
my %job = map { m{([^/]+)\.yaml$}; ($1 => slurp($_)) } glob 't/smoke.d/*.yaml';
is join(' ', sort keys %job), 'cloudbuild github-actions prow', 'there are jobs for three';
my %yaml = map { $_ => eval { YAML::XS::Load($job{$_}) } } keys %job;
is join(' ', grep { !$yaml{$_} } sort keys %yaml), '', 'each is YAML';
my %known = map { $_ => 1 } slurp('t/smoke') =~ /^while getopts (\S+)/m ? map { "-$_" } grep { /\w/ } split //, $1 : ();
for my $name (sort keys %job) {
	my ($call) = $job{$name} =~ /smoke\/smoke"?\s*(?:::)?([^\n]*(?:\n\s+::[^\n]*)?)/;
	my @unknown = grep { !$known{$_} } ($call // '') =~ /(?<!\S)(-\w)\b/g;
	is "@unknown" . ($call ? '' : 'no call'), '', "$name: calls smoke with options that it has";
}

my @steps = @{$yaml{cloudbuild}{steps}};
my %defined = map { $_ => 1 } keys %{$yaml{cloudbuild}{substitutions}}, qw(BUILD_ID PROJECT_ID);
my (@undefined, @broken);
for my $step (@steps) {
	my ($script) = $step->{args}[1];
	(my $rest = $script) =~ s/\$\$//g;
	push @undefined, grep { !$defined{$_} } $rest =~ /\$\{?([A-Za-z_]\w*)/g;
	put("$tmp/script", $script =~ s/\$\$/\$/gr);
	push @broken, $step->{id} if (run('/bin/bash', '-n', "$tmp/script"))[0] ne '0';
}
is "@undefined", '', 'Cloud Build: what it would put in place of a variable is defined, the shell\'s own are written $$';
is "@broken", '', 'Cloud Build: its scripts are bash';
is join(' ', map { $_->{id} } @steps), 'start smoke delete', 'Cloud Build: the machine is deleted whatever the test says';

my $prow = $yaml{prow}{periodics}[0];
my $container = $prow->{spec}{containers}[0];
is join(' ', grep { !defined $prow->{$_} } qw(name interval decorate spec)), '', 'Prow: a periodic job with a name and an interval';
is join(' ', map { $_->{name} } @{$container->{volumeMounts}}), join(' ', map { $_->{name} } @{$prow->{spec}{volumes}}), 'Prow: its mounts are its volumes';
like $container->{args}[0], qr{>"\$ARTIFACTS/junit_\w+\.xml"$}, 'Prow: the result is where and as Prow looks for it';

my $npm = abs_path('build') . '/npm-smoke';
my $validator = "$npm/node_modules/.bin/action-validator";
system("command -v npm >/dev/null && mkdir -p $npm && cd $npm && timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts " .
	"\@action-validator/cli\@0.6.0 \@action-validator/core\@0.6.0 >log 2>&1") if !-x $validator;
SKIP: {
	skip 'action-validator is not there: no npm, or no registry', 2 if !-x $validator;
	my @validate = ({ seconds => 120 }, $validator);
	make_path("$tmp/.github/workflows");
	my $file = put("$tmp/.github/workflows/smoke.yaml", $job{'github-actions'});
	my ($status, $said, $complaint) = run(@validate, $file);
	is "$status $said$complaint" =~ s/\s+\z//r, '0', 'GitHub Actions: action-validator has nothing against it';
	put($file, $job{'github-actions'} =~ s/runs-on:/run-on:/r);
	isnt((run(@validate, $file))[0], '0', 'GitHub Actions: but against a key that is none');
}
done_testing;
