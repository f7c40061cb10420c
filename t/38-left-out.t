#!/usr/bin/perl
# [rules] absent: what the kernel would refuse for want of a directory, on a made-up root with a systemd that does nothing.
# What is loaded is tried in t/40-vm-apply.t.
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli;
use FakeNode;

my $why = usable();
plan skip_all => $why if $why;

my $program = program();
my $root = fake_node("$tmp/node");
my $systemd = fake_systemd("$root/run/systemd/private");
my $file = "$root/etc/audit/cloud-audit-setup.rules";
my @args = ('-R', $root, plain_rules());
my $mine = put("$tmp/rules.d/b.rules", "-w /run/containerd/runtime -p wa -k runtime\n-w /var/lib/kubelet/ -p wa -k kubelet\n" .
	"-w /etc/mine -p wa -k mine\n-a never,exclude -F exe=/opt/agent/bin\n");
my $restore = slurp($mine);
unlink $file;
my $text = (run($program, @args, '-s', 'rules.optimise=no', 'render', 'rules'))[1];
like $text, qr{^-a always,exit -F path=/run/containerd/runtime -F perm=wa -F key=runtime$}m, 'render leaves nothing out: it loads nothing';

sub node { return run($program, @args, '-s', 'rules.optimise=no', @_) }
my %lacks = (1 => '/run/containerd', 2 => '/var/lib/kubelet', 4 => '/opt/agent');

# --- a first look ---
my ($code, $out, $err) = node('-o', 'json', 'plan');
my $plan = decode_json($out);
is join(' ', map { "$_->{source} $_->{absent}" } @{$plan->{rules_left_out}}),
	join(' ', map { "b.rules:$_ $lacks{$_}" } 1, 2, 4), 'plan has what is left out, with what is not there';
