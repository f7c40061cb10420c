#!/usr/bin/perl
# k8s/QUESTIONS.md: its commands can be copied. Those of the program run on a made-up node, journalctl on a journal of this
# test's, cloud-init as it is; kubectl's words and options are kubectl's, its names those of the manifest. What cannot be run
# here (gcloud, ausearch, a node over SSH) has a form that this test knows, and no other.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Copy qw(copy);
use JSON::PP;
use Test::More;
use Text::ParseWords qw(shellwords);
use lib 't/unit';
use Auditctl;
use Cli;
use MadeUpNode;

$ENV{ASAN_OPTIONS} = 'detect_leaks=0';
my $page = slurp('k8s/QUESTIONS.md');
my $manifest = slurp('k8s/cloud-audit-logging.yaml');

# A command a line, without its comment; by the question that it answers.
my (%of_question, $question, @commands);
for (split /\n/, $page) {
	$question = $1 if /^## (.*)/;
	next unless s/^ {4}//;
	s/ +# .*//;
	push @commands, $_;
	push @{$of_question{$question // ''}}, $_;
}
my @questions = $page =~ /^## (.*)/mg;
cmp_ok scalar @questions, '>=', 14, 'the page answers the questions of the first hour';
is join('|', grep { !$of_question{$_} } @questions), '', 'each by something to copy';
is join("\n", grep { length > 140 } split /\n/, $page), '', 'in lines that one can read';

# --- a node that has been configured, with a journal ---
my ($program, $root, $kernel, $systemd) = made_up_node();
my $machine = 'ab' x 16;
put("$root/etc/machine-id", "$machine\n");
put("$root/var/log/journal/$machine/.keep", '');
my ($remote) = grep { -x } map { "$_/systemd-journal-remote" } '/lib/systemd', '/usr/lib/systemd';
if ($remote) {
	my $now = time;
	put("$tmp/export", join '', map { my ($n, $type, $key) = @$_; "__REALTIME_TIMESTAMP=" . ($now - 10 + $n) . "000000\n__MONOTONIC_TIMESTAMP=${n}000000\n" .
		"_BOOT_ID=" . slurp('/proc/sys/kernel/random/boot_id') =~ tr/-\n//dr . "\n_TRANSPORT=audit\n_AUDIT_ID=1\n_AUDIT_TYPE_NAME=$type\n_MACHINE_ID=$machine\n" .
		"_HOSTNAME=node\nMESSAGE=$type x=$n key=$key\n" . ($key ? "_AUDIT_FIELD_KEY=$key\n" : '') . "\n" }
		[1, 'SYSCALL', '"exec"'], [2, 'EXECVE', ''], [3, 'USER_AUTH', '']);
	run($remote, '--split-mode=none', "--output=$root/var/log/journal/$machine/system.journal", "$tmp/export");
}
put("$tmp/work/my.rules", "-a always,exit -F arch=b64 -S mount -F auid>=1000 -k my-mounts\n");

# Runs the program on that node: (exit status, what it said).
sub cas {
	open my $err, '>&', \*STDERR or die;
	open my $out, '>&', \*STDOUT or die;
	open STDERR, '>', "$tmp/said" or die;
	open STDOUT, '>', "$tmp/out" or die;
	my $status = $systemd->serve($program, '-R', $root, '-s', 'unit.start_timeout=5s', @_);
	open STDERR, '>&', $err or die;
	open STDOUT, '>&', $out or die;
	return ($status & 127 ? "signal $status" : $status >> 8, slurp("$tmp/said") . slurp("$tmp/out"));
}
my ($status, $said) = cas('apply');
is $status, 0, 'there is a node, and it is configured' or diag $said;
put("$tmp/bin/config.ini", '');

# --- each program's commands ---
my %kubectl_help;
my $kubectl = qx{t/k8s/kubectl 2>/dev/null} =~ s/\n//r;
my %check = (
	'cloud-audit-setup' => sub {
		my ($line, @words) = @_;
		my $to = $line =~ / >(\S+)$/ ? $1 : '';
		splice @words, -1 if $to;
		@words = map { -e "$tmp/work/$_" ? "$tmp/work/$_" : s{^(my\.rules):}{$tmp/work/$1:}r } @words;
		return 'its journal cannot be made: make deps' if !$remote && grep { $_ eq 'volume' } @words;
		my ($status, $said) = cas(@words);
		put("$tmp/work/$to", slurp("$tmp/out")) if $to;
		# remove, plan and apply under the lock of this node say 5; a plan of something else 4 or 5.
		my $ok = "@words" =~ /\b(?:plan|remove|verify)\b/ ? qr/^[045]$/ : qr/^0$/;
		return $status =~ $ok && $said =~ /\S/ || $status eq '0' ? '' : "exit $status: $said";
	},
	journalctl => sub {
		my ($line, @words) = @_;
		return 'SKIP' if !$remote;
		my ($status, $out, $err) = run('/usr/bin/journalctl', "--directory=$root/var/log/journal/$machine", '--no-pager', '-q', @words);
		return $status eq '0' && $out =~ /\S/ ? '' : "exit $status: $out$err";
	},
	kubectl => sub {
		my ($line, @words) = @_;
		return 'SKIP' if !$kubectl;
		my @plain = grep { !/^-/ } @words[($words[0] eq q(-n) ? 2 : 0) .. $#words];
		my ($verb, $sub) = ($plain[0], $plain[0] eq 'rollout' ? $plain[1] : '');
		my $help = $kubectl_help{"$verb $sub"} //= qx{$kubectl $verb $sub --help 2>&1} . qx{$kubectl options 2>&1};
		return "kubectl knows no $verb $sub" if $help !~ /^Usage:\n +kubectl \Q$verb\E \Q$sub\E/m;
		for my $option (grep { /^-/ } @words) {
			my ($name) = $option =~ /^(--?[\w-]+)/;
			return "kubectl $verb has no $name" if $help !~ /(?:^|[\s(,])\Q$name\E[=,\s]/m;
		}
		return "the manifest has no namespace $1" if $line =~ / -n (\S+)/ && $manifest !~ /^  namespace: \Q$1\E$/m;
		return "the manifest has no DaemonSet $1" if $line =~ m{\bds[/ ](\S+)} && $manifest !~ /^kind: DaemonSet\n(?:.*\n)*?  name: \Q$1\E$/m;
		return "$1 is not there" if $line =~ / -f (\S+)/ && !-f $1;
		return 'its JSON is none' if $line =~ / -p '(.*)'/ && !eval { decode_json($1) };
		return '';
	},
	'cloud-init' => sub {
		my ($line, @words) = @_;
		return 'SKIP' if !-x '/usr/bin/cloud-init';
		my ($status, $out, $err) = run({ seconds => 120 }, '/usr/bin/cloud-init', map { -e "$tmp/work/$_" ? "$tmp/work/$_" : $_ } @words);
		return $status eq '0' ? '' : "exit $status: $out$err";
	},
	cat => sub { my ($line, @words) = @_; return -e $words[0] ? '' : "$words[0] is not there" },
	't/smoke' => sub { my ($line, @words) = @_; my ($usage) = slurp('t/smoke') =~ /^#\tt\/smoke (.*)/m; return $usage =~ /\[-r\]/ ? '' : $usage },
	# Forms, as their manuals have them.
	ls => sub { return $_[0] eq 'ls /var/log/containers' ? '' : 'another form' },
	auditctl => sub { return $_[0] eq 'auditctl -s' ? '' : 'another form' },
	ausearch => sub { return $_[0] eq 'ausearch --input-logs -k exec -i' ? '' : 'another form' },
	gcloud => sub {
		return $_[0] =~ /^gcloud compute instances create NAME(?: --(?:image-family|image-project|metadata-from-file)=\S+)+$/ ? '' : 'another form';
	},
	'log_id' => sub {
		my ($line) = @_;
		my %known = map { $_ => 1 } qw(log_id resource.type labels.key);
		my $schema = decode_json(slurp('k8s/entry.schema.json'));
		for my $field ($line =~ /([a-zA-Z_.]+)[(=]/g) {
			next if $known{$field} || ($field =~ /^jsonPayload\.(\w+)(?:\.\w+)?$/ && $schema->{properties}{$1});
			return "an entry has no $field";
		}
		return slurp('k8s/base/fluentd/output.conf') . $manifest =~ /linux-auditd/ ? '' : 'the log has another name';
	},
);
for my $line (@commands) {
	my @words = shellwords($line =~ s/ (>\S+)$/ '$1'/r);
	my $first = shift @words;
	$first = 'log_id' if $first =~ /^log_id\(/;
	my $check = $check{$first};
	my $wrong = $check ? $check->($line, @words) : 'no command that this test knows';
	SKIP: {
		skip "$line: its program is not installed", 1 if $wrong eq 'SKIP';
		is $wrong, '', $line;
	}
}
# A question that is answered elsewhere is linked to something that is there.
is join(' ', grep { !-e "k8s/$_" } $page =~ /\]\(([^)#]+)\)/g), '', 'what it refers to is there';
is join(' ', grep { !-e } $page =~ m{\b(t/[\w.-]+\.t)\b}g), '', 'and the tests that it names';
like slurp('README.md'), qr{k8s/QUESTIONS\.md}, 'the README leads to it';
done_testing;
