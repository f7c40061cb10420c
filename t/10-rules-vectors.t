#!/usr/bin/perl
# Every rule in t/vectors: auditctl's own bytes, or a refusal with a reason. See t/vectors/README.md.
use strict;
use warnings;
use JSON::PP;
use IPC::Open2;
use MIME::Base64;
use Test::More;

my $engine = ($ENV{BUILD} // 'build') . '/t/unit/rules_vectors';
die "$engine is not built: make unit-tests\n" unless -x $engine;

# What auditctl accepts by accident only, and the kernel then takes: by the message that refuses it.
my @accidents = (
	[ qr/"[^"]*" is a number with trailing characters; auditctl would read it as \d+$/,
	  'strtoul() leaves a rest that auditctl does not look at' ],
	[ qr/is a number with a leading zero, which means octal; auditctl would read it as \d+$/,
	  'a leading zero makes another number of it' ],
	[ qr/is too large for 32 bits; auditctl would read it as \d+$/, 'cut to 32 bits' ],
	[ qr/expected a number or "unset", not .*, which auditctl would read as 0$/,
	  'any word is session 0' ],
	[ qr/expected the number of an address family, not .*; auditctl would read it as \d+$/,
	  'any word is family 0' ],
	[ qr/arch.* expected b64, b32 or an architecture of the audit system/,
	  'strtoul() leaves a rest of the architecture' ],
	[ qr/-S \S+: this is .*; auditctl would read it as \d+$/, 'another system call than written' ],
	[ qr/a tab: auditctl separates words by spaces only/, 'the tab becomes part of a path or key' ],
	[ qr/the byte 0x0[47]: auditctl takes it for its escape mark/, 'a byte is lost' ],
	[ qr/a carriage return: auditctl would take it as part of the word/, 'CR in a path or key' ],
	[ qr/a NUL byte: auditctl would ignore the rest of the line/, 'the rest of the line is lost' ],
	[ qr/too many short words for the length of the line/, 'the last options are lost' ],
	[ qr/-p r: auditctl would overwrite the -F perm= before it$/, 'the -F perm= is lost' ],
);

# What an argument vector can say and a rules file cannot.
my %argv_only = (
	"-w /etc/passwd -k ''" => 'no empty words in a rules file',
	"-w /etc/passwd -p ''" => 'no empty words in a rules file',
	"-w '/etc/nl\nx' -k 'a\nb'" => 'no newline in a rules file',
);

# What auditctl refuses and we take: a rule given twice is loaded once, with a warning.
my %doubles = map { $_ => 1 } (
	"-a always,exit -F arch=b64 -S open -F key=foo\n-a always,exit -F arch=b64 -S open -F key=foo",
	"-a never,task\n-a never,task",
	"-a always,exit -F auid>=1000\n-a always,exit -F auid>=1000",
);

# What auditctl 3.0.9 refuses and we take: system calls that are newer than it, two more names of machines. The
# number goes into the rules file.
my $newer = qr/ -S (?:mseal|fchmodat2|cachestat|setxattrat|kexec_load)\b| arch!=(?:amd64|arm64) /;

my $pid = open2(my $from, my $to, $engine);

sub tell_host {
	open(my $dirs, '<', 't/vectors/fake_dirs.txt') or die "fake_dirs.txt: $!";
	print $to "D $_" for grep { m{^/} } <$dirs>;
	my $ids = JSON::PP->new->decode(slurp('t/vectors/fake_ids.json'));
	for my $kind ('users', 'groups') {
		my $letter = uc substr($kind, 0, 1);
		print $to utf8($letter . " $_\t$ids->{$kind}{$_}\n") for sort keys %{$ids->{$kind}};
	}
	print $to "M x86_64\n";
}

sub utf8 { my ($s) = @_; utf8::encode($s); return $s }

sub slurp {
	my ($path) = @_;
	open(my $f, '<', $path) or die "$path: $!";
	local $/;
	return <$f>;
}

sub vectors {
	my ($path) = @_;
	open(my $f, '<', $path) or die "$path: $!";
	# Bytes that are not UTF-8 stand as lone surrogates (Python); they are in rule_b64, too.
	return map { s/\\udc[0-9a-f]{2}/?/g; JSON::PP->new->utf8->decode($_) } <$f>;
}

