#!/usr/bin/perl
# The whole program on t/vectors: what render kernel prints is what auditctl sends.
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP;
use MIME::Base64;
use Test::More;

my $program = ($ENV{BUILD} // 'build') . '/cloud-audit-setup';
my $root = tempdir(CLEANUP => 1);
my $rules = "$root/rules.d";
my $json = JSON::PP->new->utf8;

sub slurp { my ($path) = @_; open(my $f, '<:raw', $path) or die "$path: $!"; local $/; return <$f> }
sub spew { my ($path, $data) = @_; open(my $f, '>:raw', $path) or die "$path: $!"; print $f $data; close $f }

# The host that the vectors were compiled against.
chomp(my @dirs = grep { m{^/} } split /^/, slurp('t/vectors/fake_dirs.txt'));
make_path($rules, map { "$root$_" } @dirs);
my $ids = $json->decode(slurp('t/vectors/fake_ids.json'));
my ($users, $groups) = @$ids{qw(users groups)};
spew("$root/etc/passwd", join '', map { utf8::encode(my $n = $_); "$n:x:$users->{$_}:0::/:/bin/sh\n" } keys %$users);
spew("$root/etc/group", join '', map { utf8::encode(my $n = $_); "$n:x:$groups->{$_}:\n" } keys %$groups);

sub render {
	my (@lines) = @_;
	spew("$rules/10-vectors.rules", join '', map { "$_\n" } @lines);
	my @off = map { ('-s', "$_=no") } `$program --help settings` =~ /^  (events\.[\w-]+)=/mg;
	my $pid = open(my $out, '-|') // die "fork: $!";
	if (!$pid) {
		open STDERR, '>', "$root/stderr";
		exec $program, '-R', $root, @off, '-s', 'rules.optimise=no', '-s', "rules.directory=$rules", 'render', 'kernel';
	}
	my @objects = map { $json->decode($_) } <$out>;
	close $out;
	return ($? >> 8, slurp("$root/stderr"), grep { $_->{rule} } @objects);
}

my @good = map { s/\\udc[0-9a-f]{2}/?/g; $json->decode($_) } split /^/, slurp('t/vectors/good.jsonl');
my (@lines, @data);
for my $v (@good) {
	next if $v->{kernel61}{add} ne 'ok' || ($v->{mode} // '') eq 'argv';
	next if $v->{rule} eq '-w /etc/passwd/';	# a file here, for the names; a directory there
	my $line = $v->{rule_b64} ? decode_base64($v->{rule_b64}) : do { utf8::encode(my $l = $v->{rule}); $l };
	next if $line =~ /[\r\0]/;	# these make other lines of the file wrong, or it a CRLF file
	push @lines, $line;
	push @data, decode_base64($v->{b64});
}

my ($status, $stderr) = render(@lines);
is($status, 3, 'rules that auditctl takes by accident are exit status 3');
my %refused = map { $_ => 1 } $stderr =~ /error: \Q$rules\E\/10-vectors.rules:(\d+): /g;
cmp_ok(scalar keys %refused, '>', 100, 'every one of them is named with FILE:LINE');
my @keep = grep { !$refused{$_ + 1} } 0 .. $#lines;
($status, $stderr, my @got) = render(@lines[@keep]);
is($status, 0, 'all the others together are rendered') or diag($stderr);

# Of rules that are the same but for the prepend flag, the one that the kernel would try first stays.
sub plain { my ($data) = @_; vec($data, 0, 8) &= ~0x10; return $data }
my (%line, %seen, @wrong);
for my $object (@got) {
	next if $object->{source} eq 'built-in';
	my ($n) = $object->{source} =~ /:(\d+)$/;
	my $data = $line{$n - 1} = decode_base64($object->{data});
	$seen{plain($data)} = 1;
}
for my $i (0 .. $#keep) {
	my $want = $data[$keep[$i]];
	push @wrong, $lines[$keep[$i]] if defined $line{$i} ? $line{$i} ne $want : !$seen{plain($want)};
}
is("@wrong", '', "each gives auditctl's own bytes, or is a double of another");
cmp_ok(scalar @got, '>', 700, 'most of them are no doubles');

open(my $f, '<', 't/vectors/bad.jsonl') or die;
my @bad = grep { !/[\r\n\0]/ } map { s/\\udc[0-9a-f]{2}/?/g; my $v = $json->decode($_);
	$v->{rule_b64} ? decode_base64($v->{rule_b64}) : do { utf8::encode(my $l = $v->{rule} // ''); $l } } grep { !/"mode": ?"argv"/ } <$f>;
($status, $stderr) = render(@bad);
is($status, 3, 'rules that auditctl refuses are exit status 3');
my %named = map { $_ => 1 } $stderr =~ /error: \Q$rules\E\/10-vectors.rules:(\d+): /g;
my @missed = grep { !$named{$_ + 1} && $bad[$_] =~ /\S/ } 0 .. $#bad;
is(join("\n", map { $bad[$_] } @missed), '', 'every one of them is named with FILE:LINE, in one run');
done_testing();
