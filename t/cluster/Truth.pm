# Whose the processes of a Pod are, as the cluster knows it.
package Truth;
use strict;
use warnings;
use JSON::PP;

# By the form in which something with a mark (mark-FORM among the arguments) was executed: the container that it is in, and the
# class that it has to have: C what the container does by itself, D a session, E one with a terminal.
our %form = (
	init => ['before', 'C'], main => ['main', 'C'], crash => ['crash', 'C'], attach => ['main', 'C'], sandbox => ['', 'C'],
	poststart => ['main', 'D'], probe => ['main', 'D'], exec => ['main', 'D'], execi => ['main', 'D'], cp => ['main', 'D'],
	later => ['main', 'D'], tty => ['main', 'E'], typed => ['main', 'E'], debug => ['debugger', 'E'],
);

sub slurp { open my $f, '<', $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$f> }

# Is it the Pod, or the one that kubectl debug makes for it?
sub of_pod { my ($name, $pod) = @_; return $name eq $pod || $name =~ /^node-debugger-/ }

# Ids by container, the sandbox' under ''; of one that crashed the cluster knows the last two. PODS: a file of kubectl's JSON of
# all Pods, SANDBOX: of the sandbox' id, both as often as they were looked at, since a cluster forgets what was started anew.
sub ids {
	my ($pod, $pods, $sandbox) = @_;
	my %ids = ('' => { map { $_ => 1 } split ' ', slurp($sandbox) });
	for my $item (map { @{ $_->{items} } } JSON::PP->new->utf8->incr_parse(slurp($pods))) {
		next unless of_pod($item->{metadata}{name}, $pod);
		for my $status (map { @{ $item->{status}{$_} // [] } } qw(initContainerStatuses containerStatuses)) {
			for my $id ($status->{containerID}, map { $_->{terminated}{containerID} // () } @$status{qw(state lastState)}) {
				$ids{$status->{name}}{$1} = 1 if ($id // '') =~ m{//([0-9a-f]{64})$};
			}
		}
	}
	return \%ids;
}

# Numbers by verdict, and the forms that were there.
sub told {
	my ($result, $seen) = @_;
	printf "right=%d unknown=%d wrong=%d seen=%s\n", map({ $_ // 0 } @$result{qw(right unknown wrong)}), join ',', sort keys %$seen;
}

1;
