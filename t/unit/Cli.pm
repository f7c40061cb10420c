# What the tests of the command line share: the program as a user has it, and a host's root made of
# a few files, below a directory that goes away.
package Cli;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use Fcntl ':mode';
use File::Copy qw(copy);
use File::Find qw(find);
use File::Path qw(make_path);
use File::Temp qw(tempdir);

our @EXPORT = qw(program run put slurp snapshot make_root errors messages $tmp);

our $tmp = tempdir('/tmp/cas-cli-XXXXXX', CLEANUP => 1);
chmod 0755, $tmp or die;

sub put {
	my ($path, $content) = @_;
	(my $dir = $path) =~ s{/[^/]*$}{};
	make_path($dir);
	open my $f, '>', $path or die "$path: $!";
	print $f $content;
	close $f or die "$path: $!";
	return $path;
}

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or die "$path: $!";
	local $/;
	my $s = <$f>;
	return defined $s ? $s : '';
}

# A copy of the program with shipped rules beside it: those given by name and content, else the real
# ones. It finds them by where it lies itself.
sub program {
	my (%rules) = @_;
	my $built = ($ENV{BUILD} || 'build') . '/cloud-audit-setup';
	my $dir = tempdir("$tmp/bin-XXXX");
	my $program = "$dir/cloud-audit-setup";
	die "$built is not built: make\n" unless -x $built;
	chmod 0755, $dir;
	link abs_path($built), $program or copy $built, $program or die "$built: $!";
	chmod 0755, $program;
	make_path("$dir/rules");
	if (%rules) {
		put("$dir/rules/$_", $rules{$_}) for keys %rules;
	} else {
		copy $_, "$dir/rules/" or die "$_: $!" for glob 'rules/*.rules';
	}
	return $program;
}

# Runs a command: (exit status, stdout, stderr). A leading hash sets out => a file for stdout,
# before => code to run in the child, seconds => how long it may take (30).
sub run {
	my $how = ref $_[0] ? shift : {};
	my @command = @_;
	my $out = $how->{out} || "$tmp/stdout";
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', '/dev/null' or die;
		open STDOUT, '>', $out or die "$out: $!";
		open STDERR, '>', "$tmp/stderr" or die;
		$how->{before}->() if $how->{before};
		no warnings 'exec';
		exec { $command[0] } @command or print STDERR "exec $command[0]: $!\n";
		require POSIX;
		POSIX::_exit(127);
	}
	local $SIG{ALRM} = sub { kill 'KILL', $pid };
	alarm($how->{seconds} || 30);
	waitpid $pid, 0;
	alarm 0;
	my $code = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
	return ($code, $how->{out} ? '' : slurp($out), slurp("$tmp/stderr"));
}

# A host's root with accounts, an audit package, and files of ours from an earlier time.
sub make_root {
	my $root = tempdir("$tmp/root-XXXX");
	chmod 0755, $root;
	put("$root/etc/passwd", "root:x:0:0::/root:/bin/sh\nnode:x:1234:1234::/:/bin/false\n");
	put("$root/etc/group", "root:x:0:\nnode:x:1234:\n");
	put("$root/usr/sbin/auditctl", "#!/bin/false\n");
	put("$root/etc/audit/cloud-audit-setup.rules", "# of an earlier time\n-D\n");
	put("$root/etc/systemd/system/cloud-audit-setup.service", "[Unit]\nDescription=earlier\n");
	put("$root/etc/audit/auditd.conf", "x\n");
	return $root;
}

# Every name below a directory with all that a write would change.
sub snapshot {
	my ($root) = @_;
	my @lines;
	find({ no_chdir => 1, wanted => sub {
		my @st = lstat $_;
		push @lines, sprintf "%s %o %d %d %d %s %s", $File::Find::name, @st[2, 1, 4],
			S_ISDIR($st[2]) ? 0 : $st[7], $st[9] . '.' . $st[10], -l $_ ? readlink $_ : -f _ ? slurp($_) : '';
	} }, $root);
	return join "\n", sort @lines;
}

# The error messages in what a run said, without what stands in front of each.
sub errors {
	my ($err) = @_;
	return join '', map { s/^cloud-audit-setup: error: // ? "$_\n" : () } split /\n/, $err;
}

# The same of every level, with it.
sub messages {
	my ($err) = @_;
	return join '', map { s/^cloud-audit-setup: // ? "$_\n" : "?$_\n" } split /\n/, $err;
}

1;
