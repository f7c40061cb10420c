#!/usr/bin/perl
# What the program gives up when it starts: capabilities, its environment, what it was handed as standard
# files. Only reading goes on here.
use strict;
use warnings;
use Errno 'EINTR';
use IO::Socket::UNIX;
use Test::More;
use lib 't/unit';
use Cli;

use constant F_SETPIPE_SZ => 1031;

my $program = program();
my $root = make_root();
my %bit = (DAC_OVERRIDE => 1, NET_ADMIN => 12, AUDIT_CONTROL => 30);
my $has_strace = system('command -v strace >/dev/null 2>&1') == 0;

# The environment of a run below strace: leaks cannot be looked for there.
sub traced_env { %ENV, ASAN_OPTIONS => 'detect_leaks=0', @_ }

sub status_of {
	my ($pid) = @_;
	open my $f, '<', "/proc/$pid/status" or return {};
	return { map { /^(Cap\w+|NoNewPrivs):\s+(\S+)/ ? ($1 => $2) : () } <$f> };
}

# The capabilities of a process as soon as its effective set is the expected one; after five seconds, as it is.
sub capabilities {
	my ($pid, $expected) = @_;
	my $s;
	for (1 .. 100) {
		$s = status_of($pid);
		last if ($s->{CapEff} // '') eq $expected;
		select undef, undef, undef, 0.05;
	}
	return join ' ', map { "$_=" . ($s->{$_} // '?') } qw(CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs);
}

# Those of the names that this test has itself, as /proc writes them.
sub mask {
	my $own = hex substr status_of('self')->{CapPrm}, 8;
	my $mask = 0;
	$mask |= 1 << $bit{$_} for @_;
	return sprintf '%016x', $mask & $own;
}

sub expected { my ($mask) = @_; return "CapInh=0000000000000000 CapPrm=$mask CapEff=$mask CapBnd=0000000000000000 " .
	'CapAmb=0000000000000000 NoNewPrivs=1' }

sub start {
	my ($out, @command) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDOUT, '>&', $out or die;
	open STDERR, '>', "$tmp/stderr" or die;
	exec @command or die;
}

SKIP: {
	skip 'only root has capabilities to drop', 3 if $>;
	pipe my $r, my $w or die;
	fcntl $w, F_SETPIPE_SZ, 4096 or die "pipe: $!";
	my $pid = start($w, $program, '-R', $root, 'render', 'kernel');
	close $w;
	my $mask = mask(qw(DAC_OVERRIDE NET_ADMIN AUDIT_CONTROL));
	is capabilities($pid, $mask), expected($mask),
		'while it works it has AUDIT_CONTROL, DAC_OVERRIDE and NET_ADMIN of what it was given, and can get no more';
	while (<$r>) { }
	waitpid $pid, 0;
	is $?, 0, 'and it ends as usual';

	# systemd never answers: the program waits, with the kernel's socket open.
	my $nobody = IO::Socket::UNIX->new(Local => "$tmp/silent", Listen => 5) or die "$tmp/silent: $!";
	open my $null, '>', '/dev/null' or die;
	$pid = start($null, $program, '-R', $root, '-s', "dbus.address=unix:path=$tmp/silent", '-s',
		'unit.start_timeout=60s', 'verify');
	$mask = mask(qw(DAC_OVERRIDE AUDIT_CONTROL));
	my $now = capabilities($pid, $mask);
	kill 'KILL', $pid;
	waitpid $pid, 0;
	is $now, expected($mask), 'NET_ADMIN is dropped as soon as the kernel\'s socket is open';
}

# --- the environment: everything that a library of ours is known to look at, and more ---
put("$tmp/evil/passwd", "root:x:77:\n");
my %hostile = (
	map({ $_ => "unix:path=$tmp/evil/bus" } qw(DBUS_SYSTEM_BUS_ADDRESS DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS)),
	map({ $_ => "$tmp/evil" } qw(HOME TMPDIR PWD PATH LOCPATH NLSPATH XDG_RUNTIME_DIR XDG_CONFIG_HOME TZDIR
		SYSTEMD_UNIT_PATH GETCONF_DIR TEXTDOMAINDIR CREDENTIALS_DIRECTORY)),
	DBUS_STARTER_BUS_TYPE => 'session', SYSTEMD_BUS_TIMEOUT => '1us', SYSTEMD_LOG_LEVEL => 'debug',
	SYSTEMD_LOG_TARGET => 'console', SYSTEMD_IGNORE_CHROOT => 1, SYSTEMD_OFFLINE => 1, SYSTEMD_COLORS => 1,
	SYSTEMD_JOURNAL_KEYED_HASH => 0, SYSTEMD_PIDFD => 0, TZ => ":$tmp/evil/passwd", LANG => 'tr_TR.UTF-8', LC_ALL => 'tr_TR.UTF-8',
	LANGUAGE => 'tr', POSIXLY_CORRECT => 1, LISTEN_FDS => 3, LISTEN_PID => $$, LISTEN_FDNAMES => 'a:b:c',
	NOTIFY_SOCKET => "$tmp/evil/notify", WATCHDOG_USEC => 1, WATCHDOG_PID => $$, INVOCATION_ID => 'x',
	COLUMNS => 1, LINES => 1, TERM => "\e[2J", AUDITD => 0, CLOUD_AUDIT_SETUP_CONFIG => "$tmp/evil/passwd",
	'BAD NAME' => 1, HUGE => 'x' x 100_000,
);
my @runs = (
	['-R', $root, 'render', 'rules', '--machine', 'x86_64'], ['-R', $root, 'render', 'unit', '-s', 'unit.mode=transient'],
	['-R', $root, 'render', 'kernel', '-o', 'json', '-v'], ['-R', $root, 'plan', '-v'], ['verify', '-o', 'json', '-R', $root],
	['remove', '-R', $root], ['-R', $root, '-o', 'json', 'frobnicate'],
);

sub without_times { my ($s) = @_; $s =~ s/"time":"[^"]*"/"time":""/g; return $s }

for my $args (@runs) {
	local %ENV = %ENV;
	my @plain = run($program, @$args);
	%ENV = (%ENV, %hostile);
	my @other = run($program, @$args);
	s/./without_times($_)/se, $_ = without_times($_) for @plain, @other;
	is "@other", "@plain", "a hostile environment changes nothing of what it says: @$args[2 .. $#$args]";
}

# Before main() there is the dynamic linker, whose environment is the caller's business.
sub after_start { my ($s) = @_; $s =~ s/\A.*?open\w*\([^\n]*"\/", [^\n]*O_PATH.*?\n//s or return 'no start'; return $s }

# The system calls that name a file or talk to somebody, without what differs between any two runs.
sub calls {
	my ($env, @args) = @_;
	local %ENV = (traced_env(), %$env);
	run('/usr/bin/strace', '-f', '-o', "$tmp/trace", '-e', 'trace=%file,%network,%process,capset,prctl', $program, @args);
	my $s = slurp("$tmp/trace");
	$s = after_start($s);
	$s =~ s/0x[0-9a-f]+/0x/g;
	$s =~ s/^\d+ +//mg;
	# How many of the kernel's answers are there at once is chance.
	$s =~ s/^recvmmsg\([^\n]*\n//mg;
	$s =~ s/nlmsg_pid=\d+|\{tv_sec=.*?\}|pid=\d+//g;
	return $s;
}

SKIP: {
	skip 'strace is missing', 2 * @runs unless $has_strace;
	for my $args (@runs) {
		my $plain = calls({}, @$args);
		my $other = calls(\%hostile, @$args);
		is $other, $plain =~ /capset/ ? $plain : 'capset() in it', "nor of the files and sockets it opens: @$args[2 .. $#$args]";
		unlike $plain, qr/^(?:execve(?:at)?|v?fork|clone3?)\(/m, '... and it executes nothing';
	}
}

# --- without standard files ---
SKIP: {
	skip 'strace is missing', 2 unless $has_strace;
	local %ENV = traced_env();
	run('/usr/bin/strace', '-f', '-o', "$tmp/trace", 'sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', $program, '-R', $root, 'verify');
	my $s = slurp("$tmp/trace");
	my @low = grep { /^\d+ (?:open\w*|socket|dup\d?)\(.*\) = [012]$/ && !/O_PATH/ } split /\n/, after_start($s);
	is "@low", '', 'started without standard files, none that it opens takes their place';
	like $s, qr/exited with 1 \+/, 'and it ends as usual';
}

# --- nobody reads what it says ---
{
	pipe my $r, my $w or die;
	close $r;
	my $pid = start($w, $program, '-R', $root, 'render', 'kernel');
	close $w;
	waitpid $pid, 0;
	is $? & 127, 13, 'a closed pipe on standard output ends it as it ends other tools';
	is slurp("$tmp/stderr") =~ s/^cloud-audit-setup: warning.*\n//mgr, '', 'without a word';
}

done_testing;
