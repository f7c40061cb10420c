#!/bin/sh
# The Debian package and the tarball for hosts without a package manager: what is in them, that they run, that they
# are built the same twice. t/85-vm-smoke.t runs the tarball on a node.
. t/vm/guest.sh
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip_all 'building the toolchain needs root'
[ "$(uname -m)" = x86_64 ] || skip_all 'the tarball is built on x86_64'
for need in dh lintian dpkg-buildpackage mmdebstrap; do
	command -v $need >/dev/null 2>&1 || skip_all "$need is not installed"
done
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
version=$(sed -n 's/^VERSION := //p' Makefile)
machine=$(dpkg --print-architecture)

# --- the Debian package ---
out=$(t/image/once deb 2>"$tmp/said"); ok $? 'the Debian package is built' "$(cat "$tmp/said")" || { echo 'Bail out! no package'; exit 1; }
deb=$out/cloud-audit-setup_${version}_$machine.deb
out=$(lintian --fail-on error,warning --pedantic --allow-root "$out"/*.changes 2>&1); ok $? 'lintian finds no errors or warnings' "$out"
is "$out" '' 'nor anything pedantic'
out=$(umask 077; TZ=Asia/Tokyo LANG=tr_TR.UTF-8 DEB_OUT=$tmp/other/two setup/debian/build 2>&1)
cmp -s "$deb" "$tmp/other/two/${deb##*/}"; ok $? 'another folder, time zone and umask give the same bytes' "$out"
dpkg -x "$deb" "$tmp/deb"
is "$(cd "$tmp/deb/usr/share/cloud-audit-setup/rules" && ls)" "$(cd rules && ls -- *.rules)" 'every shipped rules file is in it'
for file in sbin/cloud-audit-setup libexec/cloud-audit-setup/cloud-audit-runtime libexec/cloud-audit-setup/cloud-audit-tty share/man/man8/cloud-audit-setup.8.gz share/man/man5/cloud-audit-setup.ini.5.gz \
	share/bash-completion/completions/cloud-audit-setup share/zsh/vendor-completions/_cloud-audit-setup \
	share/doc/cloud-audit-setup/examples/config.ini share/doc/cloud-audit-setup/copyright \
	share/doc/cloud-audit-setup/copyright.musl.gz share/doc/cloud-audit-setup/copyright.jsmn \
	share/cloud-audit-setup/smoke/guest.sh share/cloud-audit-setup/smoke/act.c share/cloud-audit-setup/smoke/prow.yaml; do
	[ -s "$tmp/deb/usr/$file" ]; ok $? "so is $file"
done
out=$("$tmp/deb/usr/sbin/cloud-audit-setup" --version 2>&1); is "$out" "cloud-audit-setup $version" 'the program in it runs'
out=$("$tmp/deb/usr/sbin/cloud-audit-setup" -c "$tmp/deb/usr/share/doc/cloud-audit-setup/examples/config.ini" render rules 2>"$tmp/err")
ok $? 'and takes the example configuration' "$(cat "$tmp/err")"
like "$out" '^# shipped 30-exec.rules:' 'and finds its rules'
[ ! -e "$tmp/deb/etc" ]; ok $? 'it puts nothing into /etc'
like "$("$tmp/deb/usr/share/cloud-audit-setup/smoke/smoke" -o ConnectTimeout=1 root@localhost.invalid 2>&1)" '^Bail out! no node at root@localhost.invalid: ' 'the test of a node is in it, and starts'
mkdir "$tmp/control" && dpkg -e "$deb" "$tmp/control"
is "$(cd "$tmp/control" && ls)" 'control
md5sums
prerm' 'installing it runs nothing'
mkdir -p "$tmp/node/etc/systemd/system"
out=$(DPKG_ROOT=$tmp/node "$tmp/control/prerm" remove 2>&1); is "$?-$out" 0- 'removing it from a node that is not configured says nothing'
: >"$tmp/node/etc/systemd/system/cloud-audit-setup.service"
out=$(DPKG_ROOT=$tmp/node "$tmp/control/prerm" remove 2>&1); is $? 0 'removing it from a configured node does not fail'
like "$out" 'stays configured' 'and says that the node stays configured'
[ -e "$tmp/node/etc/systemd/system/cloud-audit-setup.service" ]; ok $? 'as it does'
out=$(DPKG_ROOT=$tmp/node "$tmp/control/prerm" upgrade 2>&1); is "$?-$out" 0- 'an upgrade says nothing'

like "$(zcat "$tmp/deb/usr/share/man/man8/cloud-audit-setup.8.gz")" '^.It Pa /usr/share/cloud-audit-setup/rules' 'the manual names the place of its rules'
# links DIR FILE: the links of the Markdown file to other files that are not there.
links() { zcat -f "$1/$2"* | grep -o '](\([^)]*\))' | sed 's/^](//; s/)$//; s/#.*//' | grep -v '^http' | sort -u | while read -r to; do
	[ -z "$to" ] || [ -e "$1/$to" ] || [ -e "$1/$to.gz" ] || echo "$to"; done; }
is "$(links "$tmp/deb/usr/share/doc/cloud-audit-setup" README.md)" "$(printf 'CONTRIBUTING.md\nt/README.md')" 'what the README points to is in it, but for what is about the source'

