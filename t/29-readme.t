#!/usr/bin/perl
# README.md: its commands can be copied, what it shows is what the program and fluentd's input say, what it names is there.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use Commands;

$ENV{ASAN_OPTIONS} = 'detect_leaks=0';
my $page = slurp('README.md');
cmp_ok scalar(() = $page =~ /\n/g), '<', 150, 'it is shorter than 150 lines';
is join("\n", grep { length > 140 && !/^\|/ } split /\n/, $page), '', 'which one can read';
is join(' ', grep { !-e } $page =~ m{(?<![\w/-])((?:k8s|rules|t|setup)/[\w./-]*\w/?)}g), '', 'what it names is there';

# --- what it shows of a node ---
my ($root, $kernel, $systemd) = page_node();
# What is of this machine, or of the clock.
sub alike { my ($s) = @_; return $s =~ s/kernel \S+?(?=:?\s)/kernel VERSION/gr =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/TIME/gr }
my ($shown) = $page =~ /^((?: {4}.*\n)*? {4}# cloud-audit-setup (?:.*\n)*?)\n/m;
my @shown = split /^ {4}# /m, $shown;
is shift @shown, '', 'it shows what the program says';
is scalar @shown, 3, '... to three commands';
for (@shown) {
	my ($command, $want) = /^cloud-audit-setup (\w+)\n(.*)/s;
	if ($command eq 'verify') {
		my $k = Auditctl::load($kernel);
		@{$k->{rules}} = grep { !m{/etc/group} } @{$k->{rules}};
		Auditctl::store($k, $kernel);
	}
	my ($status, undef, $out) = on_node($command);
	is alike($out), alike($want =~ s/^ {4}//mgr), "$command: line by line what it says";
}
like $page, qr/`-s audit\.lock=no apply`/, 'it tells how not to lock';
$systemd->boot;

# --- its commands ---
my %of;
for (page_commands($page)) {
	my ($heading, $line) = @$_;
	$of{$heading}++;
	is_command($line);
}
cmp_ok $of{$_} // 0, '>=', 2, "$_: commands to copy" for 'See it', 'By hand, on a node over SSH', 'In a cluster';
my ($example) = $page =~ /^((?: {4}.*\n)*? {4}\[audit\]\n(?: {4}.*\n)*)/m;
put("$tmp/config.ini", $example =~ s/^ {4}//mgr);
my ($status, $said) = on_node('-c', "$tmp/config.ini", 'render', 'rules');
is $status, 0, 'the configuration that it shows is one' or diag $said;

# --- and make's ---
my ($code, $help) = run('make', '-s', '--no-print-directory', 'help');
is $code, 0, 'make help';
like $help, qr/^  make demo +configure/m, '... is the head of the Makefile';
my %told = map { $_ => 1 } $help =~ /^  make ([a-z][\w-]*) /mg, 'tables', 'unit-tests';
my %named = map { $_ => 1 } map { slurp($_) =~ /(?:^ {4}|`)make (?:[A-Z_]+=[^\s`]+ )*([a-z][a-z-]*)/mg } 'README.md', 'CONTRIBUTING.md', glob 't/README.md t/*/README.md k8s/*.md';
cmp_ok scalar(keys %named), '>', 10, '... of targets that the pages name';
is join(' ', grep { $_ ne 'all' && !$told{$_} } sort keys %named), '', '... it has each';

# --- the entry ---
SKIP: {
	skip 'ruby is missing: apt-get install ruby', 2 if (run('ruby', '--version'))[0];
	my ($want) = $page =~ /^ {4}(\{.*?\n)\n/ms;
	$want = decode_json($want);
	my ($boot, $last) = $want->{event} =~ /^([0-9a-f]{32})-(\d+)$/;
	my %c = %{$want->{container}};
	my $start = sub { my ($class, $ses, $pid, $rest) = @_;
		my $auid = hex($class . substr $c{id}, 0, 7);
		return "VIRT_CONTROL pid=$pid uid=0 auid=$auid ses=$ses subj=unconfined msg='op=start virt=container vm=\"$c{id}\" pod=\"$c{pod}\" " .
			"namespace=\"$c{namespace}\" uuid=\"$c{pod_uid}\" container=\"$c{name}\" image=\"nginx:1.27\" $rest login=set res=success'" };
	my $path = 'mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0';
	my @event = (
		"SYSCALL arch=c000003e syscall=59 success=yes exit=0 a0=55d0 a1=55d1 a2=55d2 a3=8 items=2 ppid=4242 pid=4251 auid=3874614528 " .
			'uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=17 comm="curl" exe="/usr/bin/curl" subj=unconfined key="exec"',
		'EXECVE argc=3 a0="curl" a1="-O" a2="http://203.0.113.9/x"', 'CWD cwd="/tmp"',
		"PATH item=0 name=\"/usr/bin/curl\" inode=826 dev=00:3c $path", "PATH item=1 name=\"/lib64/ld-linux-x86-64.so.2\" inode=3259 dev=00:3c $path");
	put("$tmp/records", join '', map { "$boot\t$_->[0]\t1764403200\t1764403200\t$_->[1]\n" } [17, $start->('c', 9, 990, 'exec=no terminal=no')],
		[118, $start->('e', 17, 4090, 'exec=yes terminal=yes')], map { [$last, $_] } @event);
	mkdir "$tmp/state";
	my $out;
	($code, $out, my $err) = run('sh', '-c', "NODE_NAME=node-1 ruby t/shipper/same.rb $tmp/state <$tmp/records");
	is "$code $err", '0 ', 'fluentd\'s input makes entries of the records';
	my $entry = decode_json((split /\n/, $out)[-1] // '{}');
	# These are the entry's, not the payload's, in Cloud Logging.
	is join(' ', delete @$entry{qw(id severity key)}), "$want->{event}-0 INFO exec", '... with their id, severity and key';
	is_deeply $want, $entry, '... and this is the one that it shows';
}
done_testing;
