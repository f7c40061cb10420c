#!/usr/bin/perl
# render rules FILE...: rules files checked by themselves, for editors and CI, with places; -o sarif.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli;

my $program = program();
my @off = map { /^  (events\.[\w-]+)=/ ? ('-s', "$1=no") : () } `$program --help settings`;
my $good = put("$tmp/my rules/good.rules", "-w /run/nowhere/x -p wa -k a\n-w /srv/ -p wa -k b\n");
my $bad = put("$tmp/bad.rules", "-a always,exit -S nosuchcall\n-w /etc/b -p wa\n-w /etc/c -p wa\n-w relative -p wa\n");
my $configured = put("$tmp/rules.d/configured.rules", "-w also-relative -p wa\n");
my @args = (@off, '-s', "rules.directory=$tmp/rules.d");

# Standard input is a file here.
sub fed {
	my ($content, @more) = @_;
	my $from = put("$tmp/stdin", $content);
	return run({ before => sub { open STDIN, '<', $from or die } }, $program, @args, @more);
}

# --- files ---
my ($code, $out, $err) = run($program, @args, 'render', 'rules', $good);
is "$code $err", '0 ', 'a good file: exit 0, and no warning about paths, which are those of no host';
like $out, qr{^# good\.rules:1\n-a always,exit -F path=/run/nowhere/x }m, 'what it gives is printed';
like $out, qr{^# good\.rules:2\n-a always,exit -F dir=/srv }m, 'a slash at the end is a directory';
unlike $out, qr/configured\.rules/, 'the configured files are not read';
($code, $out, $err) = run($program, @args, 'render', 'rules', $bad, $good, "$tmp/nowhere.rules");
is "$code|$out", '3|', 'a bad file: exit 3, nothing printed';
my @errors = split /\n/, errors($err);
is scalar @errors, 3, 'all mistakes of all files are told';
like $errors[0], qr{^\Q$bad\E:1: .*nosuchcall}, 'with their places';
like $errors[1], qr{^\Q$bad\E:4: .*relative}, 'with their lines';
like $errors[2], qr{^\Q$tmp\E/nowhere\.rules: .*No such file}, 'and so is a file that is not there';
like $err, qr/^cloud-audit-setup: info: 3 mistakes in all\n\z/m, 'how many, and nothing of a node, which has no part in it';
($code, $out, $err) = run($program, @args, '-R', make_root(), 'render', 'rules', $good);
like $err, qr{^cloud-audit-setup: warning: \Q$good\E:1: apply would leave it out here: /run/nowhere is not on the host}m,
	'with --root the paths of that host count';

# --- names of the host's ---
{
	my $root = make_root();
	put("$root/etc/passwd", "root:x:0:0::/:/bin/sh\nprometheus:x:999:99::/:/bin/false\n");
	put("$root/etc/group", "root:x:0:\nsystemd-journal:x:101:\n");
	my @fields = (map({ [ $_, 'promethues', 'user "promethues"; did you mean "prometheus"?' ] } qw(uid auid euid suid fsuid obj_uid)),
		map({ [ $_, 'systemd-jurnal', 'group "systemd-jurnal"; did you mean "systemd-journal"?' ] } qw(gid egid sgid fsgid obj_gid)),
		[ 'uid', 'somebody-else', 'user "somebody-else"' ]);
	my $named = put("$tmp/names.rules", join '', map { "-a always,exit -F arch=b64 -S mount -F $_->[0]=$_->[1] -k k\n" } @fields);
	($code, $out, $err) = run($program, @args, '-R', $root, 'render', 'rules', $named);
	my $n = 0;
	is errors($err), join('', map { $n++; "$named:$n: -F $_->[0]=$_->[1]: the host has no $_->[2]\n" } @fields),
		'a user or group that the host has not: the nearest of those that it has';
}

# --- standard input ---
($code, $out, $err) = fed("-w /etc/a -p wa -k k\n", 'render', 'rules', '-');
like "$code $err$out", qr{^0 .*^# stdin:1\n-a always,exit -F path=/etc/a }ms, '-: standard input';
($code, $out, $err) = fed("# x\n-w /etc/a -p zz -k k\n", 'render', 'rules', '-');
like "$code " . errors($err), qr{^3 stdin:2: permissions "zz"}, 'with its lines';
($code, $out, $err) = fed('', 'render', 'rules', '-');
is "$code $err", '0 ', 'an empty one is no mistake';

# --- SARIF ---
sub sarif {
	my (@files) = @_;
	my ($code, $out, $err) = run($program, @args, '-o', 'sarif', 'render', 'rules', @files);
	my $doc = eval { decode_json($out) };
	return ($code, $doc, $err, $out);
}
# What the schema of 2.1.0 requires of each object, and what its kinds are.
sub misfits {
	my ($doc) = @_;
	my @bad;
	push @bad, 'version' if $doc->{version} ne '2.1.0';
	push @bad, 'runs' if ref $doc->{runs} ne 'ARRAY' || @{$doc->{runs}} != 1;
	my $run = $doc->{runs}[0];
	my $driver = $run->{tool}{driver};
	push @bad, 'tool.driver.name' unless length($driver->{name} // '');
	my %rules;
	for my $rule (@{$driver->{rules}}) {
		push @bad, 'rule id' if !length($rule->{id} // '') || $rules{$rule->{id}}++;
		push @bad, "rule $rule->{id}: text" unless length($rule->{shortDescription}{text} // '');
	}
	for my $i (@{$run->{invocations}}) {
		push @bad, 'executionSuccessful' unless JSON::PP::is_bool($i->{executionSuccessful});
		push @bad, 'exitCode' unless $i->{exitCode} =~ /^\d+$/;
	}
	push @bad, 'results' if ref $run->{results} ne 'ARRAY';
	for my $r (@{$run->{results}}) {
		push @bad, 'message' unless length($r->{message}{text} // '');
		push @bad, "level $r->{level}" unless $r->{level} =~ /^(?:none|note|warning|error)$/;
		push @bad, "ruleId $r->{ruleId}" unless $rules{$r->{ruleId}};
		for my $l (@{$r->{locations} // []}) {
			my $p = $l->{physicalLocation} or next;
			push @bad, "uri $p->{artifactLocation}{uri}" if ($p->{artifactLocation}{uri} // ' ') !~ m{^[\w/.:~%-]+$};
			push @bad, 'startLine' if $p->{region} && $p->{region}{startLine} !~ /^[1-9]\d*$/;
		}
	}
	return join '; ', @bad;
}
($code, my $doc, $err, my $raw) = sarif($bad);
is $code, 3, '-o sarif: the exit status is the same';
is misfits($doc), '', 'the document has what SARIF 2.1.0 requires';
is_deeply [map { "$_->{level} $_->{ruleId} $_->{locations}[0]{physicalLocation}{artifactLocation}{uri} " .
	$_->{locations}[0]{physicalLocation}{region}{startLine} } @{$doc->{runs}[0]{results}}],
	["error error file://$bad 1", "error error file://$bad 4"], 'each mistake with its place';
is_deeply [@{$doc->{runs}[0]{invocations}[0]}{qw(exitCode executionSuccessful)}], [3, JSON::PP::true], 'and the exit status';
like $err, qr/error: \Q$bad\E:1: /, 'people still get theirs on stderr';
put($bad, "-w /etc/b -p wa\n-w /etc/c -p wa\n-a always,exit -F arch=b64 -S swapoff -k k\n");
($code, $doc, $err, $raw) = sarif($bad, $good);
is "$code " . misfits($doc), '0 ', 'warnings: exit 0';
is_deeply [map { "$_->{level} $_->{ruleId} $_->{locations}[0]{physicalLocation}{region}{startLine}" } @{$doc->{runs}[0]{results}}],
	['warning no-key 1', 'warning no-key 2', 'warning no-b32 3'], 'every one of a kind, by its name';
unlike $raw, qr/\[lint:/, 'which the text does not have again';
put("$tmp/my rules/odd.rules", "-w /etc/b -p wa\n");
($code, $doc) = sarif("$tmp/my rules/odd.rules");
is $doc->{runs}[0]{results}[0]{locations}[0]{physicalLocation}{artifactLocation}{uri}, "file://$tmp/my%20rules/odd.rules",
	'a name is encoded';
put("$tmp/my rules/odd.rules", "-w /etc/b -p wa -k \"a\\ [lint:\\ b\"\n-w /etc/c -p wa -k a\\ [lint:\\ no-key] -q\n");
($code, $doc) = sarif("$tmp/my rules/odd.rules");
is misfits($doc), '', 'words of a rule that look like the name of a kind are none';
is_deeply [map { "$_->{level} $_->{ruleId}" } @{$doc->{runs}[0]{results}}], ['error error', 'warning quotes'], 'and each has its own kind'
	or diag explain $doc->{runs}[0]{results};
like $doc->{runs}[0]{results}[1]{message}{text}, qr/^-k "a \[lint: b": the quotes become part of the key/, 'and its whole text';
($code, $doc) = sarif($good);
is_deeply $doc->{runs}[0]{results}, [], 'nothing wrong: no result';

done_testing;
