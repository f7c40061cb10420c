#!/usr/bin/perl
# verify's result for programs: Prometheus's text format, short JSON, again and again, and into a file. On a made-up node,
# whose kernel is a file.
use strict;
use warnings;
use File::Path qw(make_path);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);
use lib 't/unit';
use Auditctl;
use Cli;
use MadeUpNode;

my ($program, $root, $kernel, $systemd) = made_up_node([qw(etc/audit etc/ssh run/systemd/system run/systemd/network usr/bin var/lib)]);
put("$root/etc/mine", '');
put("$root/etc/latin", '');
put("$tmp/rules.d/\xe9.rules", "-w /etc/latin -p wa -k latin\n");
put("$tmp/rules.d/my \"own\".rules", "-w /etc/mine -p wa -k mine\n");
our @options = ('-R', $root, '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s', '-s', 'audit.lock=no');

sub node {
	my ($out, $err) = ("$tmp/out", "$tmp/err");
	my $status = $systemd->serve('sh', '-c', "exec \"\$@\" >$out 2>$err", 'sh', $program, @options, @_);
	return ($status >> 8, slurp($out), slurp($err));
}
sub change { my ($code) = @_; my $k = Auditctl::load($kernel); $code->($k); Auditctl::store($k, $kernel) }
sub lose { change(sub { @{$_[0]{rules}} = grep { !m{/etc/mine} } @{$_[0]{rules}} }) }
sub metric { my ($out, $name) = @_; return $out =~ /^\Qcloud_audit_$name\E (\S+)$/m ? $1 : 'none' }

