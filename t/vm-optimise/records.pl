#!/usr/bin/perl
# The audit records of the programs work64 and work32 between the messages "mark BEGIN" and "mark END" of
# a log, event by event, without what differs from run to run: times, pids, inodes and addresses.
# CONFIG_CHANGE is left out: a replaced file gives one for each rule on it, and merged rules are fewer.
use strict;
use warnings;

my ($log, $mark) = @ARGV;
open my $in, '<', $log or die "$log: $!\n";
# By the events' numbers, not by their place in the log: what auditd did not take at once comes after what it took then.
my (%event, $begin, $end);
while (my $line = <$in>) {
    next unless $line =~ /^type=(\S+) msg=audit\((\d+\.\d+):(\d+)\): (.*)$/;
    my ($type, $time, $serial, $rest) = ($1, $2, $3, $4);
    $begin = $serial if $rest =~ /mark $mark begin/;
    $end = $serial if $rest =~ /mark $mark end/;
    next if $type =~ /^(?:CONFIG_CHANGE|USER|PROCTITLE|EOE|SERVICE_START|SERVICE_STOP)$/;
    $rest =~ s/\x1d.*//;	# auditd's translations
    $rest =~ s/\b(?:a\d|p?pid|opid|inode|dev|ses|tty|cap_\w+|items|oses)=\S+ ?//g if $type ne 'EXECVE';
    # auditd counts its own records (DAEMON_START) from a number made at random: they may have a number of the kernel's.
    push @{$event{$serial}{$time}}, "$type $rest";
}
my $n = 0;
for my $serial (sort { $a <=> $b } grep { $_ > $begin && $_ < $end } keys %event) {
    for my $time (sort keys %{$event{$serial}}) {
        my @records = @{$event{$serial}{$time}};
        next unless grep { m{exe="[^"]*/(?:work64|work32|program)"} } @records;
        $n++;
        print "event $n\n", map { "  $_\n" } @records;
    }
}
