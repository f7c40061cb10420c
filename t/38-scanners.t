#!/usr/bin/perl
# [rules] scanner_copy: the file that scanners read, on a made-up node with a made-up kernel, and whether patterns of the kind
# that they look for find what is in force. With the host's own augenrules, and boots: t/49-vm-boots.t.
use strict;
use warnings;
use File::Copy qw(copy);
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use FakeNode;
use MadeUpNode;

$ENV{ASAN_OPTIONS} = 'detect_leaks=0';

my ($program, $root, $kernel, $systemd) = made_up_node();
my ($rules_d, $copy) = ("$root/etc/audit/rules.d", "$root/etc/audit/rules.d/zz-cloud-audit-setup.rules");
put("$root$_", '') for qw(/etc/passwd.d/x /usr/bin/dockerd /usr/bin/sudo /var/lib/docker/x /etc/sudoers.d/x /etc/sudoers);
put("$root/etc/passwd", "root:x:0:0::/:/bin/sh\n");

# Of the kinds that benchmarks have, in words of our own.
put("$tmp/rules.d/mine.rules", <<'RULES');
-b 8192
-w /etc/passwd -p wa -k who
-w /etc/sudoers.d/ -p aw -k scope-of-root
-a always,exit -F path=/etc/sudoers -F perm=wa -k scope-of-root
-a always,exit -F arch=b64 -S chmod -S fchmod,fchmodat -F auid>=1000 -F auid!=unset -k modes
-a always,exit -F arch=b32 -S chmod,fchmod,fchmodat -F auid>=1000 -F auid!=4294967295 -F key=modes
-a always,exit -F arch=b64 -S openat -F exit=-EACCES -F auid>=1000 -F auid!=-1 -k refused
-a always,exit -F arch=b32 -S openat -F exit=-EACCES -F auid>=1000 -F auid!=-1 -k refused
-a always,exit -F path=/usr/bin/sudo -F perm=x -F auid>=1000 -F auid!=unset -k privileged
-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa -F key=modern
-a always,exit -F arch=b32 -F path=/etc/passwd -F perm=wa -F key=modern
-w /usr/bin/dockerd -k docker
-w /var/lib/docker -p wa -k docker
-a never,exclude -F msgtype=CWD
RULES

