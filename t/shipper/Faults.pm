# Runs a shipper with the configuration that is shipped on recorded journals, lets faults happen, and counts what the
# destination has not got, and what it has got twice.
#
#   my $run = Faults->new(shipper => SHIPPER, dir => EMPTY DIRECTORY, events => 3000);   # patience, quiet: in seconds
#   for ($run->faults) { my $r = $run->try($_); ... }
#
# A SHIPPER is { name, command => sub (place) returning the command, cursor => its cursor's file below the state's directory,
# refused => directory of what it puts aside, chunks => where it keeps what it has not sent, points => [ system calls that are
# points to kill it at ] }.
# A result: lost (records that are neither at the destination nor put aside), kept (put aside), twice (entries sent again
# under the same insertId: the destination drops them), clash (another entry under an insertId that is taken: the
# destination would drop it, too, so that its records count as lost), more (records that came under two insertIds), missing
# (which are lost), entries, records, starts, restarts (it ended by itself), skipped (why).
package Faults;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use JSON::XS;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

my $STATE = '/var/lib/cloud-audit-logging';
my $json = JSON::XS->new->utf8->canonical;
my $MANY = 1_000_000;

# --- the shippers ---
sub edited {
	my ($from, $to, $place, @more) = @_;
	for my $file (glob "$from/*") {
		next unless -f $file;
		open my $in, '<', $file or die "$file: $!\n";
		my $text = do { local $/; <$in> };
		# Only places and addresses: all else runs as it is shipped.
		$text =~ s{\Q$STATE\E}{$place->{state}}g;
		$text =~ s{/var/log/journal}{$place->{journal}}g;
		$text =~ s{$_->[0]}{$_->[1]}g for @more;
		open my $out, '>', "$to/" . $file =~ s{.*/}{}r or die "$to: $!\n";
		print $out $text;
	}
}
sub fluent_bit {
	my ($program) = @_;
	return { name => 'fluent-bit', cursor => 'fluent-bit/cursor.db', refused => 'fluent-bit/storage/rejected', chunks => 'fluent-bit/storage',
		points => [ qw(pwrite64 fallocate rename) ],
		command => sub {
			my ($p) = @_;
			edited('k8s/components/fluent-bit', $p->{conf}, $p, [ 'http://169\.254\.169\.254' => "http://127.0.0.1:$p->{port}" ],
				[ '(?m)^( *)metadata_server: ' => "      cloud_logging_base_url: https://127.0.0.1:$p->{port}\n      tls: on\n      tls.verify: off\n      metadata_server: " ],
				[ 'http_port: 2020' => "http_port: $p->{metrics}" ], [ 'port: 2021' => 'port: ' . ($p->{metrics} + 1) ]);
			return ($program, '-c', "$p->{conf}/fluent-bit.yaml");
		} };
}
sub fluentd {
	my ($program) = @_;
	return { name => 'fluentd', cursor => 'fluentd/cursor.json', refused => 'fluentd/backup', chunks => 'fluentd/buffer', points => [ qw(rename write fsync) ],
		command => sub {
			my ($p) = @_;
			edited('k8s/base/fluentd', $p->{conf}, $p, [ 'port 24231' => "port $p->{metrics}" ], [ 'bind 0\.0\.0\.0' => 'bind 127.0.0.1' ],
				[ '(?m)^( *)log_id linux-auditd' => "  log_id linux-auditd\n  metadata_url http://127.0.0.1:$p->{port}\n  logging_url http://127.0.0.1:$p->{port}" ]);
			return ((split ' ', $program), '--no-supervisor', '-c', "$p->{conf}/fluent.conf", '-p', $p->{conf});
		} };
}

