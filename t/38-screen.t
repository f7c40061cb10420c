#!/usr/bin/perl
# What people read: plan and verify in a screenful, rules as they were written. On a made-up node, whose kernel is a file.
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp ();
use Test::More;
use lib 't/unit';
use Auditctl;
use Cli;
use MadeUpNode;
use Systemd;

my ($program, $root, $kernel, $systemd) = made_up_node([qw(etc/audit etc/ssh run/systemd/system run/systemd/network usr/lib/systemd/system usr/bin)]);
put("$root/etc/hostname", "node-1\n");
put("$root/etc/$_", '') for qw(passwd group mine);
put("$tmp/rules.d/my.rules", join '', map { "$_\n" } '# ours', '', '-w /etc/mine  -p wa -k mine',
	map { my $arch = $_; map { "-a always,exit -F arch=$arch -S $_ -F auid>=1000 -F auid!=unset -k mounts" } ('mount -S move_mount', 'umount2') } qw(b64 b32));
our @options = ('-R', $root, '-s', "rules.directory=$tmp/rules.d", '-s', 'unit.start_timeout=5s');

sub node {
	my ($code, $out, $err) = (undef, "$tmp/out", "$tmp/err");
	my $status = $systemd->serve('sh', '-c', "exec \"\$@\" >$out 2>$err", 'sh', $program, @options, @_);
	return ($status >> 8, slurp($out), slurp($err));
}
sub rows { my ($s) = @_; my $n = 0; $n += 1 + int((length($_) - ($_ ne '')) / 80) for split /\n/, $s; return $n }
sub change { my ($code) = @_; my $k = Auditctl::load($kernel); $code->($k); Auditctl::store($k, $kernel) }
# Both outputs, as a person has them before the eyes.
sub screen {
	my ($name, @command) = @_;
	my ($code, $out, $err) = node(@command);
	cmp_ok rows($out . $err), '<=', 24, "$name: a screenful of 80 columns" or diag $err, $out;
	unlike $out, qr/\d+(?:,\d+){4}|\.\.\d/, "$name: no derived list";
	diag "--- $name ($code): " . rows($out . $err) . ' rows, ' . length($out . $err) . " bytes\n$err$out" if $ENV{SHOW};
	return ($code, $out, $err);
}

# --- a first apply ---
my ($code, $out, $err) = screen('a first plan', 'plan');
is $code, 4, 'it differs';
like $out, qr/^Configuration +defaults \(no \S+config\.ini\), 2 --set$/m, 'by what configuration';
like $out, qr/^Node +node-1, kernel \S+: 0 rules, auditing off$/m, 'which node';
my ($n) = $out =~ /^Rules +(\d+) to add: audit-config \d+, /m;
ok $n, 'how many rules come, by group';
like $out, qr/my\.rules \d+/, "the user's by their file";
like $out =~ s/\n +/ /gr, qr{^Files +3 to write: /etc/audit/cloud-audit-setup\.rules, \S+\.service, \S+\.service$}m, 'which files';
like $out, qr/^Lock +yes, until the next boot \(-s audit\.lock=no: not\)$/m, 'that apply locks';
like $out, qr/^Next +cloud-audit-setup apply/m, 'what to do next';

