#!/usr/bin/perl
# send.pl TYPE TEXT [TYPE TEXT...] [-- COMMAND...]: gives the kernel audit messages of these numbers, as
# libaudit does for programs, then becomes the command. TEXT may be a number, that many zeros, or x:HEX.
use strict;
use warnings;
use Socket;

socket my $s, 16, SOCK_RAW, 9 or die "socket: $!";    # AF_NETLINK, NETLINK_AUDIT
while (@ARGV && $ARGV[0] ne '--') {
    my ($type, $text) = splice @ARGV, 0, 2;
    $text = $text =~ /^\d+$/ ? "\0" x $text : $text =~ /^x:(.*)/ ? pack 'H*', $1 : "$text\0";
    my $message = pack('LSSLL', 16 + length $text, $type, 1, 1, 0) . $text;    # NLM_F_REQUEST
    send $s, $message, 0, pack('SSLL', 16, 0, 0, 0) or die "send: $!";
}
shift @ARGV;
exec @ARGV if @ARGV;
