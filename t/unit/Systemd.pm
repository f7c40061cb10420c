# A systemd that does what it is told: below a made-up root, whose units it reads as they are there, and with a made-up
# kernel (Auditctl.pm). It enables and disables by links, runs the commands of units, and boots.
package Systemd;
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use Auditctl;
use DBus;

my $ETC = '/etc/systemd/system';
my $MANAGER = 'org.freedesktop.systemd1.Manager';
my $JOURNALD = 'systemd-journald.service';
my $SOCKET = 'systemd-journald-audit.socket';

# kernel: the name of its file.
sub new { my ($class, $root, $kernel) = @_; return bless { root => $root, kernel => $kernel, state => {}, jobs => 0 }, $class }

sub slurp { my ($path) = @_; open my $f, '<', $path or return undef; local $/; return <$f> // '' }

# --- units, as they are on the disk ---

sub fragment {
	my ($self, $unit) = @_;
	my ($found) = grep { -f "$self->{root}$_/$unit" } $ETC, '/usr/lib/systemd/system';
	return defined $found ? "$found/$unit" : undef;
}

# The values of a key, of the unit's file and its drop-ins; an empty one takes those before it away.
sub values_of {
	my ($self, $unit, $key) = @_;
	my $fragment = $self->fragment($unit);
	return () unless defined $fragment;
	my @values;
	for my $file ("$self->{root}$fragment", sort glob "$self->{root}$ETC/$unit.d/*.conf") {
		for my $value ((slurp($file) // '') =~ /^\Q$key\E=(.*)$/mg) {
			if ($value eq '') { @values = () } else { push @values, $value }
		}
	}
	return @values;
}

# The words of a command line (systemd.service(5), "Command lines").
sub words {
	my ($line) = @_;
	my @words;
	push @words, defined $1 ? $1 : $2 while $line =~ /\G\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))/gc;
	for (@words) {
		s/\\x(..)|\\(.)/defined $1 ? chr hex $1 : $2/ge;
		s/(\$|%)\1/$1/g;
	}
	$words[0] =~ s/^[-+:!\@]+// if @words;
	return @words;
}

# Names of units that a boot starts: the links in multi-user.target.wants.
sub enabled { my ($self) = @_; return map { s{^.*/}{}r } sort grep { -l } glob "$self->{root}$ETC/multi-user.target.wants/*" }

# --- what runs ---

sub kernel {
	my ($self, $code) = @_;
	my $kernel = Auditctl::load($self->{kernel});
	my $result = $code->($kernel);
	Auditctl::store($kernel, $self->{kernel});
	return $result;
}

