#!/usr/bin/perl
# Every fuzzer of t/fuzz for FUZZ_TIME seconds (20), FUZZ_JOBS (2) at a time, from the corpus in t/fuzz; what is
# found is in build/fuzz. `make fuzz TIME=` runs them longer.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;

my $time = $ENV{FUZZ_TIME} || 20;
my $jobs = $ENV{FUZZ_JOBS} || 2;
my @names = map { m{([^/]*)\.c$} } sort glob 't/fuzz/*.c';

plan skip_all => 'the fuzzers have their own build: once is enough' if $ENV{BUILD};
plan skip_all => 'clang has no libFuzzer here (Debian packages clang, libclang-rt-14-dev)' if system
	'echo "int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return 0; }" | ' .
	'clang -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null';

make_path('build/fuzz');
# Two runs of this test in one tree do not build over each other.
my $built = `flock build/fuzz/lock nice make -s fuzzers 2>&1`;
is $?, 0, 'the fuzzers are built' or BAIL_OUT($built);

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

sub start {
	my ($name) = @_;
	my $grown = corpus($name);
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open STDOUT, '>', "build/fuzz/$name.log" or die;
	open STDERR, '>&', \*STDOUT or die;
	# The same seed: what one machine finds, another does, too. Time enough for one that is busy.
	exec 'nice', "build/fuzz/fuzz-$name", '-rss_limit_mb=1024', '-seed=1', '-timeout=120', '-print_final_stats=1',
		"-max_total_time=$time", "-artifact_prefix=build/fuzz/$name-", $grown or die;
}

sub finish {
	my ($name, $status) = @_;
	open my $f, '<', "build/fuzz/$name.log" or die;
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

my %running;
my @waiting = @names;
while (@waiting || %running) {
	while (@waiting && keys %running < $jobs) {
		my $name = shift @waiting;
		$running{start($name)} = $name;
	}
	my $pid = wait;
	my $status = $?;
	finish(delete $running{$pid}, $status) if $running{$pid};
}

done_testing;
