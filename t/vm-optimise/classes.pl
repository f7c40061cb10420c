#!/usr/bin/perl
# What the kernels' headers say that a permission matches, of what `act every` does: lines KERNEL BITS LETTER NUMBER...
# from t/unit/classes.inc, which tells what its classes are. MACHINE: that one's, 64 bits only.
use strict;
use warnings;

my ($file, $machine) = @ARGV;
my %bits = $machine ? ($machine => 64) : (x86_64 => 64, i386 => 32);
# Opens are for reading and writing there, socketcall is a bind.
my %letters = (r => ['r'], w => ['w'], a => ['a'], x => ['x'], o => [ 'r', 'w' ], s => ['w']);
my %numbers;
open my $in, '<', $file or die "$file: $!\n";
while (<$in>) {
	my ($kernels, $arch, $class, $calls) = /^"([\d. ]+) \| (\w+) (\w) (.*)\\n"$/ or die "$file:$.: no row\n";
	my $bits = $bits{$arch} or next;
	for my $kernel (split ' ', $kernels) {
		push @{$numbers{"$kernel $bits $_"}}, $calls =~ /=(\d+)/g for @{$letters{$class} // []};
	}
}
for my $row (sort keys %numbers) {
	print join(' ', $row, sort { $a <=> $b } @{$numbers{$row}}), "\n";
}
