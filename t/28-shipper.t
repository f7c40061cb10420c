#!/usr/bin/perl
# The shippers' configurations: what can be seen without the shippers, which no package brings here. The files are
# read as fluentd and fluent-bit read them and held against the names these know (t/shipper/names), the plugins of
# our own run against a server that plays Cloud Logging, or on a journal of entries in memory. Not seen here: fluentd and
# fluent-bit themselves, images, Cloud Logging, the metadata server of GKE.
use strict;
use warnings;
use File::Path qw(make_path);
use JSON::PP;
use Test::More;
use lib 't/unit', 't/k8s';
use Cli qw(run put slurp $tmp);
use Manifests;

plan skip_all => 'YAML::XS is missing: apt-get install libyaml-libyaml-perl' unless eval { require YAML::XS };

my ($base, $bit, $forward) = ('k8s/base/fluentd', 'k8s/components/fluent-bit', 'k8s/components/forward');
my $state = '/var/lib/cloud-audit-logging';
my %known;
for (split /\n/, slurp('t/shipper/names')) {
	next if /^#/;
	my ($section, $names) = /^([^:]+): (.*)$/ or die $_;
	$known{$section}{$_} = 1 for split ' ', $names;
}
my $ruby = (run('ruby', '--version'))[0] ? undef : 'ruby';
my ($lua) = grep { !(run($_, '-v'))[0] } qw(luajit lua5.1);

