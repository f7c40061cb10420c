#!/usr/bin/perl
# What is shown on a terminal, and only there: colour, and the steps of a run with their times.
use strict;
use warnings;
use Test::More;
use lib 't/unit';
use Cli;
use FakeNode;

plan skip_all => 'script is missing (Debian package bsdutils)' if system 'command -v script >/dev/null 2>&1';
my $why = usable();
plan skip_all => $why if $why;

my $program = program();
my $root = fake_node("$tmp/node");
my $systemd = fake_systemd("$root/run/systemd/private");
my @options = ($program, '-R', $root, plain_rules(), '-s', 'events.tty=yes');

# Runs on a terminal of its own, both outputs: what it shows.
sub on_terminal {
	my ($variables, @command) = @_;
	delete local @ENV{qw(NO_COLOR TERM)};
	local @ENV{keys %$variables} = values %$variables;
	# In a file, for no shell to take it apart twice.
	put("$tmp/line", join(' ', map { s/'/'\\''/gr =~ s/^|$/'/gr } @command) . "\n");
	my $shown = `script -q -c "sh $tmp/line" /dev/null </dev/null 2>&1`;
	return $shown;
}

my $escape = qr/\033\[/;
my $shown = on_terminal({ TERM => 'xterm' }, @options, 'plan', '--diff');
like $shown, qr/\033\[32m\+-a always,exit/, 'plan --diff shows lines to come in green on a terminal';
like $shown, qr/\033\[1m\+\+\+ [^\n]*cloud-audit-setup\.service/, 'and the names of files in bold';
like $shown, qr/\033\[1m\+\+\+ [^\n]*\.service.*\033\[1m\+\+\+ rules in force/s, 'of every part of the node';
like $shown, qr/cloud-audit-setup: \033\[33mwarning\033\[0m: /, 'the word of a warning is yellow';
like on_terminal({ TERM => 'xterm' }, @options, 'plan'), qr/^\033\[1mRules +\033\[0m\d+ to add/m, 'plan has its labels in bold';
# A key may have any byte, and so may the host's files that are compared.
put("$tmp/escapes/my.rules", "-w /etc/passwd -p wa -k a\e[2Jb\n");
for my $term (qw(xterm dumb)) {
	$shown = on_terminal({ TERM => $term }, @options, '-s', "rules.directory=$tmp/escapes", 'plan', '--diff');
	like $shown, qr/-k a\\x1b\[2Jb/, "plan --diff on a terminal ($term) shows bytes that would act on it";
	unlike $shown, qr/\e\[2J/, '... and has none';
}
$shown = on_terminal({ TERM => 'xterm' }, @options, 'verify');
like $shown, qr/^\033\[31mthe node differs: \d+ of \d+ checks failed\033\[0m/m, 'verify has the verdict in red';
unlike on_terminal({ TERM => 'xterm', NO_COLOR => '1' }, @options, 'plan'), $escape, 'NO_COLOR switches that off';
like on_terminal({ TERM => 'xterm', NO_COLOR => '' }, @options, 'plan'), $escape, 'an empty one does not';
unlike on_terminal({ TERM => 'dumb' }, @options, 'apply'), $escape, 'a terminal that is dumb gets no sequence at all';
unlike on_terminal({}, @options, 'apply'), $escape, 'nor one that has no name';
unlike on_terminal({ TERM => 'xterm' }, @options, '-o', 'json', 'verify'), $escape, 'nor does JSON';

$shown = on_terminal({ TERM => 'xterm', NO_COLOR => '1' }, @options, 'apply');
like $shown, qr/\r\033\[Kloading the rules \(cloud-audit-setup\.service\) \.\.\./, 'apply shows what it waits for';
like $shown, qr/\r\033\[Ksystemd reads its units again \.\.\.\r\033\[K/, 'so too that units are read';
unlike $shown, qr/\b0(?:\.\d)? s|again\r?\n/, 'what takes less than a second leaves no line, and no time';
unlike $shown, qr/\.\.\.cloud-audit-setup: /, 'no message is written behind a line of progress';
unlike on_terminal({ TERM => 'xterm', NO_COLOR => '1' }, @options, '-q', 'apply'), $escape, 'with -q there is no progress';

# --- jobs that take their time, and too long ---
my $slow = fake_node("$tmp/slow");
my $late = fake_systemd("$slow/run/systemd/private", 1300);
my @slow = ($program, '-R', $slow, plain_rules(), '-s', 'unit.enable=no');
$shown = on_terminal({ TERM => 'xterm', NO_COLOR => '1' }, @slow, 'apply');
my @times = $shown =~ /\r\033\[Kloading the rules \(cloud-audit-setup\.service\)( \d+ s)? \.\.\./g;
cmp_ok scalar @times, '>=', 8, 'a job that takes a second is shown many times';
ok !defined $times[0] && $times[-1] eq ' 1 s', 'with the time, from a second on' or diag $shown;
like $shown, qr/loading the rules \(cloud-audit-setup\.service\) 1 s\r?\n/, 'and with what it took in the end';
# A row that is broken in two leaves its first half behind.
my $narrow = fake_node("$tmp/narrow");
my $again = fake_systemd("$narrow/run/systemd/private", 1300);
$shown = on_terminal({ TERM => 'xterm', NO_COLOR => '1' }, 'sh', '-c', 'stty cols 40; exec "$@"', 'sh', $program, '-R', $narrow, plain_rules(),
	'-s', 'unit.enable=no', 'apply');
my @rows = $shown =~ /\r\033\[K([^\r\n]*?)(?=\r|\n|cloud-audit-setup: |\z)/g;
is join('|', grep { length > 39 } @rows), '', 'no row of progress is longer than a terminal of 40 columns has room for';
ok scalar(grep { /^loading the rules 1 s \.\.\.$/ } @rows), 'the unit is left out there, and not the time' or diag $shown;

# --- without a command ---
$shown = on_terminal({ TERM => 'xterm' }, $program, '-R', $narrow);
like $shown, qr/^Usage: cloud-audit-setup .*^Name a command: apply changes this node, and locks/ms, 'typed without a command it prints its usage';
cmp_ok scalar(() = $shown =~ /\n/g), '<', 24, 'in a screenful';
is +(run('script', '-qec', "$program -R $narrow", '/dev/null'))[0], 2, 'with exit status 2, and the node is left alone';
like +(run($program, '-R', $narrow, plain_rules()))[2], qr/read back from the kernel|CAP_AUDIT_CONTROL|nothing is left of this run/,
	'where nobody watches it is apply';
# One that answers nothing else meanwhile, also not what has become of the job.
my $later = fake_node("$tmp/later");
my $busy = fake_systemd("$later/run/systemd/private", 4000);
$shown = on_terminal({ TERM => 'xterm', NO_COLOR => '1' }, $program, '-R', $later, plain_rules(), '-s', 'unit.enable=no', '-s',
	'unit.start_timeout=1s', 'apply');
like $shown, qr/\r\033\[Kcloud-audit-setup: error: \w+Unit \S+: no result within 1 s/,
	'one that takes too long gives way to the error, at the time configured';

$ENV{TERM} = 'xterm';
delete $ENV{NO_COLOR};
for my $command (qw(plan verify apply)) {
	my ($code, $out, $err) = run(@options, $command);
	unlike $out . $err, qr/\033|\r/, "$command: a pipe gets neither colour nor progress";
}
my ($code, $out) = run($program, '-R', $root, plain_rules(), 'render', 'rules');
{
	local $ENV{TERM} = 'dumb';
	is +(run($program, '-R', $root, plain_rules(), 'render', 'rules'))[1], $out, 'TERM changes nothing of what is rendered';
}

done_testing;
