#!/usr/bin/perl
# explain: every setting, every group, every line of every rules file that comes with the program, rules of the user's and
# rules given as text; what it says of what it does not know.
use strict;
use warnings;
use JSON::PP;
use Test::More;
use lib 't/unit';
use Cli;

my $program = program();
my $root = make_root();
my $rules = "$tmp/rules.d";
put("$rules/my.rules", <<'END');
# Who reads the shadow file.
-a always,exit -F path=/etc/shadow -F perm=r -k shadow
-w /etc/audit/own -p wa -k own

-a always,exit -F arch=b64 -S execve -F exe=/usr/bin/my -k mine
-a always,exit -F arch=b64 -S mount -k x
-a always,exit -F arch=b64 -S umount2 -k x
-a always,exit -F arch=b64 -S mount -k x
-A never,exit -F arch=b64 -S openat -F uid=1234 -F auid!=unset -F success=0 -F exit=-EACCES
-b 8192
-a always,exit -F arch=b32 -S all -F auid>=1000 -F a0&1 -F a1!=2 -F a2<3 -F a3>4 -F gid=0 -F egid=0 -F sgid=0 -F fsgid=0 -k many -k more
-a always,task -F pid=1
-a always,user -F pid=2
-a never,filesystem -F fstype=debugfs
-a always,exit -F dir=/etc/my\ own -F perm=wa -C auid!=uid -k spaced
END
our @args = ('-R', $root, '-s', "rules.directory=$rules");

sub ask { return run($program, @args, '-q', 'explain', @_) }
# A screenful that answers; returns it.
sub good {
	my ($name, @what) = @_;
	my ($code, $out, $err) = ask(@what);
	my @lines = split /\n/, $out;
	my @wrong = ($code ne '0' ? "exit $code" : (), $err ne '' ? $err : (), @lines > 23 ? @lines . ' lines' : (),
		(grep { length > 80 && /^\S* +\S+ / && !/^ {10}\S+$/ && !/^\w* +-[aAw] / } @lines), @lines < 2 ? 'nothing' : ());
	is join("\n", @wrong), '', $name;
	# A sentence that was cut into lines, as one.
	return $out =~ s/\n {10}(?! )/ /gr;
}

# --- settings and groups ---
my $help = (run($program, '--help', 'settings'))[1];
my %setting = $help =~ /^  ([a-z]+\.[\w-]+)=(\S*)/mg;
cmp_ok scalar keys %setting, '>', 30, 'the settings are those of --help settings';
for my $name (sort keys %setting) {
	my ($section, $key) = split /\./, $name, 2;
	my $out = good("$name is explained", $name);
	like $out, qr/^\[\Q$section\E\] \Q$key\E = .*^Means +\S.*^Takes +\S.*^Default +\S/ms, "$name: value, meaning, what it takes, default";
	like $help, qr/^  \Q$name\E=.*\n(?: {32}\S.*\n)* {6}\w.{10,}$/m, "$name: --help settings has its meaning, too";
	is(good("$name, too", "[$section] $key"), $out, "$name: as the file has it") if $name eq 'audit.lock';
}
like good('a value may follow', 'audit.lock=no'), qr/^\[audit\] lock = yes\nFrom +built-in default$/m, 'with the value in force';
like((run($program, @args, '-s', 'audit.lock=no', 'explain', 'lock'))[1], qr/^\[audit\] lock = no\nFrom +--set audit\.lock=no$/m,
	'and where that is from; the key alone is enough');
like good('a section is explained', '[filter]'), qr/^- +exclude_types = .*^- +min_auid = /ms, 'a section: its keys';
my @groups = map { /^events\.(.*)/ ? $1 : () } sort keys %setting;
cmp_ok scalar @groups, '>=', 8, 'the groups are those of [events]';
for my $group (@groups) {
	like good("group $group is explained", $group), qr/^Group \Q$group\E: .*^Records +\S.*^Costs +\S.*^Not seen +\S/ms,
		"group $group: what it records, what it costs, what it does not see";
}
like good('a kind of warning is explained', 'unreachable'), qr/^Warns +\S/m, 'what it warns of';

