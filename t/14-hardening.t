#!/usr/bin/perl
# What the build did to make a mistake in the program harder to use: read from the ELF files themselves.
use strict;
use warnings;
use Test::More;

my $build = $ENV{BUILD} || 'build';
my $program = "$build/cloud-audit-setup";
my $runtime = "$build/cloud-audit-runtime";
plan skip_all => "$program is not built: make" unless -x $program;
plan skip_all => 'readelf is missing (Debian package binutils)' if system 'command -v readelf >/dev/null';

sub readelf {
	my (@args) = @_;
	open my $f, '-|', 'readelf', '-W', @args or die "readelf: $!";
	local $/;
	my $s = <$f>;
	return close $f ? $s : die "readelf @args: $?";
}

my $header = readelf('-h', $program);
my $segments = readelf('-l', $program);
my $dynamic = readelf('-d', $program);
my $symbols = readelf('--dyn-syms', $program);
my $sanitized = $symbols =~ /__asan_init|__ubsan_handle/ || `nm $program` =~ / __(asan|ubsan)_/;
my ($machine) = $header =~ /Machine:\s+(.*)/;

like $header, qr/Type:\s+DYN/, 'the program is position-independent';
like $dynamic, qr/FLAGS_1.*\bPIE\b/, 'and marked as such';
like $segments, qr/^\s+GNU_RELRO\s/m, 'its relocations become read-only (RELRO)';
like $dynamic, qr/\bBIND_NOW\b/, 'all of them, because every symbol is bound at the start';
like $segments, qr/^\s+GNU_STACK\s.*\sRW\s/m, 'its stack cannot be executed';
unlike $segments, qr/^\s+LOAD\s.*\sRWE\s/m, 'no segment is both writable and executable';
unlike $dynamic, qr/TEXTREL/, 'its code is not relocated';
unlike $dynamic, qr/\((RPATH|RUNPATH)\)/, 'libraries come from the system\'s directories only';
like $symbols, qr/\b__stack_chk_fail\b/, 'overwritten stacks are noticed';

SKIP: {
	skip 'sanitizers take the place of fortify', 3 if $sanitized;
	for my $call (qw(snprintf memcpy vasprintf)) {
		like $symbols, qr/\b__${call}_chk\b/, "calls of $call are bounded by the size of what they write to (fortify)";
	}
}
SKIP: {
	skip "control-flow protection is looked for on x86_64 only, this is $machine", 3 if $machine !~ /X86-64/;
	my $notes = readelf('-n', "$build/libcas.a");
	my $objects = () = $notes =~ /^File: /mg;
	my $ibt = () = $notes =~ /Properties:.*\bIBT\b/g;
	my $shstk = () = $notes =~ /Properties:.*\bSHSTK\b/g;
	is $ibt, $objects, "all $objects objects have landing pads for indirect branches (CET IBT)";
	is $shstk, $objects, 'and work with shadow stacks (CET SHSTK)';
	like readelf('-n', $program), qr/Properties:.*\bSHSTK\b/, 'the program is marked for shadow stacks';
}
SKIP: {
	skip "$runtime is not built", 4 unless -x $runtime;
	my $s = readelf('-l', $runtime);
	like $s, qr/^\s+GNU_RELRO\s/m, 'cloud-audit-runtime: RELRO';
	like $s, qr/^\s+GNU_STACK\s.*\sRW\s/m, 'cloud-audit-runtime: its stack cannot be executed';
	unlike $s, qr/^\s+LOAD\s.*\sRWE\s/m, 'cloud-audit-runtime: no segment is both writable and executable';
	unlike $s, qr/INTERP/, 'cloud-audit-runtime: no library is looked for';
}

done_testing;
