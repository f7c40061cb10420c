#!/usr/bin/perl
# Who takes the records, on a made-up node: a journald that does so as an audit daemon does, by the audit PID and not by its
# socket (Container-Optimized OS: t/vm/COS.md; no machine here has such a one), and a daemon that takes them past the journal.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use FakeNode qw(plain_rules);
use MadeUpNode;

my ($program, $root, $kernel, $systemd) = made_up_node([qw(etc/audit run/systemd/system usr/bin)]);
my @options = ('-R', $root, plain_rules(), '-s', 'unit.start_timeout=5s', '-s', 'audit.lock=no');
put("$root/usr/lib/systemd/system/systemd-journald.service", "[Service]\nExecStart=/usr/lib/systemd/systemd-journald\n");

sub node {
	my ($out, $err) = ("$tmp/out", "$tmp/err");
	my $status = $systemd->serve('sh', '-c', "exec \"\$@\" >$out 2>$err", 'sh', $program, @options, @_);
	return ($status >> 8, slurp($out), slurp($err));
}

# A process of that name, which the kernel cuts at 15 characters; it ends with this one.
pipe my $held, my $holds or die "pipe: $!";
sub process {
	my ($name) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	close $holds;
	$0 = $name;
	sysread $held, my $end, 1;
	require POSIX;
	POSIX::_exit(0);
}

# The audit PID, in a line that is none of auditctl's (t/unit/made_up_kernel.c).
sub taken_by {
	my ($name) = @_;
	my $pid = process($name);
	select undef, undef, undef, 0.05 until slurp("/proc/$pid/comm") eq substr($name, 0, 15) . "\n";
	put($kernel, slurp($kernel) =~ s/^# pid .*\n//mgr . "# pid $pid\n");
	return $pid;
}
sub reader { my (undef, $out) = node('verify', '-o', 'json', @_); return decode_json($out)->{reader} }
sub journalds { return join '', sort glob "$root/etc/systemd/system/systemd-journald*" }

is +(node('apply'))[0], 0, 'apply' or diag slurp("$tmp/err");
$systemd->{state}{'systemd-journald-audit.socket'} = 'inactive';
like +(node('verify'))[2], qr/nobody takes the audit records/, 'without a reader verify warns';

my $pid = taken_by('systemd-journald');
my ($code, $out, $err) = node('verify');
is $code, 0, 'a journald that holds the audit PID: verify agrees' or diag $out . $err;
unlike $out . $err, qr/journal does not get|nobody takes/, 'and does not warn, although its audit socket is off';
is reader()->{journal}, 1, 'the journal gets the records';
my @enable = ('-s', 'journal.reader=enable');
is +(node(@enable, 'verify'))[0], 0, 'nor is it a difference where reader = enable';
($code, $out, $err) = node(@enable, 'apply');
is "$code " . journalds(), '0 ', 'which then writes no file for journald' or diag $err;

$pid = taken_by('auditd');
like +(node('verify'))[2], qr/the journal does not get the audit records.*auditd \(PID $pid\) takes them/s,
	'a daemon of another name takes them past the journal';
is reader()->{journal} ? 1 : 0, 0, 'and the journal gets none';
is +(node(@enable, 'verify'))[0], 4, 'which is a difference where reader = enable';

close $holds;
done_testing;
