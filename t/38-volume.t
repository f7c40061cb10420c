#!/usr/bin/perl
# volume, on journals that systemd-journal-remote has made: what records add up to, what it says to people and programs,
# and what it makes of journals that are hostile, damaged, forbidden, or not there.
use strict;
use warnings;
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(time);
use lib 't/unit';
use Cli;

my ($remote) = grep { -x } map { "$_/systemd-journal-remote" } '/lib/systemd', '/usr/lib/systemd';
plan skip_all => 'systemd-journal-remote is not installed: make deps' if !$remote;

my $program = program();
my $machine = '0123456789abcdef0123456789abcdef';
my $now = int(time) * 1_000_000;
my %number = (SYSCALL => 1300, PATH => 1302, CONFIG_CHANGE => 1305, CWD => 1307, EXECVE => 1309);

# An entry of journald's: microseconds ago, the event's number, the record's text. Bytes of any kind.
sub entry {
	my ($ago, $id, $text, %more) = @_;
	my $type = $text =~ /^(\S+)/ ? $1 : 'none';
	my %field = (_BOOT_ID => 'a' x 32, _TRANSPORT => 'audit', _AUDIT_ID => $id, _AUDIT_TYPE_NAME => $type,
		_AUDIT_TYPE => $number{$type} // 1100, _MACHINE_ID => $machine, MESSAGE => $text, %more);
	my $entry = '__REALTIME_TIMESTAMP=' . ($now - $ago) . "\n__MONOTONIC_TIMESTAMP=" . (1_000_000_000_000 - $ago) . "\n";
	for my $name (sort keys %field) {
		my $value = $field{$name} // next;
		$entry .= $value =~ /[^ -~]/ ? "$name\n" . pack('Q<', length $value) . "$value\n" : "$name=$value\n";
	}
	return "$entry\n";
}

# A root whose journal has these entries; more than one list: so many files.
sub journal {
	my @files = @_;
	my $root = make_root();
	my $dir = "$root/var/log/journal/$machine";
	put("$root/etc/machine-id", "$machine\n");
	put("$dir/.keep", '');
	for my $i (0 .. $#files) {
		my $name = $i ? "system\@000$i-1.journal" : 'system.journal';
		put("$tmp/export", join '', @{$files[$i]});
		my ($code, undef, $err) = run({ seconds => 120 }, $remote, '--split-mode=none', "--output=$dir/$name", "$tmp/export");
		$code eq '0' or die "systemd-journal-remote: $code $err";
	}
	return ($root, $dir);
}

sub volume {
	my ($root, @args) = @_;
	my ($code, $out, $err) = run({ seconds => 120 }, $program, '-R', $root, '-o', 'json', 'volume', @args);
	my $json = eval { decode_json($out) } || {};
	put("$tmp/json", $out);
	is((run('t/unit/validate', 'volume', "$tmp/json"))[1], '', "@args: keeps to the schema") if $code eq '0';
	return ($json, $err, $code);
}
sub tally {
	my ($json, $list) = @_;
	return { map { $_->{name} => "$_->{events}/$_->{records}/$_->{bytes}" } @{$json->{$list}} };
}

my $call = 'SYSCALL arch=c000003e syscall=59 success=yes';
my $end = 'subj=unconfined key="exec"';
# --- what is counted -----------------------------------------------------------------------------
my $minute = 60_000_000;
my @texts = (
	# Two events whose records come mixed, the group told by one of them.
	[7, qq{$call auid=1000 exe="/usr/bin/a" $end}], [8, qq{$call auid=4294967295 exe="/usr/bin/b" subj=x key="network"}],
	[7, 'EXECVE argc=1 a0="a"'], [8, 'SOCKADDR saddr=0200'], [7, 'CWD cwd="/"'],
	# Two keys, in hexadecimal, with a byte 1 between them.
	[9, "$call auid=0 exe=\"/usr/bin/a\" key=" . uc unpack 'H*', "exec\x01mine"],
	# No rule's: who wrote it tells the group.
	[10, q{USER_AUTH pid=1 uid=0 auid=4294967295 msg='op=PAM exe="/usr/sbin/sshd" hostname=h res=failed'}],
	[11, 'CONFIG_CHANGE auid=0 op=add_rule key="mine" list=4 res=1'], [11, "$call auid=0 exe=\"/sbin/auditctl\" key=(null)"],
	[12, 'BPF prog-id=1 op=LOAD'],
	# A key that was cut from nothing, a program that is none.
	[13, "$call auid=0 exe=(null) key=(null)"],
);
my $at = 0;
my ($root) = journal([map { entry($minute * 10 - $at++, @$_) } @texts],
	# Another boot counts its events anew; and what is no audit record is none.
	[entry($minute * 30, 7, 'not audit', _TRANSPORT => 'kernel'),
		entry($minute * 20, 7, qq{$call auid=0 exe="/usr/bin/c" $end}, _BOOT_ID => 'b' x 32)]);
put("$root/usr/bin/a", '');
my ($v) = volume($root);
my $bytes = 0;
$bytes += length $_->[1] for @texts, [0, qq{$call auid=0 exe="/usr/bin/c" $end}];
is "$v->{events} $v->{records} $v->{bytes}", '8 12 ' . $bytes, 'every record counts, with the bytes of its text';
sub want { my ($events, @ids) = @_; my $n = 0; my $b = 0;
	for my $text (@texts) { next unless grep { $_ == $text->[0] } @ids; $n++; $b += length $text->[1] }
	return [$events, $n, $b] }
my $c = length qq{$call auid=0 exe="/usr/bin/c" $end};
my $exec = want(2, 7, 9);
is_deeply tally($v, 'groups'), {
	exec => join('/', 3, $exec->[1] + 1, $exec->[2] + $c),
	mine => join('/', @{want(1, 9)}), network => join('/', @{want(1, 8)}),
	logins => join('/', @{want(1, 10)}), 'audit-config' => join('/', @{want(1, 11)}),
	'(no key)' => join('/', @{want(2, 12, 13)}),
}, 'an event is its group\'s with all its records, whichever comes first; one with two keys is in both';
my $a = want(2, 7, 9);
is_deeply tally($v, 'programs'), {
	'/usr/bin/a' => join('/', @$a), '/usr/bin/b' => join('/', @{want(1, 8)}), '/usr/bin/c' => "1/1/$c",
	'/usr/sbin/sshd' => join('/', @{want(1, 10)}), '/sbin/auditctl' => join('/', @{want(1, 11)}),
	'(no program)' => join('/', @{want(2, 12, 13)}),
}, 'and its program\'s';
is { map { $_->{name} => $_->{records} } @{$v->{types}} }->{SYSCALL}, 6, 'a record is its type\'s';
is $v->{from} =~ s/\..*//r, strftime('%FT%T', gmtime(int($now / 1e6 - 1800))), 'it begins with the journal, where that is younger';
cmp_ok abs($v->{per_minute}{records} - 12 / 30), '<', 0.05, 'so many a minute, from there to now';
cmp_ok abs($v->{per_month}{bytes} / ($v->{per_minute}{bytes} * 43200) - 1), '<', 0.001, 'and in 30 days';
my %save = map { $_->{setting} => $_ } @{$v->{savings}};
is $save{'filter.exclude_exe=/usr/bin/a'}{bytes}, $a->[2], 'a program left out saves its events';
ok $save{'filter.exclude_exe=/usr/bin/a'}{at_most}, 'at most: without an identity some of it may be containers\' of the same path';
is join(' ', grep { /exclude_exe/ } sort keys %save), 'filter.exclude_exe=/usr/bin/a', 'one that is not on the host is a container\'s, and no setting leaves it out';
is $save{'filter.exclude_types=CWD'}{records}, 1, 'a type its records';
is $save{'events.logins=no'}{bytes}, want(1, 10)->[2], 'a group its events, those that no rule caused among them';
is $save{'filter.min_auid=1000'}{records}, 4, 'min_auid what daemons and low users caused, of what rules record';
is $save{'filter.exclude_types=SYSCALL'}, undef, 'what an event cannot do without is not advised';

# --- containers that carry an identity ---
my %class = (C => 0xC1234567, D => 0xD1234567, E => 0xE1234567, people => 1000, unset => 4294967295);
my $event = 300;
my @classes = map { my $class = $_; map { [$class, $_] } qw(exec mine) } sort keys %class;
my @class_texts = map { [$event++, qq{$call auid=$class{$_->[0]} exe="/usr/bin/sh" key="$_->[1]"}] } @classes;
# What a rule of the user's records, too, stays.
push @class_texts, [$event++, "$call auid=$class{C} exe=\"/usr/bin/sh\" key=" . uc unpack 'H*', "exec\x01mine"];
push @class_texts, [$event++, qq{USER_AUTH pid=1 uid=0 auid=$class{C} ses=3 msg='op=PAM exe="/usr/bin/sh" res=failed'}];
my ($shared) = journal([map { entry($minute, @$_) } @class_texts]);
put("$shared/usr/bin/sh", '');
my @identity = map { ('-s', $_) } 'container.runtime_unit=containerd.service', 'container.identity=yes';
sub saves {
	my ($set, $setting) = @_;
	my ($s) = grep { $_->{setting} eq $setting } @{(volume($shared, @$set))[0]{savings}};
	return $s ? $s->{records} : undef;
}
is saves(\@identity, 'filter.exclude_exe=/usr/bin/sh'), 4, 'exclude_exe is of the host\'s program: what containers do stays';
is saves(\@identity, 'filter.min_auid=1000'), 7, 'with identity min_auid leaves out classes C and D, too';
is saves([], 'filter.min_auid=1000'), 2, 'without it not';
is saves(\@identity, 'filter.workloads=no'), 1, 'workloads = no: class C of its groups, but not of the user\'s rules';
is saves(\@identity, 'filter.sessions=terminal'), 1, 'sessions = terminal: class D of them';
for my $setting ('workloads=no', 'sessions=terminal') {
	is saves([], "filter.$setting"), undef, "$setting is no advice without identity";
	is saves([@identity, '-s', "filter.$setting"], "filter.$setting"), undef, 'nor where it is set';
}

# Every type that goes with a group which is off.
my %of_type;
for my $file (glob 'rules/*-no.rules') {
	my ($group) = $file =~ m{/\d+-(.*)-no\.rules$};
	$of_type{$_} = $group for slurp($file) =~ /^-a always,exclude -F msgtype=(\S+)$/mg;
}
my %want;
$want{$_}++ for values %of_type;
($root) = journal([map { entry($minute, 100 + $_, (sort keys %of_type)[$_] . ' pid=1') } 0 .. keys(%of_type) - 1]);
($v) = volume($root);
cmp_ok scalar keys %of_type, '>', 30, 'the types of groups that are off are read from rules/';
is_deeply { map { $_->{name} => $_->{events} } @{$v->{groups}} }, \%want, 'each counts for its group';

# --- since when -----------------------------------------------------------------------------------
($root) = journal([map { entry($_ * 60 * $minute, 20 + $_, "$call $end") } 90, 30, 3, 1]);
is((volume($root))[0]{records}, 2, 'without --since: a day back');
is((volume($root, '--since', $_->[0]))[0]{records}, $_->[1], "--since $_->[0]")
	for ['2h', 1], ['-200min', 2], ['4h ago', 2], ['2d', 3], ['5 days', 4], ['@' . int($now / 1e6 - 31 * 3600), 3],
		[strftime('%F %T', localtime($now / 1e6 - 2 * 3600)), 1];
for my $case (['soon', "--since: expected a time such as 1h, today, 08:00 or '2026-11-29 08:00', not 'soon'"],
	['2099-01-01', "--since '2099-01-01' is yet to come"]) {
	my ($code, $out, $err) = run($program, '-R', $root, 'volume', '--since', $case->[0]);
	is "$code|$out|$err", "2||cloud-audit-setup: error: $case->[1]\n", "--since $case->[0] is wrong usage";
}
is((run($program, '-R', $root, 'verify', '--since', '1h'))[0], 2, '--since of another command, too');
# A copy of some other time.
($root) = journal([entry(50 * 60 * $minute, 1, "$call $end"), entry(40 * 60 * $minute, 2, "$call $end")]);
($v) = volume($root, '--since', '3d');
cmp_ok abs($v->{per_minute}{records} - 2 / 600), '<', 0.0001, 'in a journal that has ended the span ends with it';

# --- for people -----------------------------------------------------------------------------------
sub fits {
	my ($out, $name) = @_;
	my @lines = split /\n/, $out;
	cmp_ok scalar @lines, '<=', 23, "$name: with a prompt in 24 rows";
	is join("\n", grep { length > 80 } @lines), '', "$name: and 80 columns";
	is join(' ', $out =~ /([^\n -~])/g), '', "$name: and nothing but text goes to a terminal";
}
my $hostile = "\x1b[2J\x07/very/long/" . 'p' x 300;
my @hostile;
for my $i (1 .. 40) {
	my $exe = $i % 2 ? uc unpack 'H*', "/bin/$i $hostile" : qq{"/usr/lib/some/where/far/below/program-$i"};
	my $key = $i % 3 ? uc unpack 'H*', "k$i\x01\x9b31m$hostile" : qq{"k$i"};
	push @hostile, entry($minute + $i, 500 + $i, "$call auid=$i exe=$exe key=$key");
	push @hostile, entry($minute + $i, 500 + $i, "TY\x1b[${i}mPE x=\xff\xfe");
}
push @hostile, entry($minute, 1, ''), entry($minute, 2, 'SYSCALL'), entry($minute, 3, 'SYSCALL key='), entry($minute, undef, " key=\"x"),
	entry($minute, 4, 'SYSCALL auid=99999999999999999999 exe= key=4'), entry($minute, 5, 'SYSCALL key="' . 'k' x 70000);
($root) = journal(\@hostile);
for my $args ([], ['-v']) {
	my ($code, $out, $err) = run($program, '-R', $root, 'volume', @$args);
	is "$code $err", '0 ', "hostile records @$args: exit 0, nothing on stderr";
	fits($out, 'hostile records') if !@$args;
	is join(' ', $out =~ /([^\n -~])/g), '', "@$args: no byte of theirs that is no text";
	like $out, qr/\\x1b\[2J\\x07/, '-v: they are shown as numbers' if @$args;
}
($v) = volume($root);
ok !(grep { $_->{setting} =~ /\\|exclude_exe=.* / } @{$v->{savings}}), 'a path that no setting can name is not advised';

# More names than are kept.
($root) = journal([map { entry($minute, $_, qq{$call auid=0 exe="/bin/$_" $end}) } 1 .. 4200]);
($v) = volume($root);
is scalar @{$v->{programs}}, 4097, 'thousands of programs: so many are told apart';
is tally($v, 'programs')->{'(others)'} =~ s{/\d+$}{}r, '104/104', 'and the others counted together';

# --- a large one ----------------------------------------------------------------------------------
my @large;
for my $i (1 .. 20000) {
	my $exe = '/usr/bin/' . ('stat', 'runc', 'sh', 'containerd-shim-runc-v2')[$i % 4];
	push @large, entry(50 * $minute - $i * 100_000, $i, "$call exit=0 a0=1 a1=2 a2=3 a3=8 items=2 ppid=1 pid=$i auid=4294967295 uid=0 " .
		qq{tty=(none) ses=4294967295 comm="x" exe="$exe" $end}),
		map { entry(50 * $minute - $i * 100_000, $i, $_) } 'EXECVE argc=2 a0="x" a1="/etc/hostname"', 'CWD cwd="/"',
		map { "PATH item=$_ name=\"/usr/bin/x$_\" inode=826 dev=fe:00 mode=0100755 ouid=0 ogid=0 nametype=NORMAL" } 0, 1;
}
($root) = journal(\@large);
my $start = time;
my ($code, $out, $err) = run({ seconds => 120 }, $program, '-R', $root, 'volume');
my $took = time - $start;
# Sanitizers take several times as long.
cmp_ok $took, '<', ($ENV{BUILD} // 'build') =~ /sanitize|coverage/ ? 30 : 5, sprintf '100,000 records take %.2f s', $took;
is "$code $err", '0 ', 'and nothing is said of them';
like $out, qr/^100,000 records of 20,000 events, /m, 'all are counted';
fits($out, '100,000 records');
like $out, qr/^exec +100,000 +\S+ MB  100 % +\S+ GB$/m, 'by group';
like $out, qr/^PATH +40,000 /m, 'by type';
like $out, qr{^/usr/bin/runc +25,000 +\S+ MB   25 % }m, 'by program';
like $out, qr{^filter\.exclude_types=PATH +\d+ % +\S+ GB  the files of an event$}m, 'and what would save most';
unlike $out, qr/events\.exec=no/, 'a whole group is no advice';
like((run({ seconds => 120 }, $program, '-R', $root, '-v', 'volume'))[1], qr/^events\.exec=no +100 %/m, 'but for -v');

# --- journals that cannot be read, or not all -----------------------------------------------------
my $dir;
($root, $dir) = journal([entry($minute, 1, "$call $end")], [map { entry($minute * 2, $_ + 2, "$call $end " . 'x' x 5000) } 1 .. 900]);
put("$dir/system\@0002-2.journal", 'x' x 5000);
put("$dir/system\@0003-3.journal~", '');
put("$dir/system\@0004-4.journal", 'LPKSHHRH' . "\xff" x 5000);
put("$dir/user-1000.journal", 'not looked at');
($v, $err) = volume($root);
is $v->{journal}{files} . ' ' . $v->{journal}{unread}, '5 3', 'files that are none are counted';
is scalar(() = $err =~ m{system\@000[23]-\d\.journal~?: this file of the journal was passed over: it is damaged}g), 2,
	'and each passed over with a word' or diag $err;
like $err, qr{system\@0004-4\.journal: this file of the journal was passed over: it is written in a way that only a newer systemd reads},
	'one of a newer systemd, too';
is $v->{records}, 901, 'the others are read';
unlink map { "$dir/system\@$_" } '0002-2.journal', '0003-3.journal~', '0004-4.journal';
# A disk's end: the last part of a file is of zeros.
my $file = "$dir/system\@0001-1.journal";
open my $f, '+<', $file or die;
seek $f, (-s $file) / 3, 0;
print $f "\0" x int((-s $file) * 2 / 3);
close $f;
($v, $err) = volume($root);
is $v->{journal}{damaged}, 1, 'a file whose end is gone is noticed';
like $err, qr{system\@0001-1\.journal: this file of the journal is damaged; what can be read of it is counted}, 'with a word';
cmp_ok $v->{records}, '>=', 1, 'and the other one read';

($root, $dir) = journal([entry($minute, 1, 'x', _TRANSPORT => 'kernel')]);
($v, $err, $code) = volume($root);
is "$code $v->{records}", '0 0', 'a journal without audit records is no failure';
like $err, qr/no audit record of that time: auditing is off, or journald does not take the records \(journal\.reader=enable/,
	'and why that may be, is said';
is((run($program, '-R', $root, 'volume'))[1], '', 'no table of nothing is printed');
unlink glob "$dir/*";
($v, $err, $code) = volume($root);
is $code, 1, 'without a journal it fails';
like $err, qr/there is no journal below \S+, neither in \S+ nor in \S+: point --root/, 'and says what to do';
SKIP: {
	skip 'needs root', 4 if $> != 0;
	($root, $dir) = journal([entry($minute, 1, "$call $end")]);
	chmod 0640, glob "$dir/*";
	my $nobody = sub { $) = '65534 65534'; $( = 65534; $< = $> = 65534 };
	($code, $out, $err) = run({ before => $nobody }, $program, '-R', $root, 'volume');
	is $code, 1, 'who may not read it';
	like $err, qr/may not be read by this user: run as root, or as a member of the group systemd-journal/, 'is told who may';
	chmod 0644, glob "$dir/*";
	($code, $out, $err) = run({ before => $nobody }, $program, '-R', $root, 'volume');
	is "$code $err", '0 ', 'where it may be read no root is needed';
	like $out, qr/^1 records of 1 events/m, 'and all is counted';
}
done_testing;