($code, $out) = node('plan', '--diff');
is scalar(() = $out =~ m{^\+-w /etc/mine -p wa -k mine  # my\.rules:3$}mg), 1, '--diff has a rule once, as it is written, with its place';
is scalar(() = $out =~ m{^\+.*-S umount2 .*# my\.rules:5$}mg), 1, 'also one that the optimiser made one with another';
unlike $out, qr/^[+-].*\d+(?:,\d+){4}/m, 'and no derived list';
like $out, qr{^\# /etc/audit/cloud-audit-setup\.rules is written, with the rules below}m, 'the rules file is not shown a second time';
my $all = $out;
($code, $out) = node('plan', '--diff=exec');
is +(grep { /^\+-/ && !/ # shipped 30-exec\.rules:\d+$/ } split /\n/, $out), 0, '--diff=GROUP has that group';
cmp_ok scalar(() = $out =~ /^\+-/mg), '>=', 2, 'all of it';
unlike $out, qr/^\+\+\+ \//m, 'and no file';
change(sub { push @{$_[0]{rules}}, map { "-a always,exit -F arch=x86_64 -S openat -F auid=7 -F key=$_" } 'first -F key=exec -F key=last', 'executive -F key=no-exec' });
is join('|', grep { /^--[^-]/ } split /\n/, (node('plan', '--diff=exec'))[1]), '--a always,exit -F arch=b64 -F auid=7 -S openat -k first -k exec -k last',
	"with a rule of somebody else's that has the group's key among its own";
change(sub { $_[0]{rules} = [] });
is +(node('plan', '--diff=exek'))[0], 2, 'a group that there is not is wrong usage';
like +(node('plan', '--diff=exek'))[2], qr/there is no such group of rules; did you mean 'exec'\?/, 'with the nearest one';
($code, $out) = node('plan', '--diff', '-v');
like $out, qr{^\+\+\+ /etc/audit/cloud-audit-setup\.rules$}m, '-v: every byte';
cmp_ok length $out, '>', 2 * length $all, 'which is much more';

($code, $out, $err) = screen('a first verify', 'verify');
is $code, 4, 'a node on which nothing was done differs';
like $out, qr/^the node differs: \d+ of \d+ checks failed\n/, 'the verdict comes first';
is scalar(() = $out =~ /none of the \d+ rules is in force/g), 1, 'that no rule is there is one sentence';
like $out, qr/they were\s+never\s+loaded\s+here,\s+or\s+were\s+removed/, 'with the cause';
unlike $out, qr/is as configured|cloud-audit-lock/, 'and nothing of what follows from that';

($code, $out, $err) = screen('apply', 'apply');
is "$code $out", "0 $n rules are in force, locked\n", 'a first apply';

# --- a node as configured ---
($code, $out, $err) = screen('verify', 'verify');
is $code, 0, 'it matches' or diag $out, $err;
like $out, qr/^the node matches: \d+ checks\n/, 'the verdict first';
like $out, qr/^Lock +yes, until the next boot$/m, 'whether it is locked';
like $out, qr/^Rules +$n wanted, $n in force; loaded \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/m, 'rules, and since when';
like $out, qr/^Records +0 lost since boot; \d+ of \d+ in the backlog$/m, 'records lost';
like $out, qr/^Reader +\S/m, 'who reads them';
like $out, qr/audit-config \d+, .*exec \d+/, 'the groups';
unlike $out, qr/^Differs|^Next/m, 'nothing differs';
($code, $out, $err) = screen('plan of no change', 'plan');
is "$code|$out", '0|', 'plan has no change';

# --- small differences, on a node that is not locked ---
push @options, '-s', 'audit.lock=no';
# Which takes the unit that locks away.
node('apply');
$systemd->boot;
node('apply');
# After a change of the kernel what verify shows of it; then all is as it was.
sub after { my ($name, $change) = @_; change($change); my @r = screen($name, 'verify'); node('apply'); return @r }
($code, $out) = after('a rule is missing', sub { @{$_[0]{rules}} = grep { !m{/etc/mine} } @{$_[0]{rules}} });
like $out, qr{^Differs +wanted: my\.rules:3: -w /etc/mine -p wa -k mine\n +there: +not in force$}m, 'as it is written, and that it is not in force';
like $out, qr/my\.rules 2 of 3/, 'with its group';
like $out, qr/^Next +cloud-audit-setup apply$/m, 'and what to do';
($code, $out) = after('a rule too many', sub { push @{$_[0]{rules}}, '-a always,exit -F arch=b64 -S openat,connect -F auid=0 -F key=evil' });
like $out =~ s/\n {15,}/ /gr, qr{^Differs +wanted: no rule but those of the configuration there: +in force, and not asked for: -a always,exit -F arch=b64 -F auid=0 -S connect,openat -k evil$}m,
	'calls by name' or diag $out;
($code, $out) = after('somebody deletes all', sub { $_[0]{rules} = [] });
like $out =~ s/\n +/ /gr, qr/^Differs +none of the \d+ rules is in force, and this node records nothing .*: somebody has deleted them since \(auditctl -D/m,
	'one sentence, with the cause';
is scalar(() = $out =~ /wanted: /g), 0, 'and no list';
change(sub { $_[0]{rules} = ['-w /etc/hostname -p wa -k stray'] });
($code, $out) = node('-v', 'verify');
like $out =~ s/\n +/ /gr, qr/there: +in force, and not asked for: -w \/etc\/hostname -p wa -k stray$/m, 'what is there in their place is named';
node('apply');
change(sub { $_[0]{'-b'} = 64 });
($code, $out) = screen('a setting', 'plan');
like $out, qr/^Settings +-b 8192 \(now -b 64\)$/m, 'a setting: what it is to be, and is';
like $out, qr/^Rules +\d+, as they are$/m, 'and that the rules stay';
node('apply');
unlink "$root/etc/systemd/system/cloud-audit-setup.service" or die;
($code, $out) = screen('a file is gone', 'verify');
like $out =~ s/\n {15}(?!there)/ /gr, qr{^Differs +wanted: \S+cloud-audit-setup\.service is as configured\n +there: +it is absent$}m, 'a file: what was wanted, what is there';
node('apply');
put("$tmp/rules.d/my.rules", slurp("$tmp/rules.d/my.rules") . "-w /etc/more -p r -k more\n");
($code, $out) = screen('one rule more', 'plan');
like $out, qr{^Rules +1 to add, 0 to delete, \d+ stay; to add: my\.rules 1\n +add +my\.rules:8: -w /etc/more -p r -k more$}m, 'few changes are shown each' or diag $out;
($code, $out) = node('plan', '--diff');
is join('|', grep { /^[+-]-[^-]/ } split /\n/, $out), '+-w /etc/more -p r -k more  # my.rules:8', 'and --diff has that alone' or diag $out;

change(sub { push @{$_[0]{rules}}, map { my $key = $_; map { "-a always,exit -F arch=x86_64 -S openat -F auid=$_ -F key=$key" } 1 .. 4 } 'mdatp', "mdatp\x01second" });
($code, $out) = screen('somebody loads eight rules', 'plan');
like $out =~ s/\n {15}/ /gr, qr/^Rules +1 to add, 8 to delete, \d+ stay; to add: my\.rules 1 to delete, by key: mdatp 4, mdatp\+second 4$/m, 'what would be deleted has its keys' or diag $out;
change(sub { @{$_[0]{rules}} = grep { !/mdatp/ } @{$_[0]{rules}} });

# --- locked with other rules ---
pop @options for 1 .. 2;
node('apply');
put("$tmp/rules.d/my.rules", slurp("$tmp/rules.d/my.rules") . "-w /etc/last -p r -k last\n");
($code, $out, $err) = screen('a locked node', 'plan');
is $code, 5, 'a change that needs a boot';
like $out, qr/^Lock +locked already: rules and settings change at the next boot$/m, 'says so';
($code, $out) = node('-v', 'verify', '-s', 'events.network=no');
like $out =~ s/\n {15,}/ /gr, qr/^Differs +wanted: no rule but those of the configuration there: +in force, and not asked for: .* -k network( |$)/m, 'the earlier rules are nobody else\'s' or diag $out;
($code, $out, $err) = screen('a locked node', 'verify', '-s', 'journal.reader=ignore');
like $out, qr/^the node differs, and is locked: /, 'verify has it in the verdict';
like $out, qr/^Next +reboot or recreate the node/m, 'and says what helps';

# --- where no boot mends it ---
sub hopeless {
	my ($name, $next) = @_;
	my ($code, $out, $err) = screen($name, 'verify', '-s', 'journal.reader=ignore');
	is $code, 5, "$name: locked with other rules";
	unlike $out, qr/^Next +reboot or recreate/m, "$name: the screen does not say what cannot help";
	like $out =~ s/\n {15}/ /gr, qr/^Next +$next/m, "$name: but what does" or diag $out, $err;
	($code, $out, $err) = screen($name, 'plan');
	like $out =~ s/\n {15}/ /gr, qr/^Lock +locked already, and a boot alone changes nothing: $next/m, "$name: so does plan" or diag $out, $err;
}
put("$root/etc/audit/rules.d/99-finalize.rules", "-e 2\n");
my $auditd = put("$root/usr/lib/systemd/system/auditd.service", "[Service]\nExecStart=/sbin/auditd\n");
$systemd->{state}{'auditd.service'} = 'active';
hopeless('a host that locks first', qr/take out the host's own line that locks, reboot, apply again/);
delete $systemd->{state}{'auditd.service'};
unlink "$root/etc/audit/rules.d/99-finalize.rules", $auditd;
{
	node('apply');
	my ($staged, $then, $locked) = ("$root/etc/audit/cloud-audit-setup.rules", slurp("$root/etc/audit/cloud-audit-setup.rules"), slurp($kernel));
	# Another boot has staged it.
	put($staged, $then =~ s/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/01234567-89ab-cdef-0123-456789abcdef/r);
	isnt slurp($staged), $then, 'the file says in which boot it was staged';
	change(sub { @{$_[0]{rules}} = grep { !/pid=0/ } @{$_[0]{rules}} });
	hopeless('a boot that has not read the rules', qr/systemctl status cloud-audit-setup\.service: no boot mends it/);
	put($staged, $then);
	put($kernel, $locked);
}

# --- what becomes of files that are staged ---
($code, $out, $err) = node('apply');
my %memory = map { $_ => (system("stat -f -c %T $_ 2>/dev/null | grep -q '^tmpfs\$'") == 0) } $root, '/dev/shm';
SKIP: {
	skip 'what is made for this test is in memory', 1 if $memory{$root};
	like $err, qr/locked with other rules .*the new rules are in place for the next boot: reboot or recreate the node$/m, 'what is on a disk is there at the next boot';
}
SKIP: {
	skip '/dev/shm is not in memory, or not for us', 1 if !$memory{'/dev/shm'} || !-w '/dev/shm';
	my $dir = File::Temp::tempdir('/dev/shm/cas-XXXXXX', CLEANUP => 1);
	my ($on_disk, $was) = ($root, $systemd);
	system('cp', '-a', $root, "$dir/node") == 0 or die;
	unlink "$dir/node/run/systemd/private";
	$root = "$dir/node";
	$systemd = Systemd->new($root, $kernel);
	$systemd->{state} = { %{$was->{state}} };
	local @options = ('-R', $root, @options[2 .. $#options], '-s', 'audit.backlog_limit=9999');
	($code, $out, $err) = node('apply');
	like $err, qr/the new rules are on the host, whose \/etc is in memory and does not survive a boot: reboot or recreate the node, and apply again after it$/m,
		'what is in memory is not, and that is said' or diag $err;
	($root, $systemd) = ($on_disk, $was);
}

# --- a screen full of warnings ---
put("$tmp/warned/my.rules", join '', map { "$_\n" } ('-a always,exit -F arch=b64 -S unlink') x 2, '-a always,exit -S all' . join('', map { " -F $_=4000000000" } qw(auid uid euid suid fsuid gid egid sgid fsgid pid ppid)) . ' -k hot',
	'-a always,exit -F arch=b64 -S rmdir -F exit=EACCES -k sign', '-w /srv/absent/x -p wa -k gone');
my @warned = ('-s', "rules.directory=$tmp/warned", '-s', 'audit.lock=no');
Auditctl::store(Auditctl::fresh(), $kernel);
is +(node(@warned, 'apply'))[0], 0, 'rules that are warned of are loaded';
change(sub { @{$_[0]{rules}} = grep { !/hot/ } @{$_[0]{rules}} });
($code, $out, $err) = node(@warned, 'verify');
cmp_ok scalar(() = $err =~ /warning:/g), '>=', 3, 'with three warnings, and more';
like $out, qr/^Differs +wanted: my\.rules:3: -a always,exit -S all/m, 'the one difference is shown all the same';

# --- the hash of the rules as written ---
sub hash { my ($code, $out) = node('render', 'hash', @_); return $out }
my $hash = hash();
like $hash, qr/^[0-9a-f]{64}\n\z/, 'render hash prints a hash of the rules';
is hash('-s', 'rules.optimise=no'), $hash, 'that is the same without the optimiser';
put("$tmp/elsewhere/other.rules", "\n# another comment\n" . slurp("$tmp/rules.d/my.rules") =~ s/^#.*//mgr =~ s/ -p/   -p/gr);
is hash('-s', "rules.directory=$tmp/elsewhere"), $hash, 'in other places, with other comments and spaces';
put("$root/etc/last/there", '');
is hash(), $hash, 'whatever a path is on the host';
my @identity = map { ('-s', "container.$_") } 'runtime_unit=containerd.service', 'identity=yes';
my %wrapper;
for my $directory ('', 'opt', 'home/kubernetes/bin') {
	make_path("$root/$directory");
	my ($where) = (node('render', 'rules', @identity))[1] =~ m{-F exe=(/\S+)/cloud-audit-runtime\.d/runc}m;
	$wrapper{$where // 'nowhere'} = hash(@identity);
}
is scalar(keys %wrapper), 3, 'where the program for the runtime can stand is the host\'s' or diag join ' ', %wrapper;
is join(' ', grep { $_ ne $hash } values %wrapper), '', 'the rules about it, which nobody wrote, are not in the hash';
put("$tmp/elsewhere/other.rules", slurp("$tmp/elsewhere/other.rules") =~ s/-k last/-k lust/r);
isnt hash('-s', "rules.directory=$tmp/elsewhere"), $hash, 'and another with another rule';
isnt hash('-s', 'events.exec=no'), $hash, 'or group';

# --- what others have named ---
put("$root/etc/hostname", "ev\e[2Jil\x{9b}2J\n");
put("$root/etc/systemd/system/cloud-audit-setup.service.d/\e]0;x\a.conf", "[Service]\nNice=1\n");
for (['plan'], ['verify'], ['verify', '-v'], ['plan', '-v']) {
	($code, $out, $err) = node(@$_);
	like $out . $err, qr/\\x1b\]0;x\\x07\.conf|ev\\x1b\[2Jil\\x9b2J/, "@$_: names have no control characters, and are told from others";
	unlike $out . $err, qr/[\x00-\x08\x0b-\x1f\x7f]|(?<![\x80-\xff])\x9b/, '... so that none acts on a terminal';
}
done_testing;
