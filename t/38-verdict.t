#!/usr/bin/perl
# What counts as a difference, and what does not, on a made-up root with a systemd that does nothing and tells of its
# units what a file says.
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use Test::More;
use lib 't/unit';
use Cli;
use FakeNode;

my $why = usable();
plan skip_all => $why if $why;

my $program = program();
my $root = fake_node("$tmp/node");
my $answers = put("$tmp/answers", '');
my $systemd = fake_systemd("$root/run/systemd/private", 0, $answers);
my @files = map { "/etc/systemd/system/cloud-audit-$_.service" } qw(setup lock);
my $rules = '/etc/audit/cloud-audit-setup.rules';
my @options = plain_rules();

sub verify { my ($with, @more) = @_; my ($code, $out, $err) = run($with, '-R', $root, @options, @more, '-o', 'tap', 'verify'); return $out . $err }
sub says { my ($out, $name) = @_; my @l = grep { /^(?:not )?ok \d+ - \Q$name\E(?: #|$)/ } split /\n/, $out; return @l ? $l[0] =~ /^ok/ ? 'ok' : 'not ok' : 'nothing' }
# What was found where that failed.
sub found { my ($out, $name) = @_; return $out =~ /^not ok \d+ - \Q$name\E[^\n]*\n  ---\n(?:  .*\n)*?  found: "(.*)"$/m ? $1 : '' }

# Puts onto the node what this program would.
sub install {
	my ($with, @more) = @_;
	my ($code, $text) = run($with, '-R', $root, @options, @more, 'render', 'rules');
	put("$root$rules", $text);
	chmod 0640, "$root$rules" or die;
	my %units = (run($with, '-R', $root, @options, @more, 'render', 'unit'))[1] =~ m{^# (/\S+)\n(.*?)(?=^\n# /|\z)}msg;
	put("$root$_", $units{$_} =~ s/\n\n\z/\n/r) for keys %units;
	chmod 0644, "$root$_" or die for keys %units;
}

# --- the same node, the same verdict ---
install($program);
my $out = verify($program);
is says($out, "$_ is as configured"), 'ok', "$_ as it was rendered" for $rules, @files;

my $elsewhere = "$tmp/some/where/else";
make_path("$elsewhere/share/cloud-audit-setup", "$elsewhere/bin");
system('cp', '-r', $program =~ s{[^/]*$}{rules}r, "$elsewhere/share/cloud-audit-setup/rules") == 0 or die;
system('cp', $program, "$elsewhere/bin/cloud-audit-setup") == 0 or die;
my $other = "$elsewhere/bin/cloud-audit-setup";
@options = ('-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s');
install($program);
$out = verify($other);
is says($out, "$_ is as configured"), 'ok', "$_ is so, too, by a program elsewhere with its rules beside it in another way" for $rules, @files;
is verify($other) =~ s/"[^"]*"//gr, verify($program) =~ s/"[^"]*"//gr, 'and both say the same of everything';
is +(run($other, '-R', $root, @options, 'render', 'rules'))[1], slurp("$root$rules"), 'the rules file is the same to the byte';

my $ini = put("$tmp/a.ini", "[audit]\nbacklog_limit = 9000\n[filter]\nexclude_uid = 7\n");
install($program, '-c', $ini);
put($ini, "# a comment\n\n[audit]\n# another\nbacklog_limit = 9000\n\n[filter]\nexclude_uid = 7\n");
$out = verify($program, '-c', $ini);
is says($out, "$rules is as configured"), 'ok', 'a comment in the configuration is no difference';
put("$root$files[0]", "; somebody\n\n" . slurp("$root$files[0]") . "# says this\n");
$out = verify($program, '-c', $ini);
is says($out, "$files[0] is as configured"), 'ok', 'nor is one in a unit';
put("$root$files[0]", slurp("$root$files[0]") . "[Service]\nUser=nobody\n");
$out = verify($program, '-c', $ini);
is says($out, "$files[0] is as configured"), 'not ok', 'a line in a unit is one';
put("$root$rules", slurp("$root$rules") . "-e 0\n");
$out = verify($program, '-c', $ini);
is says($out, "$rules is as configured"), 'not ok', 'so is one in the rules file';


# --- owner and mode ---
@options = plain_rules();
install($program);
my $rights = "$rules belongs to root and has mode 0640";
is says(verify($program), $rights), 'ok', 'the rules file has its owner and mode';
for my $wrong ([ 0, 0666 ], [ 0, 0640 | 04000 ], [ 1234, 0640 ], [ 0, 0600 ]) {
	my ($owner, $mode) = @$wrong;
	my $how = sprintf 'uid %d, mode %04o', $owner, $mode;
	chown $owner, 0, "$root$rules" or die;
	chmod $mode, "$root$rules" or die;
	$out = verify($program);
	is says($out, $rights), 'not ok', "$how: a difference";
	my $named = sprintf 'it belongs to uid %d and has mode %04o: ', $owner, $mode;
	like found($out, $rights), qr{^$named}, "$how: named";
	is says($out, "$rules is as configured"), 'ok', "$how: and no other";
}
my ($code, $shown, $err) = run($program, '-R', $root, @options, 'plan');
is $code, 4, 'plan says so, too';
chmod 0646, "$root$files[1]" or die;
is says(verify($program), "$files[1] belongs to root and has mode 0644"), 'not ok', 'a unit that everybody may write is a difference';

# --- what a boot reads instead ---
sub reset_node { remove_tree("$root/run/systemd/transient", "$root/run/systemd/system.control", "$root/run/systemd/generator.early",
	"$root/run/systemd/system", "$root/etc/systemd", "$root/etc/audit"); fake_node($root); install($program); put($answers, '') }
my $reads = "a boot reads $files[0]";
reset_node();
is says(verify($program), $reads), 'ok', 'with nothing in its place our unit is what a boot reads';
for my $dir (qw(/etc/systemd/system.control /run/systemd/system.control /run/systemd/transient /run/systemd/generator.early)) {
	reset_node();
	my $there = put("$root$dir/cloud-audit-setup.service", "[Service]\nExecStart=/bin/true\n");
	$out = verify($program);
	is says($out, $reads), 'not ok', "a unit in $dir comes first";
	like found($out, $reads), qr{^\Q$dir\E/cloud-audit-setup\.service comes first: delete it, then systemctl daemon-reload}, "$dir: named, and what to do";
	my $before = snapshot($root);
	my ($code, $out, $err) = run($program, '-R', $root, @options, 'apply');
	is $code, 1, "$dir: apply fails";
	like $err, qr{: error: this does not hold: \Q$reads\E: \Q$dir\E/.*; nothing was changed$}m, "$dir: says why";
	is snapshot($root), $before, "$dir: and changes nothing";
	unlink $there;
	symlink '/dev/null', $there or die;
	is says(verify($program), $reads), 'not ok', "so does a mask in $dir";
}
reset_node();
put("$root/run/systemd/system/cloud-audit-setup.service", "[Service]\nExecStart=/bin/true\n");
is says(verify($program), $reads), 'ok', 'one in /run/systemd/system does not';
reset_node();
unlink "$root$files[0]";
symlink '/dev/null', "$root$files[0]" or die;
$out = verify($program);
is says($out, $reads), 'not ok', 'a mask in its own place is a difference, not the end of verify';
is found($out, $reads), 'it is masked, so that no boot starts it: systemctl unmask cloud-audit-setup.service', 'with what to do';
($code, $shown, $err) = run($program, '-R', $root, @options, 'apply');
is $code, 1, 'apply leaves the mask alone';
like $err, qr/: error: .*systemctl unmask cloud-audit-setup\.service; nothing was changed$/m, 'and says what to do';
is readlink("$root$files[0]"), '/dev/null', 'it is still there';
reset_node();
put("$root$files[0]", '');
is says(verify($program), $reads), 'ok', 'an empty file in its own place, which masks, too, is ours to write';
reset_node();
put($answers, "cloud-audit-lock.service LoadState masked\n");
$out = verify($program);
is says($out, "a boot reads $files[1]"), 'ok', 'a mask that our file wins over takes no place';
is says($out, "cloud-audit-lock.service is loaded from $files[1]"), 'not ok', 'but systemd is to read its units again';
unlink "$root$files[1]";
put("$root/run/systemd/system/cloud-audit-lock.service", '');
is says(verify($program), "a boot reads $files[1]"), 'ok', 'nor does one keep our file from being written';
unlike +(run($program, '-R', $root, @options, 'apply'))[2], qr/this does not hold/, 'which apply does';
reset_node();
put($answers, "cloud-audit-lock.service FragmentPath /run/systemd/generator.early/cloud-audit-lock.service\n");
$out = verify($program);
like found($out, "a boot reads $files[1]"), qr{^/run/systemd/generator\.early/}, 'so is a file that it has loaded from there';

# --- drop-ins ---
my $none = 'no drop-in of others changes cloud-audit-setup.service';
put($answers, '');
is says(verify($program), $none), 'ok', 'no drop-in';
my @drop_ins = map { "$_/x.conf" } qw(/etc/systemd/system/cloud-audit-setup.service.d /run/systemd/system/cloud-.service.d /etc/systemd/system/service.d);
put($answers, "cloud-audit-setup.service DropInPaths @drop_ins\n");
$out = verify($program);
is scalar(() = $out =~ /^not ok \d+ - \Q$none\E$/mg), 3, 'each drop-in of others on our unit is a difference';
like $out, qr{"\Q$_\E: systemctl cat cloud-audit-setup\.service shows what it does; delete it, then systemctl daemon-reload"}, "$_ is named, with what to do" for @drop_ins;
like $out, qr/^  kind: drop-in$/m, 'of a kind of its own';
($code, $shown, $err) = run($program, '-R', $root, @options, 'apply');
like $err, qr{: warning: this does not hold: \Q$none\E: \Q$drop_ins[0]\E: }, 'apply warns';
make_path("$root/etc/systemd/system/cloud-audit-setup.service.d");
symlink '/dev/null', "$root$drop_ins[0]" or die;
put($answers, "cloud-audit-setup.service DropInPaths $drop_ins[0]\n");
is says(verify($program), $none), 'ok', 'one that is masked, which systemd lists, is none';
reset_node();
put($answers, "cloud-audit-setup.service DropInPaths /usr/lib/systemd/system/service.d/10-timeout-abort.conf\n");
$out = verify($program);
is says($out, $none), 'ok', 'one that came with the host for all services is none';
like $out, qr/^not ok \d+ - no drop-in for all services changes cloud-audit-setup\.service # TODO/m, 'but a notice';

# --- drop-ins of ours ---
my $own = '/etc/systemd/system/systemd-journald.service.d/cloud-audit-setup.conf';
reset_node();
put("$root$own", "[Unit]\nWants=systemd-journald-audit.socket\nAfter=systemd-journald-audit.socket\n\n[Service]\nSockets=systemd-journald-audit.socket\n");
my @enable = ('-s', 'journal.reader=enable');
$out = verify($program, @enable);
is says($out, "$own is as configured"), 'ok', 'our drop-in for journald is there';
is says($out, "a start of its unit reads $own"), 'not ok', 'systemd does not know of it: a difference';
put($answers, "systemd-journald.service DropInPaths /usr/lib/x.conf $own\n");
is says(verify($program, @enable), "a start of its unit reads $own"), 'ok', 'it does';
put($answers, "systemd-journald.service DropInPaths /run/systemd/system.control/systemd-journald.service.d/cloud-audit-setup.conf\n");
$out = verify($program, @enable);
like found($out, "a start of its unit reads $own"), qr{^/run/systemd/system\.control/\S+ has the same name and comes first: delete it}, 'one of the same name comes first';
make_path("$root/run/systemd/system.control/systemd-journald.service.d");
symlink '/dev/null', "$root/run/systemd/system.control/systemd-journald.service.d/cloud-audit-setup.conf" or die;
$out = verify($program, @enable);
like found($out, "a start of its unit reads $own"), qr{^/run/systemd/system\.control/\S+ has the same name and comes first: delete it}, 'also as a mask';

# --- the lock unit ---
reset_node();
my $failed = 'cloud-audit-lock.service has not failed';
is says(verify($program), $failed), 'ok', 'the lock unit has not failed';
put($answers, "cloud-audit-lock.service ActiveState failed\n");
$out = verify($program);
is says($out, $failed), 'not ok', 'the lock unit has failed: a difference';
like found($out, $failed), qr/^it has: systemctl status cloud-audit-lock\.service says why/, 'with what to do';


# --- the runtime's own command ---
my @runtime = ('-s', 'events.tty=yes', '-s', 'tty.runtime_unit=rt.service');
my $vendor = '/usr/lib/systemd/system/rt.service';
my $ours = '/etc/systemd/system/rt.service.d/cloud-audit-setup.conf';
# What the drop-in would be, and what is said.
sub planned { my ($code, $out, $err) = run($program, '-R', $root, @options, @runtime, 'plan', '--diff'); return ($code, $out =~ /^\+(ExecStart=.+)$/m ? $1 =~ s/.*cloud-audit-runtime //r : '', $err) }
sub drop_ins { put($answers, "rt.service FragmentPath $vendor\nrt.service DropInPaths @_\n") }
reset_node();
system('cp', ($ENV{BUILD} || 'build') . '/cloud-audit-runtime', $program =~ s{[^/]*$}{}r) == 0 or die;
make_path("$root/opt");
put("$root/usr/bin/runc", '');
put("$root$vendor", "[Unit]\nDescription=x\n[Service]\nType=notify\nExecStart=-/usr/bin/rt --a \$OPTIONS \\\n  \"x y\" %n\n");
drop_ins();
my ($status, $command, $said) = planned();
is $command, '/usr/bin/rt --a $OPTIONS  "x y" %n', 'the command of the unit file is taken as it stands there';
put("$root$ours", "[Service]\nExecStart=\nExecStart=/bin/sh -c x /opt/cloud-audit-tty /usr/bin/rt --old\n");
drop_ins($ours);
is +(planned())[1], '/usr/bin/rt --a $OPTIONS  "x y" %n', 'our own drop-in is not asked: a new command of the vendor is a difference';
my $early = '/etc/systemd/system/rt.service.d/10-early.conf';
put("$root$early", "[Service]\nExecStart=\nExecStart=/opt/rt --early\n");
drop_ins($early, $ours);
is +(planned())[1], '/opt/rt --early', "that of somebody's drop-in before ours is taken";
my $late = '/run/systemd/system/rt.service.d/override.conf';
put("$root$late", "[Service]\nEnvironment=X=1\n");
drop_ins($early, $ours, $late);
my $after = "nothing sets ExecStart= of rt.service after $ours";
is says(verify($program, @runtime), $after), 'ok', 'one after ours that sets something else is in nobody\'s way';
put("$root$late", "[Service]\nExecStart=\nExecStart=/opt/rt --late\n");
$out = verify($program, @runtime);
is says($out, $after), 'not ok', 'one that sets the command is: a difference';
like found($out, $after), qr{^\Q$late\E does, and its name comes after cloud-audit-setup\.conf: give it one that comes before}, 'named, and what to do';
my $was = snapshot($root);
($code, $shown, $err) = run($program, '-R', $root, @options, @runtime, 'apply');
is $code, 1, 'apply fails';
like $err, qr{: error: this does not hold: \Q$after\E: \Q$late\E does, .*; nothing was changed$}m, 'says so';
is snapshot($root), $was, 'and changes nothing';
unlink "$root$late";
($status, $command, $said) = planned();
is $status, 1, 'a drop-in that systemd has and the host has not is an error';
like $said, qr{error: \Q$late\E, .*cannot be read .*daemon-reload}, 'that says what to do';
drop_ins();
put("$root$vendor", "[Service]\nExecStart=/usr/bin/rt\nExecStart=/usr/bin/rt2\n");
like +(planned())[2], qr/rt\.service: only a unit with a single, plain ExecStart=/, 'two commands are refused';

# --- the runtime's own PATH ---
my @identity = map { ('-s', "container.$_") } 'runtime_unit=rt.service', 'identity=yes', 'identity_except=a,b/c';
my $wrappers = '/opt/cloud-audit-runtime.d';
# The PATH of the drop-in that apply would write, and whatever else it would set.
sub path_planned {
	my ($code, $out, $err) = run($program, '-R', $root, @options, @identity, 'plan', '--diff');
	my ($file) = $out =~ m{^\+\+\+ \Q$ours\E\n(.*?)(?=^--- |\z)}ms;
	my @lines = ($file // '') =~ /^\+((?!#)\S+=.*)$/mg;
	return join '|', @lines;
}
unlink "$root$ours";
put("$root$vendor", "[Service]\nExecStart=/usr/bin/rt\nExecStart=/usr/bin/rt2\n");
drop_ins();
is path_planned(), "Environment=\"PATH=$wrappers:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"",
	"identity sets PATH alone, in front of systemd's own where the unit has none, whatever its commands are";
put("$root$vendor", "[Service]\nExecStart=/usr/bin/rt\nEnvironment=\"A=b c\" PATH=/v/bin:/bin\n");
is path_planned(), "Environment=\"PATH=$wrappers:/v/bin:/bin\"", "of the unit's own where it has one";
put("$root$early", "[Service]\nEnvironment=PATH=/early\n");
drop_ins($early);
is path_planned(), "Environment=\"PATH=$wrappers:/early\"", "and of a drop-in's before ours";
unlink "$root$early";
symlink '/dev/null', "$root$early" or die;
is path_planned(), "Environment=\"PATH=$wrappers:/v/bin:/bin\"", 'a drop-in that is masked, which systemd lists, says nothing';
unlink "$root$early";
put("$root$early", "[Service]\nEnvironment=\n");
is path_planned(), "Environment=\"PATH=$wrappers:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"",
	'which may take it away';
put("$root$early", "[Service]\nEnvironment=PATH=/%n\n");
sub refused { my ($code, undef, $err) = run($program, '-R', $root, @options, @identity, @_, 'plan'); return "$code $err" }
like refused(), qr/^3 .*rt\.service: its PATH has quotes, backslashes or % in it/s,
	'one that systemd makes something else of is a mistake of the configuration';
put("$root$early", "[Service]\nEnvironment=PATH=/a\\x20b:/bin\n");
like refused(), qr/^3 .*rt\.service: its PATH has quotes, backslashes or % in it/s, 'so is one with an escape';

for my $setting ('ExecSearchPath=/x/bin', 'PassEnvironment=HOME PATH', 'PassEnvironment=XPATH PATHS') {
	my $seen = $setting =~ /XPATH/;
	put("$root$early", "[Service]\nEnvironment=\n$setting\n");
	my ($code, undef, $err) = run($program, '-R', $root, @options, @identity, 'plan');
	is $code, $seen ? 4 : 3, "$setting: " . ($seen ? 'is none of PATH' : 'makes a PATH that is not known');
	$seen ? unlike $err, qr/ExecSearchPath/, 'and nothing is said' : like $err, qr/rt\.service: ExecSearchPath= or PassEnvironment=PATH makes its PATH/, 'and is refused';
	put("$root$early", "[Service]\nEnvironment=PATH=/early\n$setting\n");
	is path_planned(), "Environment=\"PATH=$wrappers:/early\"", 'an own PATH wins over it';
}
for my $unit (qw(crio k3s rke2-agent)) {
	put($answers, "$unit.service FragmentPath $vendor\n");
	my $before = snapshot($root);
	for my $command (qw(apply plan verify)) {
		my ($code, undef, $err) = run($program, '-R', $root, @options, @identity, '-s', "container.runtime_unit=$unit.service", $command);
		like "$code $err", qr/^3 .*container\.runtime_unit=$unit\.service: \[container\] runtime_unit = $unit\.service: .*: no identity with it; set identity = no; nothing was changed/s,
			"$unit: $command is exit status 3, and says what to do";
	}
	is snapshot($root), $before, 'and the node as it was';
}
# By another name, and a client of another unit's.
my $crio = '/usr/lib/systemd/system/crio.service';
put("$root$crio", "[Service]\nExecStart=/usr/bin/crio\n");
put($answers, "cri-o.service FragmentPath $crio\n");
like refused('-s', 'container.runtime_unit=cri-o.service'), qr/^3 .*runtime_unit = cri-o\.service: CRI-O finds/s, 'an alias of CRI-O\'s is CRI-O';
put("$root$vendor", "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\n");
put("$root$early", "[Service]\n");
drop_ins($early);
like refused(), qr/^3 .*runtime_unit = rt\.service: its command has --containerd/s, 'a unit that has containers started by another is none that they get an identity from';
put("$root$vendor", "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd-namespace moby\nEnvironment=PATH=/v/bin:/bin\n");
is path_planned(), "Environment=\"PATH=$wrappers:/v/bin:/bin\"", 'another option that begins so is none of that';
put("$root$vendor", "[Service]\nExecStart=/usr/bin/rt\nEnvironment=\"A=b c\" PATH=/v/bin:/bin\n");
# What a file of containerd's says, by another name of its unit.
my $containerd = '/usr/lib/systemd/system/containerd.service';
put("$root$containerd", "[Service]\nExecStart=/usr/bin/containerd\n");
put("$root/etc/containerd/config.toml", "BinaryName = \"/usr/bin/runc\"\n");
put($answers, "$_ FragmentPath $containerd\n"), like verify($program, @identity, '-s', "container.runtime_unit=$_"), qr{/etc/containerd/config\.toml:1: },
	"$_: what containerd's configuration passes identity by with is told" for qw(containerd.service box.service);
unlink "$root/etc/containerd/config.toml";

drop_ins($early);
put("$root$early", "[Service]\nEnvironment=PATH=/%n\n");
# What sets it after ours: FILE:LINE, and what it says.
put("$root/etc/default/rt", "# the runtime's\nX=1\n PATH=/from/file\n");
for my $later ([ "$late:3", "[Service]\n# x\nEnvironment=A=b PATH=/late\n" ], [ "$late:2", "[Service]\nEnvironment=\n" ],
	[ '/etc/default/rt:3', "[Service]\nEnvironmentFile=-/etc/default/rt\n" ]) {
	my ($place, $content) = @$later;
	put("$root$late", $content);
	drop_ins($late);
	my $before = snapshot($root);
	my ($code, undef, $err) = run($program, '-R', $root, @options, @identity, 'apply');
	is $code, 3, "$place: apply is exit status 3";
	like $err, qr{: error: --set container\.identity=yes: \[container\] identity = yes: \Q$place\E sets PATH of rt\.service after our drop-in, or takes it away; .*; nothing was changed$}m,
		'with its line';
	is snapshot($root), $before, 'and the node as it was';
	like found(verify($program, @identity), "nothing sets PATH of rt.service after $ours"), qr/^\Q$place\E does: /, 'verify names it, too';
}
put("$root$late", "[Service]\nEnvironment=A=b\nEnvironmentFile=-/nowhere\n");
is says(verify($program, @identity), "nothing sets PATH of rt.service after $ours"), 'ok', 'what sets something else is in nobody\'s way';
unlink "$root$late", "$root$early";
drop_ins();

# --- a program that no runtime should have in front of it ---
my $shipped = $program =~ s{[^/]*$}{cloud-audit-runtime}r;
my $good = slurp($shipped);
for my $bad ([ '', 'is cut off' ], [ substr($good, 0, length($good) / 2), 'is cut off' ], [ "#!/bin/sh\n" . ' ' x 100, 'is no program' ],
	[ do { (my $other = $good) =~ s/\A(.{18})../$1\xf3\x00/s; $other }, 'is for another machine' ],
	[ slurp('/bin/true'), q(needs a library of the host's) ]) {
	put($shipped, $bad->[0]);
	my ($code, undef, $err) = run($program, '-R', $root, @options, @identity, 'plan');
	like "$code $err", qr{^1 .*\Q$shipped $bad->[1]\E: a runtime that it stood in front of would start no container; .*nothing was changed$}ms,
		"a program that $bad->[1] is not installed";
}
put($shipped, $good);

done_testing;