# --- the tarball ---
dist=$(t/image/once dist 2>"$tmp/said"); ok $? 'the tarball is built for amd64 and arm64' "$(cat "$tmp/said")" || { echo 'Bail out! no tarball'; exit 1; }
out=$(umask 077; TZ=Asia/Tokyo LANG=tr_TR.UTF-8 DIST_OUT=$tmp/two container/dist-node amd64 2>&1)
cmp -s "$dist/cloud-audit-setup-$version-linux-amd64.tar.gz" "$tmp/two/cloud-audit-setup-$version-linux-amd64.tar.gz"
ok $? 'twice the same bytes' "$out"
is "$out" "$tmp/two/cloud-audit-setup-$version-linux-amd64.tar.gz" 'it prints what it made, and nothing else'
cmp -s "$dist/cloud-audit-setup-$version-linux-amd64.spdx.json" "$tmp/two/cloud-audit-setup-$version-linux-amd64.spdx.json"
ok $? 'and twice the same bill of materials'
for arch in amd64 arm64; do
	mkdir "$tmp/$arch" && tar -C "$tmp/$arch" -xzf "$dist/cloud-audit-setup-$version-linux-$arch.tar.gz"
	is "$(ls "$tmp/$arch")" "cloud-audit-setup-$version" "$arch: it unpacks into one folder"
	is "$(cd "$tmp/$arch/cloud-audit-setup-$version/rules" && ls -- *.rules)" "$(cd rules && ls -- *.rules)" "$arch: every shipped rules file is in it"
	out=$(t/image/bom "$dist/cloud-audit-setup-$version-linux-$arch.spdx.json" "$tmp/$arch/cloud-audit-setup-$version" \
		"$(sha256sum <"$dist/cloud-audit-setup-$version-linux-$arch.tar.gz" | cut -d ' ' -f 1)" 2>&1)
	ok $? "$arch: its bill of materials has every file's hash, its Debian packages, their date, and the tarball's hash" "$out"
	for source in audit glibc jsmn libcap-ng libcap2 libinih musl systemd LGPL-2.1; do
		[ -s "$tmp/$arch/cloud-audit-setup-$version/copyright/$source" ]; ok $? "$arch: the copyright of $source is in it"
	done
	like "$("$tmp/$arch/cloud-audit-setup-$version/smoke/smoke" -o ConnectTimeout=1 root@localhost.invalid 2>&1)" '^Bail out! no node at root@localhost.invalid: ' "$arch: so is the test of a node"
	for file in cloud-audit-setup cloud-audit-runtime cloud-audit-tty; do
		unlike "$(readelf -lW "$tmp/$arch/cloud-audit-setup-$version/$file")" 'INTERP' "$arch: $file needs no loader"
	done
done
is "$(links "$tmp/amd64/cloud-audit-setup-$version" README.md)" "$(printf 'CONTRIBUTING.md\nt/README.md')" 'what the README points to is in it'
# Nothing but the folder, and moved to where its name says nothing.
mkdir -p "$tmp/root/elsewhere"
mv "$tmp/amd64/cloud-audit-setup-$version" "$tmp/root/elsewhere/cas"
out=$(chroot "$tmp/root" /elsewhere/cas/cloud-audit-setup --version 2>&1)
is "$out" "cloud-audit-setup $version" 'amd64: the program runs where there is no library'
mkdir "$tmp/root/proc" && mount -t proc proc "$tmp/root/proc"
out=$(chroot "$tmp/root" /elsewhere/cas/cloud-audit-setup -c /elsewhere/cas/config.ini.example render rules 2>"$tmp/err")
ok $? 'and takes the example configuration' "$(cat "$tmp/err")"
umount "$tmp/root/proc"
like "$out" '^# shipped 30-exec.rules:' 'and finds the rules beside it'
if command -v qemu-aarch64-static >/dev/null; then
	out=$(qemu-aarch64-static "$tmp/arm64/cloud-audit-setup-$version/cloud-audit-setup" --version 2>&1)
	is "$out" "cloud-audit-setup $version" 'arm64: the program runs'
fi

# --- a release: all of it, and with the image ---
if command -v buildah >/dev/null && image=$(t/image/once 2>"$tmp/said"); then
	record=$tmp/packages.recorded
	# As the toolchain of today may be none of the recorded set: what its bills of materials have is the one asked for.
	echo "date $(container/recorded --date build/image/toolchain)" >"$record"
	CHART_OUT=$tmp/chart container/chart >/dev/null
	(umask 077; TZ=Asia/Tokyo LANG=tr_TR.UTF-8 CHART_OUT=$tmp/chart2 container/chart >/dev/null)
	out=$(diff -r "$tmp/chart" "$tmp/chart2" 2>&1); is "$out" '' 'the chart is the same twice'
	out=$(container/gather "$image" "${deb%/*}" "$dist" "$tmp/chart" "$tmp/gathered" 2>&1); ok $? 'what was built is gathered' "$out"
	is "$(cd "$tmp/gathered" && ls -- *linux-a* *.oci.tar *.deb *.tgz | wc -l)" 8 'the tarballs with their bills of materials, the image, the package and the chart'
	# Which is of a commit: none where the tree has changes.
	if [ -z "$(git status --porcelain --untracked-files=no)" ]; then
		cp -a "$tmp/gathered" "$tmp/gathered2"
		out=$(SIGN_KEY=none RECORDED=$record RELEASE_OUT=$tmp/release container/release "$tmp/gathered" "$tmp/gathered2" 2>&1)
		ok $? 'and makes a release: its bills of materials are of the set that the toolchain is of' "$out"
		out=$(cd "$tmp/release" && sha256sum --check --quiet --strict SHA256SUMS 2>&1); ok $? 'with sums that are right' "$out"
	fi
fi
echo "1..$tap_n"
exit "$tap_failed"
