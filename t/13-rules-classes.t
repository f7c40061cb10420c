#!/usr/bin/perl
# What a permission filter matches, in the kernels of Debian's suites as their headers have it today: t/unit/classes.inc
# has it so, and the engine's table has every call of it.
use strict;
use warnings;
use Test::More;

my @suites = qw(bullseye bookworm trixie forky);
my $engine = 'build/t/unit/rules_optimise';
plan skip_all => 'the headers are the same for every build: once is enough' if $ENV{BUILD};
plan skip_all => "$engine is not built: make unit-tests" unless -x $engine;
for (qw(apt-get dpkg-deb gcc)) {
	plan skip_all => "$_ is missing" if system "command -v $_ >/dev/null 2>&1";
}

# {KERNEL ARCH CLASS => the calls}
sub rows {
	my %rows;
	for (@_) {
		my ($kernels, $what, $calls) = /^"?([\d. ]+) \| (\w+ \w) (.*?)(?:\\n")?$/ or die "no row: $_";
		$rows{"$_ $what"} = $calls for split ' ', $kernels;
	}
	return \%rows;
}

sub lines { open my $f, '<', $_[0] or die "$_[0]: $!"; chomp(my @lines = <$f>); return @lines }

system 'mkdir', '-p', 'build/headers';
my $status = system "flock build/headers/lock timeout 300 t/unit/classes @suites >build/headers/rows.$$ 2>build/headers/said.$$";
my $said = join ' ', lines("build/headers/said.$$");
unlink "build/headers/said.$$";
if ($status >> 8 == 2 || $status >> 8 == 124) {
	unlink "build/headers/rows.$$";
	plan skip_all => "the kernels' headers cannot be had: " . ($said || 'no answer in 300 s');
}
is "$status $said", '0 ', 'the headers can be read' or do { done_testing; exit 1 };

my $is = rows(lines("build/headers/rows.$$"));
my $recorded = rows(lines('t/unit/classes.inc'));
my %of_both = map { /^(\S+)/; ($1 => 1) } keys %$recorded;
# Recorded are kernels; a suite that has gone on to a newer one is seen below.
my @differ = map { my $row = $_;
	($is->{$row} // '') eq ($recorded->{$row} // '') ? () : "$row: $is->{$row}, recorded " . ($recorded->{$row} // 'nothing') }
	grep { /^(\S+) \S+ (\w)/; $of_both{$1} && $2 ne 'n' } sort keys %$is;
is join("\n", @differ), '', 'what is recorded of a kernel is what its headers have'
	or diag "record it: t/unit/classes @suites | sed 's/.*/\"&\\\\n\"/' >t/unit/classes.inc";
my %kernels = map { /^(\S+)/; ($1 => 1) } keys %$is;
note 'kernels: ' . join ' ', sort keys %kernels;
cmp_ok scalar(grep { $of_both{$_} } keys %kernels), '>=', 2, 'some of them are';

my @out = `$engine build/headers/rows.$$ 2>&1`;
$status = $?;
unlink "build/headers/rows.$$";
is $status, 0, 'every call of theirs goes with its letters in the table, and optimised sets decide as written ones do'
	or diag grep { !/^ok/ } @out;
done_testing;
