#!/usr/bin/perl
# Both shippers make the same entries: fluentd's Ruby and fluent-bit's Lua, each by itself, on the same records. First
# on those of every type (t/shipper/records), then on a recorded journal (t/shipper/journal): 12,000 events of four
# processors, mixed, some without their end, others with a record that comes late, the clock set back, a reboot in the middle;
# and once more with both killed in the middle and started again. The parts of an event are joined. What may differ is in
# %DIFFERENT, and nothing else does. fluentd and fluent-bit themselves: t/89-shippers.t.
use strict;
use warnings;
use File::Path qw(make_path);
use Test::More;
use lib 't/unit';
use Cli qw(run put slurp $tmp);

plan skip_all => 'JSON::XS is missing: apt-get install libjson-xs-perl' unless eval { require JSON::XS };
my $json = JSON::XS->new->utf8->canonical;
my ($lua) = grep { !(run($_, '-v'))[0] } qw(luajit lua5.1);
plan skip_all => 'lua5.1 is missing: apt-get install lua5.1' unless $lua;
plan skip_all => 'ruby is missing: apt-get install ruby' if (run('ruby', '--version'))[0];

# Where the two may differ, and why.
my %DIFFERENT = (
	# In how many parts an event comes, and where they are cut in time. Joined here.
	part => 1,
);

