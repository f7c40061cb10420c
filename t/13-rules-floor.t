#!/usr/bin/perl
# Which rules remain in the list that each call goes through once a set is optimised, and why none of them can go: the table in
# rules/README.md. Each two of them differ in something that the kernel has no "or" for.
use strict;
use warnings;
use File::Path qw(make_path);
use JSON::PP;
use MIME::Base64;
use Test::More;
use lib 't/unit';
use Cli;

my $program = program();
my $root = "$tmp/root";
my $page = slurp('rules/README.md');
# Beside a set of others none of our groups.
my @off = map { ('-s', "events.$_=no") } qw(audit-config apparmor exec socket mmap network logins tty);
my $gaps = slurp('rules/match/numbers.h') =~ /NUMBERS_GAPS = (\d+)/ ? $1 : die;

make_path($root);
sub place {
	my ($path) = @_;
	make_path($root . ($path =~ m{/\z} ? $path : $path =~ s{/[^/]*\z}{}r));
	put("$root$path", '') if $path !~ m{/\z} && !-e "$root$path";
}
for my $group (map { slurp($_) } glob 'rules/*.rules') {
	# These are directories on a node.
	place($_ =~ m{\A/usr/s?bin/|\.conf\z|/(?:passwd|shadow|group|gshadow|sudoers|[wb]tmp|lastlog)\z} ? $_ : "$_/" =~ s{//\z}{/}r) for $group =~ /^-w (\S+)/mg;
}

# A rule as its conditions: what it does and is called, its tree, numbers by field, and all others; its calls by number, which is
# the mask of struct audit_rule_data, behind flags, action and field_count.
sub rule {
	my ($line, $data) = @_;
	my %rule = (text => $line, tree => '', arch => '', key => '', number => {}, rest => '', calls => substr($data, 12, 256));
	($rule{action}) = $line =~ /^-a (\S+)/;
	for ($line =~ /-F (\S+)/g) {
		/^dir=(.*)/ ? $rule{tree} = $1 : /^arch=(.*)/ ? $rule{arch} = $1 : /^key=(.*)/ ? $rule{key} = $1 :
			/^(exit|a[0-3]|saddr_fam)\b/ ? $rule{number}{$1} .= "$_ " : ($rule{rest} .= "$_ ");
	}
	$rule{rest} .= join ' ', $line =~ /-C (\S+)/g;
	return \%rule;
}
# The one number in which they differ, '' for none, undef for several.
sub number {
	my ($first, $second) = @_;
	my @differ = grep { ($first->{number}{$_} // '') ne ($second->{number}{$_} // '') } qw(exit a0 a1 a2 a3 saddr_fam);
	return @differ > 1 ? undef : $differ[0] // '';
}
# Whether more values than the optimiser takes out lie between those of both: each asks for single values, or for a range less some.
sub wide {
	my ($first, $second, $field) = @_;
	my %asked;
	for my $rule ($first, $second) {
		my $conditions = $rule->{number}{$field} // return 0;
		my ($least, $most) = map { $conditions =~ /$field$_(\d+) / ? $1 : return 0 } $conditions =~ /$field=\d/ ? ('=', '=') : ('>=', '<=');
		my %not = map { $_ => 1 } $conditions =~ /$field!=(\d+) /g;
		$asked{$_} = 1 for grep { !$not{$_} } $least .. $most;
	}
	my ($least, $most) = (sort { $a <=> $b } keys %asked)[0, -1];
	return $most - $least + 1 - keys(%asked) > $gaps;
}
# Why they cannot be one: undef where they could.
sub reason {
	my ($first, $second) = @_;
	return 'key' if $first->{key} ne $second->{key} || $first->{action} ne $second->{action};
	return 'directory' if $first->{tree} ne $second->{tree};
	return 'condition' if $first->{rest} ne $second->{rest};
	my $number = number($first, $second);
	return 'condition' if !defined $number;
	# A number and the calls: as a whole it would be more than both.
	return 'condition' if $number && ($first->{arch} ne $second->{arch} || $first->{calls} ne $second->{calls});
	return 'condition' if $number && wide($first, $second, $number);
	return 'architecture' if !$number && $first->{arch} ne $second->{arch} && $first->{calls} ne $second->{calls};
	return;
}

# The list: no exclude, no single file, which is found by its inode.
sub list {
	my ($optimise, @options) = @_;
	my ($status, $out, $err) = run($program, '-R', $root, '-q', '-s', "rules.optimise=$optimise", @options, 'render', 'kernel');
	die "render kernel: $err" if $status;
	my @rules = grep { $_->{rule} } map { decode_json($_) } split /\n/, $out;
	return map { rule($_->{rule}, decode_base64($_->{data})) } grep { $_->{rule} =~ /^-a \S+,exit / && $_->{rule} !~ /-F path=/ } @rules;
}

sub set {
	my ($name, @options) = @_;
	my ($row) = $page =~ /^\| [^|]*\Q$name\E[^|\n]* \| ([\d |]+) \|/m or return fail "rules/README.md has a row for $name";
	my @told = split / \| /, $row;
	my @plain = list('no', @options);
	my @list = list('yes', @options);
	my @same;
	for my $i (0 .. $#list) {
		push @same, map { "$list[$i]{text}\n$list[$_]{text}" } grep { !reason($list[$i], $list[$_]) } $i + 1 .. $#list;
	}
	is "@same", '', "$name: each two of its rules differ in what the kernel cannot ask for in one";
	# One for each directory, then for each key, then for each condition beside, then for the other architecture.
	my @others = grep { !$_->{tree} } @list;
	my (%key, %condition);
	for (@others) {
		$key{"$_->{action} $_->{key}"} = 1;
		$condition{join "\n", @$_{qw(action key rest)}, map { $_ // '-' } @{$_->{number}}{qw(exit a0 a1 a2 a3 saddr_fam)}} = 1;
	}
	my @is = (scalar @plain, scalar @list, @list - @others, scalar keys %key, keys(%condition) - keys(%key), @others - keys %condition);
	is "@is", "@told", "$name: as written, optimised, of these for directories, keys, conditions, architectures: as rules/README.md says"
		or diag join "\n", map { $_->{text} =~ s/(-S \S{70})\S+/$1.../r } @list;
}

set('our default');
my @sets = ('30-stig', '30-pci-dss-v31', '30-ospp-v42');
make_path("$tmp/sets");
SKIP: {
	skip "Debian's package auditd cannot be had here", 2 * @sets if system "t/bench-rules/fetch $tmp/sets >$tmp/log 2>&1";
	other($_, slurp("$tmp/sets/$_.rules")) for @sets;
}
other('watch-heavy', slurp('t/bench-rules/watch-heavy.rules'));
sub other {
	my ($name, $text) = @_;
	place($_) for $text =~ /^-.*?(?:-w |path=|dir=|exe=)(\S+)/mg;
	put("$tmp/$name.d/$name.rules", $text);
	set($name, '-s', "rules.directory=$tmp/$name.d", @off);
}
done_testing;