# --- every line of every shipped file ---
for my $file (glob 'rules/*.rules') {
	my ($name) = $file =~ m{([^/]+)$};
	my @lines = split /\n/, slurp($file), -1;
	pop @lines;
	my @wrong;
	for my $i (0 .. $#lines) {
		# The other half of a pair says the same of the other architecture.
		my ($code, $out, $err) = ask(($i % 2 ? 'shipped ' : '') . "$name:" . ($i + 1));
		my $rule = $lines[$i] =~ /^-/;
		my @rows = split /\n/, $out;
		push @wrong, "$name:" . ($i + 1) . ": $code $err$out"
			if "$code$err" ne '0' || $out !~ /^shipped \Q$name\E:/ || @rows > 23 ||
			($rule ? $out !~ /^Does +.*^Asked +.*^Matches +.*^Earlier +\S/ms : $out !~ /^(?:Is|Does) +\S/m);
	}
	is join("\n", @wrong), '', "$name: each of its lines is explained" . " (" . @lines . ")";
}
my $out = good('a shipped rule', 'shipped 30-exec.rules:4');
like $out, qr/^shipped 30-exec\.rules:4\nWritten +-a always,exit -F arch=b64 -S execve,execveat -k exec$/m, 'place and text';
like $out, qr/^Comment +64 bit: every execve/m, 'the comment above it';
like $out, qr/^Group +exec; now \[events\] exec = yes$/m, 'its group';
like $out, qr/^Does +records what it matches; .*key is exec$/m, 'its action and key';
like $out, qr/^Asked +when a system call ends: execve, execveat$/m, 'its list, and calls by name';
like $out, qr/^Matches +arch=x86_64: 64-bit programs$/m, 'its fields';
like $out, qr/^Earlier +no rule before it takes all its events$/m, 'what takes its events';
like $out, qr/^Loaded +as it is written$/m, 'and what it is loaded as';
like good('a rule of another value', '50-mmap-exec.rules:' . first('rules/50-mmap-exec.rules')), qr/^Group +mmap; now \[events\] mmap = anonymous$/m,
	'says that it is not the one that is on';
like good('of a group that is off', '50-mmap-exec.rules:' . first('rules/50-mmap-exec.rules')), qr/^Loaded +not loaded: it is no rule of the configuration\. If it were: as it is written$/m,
	'that it is not loaded, too';
put("$rules/gone.rules", "-w /nowhere/at/all -p wa -k gone\n");
like good('a rule that is left out', 'gone.rules:1'), qr{^Loaded +not loaded: left out, since /nowhere/at is not there and the kernel would refuse it$}m, 'is not loaded';
unlink "$rules/gone.rules" or die;
{
	local @args = (@args, map { ('-s', $_) } 'container.runtime_unit=containerd.service', 'container.identity=yes', 'filter.workloads=no');
	my ($own) = good('a rule that is loaded for some classes', 'shipped 30-exec.rules:4') =~ /^(Loaded .*)/ms;
	like $own, qr/^Loaded +as 2 rules, which \[filter\] workloads and sessions make of it: -a \S+ .*auid<3221225472\b.* -a \S+ .*auid>=3489660928\b/m, 'is shown as what it becomes';
}
sub first { my $n = 0; for (split /\n/, slurp($_[0])) { $n++; return $n if /^-/ } }

# --- the user's ---
like good('the second rule of a file', 'my.rules:2'), qr/^Comment +Who reads the shadow file\.\n.*^Matches +path=\/etc\/shadow: this file perm=r: calls that read it\n/ms,
	'comment and fields';
like good('one that a shipped rule takes', 'my.rules:3'),
	qr/^Earlier +shipped 10-audit-config\.rules:\d+ takes every event that it matches: it never comes to act\. -A in place of -a\s+puts\s+it\s+before$/m,
	'names that, and what to do';
like good('the same by its path', "$rules/my.rules:5"), qr/^Earlier +shipped 30-exec\.rules:4 takes every event/m, 'by its path, too';
like good('two that are made one', 'my.rules:7'), qr/^Loaded +in one rule with my\.rules:6, my\.rules:7$/m, 'name each other';
like good('one that stands twice', 'my.rules:8'), qr/^Double +the same rule stands at my\.rules:6, and is loaded once$/m, 'says so';
my $many = good('one with many fields', 'my.rules:11');
like $many, qr/^Does .*\bthe key is many, more$/m, 'has all its keys';
like $many, qr/and more \(-v: all\)$/m, 'and not all fields';
like((run($program, @args, '-v', 'explain', 'my.rules:11'))[1], qr/^ +fsgid=0: /m, 'but with -v');
like good('an exception', 'my.rules:9'), qr/^Does +keeps what it matches from being recorded/m, 'is one';
like good('a rule about tasks', 'my.rules:12'), qr/^Asked +when a process is made$/m, 'its list';
like good('about records of programs', 'my.rules:13'), qr/^Asked +when a program sends a record/m, 'its list';
like good('about file systems', 'my.rules:14'), qr/^Does +drops what it matches\nAsked +when an event touches a file/m, 'its list';
like good('a path with a space', 'my.rules:15'), qr{^Matches +dir=/etc/my\\ own: this directory.*uid!=auid: two of}ms, 'is whole';
like good('a comment', 'my.rules:1'), qr/^Is +a comment/m, 'is one';
like good('an empty line', 'my.rules:4'), qr/^Is +an empty line/m, 'is one';
like good('an option', 'my.rules:10'), qr/^Does +how many records may wait.*backlog_limit/m, 'is told with its setting';
# What apply writes: there, it is read; else it is what would be written.
my $written = (run($program, @args, 'render', 'rules'))[1];
my $generated = '/etc/audit/cloud-audit-setup.rules';
unlink "$root$generated";
for my $way ('not there', 'there') {
	put("$root$generated", $written) if $way eq 'there';
	my @lines = split /\n/, $written;
	my ($n) = grep { $lines[$_ - 1] =~ /execve/ } 1 .. @lines;
	my $said = good("a line of what apply writes, $way", "$generated:$n");
	like $said, qr/^Made of +shipped 30-exec\.rules:\d+$/m, 'names where it is from';
	like $said, qr/^Earlier +no rule before it takes all its events\nLoaded +as it is written$/m, 'and is judged at its place';
	my @wrong = grep { (ask("cloud-audit-setup.rules:$_"))[0] ne '0' } 1, 4, $#lines;
	is "@wrong", '', 'so are others';
}

