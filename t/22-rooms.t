#!/usr/bin/perl
# The house is as CONTRIBUTING.md's tables say: which room may include which, how large one is, where an outside
# library comes in. The includes are read from the source; calls that no include shows, from what the compiler made.
use strict;
use warnings;
use File::Find;
use Test::More;

my $build = $ENV{BUILD} || 'build';
my $most = 16;	# files of a room: what one takes in at a glance
my $screen = 80;	# lines of a header

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or die "$path: $!";
	local $/;
	return scalar <$f>;
}

sub room { $_[0] =~ m{^(.*/)}; return $1 }

my $text = slurp('CONTRIBUTING.md');
my @order = $text =~ m{^\| ((?:setup|rules|units)/\S*) \|}mg;
my %level = map { $order[$_] => $_ } 0 .. $#order;
my %includer = $text =~ m{^\| [^|]+ \| `([^`]+)` \| (\S+) \|}mg;
my %source = map { $_ => slurp($_) } 
	glob('setup/*.[ch] setup/*/*.[ch] rules/*.[ch] rules/*/*.[ch] units/*.[ch]');
# Of the C library and the kernel; whatever else is a library, and needs a row.
my $system = qr{^(?:(?:sys|linux|asm|arpa|net|netinet)/\S+|
	(?:assert|ctype|dirent|elf|endian|errno|fcntl|fnmatch|getopt|glob|grp|inttypes|limits|locale|mntent|poll|pwd|sched|signal|
	stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|unistd)\.h)$}x;

sub includes { return $_[0] =~ m{^\s*#\s*include\s+"([^"]+)"}mg }

# What is wrong with a tree of sources, one line each.
sub faults {
	my ($source) = @_;
	my (@faults, %library, %seen);

	for my $file (sort keys %$source) {
		my $room = room($file);
		push @faults, "$file: its room $room is not in the table" if !defined $level{$room};
		for my $other (includes($source->{$file})) {
			push @faults, "$file includes $other, which is not there" if !exists $source->{$other};
			push @faults, "$file includes $other, of a room above"
				if ($level{room($other)} // 99) > ($level{$room} // 99);
		}
		push @{$library{$_}}, $file for grep { $includer{$_} || !/$system/ }
			$source->{$file} =~ m{^\s*#\s*include\s+<([^>]+)>}mg;
	}
	for my $header (sort keys %library) {
		push @faults, "$header is included by $_, and its place is " . ($includer{$header} // 'not in the table')
			for grep { $_ ne ($includer{$header} // '') } @{$library{$header}};
	}
	for my $start (sort keys %$source) {
		my @ways = map { [$start, $_] } includes($source->{$start});
		my %been;
		while (my $way = shift @ways) {
			my $last = $way->[-1];
			if ($last eq $start) {
				my $circle = join ' > ', @$way;
				push @faults, "a circle: $circle" unless $seen{join ' ', sort @$way[1 .. $#$way]}++;
				last;
			}
			push @ways, map { [@$way, $_] } includes($source->{$last} // '') unless $been{$last}++;
		}
	}
	return @faults;
}

# The same for calls: which file defines what, and which files ask for it; { file => { defines => [], asks => [] } }.
sub call_faults {
	my ($objects) = @_;
	my (%home, %uses, @faults);

	for my $file (keys %$objects) {
		$home{$_} = $file for @{$objects->{$file}{defines}};
	}
	for my $file (sort keys %$objects) {
		for my $name (sort @{$objects->{$file}{asks}}) {
			my $other = $home{$name} // next;
			$uses{$file}{$other} = $name;
			push @faults, "$file calls $name() of $other, of a room above"
				if $level{room($other)} > $level{room($file)};
		}
	}
	for my $file (sort keys %uses) {
		my @next = sort keys %{$uses{$file}};
		my %been;
		while (defined(my $other = shift @next)) {
			push @faults, "$file and $other call each other, one way or another"
				if $other ne $file && $uses{$other}{$file} && $file lt $other;
			push @next, sort keys %{$uses{$other}} unless $been{$other}++;
		}
		push @faults, "$file is called back by what it calls" if $been{$file};
	}
	return @faults;
}

sub symbols {
	my ($object) = @_;
	my %of = (defines => [], asks => []);
	local $_;

	open my $nm, '-|', 'nm', $object or die "nm: $!";
	while (<$nm>) {
		push @{$of{asks}}, $1 if /\bU (\S+)/;
		push @{$of{defines}}, $1 if /\b[TDBRV] (\S+)/;
	}
	close $nm or die "nm $object failed\n";
	return \%of;
}

cmp_ok scalar @order, '>', 10, 'the table of rooms is found';
cmp_ok scalar keys %includer, '>', 4, 'the table of libraries is found';
is join("\n", faults(\%source)), '', 'no file includes a room above its own, or itself, and each library has one includer';
is join(' ', grep { !defined $source{$_} } values %includer), '', 'every includer in the table is there';

my %count;
$count{room($_)}++ for keys %source;
is join(' ', grep { ($count{$_} // 0) > $most } @order), '', "no room has more than $most files";
is join(' ', grep { !$count{$_} } @order), '', 'every room in the table is there';
is join(' ', grep { !-x } glob 't/*.t'), '', 'every test can be executed';

# Which files of t/ a text names that are not there; not a pattern (NN-NAME), and with or without its end.
sub missing {
	my ($text) = @_;
	return grep { !/[A-Z]{2}/ && !(() = glob "$_*") }
		$text =~ m{(?<![\w/.\$\}-])(t/(?:\d\d(?:-[\w.-]*\w)?(?!\w)|(?:vm|vm-\w+|unit|k8s|cluster|shipper|fuzz|smoke\.d)/[\w./-]*\w))}g;
}
my @texts;
find({ no_chdir => 1, wanted => sub {
	return $File::Find::prune = 1 if -d && m{^\./(?:build|\.git|t/fuzz/.*|t/vectors/.*)$};
	push @texts, $_ if -f && -T;
} }, '.');
is join("\n", map { my $file = $_; map { "$file names $_" } missing(slurp($file)) } sort @texts), '', 'every file of t/ that a text names is there';
my ($lost, $gone) = map { "t/$_" } '99-nothing', 'vm/nothing';
is join(' ', missing("t/22-rooms.t t/22, t/22-rooms $lost ($gone) t/NN-topic.t, build/$gone")), "$lost $gone",
	'one that is not is found when it is planted';

# Prototypes without a comment: one goes for all that follow it without an empty line, and one may stand behind.
sub bare {
	my ($text) = @_;
	my ($covered, $depth, @bare) = (0, 0);

	$text =~ s{/\*.*?\*/}{/**/}gs;
	my @lines = split /\n/, $text;
	while (defined(my $line = shift @lines)) {
		if ($line =~ m{^/\*}) {
			$covered = 1;
		} elsif ($line =~ /^\s*$/) {
			$covered = $covered && $depth;
		} elsif (!$depth && $line =~ /^[a-z]/ && $line !~ /^(?:typedef|static inline)/ && $line =~ /(\w+)\(/) {
			my $name = $1;
			$line = shift @lines while $line !~ /;/ && @lines;
			push @bare, $name if !$covered && $line !~ m{;\s*/\*};
		}
		$depth += ($line =~ tr/{//) - ($line =~ tr/}//);
	}
	return @bare;
}

# Its tabs as wide as the style has them.
sub wide {
	my ($text, $most) = @_;
	my $n = 0;
	return grep { $_ } map { $n++; length(s/\t/        /gr) > $most ? $n : 0 } split /\n/, $text;
}
my ($columns) = $text =~ /lines of \d+ columns, never above (\d+) in setup, units, rules/ or die "CONTRIBUTING.md: no width of a line\n";
is join(' ', map { my $file = $_; map { "$file:$_" } wide($source{$file}, $columns) } sort keys %source), '',
	"no line of C has more than $columns columns";
is join(' ', wide("short\n\t" . 'x' x 133 . "\n", 140)), 2, 'a wider one is found when it is planted';

my @headers = grep { /\.h$/ } sort keys %source;
is join(' ', grep { $source{$_} =~ tr/\n// > $screen } @headers), '', "no header has more than $screen lines";
is join(' ', map { my $h = $_; map { "$h:$_()" } bare($source{$h}) } @headers), '',
	'every function in a header has its contract';
is join(' ', bare("/* A contract. */\nint one(void);\nint two(int a,\n\tint b);\n\nvoid three(void);\n")), 'three',
	'a function without one is found when it is planted';

# The longest function of a file, in lines, with its braces at the beginning of a line as the style has them.
sub longest {
	my ($c) = @_;
	my $most = 0;
	while ($c =~ /^\{$(.*?)^\}$/msg) {
		my $lines = 1 + ($1 =~ tr/\n//);
		$most = $lines if $lines > $most;
	}
	return $most;
}
is join(' ', map { longest($source{$_}) > 60 + 2 ? "$_: " . longest($source{$_}) : () } sort keys %source), '', 'a function has about 60 lines at most';
is longest("void f(void)\n{\n" . "\tg();\n" x 61 . "}\n"), 63, 'a longer one is found when it is planted';

# Each kind of fault, planted.
for my $plant (
	['setup/base/text.c', '#include "setup/node/node.h"', qr{text\.c includes setup/node/node\.h, of a room above},
	 'an arrow up'],
	['rules/rule/value.h', '#include "rules/parse/draft.h"', qr{value\.h includes rules/parse/draft\.h, of a room above},
	 'an arrow up between the rooms of rules/'],
	['setup/host/host.h', '#include "setup/host/pam.h"', qr{a circle: setup/host/host\.h > setup/host/pam\.h}, 'a circle'],
	['setup/steps/undo.c', '#include <systemd/sd-bus.h>', qr{sd-bus\.h is included by setup/steps/undo\.c},
	 'a second includer of a library'],
	['setup/steps/undo.c', '#include <curl/curl.h>', qr{curl\.h is included by .*, and its place is not in the table},
	 'a library that no row names'],
) {
	my ($file, $line, $expected, $what) = @$plant;
	like join("\n", faults({ %source, $file => "$line\n$source{$file}" })), $expected, "$what is found when it is planted";
}

SKIP: {
	# The static program's main.c is in no library.
	my %main = ('setup/runtime/main.c' => 'runtime');
	my $object = sub { my ($c) = @_; "$build/" . ($main{$c} // 'obj') . '/' . $c =~ s/\.c$/.o/r };
	my @missing = grep { /\.c$/ && !-e $object->($_) } keys %source;
	skip "not built: $missing[0], " . @missing . ' in all', 3 if @missing;
	my %object = map { $_ => symbols($object->($_)) } grep { /\.c$/ } keys %source;

	is join("\n", call_faults(\%object)), '', 'no file calls a room above its own, or one that calls it back';
	my %up = (%object, 'setup/base/text.c' => { %{$object{'setup/base/text.c'}}, asks => ['undo'] });
	like join("\n", call_faults(\%up)), qr{text\.c calls undo\(\) of setup/steps/undo\.c, of a room above},
		'a call up is found when it is planted';
	my %back = (%object, 'setup/systemd/bus_call.c' =>
		{ %{$object{'setup/systemd/bus_call.c'}}, asks => ['bus_finish_job'] });
	like join("\n", call_faults(\%back)), qr{bus_call\.c and setup/systemd/bus_jobs\.c call each other},
		'a call back is found when it is planted';
}
done_testing;
