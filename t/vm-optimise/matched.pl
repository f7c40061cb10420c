#!/usr/bin/perl
# The system calls that rules with the keys class-LETTER recorded between the messages "mark NAME begin" and "mark NAME
# end" of a log: lines BITS LETTER NUMBER..., a number as often as it is there.
use strict;
use warnings;

my ($log, $mark) = @ARGV;
my %bits = (c000003e => 64, '40000003' => 32, c00000b7 => 64);
my (%numbers, $on);
open my $in, '<', $log or die "$log: $!\n";
while (<$in>) {
	$on = 1 if /mark $mark begin/;
	last if /mark $mark end/;
	# Failed: that the program itself is run succeeds.
	next unless $on && /^type=SYSCALL .* arch=(\w+) syscall=(\d+) .*success=no .* key="class-(\w)"/;
	push @{$numbers{"$bits{$1} $3"}}, $2;
}
for my $row (sort keys %numbers) {
	print join(' ', $row, sort { $a <=> $b } @{$numbers{$row}}), "\n";
}
