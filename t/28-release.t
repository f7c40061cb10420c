#!/usr/bin/perl
# A release, of made-up builds: what goes into it, that it is signed only when both builds are equal and of the recorded
# Debian packages, and that what k8s/README.md tells a user to run finds a changed byte in any file. What the builds give is
# looked at in t/80-image.t and t/84-packages.t.
use strict;
use warnings;
use Cwd qw(abs_path);
use JSON::PP;
use Test::More;
use lib 't/unit', 't/k8s';
use Cli qw(run put slurp $tmp);
use Manifests;

plan skip_all => 'the program has no part in it: once is enough' if ($ENV{BUILD} || 'build') ne 'build';
plan skip_all => 'no git, or no commit' if (run('git', 'rev-parse', 'HEAD'))[0];
for my $need (qw(gpg:gnupg gpgv:gpgv dpkg-query:dpkg)) {
	my ($program, $package) = split /:/, $need;
	plan skip_all => "$program is missing: apt-get install $package" if (run('sh', '-c', "command -v $program"))[0];
}
my ($version) = slurp('Makefile') =~ /^VERSION := (\S+)/m;
my $name = "cloud-audit-setup-$version";
my $digest = 'sha256:' . 'ab' x 32;

# A release is of a commit with nothing changed since: the files as they are here are one, in a place of their own.
my $git = 'git -c user.name=x -c user.email=x@example.org -c commit.gpgsign=false';
system("mkdir $tmp/repo && git ls-files -z | tar --null --ignore-failed-read -T - -cf - 2>$tmp/said | tar -C $tmp/repo -xf - && " .
	"cd $tmp/repo && git init -q . && git add -Af && $git commit -q -m x") == 0 or die 'no commit: ' . slurp("$tmp/said");
chdir "$tmp/repo" or die;
END { chdir '/' }

