#!/usr/bin/perl
# A host that means harm: links, pipes and directories in the places of files, files that everybody may write,
# that are huge, junk, or change while they are read. Nothing outside the root is read or written, nothing is
# waited for, memory is bounded.
use strict;
use warnings;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);
use lib 't/unit';
use Cli;
use FakeNode;

my $program = program();
my $sanitized = sanitized();

# --- what is planted below the root ---
my $outside = "$tmp/outside";
my $root = "$tmp/node";
my $machine = '0123456789abcdef0123456789abcdef';
sub outside {
	system 'rm', '-rf', $outside;
	put("$outside/$_", "root:x:77:77::/:/bin/sh\n") for qw(file dir/cloud-audit-setup.rules dir/cloud-audit-setup.service
		dir/passwd dir/sshd dir/audit/cloud-audit-setup.rules dir/system/cloud-audit-setup.service),
		map { "dir/${_}system.journal" } '', "$machine/", "journal/$machine/";
}

my @plants = (
	['link out, absolute' => sub { symlink "$outside/dir", $_[0] }],
	['link out, by ..' => sub { symlink '../' x 20 . "$outside/file", $_[0] }],
	['link to /proc' => sub { symlink "/proc/self/root$outside/dir", $_[0] }],
	['link to a descriptor' => sub { symlink '/proc/self/fd/3', $_[0] }],
	['link to itself' => sub { symlink((split m{/}, $_[0])[-1], $_[0]) }],
	['link to nowhere' => sub { symlink 'no/such/place', $_[0] }],
	['pipe' => sub { POSIX::mkfifo($_[0], 0666) }],
	['directory' => sub { mkdir $_[0] and mkdir "$_[0]/inside" }],
	['file' => sub { put($_[0], "\0\xff" x 500) }],
	['file of 1 GB' => sub { put($_[0], ''); truncate $_[0], 1 << 30 }],
	['character device' => sub { system('mknod', $_[0], 'c', 1, 5) == 0 }],
);
my @places = qw(etc etc/audit etc/audit/cloud-audit-setup.rules etc/audit/.cloud-audit-setup.rules.new etc/systemd
	etc/systemd/system etc/systemd/system/cloud-audit-setup.service etc/systemd/system/cloud-audit-lock.service
	etc/systemd/system/containerd.service.d etc/passwd usr/sbin/auditctl etc/pam.d/sshd run/dbus/system_bus_socket
	sys/module/apparmor/parameters/audit run/cloud-audit-setup/ima-policy home/kubernetes/bin);
# The journal's, which verify and volume look at.
my @journal = ((map { ("$_/log", "$_/log/journal") } qw(var run)), map { "var/log/journal/$machine$_" } '', '/system.journal');

