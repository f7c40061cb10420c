#!/usr/bin/perl
# What our units mean to systemd: systemd-analyze reads them and tells.
use strict;
use warnings;
use Test::More;
use lib 't/unit';
use Cli;

plan skip_all => 'systemd-analyze is not there' if (run('systemd-analyze', '--version'))[0];
my $dir = "$tmp/units";

# (exit status, what it complains about) of a unit with this content.
sub verify {
	my ($content, %env) = @_;
	my $file = put("$dir/probe.service", $content);
	return run({ before => sub { %ENV = (%ENV, %env) } }, 'systemd-analyze', '--man=no', 'verify', $file);
}
{
	my ($code, $out, $err) = verify("[Service]\nNonsense=1\nExecStart=/bin/true\n");
	plan skip_all => 'systemd-analyze verify does not work here' if $code || $err !~ /Nonsense/;
}

# systemd-analyze prints them in C's quotes; a dollar stays doubled until the command is run.
sub words_of {
	my ($line) = @_;
	my (@words, %c);
	@c{qw(a b f n r t v)} = ("\a", "\b", "\f", "\n", "\r", "\t", "\x0b");
	while ($line =~ /\G\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))/g) {
		my $word = defined $1 ? $1 : $2;
		$word =~ s/\\([0-7]{3}|x[0-9a-f]{2}|.)/
			my $e = $1; $e =~ m{^[0-7]{3}$} ? chr oct $e : $e =~ m{^x(..)} ? chr hex $1 : $c{$e} || $e/gex;
		push @words, $word;
	}
	return @words;
}

