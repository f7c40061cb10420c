#!/usr/bin/perl
# What people read is a screenful on every node: plan, apply, verify and remove go over made-up nodes, each a combination of a
# configuration with one of a kernel, a host, and how far an earlier run came; what is said and what is printed together have
# at most 24 rows of 80 columns, and say how to have the rest.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use FakeNode;
use MadeUpNode;
use Systemd;

plan skip_all => 'script is missing (Debian package bsdutils)' if system 'command -v script >/dev/null 2>&1';
my ($program, $root, $kernel, $systemd) = made_up_node([qw(etc/ssh run/systemd/system usr/lib/systemd/system usr/bin opt)]);
copy +($ENV{BUILD} || 'build') . "/$_", $program =~ s{[^/]*$}{$_}r or die "$_: $!" for qw(cloud-audit-runtime cloud-audit-tty);
chmod 0755, glob "$tmp/bin/cloud-*";

# --- what there is to combine ---
my $long = 'd' x 60;
sub user_rules {
	my ($name, %files) = @_;
	put("$tmp/$name/$_.rules", $files{$_}) for keys %files;
	return ('-s', "rules.directory=$tmp/$name");
}
# Each line has a warning of another kind; in the last files there are many of them, and many groups.
my @warned = ('-a always,exit -F arch=b64 -S unlink', '-a always,exit -S all' . join('', map { " -F $_=4000000000" } qw(auid uid euid suid fsuid gid egid)) . ' -k hot',
	'-a always,exit -F arch=b64 -S rmdir -F exit=EACCES -k sign', "-w /srv/absent/$long/$long -p wa -k gone", '-w /etc/passwd -p wa -k twice', '-w /etc/passwd -p wa -k twice',
	'-a never,exit -F arch=b64 -S execve -k never', '-a always,exit -F perm=wa -F path=/etc/group', '-a always,exit -F arch=b64 -S all -F auid=7',
	'-a always,exit -F arch=b64 -S chown -F perm=x -k nothing', '-a always,task', '-w /etc/hostname/ -p wa -k file');
