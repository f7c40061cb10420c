#!/usr/bin/perl
# What the next run makes of a rule that a boot has refused: on a made-up node, with a kernel that refuses lines. What a
# real kernel refuses at a real boot is t/49-vm-boots.t's to show.
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use FakeNode;
use MadeUpNode;

$ENV{ASAN_OPTIONS} = 'detect_leaks=0';

my ($program, $root, $kernel, $systemd) = made_up_node();
my $rules = "$root/etc/audit/cloud-audit-setup.rules";
make_path("$root/srv/gone", "$root/run/late");
my $mine = put("$tmp/rules.d/mine.rules", "-w /etc/one -p wa -k one\n-w /run/late/file -p wa -k late\n-w /srv/gone/file -p wa -k gone\n" .
	"-a always,exit -F arch=b64 -S mount -F auid=4711 -k odd\n");
my $restore = slurp($mine);

# (exit status, what it said, what it printed).
sub cas {
	open my $err, '>&', \*STDERR or die;
	open my $out, '>&', \*STDOUT or die;
	open STDERR, '>', "$tmp/said" or die;
	open STDOUT, '>', "$tmp/out" or die;
	my $status = $systemd->serve($program, '-R', $root, off(), '-s', 'rules.optimise=no', '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s', @_);
	open STDERR, '>&', $err or die;
	open STDOUT, '>&', $out or die;
	return ($status & 127 ? "signal $status" : $status >> 8, slurp("$tmp/said"), slurp("$tmp/out"));
}
sub keys_in_force { return join ' ', map { /(?:-k |key=)([a-z]+)/ ? $1 : () } @{Auditctl::load($kernel)->{rules}} }
# A boot is one only by another id than that in the file.
sub boot {
	my ($refused) = @_;
	put($rules, slurp($rules) =~ s/^# staged in boot .*/# staged in boot 01234567-89ab-cdef-0123-456789abcdef/mr
		=~ s/left out until the boot after \K.*/01234567-89ab-cdef-0123-456789abcdef/gr);
	chmod 0640, $rules;
	local $Auditctl::refused = $refused;
	return $systemd->boot;
}

my ($status, $said, $out) = cas('apply');
is "$status " . keys_in_force(), '0 one late gone odd', 'four rules are applied' or diag $said;

# --- a boot refuses three, for three reasons ---
remove_tree("$root/srv/gone", "$root/run/late");
is boot(qr/late|gone|odd/)->{'-e'}, 2, 'a boot that refuses three locks';
is keys_in_force(), 'one', 'with the one that is left';
my $before = slurp($rules);
($status, $said) = cas('verify');
is $status, 5, 'verify says 5';
like $said, qr/error: \Q$mine\E:$_: the kernel has not got this rule/, "and names line $_" for 2, 3, 4;
($status, $said) = cas('-s', 'dbus.address=none', 'verify');
is $status, 5, 'without a bus, too';
like $said, qr/error: the kernel is locked without some of the rules: systemctl status \S+ on the node says whether the boot has refused them/,
	'but whether a boot has refused it is not known';
unlike $said, qr/with other rules: reboot or recreate/, '... and no boot is promised to mend it';
($status, $said) = cas('-s', 'rules.absent=fail', 'apply');
is $status, 3, 'absent = fail: exit 3';
put($mine, "-w /etc/one -p wa -k one\n-a always,exit -F arch=b64 -S mount -F auid=4711 -k odd\n");
($status, $said) = cas('-s', 'rules.absent=fail', 'apply');
is $status, 3, 'also of a rule whose path is not the reason';
like $said, qr/error: \Q$mine\E:2: the kernel has refused this rule at boot, and \[rules\] absent = fail: /, 'by its place';
is slurp($rules), $before, 'and nothing is written';
put($mine, $restore);

($status, $said, $out) = cas('-v', 'plan', '--diff');
is $status, 5, 'plan says 5';
like $out, qr/^\+# mine\.rules:$_: left out, since the kernel has refused it at boot\n\+#-a /m, "and that line $_ will be left out" for 2, 3, 4;
is slurp($rules), $before, 'plan writes nothing';
($status, $said) = cas('-v', 'apply');
is $status, 5, 'the next apply says 5 once';
like $said, qr/warning: \Q$mine\E:2: left out, since the kernel has refused it at boot: \/run\/late is not there; what is below \/run is made anew by each boot/, 'which rule, and why';
like $said, qr/warning: \Q$mine\E:3: left out, since the kernel has refused it at boot: \/srv\/gone is not there \[lint: left-out\]/, 'each of them';
like $said, qr/warning: \Q$mine\E:4: left out, since the kernel has refused it at boot \[lint: left-out\]/, 'also where no path is the reason';
like $said, qr/error: the kernel refused 3 of the rules at boot, and is locked with the others; the rules file leaves out what it refused/, 'and what becomes of them';
unlike $said, qr/in place for the next boot|reboot or recreate/, 'without a word of another boot';
like slurp($rules), qr/^#-a always,exit -F path=\Q$_\E /m, "$_ stands in the file as a comment" for qw(/run/late/file /srv/gone/file);

