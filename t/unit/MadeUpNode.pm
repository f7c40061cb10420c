# A made-up node on which apply succeeds: the program on a kernel that is a file (made_up_kernel.c, Auditctl.pm), and a
# systemd that does what it is told (Systemd.pm).
package MadeUpNode;
use strict;
use warnings;
use Exporter 'import';
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;
use Auditctl;
use Cli;
use FakeNode;
use Systemd;

our @EXPORT = qw(made_up_node made_up_program);

# The program that is built for it; where there is none, the test is skipped.
sub made_up_program {
	my $built = ($ENV{BUILD} || 'build') . '/t/unit/made_up_kernel';
	plan skip_all => "$built is not built: make unit-tests" unless -x $built;
	return $built;
}

# (program, root, the file that is the kernel, its systemd): the program and the shipped rules in a folder of their own, the
# root, in ROOT where that is given, with these directories besides those of every fake node, a kernel as it comes up.
sub made_up_node {
	my ($directories, $root) = @_;
	my ($built, $bin) = (made_up_program(), "$tmp/bin");
	my ($program, $kernel) = ("$bin/cloud-audit-setup", "$bin/kernel");
	$root = fake_node($root // "$tmp/node");
	make_path("$bin/rules", map { "$root/$_" } @{$directories // []});
	copy $_, "$bin/rules" or die for glob 'rules/*.rules';
	copy $built, $program or die;
	chmod 0755, $program or die;
	Auditctl::install($root, $kernel);
	Auditctl::store(Auditctl::fresh(), $kernel);
	return ($program, $root, $kernel, Systemd->new($root, $kernel));
}

1;
