#!/usr/bin/perl
# -o json: what is printed keeps to setup/output/output.schema.json, by a validator that is not ours, and what it says
# is so. A made-up root with a systemd that does nothing; the kernel is this machine's.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use MIME::Base64;
use Test::More;
use lib 't/unit';
use Cli;
use FakeNode;

my $why = usable() || (system('t/unit/validate line /dev/null >/dev/null') >> 8 == 77 && 'python3-jsonschema is missing');
plan skip_all => $why if $why;

my $program = program();
my $root = fake_node("$tmp/node");
my $systemd = fake_systemd("$root/run/systemd/private");
put("$root/etc/hostname", "node-7\n");
put("$root/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
put("$root/etc/audit/cloud-audit-setup.rules", "# earlier\n");
put("$tmp/config.ini", "[audit]\nlock = no\n");
my @args = ('-R', $root, '-c', "$tmp/config.ini", plain_rules());
# Merged by the optimiser, and the last one comes first in a listing.
put("$tmp/rules.d/a.rules", join '', map { "$_\n" } '-a always,exit -F arch=b64 -S mount -F auid=root -k x',
	'-a always,exit -F arch=b64 -S umount2 -F auid=root -k x', '-A always,exit -F arch=b64 -S all -F auid=77 -k y');

sub validate {
	my ($name, $json) = @_;
	put("$tmp/json", $json);
	my ($code, $out) = run('t/unit/validate', $name, "$tmp/json");
	return $code == 0 ? '' : "$code: $out";
}

my ($code, $out, $err) = run($program, @args, '-o', 'json', 'verify');
is validate('verify', $out), '', 'verify keeps to the schema';
is validate('message', $err), '', 'so do its messages';
my $v = decode_json($out);
is "$code $v->{command} $v->{status} " . ($v->{matches} ? 1 : 0), '4 verify 4 0', 'command, status and matches are as they were';
ok scalar(grep { !$_->{ok} && $_->{name} =~ /^rule in force: / && $_->{found} eq 'missing' } @{$v->{checks}}), 'and so are checks';

# --- which node, when, by what ---
is "$v->{node}{name} $v->{node}{machine_id}", 'node-7 0123456789abcdef0123456789abcdef', 'the name and the machine ID are those below the root';
is $v->{node}{boot_id}, slurp('/proc/sys/kernel/random/boot_id') =~ s/\n//r, 'the boot ID is the kernel\'s';
my ($version) = (run($program, '--version'))[1] =~ /(\d\S*)/;
is $v->{program}{version}, $version, 'the version is that of --version';
my $c = $v->{configuration};
is "$c->{file} $c->{sha256}", "$tmp/config.ini " . sha256_hex(slurp("$tmp/config.ini")), 'the configuration\'s file, with what sha256sum says of it';
is "$c->{settings}{audit}{lock} $c->{settings}{audit}{failure} $c->{settings}{unit}{start_timeout}", 'no printk 5s',
	'every setting in effect: the file\'s, the default, --set';
ok scalar(grep { $_ eq "rules.directory=$tmp/rules.d" } @{$c->{set}}), 'and what --set said';

# --- the rules ---
my @kernel = map { decode_json($_) } split /\n/, (run($program, @args, 'render', 'kernel'))[1];
my @rules = grep { $_->{rule} } @kernel;
is scalar @{$v->{rules_wanted}}, scalar @rules, 'each rule wanted';
is join('|', map { $_->{source} } @{$v->{rules_wanted}}), join('|', map { $_->{source} } @rules), 'with its FILE:LINE, in load order';
my ($merged) = grep { @{$_->{merged}} && $_->{source} =~ m{a\.rules} } @{$v->{rules_wanted}};
is join(' ', $merged->{source}, @{$merged->{merged}}), 'a.rules:1 a.rules:2', 'and with those of the rules merged into it';
is scalar @{$v->{rules_missing}}, scalar @rules, 'each is missing from the kernel here' unless $v->{rule_set}{in_force}{rules};
# The listing's form, made here from what would be sent: by list, prepended ones first, the class bits cleared.
my @data = map { decode_base64($_->{data}) } @rules;
my $flags = sub { unpack 'V', $_[0] };
my @listing;
for my $list (0 .. 7) {
	push @listing, reverse grep { $flags->($_) == ($list | 0x10) } @data;
	push @listing, grep { $flags->($_) == $list } @data;
}
for (@listing) {
	substr $_, 0, 4, pack 'V', $flags->($_) & ~0x10;
	substr $_, 12 + 63 * 4, 4, pack 'V', 0xffff if substr($_, 12, 256) eq "\xff" x 256;
}
is "$v->{rule_set}{wanted}{rules} $v->{rule_set}{wanted}{sha256}", @data . ' ' . sha256_hex(join '', @listing),
	'the digest of the rules wanted is that of their bytes as a kernel lists them';
is $v->{rule_set}{in_force}{sha256}, sha256_hex(''), 'no rule in force: the digest of nothing' unless $v->{rule_set}{in_force}{rules};

# --- files, units, reader ---
my ($file) = grep { $_->{path} eq '/etc/audit/cloud-audit-setup.rules' } @{$v->{files}};
is $file->{wanted_sha256}, sha256_hex((run($program, @args, 'render', 'rules'))[1]), 'a file: the digest of what render prints';
is $file->{found_sha256}, sha256_hex("# earlier\n"), 'and of what is there';
is join(' ', map { "$_->{name} " . ($_->{active} ? 1 : 0) . ($_->{enabled} ? 1 : 0) . " $_->{path}" } grep { $_->{name} =~ /setup/ } @{$v->{units}}),
	'cloud-audit-setup.service 11 /f', 'a unit: where it was loaded from, active, enabled';
ok $v->{reader}{journal}, 'somebody reads';
($code, $out) = run($program, @args, '-s', 'journal.reader=ignore', '-o', 'json', 'verify');
is validate('verify', $out) . (defined decode_json($out)->{reader} ? 1 : 0), '0', 'journal.reader = ignore: no reader was looked for';
($code, $out) = run($program, @args, '-s', 'unit.mode=transient', '-o', 'json', 'verify');
is validate('verify', $out), '', 'transient mode keeps to the schema';

# --- the node's name ---
sub name { return decode_json((run($program, @args, '-o', 'json', 'verify'))[1])->{node}{name} }
put("$root/etc/hostname", "# a comment\n# another\nnode-8\nmore\n");
is name(), 'node-8', 'the name stands below comments';
unlink "$root/etc/hostname" or die;
is name(), undef, "without the host's file its name is unknown: that of the container is not the node's";
put("$root/etc/hostname", "node-7\n");

# --- the other commands ---
($code, $out) = run($program, @args, '-o', 'json', 'plan');
is validate('plan', $out), '', 'plan keeps to the schema';
like decode_json($out)->{diff}, qr{^\+\+\+ /etc/audit/cloud-audit-setup\.rules$}m, 'and has its diff';
is decode_json($out)->{rule_set}{wanted}{sha256}, $v->{rule_set}{wanted}{sha256}, 'and the same digest of the rules';
($code, $out, $err) = run($program, @args, '-o', 'json', '-v', 'apply');
is validate('message', $err), '', 'the messages of apply keep to the schema';
is validate('failed', $out), '', 'an apply that failed prints that it has, which keeps to the schema';
my $failed = decode_json($out);
is "$code $failed->{command} $failed->{result} $failed->{status} $failed->{node}{name}", '1 apply failed 1 node-7', 'with the command, the exit status and the node';
my @said = map { decode_json($_)->{message} } grep { /"ERROR"/ } split /\n/, $err;
is $failed->{message}, join('; ', @said[-2, -1]), 'and why, and what is left of it';
like $failed->{message}, qr/^\S.*; nothing is left of this run/, 'each in its place';
for ([ 3, '-s', 'audit.lock=perhaps' ], [ 2, '-s', 'audit' ], [ 1, '-R', "$tmp/nowhere" ]) {
	my ($wanted, @option) = @$_;
	($code, $out) = run($program, @args, @option, '-o', 'json', 'plan');
	is "$code " . validate('failed', $out), "$wanted ", "so does one that ends with $wanted before it has seen the node (@option)" =~ s/\Q$tmp\E//r;
}
($code, $out, $err) = run({ before => sub { open STDOUT, '>', '/dev/full' or die } }, $program, @args,
	'-s', 'audit.lock=perhaps', '-o', 'json', 'plan');
my @errors = grep { $_->{severity} eq 'ERROR' } map { decode_json($_) } split /\n/, $err;
is "$code " . @errors, '3 1', 'where a result of a failure cannot be written, its reason stays the last error';
like $err, qr/"WARNING".*could not be written/, 'and that it cannot is a warning';
($code, $out) = run($program, @args, 'render', 'kernel');
is validate('rendered', $out), '', 'so do the lines of render kernel';
is validate('line', $out), '', 'any of which is told from the others';

# --- the schema is no rubber stamp ---
my %spoilt = (
	'a member too many' => sub { $_[0]{more} = 1 }, 'a member too few' => sub { delete $_[0]{kernel}{lost} },
	'a failed check in a node that matches' => sub { $_[0]{matches} = JSON::PP::true; $_[0]{status} = 0 },
	'a time without a zone' => sub { $_[0]{time} =~ s/Z// }, 'a digest too short' => sub { chop $_[0]{rule_set}{wanted}{sha256} },
	'an unknown section' => sub { $_[0]{configuration}{settings}{x} = { y => 'z' } },
	'a rule wanted that is written nowhere' => sub { $_[0]{rules_wanted}[0]{source} = undef },
	'another format' => sub { $_[0]{format} = 2 },
);
for my $what (sort keys %spoilt) {
	my $copy = decode_json(encode_json($v));
	$spoilt{$what}->($copy);
	like validate('verify', encode_json($copy)), qr/^1: line 1: /, "the schema refuses $what";
}

done_testing;
