#!/usr/bin/perl
# The power goes, and the disk has of what was not synced whatever it likes. The file calls of apply and remove, and of
# the systemd that they talk to, are recorded on a made-up node; for each point of the record every state of the disk
# that t/unit/Disk.pm allows is made, booted, and followed by the next run. A state is bad when a file is neither the
# earlier nor the new one, a unit or a link names what is not there, a boot has other rules than the earlier or the new
# ones, the run has ended and the disk has not what it said, or the next run does not end as one that nothing disturbs.
# And each fsync(2) is taken out in turn: then there is a bad state, or is_spare() tells why not.
# SHOW=1 in the environment prints the records.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use Disk;
use FakeNode;
use MadeUpNode;
use Systemd;

my $built = made_up_program();
plan skip_all => 'strace is missing: apt-get install strace' if system 'command -v strace >/dev/null 2>&1';
umask 022;
# With sanitizers in, a run takes many times as long: one in eight states is followed by the next run.
my $one_in = `nm '$built' 2>/dev/null` =~ / __asan_init/ ? 8 : 1;
$ENV{ASAN_OPTIONS} = 'detect_leaks=0';

my @tops = qw(etc opt);
my $units = 'etc/systemd/system';
# In memory, where it can be: thousands of runs sync what they write.
my $place = -w '/dev/shm' ? tempdir('/dev/shm/cas-disk-XXXXXX', CLEANUP => 1) : $tmp;
my ($program, $root, $kernel) = made_up_node(['opt'], "$place/node");
# The head of a program for this machine, without parts, and no more than a few sectors.
{
	my $head = substr slurp($built), 0, 64;
	substr($head, 56, 2) = "\0\0";
	put("$tmp/bin/cloud-audit-runtime", $head . 'a program, longer than a sector. ' x 40);
}
put("$root/usr/bin/$_", '') for qw(runc crun);
put("$root/etc/pam.d/sshd", "session required pam_unix.so\n");
put("$root/usr/lib/systemd/system/containerd.service", "[Service]\nExecStart=/usr/bin/containerd --root \"/var/lib/x y\"\n");
put("$root/usr/lib/systemd/system/systemd-journald.service", "[Service]\nExecStart=/usr/lib/systemd/systemd-journald\n");
# Somebody else's, so that the directory does not go with ours.
put("$root/$units/containerd.service.d/10-vendor.conf", "[Service]\nEnvironment=A=b\n");
my $fresh = Disk::scan($root, @tops);

sub rules {
	my ($name, @calls) = @_;
	put("$tmp/$name/a.rules", join '', map { my $c = $_; map { "-a always,exit -F arch=$_ -S $c -F auid=0 -k $name\n" } qw(b64 b32) } @calls);
	return (off(), '-s', "rules.directory=$tmp/$name", '-s', 'unit.start_timeout=5s');
}
my @one = (rules('one', qw(mount umount2 swapon swapoff reboot settimeofday)), map { ('-s', $_) } qw(events.tty=yes
	events.apparmor=yes tty.sshd=yes apparmor.audit=all rules.scanner_copy=yes journal.reader=enable container.runtime_unit=containerd.service
	container.keystrokes=yes container.identity=yes container.identity_except=a/b));
my @other = rules('other', qw(chroot ptrace acct));

# What the node begins with, and the run that is recorded; absent: what the node has not; refuse: a unit that fails.
my @kinds = (
	{ name => 'apply on a host without /etc/audit', absent => 'etc/audit', begin => [], run => [@other, 'apply'] },
	{ name => 'a first apply', begin => [], run => [@one, 'apply'] },
	{ name => 'apply over another configuration', begin => [@one, '-s', 'audit.lock=no', 'apply'], run => [@other, 'apply'] },
	{ name => 'apply under a lock', begin => [@other, 'apply'], run => [@one, 'apply'] },
	{ name => 'apply that fails', begin => [], run => [@one, 'apply'], refuse => 'cloud-audit-setup.service' },
	{ name => 'remove of what is not locked', begin => [@other, '-s', 'audit.lock=no', 'apply'], run => ['remove'] },
	{ name => 'remove', begin => [@one, '-s', 'audit.lock=no', 'apply'], run => ['remove'] },
);

# --- a node, from a disk ---

sub node {
	my ($tree) = @_;
	Disk::make($root, $tree, @tops);
	put("$root/sys/module/apparmor/parameters/audit", 'normal');
	return Systemd->new($root, $kernel);
}

# Boots it, and runs the program: (exit status, what is on the disk then, what it said).
sub run_on {
	my ($tree, @args) = @_;
	my $systemd = node($tree);
	$systemd->boot;
	open my $keep, '>&', \*STDERR or die;
	open STDERR, '>', "$tmp/said" or die;
	my $status = $systemd->serve($program, '-q', '-R', $root, @args);
	open STDERR, '>&', $keep or die;
	return ($status & 127 ? "signal $status" : $status >> 8, Disk::scan($root, @tops), slurp("$tmp/said"));
}