SKIP: {
	my $why = usable();
	skip $why, 2 if $why;
	my (@bad, %seen, $slowest);
	my ($runs, $n) = (0, 0);
	outside();
	my $before = snapshot($outside);
	for my $place (@places, @journal) {
		my @commands = (grep { $_ eq $place } @journal) ? qw(verify volume) : qw(plan apply);
		for my $plant (@plants) {
			my ($what, $how) = @$plant;
			next if $sanitized && $n++ % 8;
			system 'rm', '-rf', $root;
			fake_node($root);
			put("$root/etc/pam.d/sshd", "session required pam_unix.so\n");
			my $systemd = fake_systemd("$root/run/systemd/private");
			system 'rm', '-rf', "$root/$place";
			system 'mkdir', '-p', ("$root/$place" =~ s{/[^/]*$}{}r);
			$how->("$root/$place") or die "$what in $place: $!";
			for my $command (@commands) {
				my $since = time;
				my ($code, $out, $err) = strace(['-y', '-e', 'trace=%file'], $program, '-R', $root, plain_rules(),
					'-s', 'tty.sshd=yes', '-s', 'events.tty=yes', '-s', 'apparmor.audit=all', '-s', 'events.apparmor=yes', $command);
				my $time = time - $since;
				my $trace = slurp("$tmp/trace");
				my @out = grep { !m{= \d+<\Q$root\E[/>]} && / = \d/ } grep { /\bopenat2\(/ } split /\n/, $trace;
				push @out, grep { m{<\Q$outside\E} } split /\n/, $trace;
				$runs++;
				$slowest = $time if !defined $slowest || $time > $slowest;
				push @bad, "$what, $place, $command: opened outside: $out[0]" if @out;
				push @bad, "$what, $place, $command: exit $code, $time s: $err" if $code !~ /^[134]$/ || $time > 20;
				push @bad, "$what, $place, $command: nothing said" if $code != 4 && $err !~ /error: /;
				push @bad, "$what, $place, $command: a file is left: $_" for grep { !m{/\.cloud-audit-setup\.rules\.new} }
					grep { m{/\.[^/]*\.new$} } split /\n/, `find $root`;
				$seen{"$command: exit $code"}++;
			}
			push @bad, "$what, $place: outside has changed" if snapshot($outside) ne $before;
		}
	}
	note @places + @journal, ' places x ', scalar @plants, " plants, $runs runs: ", join(', ', map { "$_ x $seen{$_}" } sort keys %seen),
		sprintf '; the slowest took %.1f s', $slowest;
	is join("\n", @bad), '', 'whatever is planted: nothing outside the root is opened, nothing waited for, nothing left';
}

# --- a journal that is a link ---
# One file with so many audit records.
sub journal {
	my ($remote, $path, $records) = @_;
	my $usec = int(time - 60) * 1_000_000;
	put("$tmp/export", join '', map { my $at = $usec + $_; "__REALTIME_TIMESTAMP=$at\n__MONOTONIC_TIMESTAMP=$at\n_BOOT_ID=$machine\n" .
		"_TRANSPORT=audit\n_AUDIT_ID=$_\nMESSAGE=CWD cwd=\"/\"\n\n" } 1 .. $records);
	system 'mkdir', '-p', ($path =~ s{/[^/]*$}{}r);
	my ($code, undef, $err) = run($remote, '--split-mode=none', "--output=$path", "$tmp/export");
	$code eq '0' or die "systemd-journal-remote: $code $err";
}

# What verify and volume count of audit records in the journal, and what they open outside.
sub counted {
	my ($name, $bad) = @_;
	my @counts;
	for my $command ('verify', 'volume') {
		my ($code, $out, $err) = strace(['-y', '-e', 'trace=%file'], $program, '-R', $root, plain_rules(), '-o', 'json', $command);
		my ($found) = $out =~ /"journal":\{[^}]*"recent":(\d+)/ ? $1 : $command eq 'volume' && $out =~ /"records":(\d+)/ ? $1 : 'none';
		push @counts, $found;
		push @$bad, map { "$name, $command: opened outside: $_" } (grep { m{<\Q$outside\E} } split /\n/, slurp("$tmp/trace"))[0] // ();
		push @$bad, "$name, $command: exit $code: $err" if $code ne ($command eq 'verify' ? 4 : $found eq 'none' ? 1 : 0);
	}
	return "@counts";
}

SKIP: {
	my ($remote) = grep { -x } map { "$_/systemd-journal-remote" } '/lib/systemd', '/usr/lib/systemd';
	my $why = $remote ? usable() : 'systemd-journal-remote is not installed: make deps';
	skip $why, 2 if $why;
	my (@bad, @counts, @expected);
	my $n = 0;
	for my $place (@journal, map { "run/log/journal/$machine$_" } '', '/system.journal') {
		for my $up ('', '../' x 20) {
			next if $sanitized && $n++ % 8;
			my $file = ($place =~ m{^(...)})[0] . "/log/journal/$machine/system.journal";
			system 'rm', '-rf', $root, $outside;
			fake_node($root);
			put("$root/etc/machine-id", "$machine\n");
			my $systemd = fake_systemd("$root/run/systemd/private");
			system 'mkdir', '-p', ("$root/$place" =~ s{/[^/]*$}{}r);
			symlink "$up$outside/$place", "$root/$place" or die "$place: $!";
			# Where the link leads from the host's root, and where from this machine's.
			journal($remote, "$root$outside/$file", 1);
			journal($remote, "$outside/$file", 2);
			my $name = "$place as a link to $up$outside/$place";
			push @counts, "$name: " . counted($name, \@bad);
			push @expected, "$name: 1 1";
			system 'rm', '-rf', "$root$outside";
			push @counts, "$name, to nowhere: " . counted("$name, to nowhere", \@bad);
			push @expected, "$name, to nowhere: none none";
		}
	}
	is join("\n", @bad), '', 'a journal behind a link: nothing outside the root is opened';
	is join("\n", @counts), join("\n", @expected), 'and it is read where the link leads from the host\'s root, as it would on the host';
}

# --- the program's own files ---
my $node = make_root();

# Runs and measures: (exit status, errors, peak memory in MB, seconds).
sub measured {
	my (@args) = @_;
	my $since = time;
	local $ENV{PEAK} = "$tmp/peak";
	my ($code, $out, $err) = run('/usr/bin/perl', '-e', 'my $s = system @ARGV; my $u = "\0" x 144; syscall(98, -1, $u); ' .
		'open my $f, ">", $ENV{PEAK} or die; print $f unpack("x32 q", $u); close $f; exit($s >> 8)', $program, '-R', $node, @args);
	return ($code, errors($err), slurp("$tmp/peak") / 1024, time - $since);
}

sub config { put("$tmp/c.ini", $_[0]); return ('-c', "$tmp/c.ini", off(), 'render', 'rules') }

chmod 0666, put("$tmp/c.ini", "[audit]\nlock = no\n") or die;
my ($code, $errors) = measured('-c', "$tmp/c.ini", 'render', 'rules');
my $everybody = 'may be written by everybody, who could choose what is audited; chmod o-w it';
is "$code|$errors", "3|$tmp/c.ini: $everybody\n", 'a configuration that everybody may write is refused';
chmod 0664, "$tmp/c.ini" or die;
is +(measured('-c', "$tmp/c.ini", off(), 'render', 'rules'))[0], 0, 'one that a group may write is the administrator\'s choice';
chmod 0646, put("$tmp/w/a.rules", "-D\n") or die;
($code, $errors) = measured('-s', "rules.directory=$tmp/w", 'render', 'rules');
is "$code|$errors", "3|$tmp/w/a.rules: $everybody\n", 'rules that everybody may write are refused, as by auditctl -R';

# Who may put a file there chooses, too; but not through a mount that is read-only, as that of a ConfigMap.
put("$tmp/d/a.rules", "-D\n");
my @directory = (off(), '-s', "rules.directory=$tmp/d", 'render', 'rules');
for my $mode (0777, 01777, 0757) {
	chmod $mode, "$tmp/d" or die;
	($code, $errors) = measured(@directory);
	is "$code|$errors", "3|$tmp/d: $everybody\n", sprintf 'a directory of rules with mode %04o is refused', $mode;
}
SKIP: {
	my $mounted = "mount --bind $tmp/d $tmp/d && mount -o remount,bind,ro $tmp/d";
	skip 'only root may mount', 1 if $> || system "unshare -m sh -c '$mounted' 2>/dev/null";
	is +(run('/usr/bin/unshare', '-m', 'sh', '-c', "$mounted && exec \"\$@\"", 'sh', $program, '-R', $node, @directory))[0], 0,
		'where its mount is read-only it is not';
}
chmod 0775, "$tmp/d" or die;
is +(measured(@directory))[0], 0, 'one that a group may write is the administrator\'s choice';

my ($peak, $time);
put("$tmp/c.ini", '');
truncate "$tmp/c.ini", 1 << 30 or die;
($code, $errors, $peak, $time) = measured('-c', "$tmp/c.ini", 'render', 'rules');
is "$code|$errors", "3|$tmp/c.ini: is larger than 16 MiB\n", 'a configuration of 1 GB is refused';
note sprintf '1 GB of configuration: peak %.1f MB, %.2f s', $peak, $time;
cmp_ok $peak, '<', $sanitized ? 200 : 20, 'and not read';

put("$tmp/c.ini", "\n" x (16 << 20));
($code, $errors, $peak, $time) = measured('-c', "$tmp/c.ini", off(), 'render', 'rules');
is $code, 0, '16 MiB of empty lines are none the worse';
note sprintf '16 MiB of configuration: peak %.1f MB, %.2f s', $peak, $time;
cmp_ok $peak, '<', $sanitized ? 600 : 64, 'and memory is bounded';

srand 7;
($code, $errors, $peak, $time) = measured(config(join '', map { chr int rand 256 } 1 .. 200_000));
is $code, 3, 'binary junk as configuration: exit 3';
is scalar(grep { !/^\Q$tmp\E\/c\.ini:\d+: / } split /\n/, $errors), 0, 'each mistake with its line';
put("$tmp/j/a.rules", join '', map { chr int rand 256 } 1 .. 200_000);
($code, $errors) = measured(off(), '-s', "rules.directory=$tmp/j", 'render', 'rules');
is $code, 3, 'binary junk as rules: exit 3';
is scalar(grep { !/^\Q$tmp\E\/j\/a\.rules:\d+: / } split /\n/, $errors), 0, 'each mistake with its line';

# --- many rules ---
sub many {
	my ($files, $each) = @_;
	system 'rm', '-rf', "$tmp/many";
	put("$tmp/many/$_.rules", join '', map { "-a always,exit -F pid=$_\n" } $_ * $each + 1 .. ($_ + 1) * $each) for 0 .. $files - 1;
	return ('-q', off(), '-s', "rules.directory=$tmp/many", 'render', 'rules');
}
($code, $errors, $peak, $time) = measured(many(10, 100_000));
is $code, 3, 'a million rules are refused';
is $errors, join('', map { "$tmp/many/$_.rules: with this file there are more than 100000 rules, which no kernel can go " .
	"through at every system call\n" } 0 .. 9), 'with the files that are too many';
note sprintf '1,000,000 rules: peak %.1f MB, %.2f s', $peak, $time;
cmp_ok $peak, '<', $sanitized ? 2000 : 200, 'and memory is bounded';
SKIP: {
	skip 'sanitizers take too much memory for this', 2 if $sanitized;
	($code, $errors, $peak, $time) = measured(many(9, 11_000));
	is "$code|$errors", '0|', '99,000 rules are rendered';
	note sprintf '99,000 rules: peak %.1f MB, %.2f s', $peak, $time;
	cmp_ok $peak, '<', 200, 'and memory is bounded';
}

# --- a file that grows and changes while it is read ---
{
	my $file = put("$tmp/grow/a.rules", "-a always,exit -F pid=1\n");
	my $pid = fork // die;
	if (!$pid) {
		my $end = time + 3;
		for (my $i = 0; time < $end; $i++) {
			open my $f, $i % 50 ? '>>' : '>', $file or POSIX::_exit(1);
			print $f "-a always,exit -F pid=$i\n" x 100;
			close $f;
		}
		POSIX::_exit(0);
	}
	my (%codes, $lines);
	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		($code, $errors, $peak, $time) = measured(off(), '-s', "rules.directory=$tmp/grow", 'render', 'rules');
		$codes{$code}++;
		$lines //= $errors if $code != 0 && $code != 3 || $time > 20;
	}
	note 'while the rules change: ', join ', ', map { "exit $_ x $codes{$_}" } sort keys %codes;
	is $lines, undef, 'a file that changes while it is read gives rules or mistakes, and an end';
}

done_testing;