make_path("$tmp/bit", "$tmp/ruby", "$tmp/state/fluent-bit", "$tmp/journal");
put("$tmp/bit/" . s{.*/}{}r, slurp($_) =~ s{/var/lib/cloud-audit-logging}{$tmp/state}gr) for glob 'k8s/components/fluent-bit/*.lua';
sub entries_of {
	my ($records, $kill) = @_;
	unlink glob("$tmp/ruby/* $tmp/state/fluent-bit/*");
	$kill //= '';
	my $from = put("$tmp/records", $records);
	local $ENV{NODE_NAME} = 'node-1';
	my %of;
	for ([ fluentd => "ruby t/shipper/same.rb $tmp/ruby $kill" ], [ 'fluent-bit' => "$lua t/shipper/same.lua $tmp/bit $tmp/state/fluent-bit $kill" ]) {
		my ($name, $command) = @$_;
		my ($code, $out, $err) = run({ seconds => 300 }, 'sh', '-c', "$command <$from");
		is "$code $err", '0 ', "$name: runs to its end";
		$of{$name} = [ map { plain($json->decode($_)) } split /\n/, $out ];
	}
	return @of{qw(fluentd fluent-bit)};
}
# As Cloud Logging gets them: each of the two leaves something to its output.
sub plain {
	my ($e) = @_;
	my ($key, $keys) = (delete $e->{key}, delete $e->{keys});
	my $labels = delete $e->{'logging.googleapis.com/labels'};
	my $label = $labels ? $labels->{key} : $key // ($keys && join ',', @$keys);
	$e->{label} = $label if defined $label;
	# What fluentd's output does is told in t/shipper/output.rb.
	my $call = $e->{syscall};	# a copy: a number that is matched is a text from then on
	my $group = $labels ? $labels->{group} : ($call // '') =~ /^execve(?:at)?$/ ? 'exec' : undef;
	$e->{group} = $group if defined $group;
	$e->{id} = delete $e->{'logging.googleapis.com/insertId'} if $e->{'logging.googleapis.com/insertId'};
	delete @$e{qw(logging.googleapis.com/local_resource_id timestampSeconds timestampNanos)};
	return $e;
}
# What came again after a kill, once: the destination takes an insertId once.
sub once {
	my ($name, $entries) = @_;
	my (%of, @kept, @other);
	for my $e (@$entries) {
		my $text = $json->encode($e);
		if (!defined $of{$e->{id}}) { push @kept, $e; $of{$e->{id}} = $text } elsif ($of{$e->{id}} ne $text) { push @other, "$of{$e->{id}}\n$text" }
	}
	is scalar @other, 0, "$name: what comes again has the content that it had" or diag $other[0];
	return \@kept;
}
sub by_event {
	my (@entries) = @_;
	my %of;
	push @{$of{$_->{event}}}, $_ for @entries;
	return { map { $_ => [ sort { ($a->{part} || 0) <=> ($b->{part} || 0) } @{$of{$_}} ] } keys %of };
}
# Of events with parts what they say together: their records, and what is not of records.
sub joined {
	my (@events) = @_;
	my ($code, $out, $err) = run({ seconds => 120 }, 'sh', '-c', 'ruby t/shipper/parts.rb <' . put("$tmp/parts", join '', map { $json->encode($_) . "\n" } @events));
	is "$code $err", '0 ', '... the records of parts can be made again';
	my @joined = map { $json->decode($_) } split /\n/, $out;
	for my $i (0 .. $#events) {
		for my $p (@{$events[$i]}) { $joined[$i]{$_} //= $p->{$_} for grep { defined $p->{$_} } qw(event label group class container severity) }
	}
	return @joined;
}
# Each part goes on where the one before it ends, as far as that can be told: of EXECVE there may be more than one.
sub goes_on {
	my ($parts) = @_;
	my $next = 0;
	for my $p (@$parts) {
		return 0 if ($p->{part} // 0) < $next || $p->{id} ne "$p->{event}-" . ($p->{part} // 0);
		$next = ($p->{part} // 0) + @{$p->{type}};
	}
	# The first has no number where it was taken for all of the event.
	return !$parts->[0]{part};
}
sub compare {
	my ($name, $ruby, $bit) = @_;
	my ($r, $l) = map { by_event(@$_) } $ruby, $bit;
	is join(' ', sort keys %$r), join(' ', sort keys %$l), "$name: of the same events";
	my @both = grep { $l->{$_} } sort keys %$r;
	# Cut at the same places, by both or neither: entry by entry. Else as one.
	my $cut = sub { return join ' ', map { $_->{part} // 'whole' } @{$_[0]} };
	my %apart = map { $_ => 1 } grep { $cut->($r->{$_}) ne $cut->($l->{$_}) } @both;
	my @apart = sort keys %apart;
	my %pair = map { my $e = $_; $e => [ map { { map { $_->{part} // 'whole' => $_ } @{$_->{$e}} } } $r, $l ] } grep { !$apart{$_} } @both;
	if (@apart) {
		my @r = joined(map { $r->{$_} } @apart);
		my @l = joined(map { $l->{$_} } @apart);
		$pair{$apart[$_]} = [ { joined => $r[$_] }, { joined => $l[$_] } ] for 0 .. $#apart;
	}
	my (@different, %allowed);
	$allowed{part} = @apart if @apart;
	for my $event (sort keys %pair) {
		for my $part (sort keys %{$pair{$event}[0]}) {
			my ($one, $other) = map { $_->{$part} } @{$pair{$event}};
			for my $field (sort keys %{{ %$one, %$other }}) {
				my ($x, $y) = map { exists $_->{$field} ? $json->encode([ $_->{$field} ]) : 'absent' } $one, $other;
				push @different, "$event $part $field: fluentd $x, fluent-bit $y" if $x ne $y && !$DIFFERENT{$field};
			}
		}
	}
	is scalar @different, 0, "$name: the entries are the same" or diag join "\n", @different[0 .. ($#different < 4 ? $#different : 4)];
	is join(' ', grep { !goes_on($r->{$_}) } @both), '', '... the parts of fluentd\'s go on counting';
	is join(' ', grep { !goes_on($l->{$_}) } @both), '', '... and those of fluent-bit\'s';
	return (scalar keys %$r, \%allowed, scalar grep { @{$r->{$_}} > 1 } @both);
}

# --- every type of record ---
{
	my ($n, $text) = (0, '');
	for my $event (split /\n\n/, slurp('t/shipper/records')) {
		$n++;
		$text .= join '', map { join("\t", 'ab' x 16, $n, (1_785_600_000_000_000 + $n * 1000) x 2, $_) . "\n" } split /\n/, $event;
	}
	my ($events) = compare('records of every type', entries_of($text));
	is $events, $n, "... all $n events";
}

# --- texts that come again: what fluent-bit's scripts remember of them is changed by nobody ---
{
	my ($call) = slurp('t/shipper/records') =~ /^(SYSCALL .*)$/m;
	my $path = sub { return "PATH item=$_[0] name=\"/usr/bin/true\" inode=7 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL" };
	my ($argv, $title) = ('EXECVE argc=2 a0="sh" a1="one"', 'PROCTITLE proctitle=7368006F6E65');
	my @events = ([ $call, $argv, 'CWD cwd="/"', $path->(0), $path->(1), $title ], [ 'CWD cwd="/"', 'CWD cwd="/"', $call ],
		[ $call, $path->(1), $path->(0), $path->(2) ], [ $call, $argv, 'EXECVE a1="two"', $title ], [ $argv, $argv ],
		[ $call, 'SOCKADDR saddr=02000050C0000201', 'SOCKADDR saddr=02000050C0000201', 'CWD cwd=2F', $title, $title ],
		[ $call =~ s/ auid=/  auid=/r, $path->(0) =~ s/ dev=/ dev="x"/r, 'CWD cwd=/' ], [ $call =~ s/ a0=\S+//r, $path->('00'), 'EXECVE argc=2' ]);
	my ($n, $text) = (0, '');
	for my $event (@events, reverse(@events), @events) {
		$n++;
		$text .= join '', map { join("\t", 'ab' x 16, $n, (1_785_600_000_000_000 + $n * 1000) x 2, $_) . "\n" } @$event;
	}
	my ($events) = compare('texts that come again', entries_of($text));
	is $events, $n, "... all $n events";
}

# --- more sessions than are remembered ---
{
	my ($n, $text) = (0, '');
	my $add = sub {
		my ($message) = @_;
		$n++;
		$text .= join("\t", 'ab' x 16, $n, (1_785_600_000_000_000 + $n * 1000) x 2, $message) . "\n";
	};
	my $start = sub {
		my ($session, $auid, $vm, $exec, $pid) = @_;
		$add->(sprintf "VIRT_CONTROL pid=%d uid=0 auid=%u ses=%d subj=unconfined msg='op=start virt=container vm=\"%s\" " .
			"container=\"app-%d\" image=\"app:1\" exec=%s terminal=no res=success'", $pid // 9000 + $session, $auid, $session, $vm, $session, $exec);
	};
	my $call = sub { my ($session, $auid) = @_; $add->(sprintf "USER_LOGIN pid=7 uid=0 auid=%u ses=%d msg='op=login res=success'", $auid, $session) };
	$start->($_, 0xD6f1ed00, '6f1ed002' x 8, 'yes') for 1 .. 6000;
	$start->(6000, 0xD6f1ed00, '6f1ed002' x 8, 'yes');	# read again
	$start->(1, 0xD6f1ed00, '6f1ed002' x 8, 'yes', 3);
	$start->(6001, 0xD6f1ed00, '6f1ed002' x 8, 'yes');
	# Containers, of which the first two are used now and then: one by itself, one by a probe.
	my $auid = sub { return 0xC0000000 + $_[0] };
	$start->($_, $auid->($_), sprintf('%07x', $_) x 9, 'no') for 7000 .. 9999;
	my $from = $n;
	for my $session (10000 .. 12999) {
		$start->($session, $auid->($session), sprintf('%07x', $session) x 9, 'no');
		$call->(9500, $auid->(9500)) if $session % 100 == 0;
		$start->(20000 + $session, $auid->(9501) + 0x10000000, sprintf('%07x', 9501) x 9, 'yes') if $session % 100 == 50;
	}
	$call->($_, $auid->($_)) for 9500 .. 9502;
	my ($ruby, $bit) = entries_of($text);
	compare('thousands of sessions', $ruby, $bit);
	my $told = sub { my ($n) = @_; return join ' ', map { $_->[$n]{container}{source} . ' ' . ($_->[$n]{container}{name} // '-') } $ruby, $bit };
	is join(', ', map { $told->($_) } 6000, 6001, 6002), 'start - start -, claimed app-1 claimed app-1, start - start -',
		'a start in a session that is forgotten is not believed, by either; one that is read again is';
	is join(', ', map { $told->($_) } -3, -2, -1), 'start app-9500 start app-9500, start app-9501 start app-9501, auid - auid -',
		'of containers that are forgotten for their number those go that were not used for longest';
}

# --- a recorded journal ---
SKIP: {
	my ($code, undef, $err) = run({ seconds => 120 }, 't/shipper/journal', "$tmp/journal", 12000, 2, 'late');
	skip $err =~ s/\n.*//sr, 1 if $code;
	my ($text, $n) = ('', 0);
	open my $in, '-|', 'journalctl', '-a', '-D', "$tmp/journal", '_TRANSPORT=audit', '-o', 'json',
		'--output-fields=_BOOT_ID,_AUDIT_ID,_SOURCE_REALTIME_TIMESTAMP,MESSAGE' or die;
	while (defined(my $line = <$in>)) {
		my $r = $json->decode($line);
		# Bytes that are no UTF-8 come as a list of numbers.
		my $message = ref $r->{MESSAGE} ? pack('C*', @{$r->{MESSAGE}}) : $r->{MESSAGE};
		utf8::encode($message) unless ref $r->{MESSAGE};
		$text .= join("\t", @$r{qw(_BOOT_ID _AUDIT_ID _SOURCE_REALTIME_TIMESTAMP __REALTIME_TIMESTAMP)}, $message) . "\n";
		$n++;
	}
	my ($ruby, $bit) = entries_of($text);
	my ($events, $allowed, $parts) = compare('a recorded journal', $ruby, $bit);
	cmp_ok $events, '>=', 10000, "... all $events events";
	cmp_ok $parts, '>=', 100, "... $parts of them in several parts, because records came late";
	cmp_ok scalar(grep { defined $_->{part} && defined $_->{items} } @$ruby), '>=', 20, '... and others without an end';
	note 'cut elsewhere by the other: ' . ($allowed->{part} // 0);
	my ($ruby2, $bit2) = entries_of($text, int($n / 2));
	for ([ fluentd => $ruby, $ruby2 ], [ 'fluent-bit' => $bit, $bit2 ]) {
		my ($name, $without, $with) = @$_;
		cmp_ok scalar @$with, '>', scalar @$without, "$name, killed in the middle: some come again";
	}
	compare('the same, both killed in the middle', once('fluentd', $ruby2), once('fluent-bit', $bit2));
}
done_testing;
