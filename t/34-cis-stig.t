#!/usr/bin/perl
# rules/CIS-STIG.md says what becomes of each kind of line of public rule sets on a node with the default configuration:
# it is held against what the program says of it, for a root shaped like Container-Optimized OS.
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $program = ($ENV{BUILD} || 'build') . '/cloud-audit-setup';
die "$program is not built: make\n" unless -x $program;
my $root = tempdir(CLEANUP => 1);
my $page = 'rules/CIS-STIG.md';

make_path(map { "$root$_" } qw(/rules /run /tmp /usr/bin /usr/sbin /usr/lib/systemd/system /usr/share/zoneinfo /var/log
	/run/systemd/system /etc/apparmor /etc/apparmor.d /etc/audit /etc/cloud-audit-setup /etc/pam.d /etc/security
	/etc/ssh /etc/sudoers.d /etc/systemd));
sub put {
	my ($path, $content) = @_;
	open my $f, '>', "$root$path" or die "$path: $!";
	print $f $content // '';
	close $f or die "$path: $!";
}
put($_) for qw(/etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/hosts /etc/issue /etc/sudoers /etc/libaudit.conf
	/usr/bin/passwd /usr/sbin/insmod /usr/sbin/auditctl /usr/bin/systemctl /usr/share/zoneinfo/UTC /var/log/wtmp
	/var/log/btmp /var/log/lastlog);
for my $link (['usr/bin', 'bin'], ['usr/sbin', 'sbin'], ['/run', 'var/run'], ['../usr/share/zoneinfo/UTC', 'etc/localtime']) {
	symlink $link->[0], "$root/$link->[1]" or die "$link->[1]: $!";
}

# What the program says of one line: the group that takes it, link, absent, or acts.
sub outcome {
	my ($line) = @_;
	put('/rules/1.rules', "$line\n");
	open my $in, '-|', "'$program' -R '$root' -s rules.directory='$root/rules' -v render kernel 2>'$root/stderr'" or die;
	my @rules = grep { /"rule"/ } <$in>;
	close $in;
	my $code = $? >> 8;
	open my $f, '<', "$root/stderr" or die;
	my $said = join '', grep { m{/rules/1\.rules[: ]} } <$f>;
	close $f;
	return ("exit $code", $said) if $code;
	return ($1, $said) if $said =~ m{: the same rule as shipped \d+-([a-z-]+?)(?:@\w+)?\.rules:\d+};
	return ($1, $said) if $said =~ m{shipped \d+-([a-z-]+?)(?:@\w+)?\.rules:\d+.* takes every event};
	return ('link', $said) if $said =~ /\[lint: link\]|\blink\b.*symbolic link/;
	return ('left out', $said) if $said =~ /left-out|whose directory \S+ is not there/;
	return ('acts', $said);
}

open my $f, '<', $page or die "$page: $!";
my @rows = map { /^\| ([^|]*) \| `(-[^`]+)` \| ([a-z -]+) \|/ ? [$1, $2, $3] : () } <$f>;
cmp_ok scalar @rows, '>=', 30, 'the page has lines of every kind';
for my $row (@rows) {
	my ($control, $line, $expected) = @$row;
	my ($got, $said) = outcome($line);
	is $got, $expected, "$control: $line" or diag $said;
	is $said =~ /order = user-first/ ? 'named' : 'not named', $got eq 'audit-config' ? 'not named' : 'named',
		'user-first is named as what helps where it does' if $said =~ /first comes/;
}

# The shipped rules themselves are warned of for nothing, on either machine, whatever groups there are.
put('/rules/1.rules', '');
for my $machine (qw(x86_64 aarch64)) {
	for my $values (['unusual', 'anonymous'], ['all', 'exec'], ['all', 'all']) {
		my $set = "-s events.socket=$values->[0] -s events.mmap=$values->[1] --machine $machine";
		is `'$program' -R '$root' -s rules.directory='$root/rules' $set render kernel 2>&1 >'$root/out'`, '',
			"the shipped rules give no warning: $set";
	}
}

# Every file that the page names is there, so that it says no more than the tests show.
open $f, '<', $page or die;
my %named = map { $_ => 1 } map { m{\b(t/[\w/.-]+\.(?:t|sh|c))\b}g } <$f>;
is_deeply [grep { !-e } sort keys %named], [], 'the tests that the page names are there';
cmp_ok scalar keys %named, '>=', 5, 'and there are some';
done_testing;
