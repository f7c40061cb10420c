#!/usr/bin/perl
# What a Pod that does not run says: each row of k8s/README's table that the program speaks in, made to happen on a made-up node, and
# held against what the row quotes. How the kubelet shows it is not ours to test here.
use strict;
use warnings;
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use MadeUpNode;

plan skip_all => 'no mount namespace to be had' if (run('unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/dev'))[0];
my ($program, $root, $kernel, $systemd) = made_up_node([qw(etc/audit etc/ssh run/systemd/system run/systemd/network usr/bin
	usr/lib/systemd/system usr/lib/systemd/journald.conf.d var/lib var/log)]);
$systemd->{state}{'systemd-journald-audit.socket'} = 'active';
my @rows = grep { /^\| (?:Init:Error|Running)/ } split /\n/, slurp('k8s/README.md');
my @options = ('-R', $root, '-c', "$tmp/config.ini", '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s');
put("$tmp/config.ini", '');

# The program where a container has its termination message: exit status, log, message. without: no systemd is there.
sub pod {
	my ($how, @args) = @_;
	my @command = ('unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /dev && : >/dev/null && : >/dev/termination-log; ' .
		"\"\$@\" >$tmp/log 2>&1; r=\$?; cat /dev/termination-log >$tmp/message; exit \$r", 'sh', $program, @options, @args);
	my $status = $how eq 'without' ? (run(@command))[0] : $systemd->serve(@command) >> 8;
	return ($status, slurp("$tmp/log"), slurp("$tmp/message"));
}

# The row of an exit status, or of a state, that quotes this word; its quotes, all of which have to be in the text.
my %seen;
sub row_fits {
	my ($begins, $word, $text) = @_;
	my ($row) = grep { /^\| \Q$begins\E/ && index($_, $word) >= 0 } @rows;
	return "no row: $begins ... $word" unless $row;
	$seen{$row} = 1;
	my ($cell) = $row =~ /^\| (.*?) \|/;
	return join ', ', map { "not said: $_" } grep { index($text, $_) < 0 } $cell =~ /`([^`]+)`/g;
}

# --- mistakes: all of them, of the configuration and of the rules ---
put("$tmp/config.ini", "[audit]\nlokc = yes\n[events]\nexec = maybe\n");
put("$tmp/rules.d/50-local.rules", "-a always,exit -F arch=b64 -S nosuchcall -k x\n-w relative -p wa\n");
my ($code, $log, $message) = pod('with', 'apply');
is $code, 3, 'mistakes: exit 3';
is row_fits('Init:Error, exit code 3', 'config.ini', $message), '', '... as the table has it';
is join(' ', map { /([^\/]*:\d+): / } split /\n/, $message), 'config.ini:2 config.ini:4 50-local.rules:1 50-local.rules:2',
	'... the message has each mistake of the configuration and of the rules';
put("$tmp/config.ini", "[audit]\n" . join '', map { "wrong$_ = 1\n" } 1 .. 100);
($code, $log, $message) = pod('with', 'apply');
cmp_ok length $message, '<=', 4096, '... of many as many as Kubernetes keeps';
my @lines = split /\n/, $message;
is $lines[-2], '(' . (102 - (@lines - 1)) . ' more errors)', '... and the number of the rest';
like $lines[-1], qr/50-local\.rules:2: /, '... before the last';
put("$tmp/config.ini", '');
unlink "$tmp/rules.d/50-local.rules";

# --- a node that cannot be asked ---
($code, $log, $message) = pod('without', 'apply');
is $code, 1, 'no bus: exit 1';
is row_fits('Init:Error, exit code 1', 'D-Bus', $message), '', '... as the table has it';

# --- locked ---
is +(pod('with', 'apply'))[0], 0, 'apply';
put("$tmp/rules.d/50-local.rules", "-w /etc/hosts -p wa -k mine\n");
($code, $log, $message) = pod('with', '-s', 'audit.on_locked=fail', 'apply');
is $code, 5, 'on_locked = fail: exit 5';
is row_fits('Init:Error, exit code 5', 'cannot change before a reboot', $message), '', '... as the table has it';
($code, $log, $message) = pod('with', 'apply');
is "$code $message", '0 ', 'on_locked = stage: the Pod runs';
is row_fits('Running', 'warning', $log), '', '... and its log says what the table does';
($code, $log, $message) = pod('without', '-s', 'dbus.address=none', '-o', 'json', '--short', 'verify');
is row_fits('Running', 'matches', $log), '', 'verify: its log says what the table does';
($code, $log, $message) = pod('with', 'remove');
is $code, 5, 'remove: exit 5, once';
is row_fits('Init:Error, exit code 5', 'the kernel keeps its', $message), '', '... as the table has it';
is +(pod('with', 'remove'))[0], 0, '... and then it is done';
is scalar(keys %seen), scalar(@rows), 'there is no other row';

# Where the program has not begun yet, t/cluster makes it happen: what the row quotes, but for names, stands in its scene.
my @others = grep { /^\| (?:No Pod|Pending|Init:[^E]|Init:ErrImage)/ } split /\n/, slurp('k8s/README.md');
my $scene = slurp('t/cluster/scenes/stuck') . slurp('t/cluster/scenes/newer');
my @unplayed = map { my ($cell) = /^\| (.*?) \|/; grep { index($scene, s/(?: ?"|: ?\/).*//r) < 0 } ($cell =~ /`([^`]+)`/g, $cell =~ /(Pending|Init:0|Init:Image\w+)/) } @others;
is join(', ', @unplayed), '', 'the rows of Pods whose init container has not begun are those of t/cluster/scenes/stuck and newer';
is scalar(@others), 4, '... four of them';
my ($table) = slurp('k8s/README.md') =~ /^\| what you see \|.*\n.*\n((?:\|.*\n)*)/m;
is $table =~ tr/\n//, @rows + @others, '... and the table has no other';
done_testing;