# --- a run ---
sub new {
	my ($class, %o) = @_;
	my $self = bless { events => 3000, parts => 4, patience => 60, quiet => 7, settled => 6, %o }, $class;
	return $self;
}
# Each fault: its name, what happens, and what may be lost by it at most (in records; the rest is a failure).
sub faults {
	return ([ undisturbed => sub { } ],
		[ 'SIGKILL, 20 times, at random' => sub { my ($s) = @_; for (1 .. 20) { $s->start_to_work; sleep rand 0.9; $s->kill } } ],
		[ 'SIGKILL at the points where state is saved' => \&at_points ],
		[ 'disk full' => \&disk_full ], [ 'vacuum while it is down' => \&vacuum ], [ rotation => \&rotation ],
		[ 'power lost while the destination is away' => \&power_lost ],
		[ 'cursor of garbage' => sub { my ($s) = @_; $s->damage('garbage' x 100) } ],
		[ 'cursor empty' => sub { my ($s) = @_; $s->damage('') } ],
		(map { my $code = $_; [ $code => sub { my ($s) = @_; $s->answer($code); $s->start; sleep 8; $s->answer(200) } ] } qw(400 403 413 429 503)),
		[ 'partial success' => sub { my ($s) = @_; $s->answer('partial'); $s->start; sleep 8; $s->answer(200) } ],
		[ outage => sub { my ($s) = @_; $s->answer('down'); $s->start; sleep 10; $s->answer(200) } ]);
}
sub try {
	my ($self, $fault) = @_;
	$self->prepare;
	$fault->[1]->($self);
	$self->start;
	my $r = $self->wait_for_all;
	$self->finish;
	return $r;
}
sub prepare {
	my ($self) = @_;
	my $d = abs_path($self->{dir}) . '/' . ++$self->{n};
	my %p = (top => $d, map { $_ => "$d/$_" } qw(state conf journal destination later));
	make_path(grep { m{/} } values %p);
	# Recorded once, copied for each run.
	my $recorded = abs_path($self->{dir}) . '/recorded';
	if (!-d $recorded) {
		make_path($recorded);
		my $index = `t/shipper/journal $recorded $self->{events} $self->{parts}`;
		die "no journal recorded\n" if $?;
		$self->{index} = [ map { [ split ' ' ] } split /\n/, $index ];
	}
	copy($_, $p{journal} . '/' . s{.*/}{}r) or die "$_: $!\n" for glob "$recorded/*";
	open my $to, '|-', 't/shipper/destination', $p{destination} or die "t/shipper/destination: $!\n";
	$self->{destination} = $to;
	for (1 .. 100) { last if -s "$p{destination}/port"; sleep 0.1 }
	open my $port, '<', "$p{destination}/port" or die "the destination does not start\n";
	$p{port} = <$port>;
	$p{metrics} = 20000 + $$ % 12000;
	$self->{place} = \%p;
	$self->{command} = [ $self->{shipper}{command}->(\%p) ];
	@$self{qw(pid starts restarts invalid lost_with mounted)} = (undef, 0, 0, {}, {}, 0);
}
sub answer { my ($self, $how) = @_; spew("$self->{place}{destination}/answer", "$how\n") }
sub spew { my ($path, $text) = @_; open my $f, '>', "$path.new" or die "$path: $!\n"; print $f $text; close $f; rename "$path.new", $path or die }
sub start {
	my ($self, @before) = @_;
	return if $self->alive;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', "$self->{place}{top}/log";
		open STDERR, '>&', \*STDOUT;
		@ENV{qw(NODE_NAME CLUSTER_NAME CLUSTER_LOCATION)} = qw(node-1 cluster place);
		exec @before, @{$self->{command}} or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	$self->{starts}++;
}
sub alive {
	my ($self) = @_;
	return 0 unless $self->{pid};
	return 1 unless waitpid($self->{pid}, WNOHANG) == $self->{pid};
	$self->{pid} = undef;
	$self->{restarts}++;
	return 0;
}
# Until it has begun to take in records: on a slow machine it may be killed many times before that. Not for long: it may have all.
sub start_to_work {
	my ($self) = @_;
	my $before = $self->taken;
	$self->start;
	for (1 .. 200) { last if $self->taken > $before + 20_000; sleep 0.03 }
}
# Bytes, kept and sent.
sub taken {
	my ($self) = @_;
	my $sum = -s "$self->{place}{destination}/got" || 0;
	$sum += $_ for `find $self->{place}{state} -type f -printf '%s\n' 2>/dev/null`;
	return $sum;
}
# The group: strace, which may be before it, and what it started.
sub kill {
	my ($self) = @_;
	return unless $self->{pid};
	CORE::kill 'KILL', -$self->{pid};
	waitpid $self->{pid}, 0;
	$self->{pid} = undef;
}
sub finish {
	my ($self) = @_;
	$self->kill;
	close $self->{destination};
	system('umount', $self->{place}{state}) if $self->{mounted};
	remove_tree($self->{place}{top}) unless $self->{keep};
}