# --- the units themselves; their program is not on this machine ---
my $program = program();
my $root = make_root();
my ($code, $units) = run($program, '-R', $root, 'render', 'unit');
is $code, 0, 'the units are rendered';
my %unit = $units =~ m{^# /etc/systemd/system/(\S+)\n(.*?)(?=\n# /etc/|\z)}msg;
is_deeply [sort keys %unit], [qw(cloud-audit-lock.service cloud-audit-setup.service)], 'two units';
put("$dir/$_", $unit{$_} =~ s{^ExecStart=\S+}{ExecStart=/bin/true}mr) for keys %unit;
for (sort keys %unit) {
	my ($verified, $out, $err) = run('systemd-analyze', '--man=no', 'verify', "$dir/$_");
	# Of other units it complains as well: of this machine's own.
	my @ours = grep { /cloud-audit/ } split /\n/, $err;
	is "$verified @ours", '0 ', "$_ passes systemd-analyze verify" or diag $err;
}

# --- they come before what starts containers, and after what loads the host's own rules ---
for my $name (sort keys %unit) {
	my @before = map { split } $unit{$name} =~ /^Before=(.*)$/mg;
	my %before = map { $_ => 1 } @before;
	is_deeply [grep { !$before{"$_.service"} } qw(containerd docker crio kubelet systemd-user-sessions)], [],
		"$name comes before container runtimes, kubelet and logins" or diag "@before";
}
my @after = map { split } $unit{'cloud-audit-setup.service'} =~ /^After=(.*)$/mg;
is_deeply [grep { /^au/ } @after], [qw(auditd.service audit-rules.service augenrules.service)], "rules are loaded after the host's own";

# The same with the units of a node beside them, as those declare their order: systemd finds no cycle. Audit's own have changed it:
# until 4.0 auditd loads the rules itself, then a unit does that before auditd, and from 4.1 on after it.
my $early = "DefaultDependencies=no\nAfter=local-fs.target systemd-tmpfiles-setup.service\n";
my %order = (
	'3.0' => { 'auditd' => "${early}Before=sysinit.target shutdown.target\nConflicts=shutdown.target\n" },
	'4.0' => { 'auditd' => "${early}Before=sysinit.target shutdown.target\nConflicts=shutdown.target\n" .
		"Requires=audit-rules.service\nAfter=audit-rules.service\n", 'audit-rules' => $early },
	'4.1' => { 'auditd' => "${early}Before=sysinit.target shutdown.target audit-rules.service\nConflicts=shutdown.target\n" .
		"Wants=audit-rules.service\n", 'audit-rules' => $early },
);
for my $audit (sort keys %order) {
	my %others = (
		'containerd' => "After=network.target local-fs.target\n",
		'docker' => "After=network-online.target containerd.service\nWants=containerd.service network-online.target\n",
		'crio' => "Wants=network-online.target\nBefore=kubelet.service\nAfter=network-online.target\n",
		'kubelet' => "Wants=network-online.target\nAfter=network-online.target\n",
		%{$order{$audit}},
	);
	my $all = "$dir/all-$audit";
	put("$all/$_.service", "[Unit]\n$others{$_}\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")
		for keys %others;
	put("$all/$_", slurp("$dir/$_")) for keys %unit;
	my @files = map { "$all/$_" } keys %unit, map { "$_.service" } keys %others;
	put("$all/node.target", "[Unit]\nWants=" . join(' ', map { s{.*/}{}r } @files) . "\n");
	my ($verified, $out, $err) = run('systemd-analyze', '--man=no', 'verify', "$all/node.target", @files);
	unlike $err, qr/ordering cycle/, "with container runtimes and the units of audit $audit there is no ordering cycle" or diag $err;
	my ($loader) = grep { $others{$_} } qw(audit-rules auditd);
	for my $after ('kubelet', $loader) {
		my ($in, $line) = $after eq 'kubelet' ? ('cloud-audit-setup', "After=$after.service\n") :
			($after, "After=cloud-audit-setup.service\n");
		my $was = slurp("$all/$in.service");
		put("$all/$in.service", $was =~ s/^\[Unit\]\n\K/$line/mr);
		(undef, undef, $err) = run('systemd-analyze', '--man=no', 'verify', "$all/node.target", @files);
		like $err, qr/ordering cycle/, "one that is there would be found, by way of $after";
		put("$all/$in.service", $was);
	}
}

# --- the lock's condition: the last rule of the file is in the kernel ---
my ($condition) = $unit{'cloud-audit-lock.service'} =~ /^ExecStartPre=(.*)$/m;
my ($sh, $c, $script, @rest) = map { s/\$\$/\$/gr } words_of($condition);
is "$sh $c @rest", '/bin/sh -c /usr/sbin/auditctl', 'a shell asks the auditctl of the host';
sub lock_condition {
	my ($listed, $status) = @_;
	my $auditctl = put("$tmp/lock/auditctl", "#!/bin/sh\n[ \"\$1\" = -l ] || exit 99\ncat <<'E'\n${listed}E\nexit $status\n");
	chmod 0755, $auditctl or die;
	return (run($sh, $c, $script, $auditctl))[0, 2];
}
my $end = "-a always,user -F pid=0\n";
my $watch = "-w /etc/passwd -p wa -k id\n";
for ([$end . $watch, 0, 0, 'the last rule among others'], [$watch . $end, 0, 0, 'in another place'],
	[$end, 0, 0, 'alone'], [$end, 1, 0, 'an auditctl that exits 1'], [$watch, 0, 1, 'others without it'],
	["No rules\n", 0, 1, 'no rules'], ['', 255, 1, 'an auditctl that fails'],
	["-a always,user -F pid=0 -F uid=1\n-a always,user -F pid=01\nx$end", 0, 1, 'others that look like it']) {
	my ($listed, $status, $want, $name) = @$_;
	my ($code, $err) = lock_condition($listed, $status);
	is $code, $want, "$name: " . ($want ? 'nothing is locked' : 'locked');
	like $err, qr/not read to its end, so the kernel is not locked; see systemctl status cloud-audit-setup/, 'and why' if $want;
}

# --- commands: the words that systemd reads are those that went in ---
my @plain = (
	[ 'a b', ' ', '', "\t", "a\nb", "\n[Install]\nAlias=x.service", "\r", "x\\", '\\', '\\n', '\\x41' ],
	[ '"', '"q"', "'", "it's", '`', ';', '\\;', 'a;b', '#', '# c', '!', '~', '*', '?', '[a]', '{', '|a' ],
	[ '%n', '%%', '100%', '%', '%i%H' ], [ '-', '-k', '@a', '+', ':', '=', 'a=b' ],
	[ "\xc3\xb6", "\xff", "\x80\xfe", "\xed\xa0\x80" ], [ join '', map { chr } 1 .. 255 ],
	[ map { chr } 1 .. 123, 125 .. 255 ],
);
my @dollars = ([ '$', '$$', '$HOME', '${HOME}', 'a$b', '$1', 'x$' ]);
my @commands = map { [ '/bin/true', @$_ ] } @plain, @dollars;
{
	my @argv = map { (@$_, '|') } @commands;
	pop @argv;
	my ($printed, $unit, $err) = run(($ENV{BUILD} || 'build') . '/t/unit/unit', @argv);
	is "$printed $err", '0 ', 'commands are printed';
	is +(() = $unit =~ /\n/g), @commands + 3, 'each is one line';
	my ($verified, $out, $said) = verify($unit, SYSTEMD_LOG_LEVEL => 'debug');
	my @read = map { [ words_of($_) ] } "$out\n$said" =~ /^\s*Command Line: (.*)$/mg;
	is @read, @commands, 'systemd reads as many';
	for my $i (0 .. $#commands) {
		my @want = map { s/\$/\$\$/gr } @{$commands[$i]};
		is_deeply $read[$i], \@want, 'systemd reads the words that went in: ' .
			(join(' ', @{$plain[$i] || $dollars[0]}) =~ s/[^ -~]|#/./gr =~ s/^(.{40}).*/$1.../r);
	}
}

# --- the program's path is looked for as it is ---
for my $name ('my tools', '50%', 'a$b', 'a;b#c', "h\xc3\xb6he") {
	my $true = put("$tmp/$name/true", "#!/bin/sh\n");
	chmod 0755, $true;
	my (undef, $unit) = run(($ENV{BUILD} || 'build') . '/t/unit/unit', $true);
	my ($verified, $out, $err) = verify($unit);
	is "$verified $err", '0 ', "a program in a directory named $name is found" =~ s/[^ -~]/./gr;
}

done_testing;
