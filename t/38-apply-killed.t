#!/usr/bin/perl
# A run of apply from end to end, killed (SIGKILL) at each of its system calls that changes anything or asks for
# a change: every file of the node, a made-up root with a systemd that does nothing, is then whole, the earlier or
# the new one, and the next run leaves no temporary file and is not kept waiting.
use strict;
use warnings;
use Test::More;
use lib 't/unit';
use Cli;
use FakeNode;

my $why = usable();
plan skip_all => $why if $why;

my %changes = map { $_ => 1 } qw(write pwrite64 fsync fdatasync fchmod fchown rename renameat renameat2 unlink unlinkat
	mkdirat linkat symlinkat sendmsg sendto);
my @files = qw(etc/audit/cloud-audit-setup.rules etc/pam.d/sshd etc/systemd/system/cloud-audit-setup.service
	etc/systemd/system/cloud-audit-lock.service);

my $program = program();
my $root = fake_node("$tmp/node");
my $systemd = fake_systemd("$root/run/systemd/private");
my @options = ($program, '-R', $root, plain_rules(), '-s', 'events.tty=yes', '-s', 'tty.sshd=yes');
my @apply = (@options, 'apply');

sub earlier {
	system('rm', '-rf', "$root/etc/audit", "$root/etc/systemd") == 0 or die;
	fake_node($root);
	put("$root/etc/audit/cloud-audit-setup.rules", "# an earlier run's\n-D\n");
	chmod 0640, "$root/etc/audit/cloud-audit-setup.rules" or die;
	put("$root/etc/pam.d/sshd", "session required pam_unix.so\n");
}
sub content { my ($file) = @_; return -e "$root/$file" ? slurp("$root/$file") : undef }
sub names { return join ' ', sort map { substr $_, length "$root/" } split /\n/, `find '$root/etc' -type f` }

earlier();
my %old = map { $_ => content($_) } @files;
# The new ones, from what writes nothing: `render`, and for PAM the earlier one with the block behind it.
my (undef, $units) = run(@options, 'render', 'unit');
my %new = map { my ($name, $text) = m{\A/(\S+)\n(.*?\n)\n?\z}s; $name ? ($name => $text) : () } split /^# (?=\/etc\/)/m, $units;
chomp(my $boot = slurp('/proc/sys/kernel/random/boot_id'));
$new{'etc/audit/cloud-audit-setup.rules'} = (run(@options, 'render', 'rules'))[1] =~ s/\n/\n# staged in boot $boot\n/r;
$new{'etc/pam.d/sshd'} = "$old{'etc/pam.d/sshd'}# BEGIN cloud-audit-setup: keystrokes of SSH sessions; undo: cloud-audit-setup remove\n" .
	"-session optional pam_tty_audit.so enable=*\n# END cloud-audit-setup\n";
is join(' ', sort keys %new), join(' ', sort @files), 'there is a new one of each file';
strace([], @apply);
my ($lines, $counts) = after_begin();

my (%n, @points) = %$counts;
for my $line (@$lines) {
	my ($name) = $line =~ /^(\w+)\(/ or next;
	my $n = ++$n{$name};
	my $creates = $name =~ /^open/ && $line =~ /O_CREAT/;
	# What goes to stdout and stderr changes nothing.
	next unless $creates || $changes{$name} && $line !~ /^write\([12],/;
	push @points, [ $name, $n, $line ];
}
cmp_ok scalar @points, '>=', 40, 'there are many such calls';

my (%seen, @wrong, %table);
my $sanitized = sanitized();
for my $i (0 .. $#points) {
	my ($name, $n, $line) = @{$points[$i]};
	next if $sanitized && $i % 8;
	earlier();
	my ($code, $out, $err) = strace([ '-e', "inject=$name:signal=KILL:when=$n" ], @apply);
	my $at = "$name #$n, " . substr $line, 0, 80;
	push @wrong, "$at: was not killed, but ended with $code" if $code !~ /\A(?:137|signal 9)\z/;
	for my $file (@files) {
		my $is = content($file);
		next if !defined $is && !defined $old{$file};
		next if defined $is && defined $old{$file} && $is eq $old{$file};
		$seen{$file}++ if defined $is && $is eq $new{$file};
		push @wrong, "$at: $file is neither the earlier nor the new one" if !defined $is || $is ne $new{$file};
	}
	my $left = names() =~ /\.(tmp|new)|cloud-audit\S*\.\w{6}\b/ ? 'temporary file left' : 'nothing left';
	$table{$name}{$left}++;
	($code, $out, $err) = run(@apply);
	push @wrong, "$at: the next run: exit $code, $err" if $code != 1 || $err !~ /nothing is left of this run/;
	push @wrong, "$at: the next run waits" if $err =~ /waiting for its end/;
	my %known = map { $_ => 1 } @files, qw(etc/passwd etc/group);
	push @wrong, "$at: a file more: $_" for grep { !$known{$_} } split / /, names();
}
is join(' ', sort keys %seen), join(' ', sort @files), 'the new one of every file was seen, whole';
for my $name (sort keys %table) {
	note sprintf '%-10s %s', $name, join ', ', map { "$_ x $table{$name}{$_}" } sort keys %{$table{$name}};
}
note scalar(@points) . ' points';
is join("\n", @wrong), '', 'wherever it is killed: every file is whole, and the next run is undisturbed and cleans up';

done_testing;