# --- rules as text ---
like good('a rule as words', '-w', '/etc/passwd', '-p', 'wa', '-k', 'mine'), qr/^Earlier +shipped 70-logins\.rules:\d+ takes/m, 'is judged among the others';
my $text = good('a rule in one word', '-a always,exit -F arch=b64 -S unlink -F auid>=1000 -k del');
like $text, qr/^Does +records .*key is del\nAsked +when a system call ends: unlink\n/m, 'in words';
like $text, qr/auid>=1000: the user who logged in/, 'with its fields';
like good('with a watch of a directory', '-w /etc/ -p wa -k etc'), qr/^Loaded +not loaded: it is no rule of the configuration\. If it were: with the list of \d+ calls that it can match, in place of all$/m,
	'what optimise makes of it';
like((run($program, @args, '-s', 'rules.order=user-first', 'explain', '-w', '/etc/passwd', '-p', 'wa'))[1], qr/^Earlier +no rule/m,
	'with user-first yours comes first');
like((run($program, @args, '-s', 'rules.order=user-first', 'explain', '-w', '/etc/audit/own', '-p', 'wa'))[1],
	qr/^Earlier +shipped 10-audit-config\.rules:\d+ takes/m, 'but after audit-config');
{
	my ($code, $json, $err) = run($program, @args, '-o', 'json', 'explain', 'exec');
	put("$tmp/json", $json);
	is((run('t/unit/validate', 'explain', "$tmp/json"))[1], '', '-o json keeps to the schema');
	like decode_json($json)->{text}, qr/^Group exec/, 'and has the text';
}

# --- what it does not know ---
for my $case (
	['exek', 2, "explain knows no 'exek'; did you mean 'exec'? It takes FILE:LINE"],
	['audit.lok', 2, "explain knows no 'audit.lok'; did you mean 'lock'?"],
	['something quite different', 2, "explain knows no 'something quite different': it takes"],
	['nothere.rules:4', 2, 'nothere.rules: there is no such rules file; shipped are NN-GROUP.rules, yours are in'],
	['shipped my.rules:2', 2, 'my.rules: there is no such rules file'],
	['my.rules:99', 2, "$rules/my.rules has the lines 1 to 15, not 99"],
	['my.rules:0', 2, "$rules/my.rules has the lines 1 to 15, not 0"],
	['-a always,exit -S exxecve', 3, 'exxecve'],
	['-a always,exit -F arch=b64 -S execve -F nonsense=1', 3, 'nonsense'],
	['-w relative -p wa', 3, 'relative'],
) {
	my ($what, $want, $message) = @$case;
	my ($code, $said, $err) = ask($what);
	is "$code|$said", "$want|", "$what: exit $want, nothing on stdout";
	like $err, qr/^cloud-audit-setup: error: .*\Q$message\E/m, "$what: and why";
}
# Beside those that come with the program.
my $beside = put($program =~ s{[^/]*$}{rules.d/x.rules}r, "-w /etc/beside -p wa -k beside\n");
like +(ask("$beside:1"))[1], qr{\Q$beside\E:1}, 'a file whose directory begins as that of the shipped rules is no shipped one';
unlike +(ask("$beside:1"))[1], qr/shipped/, 'in any word';
is((run($program, @args, 'explain'))[2], "cloud-audit-setup: error: explain needs one of FILE:LINE, a group, a key of the configuration, "
	. "the name of a warning, or a rule\n", 'without a word it says what it takes');
# Bytes that a terminal would obey.
put("$rules/zz.rules", "# \x1b[2J\x07\xff\n-a always,exit -F arch=b64 -S mount -F uid=7 -k z\n");
is((good('a comment with control characters', 'zz.rules:2') =~ tr/\n -~//c), 0, 'does not reach a terminal as it is');
# A backslash at the end of a path is written as two, and the space behind them ends the word.
like good('a path that ends in a backslash', '-w /etc/odd\\\\ -p wa -k k'), qr{^Matches +path=/etc/odd\\\\: this file perm=wa: calls that write to it}m,
	'is not read as one with a space';
done_testing;
