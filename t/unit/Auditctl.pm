# The kernel's audit part as a text file, one rule or setting a line in auditctl's own words, and the auditctl that
# changes it. t/unit/made_up_kernel.c has the program read the same file.
package Auditctl;
use strict;
use warnings;

# A kernel: { rules => [LINE...], '-e' => N, '-f' => N, ... }, as it boots.
sub fresh { return { rules => [], '-e' => 0, '-b' => 64, '-f' => 1, '-r' => 0, '--backlog_wait_time' => 15000 } }

sub load {
	my ($file) = @_;
	my $kernel = fresh();
	open my $f, '<', $file or die "$file: $!";
	while (my $line = <$f>) {
		chomp $line;
		if ($line =~ /^(-[ebfr]|--\S+) (\d+)$/) { $kernel->{$1} = $2 } else { push @{$kernel->{rules}}, $line }
	}
	return $kernel;
}

sub store {
	my ($kernel, $file) = @_;
	open my $f, '>', $file or die "$file: $!";
	print $f map({ "$_\n" } @{$kernel->{rules}}), map { "$_ $kernel->{$_}\n" } sort grep { /^-/ } keys %$kernel;
	close $f or die "$file: $!";
}

# What the kernel refuses: a pattern of lines.
our $refused;

# A line of a rules file, or a command line. What is wrong, undef for nothing.
sub line {
	my ($kernel, $line) = @_;
	my $rules = $kernel->{rules};
	return undef if $line =~ /^\s*(?:#|$)/ || $line =~ /^-[ciq]$/;
	return 'The audit system is in immutable mode' if $kernel->{'-e'} == 2;
	if ($line eq '-D') {
		@$rules = ();
	} elsif ($line =~ /^(-[ebfr]|--backlog_wait_time) (\d+)$/) {
		$kernel->{$1} = $2;
	} elsif ($line eq '--loginuid-immutable') {
		$kernel->{$line} = 1;
	} elsif ($line =~ /^(?:-S \S+ )?-([aAwdW]) \S+/) {
		my ($sort, $rule) = ("$1", $line =~ s/(?:^|(?<= ))-(?:A|d)(?= )/-a/r =~ s/^-W/-w/r);
		my @same = grep { $rules->[$_] eq $rule } 0 .. $#$rules;
		return 'No such file or directory' if defined $refused && $sort !~ /[dW]/ && $line =~ $refused;
		if ($sort =~ /[dW]/) {
			return 'No rule matches' unless @same;
			splice @$rules, $same[0], 1;
		} else {
			return 'Rule exists' if @same;
			$sort eq 'A' ? unshift @$rules, $rule : push @$rules, $rule;
		}
	} else {
		return "no such option or rule: $line";
	}
	return undef;
}

# auditctl -R: the rest goes on after a mistake where a line -c came before it. The exit status.
sub read_rules {
	my ($kernel, $content) = @_;
	my ($go_on, $status) = (0, 0);
	for (split /\n/, $content) {
		$go_on ||= $_ eq '-c';
		next unless defined line($kernel, $_);
		$status = 1;
		last unless $go_on;
	}
	return $status;
}

# auditctl ARGUMENT..., which may name a file below root, or have it on standard input: (exit status, output).
sub auditctl {
	my ($kernel, $root, $input, @args) = @_;
	my $all = join ' ', @args;
	return (0, join '', map { "$_\n" } @{$kernel->{rules}} ? @{$kernel->{rules}} : 'No rules') if $all eq '-l';
	return (0, "enabled $kernel->{'-e'}\nfailure $kernel->{'-f'}\nbacklog_limit $kernel->{'-b'}\n") if $all eq '-s';
	return defined line($kernel, $all) ? (1, '') : (0, '') unless $args[0] eq '-R';
	if ($args[1] !~ m{^/dev/(?:stdin|fd/0)$}) {
		my $path = $args[1] =~ /^\Q$root\E\// ? $args[1] : "$root$args[1]";
		open my $f, '<', $path or return (1, '');
		return (1, '') if (stat $f)[2] & 02;
		local $/;
		$input = <$f> // '';
	}
	return (read_rules($kernel, $input), '');
}

# For units that call it from a shell: the program below a root, on a kernel's file.
sub install {
	my ($root, $file) = @_;
	my ($here) = __FILE__ =~ m{^(.*)/};
	require Cwd;
	$here = Cwd::abs_path($here);
	open my $f, '>', "$root/usr/sbin/auditctl" or die;
	print $f "#!$^X\nuse lib '$here';\nuse Auditctl;\nmy \$k = Auditctl::load('$file');\n",
		"my (\$status, \$out) = Auditctl::auditctl(\$k, '$root', undef, \@ARGV);\n",
		"Auditctl::store(\$k, '$file');\nprint \$out;\nexit \$status;\n";
	close $f or die;
	chmod 0755, "$root/usr/sbin/auditctl" or die;
}

1;