# --- the recorded set of Debian packages ---
sub toolchain {
	my ($date, @packages) = @_;
	my $root = "$tmp/tools";
	put("$root/releases", "trixie Sat, 21 Nov 2026 09:15:44 UTC\ntrixie-security $date\n");
	put("$root/var/lib/dpkg/status", join '', map { my ($package, $arch, $is) = split;
		"Package: $package\nStatus: install ok installed\nArchitecture: $arch\nMulti-Arch: same\nVersion: $is\nMaintainer: x\nDescription: x\n\n" } @packages);
	put("$root/var/lib/dpkg/arch", "amd64\narm64\n");
	return $root;
}
$ENV{RECORDED} = "$tmp/recorded";
my @packages = ('gcc amd64 14.2', 'libc6-dev amd64 2.41-12', 'libc6-dev arm64 2.41-12');
my $root = toolchain('Sat, 28 Nov 2026 02:53:01 UTC', @packages);
is join(' ', (run('container/recorded', '--record', $root))[0, 2]), '0 ', 'a set of packages is recorded';
is join("\n", grep { !/^#/ } split /\n/, slurp("$tmp/recorded")),
	"date 20261128T235959Z\ngcc:amd64 14.2\nlibc6-dev:amd64 2.41-12\nlibc6-dev:arm64 2.41-12",
	'with the day of its newest list, each package with its architecture';
is join(' ', run('container/recorded', $root)), '0  ', 'the same set is no difference';
toolchain('Sun, 06 Dec 2026 01:00:00 UTC', @packages);
is join(' ', run('container/recorded', $root)), '0  ', 'nor are the same packages of another day';
is +(run('container/recorded', '--date', $root))[1], "20261128T235959Z\n", 'which are still the recorded set';
toolchain('Sun, 06 Dec 2026 01:00:00 UTC', 'gcc amd64 14.3', $packages[1], 'musl-dev amd64 1.2');
my ($code, $out) = run('container/recorded', $root);
is $code, 1, 'others are a difference';
like $out, qr/^recorded: 3 packages are not of the recorded set \(20261128T235959Z\), .* DEBIAN_DATE=20261128T235959Z; /, 'which says what to do';
like $out, qr/^recorded:   $_$/m, "and: $_" for 'gcc:amd64: 14\.3, recorded: 14\.2', 'libc6-dev:arm64: none, recorded: 2\.41-12',
	'musl-dev:amd64: 1\.2, recorded: none';
is +(run('container/recorded', '--date', $root))[1], "unrecorded-20261206T235959Z\n", 'and have their own date, as no recorded one';
toolchain('Sat, 28 Nov 2026 02:53:01 UTC', 'gcc amd64 14.3', @packages[1, 2]);
is +(run('container/recorded', '--date', $root))[1], "unrecorded-20261128T235959Z\n", 'even with lists of the same day';
my @shipped = slurp('container/packages.recorded') =~ /^([\w.+-]+:\w+) /mg;
my %recorded = map { $_ => 1 } @shipped;
my @missing = grep { !$recorded{/:/ ? $_ : "$_:amd64"} && !$recorded{"$_:all"} } split /\n/, slurp('container/packages');
is "@missing", '', 'container/packages.recorded has all that container/packages asks for: container/toolchain --record';
like slurp('container/packages.recorded'), qr/^date \d{8}T\d{6}Z$/m, 'and a date';

# --- a dated set, from apt's sources to the bill of materials ---
# A stand-in for mmdebstrap: it runs the hooks as that does, and its apt takes what the sources say: lists, and packages, of the
# day in the address, or of today.
put("$tmp/stand-in/mmdebstrap", <<'END');
#!/bin/sh
set -eu
n=0
for a; do case $a in
--setup-hook=*) setup=${a#*=} ;; --customize-hook=*) customize=${a#*=} ;; --*) ;; *) [ $((n += 1)) != 2 ] || root=$a ;;
esac; done
mkdir -p "$root/etc/apt/sources.list.d" "$root/var/lib/apt/lists" "$root/var/lib/dpkg/info"
echo 'deb http://mirror.example/debian trixie main' >"$root/etc/apt/sources.list.d/mirror.list"
sh -c "$setup" sh "$root"
cat "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* 2>/dev/null >"$root/asked" || true
n=0
while read -r line; do
	day=$(echo "$line" | sed -n 's|.*/\([0-9]\{8\}\)T[0-9]\{6\}Z/.*|\1|p')
	suite=$(echo "$line" | sed 's/ main$//; s/.* //')
	printf 'Codename: %s\nDate: %s\n' "$suite" "$(date -u -d "${day:-20300101} 02:53" '+%a, %d %b %Y %T UTC')" >"$root/var/lib/apt/lists/$((n += 1))_Release"
done <"$root/asked"
printf 'amd64\narm64\n' >"$root/var/lib/dpkg/arch"; echo 1 >"$root/var/lib/dpkg/info/format"
printf 'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nSource: glibc\nVersion: 2.41-%s\nMaintainer: x\nDescription: x\n\n' "${day:-today}" >"$root/var/lib/dpkg/status"
printf '/.\n/usr/lib/libc.a\n' >"$root/var/lib/dpkg/info/libc6:amd64.list"
sh -c "$customize" sh "$root"
END
chmod 0755, "$tmp/stand-in/mmdebstrap" or die;
sub toolchain_of {
	my ($date, @args) = @_;
	return run({ seconds => 60, before => sub { $ENV{PATH} = "$tmp/stand-in:$ENV{PATH}"; $ENV{RECORDED} = "$tmp/dated"; $date ? $ENV{DEBIAN_DATE} = $date : delete $ENV{DEBIAN_DATE} } },
		'container/toolchain', @args);
}
sub of_set {
	my ($tools) = @_;
	put("$tools/image/amd64/usr/sbin/cloud-audit-setup", 'a program');
	put("$tools/image/amd64.inputs", "/usr/lib/libc.a\n");
	my ($code, $out, $err) = run({ before => sub { $ENV{RECORDED} = "$tmp/dated"; $ENV{SOURCE_DATE_EPOCH} = 1 } }, 'container/bom', 'image', 'amd64', $version, $digest, $tools);
	return $err if $code;
	my %of = map { $_->{SPDXID} => $_ } @{decode_json($out)->{packages}};
	return join ' ', @{$of{'SPDXRef-Debian'}}{qw(versionInfo downloadLocation)}, map { "$_->{name} $_->{versionInfo}" } grep { $_->{SPDXID} =~ /libc6/ } values %of;
}
mkdir $_ for 'build', 'build/image';
my ($date, $snapshot) = ('20261128T235959Z', 'http://snapshot.debian.org/archive');
put("$tmp/dated", "date $date\nlibc6:amd64 2.41-20261128\n");
($code, my $tools, my $said) = toolchain_of($date);
chomp $tools;
is $code, 0, 'the toolchain is made of a dated set' or diag $said;
is slurp("$tools/asked"), join('', map { "deb [check-valid-until=no] $snapshot/$_ main\n" } "debian/$date/ trixie", "debian/$date/ trixie-updates", "debian-security/$date/ trixie-security"),
	'whose packages come from that day alone, updates and security updates among them';
is of_set($tools), "trixie $date https://snapshot.debian.org/archive/debian/$date/ libc6 2.41-20261128", 'the bill of materials of what is built there says which set, and what of it';
($code, $tools, $said) = toolchain_of('20261121T235959Z');
chomp $tools;
like $said, qr/libc6:amd64: 2\.41-20261121, recorded: 2\.41-20261128/, 'another day is another toolchain, and said to be none of the record';
is of_set($tools), 'trixie unrecorded-20261121T235959Z https://snapshot.debian.org/archive/debian/20261121T235959Z/ libc6 2.41-20261121', 'so does its bill of materials, which no release takes';
($code, $tools) = toolchain_of(undef);
chomp $tools;
is slurp("$tools/asked"), "deb http://mirror.example/debian trixie main\n", 'without a date it is what the mirror has';
like of_set($tools), qr/^trixie unrecorded-20300101T235959Z /, '... which the bill of materials says, too';
is +(toolchain_of($date, '--record'))[0], 0, 'a date can be recorded';
like slurp("$tmp/dated"), qr/^date $date\nlibc6:amd64 2\.41-20261128$/m, '... with the packages of that day';

# --- made-up builds, gathered ---
my %built = (
	image => { 'digest' => "$digest\n", "$name.oci.tar" => 'an image', map { ("$name-$_.spdx.json" =>
		qq({\n "versionInfo" : "trixie 20261128T235959Z"\n})) } qw(amd64 arm64) },
	deb => { "cloud-audit-setup_${version}_amd64.deb" => 'a package', 'log' => 'not of the release' },
	chart => { "$name.tgz" => 'a chart', "cloud-audit-setup-chart-$version.oci.tar" => 'the same', 'chart-digest' => 'of it' },
	dist => { map { ("$name-linux-$_.tar.gz" => 'a tarball', "$name-linux-$_.spdx.json" =>
		qq({\n "versionInfo" : "trixie 20261128T235959Z"\n})) } qw(amd64 arm64) },
);
for my $kind (keys %built) { put("$tmp/built/$kind/$_", $built{$kind}{$_}) for keys %{$built{$kind}} }
sub gather { return run({ seconds => 60, before => $_[1] }, 'container/gather', (map { "$tmp/built/$_" } qw(image deb dist chart)), $_[0]) }
is join(' ', (gather("$tmp/one", sub { }))[0, 2]), '0 ', 'the parts are gathered';
my @files = sort map { s{.*/}{}r } glob "$tmp/one/*";
is join(' ', @files), join(' ', sort 'digest', "$name.oci.tar", "cloud-audit-setup_${version}_amd64.deb", "$name-source.tar.gz", "$name-k8s.tar.gz",
	'cloud-audit-logging.yaml', 'cloud-audit-remove.yaml', keys %{$built{chart}},
	map { ("$name-$_.spdx.json", "$name-linux-$_.spdx.json", "$name-linux-$_.tar.gz") } qw(amd64 arm64)),
	'image, package, tarballs, source, manifests, chart, bills of materials, and nothing else';
is join(' ', (gather("$tmp/two", sub { umask 077; $ENV{TZ} = 'Asia/Tokyo'; $ENV{LANG} = 'tr_TR.UTF-8' }))[0, 2]), '0 ', 'again, elsewhere';
is +(run('diff', '-r', "$tmp/one", "$tmp/two"))[1], '', 'they have the same bytes';
for my $file ("$name-source.tar.gz", "$name-k8s.tar.gz") {
	my %of_commit = map { ("$name/$_" => 1) } split /\n/, `git ls-tree -r --name-only HEAD`;
	my @in = grep { !m{/$} } split /\n/, `tar -tzf $tmp/one/$file`;
	is join(' ', grep { !$of_commit{$_} } @in), '', "$file has nothing that is not of the commit";
	my @want = grep { $file !~ /k8s/ || m{^$name/(?:k8s/|LICENSE|NOTICE)} } keys %of_commit;
	is scalar(@in), scalar(@want), "$file: and all that it should";
}
for my $file ('cloud-audit-logging.yaml', 'cloud-audit-remove.yaml') {
	SKIP: {
		skip 'YAML::XS is missing: apt-get install libyaml-libyaml-perl', 1 unless eval { require YAML::XS };
		my $objects = load_flat("$tmp/one/$file");
		is container($objects, 'initContainers', 'cloud-audit-setup')->{image}, "cloud-audit-setup\@$digest", "$file names the image by its digest";
	}
}
my $base = `tar -xOzf $tmp/one/$name-k8s.tar.gz $name/k8s/base/kustomization.yaml`;
like $base, qr/^- name: cloud-audit-setup\n  digest: $digest$/m, 'so does the base of the kustomizations';
unlike $base, qr/^  newTag: \Q$version\E$/m, 'and no longer by its tag';

# --- compared, and signed with a key made for this ---
$ENV{GNUPGHOME} = "$tmp/gnupg";
mkdir $ENV{GNUPGHOME}, 0700 or die;
END { system('gpgconf', '--kill', 'all') if ($ENV{GNUPGHOME} // '') =~ m{^/tmp/cas-cli-} }
for my $user ('publisher', 'other') {
	($code, undef, my $err) = run({ seconds => 60 }, 'gpg', '--batch', '--passphrase', '', '--quick-gen-key', "$user\@example.org", 'ed25519', 'sign', 'never');
	is $code, 0, "a key is made: $user" or diag $err;
}
sub release {
	my ($key, @folders) = @_;
	return run({ seconds => 60, before => sub { $ENV{SIGN_KEY} = $key if defined $key; $ENV{RELEASE_OUT} = "$tmp/release" } }, 'container/release', @folders);
}
my @both = ("$tmp/one", "$tmp/two");
($code, undef, my $err) = release(undef, @both);
like "$code $err", qr/^2 release: whose key\? make release SIGN_KEY=KEY/, 'without a key it asks for one';
($code, undef, $err) = release('nobody@example.org', @both);
like "$code $err", qr/^1 release: gpg has no secret key for nobody\@example\.org/, 'a key that gpg does not have is named before anything is built';
($code, undef, $err) = release('publisher@example.org', "$tmp/one", $tmp);
like "$code $err", qr/^1 release: \Q$tmp\E is no folder of container\/gather/, 'a folder of something else, too';
symlink "$tmp/one", "$tmp/same" or die;
for my $same ("$tmp/one", "$tmp/one/", "$tmp/two/../one", "$tmp/same") {
	($code, undef, $err) = release('publisher@example.org', "$tmp/one", $same);
	like "$code $err", qr/^2 release: both are the folder \Q$tmp\E\/one, /, "nor is a folder compared with itself: $same" =~ s/\Q$tmp//r;
}
my $makefile = slurp('Makefile');
put('./Makefile', "$makefile\n");
($code, undef, $err) = release('publisher@example.org', @both);
like "$code $err", qr/^1 release: .*the tree has changes/, 'nor is anything signed in a tree with changes';
system("$git commit -q -a -m y") == 0 or die;
($code, undef, $err) = release('publisher@example.org', @both);
like "$code $err", qr/^1 release: \Q$tmp\E\/one has another source than the last commit here, .* nothing was signed$/, 'nor two equal builds of another commit';
ok !-e "$tmp/release", 'there is no release of any of these';
system('git reset -q --hard HEAD~') == 0 or die;
my $file = "$tmp/two/$name-linux-arm64.tar.gz";
put($file, 'a tarballs');
($code, undef, $err) = release('publisher@example.org', @both);
like "$code $err", qr/^1 .*$name-linux-arm64\.tar\.gz.*differ.*nothing was signed/s, 'two builds that differ are not signed, and the file is named';
ok !-e "$tmp/release", 'there is no release then';
put($file, 'a tarball');
put("$tmp/recorded", slurp("$tmp/recorded") =~ s/^date .*/date 20261129T235959Z/mr);
($code, undef, $err) = release('publisher@example.org', @both);
like "$code $err", qr/^1 release: $name-amd64\.spdx\.json: its Debian packages are not the recorded set of 20261129T235959Z/, 'nor are builds of other Debian packages';
put("$tmp/recorded", slurp("$tmp/recorded") =~ s/^date .*/date 20261128T235959Z/mr);
for my $folder (@both) {
	my $bom = "$folder/$name-linux-arm64.spdx.json";
	put($bom, slurp($bom) =~ s/trixie /trixie unrecorded-/r);
}
($code, undef, $err) = release('publisher@example.org', @both);
like "$code $err", qr/^1 release: $name-linux-arm64\.spdx\.json: its Debian packages are not the recorded set/, 'nor of others of the same day';
for my $folder (@both) {
	my $bom = "$folder/$name-linux-arm64.spdx.json";
	put($bom, slurp($bom) =~ s/unrecorded-//r);
}
($code, $out, $err) = release('none', @both);
like "$code $err", qr/^0 release: NOT SIGNED/, 'without a signature it can be made to compare with';
ok !-e "$tmp/release/SHA256SUMS.asc", 'and has none then';
my $unsigned = slurp("$tmp/release/SHA256SUMS");
($code, $out, $err) = release('publisher@example.org', @both);
is $code, 0, 'two equal builds are signed' or diag $err;
like $out, qr/image $digest, signed by: publisher\@example\.org$/, 'and it says by whom';
is slurp("$tmp/release/SHA256SUMS"), $unsigned, 'the sums are those that everybody gets who builds the same';
is join(' ', map { (split)[1] } split /\n/, $unsigned), join(' ', @files), 'every file has its sum';

# --- built twice, by builders made up: each leaves what it is called with ---
my %builder = ('container/image' => 'image', 'container/dist-node' => 'dist', 'setup/debian/build' => 'deb', 'container/chart' => 'chart');
for my $builder (keys %builder) {
	my $kind = $builder{$builder};
	put("./$builder", "#!/bin/sh\nmkdir -p \$\U$kind\E_OUT && cp $tmp/built/$kind/* \$\U$kind\E_OUT/ && " .
		"echo $kind umask=\$(umask) TZ=\${TZ-} LC_ALL=\$LC_ALL SIGN_KEY=\${SIGN_KEY-} >>$tmp/called\n");
}
system("$git commit -q -a -m z") == 0 or die;
rename "$tmp/release", "$tmp/compared" or die;
($code, $out, $err) = release('publisher@example.org');
is $code, 0, 'a release that is built here, twice, is signed' or diag $err;
my @called = split /\n/, slurp("$tmp/called");
is scalar(@called), 8, 'each builder is called twice';
like join("\n", @called[0 .. 3]), qr/\A(?:\w+ umask=0022 TZ=\S* LC_ALL=C SIGN_KEY=\n?){4}\z/, 'first as everything here is';
is join("\n", @called[4 .. 7]), join("\n", map { "$_ umask=0077 TZ=Asia/Tokyo LC_ALL=C.UTF-8 SIGN_KEY=" } qw(image dist deb chart)),
	'then with another umask, time zone and locale, one that is on every Debian';
system('git reset -q --hard HEAD~') == 0 or die;
system("rm -r $tmp/release") == 0 or die;
rename "$tmp/compared", "$tmp/release" or die;

# --- what a user runs before it is installed ---
my ($section) = slurp('k8s/README.md') =~ /^## A release, before it is installed\n(.*?)^## /ms;
my @commands = map { s/ +# .*//r } $section =~ /^ {4}(.*)$/mg;
my ($signed, $sums) = splice @commands, 0, 2;
system "gpg --batch --export publisher\@example.org >$tmp/release/PUBLISHER.gpg";
system "gpg --batch --export other\@example.org >$tmp/other.gpg";
# What the two commands say of the release: their exit statuses.
sub checked { return join ' ', map { (run('sh', '-c', "cd $tmp/release && $_"))[0] } $signed, $sums }
is checked(), '0 0', "as it was made: $signed; $sums";
for my $changed (@files) {
	my $path = "$tmp/release/$changed";
	my $was = slurp($path);
	(my $now = $was) =~ s/\A(.)/chr(ord($1) ^ 1)/se;
	put($path, $now);
	is checked(), '0 1', "a changed byte of $changed is found";
	put($path, $was);
}
my $good = slurp("$tmp/release/SHA256SUMS");
put("$tmp/release/SHA256SUMS", $good =~ s/^(.)/$1 eq '0' ? '1' : '0'/er);
like checked(), qr/^[1-9]\d* 1$/, 'changed sums are not those that were signed';
put("$tmp/release/SHA256SUMS", $good);
rename "$tmp/release/digest", "$tmp/digest";
is checked(), '0 1', 'a missing file is found';
rename "$tmp/digest", "$tmp/release/digest";
rename "$tmp/other.gpg", "$tmp/release/PUBLISHER.gpg";
like checked(), qr/^[1-9]\d* 0$/, "another key's signature is none";
like $commands[0], qr{^skopeo copy --all --preserve-digests oci-archive:$name\.oci\.tar docker://REGISTRY/cloud-audit-setup:\Q$version\E$}, 'the image is copied with the digest that it has';
my ($sed) = $commands[1] =~ /^(sed .*) \| kubectl apply -f -$/;
like `cd $tmp/release && $sed`, qr{^ +image: REGISTRY/cloud-audit-setup\@$digest$}m, 'the manifest gets the registry, and keeps the digest';

done_testing;
