#!/usr/bin/perl
# verify where there is no bus ([dbus] address = none), and as the component watch runs it: again and again, confined as in its
# container, its metrics into a file. On a made-up node, whose kernel is a file; the real one is asked in t/82.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use JSON::PP;
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(sleep time);
use lib 't/unit';
use Auditctl;
use Cli;
use FakeNode;
use MadeUpNode;

my ($program, $root, $kernel, $systemd) = made_up_node([qw(etc/audit etc/ssh etc/mine run/systemd/system run/systemd/network run/systemd/transient
	usr/lib/systemd/system usr/lib/systemd/journald.conf.d var/lib var/log usr/bin)]);
put("$tmp/rules.d/my.rules", "-w /etc/mine/ -p wa -k mine\n");
my @apply = ('-R', $root, '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s');
my @options = (@apply, '-s', 'dbus.address=none');
my $units = "$root/etc/systemd/system";

sub apply { $systemd->serve('sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh', $program, @apply, @_, 'apply') >> 8 }
sub verify { run($program, @options, @_, 'verify') }
sub short { my ($code, $out, $err) = verify('-o', 'json', '--short', @_); return ($code, decode_json($out || '{}'), $err) }
sub points { my %points; for (split /\n/, $_[0]) { $points{$2} = $1 . ($3 // '') if /^(ok|not ok) \d+ - (.*?)( # \w+.*)?$/ } return \%points }
sub change { my ($code) = @_; my $k = Auditctl::load($kernel); $code->($k); Auditctl::store($k, $kernel) }
sub valid {
	my ($name, $json) = @_;
	my ($code, $out) = run('t/unit/validate', $name, put("$tmp/json", $json));
	return $code == 0 || $code == 77 ? '' : $out;
}

# --- a node that matches ---
put("$root/usr/lib/systemd/system/systemd-journald-audit.socket", "[Socket]\nListenNetlink=audit 1\n");
$systemd->{state}{'systemd-journald-audit.socket'} = 'active';
is apply(), 0, 'apply, over the bus';
unlink "$root/run/systemd/private";
my ($code, $out, $err) = verify();
is $code, 0, 'without a bus the node matches' or diag "$out$err";
like $out, qr/^Lock +yes/m, 'the lock is told by the kernel';
like $out, qr/^Reader +the journal, by its audit socket$/m, 'journald\'s socket by the kernel\'s table';
like $out =~ s/\s+/ /gr, qr/wanted: systemd was asked there: it was not \(\[dbus\] address = none\).*not looked at: .*active/,
	'that systemd was not asked is said, with what it alone knows';
my ($code_with) = $systemd->serve('sh', '-c', "exec \"\$@\" >$tmp/tap 2>/dev/null", 'sh', $program, @apply, '-o', 'tap', 'verify') >> 8;
my ($with, $without) = (points(slurp("$tmp/tap")), points((verify('-o', 'tap'))[1]));
my $unasked = qr/^ok # SKIP systemd was not asked \(\[dbus\] address = none\)$/;
is_deeply [ sort grep { $without->{$_} =~ $unasked } keys %$without ], [ sort 'cloud-audit-lock.service has not failed',
	map { ("$_ is loaded as it is on disk", "$_ is loaded from /etc/systemd/system/$_") } qw(cloud-audit-setup.service cloud-audit-lock.service) ],
	'what systemd alone knows is passed over, neither good nor bad';
is_deeply [ grep { $without->{$_} !~ $unasked && ($with->{$_} // '') ne $without->{$_} } sort keys %$without ], [ 'systemd was asked' ],
	'all else has the verdict that it has with a bus';
is_deeply [ grep { !exists $without->{$_} } sort keys %$with ], [ 'no other agent manages audit rules' ], 'and but for other agents nothing is left out';
my ($json) = (verify('-o', 'json'))[1];
is valid('verify', $json), '', 'JSON keeps to the schema';
is_deeply [ map { [ @$_{qw(path active failed enabled needs_reload)} ] } @{decode_json($json)->{units}} ],
	[ map { [ "/etc/systemd/system/cloud-audit-$_.service", undef, undef, JSON::PP::true, undef ] } qw(setup lock) ],
	'of units it has what files tell, and null for the rest';

# --- what is gone below a root that is read-only for who looks ---
SKIP: {
	skip 'no mount namespaces here', 3 if $> || system 'unshare -m --propagation private true 2>/dev/null';
	my @runtime = map { ('-s', "container.$_") } 'runtime_unit=containerd.service', 'identity=yes';
	put("$root/usr/lib/systemd/system/containerd.service", "[Service]\nExecStart=/usr/bin/containerd\nKillMode=process\n");
	put("$root/usr/bin/$_", "#!/bin/false\n") for qw(containerd runc);
	make_path("$root/opt");
	copy +($ENV{BUILD} || 'build') . '/cloud-audit-runtime', "$tmp/bin/cloud-audit-runtime" or die;
	chmod 0755, "$tmp/bin/cloud-audit-runtime", "$root/usr/bin/containerd", "$root/usr/bin/runc";
	sub below { run('unshare', '-m', '--propagation', 'private', 'sh', '-c', 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"', 'sh', $root, $program, @options, @_) }
	my ($code, $out, $err) = below(@runtime, 'verify');
	like $code, qr/^[45]$/, 'the program for the runtime is gone, and the root read-only: a difference, no failure' or diag $err;
	like +(below(@runtime, '-o', 'json', '--short', 'verify'))[1] // '', qr{/opt/cloud-audit-runtime is as configured}, 'which is named';
	make_path("$root/usr/local/sbin/cloud-audit-runtime.d");
	like +(below(@runtime, '-o', 'json', '--short', 'verify'))[1] // '', qr{/usr/local/sbin/cloud-audit-runtime is as configured}, 'where an earlier run had put it, it is missed';
	remove_tree("$root/usr/local", "$root/opt", "$root/usr/lib/systemd/system/containerd.service");
}

# --- what differs ---
# Each: what is done, the kind that differs, what undoes it.
my $drop_in = "$units/cloud-audit-setup.service.d/x.conf";
my $link = "$units/multi-user.target.wants/cloud-audit-lock.service";
my $target = readlink $link or die;
my @differ = (
	[ 'a rule that has vanished', 'rule', sub { change(sub { @{$_[0]{rules}} = grep { !/mine/ } @{$_[0]{rules}} }) }, undef, 5 ],
	[ 'a rule of somebody else', 'rule', sub { change(sub { push @{$_[0]{rules}}, '-a always,exit -F arch=x86_64 -S openat -F key=evil' }) }, undef, 5 ],
	[ 'a lock that is gone', 'lock', sub { change(sub { $_[0]{'-e'} = 1 }) } ],
	[ 'a unit that no boot starts', 'unit', sub { unlink $link }, sub { symlink $target, $link } ],
	[ 'a drop-in of somebody else', 'drop-in', sub { put($drop_in, "[Service]\nExecStart=\n") }, sub { remove_tree("$units/cloud-audit-setup.service.d") } ],
	[ 'a drop-in for all units of the prefix', 'drop-in drop-in', sub { put("$root/usr/lib/systemd/system/cloud-audit-.service.d/y.conf", "[Unit]\n") },
		sub { remove_tree("$root/usr/lib/systemd/system/cloud-audit-.service.d") } ],
	[ 'a drop-in below another name of the unit', 'drop-in', sub { symlink 'cloud-audit-setup.service', "$root/usr/lib/systemd/system/other.service";
		put("$root/etc/systemd/system/other.service.d/z.conf", "[Unit]\n") }, sub { unlink "$root/usr/lib/systemd/system/other.service"; remove_tree("$units/other.service.d") } ],
	[ 'a unit in the place of ours', 'replaced', sub { put("$root/run/systemd/transient/cloud-audit-setup.service", "[Service]\n") },
		sub { unlink "$root/run/systemd/transient/cloud-audit-setup.service" } ],
	[ 'a masked unit', 'file replaced', sub { rename "$units/cloud-audit-lock.service", "$tmp/kept"; symlink '/dev/null', "$units/cloud-audit-lock.service" },
		sub { unlink "$units/cloud-audit-lock.service"; rename "$tmp/kept", "$units/cloud-audit-lock.service" } ],
	[ 'a rules file that somebody has written to', 'file', sub { put("$tmp/kept", slurp("$root/etc/audit/cloud-audit-setup.rules"));
		put("$root/etc/audit/cloud-audit-setup.rules", "-D\n") }, sub { put("$root/etc/audit/cloud-audit-setup.rules", slurp("$tmp/kept")) } ],
	[ 'a transient unit that was left', 'unit', sub { put("$root/run/systemd/transient/cloud-audit-rules.service", "[Service]\n") },
		sub { unlink "$root/run/systemd/transient/cloud-audit-rules.service" } ],
);
my $was = slurp($kernel);
for (@differ) {
	my ($name, $kind, $do, $undo, $want) = @$_;
	$do->();
	($code, my $v, $err) = short();
	is "$code " . join(' ', map { $_->{kind} } @{$v->{differs}}), ($want // 4) . " $kind", "$name differs: exit " . ($want // 4) or diag $err;
	put($kernel, $was);
	$undo->() if $undo;
}
is +(short())[0], 0, 'and the node matches again';
change(sub { @{$_[0]{rules}} = grep { !/pid=0/ } @{$_[0]{rules}} });
($code, $out) = verify('-o', 'json');
is "$code " . valid('verify', $out), '0 ', 'as one does that a version without the rule at the end has locked, in the terms of the schema';
put($kernel, $was);
put("$drop_in", '');
unlink $drop_in;
symlink '/dev/null', $drop_in or die;
is +(short())[0], 0, 'a drop-in that is masked changes nothing';
remove_tree("$units/cloud-audit-setup.service.d");
put("$root/etc/audit/rules.d/own.rules", "-e 2\n");
put("$root/usr/lib/systemd/system/auditd.service", "[Service]\n");
unlike +(verify())[2], qr/own\.rules/, 'the host\'s own rules are loaded by nobody';
symlink '/usr/lib/systemd/system/auditd.service', "$units/multi-user.target.wants/auditd.service" or die;
like +(verify())[2], qr{/etc/audit/rules\.d/own\.rules:1: this line of the host's own locks}, 'or, by a link, at each boot by auditd: said as with a bus';
unlink "$units/multi-user.target.wants/auditd.service", "$root/etc/audit/rules.d/own.rules", "$root/usr/lib/systemd/system/auditd.service";

make_path("$root/usr/lib/systemd/system/multi-user.target.wants");
put("$root/etc/audit/rules.d/own.rules", "-e 2\n");
put("$root/usr/lib/systemd/system/audit-rules.service", "[Service]\n");
symlink '../audit-rules.service', "$root/usr/lib/systemd/system/multi-user.target.wants/audit-rules.service" or die;
like +(verify())[2], qr{own\.rules:1: this line of the host's own locks}, 'also by a link of the package\'s own, outside /etc';
remove_tree("$root/usr/lib/systemd/system/multi-user.target.wants");
unlink "$root/etc/audit/rules.d/own.rules", "$root/usr/lib/systemd/system/audit-rules.service";

# --- an instance of a template ---
{
	my @asked = map { ('-s', $_) } qw(container.runtime_unit=runtime@main.service container.identity=yes);
	put("$root/usr/bin/runc", '');
	make_path("$root/opt");
	like +(verify(@asked))[2], qr/there is no such unit on this host/, 'an instance whose template is not there';
	put("$root/usr/lib/systemd/system/runtime@.service", "[Service]\nExecStart=/usr/bin/containerd\n");
	($code, $out, $err) = verify(@asked);
	like "$code $err", qr/^[45] (?!.*no such unit)/s, '... and where it is' or diag $err;
	put("$units/runtime@.service.d/10-path.conf", "[Service]\nEnvironment=PATH=/template/bin\n");
	my ($path) = grep { $_->{wanted} =~ /cloud-audit-setup\.conf is as/ } @{(short(@asked))[1]{differs}};
	ok $path, '... it goes on with its drop-ins';
	remove_tree("$units/runtime@.service.d");
	unlink "$root/usr/lib/systemd/system/runtime@.service";
}

# --- who listens ---
{
	my $socket = "$root/usr/lib/systemd/system/systemd-journald-audit.socket";
	like +(verify())[1], qr/^Reader +the journal, by its audit socket$/m, 'number 1 listens, and journald has its socket';
	my $unit = slurp($socket);
	unlink $socket;
	symlink '/dev/null', $socket or die;
	like +(verify())[1], qr/^Reader +not known: /m, 'but masked: it may be a container\'s first process' or diag +(verify())[1];
	unlink $socket;
	put($socket, $unit);
}

# --- all gone: why is not claimed to be known ---
change(sub { $_[0]{rules} = []; $_[0]{'-e'} = 1 });
like +(verify())[1] =~ s/\s+/ /gr, qr/none of the \d+ rules is in force, .*: somebody has deleted them, or cloud-audit-setup\.service, which loads them, has failed or not run/,
	'all rules gone: two causes are named, since systemd alone knows which';
put($kernel, $was);

# --- identity, keystrokes ---
{
	my $head = substr slurp($program), 0, 64;
	substr($head, 56, 2) = "\0\0";
	put("$tmp/bin/cloud-audit-runtime", $head . 'a program' x 40);
	put("$root/usr/bin/runc", '');
	put("$root/etc/pam.d/sshd", "session required pam_unix.so\n");
	make_path("$root/opt");
	put("$root/usr/lib/systemd/system/containerd.service", "[Service]\nExecStart=/usr/bin/containerd\n");
	my @asked = map { ('-s', $_) } qw(container.runtime_unit=containerd.service container.identity=yes container.keystrokes=yes tty.sshd=yes);
	change(sub { $_[0]{'-e'} = 1 });
	is apply(@asked), 0, 'with identity and keystrokes, whose PATH comes from systemd';
	is_deeply [ short(@asked) ]->[1]{differs}, [], '... nothing differs without a bus';
	my $points = points((verify('-o', 'tap', @asked))[1]);
	like $points->{$_} // '', $unasked, "... and passed over is: $_" for 'systemd has PATH of containerd.service as configured',
		'containerd.service runs with its terminals recorded', 'containerd.service gives new containers an identity',
		'a start of its unit reads /etc/systemd/system/containerd.service.d/cloud-audit-setup.conf';
	my $ours = "$units/containerd.service.d/cloud-audit-setup.conf";
	my $whole = slurp($ours);
	(my $evil = $whole) =~ s{(cloud-audit-runtime\.d:)}{$1/evil:} or die;
	put($ours, $evil);
	is join(' ', map { $_->{wanted} } @{(short(@asked))[1]{differs}}), '/etc/systemd/system/containerd.service.d/cloud-audit-setup.conf is as configured',
		'a directory that somebody has put into its PATH differs';
	put($ours, $whole);
	put("$units/containerd.service.d/zz.conf", "[Service]\nEnvironment=PATH=/bin\n");
	is join(' ', map { $_->{kind} } @{(short(@asked))[1]{differs}}), 'replaced', 'so does a drop-in that sets it after ours';
	remove_tree("$units/containerd.service.d");
	change(sub { $_[0]{'-e'} = 1 });
	is apply(), 0, 'and off again';
	is +(short())[0], 0, '... nothing differs';
	$was = slurp($kernel);
}

# --- who reads the records ---
my $table = "$root/proc/1/net/netlink";
my ($head, $row) = split /\n/, slurp($table);
for ([ 'another process', $row =~ s/ 9 1 / 9 4711 /r, 'unknown' ], [ 'nobody', '', 'no' ]) {
	my ($who, $rows, $want) = @$_;
	put($table, "$head\n" . ($rows ? "$rows\n" : ''));
	my ($code, $v, $err) = short();
	my $said = $v->{reader}{journal} // 'unknown';
	is "$code " . ($said eq 'unknown' ? $said : $said ? 'yes' : 'no'), "0 $want", "$who listens to the kernel: whether the journal has the records is $want";
	is scalar($err =~ /nobody takes the audit records/), $want eq 'no' ? 1 : '', '... and warned of only where that is known';
	my ($tap) = grep { /the journal gets the audit records/ } split /\n/, (verify('-o', 'tap'))[1];
	like $tap, $want eq 'no' ? qr/^not ok .* # TODO/ : qr/^ok .* # SKIP systemd was not asked/, '... and in TAP';
	like +(verify())[1], qr/^Reader +not known/m, '... and on the screen' if $want eq 'unknown';
	is +(short('-s', 'journal.reader=enable'))[1]{reader}{journal} // 'unknown', $want eq 'no' ? JSON::PP::false : 'unknown', '... with reader = enable, too';
	like +(verify('-o', 'tap', '-s', 'journal.reader=enable'))[1], qr/^ok \d+ - the journal gets the audit records # SKIP/m, '... where it is no difference' if $want eq 'unknown';
	is +(verify('-s', 'journal.reader=enable'))[0], 0, '... nor are the drop-ins that the journal may not need' if $want eq 'unknown';
}
put($table, "$head\n$row\n");

# --- what cannot do without ---
for my $command (qw(apply plan remove)) {
	($code, undef, $err) = run($program, @options, $command);
	is $code, 3, "$command needs systemd: exit 3";
	like $err, qr/error: --set dbus\.address=none: \[dbus\] address = none: $command needs systemd, and verify alone does without; set address = auto$/m, '... and says so';
}
($code, undef, $err) = verify('-s', 'unit.mode=transient');
is $code, 3, 'nor can a unit without a file be judged by its file: exit 3';
like $err, qr/units judged by their files, and that of \[unit\] mode = transient \(--set unit\.mode=transient\) has none; set address = auto, or mode = file$/m, '... and says so';
is slurp($kernel), $was, 'the node is untouched by all of it';

# --- as the component runs it ---
# In its container: uid 0, CAP_AUDIT_CONTROL alone, no new privileges, nothing writable but one directory.
my $textfile = "$tmp/textfile/cloud-audit-setup.prom";
make_path("$tmp/textfile");
my @watch = ('--textfile', $textfile, 'verify', '--every', '1s', '--changes', '-o', 'json', '--short');
my @confined = ('unshare', '-m', 'sh', '-ec', 'mount --make-rprivate /; mount --bind "$1" "$1"; shift; ' .
	'awk \'{ print $5 }\' /proc/self/mountinfo | sort -u | while read -r m; do [ "$m" = "$TEXTFILE" ] || mount -o remount,bind,ro "$m" 2>/dev/null || :; done; ' .
	'! touch "$PROBE" 2>/dev/null; exec setpriv --bounding-set=-all,+audit_control --inh-caps=-all --no-new-privs -- "$@"', 'sh', "$tmp/textfile");

# Calls code with each line of JSON, which returns a signal to send, or ''; the exit status, and how long the end took.
sub watch {
	my ($on_line, @command) = @_;
	pipe my $in, my $out or die;
	my $pid = fork // die;
	if (!$pid) {
		close $in;
		open STDOUT, '>&', $out or die;
		open STDERR, '>', "$tmp/err" or die;
		$ENV{TEXTFILE} = "$tmp/textfile";
		$ENV{PROBE} = "$root/probe";
		exec @command or die;
	}
	close $out;
	my ($sent, $n) = (0, 0);
	local $SIG{ALRM} = sub { kill 'KILL', $pid };
	alarm 60;
	while (my $line = <$in>) {
		my $signal = $on_line->(decode_json($line), $pid) or next;
		$sent = time;
		kill $signal, $pid;
	}
	waitpid $pid, 0;
	alarm 0;
	return ($? >> 8, time - $sent);
}
sub metric { my ($name) = @_; return slurp($textfile) =~ /^\Qcloud_audit_$name\E (\S+)$/m ? $1 : 'none' }
# In kB, its own pages alone: what is mapped from files comes and goes with the page cache. Counted anew: in status, kernels
# before 6.2 leave out up to 63 pages that a task has since had (TASK_RSS_EVENTS_THRESH, mm/memory.c).
sub resident { my ($pid) = @_; return slurp("/proc/$pid/smaps_rollup") =~ /^Anonymous:\s+(\d+)/m ? $1 : 0 }

SKIP: {
	skip 'only root can be confined as the container is', 1 if $>;
	skip 'unshare and setpriv are missing', 1 if system 'command -v unshare >/dev/null && command -v setpriv >/dev/null';
	my (@lines, $begun, %status, $again, $took);
	my ($code, $end) = watch(sub {
		my ($v, $pid) = @_;
		push @lines, $v;
		if (@lines % 2) {
			%status = slurp("/proc/$pid/status") =~ /^(Cap(?:Eff|Prm|Bnd)|NoNewPrivs|Uid):\s+(\S+)/mg;
			my $first = (stat $textfile)[1];
			$again = 0;
			for (1 .. 100) { $again = (stat $textfile)[1] != $first and last; sleep 0.2 }
			# The directory that is watched goes, and with it the kernel's rule.
			$begun = time;
			rmdir "$root/etc/mine" or die;
			change(sub { @{$_[0]{rules}} = grep { !/mine/ } @{$_[0]{rules}} });
		}
		# The fastest of three: a busy machine adds to some.
		else {
			$took = time - $begun if !defined $took || time - $begun < $took;
			return 'TERM' if $took < 2.5 || @lines >= 6;
			make_path("$root/etc/mine");
			put($kernel, $was);
		}
		return '';
	}, @confined, $program, @options, @watch);
	is join(' ', map { $_->{status} // "failed: $_->{message}" } @lines[0, 1]), '0 5', 'confined, it matches, and says so when a rule vanishes with its directory' or diag slurp("$tmp/err");
	is_deeply $lines[1]{differs}, [ { kind => 'rule', wanted => 'my.rules:1: -w /etc/mine/ -p wa -k mine', there => 'not in force' } ], '... which one';
	cmp_ok $took, '<', 2.5, '... within its period';
	ok $again, 'the metrics are written each time, though nothing has changed';
	is metric('matches') . metric('locked') . metric('differences{kind="rule"}'), '011', '... and then what differs';
	is "$code " . ($end < 1 ? 'at once' : "after $end s"), '5 at once', 'SIGTERM ends it at once, with the last verdict\'s exit status';
	is "$status{Uid} $status{CapEff} $status{CapPrm} $status{NoNewPrivs}", '0 0000000040000000 0000000040000000 1', 'it had the right to ask the kernel, and no other';
	ok !-e "$root/probe", 'and could write nowhere else';
	is join(' ', map { s{.*/}{}r } glob "$tmp/textfile/* $tmp/textfile/.[!.]*"), 'cloud-audit-setup.prom', 'beside the file nothing is left';
	make_path("$root/etc/mine");
	put($kernel, $was);
}

# --- metrics that cannot be written ---
{
	my @said;
	my ($code) = watch(sub {
		push @said, $_[0];
		return @said == 3 ? 'TERM' : '';
	}, 'sh', '-c', 'exec "$@" 2>&1', 'sh', $program, @options, '--textfile', "$tmp/nowhere/x", 'verify', '--every', '1s', '--changes', '-o', 'json', '--short');
	my @errors = grep { ($_->{severity} // '') eq 'ERROR' } @said;
	is scalar(@errors), 2, 'metrics that cannot be written: said each time, though nothing has changed';
	like $errors[0]{message}, qr{the result could not be written to \Q$tmp\E/nowhere/x: No such file or directory}, '... with the file';
	is $code, 1, '... exit 1';
}

# --- metrics, whatever becomes of the result ---
for ([ 'standard output is full', '>/dev/full' ], [ 'its file cannot be made', "--output-file $tmp/nowhere/x" ]) {
	my ($what, $how) = @$_;
	put($textfile, "old\n");
	my ($code, undef, $err) = run('sh', '-c', "exec \"\$@\" $how", 'sh', $program, @options, '--textfile', $textfile, '-o', 'json', 'verify');
	like slurp($textfile), qr/^cloud_audit_matches [01]$/m, "$what: the metrics are written";
	unlike $err, qr/\Q$textfile\E/, '... and nothing is said of them';
	is $code, 1, '... but of the result, exit 1' or diag $err;
}

# What is done after the write that failed has reasons of its own, which are none.
{
	my ($code, undef, $err) = run('sh', '-c', 'exec "$@" >/dev/full', 'sh', $program, @options, '--textfile', "$tmp/nowhere/x", '-o', 'json', 'verify');
	like $err, qr{"the result could not be written to stdout: No space left on device"}, 'standard output is full, and then something else fails: the reason is that of the write' or diag $err;
	($code, undef, $err) = run('sh', '-c', 'exec timeout 60 "$@" >/dev/full', 'sh', $program, @options, 'verify', '--every', '1s');
	is "$code " . errors($err), "1 the result could not be written to stdout: No space left on device\n", '... again and again: the same, and the first result is the last';
}

# --- for ever ---
# What a round leaves would be there twelve times; blocks and files are counted one by one in t/38-node.t, and what is lost altogether
# LeakSanitizer tells, in the run with sanitizers.
{
	my ($rounds, @resident) = (0);
	# malloc's own store of pieces that are free fills over dozens of rounds, up to some 130 kB: a growth with an end.
	local $ENV{GLIBC_TUNABLES} = 'glibc.malloc.tcache_count=0';
	my ($code) = watch(sub {
		my ($v, $pid) = @_;
		push @resident, resident($pid);
		return ++$rounds == 12 ? 'TERM' : '';
	}, $program, @options, 'verify', '--every', '1s', '-o', 'json', '--short');
	is $code, 0, 'round after round';
	SKIP: {
		skip 'with sanitizers memory is kept back on purpose', 1 if sanitized();
		# The least of six: it is looked at before a round has given back what it had, or after.
		cmp_ok min(@resident[6 .. 11]), '<=', min(@resident[0 .. 5]) + 16, "... without growing: @resident kB";
	}
}
done_testing;
