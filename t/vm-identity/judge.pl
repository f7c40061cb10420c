#!/usr/bin/perl
# judge.pl IDS JUDGED LOG [LAUREL]: from what reader said (JUDGED), with the truth in each mark, and IDS (lines "NN ID"): how many
# programs executed are told right, not at all, and wrong: by the login uid that stands in the record; by the start record
# of the record's session (auditd's LOG); by /proc/PID/cgroup when the record was read; by the parent's as second guess; by
# what laurel wrote (LAUREL), where it was there.
use strict;
use warnings;
use List::Util;

my ($ids, $judged, $log, $laurel) = @ARGV;
my (%id, %by_bits, %by_session, %of, %result, $overruns);
sub lines { open my $f, '<', $_[0] or die "$_[0]: $!"; return <$f> }

for (lines($ids)) {
	my ($n, $id) = split;
	$id{$n} = $id;
	$by_bits{substr $id, 0, 7} = $id;
}
for (lines($log)) {
	next unless /^type=VIRT_CONTROL .* auid=(\d+) ses=(\d+) .*op=start virt=container vm="([0-9a-f]+)".* login=set/;
	$by_session{$2} //= $3;
}
sub judge {
	my ($way, $said, $true) = @_;
	$result{$way}{!defined $said ? 'unknown' : $said eq $true ? 'right' : 'wrong'}++;
}
my ($n, $misclassed) = (0, 0);
my %known = map { $_ => 1 } values %id;
for (lines($judged)) {
	$overruns = $1 if /^overruns (\d+)/;
	my ($nn, $class, $auid, $ses, $own, $parent) = /^T-(\d\d)-(\w) (\S+) (\S+) (\S+) (\S+)/ or next;
	my $true = $id{$nn} // die "no container $nn\n";
	my $cgroup = $known{$own} ? $own : undef;
	$n++;
	$misclassed++ if $auid eq '4294967295' || sprintf('%X', $auid >> 28) ne $class;
	judge('auid', $auid eq '4294967295' ? undef : $by_bits{sprintf '%07x', $auid & 0xfffffff}, $true);
	judge('session', $by_session{$ses}, $true);
	judge('cgroup', $cgroup, $true);
	judge('parent', $cgroup // ($known{$parent} ? $parent : undef), $true);
}
for ($laurel ? lines($laurel) : ()) {
	my ($nn) = /"ARGV":\[[^\]]*\bT-(\d\d)-\w\b/ or next;
	my ($said) = /"PID":\{(?:[^{}]|\{[^{}]*\})*"container":\{"id":"([0-9a-f]+)"/;
	judge('laurel', $said, $id{$nn} // next);
}
# What it has nothing of is unknown, too.
my $told = List::Util::sum0(values %{$result{laurel} // {}});
$result{laurel}{unknown} += $n - $told if $laurel;
printf "%s right=%d unknown=%d wrong=%d of=%d\n", $_, map({ $_ // 0 } @{$result{$_}}{qw(right unknown wrong)}), $n
	for qw(auid session cgroup parent), $laurel ? 'laurel' : ();
printf "misclassed=%d overruns=%s\n", $misclassed, $overruns // '?';
