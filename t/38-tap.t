#!/usr/bin/perl
# verify -o tap, as TAP::Parser, prove and a YAML parser read it, on a made-up root with a systemd that does
# nothing. That prove is content with a node that matches is tried in t/40-vm-apply.t.
use strict;
use warnings;
use TAP::Parser;
use Test::More;
use YAML::XS ();
use lib 't/unit';
use Cli;
use FakeNode;

my $why = usable();
plan skip_all => $why if $why;

my $program = program();
my $root = fake_node("$tmp/node");
my $systemd = fake_systemd("$root/run/systemd/private");
# A name that TAP, and one that YAML could take for something else.
my @config = (plain_rules(), '-s', 'unit.start_timeout=5s');
put("$tmp/rules.d/b # TODO \x{c2}\x{85}.rules", "-a always,exit -F arch=b64 -S umount2 -F key=tap\n");
put("$root/etc/audit/cloud-audit-setup.rules", "# earlier\n");

sub tap {
	my ($out) = @_;
	my $parser = TAP::Parser->new({ tap => $out });
	my (@tests, @yaml);
	while (my $r = $parser->next) {
		push @tests, $r if $r->is_test;
		push @{$yaml[$#tests]}, $r->raw if $r->is_yaml;
	}
	return ($parser, \@tests, [ map { $_ ? eval { YAML::XS::Load(join('', map { s/^  //mgr . "\n" } @$_)) } : undef } @yaml ]);
}

my ($code, $out, $err) = run($program, '-R', $root, @config, '-o', 'tap', 'verify');
my ($parser, $tests, $yaml) = tap($out);
is $code, 4, 'a node that differs: exit 4';
is join('|', $parser->parse_errors), '', 'TAP::Parser finds nothing wrong with it';
is $parser->version, 13, 'it is TAP version 13, which has YAML blocks';
is $parser->tests_planned, scalar @$tests, 'the plan comes first and holds';
my @failed = grep { !$_->is_ok } @$tests;
cmp_ok scalar @failed, '>', 5, 'it has failed tests';
my @silent = grep { my $y = $yaml->[$_]; !$tests->[$_]->is_actual_ok && !(ref $y eq 'HASH' && $y->{kind} && defined $y->{found}) } 0 .. $#$tests;
is join(',', @silent), '', 'every failed test says in YAML what was found';
my @loud = grep { $tests->[$_]->is_actual_ok && $yaml->[$_] } 0 .. $#$tests;
is join(',', @loud), '', 'none that passed does';

# What a smoke test asks for, each by a line of its own.
my %lines = map { $_->description => $_ } @$tests;
my (undef, $rules) = run($program, '-R', $root, @config, 'render', 'kernel');
my @sources = map { /"source":"([^"]*)","rule"/ ? $1 : () } split /\n/, $rules;
is scalar(grep { /^- rule in force: / } keys %lines), scalar @sources, 'one line for each rule';
for my $source ($sources[0], 'a.rules:1') {
	is scalar(grep { /^- rule in force: \Q$source\E: -a / } keys %lines), 1, 'with its FILE:LINE';
}
for my $line ('kernel auditing is on', 'the audit configuration is locked', 'no other rule is in force', 'kernel setting -b 8192',
	'/etc/audit/cloud-audit-setup.rules is as configured',
	'cloud-audit-setup.service is loaded from /etc/systemd/system/cloud-audit-setup.service', 'cloud-audit-setup.service is active',
	'cloud-audit-setup.service is enabled', 'the journal gets the audit records', 'the kernel has lost no audit record') {
	ok $lines{"- $line"}, "a line for: $line";
}
my ($odd) = grep { $_->description =~ /b \\?# TODO/ } @$tests;
ok $odd && !$odd->has_todo, 'a # in the name of a file is no directive';
my ($at) = grep { $tests->[$_]->description =~ m{rules is as conf} } 0 .. $#$tests;
is_deeply $yaml->[$at], { kind => 'file', severity => 'fail', found => 'its content differs' }, 'the kind and what was found, in YAML';

# --- notices: shown, and no failure ---
sub with { my ($name, @more) = @_; my (undef, $o) = run($program, '-R', $root, @config, @more, '-o', 'tap', 'verify');
	my (undef, $t) = tap($o); return (grep { $_->description eq "- $name" } @$t)[0] }
my $test = with('the journal gets the audit records', '-s', 'journal.reader=ignore');
ok $test->is_ok && $test->has_skip, 'journal.reader = ignore: that somebody reads is skipped';
like $test->explanation, qr/^\[journal\] reader = ignore$/, 'and the line says why';

# --- before the checks ---
($code, $out, $err) = run($program, '-R', $root, '-s', 'audit.lock=maybe', '-o', 'tap', 'verify');
($parser, $tests, $yaml) = tap($out);
is "$code " . join('|', $parser->parse_errors), '3 ', 'an invalid configuration: exit 3, and TAP all the same';
is $parser->failed, 1, 'which fails its only test';
like $yaml->[0]{found}, qr/lock = 'maybe' is not valid/, 'with the error in YAML';
($code, $out) = run($program, '-R', make_root(), '-o', 'tap', 'verify');
($parser, $tests, $yaml) = tap($out);
is "$code " . join('|', $parser->parse_errors) . ' ' . $parser->failed, '1  1', 'no D-Bus: exit 1, and a test that failed';
($code, $out) = run($program, '-R', $root, '-o', 'tap', 'verify', 'more');
is "$code$out", '2', 'wrong usage prints no TAP';

# --- prove ---
put("$tmp/config.ini", join "\n", '[journal]', 'reader = ignore', '');
put("$tmp/bad.ini", "[audit]\nlock = maybe\n");
SKIP: {
	skip 'prove is missing', 3 if system 'command -v prove >/dev/null';
	($code, $out, $err) = run('prove', '-v', '--exec', "$program -R $root -o tap verify -c", "$tmp/config.ini", "$tmp/bad.ini");
	isnt $code, 0, 'prove --exec "cloud-audit-setup verify -o tap -c" FILE: the file is the configuration, and prove fails where it differs';
	like $out, qr{^\Q$tmp\E/config\.ini +\(Wstat: 1024[^)]*\) +Tests: \d+ Failed: \d+\)?$}m, 'it counts the tests of one';
	like $out, qr{^\Q$tmp\E/bad\.ini +\(Wstat: 768[^)]*\) +Tests: 1 Failed: 1\)?$}m, 'and the failure of another';
}

done_testing;
