#!/usr/bin/perl
# The runner of real shippers (t/shipper/Faults.pm, t/89-shippers.t) finds what is wrong: on a stand-in with a fault
# that is planted, and nothing on one without.
use strict;
use warnings;
use File::Path qw(make_path);
use Test::More;
use lib 't/unit', 't/shipper';
use Cli qw(run $tmp);

for ([ 'JSON::XS', 'libjson-xs-perl' ], [ 'IO::Socket::SSL', 'libio-socket-ssl-perl' ]) {
	plan skip_all => "$_->[0] is missing: apt-get install $_->[1]" unless eval "require $_->[0]";
}
plan skip_all => 'systemd-journal-remote is missing: apt-get install systemd-journal-remote'
	unless grep { -x } '/usr/lib/systemd/systemd-journal-remote', '/lib/systemd/systemd-journal-remote';
require Faults;

my %fault = map { $_->[0] => $_ } Faults->faults;
my $kills = [ kills => sub { my ($s) = @_; for (1 .. 8) { $s->start; select undef, undef, undef, 0.4 + 0.05 * $_; $s->kill } } ];
my $refused = [ refused => sub { my ($s) = @_; $s->answer(503); $s->start; sleep 2; $s->answer(200) } ];
my $n = 0;
sub try {
	my ($planted, $fault, %o) = @_;
	my $dir = "$tmp/runner" . ++$n;
	make_path($dir);
	my $shipper = { name => 'stand-in', cursor => 'cursor', refused => 'refused', chunks => 'chunk', points => [ 'rename' ],
		command => sub { my ($p) = @_; return ('t/shipper/stand-in', $planted, $p->{state}, $p->{journal}, $p->{port}) } };
	return Faults->new(shipper => $shipper, dir => $dir, events => 500, patience => 4, quiet => 1, %o)->try($fault);
}
for ($fault{undisturbed}, $kills, $refused, $fault{rotation}) {
	my $r = try('nothing', $_);
	is "$r->{lost} $r->{clash}", '0 0', "$_->[0]: a shipper without a fault loses nothing";
	cmp_ok $r->{records}, '>', 1000, '... of many records';
}
{
	my $r = try('nothing', $fault{'cursor of garbage'});
	is $r->{lost}, 0, 'a cursor of garbage: nothing is lost';
	cmp_ok $r->{twice}, '>', 0, '... but sent twice, which is counted';
	$r = try('nothing', [ refused => sub { my ($s) = @_; $s->answer(403); $s->start; sleep 2; $s->answer(200) } ]);
	is $r->{lost}, 0, 'refused for good: what is put aside is not lost';
	cmp_ok $r->{kept}, '>', 0, '... and counted by itself';
}
cmp_ok try('cursor', $kills)->{lost}, '>', 0, 'a cursor that is saved before the chunk is found by the records that are lost';
# It has one chunk at a time, so there is but one to lose.
cmp_ok try('nothing', $fault{'power lost while the destination is away'}, parts => 1)->{lost}, '>', 0,
	'a cursor that is ahead of what is on the disk when the power is lost is found';
cmp_ok try('chunk', $refused)->{lost}, '>', 0, 'a chunk that is dropped is found';
cmp_ok try('other', $fault{'cursor of garbage'})->{clash}, '>', 0, 'another entry under the same insertId is found';
cmp_ok try('again', $fault{'cursor of garbage'})->{more}, '>', 0, 'a record that comes under two insertIds is found';
done_testing;