# What systemd was asked to run beside auditctl.
my @ran;
{
	no warnings 'redefine';
	my $command = \&Systemd::command;
	*Systemd::command = sub { push @ran, join ' ', @_[2 .. $#_] if $_[2] !~ m{/(?:auditctl|sh)$}; return $command->(@_) };
}

# (exit status, what it said).
sub cas {
	open my $err, '>&', \*STDERR or die;
	open STDERR, '>', "$tmp/said" or die;
	my $status = $systemd->serve($program, '-R', $root, off(), '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s', @_);
	open STDERR, '>&', $err or die;
	return ($status >> 8, slurp("$tmp/said"));
}
my @copy = ('-s', 'rules.scanner_copy=yes');
my @plain = (@copy, '-s', 'rules.optimise=no');

my ($status, $said) = cas(@copy, '-s', 'rules.existing=keep', 'apply');
is $status, 3, 'with existing = keep it is refused';
like $said, qr/error: --set rules\.scanner_copy=yes: \[rules\] scanner_copy = yes has the host load our rules with its own, and existing = keep \(--set rules\.existing=keep\)/, 'with both places';
($status, $said) = cas(@copy, '-s', 'unit.mode=transient', 'apply');
is $status, 3, 'in transient mode, too';
like $said, qr/error: --set rules\.scanner_copy=yes: \[rules\] scanner_copy = yes needs files on the host, and \[unit\] mode = transient/, 'which has no files';

($status, $said) = cas(@plain, '-s', 'audit.lock=no', 'apply');
is $status, 0, 'else it is written' or diag $said;
unlike $said, qr/-e 2/, 'without a word of the lock, where there is none';
my $text = slurp($copy);
is sprintf('%04o', (stat $copy)[2] & 07777), '0640', 'with the mode of such files';
unlike $text, qr/^-[^aAw]/m, 'with rules alone: no setting, no -D, no -c';
unlike $text, qr/pid=0/, 'nor the rule that ends the file of ours';
my $in_force = scalar @{Auditctl::load($kernel)->{rules}};
is scalar(() = $text =~ /^-[aAw] /mg), $in_force - 1, 'and has every other rule that is in force';
like $text, qr/^# mine\.rules:2\n-w \/etc\/passwd /m, 'each below where it comes from';

# --- what scanners look for ---
my $end = qr/(?:-k\s+|-F\s+key=)\S+\s*$/m;
my $perms = qr/\b(?:[rx]*w[rx]*a[rx]*|[rx]*a[rx]*w[rx]*)\b/;
my $login = qr/-F\s+auid>=1000\s+-F\s+auid!=(?:4294967295|unset|-1)\s+/;
sub call { my ($bits, $name) = @_; return qr/^\s*-a\s+always,exit\s+-F\s+arch=b$bits\s+(?:.*\s)?-S\s+(?:\w+,)*$name(?:,\w+)*\s+/m }
my @patterns = (
	['OpenSCAP: a watch', map { qr/^-w\s+\Q$_\E\/?\s+-p\s+$perms.*$/m } '/etc/passwd', '/etc/sudoers', '/etc/sudoers.d'],
	['OpenSCAP: a watch of the newer style', map { qr/^-a\s+always,exit\s+-F\s+arch=$_\s+-F\s+path=\/etc\/passwd\s+-F\s+perm=$perms.*$/m } qw(b32 b64)],
	['OpenSCAP: changes of modes', map { my $b = $_; map { my $c = call($b, $_); qr/$c$login$end/ } qw(chmod fchmod fchmodat) } 32, 64],
	['OpenSCAP: what was refused', map { my $c = call($_, 'openat'); qr/$c-F\s+exit=-EACCES\s+$login$end/ } 32, 64],
	['OpenSCAP: a privileged program', qr/^\s*-a\s+always,exit\s+-F\s+path=\/usr\/bin\/sudo\s+-F\s+perm=x\s+$login$end/m],
	['docker-bench-security', qr/^[^#;\n].*\/usr\/bin\/dockerd /m, qr/^[^#;\n].*\/var\/lib\/docker/m],
	['Lynis: rules at all', qr/^-[aw] /m],
	['Wazuh: a watch', qr/^-w\s+\/etc\/sudoers\s+-p\s+wa\s+-k\s+\S+$/m, qr/^-w\s+\/etc\/sudoers\.d\/?\s+-p\s+wa\s+-k\s+\S+$/m],
);
for (@patterns) {
	my ($name, @all) = @$_;
	is scalar(grep { $text =~ $_ } @all), scalar @all, "$name: found" or diag $text;
}
# With optimise = yes they may not be.
cas(@copy, '-s', 'audit.lock=no', 'apply');
my $optimised = slurp($copy);
unlike $optimised, $patterns[0][1], 'optimise = yes: watches become rules for system calls, which no pattern finds';
like $optimised, $patterns[5][1], 'but for what looks for a path alone';

# auditctl reads what scanners do into the rules that are in force.
cas(@plain, '-s', 'audit.lock=no', 'apply');
sub data {
	my ($dir) = @_;
	my (undef, $out) = run($program, '-R', $root, off(), '-s', 'rules.optimise=no', '-s', "rules.directory=$dir", 'render', 'kernel');
	return join "\n", grep { !/^\Q{"source":"shipped\E/ } map { s/^\{"source":"[^"]*\/([^"\/]*)",/{"source":"$1",/r } grep { /"data"/ } split /\n/, $out;
}
put("$tmp/again/mine.rules", join "\n", grep { /^-/ } split /\n/, slurp($copy) =~ s/^# shipped .*\n-.*\n//mgr);
my @data = map { [ map { /"data":"([^"]*)"/ ? $1 : () } split /\n/, data($_) ] } "$tmp/again", "$tmp/rules.d";
ok @{$data[0]} > 12, 'the copy can be read';
is_deeply $data[0], $data[1], 'and is the same to the byte';

# --- with the lock, and without the setting ---
($status, $said) = cas(@plain, 'apply');
is $status, 0, 'with the lock';
is slurp($copy), $text, 'the copy is the same';
unlike $said, qr/-e 2/, 'what is there already is told nothing of';
unlink $copy or die;
($status, $said) = cas('-q', @plain, 'verify');
is $status, 4, 'a copy that is missing is a difference';
($status, $said) = cas(@plain, 'apply');
like $said, qr/info: no file of rules says -e 2, for which scanners look: .*; auditctl -s tells of the lock \(enabled 2\)/, 'that no file says -e 2 is told';
is slurp($copy), $text, 'and it is there again';
is $systemd->boot->{'-e'}, 2, 'a boot locks';
is scalar @{Auditctl::load($kernel)->{rules}}, $in_force, 'one set';
($status, $said) = cas('-s', 'rules.optimise=no', 'apply');
ok $status == 0 && !-e $copy, 'without the setting it goes, also under the lock' or diag $said;

my $own = put("$rules_d/10-own.rules", "-w /etc/own -p wa -k own\n");
put("$root/etc/audit/audit.rules", "## This file is automatically generated from /etc/audit/rules.d\n-w /etc/own -p wa -k own\n");
$systemd->boot;
put("$root$_", "#!/bin/sh\n"), chmod 0755, "$root$_" for '/sbin/augenrules';
my $k = Auditctl::load($kernel);
$k->{'-e'} = 1;
Auditctl::store($k, $kernel);
cas(@plain, '-s', 'audit.lock=no', 'apply');
ok -e $copy, 'beside files of the host';
@ran = ();
($status, $said) = cas('remove');
is $status, 0, 'remove' or diag $said;
ok !-e $copy && -e $own, 'takes it away, and nothing else';
is "@ran", '/sbin/augenrules', 'and has the host merge its rules anew';

done_testing;
