#!/usr/bin/perl
# Which *.rules files are read: shipped ones by group, value and machine; the user's directory.
use strict;
use warnings;
use Test::More;
use lib 't/unit';
use Cli;

# Each file has one rule; its process id tells which.
my (%shipped, %name_of);
sub shipped {
	my ($name) = @_;
	my $pid = 100 + keys %shipped;
	$shipped{$name} = "-a always,exit -F pid=$pid\n";
	$name_of{$pid} = $name;
}
shipped($_) for qw(
	10-audit-config.rules 20-apparmor.rules 30-exec.rules 40-socket-all.rules 40-socket-unusual.rules
	50-mmap-all.rules 50-mmap-anonymous.rules 50-mmap-exec.rules 60-network.rules 70-logins.rules 80-tty.rules
	30-exec@x86_64.rules 30-exec@aarch64.rules 40-socket-all@aarch64.rules 95-exec.rules
	30-execute.rules 30-exec-more.rules 30-exec.rules.bak .30-exec.rules 30-exec.conf 30-exec@.rules
	30-exec@x86.rules exec.rules 30exec.rules 30-socket.rules 50-mmap-yes.rules
);
our $program = program(%shipped);
my $root = make_root();
my $none = "$tmp/none";
mkdir $none or die;

# The names of the files whose rules are loaded, in order.
sub loaded {
	my ($code, $out, $err) = run($program, '-R', $root, '-s', "rules.directory=$none", @_, 'render', 'rules');
	diag $err if $code;
	return join ' ', map { s/\.rules$//r } map { $name_of{$_} // $_ } $out =~ /^-a .*exit.*pid=(\d+)/mg;
}
sub off { map { ('-s', "events.$_=no") } @_ }
my @x86 = ('--machine', 'x86_64');
my @other = off(qw(audit-config apparmor network logins tty));

is loaded(@x86), '10-audit-config 20-apparmor 30-exec 30-exec@x86_64 40-socket-unusual 50-mmap-anonymous 60-network ' .
	'70-logins 80-tty 95-exec', 'the defaults: one file a group and those of the machine, in order of their names';
is loaded('--machine', 'aarch64', @other), '30-exec 30-exec@aarch64 40-socket-unusual 50-mmap-anonymous 95-exec',
	'another machine has its own files';
is loaded(@x86, @other, off('exec'), '-s', 'events.socket=all', '-s', 'events.mmap=all'),
	'40-socket-all 50-mmap-all', 'a value other than yes is part of the name';
is loaded('--machine=aarch64', @other, off('exec', 'mmap'), '-s', 'events.socket=all'),
	'40-socket-all 40-socket-all@aarch64', 'value and machine together';
is loaded(@x86, @other, off('exec', 'socket'), '-s', 'events.mmap=exec'), '50-mmap-exec',
	'each value of mmap has its own file';
is loaded(@x86, @other, off(qw(exec socket mmap))), '', 'all off: none is read';

# --- [rules] order ---
{
	my $mine = put("$tmp/mine/a.rules", "-a always,exit -F pid=900\n");
	my @args = (@x86, '-s', "rules.directory=$tmp/mine", '-s', 'filter.min_auid=1000');
	is loaded(@args), '10-audit-config 20-apparmor 30-exec 30-exec@x86_64 40-socket-unusual 50-mmap-anonymous 60-network ' .
		'70-logins 80-tty 95-exec 900', 'shipped-first: your rules come after all groups';
	is loaded(@args, '-s', 'rules.order=user-first'), '10-audit-config 900 20-apparmor 30-exec 30-exec@x86_64 ' .
		'40-socket-unusual 50-mmap-anonymous 60-network 70-logins 80-tty 95-exec',
		'user-first: your rules come after audit-config and before the other groups';
	my ($code, $out) = run($program, '-R', $root, @args, '-s', 'rules.order=user-first', 'render', 'rules');
	like $out, qr/auid<1000.*pid=100.*pid=900/s, 'and [filter] before both';
	($code, $out, my $err) = run($program, '-R', $root, @args, '-s', 'rules.order=user-first', '-s', 'events.exec=no',
		off('audit-config'), 'render', 'rules');
	is $code, 0, 'a group that is off is not missed in either part' or diag $err;
	unlink $mine;
}

# --- installed ---
{
	# Beside /usr/sbin there may be a /rules of somebody else's, such as a ConfigMap.
	my $to = "$tmp/installed";
	put("$to/usr/share/cloud-audit-setup/rules/$_", $shipped{$_}) for keys %shipped;
	put("$to/rules/30-exec.rules", "-a always,exit -F pid=1\n");
	put("$to/usr/rules/30-exec.rules", "-a always,exit -F pid=1\n");
	put("$to/usr/sbin/cloud-audit-setup", slurp($program));
	chmod 0755, "$to/usr/sbin/cloud-audit-setup" or die;
	local $program = "$to/usr/sbin/cloud-audit-setup";
	is loaded('--machine', 'aarch64', @other), '30-exec 30-exec@aarch64 40-socket-unusual 50-mmap-anonymous 95-exec',
		'an installed program takes the rules that were installed with it';
}

# --- the user's directory ---
my $pid = 500;
sub user {
	my ($name, $content) = @_;
	$pid++;
	$name_of{$pid} = $name;
	put("$tmp/mine/$name", defined $content ? $content : "-a always,exit -F pid=$pid\n");
}
user($_) for qw(b.rules B.rules a.rules 9.rules 10.rules _.rules a-b.rules a.b.rules), "\xc3\xa9.rules";
user($_) for qw(.hidden.rules .rules a.rules~ a.rules.dpkg-new notes.txt rules a.RULES a.rule);
my @mine = (@x86, @other, off(qw(exec socket mmap)), '-s', "rules.directory=$tmp/mine");
{
	local $ENV{LC_ALL} = 'en_US.UTF-8';
	is loaded(@mine), "10 9 B _ a-b a.b a b \xc3\xa9",
		'the user\'s files come in the order of the C locale; hidden files and other suffixes are no rules';
}

put("$tmp/mine/README.md", "no rules\n");
like +(run($program, @mine, 'render', 'rules'))[2], qr/: warning: in \Q$tmp\E\/mine not read, for their names do not end in \.rules: a\.RULES, a\.rule, a\.rules\.dpkg-new, a\.rules~, notes\.txt and 1 more$/m,
	'what is not read for its name is told; hidden files and README are not';

sub fails {
	my ($dir, $expected, $name) = @_;
	my ($code, $out, $err) = run($program, '-R', $root, '-s', "rules.directory=$dir", 'render', 'rules');
	is "$code|$out|" . errors($err), "3||$expected", $name;
}
mkdir "$tmp/odd" or die;
mkdir "$tmp/odd/dir.rules" or die;
require POSIX;
POSIX::mkfifo("$tmp/odd/fifo.rules", 0644) or die;
symlink 'nowhere', "$tmp/odd/gone.rules" or die;
open my $f, '>', "$tmp/odd/large.rules" or die;
truncate $f, 17 << 20 or die;
close $f;
fails("$tmp/odd", "$tmp/odd/dir.rules: is not a regular file\n$tmp/odd/fifo.rules: is not a regular file\n" .
	"$tmp/odd/gone.rules: cannot be read: No such file or directory\n$tmp/odd/large.rules: is larger than " .
	"16 MiB\n", 'a directory, FIFO, dangling link and huge file in the place of rules are all said');
fails("$tmp/nowhere", "--set rules.directory=$tmp/nowhere: [rules] directory = $tmp/nowhere cannot be read: " .
	"No such file or directory\n", 'a directory that was named must be there');
{
	my $ini = put("$tmp/d.ini", "\n[rules]\ndirectory = /etc/cloud-audit-setup/rules.d\n");
	SKIP: {
		skip '/etc/cloud-audit-setup/rules.d is there', 1 if -e '/etc/cloud-audit-setup/rules.d';
		my ($code, $out, $err) = run($program, '-R', $root, '-c', $ini, 'render', 'rules');
		is "$code|" . errors($err), "3|$ini:3: [rules] directory = /etc/cloud-audit-setup/rules.d cannot be " .
			"read: No such file or directory\n", 'the default directory, too, when it was named';
	}
}
SKIP: {
	skip '/etc/cloud-audit-setup is there', 1 if -e '/etc/cloud-audit-setup';
	is +(run($program, '-R', $root, 'render', 'rules'))[0], 0, 'the default directory may be absent';
}
{
	put("$tmp/bad/1.rules", "-w nowhere\n-a always,exit -F pid=1\n-x\n");
	put("$tmp/bad/2.rules", "-a always,exit -F pid=2\n");
	put("$tmp/bad/3.rules", "-y\n");
	my ($code, $out, $err) = run($program, '-R', $root, '-s', "rules.directory=$tmp/bad", 'render', 'rules');
	is "$code|$out", '3|', 'mistakes in several files: exit 3';
	like errors($err), qr{\A\Q$tmp\E/bad/1\.rules:1: .*\n\Q$tmp\E/bad/1\.rules:3: .*\n\Q$tmp\E/bad/3\.rules:1: .*\n\z},
		'the mistakes of all files are said, with their lines';
}

{
	my $broken = program('10-exec.rules' => "-x\n", '20-tty.rules' => "-y\n");
	(my $dir = $broken) =~ s{[^/]*$}{rules};
	my ($code, $out, $err) = run($broken, '-R', $root, '-s', "rules.directory=$tmp/bad",
		off(qw(audit-config apparmor socket mmap network logins)), 'render', 'rules');
	like errors($err), qr{\A\Q$dir\E/10-exec\.rules:1: .*\n\Q$dir\E/20-tty\.rules:1: .*\n\Q$tmp\E/bad/1\.rules:1: },
		'mistakes in shipped files as well, before those of the user';
}

# Reading the rules and judging the set ask for the same paths.
SKIP: {
	skip 'strace is missing', 1 if system 'command -v strace >/dev/null 2>&1';
	my $dir = "$tmp/watches";
	mkdir $dir or die;
	put("$dir/10.rules", "-w /etc/passwd -p wa\n-a always,exit -F path=/etc/passwd -F perm=x\n");
	local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
	run('/usr/bin/strace', '-o', "$tmp/trace", '-e', 'trace=openat2', $program, '-R', $root, '-s', "rules.directory=$dir",
		'render', 'rules');
	is scalar(() = slurp("$tmp/trace") =~ m{"/etc/passwd"}g), 1, 'a path of a rule set is looked up once';
}

done_testing;