# The vector as the bytes of a rules file without the last newline.
sub content {
	my ($v) = @_;
	return decode_base64($v->{rule_b64}) if $v->{rule_b64};
	return utf8($v->{rule}) unless ($v->{mode} // '') eq 'argv';
	my @words = $v->{argv_b64} ? map { decode_base64($_) } @{$v->{argv_b64}}
				   : map { utf8($_) } @{$v->{argv}};
	s/([\\ ])/\\$1/g for @words;
	return join ' ', @words;
}

sub ask {
	my ($content) = @_;
	print $to 'R ' . unpack('H*', $content) . "\n";
	$to->flush;
	my $line = <$from> // die "the engine ended at: $content";
	chomp $line;
	my ($data, $printed, $again, $messages) =
		map { $_ eq '-' ? '' : $_ } split /\t/, $line;
	return { data => pack('H*', $data), printed => pack('H*', $printed), again => $again,
		 messages => pack('H*', $messages) };
}

sub name {
	my ($v) = @_;
	my $name = content($v);
	$name =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
	$name =~ s/#/\\#/g;
	return length $name > 90 ? substr($name, 0, 87) . '...' : $name;
}

sub accident {
	my ($messages) = @_;
	chomp $messages;
	return (map { $_->[1] } grep { $messages =~ $_->[0] } @accidents)[0];
}

sub check_good {
	my ($v, $count) = @_;
	my $got = ask(content($v));
	if ($got->{data} ne '') {
		$count->{same}++;
		is(unpack('H*', $got->{data}), unpack('H*', decode_base64($v->{b64})),
		   "gives auditctl's bytes: " . name($v));
		is($got->{again}, 'same', 'is printed as a line that gives them again: ' . name($v));
	} elsif (($v->{mode} // '') eq 'argv' && $argv_only{$v->{rule}}) {
		$count->{argv}++;
		pass("cannot be written in a rules file ($argv_only{$v->{rule}}): " . name($v));
	} else {
		my $reason = accident($got->{messages});
		$count->{accident}++;
		ok($reason, 'is taken by auditctl by accident (' . ($reason // '?') . '): ' . name($v))
			or diag($got->{messages});
	}
}

sub check_refused {
	my ($v, $what, $pattern) = @_;
	my $got = ask(content($v));
	ok($got->{data} eq '' && $got->{messages} =~ $pattern, "$what: " . name($v))
		or diag($got->{messages});
}

tell_host();
my %count;
for my $v (vectors('t/vectors/good.jsonl')) {
	my $kernel = $v->{kernel61}{add};
	if ($kernel eq 'ok') {
		check_good($v, \%count);
	} elsif ($kernel eq 'ENOENT') {
		# The answer of AppArmor to subj_role=; on another host it is a role. Linted, not refused.
		$count{label}++;
		is(ask(content($v))->{data}, decode_base64($v->{b64}),
		   "depends on the host's security module and is compiled: " . name($v));
	} else {
		$count{kernel}++;
		# Or because the number is misread before the kernel can say so.
		check_refused($v, "is refused, as the kernel says $kernel",
			      qr/^cloud-audit-setup: error: FILE:1: (?:the kernel would refuse this rule: .|.* is too large for 32 bits;)/m);
	}
}
for my $v (vectors('t/vectors/bad.jsonl')) {
	if ($doubles{content($v)}) {
		$count{double}++;
		is(ask(content($v))->{again}, 'same', 'is loaded once: ' . name($v));
	} elsif (content($v) =~ $newer) {
		$count{newer}++;
		my $got = ask(content($v));
		is($got->{again}, 'same', 'is loaded by its number: ' . name($v)) or diag($got->{messages});
	} else {
		$count{bad}++;
		check_refused($v, 'is refused with its place', qr/^cloud-audit-setup: error: FILE:1: \S/m);
	}
}
print $to "\n";
close $to;
waitpid $pid, 0;
is($?, 0, 'the engine ends well');
is_deeply(\%count, { same => 843, accident => 142, argv => 3, kernel => 184, label => 11, bad => 770,
		     newer => 14, double => 3 }, 'as many of each kind as there should be');
done_testing();