my %rules = (
	shipped => [],
	warned => [ user_rules('warned', mine => join('', map { "$_\n" } @warned)) ],
	many => [ user_rules('many', map { my $file = "$_-$long$long$long"; $file => join '', map { "-a always,exit -F arch=b64 -S openat -F auid=$_ -F dir=/etc -k \"$long$_\"\n" } 1 .. 3 } 10 .. 49) ],
	absent => [ user_rules('absent', map { ("absent$_" => join '', map { "-w /absent/$long/$_ -p wa -k absent\n" } 1 .. 9) } 1 .. 4) ],
);
my $config = put("$tmp/" . join('/', ($long) x 5) . '/config.ini', "[audit]\nbacklog_limit = 9000\n");
my %configs = (
	default => [],
	unlocked => [qw(-s audit.lock=no)],
	named => [ '-c', $config, qw(-s audit.backlog_wait_time=1 -s audit.failure=silent -s audit.rate_limit=100) ],
	keep => [qw(-s audit.lock=no -s rules.existing=keep)],
	all => [ map { ('-s', $_) } qw(container.runtime_unit=containerd.service container.identity=yes container.keystrokes=yes tty.sshd=yes
		rules.scanner_copy=yes apparmor.audit=all events.socket=all events.mmap=all audit.loginuid_immutable=yes) ],
	transient => [qw(-s unit.mode=transient -s audit.lock=no)],
	nothing => [ off() ],
);
sub rule { my ($key, $n) = @_; return "-a always,exit -F arch=x86_64 -S openat -F auid=$n -F key=$key" }
# On top of what the last run left there.
my %kernels = (
	fresh => sub { %{$_[0]} = %{Auditctl::fresh()} },
	left => sub { },
	deleted => sub { $_[0]{rules} = [] },
	half => sub { my $n = 0; @{$_[0]{rules}} = grep { $n++ % 2 } @{$_[0]{rules}} },
	foreign => sub { push @{$_[0]{rules}}, map { my $n = $_; map { rule("foreign-$long-$n", $_) } 1 .. 4 } 1 .. 60 },
	silent => sub { %{$_[0]} = (%{Auditctl::fresh()}, rules => [ '-a never,task', map { rule("agent$_", $_) } 1 .. 3 ]) },
	lost => sub { @{$_[0]}{qw(lost -f)} = (4000000000, 0) },
	locked => sub { @{$_[0]}{qw(-e rules)} = (2, [ map { rule('theirs', $_) } 1 .. 11 ]) },
);
my %hosts = (
	plain => sub { },
	dropped => sub {
		for my $unit (qw(cloud-audit-setup cloud-audit-lock)) {
			put("$root/etc/systemd/system/$unit.service.d/$_-$long.conf", "[Service]\nUser=nobody\nNice=$_\n") for 1 .. 9;
		}
	},
	locks => sub {
		put("$root/etc/audit/rules.d/99-finalize.rules", "-e 2\n" x 12);
		put("$root/usr/lib/systemd/system/auditd.service", "[Service]\nExecStart=/sbin/auditd\n");
		$systemd->{state}{'auditd.service'} = 'active';
	},
	broken => sub { chmod 0666, glob "$root/etc/systemd/system/*.service $root/etc/audit/*.rules"; unlink glob "$root/etc/systemd/system/*.wants/*" },
	agents => sub {
		put("$root/etc/audit/auditd.conf", "log_file = /var/log/audit/audit.log\ndisk_full_action = HALT\nspace_left_action = halt\nadmin_space_left_action = single\n");
		put("$root/etc/systemd/journald.conf", "[Journal]\nStorage=volatile\nAudit=no\nRateLimitBurst=1\n");
		put("$root/proc/cmdline", "audit=1 audit_backlog_limit=8\n");
		put("$root/etc/hostname", 'h' x 64 . "\n");
	},
);

