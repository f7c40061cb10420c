#!/usr/bin/perl
# volume.pl TIMES PROGRAM [ARGUMENT...]: runs it that often and prints how many audit records and bytes of
# text (the journal's MESSAGE) that made, in all and by type; only of the children, whatever else goes on.
use strict;
use warnings;
use lib "."; # perl-base has no FindBin
use Records;

my ($times, @command) = @ARGV;
my ($cursor) = `journalctl --quiet --sync; journalctl --quiet -n 0 --show-cursor _TRANSPORT=audit` =~ /^-- cursor: (.*)/m;
my %child;
for (1 .. $times) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec { $command[0] } @command or exit 127;
    }
    $child{$pid} = 1;
    waitpid $pid, 0;
}
sleep 1;
my (%n, %bytes, $n, $bytes);
for my $event (Records::since($cursor)) {
    my @records = @{ $event->{records} };
    next unless grep { $_->{type} eq "SYSCALL" && $child{ $_->{field}{pid} // '' } } @records;
    for (@records) {
        $n{ $_->{type} }++;
        $bytes{ $_->{type} } += length $_->{text};
        $n++;
        $bytes += length $_->{text};
    }
}
printf "%7.0f %9.0f ", map { ($_ // 0) * 1000 / $times } $n, $bytes;
printf " %s %.2f/%.0f", $_, $n{$_} / $times, $bytes{$_} / $times for sort keys %n;
print "\n";
