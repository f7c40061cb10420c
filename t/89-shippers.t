#!/usr/bin/perl
# The real shippers with the shipped configuration, recorded journals and faults: what is lost and what comes twice. Takes
# FLUENT_BIT and FLUENTD (commands), or build/fluent-bit/bin/fluent-bit and build/fluentd/fluentd; k8s/README.md tells how
# both are built. FAULTS=REGEX: those alone. Nothing of them is in this tree, and without them it is skipped.
use strict;
use warnings;
use File::Path qw(make_path);
use Test::More;
use lib 't/unit', 't/shipper';
use Cli qw($tmp);

my %program = ('fluent-bit' => $ENV{FLUENT_BIT} || (-x 'build/fluent-bit/bin/fluent-bit' ? 'build/fluent-bit/bin/fluent-bit' : undef),
	fluentd => $ENV{FLUENTD} || (-x 'build/fluentd/fluentd' ? 'build/fluentd/fluentd' : undef));
plan skip_all => 'neither fluent-bit nor fluentd is here: FLUENT_BIT=PROGRAM, FLUENTD=COMMAND; k8s/README.md tells how they are built'
	unless grep { defined } values %program;
for ([ 'JSON::XS', 'libjson-xs-perl' ], [ 'IO::Socket::SSL', 'libio-socket-ssl-perl' ]) {
	plan skip_all => "$_->[0] is missing: apt-get install $_->[1]" unless eval "require $_->[0]";
}
require Faults;
# The records that a fault may cost at most, and why.
my %MAY = (
	# in_systemd skips what is at its cursor without a look whether it is what was there.
	'fluent-bit vacuum while it is down' => 1,
);
my %make = ('fluent-bit' => \&Faults::fluent_bit, fluentd => \&Faults::fluentd);
for my $name (sort keys %program) {
	SKIP: {
		skip "$name is not here", 1 unless $program{$name};
		make_path("$tmp/$name");
		my $run = Faults->new(shipper => $make{$name}->($program{$name}), dir => "$tmp/$name", events => $ENV{EVENTS} || 3000);
		for my $fault (grep { $_->[0] =~ ($ENV{FAULTS} || '.') } $run->faults) {
			my $r = $run->try($fault);
			if ($r->{skipped}) { SKIP: { skip "$name: $fault->[0]: $r->{skipped}", 1 } next }
			cmp_ok $r->{lost}, '<=', $MAY{"$name $fault->[0]"} || 0, "$name: $fault->[0]: no record is lost" or
				diag join "\n", @{$r->{missing}}[0 .. ($#{$r->{missing}} < 9 ? $#{$r->{missing}} : 9)];
			note "$name: $fault->[0]: of $r->{records} records lost $r->{lost}, put aside $r->{kept}; entries $r->{entries}, of them " .
				"$r->{twice} again under their insertId, $r->{clash} others under one; started $r->{starts} times";
		}
	}
}
done_testing;
