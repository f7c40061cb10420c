#!/usr/bin/perl
# make check-suites as a whole: what it asks prove for, and that it cannot pass where a part of it has not.
use strict;
use warnings;
use Test::More;
use FindBin;
use File::Temp qw(tempdir);

chdir "$FindBin::RealBin/.." or die;
my $tmp = tempdir(CLEANUP => 1);

# A prove that says for what it was called, and how many are at it.
open my $stub, '>', "$tmp/prove" or die;
print $stub <<'END';
#!/bin/sh
at=${0%/prove}
: >"$at/on.$$"
sleep 0.3
echo "called: suite=${VM_SUITE:-} many=${MANY_RULES:-} count=${COUNT:-} execs=${IDENT_EXECS:-} fuzz=${FUZZ_TIME:-} $*"
ls "$at" | grep -c '^on' >>"$at/together"
rm "$at/on.$$"
case ${VM_SUITE:-} in
broken) echo 'Result: FAIL'; exit 1 ;;
empty) echo 'Result: NOTESTS'; exit 0 ;;
esac
echo 'Files=1, Tests=2,  3 wallclock secs'
echo 'Result: PASS'
END
close $stub;
chmod 0755, "$tmp/prove";
my $suites = sub { my $said = `PROVE=$tmp/prove OUT=$tmp/out t/vm/suites @_ 2>&1`; return ($said, $? >> 8) };

my ($said, $status) = $suites->('one', 'two');
is $status, 0, 'where each part passes, all of it has';
my %asked = $said =~ /^([\w-]+): called: (.*)/mg;
is join(' ', sort keys %asked), 'aarch64 fuzz identity many-rules one two', 'each suite, and what takes long, is run, and its lines are told by its name';
my @machines = grep { !/aarch64/ } map { s/^t\///r } glob 't/*-vm-*.t';
like $asked{one}, qr/^suite=one many= /, 'a suite is of its Debian';
is join(' ', $asked{one} =~ m{t/(\S+)}g), "@machines", '... with every test of machines';
like $asked{'many-rules'}, qr/ many=10000 count=yes .* t\/90-vm-bench\.t$/, '10,000 rules, and instructions counted twice';
like $asked{identity}, qr/ execs=20000 .* t\/73-vm-identity\.t$/, 'the whole proof of identity';
like $asked{fuzz}, qr/ fuzz=60 .* t\/17-fuzz\.t$/, 'each fuzzer for a minute';
like $asked{aarch64}, qr/^suite=aarch64 .* t\/86-vm-aarch64\.t$/, 'aarch64';
like $said, qr/^--- check-suites\none: Files=1, Tests=2,  3 wallclock secs Result: PASS\ntwo: /m, 'the end is a line for each';
open my $together, '<', "$tmp/together" or die;
is join('', grep { $_ > 2 } <$together>), '', 'never more than two at once';

($said, $status) = $suites->('one', 'broken');
is $status, 1, 'one that fails is a failure';
like $said, qr/^check-suites: failed on: broken$/m, '... and named';
($said, $status) = $suites->('empty', 'one');
is $status, 1, 'so is one that ran nothing';
like $said, qr/^check-suites: failed on: empty$/m, '... and named';
done_testing;
