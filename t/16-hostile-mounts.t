#!/usr/bin/perl
# Mounts in places below the root: other file systems, read-only and full ones, /proc, the program's own files.
# What apply cannot do there it says, and takes back what it did; a link through a /proc that is mounted there
# leads nowhere. All in a mount namespace of the test's own.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use lib 't/unit';
use Cli;
use FakeNode;

plan skip_all => 'only root may mount' if $>;
if (!$ENV{OWN_MOUNTS}) {
	plan skip_all => 'no mount namespaces here' if system 'unshare -m --propagation private true 2>/dev/null';
	$ENV{OWN_MOUNTS} = 1;
	exec 'unshare', '-m', '--propagation', 'private', $^X, $0 or die;
}
my $why = usable();
plan skip_all => $why if $why;

my $program = program();
my $sanitized = sanitized();
my ($root, $own, $outside) = ("$tmp/node", "$tmp/own", "$tmp/outside");

sub mount { system('mount', @_) == 0 or die "mount @_" }
# A directory is mounted over, or a file.
sub place {
	my ($at, $file) = @_;
	return if -e $at;
	$file ? put($at, '') : system 'mkdir', '-p', $at;
}

my @plants = (
	['/proc' => sub { mount('-t', 'proc', 'proc', $_[0]) }],
	['an empty file system' => sub { mount('-t', 'tmpfs', 'x', $_[0]) }],
	['one that is read-only' => sub { mount('-t', 'tmpfs', '-o', 'ro', 'x', $_[0]) }],
	['one that is full' => sub {
		mount('-t', 'tmpfs', '-o', 'size=4k', 'x', $_[0]);
		put("$_[0]/fill", 'x' x 4096);
	}],
	['one without room for a name more' => sub { mount('-t', 'tmpfs', '-o', 'nr_inodes=1', 'x', $_[0]) }],
	["the program's own files, read-only" => sub { mount('--bind', $own, $_[0]); mount('-o', 'remount,bind,ro', $_[0]) }],
	['the root itself' => sub { mount('--bind', $root, $_[0]) }],
	['the directory, mounted onto itself' => sub { mount('--bind', $_[0], $_[0]) }],
);
my @places = qw(etc etc/audit etc/systemd etc/systemd/system etc/pam.d run usr usr/sbin sys home/kubernetes/bin);
my @files = qw(etc/audit/cloud-audit-setup.rules etc/systemd/system/cloud-audit-setup.service etc/pam.d/sshd etc/passwd
	usr/sbin/auditctl);
my @file_plants = (
	['a file of its own' => sub { mount('--bind', "$own/file", $_[0]) }],
	['a file, read-only' => sub { mount('--bind', "$own/file", $_[0]); mount('-o', 'remount,bind,ro', $_[0]) }],
	['/dev/zero' => sub { mount('--bind', '/dev/zero', $_[0]) }],
	['/proc/kmsg' => sub { mount('--bind', '/proc/kmsg', $_[0]) }],
);

sub node {
	system "umount -lR '$root' 2>/dev/null; rm -rf '$root' '$own' '$outside'";
	mkdir $root or die;
	mount('--bind', $root, $root);
	fake_node($root);
	put("$root/etc/pam.d/sshd", "session required pam_unix.so\n");
	put("$own/file", "root:x:77:77::/:/bin/sh\n");
	put("$own/cloud-audit-setup.rules", "its own\n");
	put("$outside/cloud-audit-setup.rules", "outside\n");
}

# Names and contents, but for what the kernel makes up; a directory that was missing may stay, empty.
sub tree { return scalar `find '$root' '$own' '$outside' \\( -fstype proc -o -fstype sysfs -o -type c \\) -prune -o -type f -exec sha256sum {} + -o ! -type d -print 2>/dev/null | sort` }

my @apply = ($program, '-R', $root, plain_rules(), '-s', 'tty.sshd=yes', '-s', 'events.tty=yes', '-s', 'apparmor.audit=all',
	'-s', 'events.apparmor=yes', 'apply');
my (@bad, %seen, $runs, $n);

sub try {
	my ($what, $place, $how, $file) = @_;
	return if $sanitized && $n++ % 4;
	node();
	my $systemd = fake_systemd("$root/run/systemd/private");
	place("$root/$place", $file);
	$how->("$root/$place");
	my $before = tree();
	my $since = time;
	my ($code, $out, $err) = run(@apply);
	my $time = time - $since;
	my $at = "$what on $place";
	$runs++;
	$seen{$code}++;
	push @bad, "$at: exit $code, $time s: $err" if $code !~ /^[13]$/ || $time > 20;
	push @bad, "$at: nothing said" if $err !~ /error: /;
	# Nobody loads rules here, so that every run ends with 1 and takes back what it did, or says what it left.
	push @bad, "$at: the node is not as before: $err" if tree() ne $before && $err !~ /error: .*\Q$place\E/;
	push @bad, "$at: its own or other files have changed"
		if slurp("$own/cloud-audit-setup.rules") ne "its own\n" || slurp("$outside/cloud-audit-setup.rules") ne "outside\n";
}

for my $place (@places) { try($_->[0], $place, $_->[1]) for @plants }
for my $file (@files) { try($_->[0], $file, $_->[1], 1) for @file_plants }
note "$runs runs: ", join ', ', map { "exit $_ x $seen{$_}" } sort keys %seen;
is join("\n", @bad), '', 'whatever is mounted below the root: it is said, the node is as before, and nothing is waited for';

# --- a /proc below the root, and a link through it ---
node();
{
	my $systemd = fake_systemd("$root/run/systemd/private");
	mkdir "$root/p" or die;
	mount('-t', 'proc', 'proc', "$root/p");
	rmdir "$root/etc/audit" or die;
	symlink "/p/self/root$outside", "$root/etc/audit" or die;
	my $before = tree();
	my ($code, $out, $err) = run(@apply);
	is $code, 1, 'a link through a /proc below the root is exit status 1';
	like $err, qr{error: .*etc/audit.*Too many levels of symbolic links}, 'it is not followed, and named';
	is tree(), $before, 'nothing at its end, or elsewhere, is changed';
}
system "umount -lR '$root'";

done_testing;