# --- Prometheus ---
node('apply');
my ($code, $out, $err) = node('verify', '-o', 'prometheus');
is $code, 0, 'the node matches' or diag $err;
is metric($out, 'matches'), 1, 'cloud_audit_matches';
is metric($out, 'locked'), 0, 'cloud_audit_locked';
my $exec = metric($out, 'rules{group="exec",state="wanted"}');
cmp_ok $exec, '>=', 2, 'cloud_audit_rules: wanted of a group';
is metric($out, 'rules{group="exec",state="in_force"}'), $exec, 'and in force';
is metric($out, 'rules{group="my \"own\".rules",state="in_force"}'), 1, 'of the files of the user, too, whatever their names';
is metric($out, 'rules{group="\\\\xe9.rules",state="in_force"}'), 1, 'also one that is no UTF-8, with which a reader would take none of it';
is metric($out, $_), 0, "cloud_audit_$_" for qw(lost_total backlog);
my ($hash) = (node('render', 'hash'))[1] =~ /(\w+)/;
my ($version) = `$program --version` =~ /(\d\S*)/;
is metric($out, "info{ruleset=\"$hash\",version=\"$version\"}"), 1, 'cloud_audit_info has the hash of the rules as written, and the version';
SKIP: {
	skip 'promtool is missing (Debian package prometheus)', 2 if system 'command -v promtool >/dev/null';
	my $check = sub { put("$tmp/metrics", $_[0]); return `promtool check metrics <$tmp/metrics 2>&1` . $? };
	is $check->($out), 0, 'promtool check metrics finds nothing';
	like $check->($out =~ s/^# HELP cloud_audit_backlog.*\n//mr), qr/backlog/, 'which it would';
}
lose();
($code, $out) = node('verify', '-o', 'prometheus');
is "$code " . metric($out, 'matches') . ' ' . metric($out, 'differences{kind="rule"}'), '4 0 1', 'a rule that is missing: no match, one difference of its kind';
is metric($out, 'rules{group="my \"own\".rules",state="in_force"}'), 0, 'and a group without it';
node('apply');
change(sub { push @{$_[0]{rules}}, '-a always,exit -F arch=x86_64 -S openat -F key=evil' });
($code, $out) = node('verify', '-o', 'prometheus');
is metric($out, 'rules{group="other",state="in_force"}'), 1, 'what nobody asked for is a group of its own';
node('apply');
($code, $out) = node('verify', '-o', 'prometheus', '-R', "$tmp/nowhere");
is "$code " . metric($out, 'matches'), '1 0', 'a node that cannot be compared does not match';

# --- short JSON ---
sub valid {
	my ($name, $json) = @_;
	put("$tmp/json", $json);
	my ($code, $out) = run('t/unit/validate', $name, "$tmp/json");
	return $code == 0 || $code == 77 ? '' : $out;
}
my $long = (node('verify', '-o', 'json'))[1];
is valid('verify', $long), '', '-o json keeps to format 1';
is decode_json($long)->{format}, 1, 'and says so';
is decode_json($long)->{rule_set}{source_sha256}, $hash, 'it has the hash of the rules as written';
($code, $out) = node('verify', '-o', 'json', '--short');
is valid('verify_short', $out), '', '--short keeps to the schema';
my $v = decode_json($out);
is "$code $v->{format} $v->{matches}", '0 2 1', 'as format 2';
cmp_ok length $out, '<', length($long) / 5, 'and is short';
is $v->{rule_set}{source_sha256}, $hash, 'with the hash of the rules as written';
my ($own) = grep { $_->{name} eq 'my "own".rules' } @{$v->{groups}};
is "$own->{wanted} $own->{in_force}", '1 1', 'and each group';
lose();
$v = decode_json($out = (node('verify', '-o', 'json', '--short'))[1]);
is valid('verify_short', $out), '', 'what differs keeps to the schema';
is_deeply $v->{differs}, [{ kind => 'rule', wanted => 'my "own".rules:1: -w /etc/mine -p wa -k mine', there => 'not in force' }],
	'what differs is there in full, as it is written';
{
	make_path(map { "$root/$_" } qw(usr/lib/systemd var/log));
	put("$tmp/more/gone.rules", "-w /srv/absent/x -p wa -k gone\n");
	my $v = decode_json((node('verify', '-o', 'json', '--short', '-s', "rules.directory=$tmp/more"))[1]);
	is join('|', map { "$_->{wanted}: $_->{there}" } grep { $_->{there} =~ /^left out: .srv/ } @{$v->{notices}}),
		'gone.rules:1: -w /srv/absent/x -p wa -k gone: left out: /srv/absent is not there', 'so is a rule that is left out';
}
$v = decode_json($out = (node('plan', '-o', 'json', '--short'))[1]);
is valid('plan_short', $out) . $v->{differs}[0]{there}, 'not in force', 'plan, too';
change(sub { $_[0]{rules} = [] });
$v = decode_json($out = (node('verify', '-o', 'json', '--short'))[1]);
is scalar(grep { $_->{kind} eq 'rule' } @{$v->{differs}}), 1, 'all rules gone is one difference';
change(sub { $_[0]{rules} = [ map { "-a always,exit -F arch=x86_64 -S openat -F auid=$_ -F key=k$_" } 1 .. 400 ] });
$out = (node('verify', '-o', 'json', '--short'))[1];
$v = decode_json($out);
cmp_ok length $out, '<', 16384, 'however much differs, it is below the 16 kB at which container runtimes cut a line';
cmp_ok $v->{omitted}, '>', 100, 'and says how much is left out';
{
	# Names that are longest as JSON; values of --set; kinds of warnings, in a file whose name is long.
	my $long = sub { return "$_[0]-" . ('\\' x (240 - length $_[0])) . '.rules' };
	local @options = (@options, map { ('-s', "rules.directory=$tmp/rules.d") } 1 .. 60);
	my @files = map { put("$tmp/rules.d/" . $long->($_), "-a always,exit -S mount -F auid=$_ -k k$_\n") } 1000 .. 1080;
	for my $command ('verify', 'plan', 'apply') {
		$out = (node($command, '-o', 'json', '--short'))[1];
		cmp_ok length $out, '<', 16384, "$command: nor many files with long names, and settings, make it longer";
		is valid($command eq 'apply' ? 'done_short' : "${command}_short", $out), '', 'it keeps to the schema';
		my $v = decode_json($out);
		my $there = @{$v->{groups}} + @{$v->{configuration}{set}} + grep { $_->{kind} eq 'rule' } @{$v->{differs} // []};
		ok $there > 20 && $v->{omitted} >= 91 - @{$v->{groups}} + 63 - @{$v->{configuration}{set}}, 'and counts what it leaves out' or diag "$there $v->{omitted}";
	}
	unlink @files;
}
put("$tmp/rules.d/lint.rules", "-a always,exit -S mount -F auid=0 -k a\n" x 1 . "-a always,exit -S umount2 -F auid=0 -k a\n");
$v = decode_json((node('verify', '-o', 'json', '--short'))[1]);
my ($lint) = grep { $_->{name} eq 'no-arch' } @{$v->{lints}};
is_deeply $lint, { name => 'no-arch', count => 2, first => 'lint.rules:1' }, 'warnings about rules are there by kind';
unlink "$tmp/rules.d/lint.rules";
($code, $out) = node('apply', '-o', 'json', '--short');
is valid('done_short', $out), '', 'apply --short keeps to the schema';
{
	local @options = (@options, '-s', 'rules.existing=keep');
	change(sub { push @{$_[0]{rules}}, '-a always,exit -F arch=x86_64 -S openat -F key=theirs' });
	for my $brief ([], ['--short']) {
		($code, $out, $err) = node('apply', '-o', 'json', @$brief);
		my $done = decode_json($out || '{}');
		is valid(@$brief ? 'done_short' : 'apply', $out), '', "existing = keep: apply keeps to the schema @$brief" or diag $err;
		is $done->{rules}, $done->{rule_set}{in_force}{rules}, 'rules is how many are in force';
		is $done->{rules_ours}, $done->{rule_set}{wanted}{rules}, 'and rules_ours how many of them we loaded';
	}
	# What an earlier run brought is none of those that are kept: apply deletes it, and plan says so.
	my $mine = slurp("$tmp/rules.d/my \"own\".rules");
	for ([ '-w /etc/mine -p r -k mine', 1 ], [ '# none', 0 ]) {
		my ($rule, $more) = @$_;
		put("$tmp/rules.d/my \"own\".rules", "$rule\n");
		my $before = @{Auditctl::load($kernel)->{rules}};
		my $stay = $before - 1;
		($code, $out) = node('plan');
		like $out, qr/^Rules +$more to add, 1 to delete, $stay stay\b/m, "existing = keep, then $rule: plan counts what goes";
		like $out, qr{^  delete +-w /etc/mine -p wa -k mine$}m, 'and names it' or diag $out;
		is join('|', grep { /^-.* mine/ } split /\n/, (node('plan', '--diff'))[1]), '--w /etc/mine -p wa -k mine', 'in the diff, too';
		my $diff = decode_json((node('plan', '-o', 'json'))[1])->{diff};
		like $diff =~ s/.*^--- kernel rules$//msr, qr{^-\S.*path=/etc/mine -F perm=wa}m, 'as in that of JSON';
		unlike $diff, qr/^[-+].*theirs/m, 'which leaves what is kept';
		is +(node('apply'))[0], 0, 'apply';
		is scalar @{Auditctl::load($kernel)->{rules}}, $stay + $more, 'does what plan has said';
		put("$tmp/rules.d/my \"own\".rules", $mine);
		node('apply');
	}
	change(sub { @{$_[0]{rules}} = grep { !/theirs/ } @{$_[0]{rules}} });
}
($code, $out, $err) = node('remove', '-o', 'json', '--short');
is valid('done_short', $out), '', 'so does remove' or diag $err;
is valid('failed', (node('verify', '-o', 'json', '--short', '-s', 'audit.lock=x'))[1]), '', 'and a run that failed';
node('apply');

# --- into a file ---
my $file = "$tmp/textfile/audit.prom";
make_path("$tmp/textfile");
($code, $out) = node('verify', '-o', 'prometheus', '--output-file', $file);
is "$code$out", '0', 'with --output-file nothing is on standard output';
is metric(slurp($file), 'matches'), 1, 'but in the file';
is +(stat $file)[2] & 0777, 0644, 'which others may read';
my $inode = (stat $file)[1];
lose();
is +(node('verify', '-o', 'prometheus', '--output-file', $file))[0], 4, 'the exit status is that of the result';
isnt +(stat $file)[1], $inode, 'the next result is another file in its place: renamed';
is metric(slurp($file), 'matches'), 0, 'with what it says';
is join(' ', map { s{.*/}{}r } glob "$tmp/textfile/* $tmp/textfile/.[!.]*"), 'audit.prom', 'and nothing is left beside it';
node('apply');
($code, $out, $err) = node('verify', '--output-file', "$tmp/nowhere/x");
is $code, 1, 'a file that cannot be written: exit 1';
like $err, qr{error: the result could not be written to \S+nowhere/x: No such file or directory$}m, 'and says so';
($code, $out) = node('verify', '-o', 'json', '--output-file', "$tmp/nowhere/x");
is valid('failed', $out) . decode_json($out || '{}')->{status}, 1, 'JSON: that it failed is on standard output then';
my $good = "$tmp/textfile/rules";
is +(node('render', 'rules', '--output-file', $good))[0], 0, 'render into a file';
my $rendered = slurp($good);
is +(node('render', 'rules', '--output-file', $good, '-s', 'audit.lock=x'))[0] . (slurp($good) eq $rendered), '31', 'one that fails leaves it';
is +(node('verify', '--output-file', $good, '-s', 'audit.lock=x'))[0] . (slurp($good) eq $rendered), '31', 'verify as text, too';
node('verify', '-o', 'json', '--output-file', $good, '-s', 'audit.lock=x');
is valid('failed', slurp($good)), '', 'as JSON it says that it has failed';
node('plan', '--output-file', $good);
is slurp($good), '', 'plan without a change has an empty result';
is join(' ', map { s{.*/}{}r } glob "$tmp/textfile/* $tmp/textfile/.[!.]*"), 'audit.prom rules', 'and nothing is left beside them';
# --- killed at its steps, again and again ---
SKIP: {
	skip 'strace is missing', 12 if system 'command -v strace >/dev/null 2>&1';
	local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
	my $steps = "$tmp/steps";
	my $whole = (run($program, 'render', 'rules'))[1];
	make_path($steps);
	my $render = sub { my ($inject, @more) = @_;
		return (run('strace', '-qq', '-o', "$tmp/trace", ($inject ? ('-e', "inject=$inject") : ()), @more, $program, 'render', 'rules', '--output-file', "$steps/rules"))[0] };
	my $left = sub { return join ' ', map { s{.*/}{}r } glob "$steps/* $steps/.[!.]*" };
	for (['fchmod:signal=KILL', ''], ['fsync:signal=KILL', ''], ['linkat:signal=KILL', ''], ['/^rename:signal=KILL', '.rules.new']) {
		my ($inject, $stays) = @$_;
		my @codes = map { $render->($inject) } 1 .. 3;
		is $left->(), $stays, "killed three times at $inject: at most one file stays, under the same name" or diag "@codes";
	}
	is $render->(''), 0, '... and the next run ends well';
	is $left->() . (slurp("$steps/rules") eq $whole), 'rules1', '... whole, with nothing beside it';
	for my $command ('remove', 'apply') {
		$systemd->serve('sh', '-c', "exec \"\$@\" >$tmp/out 2>$tmp/err", 'sh', 'strace', '-f', '-qq', '-o', "$tmp/trace", '-e', 'trace=%process', $program, @options, $command);
		is join(' ', slurp("$tmp/trace") =~ /^\d+ +(\w+)\(/mg), 'execve exit_group', "$command executes nothing, and starts nothing" or diag slurp("$tmp/err");
	}
	is $render->('linkat:error=EACCES') . $left->() . (slurp("$steps/rules") eq $whole), '0rules1', 'where no file can be named afterwards it is written as well';
	is $render->('linkat:error=EACCES', '-e', 'inject=/^rename:error=EIO') . $left->() . (slurp("$steps/rules") eq $whole), '1rules1',
		'one that fails leaves what was there, and nothing beside it';
	# As NFS: every file has a name from the start.
	is $render->('openat:error=EOPNOTSUPP:when=1', '-P', "$steps/") . $left->() . (slurp("$steps/rules") eq $whole), '0rules1',
		'where files have names from the start it is written as well';
	like slurp("$tmp/trace"), qr/O_TMPFILE.*EOPNOTSUPP/, '... which is so here';
}

system('mkfifo', "$tmp/textfile/pipe") == 0 or die;
symlink 'rules', "$tmp/textfile/link" or die;
for my $other (qw(pipe link)) {
	my @was = lstat "$tmp/textfile/$other";
	($code, $out, $err) = node('verify', '--output-file', "$tmp/textfile/$other");
	is $code, 1, "a $other in the place of the file is refused";
	like $err, qr/: it is no regular file, and would be replaced by one; name another/, 'with the reason';
	is +(lstat "$tmp/textfile/$other")[1], $was[1], 'and stays';
}

# --- again and again ---
# While the program runs, code is called with each line that it prints; what that returns is sent as a signal.
sub watch {
	my ($on_line, @command) = @_;
	pipe my $in, my $out or die;
	my $status;
	my $child = fork // die;
	if (!$child) {
		close $in;
		open STDOUT, '>&', $out or die;
		open STDERR, '>', "$tmp/err" or die;
		# The fork has a systemd of its own, which begins as this one is.
		$systemd->{again} = 1;
		exit($systemd->serve('sh', '-c', 'echo $$ >' . "$tmp/pid" . '; exec "$@"', 'sh', $program, @options, @command) >> 8);
	}
	close $out;
	local $SIG{ALRM} = sub { kill 'KILL', slurp("$tmp/pid") + 0 };
	alarm 60;
	while (my $line = <$in>) {
		my $signal = $on_line->($line);
		kill $signal, slurp("$tmp/pid") + 0 if $signal;
	}
	waitpid $child, 0;
	alarm 0;
	return $? >> 8;
}
my @lines;
$code = watch(sub { push @lines, decode_json($_[0]); lose() if @lines == 2; return @lines == 3 ? 'TERM' : '' }, 'verify', '-o', 'json', '--short', '--every', '1s');
is join(' ', map { $_->{status} } @lines), '0 0 4', '--every: one result after the other, of the node as it is then';
is $code, 4, 'SIGTERM ends it with the last result\'s exit status';
node('apply');
@lines = ();
my $begun = time;
my $whole = slurp($kernel);
$code = watch(sub {
	push @lines, decode_json($_[0]);
	sleep 2.5 if @lines == 1;
	@lines == 1 ? lose() : @lines == 2 ? put($kernel, $whole) : 0;
	return @lines == 3 ? 'INT' : '';
}, 'verify', '-o', 'json', '--short', '--every', '1s', '--changes');
is join(' ', map { $_->{status} } @lines), '0 4 0', '--changes: only results that differ from the last one';
is $code, 0, 'SIGINT ends it, too';
cmp_ok time - $begun, '>=', 3, 'although it has looked more often';
{
	my @said;
	local $SIG{ALRM} = sub { kill 'KILL', slurp("$tmp/pid") + 0 };
	watch(sub {
		push @said, decode_json($_[0])->{message} // '';
		put("$tmp/rules.d/wrong.rules", '-a always,exit -S ' . (qw(neither nor))[$#said] . "\n") if @said < 3;
		alarm 15;
		return @said == 3 ? 'INT' : '';
	}, 'verify', '-o', 'json', '--short', '--every', '1s', '--changes');
	unlink "$tmp/rules.d/wrong.rules" or die;
	is join(' ', map { /neither/ ? 'neither' : /\bnor\b/ ? 'nor' : '-' } @said), '- neither nor', '--changes: a failure for another reason is another result';
}
{
	local $systemd->{again} = 1;
	$systemd->serve('bash', '-c', 'timeout -s KILL 20 "$@" | head -n 1 >/dev/null; echo ${PIPESTATUS[0]} >' . "$tmp/ended", 'bash', $program, @options,
		'-q', 'verify', '-o', 'json', '--short', '--every', '1s');
	# Seen before a result is written, or while.
	like slurp("$tmp/ended"), qr/^(?:0|141)$/, 'so does a reader that has gone';
}
{
	local @options = (@options, '-s', 'journal.reader=enable');
	my $table = sub { put("$root/proc/1/net/netlink", "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n" .
		"00000000bbbbbbbb 9   3998111666 00000001 4096 0 0     2        $_[0] 77\n") };
	put("$root/usr/lib/systemd/system/systemd-journald.service", "[Service]\nExecStart=/usr/lib/systemd/systemd-journald\n");
	is +(node('apply'))[0], 0, 'reader = enable' or diag slurp("$tmp/err");
	$table->(5);
	like +(node('verify'))[1] =~ s/\s+/ /gr, qr/has missed 5 records so far .* too slow for them; fewer events keep it from missing more/,
		'of a journald that was overrun although it has the room for more no more room is promised';
	@lines = ();
	watch(sub {
		push @lines, decode_json($_[0]);
		return 'TERM' if @lines == 2;
		$table->(6);
		sleep 6;
		lose();
		return '';
	}, 'verify', '-o', 'json', '--short', '--every', '1s', '--changes');
	is join(' ', map { $_->{kind} } @{$lines[1]{differs}}), 'rule host', '--changes: that it misses more makes no other result, a rule less does';
	unlink "$root/proc/1/net/netlink" or die;
}
is +(node('verify', '--every', '1s', '-s', 'audit.lock=x'))[0], 3, 'what is wrong in the configuration ends it at once';

done_testing;
