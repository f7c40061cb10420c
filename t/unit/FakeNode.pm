# A made-up root in which a systemd answers that does nothing (t/unit/fake_systemd.c), and the program on it:
# it reads the kernel of this machine and writes to none. What apply does there is undone, as nobody loads
# the rules.
package FakeNode;
use strict;
use warnings;
use Exporter 'import';
use File::Path qw(make_path);
use Cli;

our @EXPORT = qw(fake_node fake_systemd plain_rules off sanitized strace usable after_begin);

my $helper = ($ENV{BUILD} || 'build') . '/t/unit/fake_systemd';

# Why these tests cannot be run here; undef when they can.
sub usable {
	return "$helper is not built: make unit-tests" unless -x $helper;
	return 'strace is missing' if system 'command -v strace >/dev/null 2>&1';
	return 'only root may ask the kernel for its audit rules' if $>;
	my ($code, $out, $err) = run(program(), '-R', make_root(), 'verify');
	return 'the kernel does not tell its audit rules here' if $err =~ /kernel audit/;
	return undef;
}

# With sanitizers in, a run below strace takes ten times as long, and leaks are not looked for: one in eight. So where
# coverage is counted.
sub sanitized { return scalar `nm '@{[program()]}' 2>/dev/null` =~ / __(?:asan_init|gcov_init)/ }

# Starts it at a socket, with jobs that take so many milliseconds, and answers of a file; ends with this test.
sub fake_systemd {
	my ($socket, $late, @answers) = @_;
	pipe my $in, my $hold or die;
	pipe my $ready, my $out or die;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		close $hold;
		open STDIN, '<&', $in or die;
		open STDOUT, '>&', $out or die;
		exec $helper, $socket, $late // 0, @answers or die;
	}
	close $in;
	close $out;
	<$ready>;
	return $hold;
}

sub fake_node {
	my ($root) = @_;
	make_path("$root/$_") for qw(etc/audit etc/systemd/system etc/pam.d usr/sbin run/systemd run/dbus);
	put("$root/etc/passwd", "root:x:0:0::/:/bin/sh\n");
	put("$root/etc/group", "root:x:0:\n");
	put("$root/usr/sbin/auditctl", '');
	put("$root/usr/lib/x86_64-linux-gnu/security/pam_tty_audit.so", '');
	put("$root/sys/module/apparmor/parameters/audit", "normal\n");
	put("$root/sys/kernel/security/lsm", "apparmor\n");
	# One reader of audit records, who is well.
	put("$root/proc/1/net/netlink", "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n" .
		"00000000bbbbbbbb 9 1 00000001 0 0 0 2 0 70\n");
	return $root;
}

# Options: no group, and one rule.
sub off { map { ('-s', "events.$_=no") } qw(audit-config apparmor exec socket mmap network logins tty) }
sub plain_rules {
	put("$tmp/rules.d/a.rules", "-a always,exit -F arch=b64 -S mount -F auid=root -k x\n");
	return (off(), '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s');
}

# Runs below strace, whose output is in $tmp/trace: (exit status, stdout, stderr). Other calls than those of a
# `trace=` run at their own speed; with `inject=` they cannot, as strace then does not see every call to its end.
sub strace {
	my ($options, @command) = @_;
	my @speed = grep({ /^trace=/ } @$options) && !grep({ /^inject=/ } @$options) ? '--seccomp-bpf' : ();
	# Leaks cannot be looked for there.
	local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
	# What is traced outlives a strace that is killed; timeout(1) kills both.
	return run('/usr/bin/timeout', '-s', 'KILL', 25, '/usr/bin/strace', '-f', @speed, '-o', "$tmp/trace",
		@$options, @command);
}

# The lines of the trace from where main() begins, and how many of each call were before.
sub after_begin {
	my (%before, @lines, $begun);
	for (split /\n/, slurp("$tmp/trace")) {
		s/^\d+ +//;
		# What counts coverage writes at the end is no part of the program: a read that fails there loses all counts.
		last if /\.gcda"/;
		push @lines, $_ if $begun;
		$begun ||= /^open\w*\(.*"\/", .*O_PATH/;
		$before{$1}++ if /^(\w+)\(/ && @lines == 0;
	}
	return (\@lines, \%before);
}

1;
