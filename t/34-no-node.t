#!/usr/bin/perl
# A root that is no node: what is missing is said, and nothing is touched. Only reading goes on here.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli;

my $program = program();

# --- no auditctl: apply must stop before it asks anybody ---
my $bare = make_root();
unlink "$bare/usr/sbin/auditctl" or die;
my $before = snapshot($bare);
my $message = "there is no auditctl in /sbin or /usr/sbin below $bare, which apply needs; install the host's audit package, or " .
	"point --root at the host's root; nothing was changed";
{
	my ($code, $out, $err) = run($program, '-R', $bare, 'apply');
	is "$code|$out|" . errors($err), "1||$message\n", 'apply without auditctl: exit 1 and what to install';
	($code, $out, $err) = run($program, '-R', $bare);
	is "$code|" . errors($err), "1|$message\n", 'apply is the default command';
	mkdir "$bare/sbin" or die;
	mkdir "$bare/sbin/auditctl" or die;
	($code, $out, $err) = run($program, '-R', $bare, 'apply');
	is "$code|" . errors($err), "1|$message\n", 'a directory of that name is no auditctl';
	rmdir "$bare/sbin/auditctl" or die;
	symlink '/../../../../../../../bin/true', "$bare/sbin/auditctl" or die;
	($code, $out, $err) = run($program, '-R', $bare, 'apply');
	is "$code|" . errors($err), "1|$message\n", 'nor is a link to a program outside the root';
	unlink "$bare/sbin/auditctl" or die;
	rmdir "$bare/sbin" or die;
	($code, $out, $err) = run($program, '-o', 'json', '-R', $bare, 'apply');
	my @m = grep { $_->{severity} eq 'ERROR' } map { decode_json($_) } split /\n/, $err;
	is "$code|" . join('|', map { $_->{message} } @m, decode_json($out)), "1|$message|$message",
		'-o json: the same message, and in the result';
	($code, $out, $err) = run($program, '-R', $bare, 'plan');
	like $err, qr/^cloud-audit-setup: warning: \Q$message\E$/m, 'plan warns that apply will not do';
	($code, $out) = run($program, '-R', $bare, 'render', 'unit');
	is $code, 0, 'render works without auditctl';
	like $out, qr{^ExecStart=/sbin/auditctl }m, 'and takes the usual place';
}
# The times of the root itself are those of the lines above.
s/^\Q$bare\E .*//m for $before, my $after = snapshot($bare);
is $after, $before, 'without auditctl the root is untouched';

# --- no D-Bus socket ---
my $root = make_root();
$before = snapshot($root);
my $mount = "mount the host's /run/dbus/system_bus_socket (read-only is enough; volumes: hostPath: path: " .
	"/run/dbus/system_bus_socket, type: Socket) below the root, or set [dbus] address\n";
for my $command ('plan', 'verify') {
	my ($code, $out, $err) = run($program, '-R', $root, $command);
	is "$code|$out", '1|', "$command without D-Bus: exit 1, no result";
	my ($dbus) = errors($err) =~ /^(no D-Bus.*\n)/m;
	is $dbus, "no D-Bus connection to the host's systemd ($root/run/dbus/system_bus_socket: No such file or " .
		"directory, $root/run/systemd/private: No such file or directory); $mount",
		"$command without D-Bus: names both sockets and the manifest line to add";
}
{
	my ($code, $out, $err) = run($program, '-R', $root, '-s', "dbus.address=unix:path=$root/nowhere", 'verify');
	like errors($err), qr/^no D-Bus connection to the host's systemd \(unix:path=\Q$root\E\/nowhere: No such file .*\); /m,
		'a configured address that is not there is named';
}
is snapshot($root), $before, 'plan and verify leave the root untouched';
{
	put("$root/run/dbus/system_bus_socket", '');
	my ($code, $out, $err) = run($program, '-R', $root, 'verify');
	is $code, 1, 'a file where the socket should be: exit 1';
	like errors($err), qr{^no D-Bus connection .*/run/dbus/system_bus_socket: Connection refused, }m,
		'a file where the socket should be: said, not waited for';
}

done_testing;
