#!/usr/bin/perl
# Exit code 3: everything wrong is said in one run, and nothing is touched.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli;

my $built = ($ENV{BUILD} || 'build') . '/cloud-audit-setup';
my @groups = map { /^  events\.([\w-]+)=(\S+)/ ? $2 eq 'yes' ? $1 : "$1-$2" : () } `$built --help settings`;
my $n = 0;
my $program = program(map { my $pid = ++$n; ("10-$_.rules" => "-a always,exit -F pid=$pid\n") } @groups);
my $root = make_root();
my $before = snapshot($root);
my $rules = "$tmp/rules.d";
put("$rules/10-a.rules", "-a always,exit -S nosuchcall\n-w relative\n");
put("$rules/20-b.rules", "-a always,exit -F uid=nobodyhere\n");
my $ini = put("$tmp/c.ini", "[audit]\nlock = maybe\nbacklog_limits = 1\n[rules]\ndirectory = $rules\n");

sub invalid {
	my ($name, $args, $expected) = @_;
	my ($code, $out, $err) = run($program, '-R', $root, @$args);
	is "$code|$out", '3|', "$name: exit 3, nothing on stdout";
	is errors($err), $expected, "$name: all that is wrong, nothing twice" if !ref $expected;
	like errors($err), $expected, "$name: all that is wrong" if ref $expected;
	return $err;
}

my $absent = "$tmp/absent.ini: does not exist; create it, or leave out --config for the defaults\n";
my $both = "$ini:2: lock = 'maybe' is not valid; expected yes or no\n" .
	"$ini:3: unknown key 'backlog_limits'; did you mean 'backlog_limit'?\n";
my $all = qr{\A\Q$both\E--set unit\.mod=file: unknown key 'mod'; did you mean 'mode'\?\n} .
	qr{\Q$rules\E/10-a\.rules:1: .*nosuchcall.*\n\Q$rules\E/10-a\.rules:2: .*relative.*\n} .
	qr{\Q$rules\E/20-b\.rules:1: .*nobodyhere.*\n\z};
invalid('a directory that is no path', ['-s', 'rules.directory=rel', 'render', 'rules'],
	"--set rules.directory=rel: directory = 'rel' is not valid; expected an absolute path\n");
for my $command ('apply', 'plan', 'verify', 'render rules', 'render unit', 'render kernel') {
	my @command = split / /, $command;
	invalid("$command, absent configuration", ['-c', "$tmp/absent.ini", @command], $absent);
	my $err = invalid("$command, two files of rules, configuration and --set",
		['-c', $ini, '-s', 'unit.mod=file', @command], qr/$all/);
	like $err, qr/^cloud-audit-setup: info: the configuration has 6 mistakes; the node is untouched\n\z/m,
		"$command: says how many, and that nothing was touched";
}
invalid('remove, absent configuration', ['-c', "$tmp/absent.ini", 'remove'], $absent);
invalid('remove', ['-c', $ini, 'remove'], $both);

# --- one mistake, one message ---
my @one = (
	[ ['-s', 'events.exec=maybe'], "--set events.exec=maybe: exec = 'maybe' is not valid; expected yes or no\n" ],
	[ ['-s', 'events.socket=yes'],
	  "--set events.socket=yes: socket = 'yes' is not valid; expected no, unusual or all\n" ],
	[ ['-s', 'unit.mode=rocket'],
	  "--set unit.mode=rocket: mode = 'rocket' is not valid; expected file or transient\n" ],
	[ ['-s', 'unit.mode=transient', '-s', 'tty.sshd=yes'],
	  "--set tty.sshd=yes: [tty] sshd = yes needs files on the host, and [unit] mode = transient (--set " .
	  "unit.mode=transient) writes none; set mode = file, or leave it at 'no'\n" ],
	[ ['-s', 'filter.exclude_exe=/bin/a,b'], '--set filter.exclude_exe=/bin/a,b: exclude_exe = ' .
	  "'/bin/a,b' is not valid; expected absolute paths separated by commas\n" ],
	[ ['-s', "rules.directory=$tmp/nowhere"], "--set rules.directory=$tmp/nowhere: [rules] directory = " .
	  "$tmp/nowhere cannot be read: No such file or directory\n" ],
	[ ['-s', "rules.directory=$ini"], "--set rules.directory=$ini: [rules] directory = $ini cannot be " .
	  "read: Not a directory\n" ],
	[ ['-c', $tmp], "$tmp: is not a regular file\n" ],
);
invalid("@{$_->[0]}", [@{$_->[0]}, 'apply'], $_->[1]) for @one;
invalid('a filter with an unknown user', ['-s', 'filter.exclude_uid=nobodyhere', 'apply'],
	qr/\A--set filter\.exclude_uid=nobodyhere: .*nobodyhere.*\n\z/);
invalid('a filter with an unknown type', ['-s', 'filter.exclude_types=CWD,NOSUCH', 'apply'],
	qr/\A--set filter\.exclude_types=CWD,NOSUCH: .*NOSUCH.*\n\z/);

# --- an event group whose file is not there ---
{
	my $lonely = program('10-exec.rules' => "-a always,exit -F pid=1\n");
	my ($code, $out, $err) = run($lonely, '-R', $root, map({ ('-s', "events.$_=no") }
		qw(audit-config apparmor socket mmap network logins)), 'apply');
	(my $dir = $lonely) =~ s{[^/]*$}{rules};
	is "$code|$out|" . errors($err), "3||built-in default: [events] tty = yes: no rules file for it in " .
		"$dir; install the shipped rules there\n", 'a group without its rules file is an error, not silence';
}

# --- JSON ---
{
	my ($code, $out, $err) = run($program, '-o', 'json', '-R', $root, '-c', $ini, 'apply');
	my @m = map { eval { decode_json($_) } || $_ } split /\n/, $err;
	is $code, 3, '-o json: exit 3';
	is decode_json($out)->{result}, 'failed', '-o json: the result says that it failed';
	is_deeply [grep { !ref || join(',', sort keys %$_) ne 'message,severity,time' } @m], [],
		'-o json: every line has severity, message and time, and nothing else';
	is_deeply [grep { $_->{time} !~ /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/ } @m], [],
		'-o json: the time is that of RFC 3339, in UTC';
	is join('', map { $_->{severity} eq 'ERROR' ? "$_->{message}\n" : () } @m[0 .. 1]), $both,
		'-o json: the same messages';
}
{
	my ($code, $out, $err) = run($program, '-q', '-R', $root, '-c', $ini, 'apply');
	is_deeply [grep { !/^cloud-audit-setup: (error|warning): / } split /\n/, $err], [],
		'--quiet: errors and warnings only';
}

is snapshot($root), $before, 'an invalid configuration leaves the root untouched';
done_testing;
