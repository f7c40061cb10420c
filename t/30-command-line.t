#!/usr/bin/perl
# The command line as a user sees it: help, usage errors, messages, what happens to stdout.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli;

my $program = program();
my $root = make_root();
my $before = snapshot($root);

for my $option ('-h', '--help') {
	my ($code, $out, $err) = run($program, $option, '--nonsense');
	is "$code $err", '0 ', "$option: exit 0, nothing on stderr, whatever follows";
	like $out, qr/^Usage: cloud-audit-setup \[OPTIONS\] \[COMMAND\]\n/, "$option: the usage on stdout";
	like $out, qr/^  $_ /m, "$option: tells of $_" for qw(apply plan render verify remove);
	like $out, qr/^ .*$_\b/m, "$option: tells of $_"
		for qw(--config --root --output --set --machine --quiet --verbose --help --version);
	is((grep { length > 100 } split /\n/, $out), 0, "$option: no line is wider than 100 columns");
}
for my $option ('-V', '--version') {
	my ($code, $out, $err) = run($program, $option);
	is "$code $err", '0 ', "$option: exit 0";
	like $out, qr/^cloud-audit-setup \d+\.\d+\.\d+\n\z/, "$option: name and number";
}

{
	my $settings = (run($program, '--help', 'settings'))[1];
	is join(' ', $settings =~ /^  ([a-z]+\.[\w-]+)=.*\n(?: {32}\S.*\n)* {6}\w.{10}/mg), join(' ', $settings =~ /^  ([a-z]+\.[\w-]+)=/mg),
		'--help settings: every setting has its meaning below it';
}
for my $words (['--help', 'settings'], ['settings', '-h']) {
	my ($code, $out, $err) = run($program, @$words);
	is "$code $err", '0 ', "@$words: exit 0";
	like $out, qr/^  audit\.lock=yes +no\|yes$/m, "@$words: a setting as --set takes it, its default and its words";
	like $out, qr/^  audit\.rate_limit=0 +a number of records per second from 0 to\n {32}4294967295$/m,
		"@$words: what a setting without words takes";
}
for my $more ([], ['settings'], ['render'], ['verify']) {
	is join("\n", grep { length > 80 } split /\n/, (run($program, '--help', @$more))[1]), '', join(' ', '--help', @$more) . ' fits 80 columns';
}
unlike((run($program, '--help'))[1], qr/rate_limit/, '--help alone does not list the settings');

# --- wrong usage: exit 2, one line on stderr, nothing on stdout ---
my @usage = (
	[ ['--nonsense'], 'unknown option --nonsense (see --help)' ],
	[ ['-x'], 'unknown option -x (see --help)' ],
	[ ['-qx'], 'unknown option -x (see --help)' ],
	[ ['-c'], 'option -c needs a value (see --help)' ],
	[ ['--quiet=1'], 'option --quiet takes no value (see --help)' ],
	[ ['aply'], "unknown command 'aply'; did you mean 'apply'? (see --help)" ],
	[ ['apply', 'now'], "unexpected argument 'now' (see --help)" ],
	[ ['render'], 'render needs one of rules, unit, kernel, hash, cloud-config' ],
	[ ['render', 'rulez'], "unknown thing to render 'rulez'; did you mean 'rules'? (see --help)" ],
	[ ['list'], "unknown command 'list': expected apply, plan, render, verify, volume, explain or remove (see --help)" ],
	[ ['plan', 'exec'], "unexpected argument 'exec'; did you mean 'plan --diff=exec'? (see --help)" ],
	[ ['plan', '--diff', 'exec'], "unexpected argument 'exec'; did you mean 'plan --diff=exec'? (see --help)" ],
	[ ['-o', 'xml', 'plan'], "unknown output format 'xml': expected text, json, tap, sarif or prometheus (see --help)" ],
	[ ['-o', 'tap', 'plan'], '--output tap works with verify only' ],
	[ ['--machine', 'aarch64', 'apply'],
	  '--machine works with render only: a node is always its own machine' ],
	[ ['--machine', 'vax', 'render', 'rules'], "unknown machine 'vax': expected x86_64 or aarch64 (see --help)" ],
	[ ['-s', 'audit.lock', 'apply'], '--set audit.lock: expected SECTION.KEY=VALUE (see --help)' ],
	[ ['-s', 'lock=no', 'remove'], "--set lock=no: expected SECTION.KEY=VALUE; did you mean 'audit.lock=no'? (see --help)" ],
	[ ['-s', 'lok=no', 'remove'], '--set lok=no: expected SECTION.KEY=VALUE (see --help)' ],
);
for my $case (@usage) {
	my ($args, $message) = @$case;
	my ($code, $out, $err) = run($program, '-R', $root, @$args);
	is "$code|$out|$err", "2||cloud-audit-setup: error: $message\n", "@$args: usage";
}
{
	my ($code, $out, $err) = run($program, '-o', 'json', '-R', $root, 'aply');
	my $m = eval { decode_json($err) } || {};
	is "$code|$out|$m->{severity}|$m->{message}",
		"2||ERROR|unknown command 'aply'; did you mean 'apply'? (see --help)",
		'-o json: a usage error is JSON, too';
}
# --- stdout that nobody reads any more: as other tools end, without a word ---
sub unread {
	pipe my $in, my $out or die;
	close $in;
	return { before => sub { open STDOUT, '>&', $out or die; close $out; $SIG{PIPE} = 'DEFAULT' } }
}
for my $args (['render', 'rules'], ['render', 'kernel'], ['--help'], ['--version']) {
	my ($code, $out, $err) = run(unread(), $program, '-R', $root, @$args);
	is "$code|$err", 'signal 13|', "@$args: whose reader is gone ends by SIGPIPE, in silence";
}
{
	my ($code, $out, $err) = run(unread(), $program, '-R', $root, '-s', 'dbus.address=unix:path=/nowhere', 'verify');
	is $code, 1, 'a failure stays one';
	unlike $err, qr/could not be written|Broken pipe/, 'and is all that is spoken of';
	# More than a pipe holds.
	($code, $out, $err) = run('bash', '-c', "set -o pipefail; '$program' -R '$root' render kernel | head -n 1");
	is "$code|$err", '141|', 'render kernel | head -n 1';
}

