# The audit records of the journal, as a log shipper reads them (_TRANSPORT=audit), grouped into events.
# For the guest, whose perl is perl-base.
package Records;
use strict;
use warnings;

# Events in order, each { id, records }; a record has its type, text, the journal's own fields (journal), and the
# fields of the text, quotes taken off (field).
#
# since(CURSOR): those of the journal. in(FILE): those that journalctl -o export has written there.
sub since {
    my ($cursor) = @_;
    system(qw(journalctl --quiet --sync));
    my @after = $cursor ? "--after-cursor=$cursor" : ();
    open my $in, '-|', qw(journalctl --quiet --all -o export), @after, '_TRANSPORT=audit' or die "journalctl: $!";
    return events($in);
}

sub in {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!";
    return events($in);
}

sub events {
    my ($in) = @_;
    binmode $in;
    my (@order, %event, %entry);
    while (defined(my $line = <$in>)) {
        chomp $line;
        if ($line eq '') {
            add(\@order, \%event, {%entry});
            %entry = ();
        } elsif ($line =~ /^([^=]+)=(.*)/s) {
            $entry{$1} = $2;
        } else {
            # A value that is not plain text: its size, 8 bytes, then itself and a newline.
            read $in, my $size, 8;
            read $in, $entry{$line}, unpack('Q<', $size);
            read $in, my $end, 1;
        }
    }
    add(\@order, \%event, \%entry);
    close $in;
    return map { { id => $_, records => $event{$_} } } @order;
}

sub add {
    my ($order, $event, $entry) = @_;
    my $id = $entry->{_AUDIT_ID} // return;
    my $text = $entry->{MESSAGE} // '';
    my ($type) = $text =~ /^(\S+)/;
    push @$order, $id unless $event->{$id};
    push @{ $event->{$id} }, { type => $type, text => $text, journal => $entry, field => fields($text) };
}

# What a program wrote stands in msg='...', fields of its own in it; they count as the record's.
sub fields {
    my ($text) = @_;
    $text =~ s/\bmsg='(.*)'/$1/s;
    my %field;
    while ($text =~ /(?:^|[\s,])([\w.-]+)=("[^"]*"|[^\s,]*)/g) {
        my ($name, $value) = ($1, $2);
        $value =~ s/^"(.*)"$/$1/s;
        $field{$name} //= $value;
    }
    return \%field;
}

1;
