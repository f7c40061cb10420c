#!/usr/bin/perl
# Log entries: k8s/entry.table, what both shippers are made from, and entry.schema.json say the same.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli qw(run put slurp $tmp);

my $build = $ENV{BUILD} || 'build';
my $schema = decode_json(slurp('k8s/entry.schema.json'));
my (%rows, %place);
for (grep { !/^\s*(#|$)/ } split /\n/, slurp('k8s/entry.table')) {
	my ($type, $name, $kind, $usual) = split ' ';
	if ($type eq 'place') { $place{$name} = $kind } else { push @{$rows{$type}}, [ $name, $kind, $usual ] }
}

# --- what is made from the table is what lies in the tree ---
SKIP: {
	skip "$build/names is missing: make unit-tests", 2 unless -x "$build/names";
	my ($code, $out, $err) = run("$build/names");
	is "$code $err", '0 ', 'the program that prints the kernel\'s names runs';
	put("$tmp/names", $out);
	($code, undef, $err) = run('k8s/tables', "$tmp/names", $tmp);
	is "$code $err", '0 ', 'k8s/tables makes both files';
	is slurp("$tmp/audit_table.rb"), slurp('k8s/base/fluentd/audit_table.rb'), '... fluentd\'s is current (make tables)';
	is slurp("$tmp/audit_table.lua"), slurp('k8s/components/fluent-bit/audit_table.lua'), '... fluent-bit\'s, too';
}
# The kernel's numbers: of an old call, one that libaudit 3.0 lacks, one that is another on each machine.
for ([ 'x86_64', 59, 'execve' ], [ 'i386', 11, 'execve' ], [ 'aarch64', 221, 'execve' ], [ 'x86_64', 0, 'read' ],
	[ 'x86_64', 452, 'fchmodat2' ], [ 'aarch64', 452, 'fchmodat2' ], [ 'arm', 403, 'clock_gettime64' ],
	[ 'errno', 13, 'EACCES' ], [ 'family', 10, 'inet6' ]) {
	my ($list, $number, $name) = @$_;
	my ($ruby) = slurp('k8s/base/fluentd/audit_table.rb') =~ /^    '$list' => by_number\(\[\n(.*?)^    \]\)/ms;
	my %is;
	while ($ruby =~ /(\d+), %q\(([^)]*)\)/g) { my $n = $1; $is{$n++} = $_ for split ' ', $2 }
	is $is{$number}, $name, "$list $number is $name";
}

# --- the schema ---
SKIP: {
	my ($code, $out) = run('python3', '-c', 'import json, jsonschema
jsonschema.Draft202012Validator.check_schema(json.load(open("k8s/entry.schema.json")))');
	skip 'python3-jsonschema (4 or later) is missing', 1 if $code && $out !~ /SchemaError/;
	is $code, 0, 'entry.schema.json is a schema' or diag $out;
}
my %entry = %{$schema->{properties}};
my $places = join ' ', map { $_->[0] } grep { !$entry{$_->[0]} } @{$rows{SYSCALL}}, @{$rows{CWD}}, @{$rows{PROCTITLE}};
is $places, 'per', 'the schema names every field of the records at the top but the rare per';
is_deeply [ map { $_->[0] } @{$rows{PATH}} ],
	[ grep { $_ ne 'text' } sort { index_of($a) <=> index_of($b) } keys %{$entry{paths}{items}{properties}} ],
	'... and those of a path, all and only';
sub index_of { my ($name) = @_; return (grep { $rows{PATH}[$_][0] eq $name } 0 .. $#{$rows{PATH}})[0] // 99 }
{
	# A usual value that the table has, the schema says.
	my @silent;
	for ([ $rows{SYSCALL}, \%entry ], [ $rows{PATH}, $entry{paths}{items}{properties} ]) {
		my ($list, $properties) = @$_;
		for my $row (grep { defined $_->[2] } @$list) {
			my ($name, undef, $usual) = @$row;
			my $property = $properties->{$name} or next;
			my $def = ($property->{'$ref'} // '') =~ m{/(\w+)$} ? $schema->{'$defs'}{$1}{description} : undef;
			my $text = $property->{description} // $def // '';
			my $said = $usual =~ /^\@(.*)/ ? "Usual: as $1" : $usual eq '#items' ? 'has not as many' : $usual eq '#item' ? 'Usual: its place' : $usual;
			push @silent, "$name: $usual" if index($text, $said) < 0;
		}
	}
	is join("\n", @silent), '', 'the schema says each usual value that the table has';
}

done_testing;