is snapshot($root), $before, 'wrong usage leaves the root untouched';

# --- where a Pod looks for the reason ---
SKIP: {
	my $script = 'mount -t tmpfs none /dev && : >/dev/null && : >/dev/termination-log && "$@"; r=$?;' .
		' cat /dev/termination-log; exit $r';
	my @new = ('unshare', '-rm', 'sh', '-c');
	skip 'no mount namespace to be had', 6 if (run(@new, 'mount -t tmpfs none /dev'))[0];
	my ($code, $out) = run(@new, $script, 'sh', $program, '-x');
	is "$code $out", "2 unknown option -x (see --help)\n", 'a usage error is left as termination message';
	($code, $out) = run(@new, $script, 'sh', $program, '-R', $root, '-s', 'audit.lock=x', 'apply');
	is "$code $out", "3 --set audit.lock=x: lock = 'x' is not valid; expected yes or no\n",
		'so is the error of an invalid configuration';
	my ($status, $all) = run(@new, $script, 'sh', $program, '-R', $root, '-s', 'audit.lock=x', '-s', 'events.exec=y', 'apply');
	is "$status " . join('|', map { /^--set (\S+): .*expected/ ? $1 : $_ } split /\n/, $all), '3 audit.lock=x|events.exec=y', 'all of them, in their order';
	put("$tmp/wrong.d/wrong.rules", join '', map { "-a always,exit -S nosuchcall$_\n" } 1 .. 200);
	($code, $out) = run(@new, $script, 'sh', $program, '-R', $root, '-s', "rules.directory=$tmp/wrong.d", 'apply');
	my @left = split /\n/, $out;
	cmp_ok length $out, '<=', 4096, 'of many as much as Kubernetes keeps';
	like "$left[0] $left[-1]", qr{wrong\.rules:1: .*wrong\.rules:200: }, 'the first and the last among them';
	is $left[-2], '(' . (200 - (@left - 1)) . ' more errors)', 'and how many are left out';
}

# --- a result that cannot be written ---
for my $args (['--help'], ['--version'], ['render', 'rules'], ['render', 'kernel']) {
	my ($code, $out, $err) = run({ out => '/dev/full' }, $program, '-R', $root, @$args);
	is $code, 1, "@$args to a full disk: exit 1";
	is errors($err), "the result could not be written to stdout: No space left on device\n",
		"@$args to a full disk: says so";
}

# --- a root that is none ---
{
	my ($code, $out, $err) = run($program, '-R', "$tmp/absent", 'plan');
	is "$code|$out|" . errors($err), "1||the host's root $tmp/absent cannot be opened: No such file or " .
		"directory; mount it there, or name another with --root\n", 'an absent root is said';
}

done_testing;
