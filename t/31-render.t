#!/usr/bin/perl
# render: what would be written, from any machine, as anybody.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use Test::More;
use lib 't/unit';
use Cli;

my $program = program();
my $root = make_root();
my $rules = "$tmp/rules.d";
put("$rules/10-mine.rules", "# mine\n-w /etc/mine -p wa -k mine\n-a always,exit -F arch=b64 -S " .
	"getpid -F uid=node -k who\n");
my @common = ('-R', $root, '-s', "rules.directory=$rules");
my $before = snapshot($root);

# --- a set that records nothing ---
{
	my @off = map { ('-s', "events.$_=no") } qw(audit-config apparmor exec socket mmap network logins tty);
	my $nothing = qr/^cloud-audit-setup: warning: no rule records anything: every group of \[events\] is off, and \[rules\] directory/m;
	mkdir "$tmp/empty";
	like +(run($program, '-R', $root, @off, '-s', "rules.directory=$tmp/empty", 'render', 'rules'))[2], $nothing, 'every group off is warned of';
	unlike +(run($program, @common, @off, 'render', 'rules'))[2], $nothing, '... but where the user has a rule';
	unlike +(run($program, '-R', $root, @off[2 .. $#off], 'render', 'rules'))[2], $nothing, '... or one is on';
}

# --- rules ---
my ($code, $text, $err) = run($program, @common, 'render', 'rules');
is $code, 0, 'render rules: exit 0' or diag $err;
is errors($err), '', 'render rules: no error';
like $text, qr/\A# Written by cloud-audit-setup/, 'render rules: says who wrote it';
my @lines = split /\n/, $text;
is_deeply [grep { $lines[$_] !~ /^#/ && $lines[$_ - 1] !~ /^# .+/ } 1 .. $#lines], [],
	'every line follows a comment that names its source';
like $text, qr/^# built-in default\n-D\n# built-in default\n-b 8192\n# built-in default\n-f 1\n/m,
	'the defaults come first';
is +(grep { !/^#/ } @lines)[0], '-c', 'a rule that the kernel refuses does not keep the others out';
is +(grep { /^-[aAwS] / } @lines)[-1], '-a always,user -F pid=0', 'the last rule tells that the file was read to its end';
like $text, qr/\n# built-in default\n-e 1\n\z/, 'the last line switches auditing on, it does not lock';
unlike $text, qr/^-e 2/m, 'nothing locks';
like $text, qr{^# 10-mine\.rules:2\n-\S+ .*/etc/mine .*mine$}m, 'a rule names its file and line, not where the file lies';
like $text, qr/^# 10-mine\.rules:3\n.* -F uid=1234 .*$/m,
	"a user's number is that of the root's passwd file";
like $text, qr/^# shipped 30-exec\.rules:4\n-a always,exit .*-S execve,execveat /m, 'a shipped rule says so';
is +(run($program, @common, 'render', 'rules'))[1], $text, 'rendered twice it is the same';

# --- unit ---
($code, my $units, $err) = run($program, @common, 'render', 'unit');
is "$code|" . errors($err), '0|', 'render unit: exit 0' or diag $err;
is_deeply [$units =~ m{^# (/\S+)$}mg],
	[map { "/etc/systemd/system/cloud-audit-$_.service" } qw(setup lock)], 'both units, by name';
like $units, qr{^ExecStart=/usr/sbin/auditctl -R /etc/audit/cloud-audit-setup\.rules$}m,
	'auditctl is where the root has it';
(undef, my $unlocked) = run($program, @common, '-s', 'audit.lock=no', 'render', 'unit');
unlike $unlocked, qr/cloud-audit-lock/, 'without the lock there is no unit for it';
(undef, my $timed) = run($program, @common, '-s', 'unit.start_timeout=2min', 'render', 'unit');
is +(() = $timed =~ /^TimeoutStartSec=120000ms$/mg), 2, 'both units have the configured time';

# --- the unit of transient mode ---
my @transient = (@common, '-s', 'unit.mode=transient', 'render');
($code, $units, $err) = run($program, @transient, 'unit');
is "$code|" . errors($err), '0|', 'render unit in transient mode: exit 0' or diag $err;
is_deeply [$units =~ m{^# (\S+\.service)$}mg], ['cloud-audit-rules.service'], 'it is one unit, and not a file';
my ($data) = $units =~ /^StandardInputData=(\S+)$/m;
is decode_base64($data), (run($program, @transient, 'rules'))[1], 'with the rules in it';
is +(run($program, @transient, 'rules'))[1], $text, 'which are those of the other mode';

# --- kernel ---
($code, my $last) = run($program, @common, '-s', 'audit.loginuid_immutable=yes', 'render', 'kernel');
is_deeply [map { $_->{control} // 'a rule' } (map { decode_json($_) } split /\n/, $last)[-3 .. -1]],
	['a rule', '--loginuid-immutable', '-e 1'], 'what cannot be taken back comes after the rules';
for my $machine (undef, 'x86_64', 'aarch64') {
	my $name = $machine || 'this machine';
	my @args = (@common, $machine ? ('--machine', $machine) : (), 'render', 'kernel');
	($code, my $out, $err) = run($program, @args);
	is $code, 0, "render kernel, $name: exit 0" or diag $err;
	my @objects = map { eval { decode_json($_) } || $_ } split /\n/, $out;
	is_deeply [grep { !ref } @objects], [], "$name: one JSON object a line";
	is_deeply [grep { join(',', sort keys %$_) !~ /^(data,rule,source|control,source)$/ } @objects], [],
		"$name: rules have source, rule, data; controls source, control";
	is_deeply [map { $_->{control} // () } @objects], ['-D', '-b 8192', '-f 1', '-r 0', '-e 1'],
		"$name: the controls in order";
	ok exists $objects[-1]{control} && !grep({ $_->{rule} } @objects[0 .. 3]), "$name: the rules stand between them";
	my @of = grep { $_->{rule} } @objects;
	my @wrong = grep {
		my $data = decode_base64($_->{data});
		encode_base64($data, '') ne $_->{data} || length $data < 1040 ||
			length $data != 1040 + unpack 'V', substr $data, 1036, 4;
	} @of;
	is_deeply \@wrong, [], "$name: data is 1040 bytes and what its buflen says";
	cmp_ok scalar @of, '>', 10, "$name: there are rules";
	is_deeply [map { $_->{source} =~ m{^(?:shipped )?[^/]+\.rules:\d+$} ? () : "$_->{source}: $_->{rule}" } @of],
		['built-in: -a always,user -F pid=0'], "$name: each names its FILE:LINE, but the one that ends the file";
	is !!grep({ $_->{rule} =~ /arch=arm .*-S \S*\baccept\b/ } @of), ($machine // '') eq 'aarch64',
		"$name: accept() of 32-bit programs, where they have a call of that name";
	if (!$machine) {
		my @printed = map { /^-[aAw]/ ? $_ : () } @lines;
		is_deeply [map { $_->{rule} } @of], \@printed, 'the rules are those of render rules, in its order';
	}
	is +(run($program, @args))[1], $out, "$name: rendered twice it is the same";
}

# --- what the configuration changes ---
my $ini = put("$tmp/c.ini", "[audit]\nlock = no\nbacklog_limit = 1\nbacklog_wait_time = 7\nrate_limit = 2\n" .
	"failure = panic\nloginuid_immutable = yes\n[rules]\nexisting = keep\n[filter]\n" .
	"exclude_types = CWD,\n  PROCTITLE\nexclude_exe = /opt/my app/x\nexclude_uid = node\nmin_auid = 1000\n");
($code, $text, $err) = run($program, @common, '-c', $ini, 'render', 'rules');
is $code, 0, 'a configuration file: exit 0' or diag $err;
unlike $text, qr/^-D$/m, 'existing = keep deletes nothing';
like $text, qr{^# \Q$ini\E:3\n-b 1$}m, 'backlog_limit, with its line';
like $text, qr{^# \Q$ini\E:4\n--backlog_wait_time 7$}m, 'backlog_wait_time';
like $text, qr{^# \Q$ini\E:5\n-r 2$}m, 'rate_limit';
like $text, qr{^# \Q$ini\E:6\n-f 2$}m, 'failure';
like $text, qr{^# \Q$ini\E:7\n--loginuid-immutable$}m, 'loginuid_immutable';
like $text, qr{^# c\.ini:11\n-a never,exclude -F msgtype=CWD$}m, 'exclude_types';
like $text, qr{^# c\.ini:12\n-a never,exclude -F msgtype=PROCTITLE$}m, 'exclude_types, continued, with its own line';
like $text, qr{^# c\.ini:13\n-a never,exclude -F exe=/opt/my\\ app/x$}m, 'exclude_exe, a space escaped';
like $text, qr{^# c\.ini:14\n-a never,exclude -F uid=1234$}m, 'exclude_uid, a name looked up below the root';
like $text, qr{^# c\.ini:15\n-a never,exit (?:-S all )?-F auid<1000$}m, 'min_auid';
my @identity = map { ('-s', $_) } 'container.runtime_unit=containerd.service', 'container.identity=yes';
for my $case ([1000, 1000], [3221225472, 3221225472], [3758096384, 3758096384], [4000000000, 3758096384]) {
	my ($bound, $want) = @$case;
	($code, $text) = run($program, @common, @identity, '-s', "filter.min_auid=$bound", 'render', 'rules');
	like $text, qr{^-a never,exit (?:-S all )?-F auid<$want\n}m, "min_auid = $bound with identity keeps what has a terminal in a container";
}
($code, $text) = run($program, @common, '-c', $ini, '-s', 'audit.backlog_limit=5', '-s', 'filter.exclude_uid=',
	'render', 'rules');
like $text, qr{^# --set audit\.backlog_limit=5\n-b 5$}m, '--set overrides the file and is named as the source';
unlike $text, qr/exclude -F uid=/, '--set empties a list';
($code, $text, $err) = run($program, @common, '-s', 'filter.exclude_types=CWD,PROCTITLE', 'render', 'rules');
like $text, qr{^# --set filter\.exclude_types=CWD,PROCTITLE\n-a never,exclude -F msgtype=CWD$}m,
	'a rule of --set names it, without a line';
(undef, $text) = run($program, @common, '-s', 'filter.exclude_exe=/opt/x', 'render', 'rules');
like $text, qr{^# --set filter\.exclude_exe=/opt/x\n-a never,exclude -F exe=/opt/x$}m, 'whole, also with a path in it';
unlike $err, qr/unreachable/, 'a type that a group and the filter drop is no warning';

# --- a rules file of ours as the user's ---
my $copy = put("$tmp/copy.d/10-copy.rules", join '', map { "$_\n" } grep { /^-[aAwS] / } @lines[-20 .. -1]);
($code, $text, $err) = run($program, @common[0, 1], '-s', "rules.directory=$tmp/copy.d", 'render', 'rules');
is $code, 0, 'rules copied from one: exit 0' or diag $err;
like $err, qr{warning: \Q$copy\E:\d+: this is the rule that ends every rules file of cloud-audit-setup},
	'the last of them is warned of';
is +(() = $text =~ /^-a always,user -F pid=0$/mg), 1, 'and there once';
is +(grep { /^-[aAwS] / } split /\n/, $text)[-1], '-a always,user -F pid=0', 'at the end';

# --- groups off: what the kernel and programs write by themselves goes as well ---
my @off = map { ('-s', "events.$_=no") } qw(audit-config apparmor logins tty);
($code, $text, $err) = run($program, @common, @off, '-s', 'rules.optimise=no', 'render', 'rules');
is $code, 0, 'groups that are off: exit 0' or diag $err;
like $text, qr/^-a always,exclude -F msgtype=$_$/m, "without its group $_ is dropped"
	for qw(CONFIG_CHANGE EVENT_LISTENER AVC USER_LOGIN LOGIN TTY);
unlike $text, qr/msgtype=(?:USER_AVC|USER_CMD|SERVICE_START|SYSCALL)$/m, 'what belongs to no group stays';
unlike $err, qr/\[lint: exclude\]/, 'a group that is off is no warning';

is snapshot($root), $before, 'rendering leaves the root untouched';

# --- as anybody ---
SKIP: {
	my @as = $> ? () : ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');
	skip 'no setpriv that works, and this is root', 3 if @as && (run(@as, 'true'))[0];
	for my $what (qw(rules unit kernel)) {
		my (undef, $mine) = run($program, @common, 'render', $what);
		($code, my $theirs, $err) = run(@as, $program, @common, 'render', $what);
		is $code, 0, "render $what needs no privileges" or diag $err;
		is $theirs, $mine, "render $what: it is the same for everybody";
	}
}

done_testing;
