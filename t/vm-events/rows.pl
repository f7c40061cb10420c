#!/usr/bin/perl
# rows.pl on|off RECORDS MARK ROWS: judges the rows that rows.sh wrote by the audit records in a file, as journalctl -o export
# has them, up to the record with the text MARK. Prints a line a row, with tabs between: STATUS, KIND,
# SENTENCE, what was there instead (lines parted by \r).
#
# A row ends with \x1e: KIND, a tab, PID, a tab, SENTENCE, a tab, SPEC, the records and fields of one event:
#	SYSCALL key=exec exe~act64$ success=yes PATH name=/usr/bin/true
# on: a row of kind "has" wants such an event, "not" wants none. off: "has" wants none, "kept" wants one. In
# off, key=NAME counts only for the keys of other groups: NAME@ is looked at, NAME is not.
use strict;
use warnings;
use lib '.';    # perl-base has no FindBin
use Records;

# Who, what and the result: without these a record is of no use. Of the text and of the journal's fields.
my %needed = (
    SYSCALL => [
        [qw(auid uid gid euid ses tty ppid pid comm exe success exit arch syscall a0)],
        [qw(_AUDIT_LOGINUID _UID _GID _AUDIT_SESSION _TTY _PPID _PID _COMM _EXE _AUDIT_FIELD_SUCCESS
            _AUDIT_FIELD_EXIT _AUDIT_FIELD_SYSCALL)],
    ],
    LOGIN     => [[qw(pid uid old-auid auid ses res)], [qw(_PID _UID _AUDIT_LOGINUID _AUDIT_SESSION)]],
    USER      => [[qw(pid uid auid ses exe res)], [qw(_PID _UID _AUDIT_LOGINUID _AUDIT_SESSION)]],
    SOCKADDR  => [['saddr'], ['_AUDIT_FIELD_SADDR']],
    PATH      => [[qw(name nametype)], ['_AUDIT_FIELD_NAME']],
    AVC       => [[qw(apparmor operation pid comm)], [qw(_PID _COMM)]],
    TTY       => [[qw(pid uid auid ses comm data)], [qw(_PID _UID _AUDIT_LOGINUID _AUDIT_SESSION _COMM)]],
    MMAP      => [[qw(fd flags)], []],
    EXECVE    => [[qw(argc a0)], ['_AUDIT_FIELD_A0']],
    CONFIG_CHANGE => [['res'], []],
    EVENT_LISTENER => [[qw(pid uid auid tty ses comm exe op res)], [qw(_PID _UID _AUDIT_LOGINUID)]],
);

my ($mode, $records, $mark, $rows) = @ARGV;
open my $in, '<', $rows or die "$rows: $!";
my @rows = do { local $/ = "\x1e"; map { chomp; my %r; @r{qw(kind pid sentence spec)} = split /\t/, $_, 4; $r{spec} =~ s{\s+}{ }g; \%r } <$in> };

sub parse {
    my ($spec) = @_;
    my @wanted;
    for (split ' ', $spec) {
        if (/^[A-Z][A-Z0-9_]*$/) { push @wanted, { type => $_, tests => [] }; next }
        my ($name, $op, $value) = /^([\w-]+)(=|!=|~)(.*)$/ or die "spec: $_";
        next if $mode eq 'off' && $name eq 'key' && $value !~ s/\@\z//;
        $value =~ s/\@\z// if $name eq 'key';
        push @{ $wanted[-1]{tests} },
            $op eq '=' ? sub { ($_[0]{$name} // '') eq $value }
          : $op eq '~' ? sub { ($_[0]{$name} // '') =~ /$value/ }
          :              sub { ($_[0]{$name} // '') ne $value };
    }
    return @wanted;
}

# What is missing in a record that matches; '' for a whole one.
sub lacks {
    my ($record) = @_;
    my $type = $record->{type};
    my $needed = $needed{$type} // ($record->{text} =~ /msg='/ ? $needed{USER} : return '');
    return join ' ', (grep { !defined $record->{field}{$_} } @{ $needed->[0] }),
        grep { !defined $record->{journal}{$_} } @{ $needed->[1] };
}

sub matches {
    my ($event, $pid, $whole, @wanted) = @_;
    my @records = @{ $event->{records} };
    if ($pid) {
        return 0 unless grep { $pid == ($_->{field}{pid} // 0) || $pid == ($_->{field}{ppid} // 0) } @records;
    }
    for my $wanted (@wanted) {
        my ($found) = grep {
            my $record = $_;
            $record->{type} eq $wanted->{type} && !(grep { !$_->($record->{field}) } @{ $wanted->{tests} })
        } @records;
        return 0 unless $found;
        my $lacks = $whole && lacks($found);
        next unless $lacks;
        $event->{lacks} = "$wanted->{type} lacks $lacks";
        return 0;
    }
    return 1;
}

sub shown {
    my @events = @_;
    my @lines = map { ($_->{lacks} // (), map { substr $_->{text}, 0, 300 } @{ $_->{records} }) } @events;
    @lines = (@lines[0 .. 15], "...") if @lines > 16;
    return join "\r", @lines ? @lines : 'nothing';
}

my @events = Records::in($records);
my ($last) = grep {
    grep { $_->{type} eq 'USER' && index($_->{text}, $mark) >= 0 } @{ $events[$_]{records} }
} 0 .. $#events;
print "1\thas\tthe mark $mark arrives in the journal\t", shown(), "\n" if !defined $last;
$#events = $last if defined $last;
# Is an event wanted? By mode and kind; undef: the row does not count.
my %wants = (on => { has => 1, once => 1, not => 0 }, off => { has => 0, kept => 1 });
for my $row (@rows) {
    my $wants = $wants{$mode}{ $row->{kind} } // next;
    my @wanted = parse($row->{spec});
    my @found = grep { matches($_, $row->{pid}, $wants, @wanted) } @events;
    my $bad = $wants ? !@found : !!@found;
    my $there = '';
    if ($bad) {
        my @near = @found ? @found
            : grep { my $e = $_; $e->{lacks} || grep { $_->{type} eq $wanted[0]{type} &&
                (!$row->{pid} || $row->{pid} == ($_->{field}{pid} // 0)) } @{ $e->{records} } } @events;
        $there = "wanted: $row->{spec}\r" . shown(@near);
    }
    print join("\t", $bad ? 1 : 0, $row->{kind}, $row->{sentence}, $there), "\n";
}