($status, $said) = cas('apply');
is $status, 0, 'the one after that has nothing to do' or diag $said;
($status, $said, $out) = cas('-o', 'tap', 'verify');
is $status, 0, 'verify agrees' or diag $said;
is scalar(() = $out =~ /^not ok \d+ - rule not left out: mine\.rules:[234]: .* # TODO /mg), 3, 'with a notice for each';
like $out, qr/found: "left out: the kernel has refused it at boot"/, 'which says why';

# --- the boots after it ---
for my $n (qw(first second)) {
	is boot(qr/late|gone|odd/)->{'-e'}, 2, "the $n boot after that locks";
	is $systemd->{state}{'cloud-audit-setup.service'}, 'active', 'and loads all of the file';
	($status, $said) = cas('apply');
	is "$status " . keys_in_force(), '0 one', 'apply has nothing to do';
}
make_path("$root/run/late", "$root/srv/gone");
($status, $said) = cas('apply');
like slurp($rules), qr/^# mine\.rules:3: left out until the boot after \S+\n-a always,exit -F path=\/srv\/gone\/file /m, 'a path that has come: the next boot is to load its rule';
like slurp($rules), qr/^#-a always,exit -F path=\/run\/late\/file /m, 'but not one that comes late in each boot';
like slurp($rules), qr/^#-a always,exit -F arch=\S+ -F auid=4711 -S mount /m, 'nor one whose reason is not known';
boot(qr/late|odd/);
is keys_in_force(), 'one gone', 'and it does';
is +(cas('apply'))[0], 0, 'which is as it should be';
is +(cas('verify'))[0], 0, 'as verify says';

# --- a reason that has gone by the time of the run ---
remove_tree("$root/srv/gone");
boot(qr/late|gone|odd/);
make_path("$root/srv/gone");
$before = slurp($rules);
($status, $said) = cas('apply');
is $status, 5, 'a rule whose path has come since the boot refused it: 5';
like $said, qr/error: \Q$mine\E:3: the kernel has not got this rule/, 'told with its place';
is slurp($rules), $before, 'and it is not left out';

# --- a node that is not locked has them anew ---
my $k = Auditctl::load($kernel);
$k->{'-e'} = 1;
Auditctl::store($k, $kernel);
is +(cas('apply'))[0] . ' ' . keys_in_force(), '0 one late gone odd', 'a load takes again what a boot had refused';

# --- a directory that is not there, watched twice ---
# -w DIR/ would be a watch of the directory and is left out; -w DIR is one of a path, loaded, and not the first one's.
remove_tree("$root/srv/gone");
put($mine, "-w /srv/gone/ -p wa -k scope\n-w /srv/gone -p wa -k again\n");
$k = Auditctl::load($kernel);
$k->{'-e'} = 1;
Auditctl::store($k, $kernel);
($status, $said) = cas('apply');
is "$status " . keys_in_force(), '0 again', 'of two rules for an absent directory one is left out, and the node locked' or diag $said;
($status, $said, $out) = cas('-o', 'tap', 'verify');
is $status, 0, 'verify agrees' or diag $said;
like $out, qr/^not ok \d+ - rule not left out: mine\.rules:1: .* # TODO /m, 'with a notice for the one';
make_path("$root/srv/gone");
for my $command (qw(verify apply verify)) {
	($status, $said) = cas($command);
	is $status, 0, "$command agrees when the directory has come, which both of them would be of now" or diag $said;
}
is boot(undef)->{'-e'} . ' ' . keys_in_force(), '2 scope again', 'and the next boot takes both';
($status, $said) = cas('verify');
is $status, 0, 'as they are wanted' or diag $said;

# --- one that was left out, of a path that each boot makes, and late ---
put($mine, "-w /run/agent/x -p wa -k agent\n-w /etc/one -p wa -k one\n");
$k = Auditctl::load($kernel);
$k->{'-e'} = 1;
Auditctl::store($k, $kernel);
is +(cas('apply'))[0] . ' ' . keys_in_force(), '0 one', 'one is left out, and the node locked';
make_path("$root/run/agent");
is +(cas('apply'))[0], 0, 'its path comes';
like slurp($rules), qr/^#-a always,exit -F path=\/run\/agent\/x /m, 'it is not staged for a boot that would refuse it';
is +(cas('verify'))[0], 0, 'verify agrees';

# --- one that was loaded as a directory, of a path that each boot makes ---
put($mine, "-w /run/dir/x -p wa -k dir\n-w /etc/one -p wa -k one\n");
make_path("$root/run/dir/x");
$k = Auditctl::load($kernel);
$k->{'-e'} = 1;
Auditctl::store($k, $kernel);
is +(cas('apply'))[0] . ' ' . keys_in_force(), '0 dir one', 'one of a directory in memory is loaded';
remove_tree("$root/run/dir");
boot(qr/=dir/);
is keys_in_force(), 'one', 'a boot refuses it';
is +(cas('apply'))[0], 5, 'apply says so, once';
is +(cas('apply'))[0], 0, 'and then leaves it out';

done_testing;