my $rules = () = $text =~ /^-[aA]/mg;
is $plan->{rule_set}{wanted}{rules}, $rules - 3, 'and does not count it';
for my $line (1, 2, 4) {
	like $plan->{diff}, qr{^\+# b\.rules:$line: left out, since \Q$lacks{$line}\E was not there when rules were loaded\n\+#-}m,
		"line $line stands in the rules file as a comment";
}
unlike $plan->{diff}, qr{^\+-\S.*(?:containerd|kubelet|agent)}m, 'and not as a rule';
($code, $out, $err) = node('plan');
is scalar(() = $err =~ /left out/g), 1, 'it is told once';
is +(grep { /left-out/ } split /\n/, messages($err))[0], "warning: $mine:1: left out: /run/containerd is not on the host, and " .
	'the kernel would refuse the rule; the rest is loaded [lint: left-out] (the first of 3; --verbose shows all)', 'with the count';
($code, $out, $err) = node('-v', 'plan');
is scalar(() = $err =~ /\[lint: left-out\]/g), 3, '--verbose tells each';
($code, $out, $err) = node('-s', 'rules.absent=fail', 'plan');
is $code, 3, 'absent = fail: exit 3';
is errors($err), join('', map { "$mine:$_: the kernel would refuse this rule: $lacks{$_} is not on the host, and [rules] " .
	"absent = fail; make it, or leave the rule out with absent = warn\n" } 1, 2, 4), 'with each of them';
put("$tmp/rules.d/c.rules", "-w /ect/passwd -p wa -k slip\n");
($code, $out, $err) = node('plan');
is "$code " . errors($err), "3 $tmp/rules.d/c.rules:1: /ect/passwd: there is no /ect on the host; did you mean /etc? (make " .
	"/ect before, if it is meant)\n", 'a misspelt first part is exit 3 in any case';
put("$tmp/rules.d/d.rules", "-a always,exit -S nosuchcall -k x\n");
($code, $out, $err) = node('plan');
is scalar(grep { m{^\Q$tmp\E/rules\.d/(?:c\.rules:1: /ect/passwd: |d\.rules:1: .*nosuchcall)} } split /\n/, errors($err)), 2,
	'with another mistake, both are told';
unlink "$tmp/rules.d/d.rules";
unlink "$tmp/rules.d/c.rules";

# --- what was decided when rules were loaded ---
sub verify {
	my ($code, $out, $err) = node('-o', 'json', @_, 'verify');
	my $v = decode_json($out);
	my $lines = sub { join ' ', map { $_->{source} =~ /^b\.rules:(\d+)$/ ? $1 : () } @_ };
	return ($lines->(@{$v->{rules_left_out}}), $lines->(@{$v->{rules_missing}}),
		join(' ', map { $_->{name} =~ /^rule not left out: b\.rules:(\d+): -/ ? "$1 $_->{found}" : () } @{$v->{notices}}), $v, $out);
}
# As apply writes it: the diff is that of a file that is not there.
my ($added) = $plan->{diff} =~ m{^\+\+\+ /etc/audit/cloud-audit-setup\.rules\n@@[^\n]*\n((?:\+[^\n]*\n)+)}m;
(my $written = $added) =~ s/^\+//mg;
put($file, $written);
my ($left, $missing, $notices, $v, $json) = verify();
is $left, '1 2 4', 'verify takes it from the file';
is $missing, '3', 'what is left out is not missing';
is $notices, "1 left out: /run/containerd is not there 2 left out: /var/lib/kubelet is not there 4 left out: /opt/agent is not there",
	'each is a notice';
put("$tmp/json", $json);
is +(run('t/unit/validate', 'verify', "$tmp/json"))[0], 0, 'which keeps to the schema' unless
	system('t/unit/validate line /dev/null >/dev/null') >> 8 == 77;
is join(',', map { $_->{path} } grep { !$_->{ok} && $_->{path} eq '/etc/audit/cloud-audit-setup.rules' } @{$v->{files}}), '',
	'and the file is as configured';
($code, $out) = node('-o', 'tap', 'verify');
is scalar(() = $out =~ /^not ok \d+ - rule not left out: .* # TODO /mg), 3, 'in TAP each is "not ok # TODO"';

make_path("$root/run/containerd");
($left, $missing, $notices) = verify();
is "$left|$missing", '1 2 4|3', 'a path that has come changes nothing before the next load';
like $notices, qr/^1 left out when rules were loaded; the directory of its path has come, and the next load takes it 2 /,
	'but is told';
($code, $out) = node('plan', '--diff', '-v');
like $out, qr{^\+-a always,exit -F path=/run/containerd/runtime -F perm=wa -F key=runtime$}m, 'which a run of apply is';

# --- a rule that was loaded ---
(my $loaded = $written) =~ s{^#(-a always,exit -F dir=/var/lib/kubelet )}{$1}m or die;
put($file, $loaded);
remove_tree("$root/run/containerd");
($left, $missing) = verify();
is "$left|$missing", '1 4|2 3', 'a rule that was loaded and whose path has gone is missing, not left out';

# Also one that was a directory then, and is nothing now.
put("$tmp/rules.d/b.rules", "-w /run/containerd/runtime -p wa -k runtime\n-w /var/lib/kubelet -p wa -k kubelet\n");
(my $was = $loaded) =~ s{^# b\.rules:4: .*\n#.*\n}{}m or die;
put($file, $was =~ s{^# b\.rules:3\n-.*\n}{}mr);
($left, $missing) = verify();
is "$left|$missing", '1|2', 'also one that was a directory, for which the path is read otherwise now';
# And the other way round: left out as what a path is taken for, whatever comes.
put($file, slurp($file) =~ s{^-(a always,exit -F )dir(=/var/lib/kubelet )}{#-$1path$2}mr);
make_path("$root/var/lib/kubelet");
($left, $missing, $notices, $v) = verify();
is "$left|$missing", '1 2|', 'one that was left out stays so where a directory comes to its path';
is join(',', map { $_->{path} } grep { !$_->{ok} && $_->{path} eq '/etc/audit/cloud-audit-setup.rules' } @{$v->{files}}), '',
	'and the file is as configured';
remove_tree("$root/var/lib/kubelet");
put($mine, $restore);

# --- one whose path has come while the kernel was locked: apply wrote it for the next boot ---
chomp(my $boot = slurp('/proc/sys/kernel/random/boot_id'));
make_path("$root/run/containerd");
(my $staged = $written) =~ s{^# b\.rules:1: left out.*\n#(?=-a)}{# b.rules:1: left out until the boot after $boot\n}m or die;
put($file, $staged);
($left, $missing, $notices, $v) = verify();
is "$left|$missing", '1 2 4|3', 'a rule for the next boot is left out until then';
is join(',', map { $_->{path} } grep { !$_->{ok} && $_->{path} eq '/etc/audit/cloud-audit-setup.rules' } @{$v->{files}}), '',
	'and the file that has it is as configured';
put($file, $staged =~ s/after \K\Q$boot\E/01234567-89ab-cdef-0123-456789abcdef/r);
($left, $missing) = verify();
is "$left|$missing", '2 4|1 3', 'after that boot it was loaded, or is missing';

# --- hosts that cannot be seen, and directories that apply makes ---
my $blind = "$tmp/blind";
make_path("$blind/run/systemd");
my $other = fake_systemd("$blind/run/systemd/private");
($code, $out, $err) = run($program, '-R', $blind, plain_rules(), '-s', 'unit.mode=transient', '-o', 'json', 'plan');
is scalar @{decode_json($out)->{rules_left_out}}, 0, 'of a host whose files cannot be seen nothing is left out';
put("$tmp/rules.d/b.rules", "-w /etc/audit/ -p wa -k a\n-w /etc/systemd/system/x -p wa -k b\n");
remove_tree("$root/etc/audit", "$root/etc/systemd");
($code, $out) = node('-o', 'json', 'plan');
is scalar @{decode_json($out)->{rules_left_out}}, 0, 'nor a rule on what apply makes itself';
($code, $out) = node('-s', 'unit.mode=transient', '-o', 'json', 'plan');
is scalar @{decode_json($out)->{rules_left_out}}, 2, 'which transient mode does not';

# --- what a host keeps its logins in: files, or databases in directories that it may lack ---
my $shipped = "$tmp/shipped";
make_path("$tmp/none", map { "$shipped/$_" } qw(etc/pam.d etc/security etc/ssh etc/sudoers.d run/systemd var/log var/lib));
my @logins = ('-R', $shipped, map({ ('-s', "events.$_=no") } qw(audit-config apparmor exec socket mmap network tty)),
	'-s', "rules.directory=$tmp/none");
for my $database (qw(/var/lib/wtmpdb /var/lib/lastlog)) {
	($code, $out, $err) = run($program, @logins, 'render', 'rules');
	like $out, qr{^-a always,exit -F path=$database -F perm=wa .*-F key=logins$}m, "$database: watched for, where it is not there";
	unlike $err, qr{$database}, 'which is nothing to tell of';
	make_path("$shipped$database");
	($code, $out, $err) = run($program, @logins, 'render', 'rules');
	like $out, qr{^-a always,exit -F dir=$database -F perm=wa .*-F key=logins$}m, 'as the directory that it is, where it is there';
}

done_testing;
