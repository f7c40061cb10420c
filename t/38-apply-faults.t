#!/usr/bin/perl
# A run of apply from end to end, each of its system calls failing in turn: the node, a made-up root with a
# systemd that does nothing, is as before afterwards, or the messages name exactly what is not. Those that change
# something fail from there on, too, and so what takes it back does. FAULTS=all in the environment: each call with
# each of its errors; else with one of them, the next one for the next call.
use strict;
use warnings;
use File::Find qw(find);
use File::Path qw(make_path);
use Test::More;
use lib 't/unit';
use Cli;
use FakeNode;

my $why = usable();
plan skip_all => $why if $why;

# What may fail, and how.
my %errors = (
	map({ $_ => [qw(EACCES EIO ENOMEM)] } qw(open openat openat2 read readlink readlinkat getdents64)),
	map({ $_ => [qw(EIO)] } qw(fstat newfstatat statx close lseek statfs fstatfs)),
	map({ $_ => [qw(ENOSPC EIO EROFS EINTR)] } qw(write pwrite64 fsync fchmod rename renameat unlinkat mkdirat)),
	map({ $_ => [qw(ENOBUFS EINTR EPERM)] } qw(socket connect sendto sendmsg recvmmsg recvmsg)),
	map({ $_ => [qw(EINTR)] } qw(poll ppoll)),
	map({ $_ => [qw(EPERM)] } qw(setsockopt getsockopt prctl capset capget)),
);
# What may fail for good, while the program can still say so.
my %lasting = map { $_ => 1 } qw(fsync fchmod renameat unlinkat mkdirat);

my $program = program();
my $root = fake_node("$tmp/node");
sub earlier {
	put("$root/etc/audit/cloud-audit-setup.rules", "# an earlier run's\n-D\n");
	chmod 0640, "$root/etc/audit/cloud-audit-setup.rules" or die;
	put("$root/etc/pam.d/sshd", "session required pam_unix.so\n");
}
earlier();
my $systemd = fake_systemd("$root/run/systemd/private");
my @apply = ($program, '-R', $root, plain_rules(), '-s', 'events.tty=yes', '-s', 'tty.sshd=yes', 'apply');

# Modes, owners and content by name, without times and inodes.
sub state_of {
	my %state;
	find({ no_chdir => 1, wanted => sub {
		my @st = lstat $_;
		$state{substr $_, length $root} = join ' ', @st[2, 4, 5], -l _ ? readlink $_ : -f _ ? slurp($_) : '';
	} }, $root);
	return \%state;
}