# --- the faults that need more than a line ---
sub at_points {
	my ($self) = @_;
	for my $call (@{$self->{shipper}{points}}) {
		for my $n (1, 3, 7, 20, 60) {
			$self->start('strace', '-f', '-o', '/dev/null', '-e', "trace=$call", '-e', "inject=$call:signal=KILL:when=$n");
			for (1 .. 40) { last unless $self->alive; sleep 0.1 }
			$self->kill;
		}
	}
}
sub disk_full {
	my ($self) = @_;
	my $state = $self->{place}{state};
	system("mount -t tmpfs -o size=3m tmpfs $state 2>/dev/null") == 0 or return $self->{skipped} = 'no right to mount a tmpfs';
	$self->{mounted} = 1;
	$self->answer(503);
	$self->start;
	# As the kubelet does it, when it ends by itself.
	for (1 .. 150) { sleep 0.1; $self->start if $_ % 20 == 0 }
	system("mount -o remount,size=200m $state") == 0 or die "remount\n";
	$self->answer(200);
}
# The files that were read in part go, and take with them what was not read.
sub vacuum {
	my ($self) = @_;
	$self->start;
	for (1 .. 100) { last if -s "$self->{place}{destination}/got"; sleep 0.1 }
	$self->kill;
	my @files = sort glob "$self->{place}{journal}/*";
	unlink @files[0 .. 1];
	$self->{lost_with} = $self->events_of(0, 1);
	return;
}
# The boundary of files is in the index's lines: the last of each says so.
sub events_of {
	my ($self, @parts) = @_;
	my %of;
	$of{$_->[0]} = 1 for grep { my $p = $_->[3]; grep { $p == $_ } @parts } @{$self->{index}};
	return \%of;
}
sub rotation {
	my ($self) = @_;
	my ($first, @rest) = sort glob "$self->{place}{journal}/*";
	rename $_, $self->{place}{later} . '/' . s{.*/}{}r or die for @rest;
	for (sort glob "$self->{place}{later}/*") {
		$self->start;
		sleep 2;
		rename $_, $self->{place}{journal} . '/' . s{.*/}{}r or die;
	}
}
# What was written to chunks last is not on the disk; what was renamed is, at the worst. The node's boot is told by a file, and what
# is to be on the disk after a minute after some seconds: half of that after the last of the journal was read.
sub power_lost {
	my ($self) = @_;
	my ($p, $settled) = @$self{qw(place settled)};
	my $boot = "$p->{top}/boot_id";
	for my $file (glob "$p->{conf}/*state.*") {
		open my $in, '<', $file or die "$file: $!\n";
		my $text = do { local $/; <$in> };
		$text =~ s{SETTLED = 60\b}{SETTLED = $settled} && $text =~ s{/proc/sys/kernel/random/boot_id}{$boot} or die "$file: not as expected\n";
		spew($file, $text);
	}
	spew($boot, "one\n");
	$self->answer('down');
	my @files = map { s{.*/}{}r } sort glob "$p->{journal}/*";
	rename "$p->{journal}/$_", "$p->{later}/$_" or die for @files;
	my ($chunks, $kept) = ("$p->{state}/$self->{shipper}{chunks}", "$p->{top}/kept");
	for my $file (@files) {
		system('rm', '-rf', $kept);
		system('cp', '-a', $chunks, $kept) if -e $chunks;
		rename "$p->{later}/$file", "$p->{journal}/$file" or die;
		$self->start;
		sleep $settled * ($file eq $files[-1] ? 0.5 : 1.5);
	}
	$self->kill;
	system('rm', '-rf', $chunks);
	system('cp', '-a', $kept, $chunks) if -e $kept;
	spew($boot, "two\n");
	$self->answer(200);
}
sub damage {
	my ($self, $text) = @_;
	$self->start;
	for (1 .. 100) { last if -s "$self->{place}{destination}/got"; sleep 0.1 }
	$self->kill;
	my $cursor = "$self->{place}{state}/$self->{shipper}{cursor}";
	for (glob("$cursor*"), glob($cursor =~ s{[^/]*$}{cursor*}r)) { open my $f, '>', $_ or die "$_: $!\n"; print $f $text }
}

