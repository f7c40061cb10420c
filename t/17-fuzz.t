#!/usr/bin/perl
# Every fuzzer of t/fuzz for FUZZ_TIME seconds (20), FUZZ_JOBS (2) at a time, from the corpus in t/fuzz; what is
# found is in build/fuzz. `make fuzz TIME=` runs them longer. That each of them finds anything is seen first: with a
# fault put into a source that it tests, it fails within two minutes, as a rule in its first seconds.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;

my $time = $ENV{FUZZ_TIME} || 20;
my $jobs = $ENV{FUZZ_JOBS} || 2;

# By fuzzer: a source, what is in it, and the same with a fault.
my %plants = (
	bus => [ 'setup/systemd/bus_units.c', 'r < 0 && i < done; i++', 'r < 0 && i < done + 2; i++' ],
	config => [ 'setup/config/config.c', "\tstate->source = text_take(&source);\n", '' ],
	kernel => [ 'setup/kernel/kernel.c', 'head.buflen > size - sizeof(head)', 'head.buflen == UINT32_MAX' ],
	options => [ 'setup/config/options.c', 'calloc((size_t)argc + 1, sizeof(*ret->set))', 'calloc(1, sizeof(*ret->set))' ],
	rules => [ 'rules/rule/print.c', 'text_addf(p->out, "-%s", name)', 'text_addf(p->out, "%s", name)' ],
	runtime => [ 'setup/runtime/json.c', 'end - s >= (ptrdiff_t)sizeof(bytes)', 'end > s' ],
	unit => [ 'units/unit.c', "*value == '%' ? \"%%\" : value, *value == '%' ? 2 : 1", 'value, 1' ],
);
# What it says then, and not when it was but slow.
my $finding = qr/^property|ERROR: (?:Address|Leak)Sanitizer|ERROR: libFuzzer: deadly signal|runtime error/;
my @names = map { m{([^/]*)\.c$} } sort glob 't/fuzz/*.c';

plan skip_all => 'the fuzzers have their own build: once is enough' if $ENV{BUILD};
plan skip_all => 'clang has no libFuzzer here (Debian packages clang, libclang-rt-14-dev)' if system
	'echo "int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return 0; }" | ' .
	'clang -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null';

make_path('build/fuzz');
# Two runs of this test in one tree do not build over each other.
my $built = `flock build/fuzz/lock nice make -s fuzzers 2>&1`;
is $?, 0, 'the fuzzers are built' or BAIL_OUT($built);
# A fault that was found leaves an input behind; an earlier one is no finding.
system 'rm', '-rf', 'build/fuzz/plant/corpus', glob 'build/fuzz/plant-*-*';
make_path('build/fuzz/plant/corpus');
plant($_) for @names;
$built = `flock build/fuzz/lock nice make -s planted 2>&1`;
is $?, 0, 'so are those with a fault' or BAIL_OUT($built);

# The corpus that grows, begun with the one that is kept.
sub corpus {
	my ($name) = @_;
	my $grown = "build/corpus/$name";
	my $first = !-d $grown;
	make_path($grown);
	system("t/fuzz/$name-corpus", $grown) == 0 or die "t/fuzz/$name-corpus: $?" if $first && -x "t/fuzz/$name-corpus";
	for my $kept (glob "t/fuzz/corpus/$name/*") {
		copy $kept, "$grown/kept-" . ($kept =~ s{.*/}{}r) or die "$kept: $!";
	}
	return $grown;
}

# file: of build/fuzz, the fuzzer itself or the one with a fault.
sub start {
	my ($name, $file, $seconds) = @_;
	my $grown = corpus($name);
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDOUT, '>', "build/fuzz/$file.log" or die;
	open STDERR, '>&', \*STDOUT or die;
	# The same seed: what one machine finds, another does, too. Time enough for one that is busy. What a fault lets
	# grow is no corpus.
	exec 'nice', "build/fuzz/$file", '-rss_limit_mb=1024', '-seed=1', '-timeout=120', '-print_final_stats=1',
		"-max_total_time=$seconds", "-artifact_prefix=build/fuzz/$file-", $file =~ /^plant/ ? 'build/fuzz/plant/corpus' : (),
		$grown or die;
}

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or die "$path: $!";
	local $/;
	return scalar <$f>;
}

sub plant {
	my ($name) = @_;
	my ($file, $from, $to) = @{$plants{$name} // die "t/fuzz/$name.c: no fault to be found\n"};
	my @parts = split /\Q$from\E/, slurp($file), -1;
	die "$file: not once: $from\n" if @parts != 2;
	my $planted = join $to, @parts;
	my $path = "build/fuzz/plant/$name.c";
	# Not built again while it is the same.
	return if -e $path && slurp($path) eq $planted;
	open my $out, '>', $path or die "$path: $!";
	print $out $planted;
	close $out or die "$path: $!";
}

sub finish_planted {
	my ($name, $status, $seconds) = @_;
	open my $f, '<', "build/fuzz/plant-$name.log" or die;
	my @log = <$f>;
	my $found = grep { /$finding/ } @log;
	ok $status && $found, "$name finds a fault in $plants{$name}[0]" or diag @log > 20 ? @log[-20 .. -1] : @log;
	note "after $seconds s: " . (grep { /$finding/ } @log)[0] if $found;
}

sub finish {
	my ($name, $status) = @_;
	open my $f, '<', "build/fuzz/fuzz-$name.log" or die;
	my @log = <$f>;
	my %stat = map { /^stat::(\w+):\s+(\d+)/ ? ($1 => $2) : () } @log;
	is $status, 0, "$name finds nothing";
	if ($status) {
		# What went wrong, and the first lines of where.
		diag grep { /^property|ERROR|runtime error|^\s+#[0-9] |Test unit/ } @log;
		return;
	}
	# A fuzzer whose inputs are all turned away at the door finds nothing, too.
	my ($kept) = reverse map { /corp: (\d+)/ } @log;
	cmp_ok $kept // 0, '>=', 20, "$name comes to many different places";
	note sprintf '%s: %d inputs, %d a second, %d MB', $name, map { $_ // 0 } @stat{qw(number_of_executed_units
		average_exec_per_sec peak_rss_mb)};
}

# Runs each, and hands what it ended with, and after how many seconds, to the second.
sub run_all {
	my ($kind, $seconds, $finish) = @_;
	my (%running, %begun);
	my @waiting = @names;
	while (@waiting || %running) {
		while (@waiting && keys %running < $jobs) {
			my $name = shift @waiting;
			$begun{$name} = time;
			$running{start($name, "$kind-$name", $seconds)} = $name;
		}
		my $pid = wait;
		my $status = $?;
		my $name = delete $running{$pid} // next;
		$finish->($name, $status, time - $begun{$name});
	}
}

run_all('plant', 120, \&finish_planted);
run_all('fuzz', $time, \&finish);
done_testing;