# Runs a command with the root's files in the place of the host's: its exit status.
sub command {
	my ($self, $input, @words) = @_;
	my $root = $self->{root};
	return $self->kernel(sub { (Auditctl::auditctl($_[0], $root, $input, @words[1 .. $#words]))[0] }) if $words[0] =~ m{/auditctl$};
	return -x "$root$words[0]" ? 0 : 203 if $words[0] ne '/bin/sh';
	# How a transient unit loads rules: "$0" is auditctl.
	return $self->command($input, $words[3], '-R', '/dev/stdin') if defined $input;
	s{(?<![\w./])/(?=(?:etc|home|opt|run|sbin|sys|usr|var)/)}{$root/}g for @words[2 .. $#words];
	local %ENV = (PATH => '/usr/sbin:/usr/bin:/sbin:/bin');
	# What it says goes to the journal, which there is none of.
	open my $out, '>&', \*STDOUT or die;
	open my $err, '>&', \*STDERR or die;
	open STDOUT, '>', '/dev/null' or die;
	open STDERR, '>', '/dev/null' or die;
	my $status = system { $words[0] } @words;
	open STDOUT, '>&', $out or die;
	open STDERR, '>&', $err or die;
	return $status >> 8;
}

# Starts a oneshot service of ours and what it requires: is it active?
sub start {
	my ($self, $unit) = @_;
	return 1 if ($self->{state}{$unit} // '') eq 'active';
	return 0 unless defined $self->fragment($unit);
	my ($ok, $status) = (1, 0);
	for (map { split ' ' } $self->values_of($unit, 'Requires')) { $ok = 0 unless $self->start($_) }
	return 0 unless $ok;
	make_path("$self->{root}/run/$_") for $self->values_of($unit, 'RuntimeDirectory');
	for my $key (qw(ExecCondition ExecStartPre ExecStart ExecStartPost)) {
		for ($self->values_of($unit, $key)) {
			$status = $self->command(undef, words($_)) if $status == 0 || /^-/;
			$status = 0 if /^-/;
		}
	}
	$self->command(undef, words($_)) for $status ? $self->values_of($unit, 'ExecStopPost') : ();
	$self->{state}{$unit} = $status ? 'failed' : 'active';
	return $status == 0;
}

sub stop {
	my ($self, $unit) = @_;
	return if ($self->{state}{$unit} // '') ne 'active';
	$self->{state}{$unit} = 'inactive';
	# Who requires it goes along.
	for my $other (keys %{$self->{state}}) {
		$self->stop($other) if grep { $_ eq $unit } map { split ' ' } $self->values_of($other, 'Requires');
	}
	$self->command(undef, words($_)) for $self->values_of($unit, 'ExecStop'), $self->values_of($unit, 'ExecStopPost');
}

# What the kernel holds after a boot, and who is active: enabled units in the order of their After=.
sub boot {
	my ($self) = @_;
	Auditctl::store(Auditctl::fresh(), $self->{kernel});
	remove_tree("$self->{root}/run/cloud-audit-setup");
	$self->{state} = {};
	my @todo = $self->enabled;
	while (@todo) {
		my %todo = map { $_ => 1 } @todo;
		my ($next) = grep { my $u = $_; !grep { $_ ne $u && $todo{$_} } map { split ' ' } $self->values_of($u, 'After') } @todo;
		$next //= $todo[0];
		$self->start($next);
		@todo = grep { $_ ne $next } @todo;
	}
	$self->{state}{$SOCKET} = 'active' if $self->values_of($JOURNALD, 'Sockets');
	return Auditctl::load($self->{kernel});
}

# --- what it is asked over D-Bus ---

sub enable {
	my ($self, $call, $units) = @_;
	my @changes;
	for my $unit (@$units) {
		for my $target (map { split ' ' } $self->values_of($unit, 'WantedBy')) {
			my $dir = "$self->{root}$ETC/$target.wants";
			mkdir $dir;
			next if -l "$dir/$unit";
			symlink "$ETC/$unit", "$dir/$unit" or die;
			push @changes, ['symlink', "$ETC/$target.wants/$unit", "$ETC/$unit"];
		}
	}
	return ['ba(sss)', 1, \@changes];
}

sub disable {
	my ($self, $call, $units) = @_;
	my @changes;
	for my $unit (@$units) {
		for my $link (glob "$self->{root}$ETC/*.wants/$unit") {
			unlink $link or die;
			rmdir $link =~ s{/[^/]*$}{}r;
			push @changes, ['unlink', substr($link, length $self->{root}), ''];
		}
	}
	return ['a(sss)', \@changes];
}

sub job {
	my ($self, $ok) = @_;
	my $path = '/org/freedesktop/systemd1/job/' . ++$self->{jobs};
	return ['o', $path, [$path, $ok ? 'done' : 'failed']];
}

sub start_job {
	my ($self, $call, $unit) = @_;
	return $self->job(0) if grep { $_ eq $unit } @{$self->{refuse} // []};
	if ($unit eq $JOURNALD) {
		$self->{state}{$SOCKET} = 'active' if $self->values_of($JOURNALD, 'Sockets');
		return $self->job(1);
	}
	$self->stop($unit) if $call->{member} eq 'RestartUnit';
	return $self->job($self->start($unit));
}

sub start_transient {
	my ($self, $call, $unit, undef, $properties) = @_;
	my %property = map { $_->[0] => $_->[1] } @$properties;
	my $input = exists $property{StandardInputData} ? join '', map { chr } @{$property{StandardInputData}} : undef;
	return $self->job($self->command($input, @{$property{ExecStart}[0][1]}) == 0);
}

sub file_state {
	my ($self, $call, $unit) = @_;
	return ['error', 'org.freedesktop.DBus.Error.FileNotFound', "no $unit"] unless defined $self->fragment($unit);
	return ['s', (grep { $_ eq $unit } $self->enabled) ? 'enabled' : 'disabled'];
}

sub list {
	my ($self, $call, $units) = @_;
	return ['a(ssssssouso)', [ map { [$_, '', defined $self->fragment($_) ? 'loaded' : 'not-found', $self->{state}{$_} // 'inactive',
		'', '', '/', 0, '', '/'] } @$units ]];
}

my %property = (
	LoadState => sub { ['s', defined $_[0]->fragment($_[1]) ? 'loaded' : 'not-found'] },
	ActiveState => sub { ['s', $_[0]{state}{$_[1]} // 'inactive'] },
	SubState => sub { ['s', $_[0]{state}{$_[1]} // 'dead'] },
	UnitFileState => sub { my $r = $_[0]->file_state(undef, $_[1]); $r->[0] eq 's' ? $r : ['s', ''] },
	FragmentPath => sub { ['s', $_[0]->fragment($_[1]) // ''] },
	DropInPaths => sub { my ($s, $u) = @_; ['as', [map { substr $_, length $s->{root} } sort glob "$s->{root}$ETC/$u.d/*.conf"]] },
	NeedDaemonReload => sub { ['b', 0] },
	ExecMainStartTimestamp => sub { ['t', 5] },
	Environment => sub { ['as', [map { /^"(.*)"$/ ? $1 : split ' ' } $_[0]->values_of($_[1], 'Environment')]] },
	ExecMainStatus => sub { ['i', 1] },
	Result => sub { ['s', 'exit-code'] },
	Job => sub { ['(uo)', [0, '/']] },
);

sub get_property {
	my ($self, $call, undef, $name) = @_;
	return ['v', ['as', ['LANG=C', 'PATH=/usr/local/sbin:/usr/bin']]] if $call->{path} eq '/org/freedesktop/systemd1' && $name eq 'Environment';
	my $unit = $call->{path} =~ s{^.*/}{}r =~ s/_([0-9a-f]{2})/chr hex $1/ger;
	return ['error', 'org.freedesktop.DBus.Error.UnknownProperty', "Systemd.pm knows no $name"] unless $property{$name};
	return ['v', $property{$name}->($self, $unit)];
}

my %method = (
	Subscribe => sub { [''] }, Reload => sub { [''] }, Cancel => sub { [''] },
	EnableUnitFiles => \&enable, DisableUnitFiles => \&disable, GetUnitFileState => \&file_state,
	StartUnit => \&start_job, RestartUnit => \&start_job, StartTransientUnit => \&start_transient,
	StopUnit => sub { my ($self, $call, $unit) = @_; $self->stop($unit); $self->job(1) },
	ResetFailedUnit => sub { $_[0]{state}{$_[2]} = 'inactive'; [''] },
	ListUnitsByNames => \&list,
	GetUnit => sub { ['error', 'org.freedesktop.systemd1.NoSuchUnit', "no $_[2]"] },
	Get => \&get_property,
);

sub answer {
	my ($self, $bus, $call) = @_;
	my $method = $method{$call->{member}} || sub { ['error', 'org.freedesktop.DBus.Error.UnknownMethod', "Systemd.pm has no $call->{member}"] };
	my ($signature, @values) = @{$method->($self, $call, @{$call->{args}})};
	return $bus->error($call, @values) if $signature eq 'error';
	my $ended = $signature eq 'o' ? pop @values : undef;
	$bus->reply($call, $signature, @values);
	$bus->signal('/org/freedesktop/systemd1', $MANAGER, 'JobRemoved', 'uoss', 1, $ended->[0], 'x.service', $ended->[1])
		if $ended;
}

# Runs a command that finds this systemd at the private socket below the root: its wait status.
sub serve {
	my ($self, @command) = @_;
	my $listener = DBus::listen_at("$self->{root}/run/systemd/private");
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		close $listener;
		exec { $command[0] } @command or die "$command[0]: $!";
	}
	local $SIG{CHLD} = sub { };
	while (waitpid($pid, 1) == 0) {
		vec(my $set = '', fileno $listener, 1) = 1;
		next unless select($set, undef, undef, 0.02) > 0;
		my $bus = DBus::let_in($listener->accept || next) or next;
		while (my $call = $bus->call) { $self->answer($bus, $call) }
		# A program that has gone away ends, but for one that comes again.
		next if $self->{again};
		waitpid $pid, 0;
		return $?;
	}
	return $?;
}

1;