# --- what has come ---
sub read_got {
	my ($self) = @_;
	my (%entry, %r);
	@r{qw(twice clash entries)} = (0, 0, 0);
	open my $f, '<', "$self->{place}{destination}/got" or return ({}, \%r);
	while (defined(my $line = <$f>)) {
		chomp $line;
		my ($id, $text) = split /\t/, $line, 2;
		$r{entries}++;
		if (!defined $entry{$id}) { $entry{$id} = $text; next }
		if ($entry{$id} eq $text) { $r{twice}++ } else { $r{clash}++; push @{$r{clashes}}, $entry{$id}, $text }
	}
	return (\%entry, \%r);
}
# Records of each event and type: those of a journal, and those of entries, one a record or one an event.
sub seen {
	my ($entries) = @_;
	my %seen;
	for (values %$entries) {
		my $p = $json->decode($_)->{jsonPayload};
		if ($p->{event}) {
			# How many there were of a type is not told, but of paths.
			$seen{$p->{event}}{$_} = $MANY for grep { $_ ne 'PATH' } @{$p->{type}};
			$seen{$p->{event}}{PATH} += @{$p->{paths} || []};
		} else { $seen{"$p->{BOOT_ID}-$p->{AUDIT_ID}"}{$p->{AUDIT_TYPE_NAME}}++ }
	}
	return \%seen;
}
sub count {
	my ($self) = @_;
	my ($entries, $r) = $self->read_got;
	my $seen = seen($entries);
	my %aside = map { $_ => 1 } $self->put_aside;
	if (open my $f, '<', "$self->{place}{destination}/invalid") { chomp(my @ids = <$f>); $aside{event($_)} = 1 for @ids }
	my (%want, %kept);
	$want{$_->[0]}{$_->[2]}++ for @{$self->{index}};
	@$r{qw(lost kept more records)} = (0, 0, 0, scalar @{$self->{index}});
	for my $event (keys %want) {
		next if $self->{lost_with}{$event};
		for my $type (keys %{$want{$event}}) {
			my $have = $seen->{$event}{$type} || 0;
			my $missing = $want{$event}{$type} - $have;
			$r->{more} -= $missing if $missing < 0 && $have < $MANY;
			next if $missing <= 0;
			if ($aside{$event}) { $r->{kept} += $missing } else { $r->{lost} += $missing; push @{$r->{missing}}, "$event $type" }
		}
	}
	return $r;
}
sub event { my ($id) = @_; return $id =~ /^([0-9a-f]{32}-\d+)/ ? $1 : $id }
# Chunks are no JSON, but insertIds stand in them as they are.
sub put_aside {
	my ($self) = @_;
	my $dir = "$self->{place}{state}/$self->{shipper}{refused}";
	my @found;
	for my $file (split /\n/, `find $dir -type f 2>/dev/null`) {
		open my $f, '<:raw', $file or next;
		my $text = do { local $/; <$f> };
		push @found, map { event($_) } $text =~ /([0-9a-f]{32}-\d+-\d+)/g;
	}
	return @found;
}
# Until nothing is missing, or nothing has come for long.
sub wait_for_all {
	my ($self) = @_;
	my ($size, $since, $r) = (-1, time);
	while (1) {
		sleep 0.5;
		$self->start;
		my $now = -s "$self->{place}{destination}/got" || 0;
		if ($now != $size) { ($size, $since) = ($now, time); $r = undef; next }
		$r ||= $self->count;
		last if !$r->{lost} || time - $since > $self->{patience};
	}
	# What is sent again comes after: both flush after 5 seconds.
	sleep $self->{quiet};
	$r = $self->count;
	@$r{qw(starts restarts)} = @$self{qw(starts restarts)};
	$r->{skipped} = delete $self->{skipped};
	return $r;
}
1;
