#!/usr/bin/perl
# make check-suites and make check-cluster as wholes: what they ask prove for, and that they cannot pass where a part has not.
use strict;
use warnings;
use Test::More;
use FindBin;
use File::Temp qw(tempdir);

my $top = "$FindBin::RealBin/..";
my $tmp = tempdir(CLEANUP => 1);
# What says what a run is of, told by the prove below; none of it from whoever runs this test (make check sets FUZZ_TIME).
my @settings = qw(VM_SUITE VM_CPUS VM_SLOW MANY_RULES COUNT IDENT_EXECS FUZZ_TIME CLUSTER CLUSTER_NAME NODES SCENES KEEP);
delete @ENV{@settings};
my $settings = join '|', @settings;

# Beside them a prove that says for what it was called, and how many are at it; their output is not where a real run's is.
mkdir "$tmp/$_" or die for qw(bin t t/vm t/cluster);
for (qw(t/vm/lanes t/vm/suites t/cluster/lanes)) {
	system('cp', "$top/$_", "$tmp/$_") == 0 or die;
}
my @machines = map { s/.*\/(t\/)/$1/r } glob "$top/t/*-vm-*.t";
system('touch', map { "$tmp/$_" } @machines) == 0 or die;
sub program {
	my ($path, $text) = @_;
	open my $fh, '>', "$tmp/$path" or die;
	print $fh $text;
	close $fh;
	chmod 0755, "$tmp/$path";
}
program('bin/prove', <<"END");
#!/bin/sh
: >$tmp/on.\$\$
sleep 0.3
# The first wait for as many as there are to be at once, in vain for ten seconds where there never are.
n=0
until [ -e $tmp/reached ] || [ "\$(ls $tmp | grep -c '^on\\.')" -ge "\${TOGETHER:-1}" ] || [ \$n -ge 100 ]; do
	sleep 0.1
	n=\$((n + 1))
done
: >$tmp/reached
echo "called: \$(env | grep -E '^($settings)=' | sort | paste -sd' ') \$*"
ls $tmp | grep -c '^on\\.' >>$tmp/together
rm $tmp/on.\$\$
case \${VM_SUITE:-} in
broken) echo 'Result: FAIL'; exit 1 ;;
empty) echo 'Result: NOTESTS'; exit 0 ;;
esac
echo 'Files=1, Tests=2,  3 wallclock secs ( 0.02 usr)'
echo 'Result: PASS'
END
program('t/cluster/disk', "#!/bin/sh\n");
# Returns what it says, its status, and by lane what prove was called for.
sub run {
	my ($command) = @_;
	my $said = `cd $tmp && export PATH=$tmp/bin:\$PATH && $command 2>&1`;
	return ($said, $? >> 8, $said =~ /^([\w-]+): called: (.*)/mg);
}

# How many were at it at once since the last time that it was asked.
sub most {
	open my $fh, '<', "$tmp/together" or die;
	my ($most) = sort { $b <=> $a } <$fh>;
	unlink "$tmp/together", "$tmp/reached";
	return $most + 0;
}

my ($said, $status, %asked) = run('TOGETHER=3 t/vm/suites one two');
is $status, 0, 'where each part passes, all of it has';
is join(' ', sort keys %asked), 'aarch64 fuzz identity many-rules one-1 one-2 two-1 two-2', 'each suite, and what takes long, is run, and its lines are told by its name';
like $asked{'one-1'}, qr/^VM_CPUS=1 VM_SLOW=2 VM_SUITE=one /, 'a suite is of its Debian, with machines of one processor, and twice the time';
is join(' ', sort map { m{(t/\S+)}g } @asked{qw(one-1 one-2)}), join(' ', grep { !/aarch64/ } @machines), '... with every test of machines in one of its two lanes';
like $asked{'many-rules'}, qr/^COUNT=yes MANY_RULES=10000 .*? t\/90-vm-bench\.t$/, '10,000 rules, and instructions counted twice';
like $asked{identity}, qr/^IDENT_EXECS=20000 .* t\/73-vm-identity\.t$/, 'the whole proof of identity';
like $asked{fuzz}, qr/^FUZZ_TIME=60 .* t\/17-fuzz\.t$/, 'each fuzzer for a minute';
like $asked{aarch64}, qr/\bVM_SUITE=aarch64 .* t\/86-vm-aarch64\.t$/, 'aarch64';
like $said, qr/^--- check-suites\none-1: Files=1, Tests=2,  3 wallclock secs +Result: PASS\none-2: /m, 'the end is a line for each';
is most(), 3, 'three are at it at once, and never more';

($said, $status) = run('t/vm/suites one broken');
is $status, 1, 'one that fails is a failure';
like $said, qr/^check-suites: failed on: broken-1 broken-2$/m, '... and named';
($said, $status) = run('t/vm/suites empty one');
is $status, 1, 'so is one that ran nothing';
like $said, qr/^check-suites: failed on: empty-1 empty-2$/m, '... and named';

most();
($said, $status, %asked) = run('TOGETHER=2 t/cluster/lanes');
is $status, 0, 'the cluster: where each part passes, all of it has';
is join(' ', sort map { /SCENES=(.*?) -/ ? split ' ', $1 : () } values %asked), join(' ', sort map { s/.*\///r } glob "$top/t/cluster/scenes/*"),
	'every scene is in one of the two';
like $asked{one}, qr/^CLUSTER=1 CLUSTER_NAME=one SCENES=second /, 'what needs two nodes is where there are two';
is most(), 2, 'both are at it at once';
like $asked{two}, qr/^CLUSTER=1 CLUSTER_NAME=two NODES=1 /, '... and the other has one';
for ('NODES=1', 'SCENES="flat stuck"', 'KEEP=1') {
	($said, $status) = run("$_ t/cluster/lanes");
	unlike $said, qr/CLUSTER_NAME/, "with $_ it is one";
}
done_testing;