# --- fluentd's files, as a tree: [section, argument, {parameter => value}, [children], "FILE:LINE"] ---
sub parse {
	my ($file, $instead) = @_;
	my $top = [ 'top', '', {}, [], $file ];
	my @open = $top;
	my $n = 0;
	for (split /\n/, slurp($file)) {
		$n++;
		next if /^\s*(#|$)/;
		if (/^\s*\@include (\S+)$/) {
			my $name = $1;
			# Of components.
			next if $name =~ /\*/;
			my $included = $instead->{$name} || $file =~ s{[^/]*$}{$name}r;
			die "$file:$n: no $name\n" unless -f $included;
			push @{$open[-1][3]}, @{parse($included)->[3]};
		} elsif (m{^\s*</(\w+)>$}) {
			my $closed = pop @open;
			die "$file:$n: </$1> closes <$closed->[0]>\n" if $closed->[0] ne $1;
		} elsif (/^\s*<(\w+)(?: (\S.*?))?>$/) {
			my $section = [ $1, $2 || '', {}, [], "$file:$n" ];
			push @{$open[-1][3]}, $section;
			push @open, $section;
		} elsif (/^\s*(\@?\w+) (.*\S)$/) {
			die "$file:$n: $1 twice\n" if exists $open[-1][2]{$1};
			$open[-1][2]{$1} = $2;
		} else {
			die "$file:$n: $_\n";
		}
	}
	die "$file: <$open[-1][0]> is not closed\n" if @open > 1;
	return $top;
}
sub all { my ($s) = @_; return map { ($_, all($_)) } @{$s->[3]} }
sub strangers {
	my ($top) = @_;
	my @bad;
	for my $s (all($top)) {
		my $kind = join ' ', $s->[0], $s->[2]{'@type'} || ();
		next if $s->[0] eq 'labels' || $s->[0] eq 'and' || $s->[0] eq 'or';
		push @bad, map { "$s->[4]: $kind: $_" } grep { $_ ne '@type' && !$known{$kind}{$_} } sort keys %{$s->[2]};
	}
	return join "\n", @bad;
}
sub find_section {
	my ($top, $kind) = @_;
	return grep { join(' ', $_->[0], $_->[2]{'@type'} || ()) eq $kind } all($top);
}

my %tree;
for ([ 'to Cloud Logging' ], [ 'to another fluentd', "$forward/output.conf" ],
	[ 'to Elasticsearch', "$forward/elasticsearch/output.conf" ]) {
	my ($name, $output) = @$_;
	$tree{$name} = eval { parse("$base/fluent.conf", { $output ? ('output.conf' => $output) : () }) };
	is $@, '', "$name: every section is closed, every included file is there";
}
SKIP: {
	skip 'ruby is missing: apt-get install ruby', 2 unless $ruby;
	my ($code, $out, $err) = run($ruby, '-w', 't/shipper/methods.rb');
	is "$code $err", '0 ', 'the plugins are valid Ruby, without a warning';
	my @mine;
	for (split /\n/, $out) {
		if (/^methods: (.*)/) { push @mine, split ' ', $1; next }
		my ($kind, $names) = /^([^:]+): ?(.*)$/;
		$known{$kind}{$_} = 1 for '@id', split ' ', $names;
	}
	is join(' ', grep { $known{methods}{$_} } @mine), '', 'the plugins redefine nothing of fluentd by accident';
}
for my $file (glob 'k8s/components/*/mapping-*.conf') {
	like $file, qr{/mapping-[^/]+\.conf$}, "$file: fluent.conf includes it";
	is strangers(parse($file)), '', '... with parameters that are known' if $ruby;
	my $type = (all(parse($file)))[0][2]{'@type'};
	ok -f $file =~ s{[^/]*$}{filter_$type.rb}r, '... its filter lies beside it';
}
my %without = map { $_ => $tree{$_} } $ruby ? keys %tree : grep { !/Cloud|Elasticsearch/ } keys %tree;
is strangers($without{$_}), '', "$_: fluentd and its plugins know every parameter" for sort keys %without;
{
	# The examples that are commented out, with the comment taken off.
	(my $text = slurp("$base/filter.conf")) =~ s/^#( *(?:<|\@type|key \S|pattern |remove_keys |sample|limit ))/$1/mg;
	my $tree = eval { parse(put("$tmp/filter.conf", $text)) };
	is $@, '', 'the commented filters are complete';
	cmp_ok scalar(grep { $_->[0] eq 'filter' } all($tree)), '>=', 6, '... all of them';
	is strangers($tree), '', '... and fluentd knows their parameters' if $ruby;
	my @patterns = map { $_->[2]{pattern} || () } all($tree);
	is join(' ', grep { !m{^/\^.*\$/$} } @patterns), '', '... their patterns match whole values';
}

# --- what they read, write and promise ---
my $matches = `t/shipper/matches`;
is $matches, "_TRANSPORT=audit\n_TRANSPORT=audit\n", 'both shippers select exactly the records of the audit system';
my ($source) = find_section($tree{'to Cloud Logging'}, 'source linux_audit');
is $source->[2]{path}, '/var/log/journal', '... fluentd in the directory that the Pod mounts';
like $source->[2]{state_path}, qr{^$state/}, 'the cursor is on the node';
for my $name (sort keys %tree) {
	my @match = grep { $_->[0] eq 'match' } all($tree{$name});
	# What has to be tried again comes by a tag of its own.
	is join('; ', map { $_->[1] } @match), join(' ', $source->[2]{tag}, $match[0][2]{retry_tag} // ()), "$name: one output, for the tag of the source";
	is join(' ', map { $_->[1] } grep { $_->[0] eq 'label' } all($tree{$name})), '',
		'... no label: to @ERROR fluentd would hand what a full buffer does not take, too, and the input would go on';
	my ($buffer) = find_section($match[0], 'buffer file') or do { fail "$name: a buffer on the disk"; next };
	my %b = %{$buffer->[2]};
	like $b{path}, qr{^$state/}, "$name: the buffer is on the node";
	like $b{total_limit_size}, qr/^\d+m$/, '... has a limit';
	is "$b{overflow_action} $b{retry_forever} $b{retry_type}", 'throw_exception true exponential_backoff',
		'... refuses when it is full, whereupon the input waits, and gives no chunk up';
	is $b{flush_at_shutdown}, 'false', '... and does not hold up the end';
}
is((find_section($tree{'to Cloud Logging'}, 'match cloud_logging'))[0][2]{log_id}, 'linux-auditd', 'the log is linux-auditd');
my ($server) = map { $_->[2] } grep { $_->[0] eq 'server' } all($tree{'to another fluentd'});
is $server->{name}, $server->{host}, 'another fluentd has its address as a name, so that a number can be one';
{
	my ($es) = map { $_->[2] } find_section($tree{'to Elasticsearch'}, 'match linux_audit_elasticsearch');
	is "$es->{id_key} $es->{write_operation} " . ($es->{remove_keys} // 'whole'), 'id create whole',
		'Elasticsearch: the id stays in the entry, without which the plugin drops what was answered with an error';
	isnt $es->{retry_tag}, $source->[2]{tag}, '... what is tried again does not go through the filters again';
	is "$es->{max_retry_putting_template} $es->{fail_on_putting_template_retry_exceed}", '0 false', '... no chunk is given up for a template';
	is "$es->{use_legacy_template} $es->{template_overwrite}", 'false false', '... which is put there once';
	SKIP: {
		skip 'ruby is missing: apt-get install ruby', 2 unless $ruby;
		for ([ '', 'template' ], [ '-ecs', 'template-ecs' ]) {
			my ($form, $file) = @$_;
			my $etc = "$tmp/etc$form";
			make_path($etc);
			put("$etc/mapping-ecs.conf", '') if $form;
			my ($code, $out, $err) = run($ruby, '-e', 'puts ' . join ', ', map { s{/fluentd/etc}{$etc}gr } @$es{qw(logstash_prefix template_name template_file)});
			my $is = decode_json(slurp("$forward/elasticsearch/$file.json"));
			is "$out$err", "linux-auditd$form\nlinux-auditd$form-$is->{version}\n$etc/$file.json\n", "$file.json is put there under the name of its version" .
				($form ? ', where the component ecs is' : '');
			is "@{$is->{index_patterns}}", "linux-auditd$form-*", '... for the indices that are written';
		}
	}
}
my $root = (find_section($tree{'to Cloud Logging'}, 'system'))[0][2]{root_dir};
like $root, qr{^$state/}, 'chunks put aside are on the node';
my ($kept) = find_section($tree{'to Cloud Logging'}, 'source chunk_backup');
is $kept->[2]{path}, "$root/backup", '... where their limit is looked after';
for ([ 'to Cloud Logging', 'match cloud_logging', 'invalid_path' ], [ 'to Elasticsearch', 'match linux_audit_elasticsearch', 'refused_path' ]) {
	my ($name, $section, $parameter) = @$_;
	like +(find_section($tree{$name}, $section))[0][2]{$parameter}, qr{^\Q$kept->[2]{path}\E/[\w-]+$}, "$name: refused entries are put there, too";
}

my $fb = YAML::XS::Load(slurp("$bit/fluent-bit.yaml"));
my ($tick, $input, $textfile) = @{$fb->{pipeline}{inputs}};
my ($fields, $filter) = @{$fb->{pipeline}{filters}};
my ($output, $exporter) = @{$fb->{pipeline}{outputs}};
my ($start) = @{$tick->{processors}{logs}};
is join(' ', map { my $k = $_; map { "$k.$_" } grep { !$known{"fluent-bit $k"}{$_} } map { sort keys %$_ } @{{
	service => [ $fb->{service} ], dummy => [ $tick ], systemd => [ $input ], record_modifier => [ $fields ], lua => [ $filter, $start ], stackdriver => [ $output ],
	prometheus_textfile => [ $textfile ], prometheus_exporter => [ $exporter ] }->{$k}} }
	qw(service dummy systemd record_modifier lua stackdriver prometheus_textfile prometheus_exporter)), '', 'fluent-bit knows every parameter';
is join(' ', map { $_->{name} } map { @{$fb->{pipeline}{$_}} } qw(inputs filters outputs)), 'dummy systemd prometheus_textfile record_modifier lua stackdriver prometheus_exporter',
	'... of the tick, one input, what takes its fields and makes entries, one output, and the scripts\' own metrics';
{
	my %read = map { $_ => 1 } slurp("$bit/audit.lua") =~ /\brecord\.(\w+)/g;
	is join(' ', sort @{$fields->{allowlist_key}}), join(' ', sort keys %read), '... the fields that are taken are those that the script reads';
}
is "$textfile->{tag} $exporter->{match}", 'signals signals', '... which go nowhere else';
is join(' ', map { $_->{tag} || $_->{match} } $tick, $input, $fields, $filter, $output), join(' ', ('linux-auditd') x 5),
	'... with one tag, which is the name of the log';
is "$start->{name} $start->{script}", 'lua start.lua', '... the tick comes first, and puts the cursor back before the journal is opened';
ok !$fb->{service}{'storage.checksum'}, '... no checksum, for which a chunk would be refused after SIGKILL';
ok !(grep { $_->{threaded} } $tick, $input), '... no thread of an input: a tick would not tell what is in chunks';
is "$output->{resource} $output->{retry_limit}", 'k8s_node no_limits', 'fluent-bit: resource k8s_node, never given up';
is "$input->{'storage.type'} " . ($input->{'storage.pause_on_chunks_overlimit'} ? 'pause' : 'drop'), 'filesystem pause',
	'... chunks on the disk, reading waits when they are used up';
ok !exists $output->{'storage.total_limit_size'}, '... and none is thrown away for a newer one';
ok !$input->{read_from_tail}, '... from the first entry of the journal';
like $_, qr{^$state/}, "... $_ is on the node" for $input->{db}, $fb->{service}{'storage.path'};
ok -f "$bit/$_->{script}", "... its script $_->{script} is there" for $filter, $start;

# --- nothing grows without an end on a node's disk: what k8s/README.md says, from the files ---
sub bytes { my ($text) = @_; return $text =~ /^(\d+)([mM])$/ ? $1 << 20 : die "no size: $text\n" }
{
	my ($rows) = slurp('k8s/README.md') =~ /^\| below \Q$state\E \|[^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)/m;
	my %said = map { my (undef, $path, $limit) = split / *\| */; $path =~ s/`//gr => $limit } split /\n/, $rows // '';
	my %is = ('fluentd/backup' => bytes($kept->[2]{limit}), "fluent-bit/storage/$fb->{service}{'storage.rejected.path'}" =>
		bytes($fb->{service}{'storage.rejected.limit'}), 'fluent-bit/storage' => $fb->{service}{'storage.max_chunks_up'} * (2 << 20));
	for my $name (sort keys %tree) {
		my ($buffer) = find_section($tree{$name}, 'buffer file');
		$is{$buffer->[2]{path} =~ s{^$state/}{}r} = bytes($buffer->[2]{total_limit_size});
	}
	is_deeply { map { $_ => $said{$_} } grep { $said{$_} =~ /MiB/ } keys %said },
		{ map { $_ => ($is{$_} >> 20) . ' MiB' } keys %is }, 'the limits of all that shippers keep are those of k8s/README.md';
	# Whatever else either of them is told to write is one small file, named there, too.
	my @paths = map { my $s = $_; map { $s->[2]{$_} =~ m{^$state/(.*)} ? $1 : () } keys %{$s->[2]} } map { all($tree{$_}) } sort keys %tree;
	push @paths, map { m{^$state/(.*)} ? $1 : () } grep { defined && !ref } map { values %$_ } $fb->{service}, $input, $output;
	is join(' ', grep { my $p = $_; !grep { $p eq $_ } keys %said, 'fluentd' } @paths), '', '... which names all that they write';
}

# --- what the Pod gives them ---
my $daemonset = YAML::XS::Load(slurp('k8s/base/daemonset.yaml'));
my ($fluentd) = grep { $_->{name} eq 'fluentd' } @{$daemonset->{spec}{template}{spec}{containers}};
my $patch = YAML::XS::Load(slurp("$bit/daemonset.yaml"));
my ($fluent_bit) = grep { $_->{name} eq 'fluent-bit' } @{$patch->{spec}{template}{spec}{containers}};
for ([ 'fluentd', $fluentd, (find_section($tree{'to Cloud Logging'}, 'source prometheus'))[0][2]{port} ],
	[ 'fluent-bit', $fluent_bit, "$fb->{service}{http_port} $exporter->{port}" ]) {
	my ($name, $c, $port) = @$_;
	is join(' ', map { $_->{containerPort} } @{$c->{ports}}), $port, "$name: the port is the container's";
	my %mount = map { $_->{mountPath} => $_ } @{$c->{volumeMounts}};
	ok $mount{$state} && !$mount{$state}{readOnly}, "$name: its state is mounted, to be written";
	ok $mount{'/var/log/journal'}{readOnly}, "$name: the journal is mounted, to be read";
	my ($live) = map { $_->{httpGet}{path} } $c->{livenessProbe};
	is $live, $name eq 'fluentd' ? (find_section($tree{'to Cloud Logging'}, 'source prometheus'))[0][2]{metrics_path} : '/',
		"$name: its liveness is asked where it answers";
}
{
	# Where Pods have no IPv4 address these are other ones: the page names each.
	my ($said) = slurp('k8s/README.md') =~ /^(Where Pods have IPv6 .*?)\n\n/ms;
	for my $file ("$base/fluent.conf", "$bit/fluent-bit.yaml") {
		my @listens = slurp($file) =~ /^ *(\w+):? 0\.0\.0\.0$/mg;
		my $name = $file =~ s{.*/}{}r;
		is scalar(@listens), $name eq 'fluent.conf' ? 1 : 2, "$name: listens on every address of IPv4 (@listens)";
		is join(' ', grep { ($said // '') !~ /`$_`[^.]* in \Q$name\E/s } @listens), '', '... k8s/README.md says where that is changed';
	}
}
my ($conf) = map { $_->{command} } $fluentd;
my ($said) = slurp("$base/fluent.conf") =~ /^# command: (.*)$/m;
is "@$conf", $said, 'fluentd: the command is the one that fluent.conf tells';
for my $file ('k8s/base/kustomization.yaml', "$bit/kustomization.yaml", "$forward/elasticsearch/kustomization.yaml") {
	# By digest; the tag that it was looked up for stands in the comment, for people and for the next move.
	my ($name, $tag) = slurp($file) =~ m{^# image: ([\w/.-]+):([\w.-]+)$}m;
	my ($image) = grep { $_->{name} eq $name } @{YAML::XS::Load(slurp($file))->{images}};
	like $image->{digest}, qr/^sha256:[0-9a-f]{64}$/, "$file: the shipper's image is pinned by its digest";
	ok !exists $image->{newTag}, '... and by nothing else';
	like $tag, qr/^v?\d+\.\d+\.\d+/, '... whose exact version is told';
}
my $named = qr{^# image: (fluent/fluentd-kubernetes-daemonset:\S+)$}m;
is +(slurp("$base/fluent.conf") =~ $named)[0], (slurp('k8s/base/kustomization.yaml') =~ $named)[0], 'fluent.conf tells of the same version';
{
	my ($maps) = grep { $_->{name} eq 'cloud-audit-fluentd' }
		@{YAML::XS::Load(slurp('k8s/base/kustomization.yaml'))->{configMapGenerator}};
	is join(' ', sort map { m{([^/]+)$} } @{$maps->{files}}), join(' ', sort map { m{([^/]+)$} } glob "$base/*"),
		'every file of fluentd\'s is in its ConfigMap';
}

# --- the components, rendered ---
my ($kubectl, $why) = kubectl();
SKIP: {
	skip $why, 1 unless $kubectl;
	my $shipped = render($kubectl, 'k8s/base');
	my @rest = grep { $_ ne 'output.conf' } sort keys %{object($shipped, 'ConfigMap', 'cloud-audit-fluentd')->{data}};
	for ([ 'forward', 'output.conf' ], [ 'forward/elasticsearch', 'elasticsearch/output.conf', map { s{.*/}{}r } glob "$forward/elasticsearch/*.{rb,json}" ]) {
		my ($component, $file, @more) = @$_;
		my $objects = eval { render($kubectl, overlay('base', $component)) } || [];
		my $data = (object($objects, 'ConfigMap', 'cloud-audit-fluentd') || {})->{data} || {};
		is $data->{'output.conf'}, slurp("$forward/$file"), "$component: the output is its own";
		is join(' ', map { $data->{$_} eq slurp("$base/$_") ? () : $_ } @rest), '', '... and the other files are the base\'s';
		is join(' ', grep { ($data->{$_} // '') ne slurp("$forward/elasticsearch/$_") } @more), '', '... with those that it names' if @more;
		my $c = @$objects ? container($objects, 'containers', 'fluentd') : {};
		my %env = map { $_->{name} => $_->{valueFrom} } @{$c->{env} || []};
		my @asked = sort { $a cmp $b } keys %{{ map { $_ => 1 } $data->{'output.conf'} =~ /ENV\['(\w+)'\]/g }};
		is join(' ', sort keys %env), join(' ', sort 'NODE_NAME', grep { $_ ne 'NODE_NAME' } @asked),
			'... with the variables that it asks for';
		is join(' ', map { $env{$_}{secretKeyRef} ? () : $_ } grep { /KEY$/ } keys %env), '', '... the secret one from a Secret';
	}
	my $objects = eval { render($kubectl, overlay('base', 'fluent-bit')) } || [];
	is join(' ', map { $_->{name} } @$objects ? @{pod($objects)->{containers}} : ()), 'fluent-bit',
		'fluent-bit: in the place of fluentd';
	ok !object($objects, 'ConfigMap', 'cloud-audit-fluentd'), '... whose ConfigMap is gone';
	is_deeply object($objects, 'ConfigMap', 'cloud-audit-fluent-bit')->{data},
		{ map { s{.*/}{}r => slurp($_) } "$bit/fluent-bit.yaml", glob "$bit/*.lua" }, '... for its own, with all scripts';
}

# --- secrets ---
for my $name (sort keys %tree) {
	my @bad = map { my $s = $_; map { "$s->[4]: $_" } grep { /key$|password|token|secret|user/ && !/^(?:id_key|remove_keys|key)$/ &&
		$s->[2]{$_} !~ /^"#\{ENV\['[A-Z_]+'\]\}"$/ } keys %{$s->[2]} } all($tree{$name});
	is "@bad", '', "$name: no secret in the files";
}
for my $file (glob("$base/* $bit/* $forward/*.* $forward/elasticsearch/*")) {
	unlike slurp($file), qr/BEGIN [A-Z ]*PRIVATE KEY|AIza[\w-]{30}|eyJ[\w-]{20}|"private_key"/, "$file: nothing like a key";
}

# --- fluent-bit's scripts, with their state in a directory of the test's ---
make_path("$tmp/state/fluent-bit", "$tmp/bit");
put("$tmp/bit/" . s{.*/}{}r, slurp($_) =~ s{\Q$state\E}{$tmp/state}gr =~ s{/proc/sys/kernel/random/}{$tmp/state/}gr) for glob "$bit/*.lua";
# --- the output, what was refused, entries, the input, and what fluent-bit's scripts save ---
$ENV{NODE_NAME} = 'node-1';
for ([ 'Cloud Logging', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/output.rb' ] ],
	[ 'refused chunks', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/backup.rb' ] ],
	[ 'entries', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/entries.rb', "$tmp/entries" ] ],
	[ 'Elasticsearch', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/elasticsearch.rb' ] ],
	[ 'its templates', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/mapping.rb', "$tmp/entries" ] ],
	[ 'the input', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/input.rb' ] ],
	[ 'the cursor', 'lua5.1', $lua && [ $lua, 't/shipper/cursor.lua', "$tmp/bit", "$tmp/state" ] ],
	[ 'fluent-bit killed', 'lua5.1', $lua && [ $lua, 't/shipper/killed.lua', "$tmp/bit", "$tmp/state" ] ],
	[ 'Sigma', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/fields.rb' ] ],
	[ 'what fluentd leaves out', 'ruby', $ruby && [ $ruby, '-w', 't/shipper/volume.rb' ] ],
	[ 'what is left out', 'lua5.1', $lua && [ $lua, 't/shipper/volume.lua', "$tmp/bit" ] ]) {
	my ($name, $package, $command) = @$_;
	SKIP: {
		skip "$package is missing: apt-get install $package", 1 unless $command;
		my ($code, $out, $err) = run({ seconds => 400 }, @$command);
		is $code, 0, "$name: its test ran to its end" or diag $err;
		for (split /\n/, $out) {
			if (/^((?:not )?)ok \d+ - (.*)/) { ok !$1, "$name: $2" } else { diag $_ unless /^1\.\./ }
		}
	}
}

# --- what rules for detection find, by both mappings: of acts as a journal has them, and of what is none ---
SKIP: {
	skip 'ruby is missing: apt-get install ruby', 1 unless $ruby;
	my ($pid, $tail) = (100, 'auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=2 comm="%s" exe="/usr/bin/%1$s" subj=unconfined key="exec"');
	my $exec = sub {
		my ($parent, $program, @arguments) = @_;
		$pid++;
		return map { "_TRANSPORT=audit\n_BOOT_ID=" . 'ab' x 16 . "\n_AUDIT_ID=$pid\nMESSAGE=$_\n\n" }
			sprintf("SYSCALL arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=1 ppid=$parent pid=$pid $tail", $program),
			join(' ', 'EXECVE argc=' . (1 + @arguments), map { my $i = $_; my $a = ($program, @arguments)[$i]; "a$i=" . ($a =~ / / ? uc unpack 'H*', $a : qq("$a")) } 0 .. @arguments),
			'CWD cwd="/run"', qq(PATH item=0 name="/usr/bin/$program" inode=7 dev=fe:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0);
	};
	my @idle = $exec->(1, 'sh', '-c', 'chmod u+s /run/program; echo eA== | base64 -d');
	my @acts = ($exec->(101, 'chmod', 'u+s', '/run/program'), $exec->(101, 'base64', '-d'));
	my ($code, $out, $err) = run('sh', '-c', "$ruby -w t/shipper/rules.rb <" . put("$tmp/acts", join '', @idle, @acts));
	is "$code $err", '0 ', 'rules for detection: tried on acts';
	is join("\n", grep { !/^ok \d/ } split /\n/, $out), '1..9', '... each finds what was done, by its mapping to Sigma\'s fields or to ECS';
	($code, $out) = run('sh', '-c', "$ruby t/shipper/rules.rb <" . put("$tmp/acts", join '', @idle));
	is join(' ', map { /^ok \d+ - (.*)/ ? $1 : () } split /\n/, $out), 'what was not done, is not found', '... and nothing where nothing was';
}

SKIP: {
	skip 'no entries were made', 1 unless -s "$tmp/entries";
	my ($code, $out) = run('t/unit/validate', 'entry', "$tmp/entries");
	skip $out =~ s/\n.*//sr, 1 if $code == 77;
	is "$code $out", '0 ', 'entries are what entry.schema.json says';
}

done_testing;
