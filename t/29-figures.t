#!/usr/bin/perl
# Every figure that our texts claim (a number with a unit, a count, a ratio; tables of numbers) has its row in t/figures, which
# says where it comes from: a place in a file that has the same number, a calculation, or a measurement by hand, of a day.
use strict;
use warnings;
use File::Find;
use List::Util qw(max);
use Test::More;
use Time::Piece;
use lib 't/unit';
use Cli qw(slurp);

my $program = ($ENV{BUILD} || 'build') . '/cloud-audit-setup';

# The texts: every page there is. Of what is no text of its own (code, settings) its comments; of C its strings, too.
my %kind = (
	page => sub { return $_[0] },
	comments => sub { return join '', map { /^(\s*(?:[#;]|--).*\n)/ || /(\s(?:[#;]|--) .*\n)/ ? $1 : "\n" } split /(?<=\n)/, $_[0] },
	c => sub { return join '', map { join('', m{(?:/\*|^\s?\*)(.*)}g, /"((?:[^"\\]|\\.)*)"/g) . "\n" } split /\n/, $_[0] },
);
sub kind {
	my ($file) = @_;
	# What is made of others, and has their comments.
	return if $file =~ m{^k8s/cloud-audit-\w+\.yaml$};
	return 'page' if $file =~ m{\.(?:md|[58]|txt)$|(?:^|/)(?:NOTICE|README[^/]*|control)$};
	return 'comments' if $file =~ m{^(?:k8s|rules)/.*\.(?:yaml|conf|ini|rules|rb|lua)$|^container/[^.]*$|^Makefile$|^setup/debian/(?:rules|prerm|build)$};
	return 'c' if $file =~ m{^units/.*\.[ch]$|^setup/explain/groups\.c$|^setup/config/config_meanings\.c$};
	return;
}
my %raw;
find({ no_chdir => 1, wanted => sub {
	my $file = s{^\./}{}r;
	return $File::Find::prune = 1 if -d && $file =~ m{^(?:build|\.git|t/fuzz/.*|t/vectors/.*)$};
	$raw{$file} = slurp($file) if -f && kind($file);
} }, '.');
my %text = map { $_ => $kind{kind($_)}->($raw{$_}) } keys %raw;

my $number = qr/\d[\d,]*(?:\.\d+)?|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty|hundreds?|thousands?)\b/i;
my $unit = qr/(?:[kMG]i?B|bytes?|ms|ns|s|seconds?|min|minutes?|hours?|days?|times|million|thousand|rules?|records?|events?|execs?|entries|accepted rules|rejected rules|lines|processors?|cores?|instructions|checks|states|fields|sessions|ids|SIGKILLs|calls|programs|containers|looks|PATH records|log entr(?:y|ies)|settings|tests)(?![\w-])|%/;
# What is a figure: a number before a unit, also with "to" and "million" between; a fraction or multiple of something.
my $figure = qr/(?<![\w.,:\/\@=-])$number(?:[ -](?:million|thousand|to $number))?[ -]?$unit|\b(?:twice (?:the|its|as|theirs)|a third of|half (?:of|an? )|nine tenths of|(?:a|three) quarters? of)\b|(?<![\w.,:-])\d[\d,.]* times/;

# --- the table ---
my (%of, %fact, @rows);
for (grep { !/^(?:#|$)/ } split /\n/, slurp('t/figures')) {
	my ($fact, $file, $fragment, $source) = split /\t+/;
	push @rows, { fact => $fact, file => $file, fragment => $fragment, source => $source // '' };
}
sub figures { my ($s) = @_; return map { tr/,//dr } $s =~ /\d[\d,]*(?:\.\d+)?/g }

# Where a fragment stands: its words, whatever is between them (line ends, the marks of a comment or of mdoc).
sub places {
	my ($text, $fragment) = @_;
	my $gap = qr/\s+(?:[#;]\s+)?/;
	my $re = join $gap, map { quotemeta } split ' ', $fragment;
	my @places;
	push @places, [$-[0], $+[0]] while $text =~ /$re/g;
	return @places;
}

my %covered;
for my $row (@rows) {
	my $text = $text{$row->{file}};
	my @places = defined $text ? places($text, $row->{fragment}) : ();
	ok @places, "$row->{file} says: $row->{fragment}" or next;
	push @{$covered{$row->{file}}}, @places;
	my $first = $fact{$row->{fact}};
	if ($first) {
		is join(' ', figures($row->{fragment})), join(' ', figures($first->{fragment})), "$row->{fact}: the same figures as in $first->{file}";
		is $row->{source}, '', '... whose source is told once';
		next;
	}
	$fact{$row->{fact}} = $row;
	my @has = figures($row->{fragment});
	if ($row->{source} =~ m{^(\S+) /(.*)/$}) {
		my ($file, $re) = ($1, $2);
		my $content = -f $file ? slurp($file) : '';
		my $there = $content =~ /$re/m;
		my @found = map { defined $-[$_] ? substr $content, $-[$_], $+[$_] - $-[$_] : () } 1 .. $#+;
		ok $there, "$row->{fact}: $file has it" or diag $re;
		my %has = map { $_ => 1 } @has;
		is join(' ', grep { !$has{$_} } map { figures($_) } @found), '', '... with these numbers';
	} elsif ($row->{source} =~ /^counted: (.*)$/) {
		local $ENV{P} = $program;
		is join(' ', @has), join(' ', split ' ', `$1 2>&1`), "$row->{fact}: counted";
	} elsif ($row->{source} =~ /^calculated: (.*)$/) {
		my @list = eval $1;
		is $@, '', "$row->{fact}: can be calculated";
		is join(' ', @has), join(' ', @list), '... and is that';
	} elsif ($row->{source} =~ /^by hand (\d{4}-\d\d-\d\d): (\S.{10,})$/) {
		my $then = Time::Piece->strptime($1, '%Y-%m-%d');
		ok($then->epoch <= max(time, (stat 't/figures')[9]) + 86400, "$row->{fact}: measured by hand, on $1");
	} elsif ($row->{source} =~ /^elsewhere: (\S.{10,})$/) {
		pass "$row->{fact}: somebody else's figure";
	} else {
		fail "$row->{fact}: t/figures says where it comes from";
	}
}

# --- every figure has one ---
# Those of a text that no row covers, and how many there are.
sub uncovered {
	my ($file, $text) = @_;
	my ($n, @missing) = 0;
	# Commands are what other tests run.
	my @ranges = @{$covered{$file} // []};
	my $example = $file =~ /\.md$/ ? qr/^ {4}.*$|`(?:verify )?-[^`\n]*`/m : qr/^(?:\.Dl|cloud-audit-setup) .*$/m;
	push @ranges, [$-[0], $+[0]] while $text =~ /$example/g;
	while ($text =~ /$figure|^\|.*$/mg) {
		my ($from, $to, $it) = ($-[0], $+[0], $&);
		# Rows of tables: of the cells that are numbers alone.
		if ($it =~ /^\|/) {
			pos($text) = $from + 1;
			next unless $it =~ /(?<=.)\| *\d[\d,.]*(?:[,;] [\d,.]+)* *(?=\|)/;
			($from, $to, $it) = ($from + $-[0], $from + $+[0], $&);
		}
		# In a comment a small number in words tells what a line does, not what it costs.
		next if kind($file) ne 'page' && $it =~ /^(?:two|three|four) (?!times|seconds|minutes|hours|days)/;
		$n++;
		push @missing, (1 + (substr($text, 0, $from) =~ tr/\n//)) . ": $it" unless grep { $_->[0] <= $from && $to <= $_->[1] } @ranges;
	}
	return ($n, @missing);
}
my ($n, @blind) = 0;
for my $file (sort keys %text) {
	my ($has, @missing) = uncovered($file, $text{$file});
	$n += $has;
	is join("\n", @missing), '', "$file: every figure is in t/figures";
	my $plant = 'It takes 4,711 seconds.';
	$plant = kind($file) eq 'c' ? "/* $plant */" : $file =~ /\.lua$/ ? "-- $plant" : kind($file) eq 'comments' ? "# $plant" : $plant;
	push @blind, $file unless grep { /4,711 seconds/ } uncovered($file, $kind{kind($file)}->("$raw{$file}\n$plant\n"));
}
cmp_ok $n, '>', 250, 'which is about that many';
is join(' ', @blind), '', 'one that is planted is found, in each of these texts';
is join(' ', grep { !$text{$_} } qw(CONTRIBUTING.md NOTICE t/README.md t/vm/README.md rules/README.md k8s/QUESTIONS.md container/Containerfile
	setup/debian/README.Debian setup/debian/control setup/man/cloud-audit-setup.8 setup/man/cloud-audit-setup.ini.5 units/host_units.h
	k8s/chart/values.yaml k8s/base/daemonset.yaml k8s/base/fluentd/in_linux_audit.rb k8s/components/fluent-bit/audit.lua)), '', 'these are among them';

# --- a claim that names its test has it ---
my %missing;
for my $file (sort keys %text) {
	# t/28, t/28-shipper.t, t/48: the first that begins so.
	for my $test ($text{$file} =~ m{(?<![\w/.])(t/\d\d(?:-[\w-]+(?:\.t)?)?)}g) {
		next if $test =~ /NAME/;
		my @is = -e $test ? $test : glob "$test*.t";
		$missing{"$file: $test"} = 1 unless grep { -e } @is;
	}
}
is join("\n", sort keys %missing), '', 'each test that a text names is there';

# --- and a link leads somewhere, to a heading as GitHub names them ---
sub anchors { my ($page) = @_; return map { lc($_) =~ s/[^\w -]//gr =~ tr/ /-/r => 1 } $page =~ /^#+ (.*)/mg }
sub broken {
	my ($file, $page) = @_;
	my ($dir, @broken) = $file =~ m{^(.*/)?}s;
	for my $link (grep { !/^https?:/ } $page =~ /\]\(([^)]+)\)/g) {
		my ($to, $anchor) = split /#/, $link, 2;
		my $target = $to eq '' ? $file : ($dir // '') . $to;
		1 while $target =~ s{[^/]+/\.\./}{};
		if (!-e $target) { push @broken, $link; next }
		my %has = anchors($to eq '' ? $page : defined $anchor ? slurp($target) : '');
		push @broken, $link if defined $anchor && !$has{$anchor};
	}
	return map { "$file: $_" } @broken;
}
my @md = grep { /\.md$/ } sort keys %text;
is join("\n", map { broken($_, $text{$_}) } @md), '', 'each link between these pages leads to a file, and a heading of it';
is join(' ', broken('rules/README.md', "# A b\n[x](none.md) [y](#a-b) [z](#c) [w](../t/README.md#figures) [v](../t/README.md#none)")),
	'rules/README.md: none.md rules/README.md: #c rules/README.md: ../t/README.md#none', 'those that do not are found when they are planted';
done_testing;