# The same below strace: (exit status, operations).
sub record {
	my ($tree, $refuse, @args) = @_;
	node($tree);
	my ($status, $out, $err) = run('strace', Disk::strace_options(), '-o', "$tmp/trace", $^X, '-It/unit', '-MSystemd', '-e',
		'my ($refuse, $root, $kernel, @command) = @ARGV; my $s = Systemd->new($root, $kernel); $s->boot;' .
		'$s->{refuse} = [$refuse]; exit $s->serve(@command) >> 8', $refuse // '', $root, $kernel, $program, '-q', '-R', $root, @args);
	diag $err if $ENV{SHOW};
	return ($status, Disk::operations(slurp("$tmp/trace"), $root, @tops));
}

# --- what is bad ---

sub temporary { return $_[0] =~ m{/\.[^/]*\.new$} }
sub without_temporary { my ($tree) = @_; return { map { $_ => $tree->{$_} } grep { !temporary($_) } keys %$tree } }
# Paths that two trees do not have alike. An empty directory more says nothing to anybody.
sub differing {
	my ($x, $y) = @_;
	return grep {
		my ($one, $two) = ($x->{$_}, $y->{$_});
		($one || $two)->{type} ne 'dir' && !($one && $two && $one->{type} eq $two->{type} &&
			$one->{mode} == $two->{mode} && $one->{content} eq $two->{content});
	} sort keys %{{ %$x, %$y }};
}

# What a boot makes of a disk: the kernel's rules, and whether it is locked.
my %booted;
sub boot {
	my ($tree) = @_;
	return $booted{Disk::key($tree)} //= node($tree)->boot;
}

# Files that are as in none of these trees, as far as they are there.
sub halves {
	my ($tree, @whole) = @_;
	my %n;
	$n{$_}++ for map { differing($tree, $_) } @whole;
	return map { "$_ is neither as before nor as after" } grep { $n{$_} == @whole && $tree->{$_} } sort keys %n;
}

# Files that a unit of ours, a drop-in, or a link names.
sub absent {
	my ($tree) = @_;
	my @absent;
	for my $path (sort keys %$tree) {
		my $node = $tree->{$path};
		if ($node->{type} eq 'link') {
			push @absent, "$path: no $node->{content}" if $node->{content} =~ m{^/(etc/.*)} && !$tree->{$1};
		} elsif ($path =~ m{^$units/.*cloud-audit-[^/]*$}) {
			push @absent, map { "$path: no /$_" } grep { !$tree->{$_} } $node->{content} =~ m{(?<![\w./])/((?:etc|opt)/[\w./-]+)}g;
			push @absent, map { "$path: no $_" } grep { /^cloud-audit-/ && !$tree->{"$units/$_"} } map { split ' ' }
				$node->{content} =~ /^(?:Requires|BindsTo)=(.*)$/mg;
		}
	}
	return @absent;
}

sub rules_of { my ($kernel) = @_; return join "\n", @{$kernel->{rules}} }

# Why a state is bad; run: the disk before and after it, and as it was to be; ended: so it has.
sub faults {
	my ($tree, $run, $ended) = @_;
	$tree = without_temporary($tree);
	my @whole = @$run{qw(old new wanted)};
	my @faults = (halves($tree, @whole), absent($tree));
	my $kernel = boot($tree);
	push @faults, 'it boots with rules that are neither those before nor those after' . ($kernel->{'-e'} == 2 ? ', locked' : '')
		if !grep { $_ eq rules_of($kernel) } '', map { rules_of(boot($_)) } @whole;
	push @faults, 'it locks no rules' if $kernel->{'-e'} == 2 && !@{$kernel->{rules}};
	push @faults, map { "the run has ended, and the disk does not have what it did: $_" } $ended ? differing($tree, $run->{new}) : ();
	return @faults;
}


# The states of the disk at every point of a run, each once, with the first point that allows it; code is called with
# tree, point, and whether the run has ended. without: as Disk's.
sub each_state {
	my ($disk, $from, $code, $without) = @_;
	my (%seen, $n);
	for my $time ($from .. $disk->{time}) {
		my $ended = $time == $disk->{time};
		$disk->states($time, sub {
			my ($tree) = @_;
			$n++;
			$code->($tree, $time, $ended) unless $seen{($ended ? 'ended ' : '') . Disk::key($tree)}++;
		}, $without);
	}
	return $n;
}

sub point { my ($disk, $time) = @_; return $time ? "after #$time " . join ' ', @{$disk->{operations}[$time - 1]}[0, 1] : 'before all' }

# The next run on a state: what is wrong with how it ends. after: the disk as a run leaves it that nothing disturbs.
sub next_run {
	my ($tree, $after, @args) = @_;
	# A lock lasts until the next boot, which remove says.
	my $locked = $args[-1] eq 'remove' && boot(without_temporary($tree))->{'-e'} == 2;
	my ($status, $left, $said) = run_on($tree, @args);
	return "the next run ends with $status: $said" if $status ne ($locked ? 5 : 0);
	my @differ = differing($left, $after);
	return @differ ? "the next run leaves others: @differ" : ();
}

# Which place of the program calls this sync.
sub site {
	my ($disk, $sync) = @_;
	my ($path, $before) = ($disk->{operations}[$sync - 1][1], $sync > 1 ? $disk->{operations}[$sync - 2] : ['', '']);
	return "a file's content" if temporary($path);
	return 'a directory of links' if $path =~ /\.wants$/;
	return 'the directory above that of links' if $before->[1] =~ /\.wants$/;
	return 'a directory after ' . { rename => 'a rename', unlink => 'an unlink', chmod => 'a mkdir in it' }->{$before->[0]};
}

sub syncs { my ($disk) = @_; return grep { $disk->{operations}[$_ - 1][0] eq 'sync' } 1 .. $disk->{time} }

# The first bad state when these syncs are left out.
sub first_fault {
	my ($disk, $run, @syncs) = @_;
	my $fault;
	eval {
		each_state($disk, $syncs[0], sub {
			my ($tree, $time, $ended) = @_;
			my @faults = faults($tree, $run, $ended) or return;
			$fault = point($disk, $time) . ": @faults";
			die "found\n";
		}, { map { $_ => 1 } @syncs });
	};
	die $@ if $@ && $@ ne "found\n";
	return $fault;
}

# Is the directory synced again, or away with its own entry synced, or was it as it is now when it was synced last? One
# rule for every file, that it is on the disk before the next is begun, has such calls; to leave them out the program
# would have to know what hangs on what.
# An empty directory that is there again says nothing to anybody, see differing().
sub is_spare {
	my ($disk, $sync, $old) = @_;
	my $emptied = 0;
	my @o = @{$disk->{operations}};
	my $path = $o[$sync - 1][1];
	return 1 if grep { $_->[0] eq 'sync' && $_->[1] eq $path || $_->[0] eq 'unlink' && $_->[1] eq $path } @o[$sync .. $#o];
	for (reverse @o[0 .. $sync - 2]) {
		return 1 if $_->[0] eq 'sync' && $_->[1] eq $path;
		if ($_->[0] eq 'unlink' && $_->[1] =~ m{^\Q$path\E/[^/]*$} && ($old->{$_->[1]}{type} // '') eq 'dir') { $emptied = 1; next }
		return 0 if $_->[0] =~ /^(?:create|mkdir|symlink|rename|unlink)$/ && $_->[1] =~ m{^\Q$path\E/[^/]*$};
	}
	return $emptied;
}

my ($all, $different, $spare, %needed, @spare) = (0, 0, 0);
for my $kind (@kinds) {
	my ($name, @run) = ($kind->{name}, @{$kind->{run}});
	my %begin = map { $_ => $fresh->{$_} } grep { $_ ne ($kind->{absent} // '') } keys %$fresh;
	my ($begin, $old) = @{$kind->{begin}} ? run_on(\%begin, @{$kind->{begin}}) : (0, \%begin);
	my ($status, @operations) = record($old, $kind->{refuse}, @run);
	my $new = Disk::scan($root, @tops);
	is "$begin $status", $kind->{refuse} ? '0 1' : '0 0', "$name: it can be recorded";
	diag join("\n", map { "@{$_}[0, 1]" } @operations) if $ENV{SHOW};
	my %run = (old => $old, new => $new, wanted => $kind->{refuse} ? (run_on($old, @run))[1] : $new);
	my $disk = Disk->new($old);
	$disk->replay(@operations);

	my (@bad, $checked);
	$all += each_state($disk, 0, sub {
		my ($tree, $time, $ended) = @_;
		$checked++;
		my @faults = (faults($tree, \%run, $ended), $checked % $one_in ? () : next_run($tree, $run{wanted}, @run));
		push @bad, point($disk, $time) . ": @faults" if @faults;
	});
	$different += $checked;
	note "$name: ", scalar @operations, " operations, $checked states";
	is scalar @bad, 0, "$name: no state of the disk is bad" or diag join "\n", @bad[0 .. ($#bad > 19 ? 19 : $#bad)];

	my %site;
	for my $sync (syncs($disk)) {
		my $site = site($disk, $sync);
		push @{$site{$site}}, $sync;
		my $fault = first_fault($disk, \%run, $sync);
		if ($fault) { $needed{$site} //= "$name, $fault"; next }
		$spare++;
		push @spare, "$name: #$sync $site $operations[$sync - 1][1]" if !is_spare($disk, $sync, $old);
	}
	# Where one call makes another good: without the first few of a place. All of them allow more states than can be tried.
	for my $site (grep { !$needed{$_} } sort keys %site) {
		my @first = grep { defined } @{$site{$site}}[0 .. 2];
		my $fault = first_fault($disk, \%run, @first);
		$needed{$site} //= $fault && "$name, $fault";
	}
}
cmp_ok $different, '>=', 1000, "$all states, $different of them different";
for my $site (sort keys %needed) {
	ok $needed{$site}, "without the fsync of $site there is a bad state";
	note $needed{$site} || '';
}
is join("\n", @spare), '', 'without any one call there is, too, but for calls that ' .
	"the next one for the same directory makes good before anything hangs on it, $spare";

done_testing;
