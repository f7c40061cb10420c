#!/usr/bin/perl
# k8s/QUESTIONS.md: its commands can be copied (t/unit/Commands.pm tells how they are held against what they are for).
use strict;
use warnings;
use Test::More;
use lib 't/unit';
use Cli;
use Commands;

$ENV{ASAN_OPTIONS} = 'detect_leaks=0';
my $page = slurp('k8s/QUESTIONS.md');
my @commands = page_commands($page);
my %answered = map { $_->[0] => 1 } @commands;
my @questions = $page =~ /^## (.*)/mg;
cmp_ok scalar @questions, '>=', 14, 'the page answers the questions of the first hour';
is join('|', grep { !$answered{$_} } @questions), '', 'each by something to copy';
is join("\n", grep { length > 140 } split /\n/, $page), '', 'in lines that one can read';

page_node();
my ($status, $said) = on_node('apply');
is $status, 0, 'there is a node, and it is configured' or diag $said;
is_command($_->[1]) for @commands;
# A question that is answered elsewhere is linked to something that is there.
is join(' ', grep { !-e "k8s/$_" } $page =~ /\]\(([^)#]+)/g), '', 'what it refers to is there';
is join(' ', grep { !-e } $page =~ m{\b(t/[\w.-]+\.t)\b}g), '', 'and the tests that it names';
like slurp('README.md'), qr{k8s/QUESTIONS\.md}, 'the README leads to it';
done_testing;