sub differing {
	my ($before, $now) = @_;
	return grep { ($before->{$_} // '') ne ($now->{$_} // '') } sort keys %{{ %$before, %$now }};
}

my $before = state_of();
my ($code, $out, $err) = strace([], @apply);
is $code, 1, 'nobody loads the rules: apply fails, having read back';
like $err, qr/^cloud-audit-setup: error: nothing is left of this run/m, 'and says that nothing is left of it';
is_deeply state_of(), $before, 'which is so';

my ($lines, $counts) = after_begin();
my $sanitized = sanitized();
my $all = ($ENV{FAULTS} // '') eq 'all';
my (%n, %table, @wrong, %last);
my ($points, $faults) = (0, 0);
%n = %$counts;
for my $line (@$lines) {
	my ($name) = $line =~ /^(\w+)\(/ or next;
	my $n = ++$n{$name};
	my $list = $errors{$name} or next;
	# Of these there are 128 alike.
	next if $line =~ /PR_CAPBSET_DROP/ && $line !~ /CAP_CHOWN/;
	$points++;
	next if $sanitized && $points % 8;
	my @faults = map { [ $_, '' ] } $all ? @$list : $list->[$points % @$list];
	push @faults, map { [ $_, '+' ] } $all ? @$list : $list->[0] if $lasting{$name};
	for (@faults) {
		my ($error, $on) = @$_;
		$faults++;
		my ($c, $o, $e) = strace(['-e', "inject=$name:error=$error:when=$n$on"], @apply);
		my @errors = $e =~ /^cloud-audit-setup: error: (.*)/mg;
		my $differ = join ' ', differing($before, state_of());
		my $named = join ' ', sort map { m{^(/\S+) could not be put back as it was: } } @errors;
		# What is true of the node, and nothing that is not: of its kernel nothing was changed.
		my $false = join ' ', grep { /^nothing is left|nothing was changed|^the files are as before|^the kernel has/ &&
			($differ ne '' || /^the kernel has/) } @errors;
		$table{$name}{$error}{$differ eq '' ? $c : "$c, named"}++;
		push @wrong, "$name #$n$on $error: exit $c: " . join(' | ', grep { !/missing: rule/ } @errors) . ' ' .
			substr($line, 0, 120) . " DIFFER: $differ NAMED: $named FALSE: $false"
			unless ($c == 1 || $c == 3) && @errors && $named eq $differ && $false eq '';
		$last{$named}++ if $differ ne '';
		next if $differ eq '';
		system "rm -rf $root/etc/audit $root/etc/systemd";
		fake_node($root);
		earlier();
		$before = state_of();
	}
}
for my $name (sort keys %table) {
	note sprintf '%-11s %s', $name, join '; ', map { my $e = $_; my $r = $table{$name}{$e}; "$e: " . join ', ', map { "exit $_ x $r->{$_}" }
		sort keys %$r } sort keys %{$table{$name}};
}
note "not put back, and named, $last{$_} times: $_" for sort keys %last;
note "$points points, $faults faults";
is join("\n", @wrong), '', 'whatever call fails: exit 1 or 3, said, and the node is as before, or the messages name exactly what differs';
cmp_ok scalar keys %last, '>=', $sanitized ? 1 : 4, 'files that could not be put back are among it';

# The kernel is asked again after a restart of journald, whose drop-in is wanted no more.
my $dropin = "$root/etc/systemd/system/systemd-journald.service.d/cloud-audit-setup.conf";
my @journald = ($program, '-R', $root, plain_rules(), 'apply');
make_path($dropin =~ s{/[^/]*$}{}r);
put($dropin, "# an earlier run's\n");
strace([], @journald);
my @questions = slurp("$tmp/trace") =~ /^\d+ +sendto\((.*)/mg;
my $asked = grep { /\bAUDIT_GET\b|nlmsg_type=0x3e8\b/ } @questions;
my @mute;
for my $n (1 .. @questions) {
	put($dropin, "# an earlier run's\n");
	my (undef, undef, $e) = strace(['-e', "inject=sendto:error=EPERM:when=$n"], @journald);
	push @mute, "sendto #$n: $e" if $e !~ /^cloud-audit-setup: error: kernel audit: \w+: .*(?:not permitted|CAP_AUDIT)/m;
}
cmp_ok $asked, '>=', 4, 'the kernel is asked for its state before, after a restart of journald, and at the end';
is join("\n", @mute), '', 'whenever the kernel does not take a question, that is the cause that is named';

# --- no memory ---
# From the n-th growth of the heap on there is none: the smallest steps that glibc's malloc(3) can be told to take.
SKIP: {
	skip 'the sanitizers have a heap of their own', 2 if $sanitized;
	local @ENV{qw(MALLOC_TOP_PAD_ MALLOC_TRIM_THRESHOLD_)} = (0, 1 << 30);
	system "rm -rf $root/etc/systemd";
	my (@wrong, $runs);
	for my $command ('apply', 'plan', 'plan --diff', '-o json plan', 'verify', '-o json verify', '-o tap verify', 'remove') {
		my @words = ($program, '-R', $root, plain_rules(), split / /, $command);
		my $reset = sub {
			fake_node($root);
			put("$root/etc/audit/cloud-audit-setup.rules", "# an earlier run's\n-a always,exit -F arch=b64 -S mount -F key=x\n");
			chmod 0640, "$root/etc/audit/cloud-audit-setup.rules" or die;
		};
		$reset->();
		my $with = join "\0", strace([], @words);
		(undef, my $earlier) = after_begin();
		my $growths = () = slurp("$tmp/trace") =~ /^\d+ +brk\(/mg;
		for my $n (($earlier->{brk} // 0) + 1 .. $growths) {
			$reset->();
			# A failed brk(2) returns where the heap ends.
			my ($c, $o, $e) = strace(['-e', "inject=brk:retval=0:when=$n+", '-e',
				"inject=mmap:error=ENOMEM:when=" . (($earlier->{mmap} // 0) + 1) . '+'], @words);
			$runs++;
			# The buffer of a stream is not needed: without one it does the same.
			next if join("\0", $c, $o, $e) eq $with;
			my ($cause) = grep { !/error: read back/ } $e =~ /^(.*: error: .*|.*"severity":"ERROR".*|.*out of memory.*)/mg;
			push @wrong, "$command #$n: exit $c: $e"
				unless ($c == 1 || $c == 3) && ($cause // '') =~ /out of memory|Cannot allocate memory/;
		}
	}
	cmp_ok $runs, '>=', 40, 'the heap grows often enough';
	is join("\n", @wrong), '', 'wherever memory ends: exit 1 or 3, and that is said';
}

done_testing;
