#!/usr/bin/perl
# What counts as a difference, and what does not, on a made-up root with a systemd that does nothing and tells of its
# units what a file says.
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use Test::More;
use lib 't/unit';
use Cli;
use FakeNode;

my $why = usable();
plan skip_all => $why if $why;

my $program = program();
my $root = fake_node("$tmp/node");
my $answers = put("$tmp/answers", '');
my $systemd = fake_systemd("$root/run/systemd/private", 0, $answers);
my @files = map { "/etc/systemd/system/cloud-audit-$_.service" } qw(setup lock);
my $rules = '/etc/audit/cloud-audit-setup.rules';
my @options = plain_rules();

sub verify { my ($with, @more) = @_; my ($code, $out, $err) = run($with, '-R', $root, @options, @more, '-o', 'tap', 'verify'); return $out . $err }
sub says { my ($out, $name) = @_; my @l = grep { /^(?:not )?ok \d+ - \Q$name\E(?: #|$)/ } split /\n/, $out; return @l ? $l[0] =~ /^ok/ ? 'ok' : 'not ok' : 'nothing' }
# What was found where that failed.
sub found { my ($out, $name) = @_; return $out =~ /^not ok \d+ - \Q$name\E[^\n]*\n  ---\n(?:  .*\n)*?  found: "(.*)"$/m ? $1 : '' }

# Puts onto the node what this program would.
sub install {
	my ($with, @more) = @_;
	my ($code, $text) = run($with, '-R', $root, @options, @more, 'render', 'rules');
	put("$root$rules", $text);
	chmod 0640, "$root$rules" or die;
	my %units = (run($with, '-R', $root, @options, @more, 'render', 'unit'))[1] =~ m{^# (/\S+)\n(.*?)(?=^\n# /|\z)}msg;
	put("$root$_", $units{$_} =~ s/\n\n\z/\n/r) for keys %units;
	chmod 0644, "$root$_" or die for keys %units;
}

# --- the same node, the same verdict ---
install($program);
my $out = verify($program);
is says($out, "$_ is as configured"), 'ok', "$_ as it was rendered" for $rules, @files;

my $elsewhere = "$tmp/some/where/else";
make_path("$elsewhere/share/cloud-audit-setup", "$elsewhere/bin");
system('cp', '-r', $program =~ s{[^/]*$}{rules}r, "$elsewhere/share/cloud-audit-setup/rules") == 0 or die;
system('cp', $program, "$elsewhere/bin/cloud-audit-setup") == 0 or die;
my $other = "$elsewhere/bin/cloud-audit-setup";
@options = ('-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s');
install($program);
$out = verify($other);
is says($out, "$_ is as configured"), 'ok', "$_ is so, too, by a program elsewhere with its rules beside it in another way" for $rules, @files;
is verify($other) =~ s/"[^"]*"//gr, verify($program) =~ s/"[^"]*"//gr, 'and both say the same of everything';
is +(run($other, '-R', $root, @options, 'render', 'rules'))[1], slurp("$root$rules"), 'the rules file is the same to the byte';

my $ini = put("$tmp/a.ini", "[audit]\nbacklog_limit = 9000\n[filter]\nexclude_uid = 7\n");
install($program, '-c', $ini);
put($ini, "# a comment\n\n[audit]\n# another\nbacklog_limit = 9000\n\n[filter]\nexclude_uid = 7\n");
$out = verify($program, '-c', $ini);
is says($out, "$rules is as configured"), 'ok', 'a comment in the configuration is no difference';
put("$root$files[0]", "; somebody\n\n" . slurp("$root$files[0]") . "# says this\n");
$out = verify($program, '-c', $ini);
is says($out, "$files[0] is as configured"), 'ok', 'nor is one in a unit';
put("$root$files[0]", slurp("$root$files[0]") . "[Service]\nUser=nobody\n");
$out = verify($program, '-c', $ini);
is says($out, "$files[0] is as configured"), 'not ok', 'a line in a unit is one';
put("$root$rules", slurp("$root$rules") . "-e 0\n");
$out = verify($program, '-c', $ini);
is says($out, "$rules is as configured"), 'not ok', 'so is one in the rules file';

done_testing;
