# The commands that a page of ours gives to be copied: those of the program run on a made-up node, journalctl on a journal of
# this page's, cloud-init as it is; kubectl's words and options are kubectl's, its names those of the manifest, make's targets
# the Makefile's. What cannot be run here (gcloud, ausearch, a node over SSH) has a form that is known here, and no other.
package Commands;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use JSON::PP;
use Test::More;
use Text::ParseWords qw(shellwords);
use Cli;
use MadeUpNode;

our @EXPORT = qw(page_node on_node page_commands is_command);

my ($program, $root, $kernel, $systemd, $remote, $journal);
my $manifest = slurp('k8s/cloud-audit-logging.yaml');

# A node that looks like one, its journal taking the records: (root, kernel, systemd), as MadeUpNode has them.
sub page_node {
	($program, $root, $kernel, $systemd) = made_up_node([qw(etc/ssh etc/apparmor var/lib var/log run/systemd/system run/systemd/network
		usr/lib/systemd/system usr/bin)]);
	put("$root/etc/hostname", "node-1\n");
	put("$root/etc/shadow", '');
	$systemd->{state}{'systemd-journald-audit.socket'} = 'active';
	my $machine = 'ab' x 16;
	put("$root/etc/machine-id", "$machine\n");
	put(($journal = "$root/var/log/journal/$machine") . '/.keep', '');
	($remote) = grep { -x } map { "$_/systemd-journal-remote" } '/lib/systemd', '/usr/lib/systemd';
	put("$tmp/work/my.rules", "-a always,exit -F arch=b64 -S mount -F auid>=1000 -k my-mounts\n");
	put("$tmp/bin/config.ini", '');
	return ($root, $kernel, $systemd);
}

