# The server's end of a D-Bus connection (the D-Bus specification, "Message Protocol", "Authentication Protocol"), as
# much of it as a systemd needs on its private socket: everybody is let in, calls come in, replies and signals go out.
package DBus;
use strict;
use warnings;
use IO::Socket::UNIX;

my %number = (y => [1, 'C'], b => [4, 'V'], n => [2, 's<'], q => [2, 'v'], i => [4, 'l<'], u => [4, 'V'],
	x => [8, 'q<'], t => [8, 'Q<'], d => [8, 'd<'], h => [4, 'V']);
my %alignment = ((map { $_ => $number{$_}[0] } keys %number), a => 4, s => 4, o => 4, g => 1, v => 1, '(' => 8, '{' => 8);
my ($CALL, $RETURN, $ERROR, $SIGNAL) = (1 .. 4);

# The complete types that a signature is made of.
sub types {
	my ($signature) = @_;
	my $one = qr/a*(?:[ybnqiuxtdhsogv]|(\((?:(?:a*(?:[ybnqiuxtdhsogv]|(?1)))+)\)|\{(?:(?:a*(?:[ybnqiuxtdhsogv]|(?1)))+)\}))/;
	my @types;
	push @types, $& while $signature =~ /\G$one/gc;
	die "signature '$signature'\n" if (pos $signature // 0) != length $signature;
	return @types;
}

# Takes a value of the type from a message, { bytes, at }.
sub take {
	my ($m, $type) = @_;
	my $kind = substr $type, 0, 1;
	$m->{at} += -$m->{at} % $alignment{$kind};
	if (my $n = $number{$kind}) {
		my $value = unpack $n->[1], substr $m->{bytes}, $m->{at}, $n->[0];
		$m->{at} += $n->[0];
		return $value;
	}
	if ($kind =~ /[sog]/) {
		my $length = take($m, $kind eq 'g' ? 'y' : 'u');
		my $value = substr $m->{bytes}, $m->{at}, $length;
		$m->{at} += $length + 1;
		return $value;
	}
	return take($m, take($m, 'g')) if $kind eq 'v';
	return [ map { take($m, $_) } types(substr $type, 1, -1) ] if $kind ne 'a';
	my ($length, $element, @values) = (take($m, 'u'), substr $type, 1);
	$m->{at} += -$m->{at} % $alignment{substr $element, 0, 1};
	my $end = $m->{at} + $length;
	push @values, take($m, $element) while $m->{at} < $end;
	return \@values;
}

# Appends a value to bytes; a variant is [TYPE, VALUE].
sub add {
	my ($bytes, $type, $value) = @_;
	my $kind = substr $type, 0, 1;
	$$bytes .= "\0" x (-length($$bytes) % $alignment{$kind});
	if (my $n = $number{$kind}) {
		$$bytes .= pack $n->[1], $value;
	} elsif ($kind =~ /[sog]/) {
		$$bytes .= pack($kind eq 'g' ? 'C' : 'V', length $value) . "$value\0";
	} elsif ($kind eq 'v') {
		add($bytes, 'g', $value->[0]);
		add($bytes, @$value);
	} elsif ($kind eq 'a') {
		my $element = substr $type, 1;
		my $at = length $$bytes;
		$$bytes .= pack 'V', 0;
		$$bytes .= "\0" x (-length($$bytes) % $alignment{substr $element, 0, 1});
		my $start = length $$bytes;
		add($bytes, $element, $_) for @$value;
		substr($$bytes, $at, 4) = pack 'V', length($$bytes) - $start;
	} else {
		my @members = types(substr $type, 1, -1);
		add($bytes, $members[$_], $value->[$_]) for 0 .. $#members;
	}
}

sub listen_at {
	my ($path) = @_;
	unlink $path;
	return IO::Socket::UNIX->new(Local => $path, Listen => 5) || die "$path: $!";
}

# Lets a client in: the connection.
sub let_in {
	my ($socket) = @_;
	my $self = bless { socket => $socket, serial => 0, bytes => '' };
	while (1) {
		$self->more or return undef while $self->{bytes} !~ s/^\0?([^\n]*)\r\n//;
		my $line = $1;
		last if $line eq 'BEGIN';
		# A client that says who it is in a second line is asked for it.
		syswrite $socket, $line eq 'AUTH EXTERNAL' ? "DATA\r\n" : $line eq 'NEGOTIATE_UNIX_FD' ? "AGREE_UNIX_FD\r\n" :
			"OK 0123456789abcdef0123456789abcdef\r\n";
	}
	return $self;
}

sub more {
	my ($self) = @_;
	return sysread $self->{socket}, $self->{bytes}, 65536, length $self->{bytes};
}

# The next call: { serial, path, member, args }; undef at the end.
sub call {
	my ($self) = @_;
	while (1) {
		$self->more or return undef while length $self->{bytes} < 16;
		my ($type, $body, $serial, $fields) = unpack 'x1 C x2 V V V', $self->{bytes};
		my $start = 16 + $fields + -$fields % 8;
		$self->more or return undef while length $self->{bytes} < $start + $body;
		my $m = { bytes => substr($self->{bytes}, 0, $start, ''), at => 12 };
		my %field = map { $_->[0] => $_->[1] } @{take($m, 'a(yv)')};
		$m = { bytes => substr($self->{bytes}, 0, $body, ''), at => 0 };
		my @args = map { take($m, $_) } types($field{8} // '');
		return { serial => $serial, path => $field{1}, member => $field{3}, args => \@args } if $type == $CALL;
	}
}

sub send_message {
	my ($self, $type, $fields, $signature, @values) = @_;
	my ($message, $body) = ('', '');
	my @types = types($signature);
	add(\$body, $types[$_], $values[$_]) for 0 .. $#types;
	push @$fields, [8, ['g', $signature]] if $signature ne '';
	$message = pack 'a C C C V V', 'l', $type, 0, 1, length $body, ++$self->{serial};
	add(\$message, 'a(yv)', $fields);
	$message .= "\0" x (-length($message) % 8);
	local $SIG{PIPE} = 'IGNORE';
	syswrite $self->{socket}, $message . $body;
}

# The message of systemd's private socket has no sender.
sub reply { my ($self, $call, @body) = @_; $self->send_message($RETURN, [[5, ['u', $call->{serial}]]], @body) }
sub error {
	my ($self, $call, $name, $text) = @_;
	$self->send_message($ERROR, [[5, ['u', $call->{serial}]], [4, ['s', $name]]], 's', $text);
}
sub signal {
	my ($self, $path, $interface, $member, @body) = @_;
	$self->send_message($SIGNAL, [[1, ['o', $path]], [2, ['s', $interface]], [3, ['s', $member]]], @body);
}

1;
