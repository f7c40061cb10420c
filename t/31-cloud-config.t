#!/usr/bin/perl
# render cloud-config: user-data that cloud-init takes, with the files that apply would write, but for what it cannot know.
use strict;
use warnings;
use MIME::Base64;
use Test::More;
use lib 't/unit';
use Cli;

plan skip_all => 'YAML::XS is not installed: make deps' if !eval { require YAML::XS; 1 };
my $program = program();
my $rules = "$tmp/rules.d";
put("$rules/mine.rules", "-w /etc/mine -p wa -k mine\n  -w /etc/mine.d/ -p wa -k mine\n-a always,exit -F arch=b64 -S mount -F auid>=1000 -k m\n");
my @args = ('-s', "rules.directory=$rules", 'render');

my ($code, $out, $err) = run($program, @args, 'cloud-config');
is "$code|" . errors($err), '0|', 'it is rendered';
like $out, qr/\A#cloud-config\n/, 'as cloud-init wants it to begin';
like $out, qr/^# NOT VERIFIED/m, 'and says that nothing is verified';
like $out, qr/^# Not for nodes of GKE/m, 'and where it is not for';
my $data = YAML::XS::Load($out);
my %file = map { $_->{path} => $_ } @{$data->{write_files}};
my $setup = '/etc/systemd/system/cloud-audit-setup.service';
is join(' ', sort keys %file), "/etc/audit/cloud-audit-setup.rules /etc/systemd/system/cloud-audit-lock.service $setup", 'rules and units';
is join(' ', map { "$_->{owner} $_->{permissions}" } @file{'/etc/audit/cloud-audit-setup.rules', $setup}), 'root:root 0640 root:root 0644',
	'with the owner and modes that verify wants';
my ($units) = (run($program, @args, 'unit'))[1];
is "# $setup\n$file{$setup}{content}", substr($units, 0, index $units, "\n# /etc/systemd/system/cloud-audit-lock"),
	'the units are those that apply writes';
my @lines = grep { !/^#/ } split /\n/, $file{'/etc/audit/cloud-audit-setup.rules'}{content};
is $lines[0], '-c', 'a rule that is refused does not keep the others out';
is $lines[-1], '-e 1', 'nothing locks but the unit that looks whether the file was read to its end';
is $lines[-2], '-a always,user -F pid=0', 'which this rule tells';
ok scalar(grep { $_ eq '-w /etc/mine -p wa -k mine' } @lines), 'a watch stays as it was written';
ok scalar(grep { $_ eq '-w /etc/mine.d/ -p wa -k mine' } @lines), 'one of a directory, too';
ok scalar(grep { $_ eq '-w /etc/audit/ -p wa -k audit-config' } @lines), 'and those of the shipped groups';
# What is no watch is as render rules has it without optimising.
my @plain = grep { /^-a/ && !/ -F (?:path|dir)=/ } split /\n/, (run($program, @args[0, 1], '-s', 'rules.optimise=no', @args[2 .. $#args], 'rules'))[1];
is join("\n", grep { /^-a/ && !/ -F (?:path|dir)=/ } @lines), join("\n", @plain), 'all others are those that apply loads';
is join('|', map { join ' ', @$_ } @{$data->{runcmd}}),
	'systemctl daemon-reload|systemctl enable cloud-audit-setup.service cloud-audit-lock.service|'
	. 'systemctl restart cloud-audit-setup.service cloud-audit-lock.service', 'then systemd is told';
$data = YAML::XS::Load((run($program, '-s', 'audit.lock=no', @args, 'cloud-config'))[1]);
is join(' ', grep { /lock/ } map { $_->{path} } @{$data->{write_files}}), '', 'without the lock there is no unit for it';
my $root = make_root();
my $user = put("$tmp/user.d/u.rules", "-a always,exit -F arch=b64 -S mount -F uid=node -k u\n");
like((run($program, '-s', "rules.directory=$tmp/user.d", 'render', 'cloud-config'))[2], qr/node/, 'a user whom only the machine knows is an error');
like((run($program, '-R', $root, '-s', "rules.directory=$tmp/user.d", 'render', 'cloud-config'))[1], qr/uid=1234/, 'but with its image as the root');
# Bytes that YAML has no block for.
put("$tmp/bytes.d/b.rules", "-w /etc/sch\xf6n -p wa -k b\n");
($code, $out, $err) = run($program, '-s', "rules.directory=$tmp/bytes.d", 'render', 'cloud-config');
$data = YAML::XS::Load($out);
is $data->{write_files}[0]{encoding}, 'b64', 'what is no text is in base64';
like decode_base64($data->{write_files}[0]{content}), qr{^-w /etc/sch\xf6n -p wa -k b$}m, 'byte by byte';

for my $setting ('unit.mode=transient', 'unit.enable=no', 'journal.reader=enable', 'tty.sshd=yes', 'rules.existing=keep') {
	my ($name, $value) = $setting =~ /\.(.*)=(.*)/;
	($code, $out, $err) = run($program, '-s', $setting, @args, 'cloud-config');
	is "$code|$out", '3|', "$setting needs the machine: exit 3";
	like $err, qr/--set \Q$setting\E: \[\w+\] $name = $value needs the machine itself/, "$setting: and says so";
}
for my $case (['keystrokes', 'container.runtime_unit=containerd.service', 'container.keystrokes=yes'], ['identity', 'container.runtime_unit=containerd.service', 'container.identity=yes'],
	['keystrokes', 'tty.runtime_unit=containerd.service']) {
	my ($key, @set) = @$case;
	($code, $out, $err) = run($program, (map { ('-s', $_) } @set), @args, 'cloud-config');
	is "$code|$out", '3|', "@set needs the machine: exit 3";
	is join('|', map { s/ needs the machine itself.*//r } split /\n/, errors($err)), "--set $set[-1]: [container] $key = yes", "@set: said once";
}
my $copy = '/etc/audit/rules.d/zz-cloud-audit-setup.rules';
$data = YAML::XS::Load((run($program, '-s', 'rules.scanner_copy=yes', @args, 'cloud-config'))[1]);
%file = map { $_->{path} => $_ } @{$data->{write_files}};
is +($file{$copy} // {})->{permissions}, '0640', 'the copy for scanners is written, too';
like +($file{$copy} // {})->{content} // '', qr{^-w /etc/mine -p wa -k mine$}m, 'with the rules';
is join(' ', map { "@$_" } @{$data->{runcmd}}[1]), 'systemctl enable cloud-audit-setup.service cloud-audit-lock.service', 'and is no unit';
is((run($program, '-s', 'ima.policy=exec', @args, 'cloud-config'))[1] =~ /cloud-audit-host\.service/ ? 1 : 0, 1, 'the host\'s unit is there where it is asked for');

SKIP: {
	skip 'cloud-init is not installed: make deps', 2 if system('command -v cloud-init >/dev/null') != 0;
	for my $set ('audit.lock=yes', "rules.directory=$tmp/bytes.d") {
		put("$tmp/user-data", (run($program, '-s', $set, 'render', 'cloud-config'))[1]);
		my ($status, $said, $complaint) = run({ seconds => 120 }, '/usr/bin/cloud-init', 'schema', '--config-file', "$tmp/user-data");
		is "$status " . ($said =~ /^Valid cloud-config/m ? 'valid' : "$said$complaint"), '0 valid', "$set: cloud-init's own schema has nothing against it";
	}
}
done_testing;
