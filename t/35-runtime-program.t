#!/usr/bin/perl
# cloud-audit-runtime as runc and crun: what the real runtime is called with, the login uid, the start record, and that
# nothing keeps the real one from being run. The place is made up (t/unit/made_up_runtime.c): this machine's login uids
# and kernel are not touched. The program as it is installed is called with what starts nothing.
use strict;
use warnings;
use lib 't/unit';
use Cli qw(put slurp run $tmp);
use Cwd qw(abs_path getcwd);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(time);

my $built = abs_path($ENV{BUILD} || 'build');
my $made_up = "$built/t/unit/made_up_runtime";
my $static = "$built/cloud-audit-runtime";
plan skip_all => "$_ is not built: make all unit-tests" for grep { !-x } $made_up, $static;

my $ours = "$tmp/bin/cloud-audit-runtime.d";
my $real = "$tmp/usr/bin";
my $id = '0123456789abcdef' x 4;
make_path($ours, $real);
for my $name (qw(runc crun)) {
	copy $made_up, "$ours/$name" or die "$!";
	chmod 0755, "$ours/$name" or die;
	# The real one: says what it was called by and with, and what it has.
	put("$real/$name", "#!/bin/sh\n" . 'printf "%s" "real $0"; printf " [%s]" "$@"; printf "\n"; printf "x=%s\n" "$X"; [ -z "$PIPE" ] || cat "$PIPE"; [ -z "$TO" ] || echo from the runtime >"$TO"; ls /proc/self/fd | wc -l; exit 7' . "\n");
	chmod 0755, "$real/$name";
}
my $bundle = "$tmp/run/$id";
my $log = "$bundle/log.json";

my %annotations = (
	'io.kubernetes.cri.container-type' => 'container', 'io.kubernetes.cri.sandbox-name' => 'web-0',
	'io.kubernetes.cri.sandbox-namespace' => 'shop', 'io.kubernetes.cri.sandbox-uid' => '0b0d-12',
	'io.kubernetes.cri.container-name' => 'nginx', 'io.kubernetes.cri.image-name' => 'docker.io/library/nginx:1',
);

