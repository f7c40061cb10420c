# What a disk may hold after a power cut, from a record of the calls that a program made: the model of ALICE (Pillai et
# al., "All File Systems Are Not Created Equal", OSDI 2014) and LazyFS.
#
# fsync(2) of a file makes its content and mode durable, of a directory its entries, and nothing else does. Whatever
# came after the last such call may be on the disk or not, each entry and each file by itself, in any order; the two
# ends of a rename, too, though a name that is replaced is never missing. Data that were not synced may be torn: cut
# off anywhere, the size without the data (zeros, or what was on the disk before), a sector of them lost.
#
# A tree is { PATH => { type => file|dir|link, mode => , content => } }, paths below the root that was recorded.
package Disk;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use File::Path qw(make_path remove_tree);

my $SECTOR = 512;

# --- trees ---

# Those directories below a root, as they are.
sub scan {
	my ($root, @tops) = @_;
	my %tree;
	my @todo = @tops;
	while (defined(my $path = shift @todo)) {
		my @st = lstat "$root/$path" or next;
		my $type = -l _ ? 'link' : -d _ ? 'dir' : 'file';
		my $content = '';
		if ($type eq 'link') {
			$content = readlink "$root/$path";
		} elsif ($type eq 'dir') {
			opendir my $dir, "$root/$path" or die "$root/$path: $!";
			push @todo, map { "$path/$_" } sort grep { !/^\.\.?$/ } readdir $dir;
		} else {
			open my $f, '<', "$root/$path" or die "$root/$path: $!";
			local $/;
			$content = <$f> // '';
		}
		$tree{$path} = { type => $type, mode => $type eq 'link' ? 0777 : $st[2] & 07777, content => $content };
	}
	return \%tree;
}

# Makes those directories below a root what the tree says.
sub make {
	my ($root, $tree, @tops) = @_;
	remove_tree(map { "$root/$_" } @tops);
	for my $path (sort keys %$tree) {
		my ($node, $name) = ($tree->{$path}, "$root/$path");
		make_path($name =~ s{/[^/]*$}{}r) unless $tree->{$path =~ s{/[^/]*$}{}r};
		if ($node->{type} eq 'link') {
			symlink $node->{content}, $name or die "$name: $!";
			next;
		}
		if ($node->{type} eq 'dir') {
			-d $name or mkdir $name or die "$name: $!";
		} else {
			open my $f, '>', $name or die "$name: $!";
			print $f $node->{content};
			close $f or die "$name: $!";
		}
		chmod $node->{mode}, $name or die "$name: $!";
	}
}

sub key {
	my ($tree) = @_;
	return join "\n", map { my $n = $tree->{$_}; sprintf '%s %s %o %s', $_, $n->{type}, $n->{mode}, md5_hex($n->{content}) }
		sort keys %$tree;
}

# --- the record ---

# Options of strace for a record that replay() reads: the calls that it knows, and those that it must not miss.
my @known = qw(openat write fchmod fsync fdatasync rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat symlink);
my @unknown = qw(open creat pwrite64 writev pwritev truncate ftruncate fallocate link linkat symlinkat chmod fchmodat
	copy_file_range sendfile syncfs sync sync_file_range);
sub strace_options { return ('-f', '-y', '-xx', '-s', 1 << 20, '-e', 'trace=' . join(',', @known, @unknown)) }

# The calls that succeeded, in the order of their ends: [NAME, ARGUMENT..., RESULT].
sub calls {
	my ($trace) = @_;
	my (%begun, @calls);
	for (split /\n/, $trace) {
		my ($pid, $rest) = /^(\d+) +(.*)$/ or next;
		if ($rest =~ /^(.*) <unfinished \.\.\.>$/) { $begun{$pid} = $1; next }
		$rest =~ s/^<\.\.\. \w+ resumed>/delete $begun{$pid}/e;
		my ($name, $args, $result) = $rest =~ /^(\w+)\((.*)\)\s+= (.*)$/ or next;
		next if $result =~ /^-1/;
		push @calls, [ $name, map { s/\\x(..)/chr hex $1/ger } split(/, /, $args), $result ];
	}
	return @calls;
}

# "..." and N</path> as what they stand for.
sub string { return $_[0] =~ /^"(.*)"$/s ? $1 : die "no string: $_[0]\n" }
sub path_of { return $_[0] =~ /^\w+<(.*)>$/s ? $1 : die "no descriptor: $_[0]\n" }
sub at { my ($dir, $name) = @_; $name = string($name); return $name =~ m{^/} ? $name : path_of($dir) . "/$name" }