sub fresh_host {
	remove_tree(map { "$root/$_" } qw(etc/audit etc/systemd run/systemd/transient run/cloud-audit-setup usr/lib/systemd/system/auditd.service));
	fake_node($root);
	Auditctl::install($root, $kernel);
	put("$root/etc/hostname", "node-1\n");
	unlink "$root/proc/cmdline";
	put("$root/etc/pam.d/sshd", "session required pam_limits.so\n");
	put("$root/usr/bin/$_", "#!/bin/false\n") for qw(runc containerd);
	chmod 0755, glob "$root/usr/bin/*";
	put("$root/usr/lib/systemd/system/containerd.service", "[Service]\nExecStart=/usr/bin/containerd\nKillMode=process\n");
	$systemd->{state} = {};
	Auditctl::store(Auditctl::fresh(), $kernel);
}
sub rows { my ($s) = @_; my $n = 0; $n += 1 + int((length($_) - ($_ ne '')) / 80) for split /\n/, $s; return $n }
# What is said comes from a terminal of its own, as it is kept short for one alone.
sub node {
	my ($out, $err) = ("$tmp/out", "$tmp/err");
	put("$tmp/line", join(' ', map { s/'/'\\''/gr =~ s/^|$/'/gr } $program, '-R', $root, '-s', 'unit.start_timeout=5s', @_) . " >$out\n");
	my $status = $systemd->serve('sh', '-c', "TERM= script -q -e -c 'sh $tmp/line' /dev/null </dev/null >$err");
	return ($status >> 8, slurp($err) =~ s/\r//gr, slurp($out));
}

my %most;	# of each command: rows, and of which node
my ($n, @long) = 0;
sub look {
	my ($node, @command) = @_;
	my ($code, $err, $out) = node(@command);
	my $rows = rows($err . $out);
	my $command = $command[-1];
	$n++;
	# Mistakes are all listed, however many there are: here there are none.
	push @long, "$node, $command ($code): a mistake\n$err" if $code == 2 || $code == 3 && $err !~ /existing = keep leaves/ || $code > 5;
	push @long, "$node, $command ($code): $rows rows\n$err$out" if $rows > 24;
	push @long, "$node, $command ($code): a count of nothing\n$err$out" if "$err$out" =~ /\b0 more/;
	push @long, "$node, $command ($code): no verdict\n$err$out" if $command eq 'verify' && $code =~ /^[045]$/ && $out !~ /^the node (?:matches|differs).*\n(?:.*\n)*Lock /;
	push @long, "$node, $command ($code): nothing named\n$err$out" if $command eq 'verify' && $code =~ /^[45]$/ && $out !~ /^Differs /m;
	push @long, "$node, $command ($code): no plan\n$err$out" if $command eq 'plan' && $code =~ /^[45]$/ && $out !~ /^Rules .*\n(?:.*\n)*Next /m;
	$most{$command} = [ $rows, $node ] if $rows > ($most{$command} // [ 0 ])->[0];
	return $code;
}

# All of them take minutes (ALL=1): else two hosts for each configuration with each rules, and with these two kernels, or three.
my $turn = 0;
sub turn {
	my ($n, @all) = @_;
	return @all if $ENV{ALL};
	$turn += $n;
	return map { $all[($turn + $_) % @all] } 1 .. $n;
}
for my $rules (sort keys %rules) {
	for my $configs (sort keys %configs) {
		my @options = (@{$configs{$configs}}, @{$rules{$rules}});
		for my $hosts (turn(2, sort keys %hosts)) {
			fresh_host();
			look("$rules, $configs, $hosts, nothing done", @options, 'plan');
			look("$rules, $configs, $hosts, nothing done", @options, 'apply');
			$hosts{$hosts}->();
			for my $kernels (turn(3, sort keys %kernels)) {
				my $state = Auditctl::load($kernel);
				my %was = (%$state, rules => [ @{$state->{rules}} ]);
				$kernels{$kernels}->($state);
				Auditctl::store($state, $kernel);
				look("$rules, $configs, $hosts, $kernels", @options, $_) for qw(plan verify);
				Auditctl::store(\%was, $kernel);
			}
			# With a runtime that runs since before what it is started with now; and where somebody else has locked.
			$systemd->{state}{'containerd.service'} = 'active';
			look("$rules, $configs, $hosts, done", @options, 'apply');
			my $state = Auditctl::load($kernel);
			my %was = (%$state, rules => [ @{$state->{rules}} ]);
			$kernels{locked}->($state);
			Auditctl::store($state, $kernel);
			look("$rules, $configs, $hosts, locked", @options, 'apply');
			Auditctl::store(\%was, $kernel);
			look("$rules, $configs, $hosts, done", @options, 'remove');
		}
	}
}
cmp_ok $n, '>', 500, 'plan, apply, verify and remove were tried on made-up nodes';
ok !@long, 'each time what is said and printed fits 24 rows of 80 columns, with what a screen has to have' or diag scalar(@long), ":\n", @long[0 .. ($#long < 2 ? $#long : 2)];
is join(' ', sort keys %most), 'apply plan remove verify', 'all four commands';

# What is kept, as a Pod's log is, has no screen.
fresh_host();
my $status = $systemd->serve('sh', '-c', "exec \"\$@\" >$tmp/out 2>$tmp/err", 'sh', $program, '-R', $root, @{$rules{warned}}, 'apply');
is $status >> 8, 0, 'where no terminal is, apply';
my $said = slurp("$tmp/err");
cmp_ok rows($said), '>', 24, '... says all that it has to say';
unlike $said, qr/\(-v: all\)|more message/, '... and cuts nothing';
diag "$_: at most $most{$_}[0] rows: $most{$_}[1]" for $ENV{SHOW} ? sort keys %most : ();

done_testing;