sub json {
	my ($v) = @_;
	return '{' . join(',', map { "\"$_\":" . json($v->{$_}) } sort keys %$v) . '}' if ref $v eq 'HASH';
	return '[' . join(',', map { json($_) } @$v) . ']' if ref $v eq 'ARRAY';
	return $$v if ref $v;
	return '"' . $v =~ s/(["\\])/\\$1/gr . '"';
}

# A bundle as containerd makes it: Go writes process before annotations, and the rest of linux behind them.
sub bundle {
	my ($terminal, %with) = @_;
	put("$bundle/config.json", '{"ociVersion":"1.1.0","process":{' . ($terminal ? '"terminal":true,' : '') .
		'"user":{"uid":0,"gid":0},"args":["sh"],"env":["X={\"terminal\":true}"]},"root":{"path":"rootfs"},' .
		'"annotations":' . json({ %annotations, %with }) . ',"linux":{"seccomp":' .
		json({ syscalls => [ map { { names => ["call$_"], action => 'SCMP_ACT_ALLOW' } } 1 .. 400 ] }) . '}}');
}

our %env;
my $login;
# Calls ours: (status, stdout, stderr, seconds). %env overrides; undef deletes.
sub call {
	my ($name, @arguments) = @_;
	local %ENV = (PATH => "$ours:$real:/usr/bin:/bin", X => 'kept', LOGINUID => $login, RECORDS => "$tmp/records",
		ASAN_OPTIONS => 'detect_leaks=1', %env);
	delete $ENV{$_} for grep { !defined $ENV{$_} } keys %ENV;
	unlink "$tmp/records", $log;
	my $begun = time;
	my @got = run({ before => sub { chdir $bundle or die } }, "$ours/$name", @arguments);
	return (@got, time - $begun);
}
sub login { $login = put("$tmp/loginuid", $_[0] // '4294967295'); }
sub record { my ($r) = slurp("$tmp/records") =~ /(.*)/; return $r // '' }
sub records { return -e "$tmp/records" ? record() : 'none' }
# What the file then says; the real one keeps nothing of what was there.
sub auid { return slurp($login) =~ s/\n//r }

my @global = ('--root', '/run/runc', '--log', $log, '--log-format', 'json');
my $names = 'pod="web-0" namespace="shop" uuid="0b0d-12" container="nginx" image="docker.io/library/nginx:1"';

# --- classes, the record ---
bundle(0);
login();
my ($code, $out, $err) = call('runc', @global, 'create', '--bundle', $bundle, '--pid-file', '/p p', $id);
is $code, 7, "the exit status is the real runtime's";
like $out, qr{^real \Q$real\E/runc \[--root\] \[/run/runc\] .*\[create\] \[--bundle\] \[\Q$bundle\E\] \[--pid-file\] \[/p p\] \[$id\]\nx=kept\n}, 'it is the next runc in PATH, with these very arguments and this environment';
is $err, '', 'and nothing is said';
is auid(), 0xC0123456, 'create: class C and the first 28 bits of the id';
is record(), "2500 op=start virt=container vm=\"$id\" $names exec=no terminal=no login=set res=success", 'its record';
my ($descriptors) = $out =~ /^(\d+)$/m;
my ($direct) = (run("$real/runc"))[1] =~ /^(\d+)$/m;
is $descriptors, $direct, 'it has the descriptors that it has without us';
ok !-e $log, 'what goes well is not in the log';

for my $row (
	[ 'create with a terminal', 1, ['create', '--bundle', $bundle, $id], 0xE, 'exec=no terminal=yes' ],
	[ 'run in the working directory', 0, ['run', $id], 0xC, 'exec=no terminal=no' ],
	[ 'restore', 0, ['restore', '--image-path', '/x', '-b', $bundle, $id], 0xC, 'exec=no terminal=no' ],
	[ 'exec', 0, ['exec', '--process', "$tmp/process", $id], 0xD, 'exec=yes terminal=no', '{"args":["terminal",true]}' ],
	[ 'exec in a container with a terminal', 1, ['exec', '--process', "$tmp/process", $id], 0xD, 'exec=yes terminal=no', '{}' ],
	[ 'exec with a terminal', 0, ['exec', "--process=$tmp/process", $id], 0xE, 'exec=yes terminal=yes', '{"terminal":true}' ],
	[ 'exec -t', 0, ['exec', '-t', $id, 'sh'], 0xE, 'exec=yes terminal=yes' ],
	[ 'exec -t, but the file says no', 0, ['exec', '-t', '-p', "$tmp/process", $id], 0xD, 'exec=yes terminal=no', '{}' ],
	[ 'exec of a broken file, with a console', 0, ['exec', '-p', "$tmp/process", '--console-socket', '/s', $id], 0xE, 'exec=yes terminal=yes', '{"terminal":tr' ],
) {
	my ($what, $terminal, $arguments, $class, $said, $process) = @$row;
	bundle($terminal);
	put("$tmp/process", $process) if defined $process;
	for my $name (qw(runc crun)) {
		login();
		($code, $out) = call($name, @global, @$arguments);
		is auid(), ($class << 28 | 0x123456), sprintf '%s: %s is class %X', $name, $what, $class;
		is record(), "2500 op=start virt=container vm=\"$id\" $names $said login=set res=success", 'its record';
		like $out, qr{^real \Q$real\E/$name }, "the real $name is run";
	}
}
bundle(0, 'io.kubernetes.pod.name' => 'forged', 'io.kubernetes.pod.namespace' => 'forged', 'io.kubernetes.container.name' => 'forged',
	'io.kubernetes.cri-o.ImageName' => 'forged', 'io.kubernetes.cri.sandbox-uid' => \'null');
login(); call('runc', @global, 'create', '--bundle', $bundle, $id);
like record(), qr/pod="web-0" namespace="shop" uuid=\? container="nginx" image="docker/, 'what a Pod may have written itself fills no gap';
bundle(0, 'io.kubernetes.cri.container-type' => 'sandbox');
login(); call('runc', @global, 'create', '--bundle', $bundle, $id);
like record(), qr/pod="web-0" namespace="shop" uuid="0b0d-12" container=\? image=\?/, 'a sandbox has no container and no image of its own';
put("$tmp/other.json", '{"process":{"terminal":true},"annotations":{"io.kubernetes.cri.sandbox-name":"other"}}');
login(); call('crun', @global, 'create', '--bundle', $bundle, '--config', "$tmp/other.json", $id);
like record(), qr/pod="other" .*terminal=yes/, "crun's --config";
put("$bundle/config.json", '{"process":{"terminal":false}}');
login(); call('runc', @global, 'create', '--bundle', $bundle, 'web-1');
is auid(), 0xCc4719af, 'an id that is a name: by its SHA-256';
is record(), '2500 op=start virt=container vm="web-1" pod=? namespace=? uuid=? container=? image=? exec=no terminal=no login=set res=success', 'without annotations there are no names';
# An environment as large as a program can be started with, of what containerd writes as six bytes each.
bundle(0);
put("$bundle/config.json", slurp("$bundle/config.json") =~ s/"env":\[/'"env":[' . join '', map { '"X' . $_ . '=' . '\u003c' x 131000 . '",' } 1 .. 48/er);
cmp_ok -s "$bundle/config.json", '>', 36e6, 'a large configuration';
login(); call('runc', @global, 'create', '--bundle', $bundle, $id);
is record(), "2500 op=start virt=container vm=\"$id\" $names exec=no terminal=no login=set res=success", 'however large the environment, the names are those of the Pod';
bundle(0, 'io.kubernetes.cri.image-name' => "x' res=failed", 'io.kubernetes.cri.sandbox-name' => "\xc3\xa9 \"");
login(); call('runc', @global, 'create', '--bundle', $bundle, "a' op=stop");
like record(), qr/ vm=6127206F703D73746F70 pod=C3A92022 .* image=78[0-9A-F]+ /, 'nothing in a name breaks out of it';
bundle(0);
put("$tmp/run/config.json", '{"process":{},"annotations":{"io.kubernetes.cri.sandbox-name":"another"}}');
login(); call('runc', '--log', "$tmp/run/log.json", 'exec', '-t', $id, 'sh');
like record(), qr/ pod=\? .*login=set/, 'a session whose log lies elsewhere has no names: none is better than another\'s';

# --- exceptions ---
for my $row (['shop', 0], ["other\nshop/nginx", 0], ['shop/other', 1], ['sho', 1], ['/nginx', 1], ["# x\n\nshop/", 1], ['', 1], ["shop\r\n", 1]) {
	my ($content, $kept) = @$row;
	put("$ours/except", $content);
	for my $command (['create', '-b', $bundle, $id], ['exec', '-t', $id, 'sh']) {
		login(); ($code, $out) = call('runc', @global, @$command);
		is auid() == 4294967295 ? 'unset' : 'set', $kept ? 'set' : 'unset', "except '" . $content =~ s/\n/\\n/gr . "': $command->[0]";
		is records() eq 'none' ? 'none' : 'sent', $kept ? 'sent' : 'none', 'and its record';
		like $out, qr/^real /, 'it starts';
	}
}
unlink "$ours/except";

# --- what starts nothing ---
for my $arguments (['state', $id], ['kill', $id, '9'], ['delete', '--force', $id], ['start', $id], ['--version'], [], ['init'], ['update', '--x', 'create', $id]) {
	login(); ($code, $out) = call('runc', @$arguments);
	like $out, qr/^real /, "runc @$arguments is the real one's";
	is auid() . records(), '4294967295none', 'and nothing else is done';
}

# --- an unset one only ---
for my $had (0, 1000, 0xC0000001) {
	login($had); call('runc', @global, 'create', '--bundle', $bundle, $id);
	is auid(), $had, "a login uid of $had is kept";
	like record(), qr/ login=kept res=success$/, 'the record says so';
}

# --- what fails is passed over, and told once ---
login(); $login = "$tmp/nowhere/loginuid";
($code, $out, $err) = call('runc', @global, 'create', '--bundle', $bundle, $id);
like $out, qr/^real /, 'without /proc it starts';
like record(), qr/ login=kept res=failed$/, 'the record says that the login uid was not set';
ok !-e $log, 'and that is enough';
is $err, '', 'nothing goes to the standard error, which is the container\'s';
for my $error (1, 22, 38, 93, 111) {
	local %env = (NETLINK => $error);
	login(); ($code, $out, $err) = call('runc', @global, 'create', '--bundle', $bundle, $id);
	like $out, qr/^real /, "without a netlink socket (error $error) it starts";
	is auid(), 0xC0123456, 'the login uid is set';
	my $said = slurp($log);
	like $said, qr/^\{"level":"warning","msg":"cloud-audit-runtime: the start record of $id was not sent: [^"]+","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"\}\n$/, "the runtime's log says why";
}
{
	local %env = (ANSWER => 1);
	login(); ($code, $out) = call('runc', '--log', $log, 'create', '--bundle', $bundle, $id);
	like $out, qr/^real /, 'without CAP_AUDIT_WRITE it starts';
	like slurp($log), qr/^level=warning msg="cloud-audit-runtime: the start record of $id was not sent: Operation not permitted" time="[^"]+"\n$/, "a log that is no JSON's says why";
	put("$tmp/log", 'x' x 5000);
	login(); call('runc', '--log', "$tmp/log", 'create', '--bundle', $bundle, $id);
	is -s "$tmp/log", 5000, 'what is long enough is not added to: probes fail for ever';
	mkfifo("$tmp/fifo", 0600);
	open my $reader, '-|', 'timeout', '10', 'cat', "$tmp/fifo" or die;
	select undef, undef, undef, 0.3;
	$env{TO} = "$tmp/fifo";
	login(); ($code, $out) = call('runc', '--log', "$tmp/fifo", 'create', '--bundle', $bundle, $id);
	delete $env{TO};
	like $out, qr/^real /, 'a log that is a pipe: it starts';
	is join('', <$reader>), "from the runtime\n", 'and the reader hears the runtime alone';
	login(); ($code, $out) = call('runc', '--log', 'journald:x', 'create', '--bundle', $bundle, $id);
	like $out, qr/^real /, 'nor one that is none';
}
{
	local %env = (ANSWER => 'none');
	# The fastest of three: a busy machine adds to some.
	my ($fastest, @got) = 60;
	for (1 .. 3) {
		login();
		@got = call('runc', @global, 'create', '--bundle', $bundle, $id);
		$fastest = $got[3] if $got[3] < $fastest;
		last if $fastest < 2.5;
	}
	like $got[1], qr/^real /, 'without an answer it starts';
	cmp_ok $fastest, '<', 2.5, 'after a second';
}
for my $row (['absent', undef], ['empty', ''], ['broken', '{"process":{"terminal":tr'], ['no object', '[1]'],
	['huge', '{"process":{"terminal":true},"x":"' . 'x' x (65 << 20) . '"}']) {
	my ($what, $content) = @$row;
	unlink "$bundle/config.json";
	put("$bundle/config.json", $content) if defined $content;
	login(); ($code, $out) = call('runc', @global, 'create', '--bundle', $bundle, $id);
	like $out, qr/^real /, "config.json is $what: it starts";
	is auid(), 0xC0123456, 'with a login uid';
	like record(), qr/ vm="$id" pod=\? .* login=set res=success$/, 'the record has no names';
	like slurp($log), qr/has no names, its configuration cannot be read: /, 'the log says why';
}
mkfifo("$tmp/pipe", 0600); unlink "$bundle/config.json"; symlink "$tmp/pipe", "$bundle/config.json";
my $writer = fork // die;
if (!$writer) { open my $f, '>', "$tmp/pipe" or exit 1; print $f "written once\n"; close $f; POSIX::_exit(0) }
select undef, undef, undef, 0.3;
{
	local %env = (PIPE => "$tmp/pipe");
	login(); ($code, $out) = call('runc', @global, 'create', '--bundle', $bundle, '--console-socket', '/s', $id);
}
waitpid $writer, 0;
like $out, qr/^real .*^written once$/ms, 'config.json is a pipe: what is in it is left to the runtime';
is auid(), 0xE0123456, 'who gives a console means a terminal';
login(); ($code, $out) = call('runc', @global, 'exec', '--process', "$tmp/pipe", $id);
like $out, qr/^real /, 'so is a process file';
unlink "$bundle/config.json"; bundle(0);
login(); ($code, $out) = call('runc', @global, 'create', '--bundle', $bundle, 'x' x 5000);
like $out, qr/^real /, 'an id longer than any record: it starts';

# --- PATH ---
make_path("$tmp/other/cloud-audit-runtime.d", "$tmp/empty", "$tmp/bad", "$tmp/refused", "$tmp/directory/runc");
copy "$ours/runc", "$tmp/other/cloud-audit-runtime.d/runc"; chmod 0755, "$tmp/other/cloud-audit-runtime.d/runc";
for my $links ("$tmp/links", "$tmp/links2") { make_path($links); symlink "$ours/runc", "$links/runc" }
put("$tmp/bad/runc", "\x7fELFnonsense"); chmod 0755, "$tmp/bad/runc";
put("$tmp/refused/runc", "#!/bin/sh\n"); chmod 0644, "$tmp/refused/runc";
put("$bundle/runc", "#!/bin/sh\necho from the bundle\n"); chmod 0755, "$bundle/runc";
my $rest = "$real:/usr/bin:/bin";
for my $row (
	["$ours:$ours:$rest", 'our directory twice'], ["$rest:$ours", 'ours behind the real one'], ["$ours/:$ours//:$rest", 'with slashes'],
	[":${ours}::$rest:", 'empty entries'], [".:../$id:$ours:$rest", 'relative entries'], ["$ours:$tmp/links:$rest", 'a link to ours'],
	["$tmp/links:$tmp/links2:$rest", 'two links to ours'],
	["$ours:$tmp/other/cloud-audit-runtime.d:$ours:$rest", "a copy of ours elsewhere"], ["$ours:$tmp/empty:/nowhere:$rest", 'nothing there'],
	["$ours:$tmp/bad:$rest", 'one that is no program'], ["$ours:$tmp/refused:$tmp/directory:$rest", 'one without x, and a directory'],
	["$tmp/bin/../bin/cloud-audit-runtime.d:$rest", 'ours by another path'],
) {
	my ($path, $what) = @$row;
	local %env = (PATH => $path);
	login(); ($code, $out, $err) = call('runc', @global, 'state', $id);
	like $out, qr{^real \Q$real\E/runc }, "PATH: $what" or diag $err;
}
# Another program in front of the real one, which finds that by PATH as we do.
put("$tmp/wrap/runc", "#!/bin/sh\n" . '[ -z "$AGAIN" ] || { echo found again; exit 9; }; export AGAIN=1
IFS=:; for d in $PATH; do [ "$d" = "$' . 'WRAP" ] || [ ! -x "$d/runc" ] || exec "$d/runc" "$@"; done' . "\n");
chmod 0755, "$tmp/wrap/runc";
{
	local %env = (PATH => "$ours:$tmp/wrap:$ours/:$rest", WRAP => "$tmp/wrap");
	login(); ($code, $out, $err) = call('runc', @global, 'state', $id);
	like $out, qr{^real \Q$real\E/runc }, 'another wrapper that goes on by PATH does not come back to ours' or diag $err;
}
for my $path ($ours, "$ours:$tmp/empty", undef) {
	local %env = (PATH => $path);
	login(); ($code, $out, $err) = call('runc', @global, 'state', $id);
	is $code, 127, 'without a real one: 127';
	is $err, "cloud-audit-runtime: no runc in PATH but this one: no container starts until it is installed\n", 'it says so';
	like slurp($log), qr/^\{"level":"error","msg":"cloud-audit-runtime: no runc in PATH/, "and the runtime's log, which containerd reads";
} continue { last if -x '/usr/bin/runc' || -x '/usr/sbin/runc' }
{
	local %env = (PATH => "$ours:$tmp/bad");
	login(); ($code, $out, $err) = call('runc', 'state', $id);
	is $err, "cloud-audit-runtime: $tmp/bad/runc: Exec format error\n", 'one that cannot be run is named';
}

# --- what it costs ---
SKIP: {
	skip 'the sanitizers cost more', 2 if `nm $made_up` =~ / __(asan|ubsan)_/;
	skip 'valgrind is missing (Debian package valgrind)', 2 if system 'command -v valgrind >/dev/null';
	# As large as they come: an environment for each Service, 350 system calls in the filter. Where there is no real one
	# to become it ends, and its instructions are told.
	put("$bundle/config.json", slurp("$bundle/config.json") =~ s/"env":\[/'"env":[' . join '', map { qq("SERVICE_${_}_PORT=tcp:\/\/10.0.0.$_:80",) } 1 .. 100/er);
	put("$tmp/process", '{"args":["sh"],"env":["PATH=/bin"]}');
	for my $row (['create', 32000, '--bundle', $bundle, $id], ['exec', 35000, '--process', "$tmp/process", $id]) {
		my ($command, $most, @rest) = @$row;
		login();
		local %ENV = (PATH => "/nowhere", LOGINUID => $login, RECORDS => "$tmp/records");
		my $said = `/usr/bin/valgrind --tool=callgrind --toggle-collect=shim_run --callgrind-out-file=/dev/null $ours/runc --log $log $command @rest 2>&1`;
		my ($collected) = $said =~ /Collected : (\d+)/;
		cmp_ok $collected // 1e9, '<', $most, "$command: its own work is below $most instructions" or diag $said;
		note "$command: $collected instructions";
	}
}

# --- the program as it is installed ---
copy $static, "$ours/runc"; chmod 0755, "$ours/runc";
($code, $out, $err) = call('runc', '--log', $log, '--version');
is "$code $err", '7 ', 'the static program, called as runc, becomes the real one';
like $out, qr{^real \Q$real\E/runc \[--log\] \[\Q$log\E\] \[--version\]\nx=kept\n$direct\n}, 'with its arguments, environment and descriptors';
# Not 0 where the kernel refuses the keystrokes, as it may here: what the real one says tells.
put("$real/crun", "#!/bin/sh\necho its version, PATH=\$PATH \"\$@\"\n"); chmod 0755, "$real/crun";
($code, $out, $err) = run($static, '--check', 'crun', "$ours:$real");
is $out, "its version, PATH=$real --version\n", '--check with a name and a PATH becomes that real one in a child';
($code, $out, $err) = run($static, '--check', 'crun', "$ours:$tmp/bad:$tmp/empty");
like "$code $err", qr/^1 .*cloud-audit-runtime: no crun in PATH but this one/s, 'and fails where there is none';
put("$tmp/bad/crun", "\x7fELFnonsense"); chmod 0755, "$tmp/bad/crun";
like +(run($static, '--check', 'crun', "$ours:$tmp/bad"))[2], qr{\Q$tmp\E/bad/crun: Exec format error}, 'or none that can be run';
cmp_ok -s $static, '<', 65536, 'it is small';
done_testing;
