#!/usr/bin/perl
# Files of a host, when a system call fails: each one of each function in turn, with each error that it may
# have on a real file system. The target is as it was or as it was to be, whole; nothing is left beside it.
use strict;
use warnings;
use Test::More;
use lib 't/unit';
use Cli;

my $helper = ($ENV{BUILD} || 'build') . '/t/unit/host_call';
plan skip_all => "$helper is not built: make unit-tests" unless -x $helper;
plan skip_all => 'strace is missing' if system 'command -v strace >/dev/null 2>&1';
# Leaks cannot be looked for below strace.
$ENV{ASAN_OPTIONS} = 'detect_leaks=0';

my ($old, $new) = ("old content\n", "new content\n" x 50);
my $root = "$tmp/host";
my @errors = qw(EACCES EIO ENOSPC EROFS EINTR ENOMEM);

sub begin {
	system 'rm', '-rf', $root;
	put("$root/etc/d/file", $old);
	put("$root/etc/d/other", 'x');
	mkdir "$root/etc/empty" or die;
}

sub state_of {
	my @names = sort map { s/^\Q$root\E//r } split /\n/, `find $root -mindepth 1`;
	return join ' ', map { -f "$root$_" ? "$_=" . (slurp("$root$_") eq $new ? 'NEW' : slurp("$root$_") eq $old ? 'OLD' :
		slurp("$root$_") eq 'x' ? 'x' : 'BROKEN') : $_ } @names;
}

# The system calls of a function, in order: [name, which of that name in the whole process].
sub calls {
	my (@args) = @_;
	begin();
	run('/usr/bin/strace', '-o', "$tmp/trace", $helper, $root, @args);
	my (%n, @calls, $inside);
	for (split /\n/, slurp("$tmp/trace")) {
		my ($name) = /^(\w+)\(/ or next;
		$n{$name}++;
		$inside = 1, next if /"\/begin"/;
		last if /"\/end"/;
		push @calls, [$name, $n{$name}] if $inside && $name !~ /^(brk|mmap|munmap|mprotect|getrandom|write)$/ ||
			$inside && $name eq 'write' && /^write\([^1]/;
	}
	return @calls;
}

my ($points, $faults) = (0, 0);

# A function whose calls are let fail; allowed: the states that may be found after an error, by the calls
# after which the second one may.
sub faults {
	my ($title, $before, $after, @args) = @_;
	my $done = 0;	# the change is made: its call was passed
	my @bad;
	begin();
	my $reads = $args[0] =~ /read|list|stat|type/;
	my (undef, $result) = run($helper, $root, @args);
	for my $call (calls(@args)) {
		my ($name, $n) = @$call;
		my @row;
		$points++;
		for my $error (@errors) {
			next if $name =~ /^(fstat|newfstatat|fcntl)$/ && $error !~ /EIO|ENOMEM/;
			$faults++;
			begin();
			my ($code, $out) = run('/usr/bin/strace', '-o', "$tmp/trace", '-e', "inject=$name:error=$error:when=$n",
				$helper, $root, @args);
			my $state = state_of();
			my ($said) = $out =~ /(\w+)\n\z/;
			push @row, "$error=" . ($said // $code);
			next if $code == 0 && $state eq $after && $out eq $result;
			# Before the change nothing, after it the change: never half of it.
			next if $code == 1 && $said eq $error && ($state eq $before || $done && $state eq $after);
			push @bad, "$name $n $error: exit $code, $out, $state";
		}
		$done ||= $name =~ /^(rename|unlink)/ && $args[0] ne 'write' || $name =~ /^rename/;
		note sprintf '%-28s %-11s %s', $title, "$name #$n", join ' ', @row;
	}
	is join("\n", @bad), '', $title;
}

my $same = '/etc /etc/d /etc/d/file=OLD /etc/d/other=x /etc/empty';
faults('replacing a file', $same, $same =~ s/OLD/NEW/r, 'write', '/etc/d/file', $new);
faults('a new file', $same, $same =~ s/empty/empty \/etc\/empty\/n=NEW/r, 'write', '/etc/empty/n', $new);
faults('deleting a file', $same, $same =~ s{ /etc/d/file=OLD}{}r, 'remove', '/etc/d/file');
faults('deleting a directory', $same, $same =~ s{ /etc/empty}{}r, 'rmdir', '/etc/empty');
faults('reading a file', $same, $same, 'read', '/etc/d/file');
faults('listing a directory', $same, $same, 'list', '/etc/d');
faults('looking at a file', $same, $same, 'stat', '/etc/d/file');
faults('looking for a path', $same, $same, 'type', '/etc/d');
note "$points points, $faults faults";

# --- the real thing: a file system that is full, or read-only ---
SKIP: {
	skip 'only root can mount', 4 if $> || system 'unshare -m true 2>/dev/null';
	my $script = 'mount -t tmpfs -o size=64k none "$1" && mkdir -p "$1/etc/d" && echo old >"$1/etc/d/file" && ' .
		'{ head -c 1M /dev/zero >"$1/fill" 2>/dev/null; eval "$3"; "$2" "$1" write /etc/d/file "$4"; ' .
		'echo "exit $?"; cat "$1/etc/d/file"; ls -A "$1/etc/d"; }';
	my $m = "$tmp/mount";
	mkdir $m or die;
	is +(run('unshare', '-m', 'sh', '-c', $script, 'sh', $m, $helper, '', 'n' x 10000))[1], "ENOSPC\nexit 1\nold\nfile\n",
		'on a full file system the file is as before, and nothing is left beside it';
	is +(run('unshare', '-m', 'sh', '-c', $script, 'sh', $m, $helper, 'truncate -s -8k "$1/fill"', 'n' x 20000))[1],
		"ENOSPC\nexit 1\nold\nfile\n", 'nor where it fills up in the middle of the content';
	is +(run('unshare', '-m', 'sh', '-c', $script, 'sh', $m, $helper, 'mount -o remount,ro "$1"', 'new'))[1],
		"EROFS\nexit 1\nold\nfile\n", 'on a read-only file system the file is as before';
	is +(run('unshare', '-m', 'sh', '-c', $script, 'sh', $m, $helper, 'truncate -s 4k "$1/fill"; mount --bind "$1/fill" "$1/etc/d/file"', 'new'))[1] =~
		s/\0+//r, "EBUSY\nexit 1\nfile\n", 'a file that is a mount point cannot be replaced, and nothing is left beside it';
}

done_testing;