# What those calls changed below these directories of the root, as operations: [KIND, PATH, ...].
sub operations {
	my ($trace, $root, @tops) = @_;
	my $below = join '|', map { quotemeta } @tops;
	my @operations;
	for (calls($trace)) {
		my ($name, @a) = @$_;
		my $result = pop @a;
		my @new =
			$name eq 'openat' ? (($a[2] =~ /O_CREAT|O_TRUNC/) ? ['create', path_of($result), oct($a[3] // 0666)] : ()) :
			$name eq 'write' ? ['write', path_of($a[0]), substr(string($a[1]), 0, $result)] :
			$name eq 'fchmod' ? ['chmod', path_of($a[0]), oct $a[1]] :
			$name =~ /^f(?:data)?sync$/ ? ['sync', path_of($a[0])] :
			$name eq 'rename' ? ['rename', string($a[0]), string($a[1])] :
			$name =~ /^renameat/ ? ['rename', at(@a[0, 1]), at(@a[2, 3])] :
			$name =~ /^(?:unlink|rmdir)$/ ? ['unlink', string($a[0])] :
			$name eq 'unlinkat' ? ['unlink', at(@a[0, 1])] :
			$name eq 'mkdir' ? ['mkdir', string($a[0]), oct $a[1]] :
			$name eq 'mkdirat' ? ['mkdir', at(@a[0, 1]), oct $a[2]] :
			$name eq 'symlink' ? ['symlink', string($a[1]), string($a[0])] : ['unknown', "@a"];
		for my $new (@new) {
			die "the model does not know $name\n" if $new->[0] eq 'unknown' && $new->[1] =~ m{\Q$root\E/(?:$below)};
			next unless $new->[1] =~ s{^\Q$root\E/((?:$below)(?:/|$))}{$1};
			$new->[2] =~ s{^\Q$root\E/}{} if $new->[0] eq 'rename';
			push @operations, $new;
		}
	}
	return @operations;
}

# --- the model ---

# Inodes have the versions of their content and mode, directories those of their entries, [WHEN, VALUE]; and when they
# were synced. Time is the number of the operation; what was there before is of time 0, and durable.
sub new {
	my ($class, $tree) = @_;
	my $self = bless { time => 0, inodes => [], operations => [] }, $class;
	$self->{top} = $self->inode('dir', 0755);
	for my $path (sort { length $a <=> length $b } keys %$tree) {
		my $node = $tree->{$path};
		my ($dir, $name) = $self->parent($path, 1);
		push @{$dir->{entries}{$name}}, [0, $self->inode($node->{type}, $node->{mode}, $node->{content})];
	}
	return $self;
}

sub inode {
	my ($self, $type, $mode, $content) = @_;
	my $inode = { type => $type, modes => [[$self->{time}, $mode]], contents => [[$self->{time}, $content // '']],
		entries => {}, synced => [0] };
	push @{$self->{inodes}}, $inode;
	return $inode;
}

# The directory of a path, and the last part. Those above a top are there, made where they are missing.
sub parent {
	my ($self, $path, $make) = @_;
	my @parts = split m{/}, $path;
	my $name = pop @parts;
	my $dir = $self->{top};
	for (@parts) {
		push @{$dir->{entries}{$_}}, [0, $self->inode('dir', 0755)] if $make && !$dir->{entries}{$_};
		$dir = $dir->{entries}{$_}[-1][1];
	}
	return ($dir, $name);
}

sub lookup {
	my ($self, $path) = @_;
	my ($dir, $name) = $self->parent($path);
	return $dir->{entries}{$name}[-1][1];
}

sub enter {
	my ($self, $path, $inode) = @_;
	my ($dir, $name) = $self->parent($path);
	my $entry = $dir->{entries}{$name} //= [[0, undef]];
	push @$entry, [$self->{time}, $inode];
}

my %does = (
	create => sub { my ($self, $path, $mode) = @_; $self->enter($path, $self->inode('file', $mode & ~022)) },
	mkdir => sub { my ($self, $path, $mode) = @_; $self->enter($path, $self->inode('dir', $mode & ~022)) },
	symlink => sub { my ($self, $path, $target) = @_; $self->enter($path, $self->inode('link', 0777, $target)) },
	write => sub {
		my ($self, $path, $data) = @_;
		my $inode = $self->lookup($path);
		push @{$inode->{contents}}, [$self->{time}, $inode->{contents}[-1][1] . $data];
	},
	chmod => sub { my ($self, $path, $mode) = @_; push @{$self->lookup($path)->{modes}}, [$self->{time}, $mode] },
	sync => sub { my ($self, $path) = @_; push @{$self->lookup($path)->{synced}}, $self->{time} },
	rename => sub {
		my ($self, $from, $to) = @_;
		$self->enter($to, $self->lookup($from));
		$self->enter($from, undef);
	},
	# A directory that is not empty is not unlinked, so that what is in it stays out of sight.
	unlink => sub { my ($self, $path) = @_; $self->enter($path, undef) },
);

sub replay {
	my ($self, @operations) = @_;
	for (@operations) {
		my ($kind, @args) = @$_;
		$self->{time}++;
		push @{$self->{operations}}, $_;
		$does{$kind}->($self, @args);
	}
}

# What may be on the disk of these versions when the power goes after the operation `time`: the one that was synced last,
# and all after it. Syncs at the times `without` are left out.
sub candidates {
	my ($versions, $synced, $time, $without) = @_;
	my ($durable) = grep { $_ <= $time && !$without->{$_} } reverse @$synced;
	my @past = grep { $_->[0] <= $time } @$versions;
	shift @past while @past > 1 && $past[1][0] <= $durable;
	return map { $_->[1] } @past;
}

sub even { my ($n, $most) = @_; return $n <= $most ? 1 .. $n : map { int $_ * $n / $most } 1 .. $most }

# What may be left of data on the way from old to new, which it begins with.
sub torn {
	my ($old, $new) = @_;
	my ($from, $length) = (length $old, length $new);
	my @cuts = ($from, $from + 1, map({ $_ * $SECTOR } even(int(($length - 1) / $SECTOR), 6)), int(($from + $length) / 2), $length - 1);
	my %torn = ($old => 1, $new => 1);
	for my $cut (grep { $_ >= $from && $_ < $length } @cuts) {
		my ($begin, $rest) = (substr($new, 0, $cut), $length - $cut);
		$torn{$_} = 1 for $begin, $begin . "\0" x $rest, $begin . substr("-D\n-e 0\n\xa5" x $rest, 0, $rest);
		my $lost = $rest < $SECTOR ? $rest : $SECTOR;
		$torn{$begin . "\0" x $lost . substr $new, $cut + $lost} = 1;
	}
	return sort keys %torn;
}

# Calls code with each combination of one out of each list.
sub combine {
	my ($lists, $code, @chosen) = @_;
	return $code->(@chosen) if @chosen == @$lists;
	combine($lists, $code, @chosen, $_) for @{$lists->[@chosen]};
}

# Calls code with each tree that may be found after a power cut behind the operation `time`; without: syncs that are taken
# for ones that were not called, { TIME => 1 }.
sub states {
	my ($self, $time, $code, $without) = @_;
	$without //= {};
	my @open;	# entries that are not certain: [directory, name, candidate...]
	for my $dir (@{$self->{inodes}}) {
		for my $name (sort keys %{$dir->{entries}}) {
			my @may = candidates($dir->{entries}{$name}, $dir->{synced}, $time, $without);
			$dir->{now}{$name} = $may[-1];
			push @open, [ $dir, $name, @may ] if @may > 1;
		}
	}
	combine([ map { my ($dir, $name, @may) = @$_; [ map { [$dir, $name, $_] } @may ] } @open ], sub {
		$_->[0]{now}{$_->[1]} = $_->[2] for @_;
		my (%tree, @torn);
		my @todo = ([ '', $self->{top} ]);
		while (my $at = shift @todo) {
			my ($path, $inode) = @$at;
			my @modes = candidates($inode->{modes}, $inode->{synced}, $time, $without);
			my @contents = candidates($inode->{contents}, $inode->{synced}, $time, $without);
			@contents = torn($contents[0], $contents[-1]) if @contents > 1;
			if ($path ne '') {
				$tree{$path} = { type => $inode->{type}, mode => $modes[-1], content => $contents[-1] };
				push @torn, [ map { my $m = $_; map { [ $path, { type => $inode->{type}, mode => $m, content => $_ } ] } @contents } @modes ]
					if @modes * @contents > 1;
			}
			push @todo, map { [ $path eq '' ? $_ : "$path/$_", $inode->{now}{$_} ] } grep { $inode->{now}{$_} }
				sort keys %{$inode->{entries}};
		}
		combine(\@torn, sub { $code->({ %tree, map { @$_ } @_ }) });
	});
}

1;
