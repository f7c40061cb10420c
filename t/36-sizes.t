#!/usr/bin/perl
# Ten thousand rules: checked, optimised, loaded, read back, verified, planned, explained, on a made-up node. How long that
# takes of a processor, in how much memory, and how many lines of it people have to read.
use strict;
use warnings;
use File::Path qw(make_path);
use POSIX ();
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use MadeUpNode;
require 'sys/syscall.ph';

my $build = $ENV{BUILD} || 'build';
plan skip_all => 'what sanitizers and counting cost is not looked at' if $build =~ /sanitize|coverage/;

my ($program, $root, $kernel, $systemd) = made_up_node();
my @big = map { ("-a always,exit -F arch=b64 -S openat,unlink -F auid=$_ -F uid=0 -k open", "-a always,exit -F path=/usr/bin/p$_ -F perm=x -F auid>=1000 -k run",
	"-a always,exit -F arch=b64 -S mount -F uid=$_ -k mount", "-w /etc/f$_ -p wa -k file") } 1 .. 2500;
put("$tmp/rules.d/big.rules", join '', map { "$_\n" } @big);

# Runs it: (exit status, what was printed, seconds of the processor, kB of memory at most).
sub cas {
	my @before = times;
	open my $err, '>&', \*STDERR or die;
	open my $out, '>&', \*STDOUT or die;
	open STDERR, '>', "$tmp/said" or die;
	open STDOUT, '>', "$tmp/out" or die;
	my $status = $systemd->serve('/bin/sh', '-c', 'ulimit -v 400000; exec "$@"', 'sh', $program, '-R', $root,
		'-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=10min', @_);
	open STDERR, '>&', $err or die;
	open STDOUT, '>&', $out or die;
	my @after = times;
	return ($status & 127 ? "signal $status" : $status >> 8, slurp("$tmp/said") . slurp("$tmp/out"), $after[2] + $after[3] - $before[2] - $before[3]);
}
sub measured {
	my ($name, $want, $seconds, $lines, @args) = @_;
	my ($status, $said, $took) = cas(@args);
	my $n = () = $said =~ /\n/g;
	is $status, $want, "$name: exit $want, in 400 MB of address space" or diag substr $said, 0, 2000;
	cmp_ok $took, '<', $seconds, sprintf '%s: %.2f s of a processor', $name, $took;
	cmp_ok $n, '<=', $lines, "$name: $n lines" if $lines;
	return $said;
}
# Memory at most, in kB, of a run that changes nothing.
sub peak {
	my $pid = open(my $from, '-|') // die "fork: $!";
	if (!$pid) {
		my ($status, $said) = cas(@_);
		my $usage = "\0" x 1024;
		syscall(&SYS_getrusage, -1, $usage) == 0 && $status == 0 or print "exit $status: $said";
		print +(unpack 'l!5', $usage)[4], "\n";
		close STDOUT;
		POSIX::_exit(0);
	}
	chomp(my $most = join '', <$from>);
	return $most =~ /\A\d+\z/ ? $most : BAIL_OUT($most);
}
measured('check and optimise', 0, 2, 0, '-q', 'render', 'rules');
measured('as bytes', 0, 2, 0, '-q', 'render', 'kernel');
measured('a rule explained', 0, 2, 23, '-q', 'explain', 'big.rules:5000');
measured('cloud-config', 0, 2, 0, '-q', 'render', 'cloud-config');
measured('a first plan', 4, 3, 24, '-q', 'plan');

# As apply leaves it: what auditctl makes of ten thousand lines is not ours.
my (undef, $text) = run({ seconds => 120 }, $program, '-R', $root, '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=10min', '-q', 'render', 'rules');
my ($status, $units) = run({ seconds => 120 }, $program, '-R', $root, '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=10min', '-q', 'render', 'unit');
my %unit = $units =~ m{^# (/\S+)\n(.*?)(?=^\n# /|\z)}msg;
put("$root/etc/audit/cloud-audit-setup.rules", $text);
chmod 0640, "$root/etc/audit/cloud-audit-setup.rules";
put("$root$_", $unit{$_} =~ s/\n\n\z/\n/r) for keys %unit;
my $held = Auditctl::fresh();
@$held{'-e', '-b'} = (2, 8192);
$held->{rules} = [grep { /^-[aAwS] / } split /\n/, $text];
cmp_ok scalar @{$held->{rules}}, '>', 8000, 'as many rules are in force';
Auditctl::store($held, $kernel);
make_path("$root/etc/systemd/system/multi-user.target.wants");
for my $name (map { s{.*/}{}r } keys %unit) {
	symlink "../$name", "$root/etc/systemd/system/multi-user.target.wants/$name" or die;
	$systemd->{state}{$name} = 'active';
}
measured('read back and verify', 0, 3, 24, '-q', 'verify');
measured('apply of what is there', 0, 3, 24, '-q', 'apply');
# Without the lock, rules of others are looked for, which it would take: where there are none, the rules file is not read for it.
unlink map { "$root/etc/systemd/system/$_" } 'cloud-audit-lock.service', 'multi-user.target.wants/cloud-audit-lock.service';
Auditctl::store({ %$held, '-e' => 1 }, $kernel);
my @unlocked = ('-s', 'audit.lock=no', '-q');
cmp_ok peak(@unlocked, 'apply'), '<', 10_000 + peak(@unlocked, 'verify'), 'apply takes hardly more memory than verify';
Auditctl::store($held, $kernel);
# One rule in a thousand is gone.
$held->{rules} = [map { $_ % 1000 == 7 ? () : $held->{rules}[$_] } 0 .. $#{$held->{rules}}];
Auditctl::store($held, $kernel);
measured('verify, with some missing', 5, 3, 24, '-q', 'verify');
measured('plan, with some missing', 5, 3, 24, '-q', 'plan');
done_testing;