# Gives it a journal, of three records; not before, as verify looks at it.
sub fill_journal {
	my ($now, $boot) = (time, slurp('/proc/sys/kernel/random/boot_id') =~ tr/-\n//dr);
	my $n = 0;
	put("$tmp/export", join '', map { my ($type, $key) = @$_; $n++; "__REALTIME_TIMESTAMP=" . ($now - 10 + $n) . "000000\n" .
		"__MONOTONIC_TIMESTAMP=${n}000000\n_BOOT_ID=$boot\n_TRANSPORT=audit\n_AUDIT_ID=1\n_AUDIT_TYPE_NAME=$type\n" .
		"_MACHINE_ID=@{['ab' x 16]}\n_HOSTNAME=node\nMESSAGE=$type x=$n key=$key\n" . ($key ? "_AUDIT_FIELD_KEY=$key\n" : '') . "\n" }
		['SYSCALL', '"exec"'], ['EXECVE', ''], ['USER_AUTH', ''], ['VIRT_CONTROL', '']);
	run($remote, '--split-mode=none', "--output=$journal/system.journal", "$tmp/export");
}

# Runs the program there: (exit status, what it said, its result alone).
sub on_node {
	open my $err, '>&', \*STDERR or die;
	open my $out, '>&', \*STDOUT or die;
	open STDERR, '>', "$tmp/said" or die;
	open STDOUT, '>', "$tmp/out" or die;
	my $status = $systemd->serve($program, '-R', $root, @_);
	open STDERR, '>&', $err or die;
	open STDOUT, '>&', $out or die;
	return ($status & 127 ? "signal $status" : $status >> 8, slurp("$tmp/said") . slurp("$tmp/out"), slurp("$tmp/out"));
}

# The lines of a page that are commands, without their comments: [heading, command] each. A block that begins with another
# character is an example of something else: a result (#), a configuration ([), an entry ({).
sub page_commands {
	my ($page) = @_;
	my ($heading, $other, @commands) = '';
	for (split /\n/, $page) {
		$heading = $1 if /^## (.*)/;
		$other = $1 =~ /[#\[{]/ if !defined $other && /^ {4}(.)/;
		push @commands, [$heading, s/ +# .*//r] if !$other && s/^ {4}//;
		undef $other if $_ eq '';
	}
	return @commands;
}

my %kubectl_help;
my $kubectl = qx{t/k8s/kubectl 2>/dev/null} =~ s/\n//r;
my $targets = slurp('Makefile');

sub version { return $targets =~ /^VERSION := (\S+)/m ? $1 : die "Makefile: no VERSION\n" }

sub kubectl {
	my ($line, @words) = @_;
	return 'SKIP' if !$kubectl;
	my @plain = grep { !/^-/ } @words[($words[0] eq q(-n) ? 2 : 0) .. $#words];
	my ($verb, $sub) = ($plain[0], $plain[0] eq 'rollout' ? $plain[1] : '');
	my $help = $kubectl_help{"$verb $sub"} //= qx{$kubectl $verb $sub --help 2>&1} . qx{$kubectl options 2>&1};
	return "kubectl knows no $verb $sub" if $help !~ /^Usage:\n +kubectl \Q$verb\E \Q$sub\E/m;
	for my $option (grep { /^-./ } @words) {
		my ($name) = $option =~ /^(--?[\w-]+)/;
		return "kubectl $verb has no $name" if $help !~ /(?:^|[\s(,])\Q$name\E[=,\s]/m;
	}
	return "the manifest has no namespace $1" if $line =~ / -n (\S+)/ && $manifest !~ /^  namespace: \Q$1\E$/m;
	return "the manifest has no DaemonSet $1" if $line =~ m{\bds[/ ](\S+)} && $manifest !~ /^kind: DaemonSet\n(?:.*\n)*?  name: \Q$1\E$/m;
	return "the manifest has no container $1" if $line =~ / -c (\S+)/ && $manifest !~ /^ +-? ?name: \Q$1\E$/m;
	return "$1 is not there" if $line =~ / -f (\S\S+)/ && !-f $1;
	return "its image is not the one that is pushed" if $line =~ / --image=(\S+)/ && $1 ne "REGISTRY/cloud-audit-setup:" . version();
	return 'its JSON is none' if $line =~ / -p '(.*)'/ && !eval { decode_json($1) };
	return '';
}

my %check = (
	'cloud-audit-setup' => sub {
		my ($line, @words) = @_;
		my $to = $line =~ / >(\S+)$/ ? $1 : '';
		splice @words, -1 if $to;
		@words = map { -e "$tmp/work/$_" ? "$tmp/work/$_" : s{^(my\.rules):}{$tmp/work/$1:}r } @words;
		return 'its journal cannot be made: make deps' if !$remote && grep { $_ eq 'volume' } @words;
		my ($status, $said) = on_node(@words);
		put("$tmp/work/$to", slurp("$tmp/out")) if $to;
		# remove, plan and apply under the lock of this node say 5; a plan of something else 4 or 5.
		my $ok = "@words" =~ /\b(?:plan|remove|verify)\b/ ? qr/^[045]$/ : qr/^0$/;
		return $status =~ $ok && $said =~ /\S/ || $status eq '0' ? '' : "exit $status: $said";
	},
	journalctl => sub {
		my ($line, @words) = @_;
		return 'SKIP' if !$remote;
		my ($status, $out, $err) = run('/usr/bin/journalctl', "--directory=$journal", '--no-pager', '-q', @words);
		return $status eq '0' && $out =~ /\S/ ? '' : "exit $status: $out$err";
	},
	kubectl => \&kubectl,
	# Of the manifest, into kubectl.
	sed => sub {
		my ($line) = @_;
		my ($sed, $then) = $line =~ /^(sed "[^"|]*\|[^"|]*\|[^"|]*\|" \S+) \| (kubectl .*)$/ or return 'another form';
		my $digest = 'sha256:' . 'ab' x 32;
		put("$tmp/work/digest", "$digest\n");
		my ($status, $out) = run('/bin/sh', '-c', $sed =~ s{build/image/digest}{$tmp/work/digest}r);
		return 'the image is not replaced by its digest' if $out eq $manifest || $out =~ /image: cloud-audit-setup/ || $out !~ m{^ +image: REGISTRY/cloud-audit-setup\@$digest$}m;
		return kubectl($then, shellwords($then =~ s/^kubectl //r));
	},
	make => sub {
		my ($line, @words) = @_;
		return join ' ', map { "no target $_" } grep { $targets !~ /^\Q$_\E:/m } grep { !/=/ } map { $_ eq '&&' ? () : $_ eq 'make' ? 'all' : $_ } @words;
	},
	skopeo => sub {
		my ($line) = @_;
		my $version = version();
		return $line eq "skopeo copy --all --preserve-digests oci-archive:build/image/cloud-audit-setup-$version.oci.tar docker://REGISTRY/cloud-audit-setup:$version" &&
			slurp('container/image') =~ /^archive=\$out\/\$name-\$version\.oci\.tar$/m ? '' : 'another form';
	},
	'cloud-init' => sub {
		my ($line, @words) = @_;
		return 'SKIP' if !-x '/usr/bin/cloud-init';
		my ($status, $out, $err) = run({ seconds => 120 }, '/usr/bin/cloud-init', map { -e "$tmp/work/$_" ? "$tmp/work/$_" : $_ } @words);
		return $status eq '0' ? '' : "exit $status: $out$err";
	},
	cat => sub { my ($line, @words) = @_; return -e $words[0] ? '' : "$words[0] is not there" },
	't/smoke' => sub {
		my ($line, @words) = @_;
		my ($usage) = slurp('t/smoke') =~ /^#\tt\/smoke (.*)/m;
		return join ' ', grep { $usage !~ /\[\Q$_\E[] ]/ } grep { /^-/ } @words;
	},
	# Forms, as their manuals have them.
	git => sub { return $_[0] =~ /^git clone REPOSITORY cloud-audit-setup && cd cloud-audit-setup$/ ? '' : 'another form' },
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

# A test: the command holds.
sub is_command {
	my ($line) = @_;
	fill_journal() if $remote && $line =~ /\b(?:volume|journalctl)\b/ && !-e "$journal/system.journal";
	my @words = shellwords($line =~ s/ (>\S+)$/ '$1'/r);
	my $first = shift @words;
	$first = 'log_id' if $first =~ /^log_id\(/;
	my $check = $check{$first};
	my $wrong = $check ? $check->($line, @words) : 'no command that is known here';
	SKIP: {
		skip "$line: its program is not installed", 1 if $wrong eq 'SKIP';
		is $wrong, '', $line;
	}
}

1;
