#!/usr/bin/perl
# Every figure that our texts claim (a number with a unit, a count, a ratio; tables of numbers) has its row in t/figures, which
# says where it comes from: a place in a file that has the same number, a calculation, or a measurement by hand, of a day.
use strict;
use warnings;
use List::Util qw(max);
use Test::More;
use Time::Piece;
use lib 't/unit';
use Cli qw(slurp);

my $program = ($ENV{BUILD} || 'build') . '/cloud-audit-setup';

# The texts; of what is no text of its own (code, settings), its comments, or its strings.
my %text = map { $_ => slurp($_) } 'README.md', 'rules/README.md', 'rules/CIS-STIG.md', 'k8s/README.md', 'k8s/QUESTIONS.md', 't/README.md', glob 'setup/man/*.[58]';
$text{$_} = join '', map { /^(\s*[#;].*\n)/ || /(\s[#;] .*\n)/ ? $1 : "\n" } split /(?<=\n)/, slurp($_) for glob 'k8s/base/*.yaml k8s/base/config.ini k8s/base/fluentd/*.conf ' .
	'k8s/components/*/*.yaml k8s/components/*/*/*.yaml k8s/remove/*.yaml k8s/chart/values.yaml k8s/startup-taint/*.yaml k8s/alerts/*.yaml k8s/components/fluent-bit/upstream.txt';
$text{$_} = slurp($_) for 'k8s/components/fluent-bit/upstream.txt', 'k8s/chart/templates/NOTES.txt';
$text{$_} = join '', map { join('', /"((?:[^"\\]|\\.)*)"/g) . "\n" } split /\n/, slurp($_) for 'setup/explain/groups.c', 'setup/config/config_meanings.c';

my $number = qr/\d[\d,]*(?:\.\d+)?|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty|hundreds?|thousands?)\b/i;
my $unit = qr/(?:[kMG]i?B|bytes?|ms|ns|s|seconds?|min|minutes?|hours?|days?|times|million|thousand|rules?|records?|events?|execs?|entries|lines|processors?|cores?|instructions|checks|states|fields|sessions|ids|SIGKILLs|calls|programs|containers|looks|PATH records|log entr(?:y|ies)|settings|tests)(?![\w-])|%/;
# What is a figure: a number before a unit, also with "to" and "million" between; a fraction or multiple of something.
my $figure = qr/(?<![\w.,:\/\@=-])$number(?:[ -](?:million|thousand|to $number))?[ -]?$unit|\b(?:twice (?:the|its|as|theirs)|a third of|half (?:of|an? )|nine tenths of|a quarter of)\b|(?<![\w.,:-])\d[\d,.]* times/;

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
my $n = 0;
for my $file (sort keys %text) {
	my $text = $text{$file};
	my @missing;
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
		$n++;
		push @missing, (1 + (substr($text, 0, $from) =~ tr/\n//)) . ": $it" unless grep { $_->[0] <= $from && $to <= $_->[1] } @ranges;
	}
	is join("\n", @missing), '', "$file: every figure is in t/figures";
}
cmp_ok $n, '>', 150, 'which is about that many';

# --- a claim that names its test has it ---
my %missing;
for my $file (sort keys %text) {
	# t/28, t/28-shipper.t, t/48: the first that begins so.
	for my $test ($text{$file} =~ m{(?<![\w/.])(t/\d\d(?:-[\w-]+(?:\.t)?)?)}g) {
		my @is = -e $test ? $test : glob "$test*.t";
		$missing{"$file: $test"} = 1 unless grep { -e } @is;
	}
}
is join("\n", sort keys %missing), '', 'each test that a text names is there';
done_testing;
