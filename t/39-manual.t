#!/usr/bin/perl
# The program, its manual pages and the README say the same: options, settings, exit codes, warnings. What is
# expected comes from the program and its source.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my $program = ($ENV{BUILD} || 'build') . '/cloud-audit-setup';
die "$program is not built: make\n" unless -x $program;
my %page = (8 => 'setup/man/cloud-audit-setup.8', 5 => 'setup/man/cloud-audit-setup.ini.5');

sub slurp {
	my ($path) = @_;
	open my $f, '<', $path or die "$path: $!";
	local $/;
	return scalar <$f>;
}

sub output {
	open my $in, '-|', @_ or die "$_[0]: $!";
	local $/;
	my $out = <$in>;
	close $in;
	return defined $out ? $out : '';
}

my $readme = slurp('README.md');
my $help = output($program, '--help');

# --- what the program says ---
my ($options_help) = $help =~ /^Options:\n(.*?)\n\n/ms;
my @options = map { /^ {2}(?:(-\w), | {4})(--[a-z-]+)( [A-Z])?/ ? [grep({ defined } $1, $2), $3 ? 'value' : ()] : () }
	split /\n/, $options_help;
my @commands = $help =~ /^  ([a-z]+) {2,}\S/mg;
my %settings;
my @settings;
for (split /\n/, output($program, '--help', 'settings') =~ s/^.*?^Settings//msr) {
	next unless /^  (\w+)\.([\w-]+)=(\S*) +(\S.*)$/;
	my ($name, $default, $takes) = ("[$1] $2", $3, $4);
	push @settings, $name;
	$settings{$name} = { default => $default, words => $takes =~ / / ? undef : [sort split /\|/, $takes] };
}
my %status = map { /\bSTATUS_\w+ = (\d+)/ ? ($1 => 1) : () } split /\n/, slurp('setup/node/context.h');
my @lints = output($program, 'render', '--help') =~ s/^.*^Warnings[^\n]*//msr =~ /^  ([a-z0-9-]+) /mg;
my $all = slurp('setup/config/config_rows.c');
is scalar @settings, scalar(() = $all =~ /^\t\{ "\w+", "|^\t(?:EVENT|SWITCH)\("/mg),
	'--help settings prints a line for each row of the table';
cmp_ok scalar(@options), '>=', 9, 'the options are read from --help';
cmp_ok scalar(@lints), '>=', 13, 'the warnings about rules are read from render --help';

# --- command, options, codes in section 8 ---
my $manual = slurp($page{8});
my @in_manual;
for ($manual =~ /^\.It (Fl .*)$/mg) {
	my @names = map { "-$_" } /Fl (\S+)/g;
	push @in_manual, join ' ', @names, /Fl \S+ (?:Ar|Cm)/ ? 'value' : ();
}
is_deeply \@in_manual, [map { "@$_" } @options], 'cloud-audit-setup(8) has the options of --help, in order';
my ($commands_part) = $manual =~ /^The commands are:\n(.*?)^\.El/ms;
is_deeply [$commands_part =~ /^\.It Cm (\w+)/mg], \@commands, 'cloud-audit-setup(8) has the commands of --help';
my ($exit_part) = $manual =~ /^\.Sh EXIT STATUS\n(.*?)^\.Sh/ms;
is_deeply [$exit_part =~ /^\.It (\d+)/mg], [sort keys %status], 'cloud-audit-setup(8) has the exit codes of the program';
my ($exit_help) = $help =~ /^Exit status: (.*)\z/ms;
is_deeply [sort $exit_help =~ /(?:^|; )(\d) /g], [sort keys %status], '--help has the exit codes of the program';

# --- the examples of section 5 are configurations, in today's names ---
{
	my @examples = grep { /^\[/ } slurp($page{5}) =~ /^\.Sh EXAMPLES\n(.*?)^\.Sh/ms ? $1 =~ /^\.Bd -literal.*?\n(.*?)^\.Ed/msg : ();
	is scalar @examples, 2, 'cloud-audit-setup.ini(5) has examples';
	my $dir = tempdir(CLEANUP => 1);
	for my $i (0 .. $#examples) {
		open my $f, '>', "$dir/config.ini" or die $!;
		print $f $examples[$i];
		close $f or die $!;
		is output('sh', '-c', "$program -q -R $dir -c $dir/config.ini render unit 2>&1 >/dev/null"), '', "example @{[$i + 1]} is valid";
		unlike $examples[$i], qr/^\[tty\][^\[]*^runtime_unit/ms, '... and has no name of an earlier version';
	}
}

# --- man prints the pages without a word of its own ---
SKIP: {
	skip 'man is not installed', 2 if system('command -v man groff >/dev/null') != 0;
	for my $section (5, 8) {
		is output('sh', '-c', "LC_ALL=C.UTF-8 MANWIDTH=80 MANROFFSEQ= man --warnings -E UTF-8 -l -Tutf8 -Z $page{$section} 2>&1 >/dev/null"), '',
			"$page{$section}: groff finds nothing, in 80 columns";
	}
}

# --- settings in section 5, as a reader sees them ---
sub settings_of_page {
	my ($section, %found);
	my $setting;
	for (split /\n/, output('mandoc', '-T', 'ascii', '-O', 'width=200', $page{5}) =~ s/.\x08//gr) {
		last if /^FILES/;
		$section = $1 if /^   (\[\w+\])$/;
		if (defined $section && /^     ([\w-]+) = (.*)$/) {
			$setting = "$section $1";
			$found{$setting} = { shown => $2 };
		} elsif (defined $setting && /^ +Default: (\S+)\.(?: |$)/) {
			$found{$setting}{default} = $1 eq 'empty' ? '' : $1;
			undef $setting;
		}
	}
	return \%found;
}

SKIP: {
	skip 'mandoc is not installed: make deps', 5 if system('command -v mandoc >/dev/null') != 0;
	for my $section (sort keys %page) {
		# Which other manuals a machine has says nothing about this one.
		my @findings = grep { !/referenced manual not found|outdated mandoc\.db/ }
			split /\n/, output('sh', '-c', "mandoc -T lint -W style $page{$section} 2>&1");
		is "@findings", '', "$page{$section}: mandoc finds nothing";
	}
	my $found = settings_of_page();
	is_deeply [sort keys %$found], [sort @settings], 'cloud-audit-setup.ini(5) has every setting and no other';
	is_deeply { map { $_ => $found->{$_}{default} } keys %$found },
		{ map { $_ => $settings{$_}{default} } @settings }, 'cloud-audit-setup.ini(5) has the defaults';
	is_deeply { map { $settings{$_}{words} ? ($_ => [sort split / \| /, $found->{$_}{shown} || '']) : () } @settings },
		{ map { $settings{$_}{words} ? ($_ => $settings{$_}{words}) : () } @settings },
		'cloud-audit-setup.ini(5) has the words that each setting takes';
}

# --- the README ---
# A table below a heading, as rows of cells; inner "|" do not occur.
sub table {
	my ($head) = @_;
	my ($rows) = $readme =~ /^\| \Q$head\E[^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)/m or return;
	return map { [split / *\| */, s/^\| *//r] } split /\n/, $rows;
}
my %group = map { /^\[events\] (.*)/ ? ($1 => $settings{$_}) : () } @settings;
my %row = map { $_->[0] => $_ } table('`[events]`');
is_deeply { map { $_ => $row{$_}[1] } keys %row }, { map { $_ => $group{$_}{default} } keys %group },
	'the README has every group of events, with its default, and no other';
is join(' ', map { my $name = $_; grep { "@{$row{$name}}" !~ /(?<![\w-])\Q$_\E(?![\w-])/ } @{$group{$name}{words}} }
	grep { "@{$group{$_}{words}}" ne 'no yes' } sort keys %group), '', '... and the words that it takes, where these are not yes and no';
is_deeply [map { $_->[0] } table('exit status')], [sort keys %status], 'the README has the exit codes of the program';
my %known = map { map { $_ => 1 } @$_ } @options;
for my $file ('README.md', 'k8s/QUESTIONS.md') {
	my ($text, %told) = slurp($file);
	# What explain is given is a rule.
	for ($text =~ /cloud-audit-setup ([^\n`#]*)/g, $text =~ /`((?:verify )?-(?!\w \d)[^`]*)`/g) {
		$told{$_} = 1 for s/\bexplain\b.*//r =~ /(?<![\w-])(--?[a-z]+)/g;
	}
	is_deeply [grep { !$known{$_} } sort keys %told], [], "$file tells of no option that --help does not have";
	is join(' ', grep { !$settings{$_} } $text =~ /`(\[[a-z]+\] [a-z_-]+)/g, map { s/(.*)\.(.*)/[$1] $2/r } $text =~ /-s ([a-z]+\.[\w-]+)=/g),
		'', '... and of no setting that there is not';
}

# --- warnings ---
my ($rules_part, $others) = $manual =~ /^These warnings about rules.*?^\.Bl[^\n]*\n(.*?)^\.El.*?^\.Bl[^\n]*\n(.*?)^\.El/ms;
is_deeply [sort $rules_part =~ /^\.It Cm (\S+)/mg], [sort @lints], 'cloud-audit-setup(8) has the warnings about rules';
my @begins = $others =~ /^\.It Li (.*)$/mg;
my %used;
for my $file (sort glob 'setup/*.c setup/*/*.c rules/*.c rules/*/*.c units/*.c') {
	my $source = slurp($file);
	my $string = qr/(?:"(?:[^"\\]|\\.)*"|[A-Z]\w*)/;
	while ($source =~ /\blog_(?:say\([^,]+,|at\([^,]+,) *(?:LEVEL_WARNING|level),([^;]*?)($string(?:\s+$string)*)/g) {
		my ($text) = join '', map { s/^"|"$//gr } $2 =~ /"(?:[^"\\]|\\.)*"/g;
		next if $text =~ /\[lint: [\w-]+\]$/ || $file eq 'rules/parse/warnings.c';
		# PRIu32 and its like stand outside the strings.
		$text =~ s/%(?:z?[a-z])?/%s/g;
		my $regex = sub { my $re = quotemeta $_[0]; $re =~ s/\b[A-Z]{4,}\b/%s/g; return qr/^$re/ };
		my @told = grep { $text =~ $regex->($_) } @begins;
		$used{$_} = 1 for @told;
		is scalar @told, 1, "cloud-audit-setup(8) has the warning '" . substr($text, 0, 50) . "' of $file";
	}
}
is_deeply [grep { !$used{$_} } @begins], [], 'cloud-audit-setup(8) has no warning that the program does not give';
my ($at_risk) = $others =~ /^\.It Li at risk: .*?\n(.*?)(?=^\.It |\z)/ms;
my @may_be = slurp('setup/checks/hazards.c') =~ /\btell\(look, "([^"]+)"/g;
is_deeply [sort $at_risk =~ /^\.Em (.*?) [:,]$/mg], [sort @may_be],
	'cloud-audit-setup(8) has each sentence that may be at risk, and no other';
my %in_source = map { $_ => 1 } map { slurp($_) =~ /\[lint: ([a-z0-9-]+)\]/g } glob 'setup/*.c setup/*/*.c rules/*.c rules/*/*.c';
my %listed = map { $_ => 1 } @lints;
is_deeply [grep { !$listed{$_} } sort keys %in_source], [], 'render --help has every warning that the source names';

# --- what make install puts in place ---
my $dest = tempdir(CLEANUP => 1);
my $built = $ENV{BUILD} || 'build';
my @make = ('make', '-s', 'install', "DESTDIR=$dest", "BUILD=$built");
is output('sh', '-c', "@make 2>&1 >/dev/null"), '', 'make install says nothing wrong';
for my $pair (['setup/man/cloud-audit-setup.8', 'man/man8/cloud-audit-setup.8'],
	      ['setup/man/cloud-audit-setup.ini.5', 'man/man5/cloud-audit-setup.ini.5'],
	      ['setup/completion/bash', 'bash-completion/completions/cloud-audit-setup'],
	      ['setup/completion/zsh', 'zsh/site-functions/_cloud-audit-setup']) {
	my ($from, $to) = @$pair;
	is system('cmp', '-s', $from, "$dest/usr/local/share/$to"), 0, "make install puts $from into share/$to";
}
done_testing;
