#!/bin/sh
# The container image: what is in it, that it runs, that it is built the same twice.
. t/vm/guest.sh
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
for need in buildah mmdebstrap qemu-aarch64-static; do
	command -v $need >/dev/null 2>&1 || skip_all "$need is not installed"
done
[ "$(id -u)" = 0 ] || skip_all 'building the image needs root'
[ "$(uname -m)" = x86_64 ] || skip_all 'the image is built on x86_64'
cd "$(dirname "$0")/.." || exit 1

tmp=$(mktemp -d)
engine() { buildah --storage-driver vfs --root "$tmp/root" --runroot "$tmp/run" "$@"; }
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
version=$(sed -n 's/^VERSION := //p' Makefile)

out=$(t/image/once 2>"$tmp/said"); ok $? 'the image is built for amd64 and arm64' "$(cat "$tmp/said")" || { echo 'Bail out! no image'; exit 1; }
ln -s "$out" "$tmp/one"
archive=$tmp/one/cloud-audit-setup-$version.oci.tar
digest=$(cat "$tmp/one/digest")

# --- the Debian that it is built in ---
mkdir "$tmp/bin"
cat >"$tmp/bin/mmdebstrap" <<'END'
#!/bin/sh
# As mmdebstrap ends where somebody is reading in its /proc: with success, and that still mounted.
for last; do case $last in */debian) dir=$last ;; esac; done
mkdir "$dir/proc" && mount -t tmpfs none "$dir/proc" && : >"$dir/proc/of-this-host" || exit 1
sleep 600 <"$dir/proc/of-this-host" >/dev/null 2>&1 &
echo $! >"$dir/reads"
END
chmod 755 "$tmp/bin/mmdebstrap"
mkdir "$tmp/debian"
PATH=$tmp/bin:$PATH container/debian bookworm "$tmp/debian" 2>"$tmp/said"; ok $? 'somebody reads in a Debian that is being made' "$(cat "$tmp/said")"
is "$(ls "$tmp/debian/proc")" '' "... and what was mounted there is not taken for the image's files"
kill "$(cat "$tmp/debian/reads")"; umount -l "$tmp/debian/proc" 2>/dev/null

# --- the same twice ---
mkdir -p "$tmp/elsewhere/build"
ln -s "$PWD/build/image" "$tmp/elsewhere/build/image"
tar -cf - --exclude=./build . | tar -C "$tmp/elsewhere" --touch -xf -
out=$(umask 077; TZ=Asia/Tokyo LANG=tr_TR.UTF-8 IMAGE_OUT=$tmp/two "$tmp/elsewhere/container/image" 2>&1)
is "$(cat "$tmp/two/digest")" "$digest" 'another folder, time zone, umask and files of another date give the same digest' || diag "$out"
cmp -s "$archive" "$tmp/two/cloud-audit-setup-$version.oci.tar"
ok $? 'and the same archive, byte for byte'
for arch in amd64 arm64; do
	cmp -s "$tmp/one/cloud-audit-setup-$version-$arch.spdx.json" "$tmp/two/cloud-audit-setup-$version-$arch.spdx.json"
	ok $? "$arch: and the same bill of materials"
done
out=$(IMAGE_OUT=$tmp/three SOURCE_DATE_EPOCH=1 container/image amd64 2>&1)
[ "$(cat "$tmp/three/digest")" != "$digest" ]; ok $? 'another date gives another digest'

# --- what is in it ---
# open_image ARCH: its root in $tmp/ARCH, its configuration in $tmp/ARCH.json.
open_image() {
	box=$(engine from --quiet --pull --arch "$1" "oci-archive:$archive:cloud-audit-setup:$version") &&
		engine inspect "$box" >"$tmp/$1.json" && cp -a "$(engine mount "$box")" "$tmp/$1"
}
for arch in amd64 arm64; do
	open_image $arch; ok $? "$arch: an engine opens the archive"
	case $arch in
	amd64) triplet=x86_64-linux-gnu loader=/lib64/ld-linux-x86-64.so.2 ;;
	arm64) triplet=aarch64-linux-gnu loader=/lib/ld-linux-aarch64.so.1 ;;
	esac
	is "$(cd "$tmp/$arch" && find . -type f ! -path './usr/share/cloud-audit-setup/rules/*.rules' ! -path './usr/share/doc/cloud-audit-setup/copyright/*' | cut -c 2- | sort)" \
		"$(sort <<-END
			$loader
			/etc/cloud-audit-setup/config.ini
			/usr/lib/$triplet/libc.so.6
			/usr/lib/$triplet/libinih.so.1
			/usr/libexec/cloud-audit-setup/cloud-audit-runtime
			/usr/libexec/cloud-audit-setup/cloud-audit-tty
			/usr/sbin/cloud-audit-setup
			/usr/share/doc/cloud-audit-setup/LICENSE
			/usr/share/doc/cloud-audit-setup/NOTICE
		END
		)" "$arch: the programs, their libraries, the loader, configuration, notices, and nothing else"
	copyright=$tmp/$arch/usr/share/doc/cloud-audit-setup/copyright
	for source in audit glibc jsmn libcap-ng libcap2 libinih musl systemd LGPL-2.1; do
		[ -s "$copyright/$source" ]; ok $? "$arch: the copyright of $source is there"
	done
	like "$(cat "$copyright/libinih")" 'Redistributions in binary form must reproduce' "$arch: inih's licence is in its"
	like "$(cat "$copyright/musl")" 'Permission is hereby granted' "$arch: musl's is in its"
	is "$(cd "$tmp/$arch/usr/share/cloud-audit-setup/rules" && ls)" "$(cd rules && ls -- *.rules)" "$arch: every shipped rules file is there"
	is "$(find "$tmp/$arch" ! -type d ! -type f)" '' "$arch: there are no links or devices"
	is "$(find "$tmp/$arch" \( -perm /7022 -o ! -user 0 -o ! -group 0 \))" '' "$arch: all is root's, nobody else's to write, nothing set-uid"
	size=$(find "$tmp/$arch" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
	[ "$size" -le 4000000 ]; ok $? "$arch: it unpacks to at most 4 MB" "$size bytes"
	like "$(cat "$tmp/$arch.json")" '"architecture": "'$arch'"' "$arch: the image says so"
	like "$(tr -d ' \n' <"$tmp/$arch.json")" '"Entrypoint":\["/usr/sbin/cloud-audit-setup"\]' "$arch: it runs the program"
	like "$(cat "$tmp/$arch.json")" '"org.opencontainers.image.version": "'"$version"'"' "$arch: a label tells the version"
done
mkdir "$tmp/layout" && tar -C "$tmp/layout" -xf "$archive"
size=$(find "$tmp/layout/blobs" -type f -size -2000000c | wc -l)
is "$size" "$(find "$tmp/layout/blobs" -type f | wc -l)" 'every blob is smaller than 2 MB, compressed as it is'

# --- it runs, alone ---
in_amd64() { chroot "$tmp/amd64" /usr/sbin/cloud-audit-setup "$@"; }
# qemu-user looks for files below the image's root first.
in_arm64() { qemu-aarch64-static -L "$tmp/arm64" "$tmp/arm64/usr/sbin/cloud-audit-setup" "$@"; }
for arch in amd64 arm64; do
	out=$("in_$arch" --version 2>&1); is "$out" "cloud-audit-setup $version" "$arch: the program runs with its own loader and libraries"
	# Not those with paths: Debian 12's qemu-user has no openat2(2).
	out=$("in_$arch" -s events.audit-config=no -s events.apparmor=no -s events.logins=no render kernel 2>"$tmp/err")
	ok $? "$arch: and finds its rules and configuration" "$(cat "$tmp/err")"
	echo "$out" | sed 's/"source":"[^"]*"//' >"$tmp/$arch.kernel"
done
machine=$(in_amd64 --machine aarch64 -s events.audit-config=no -s events.apparmor=no -s events.logins=no render kernel 2>/dev/null | sed 's/"source":"[^"]*"//')
is "$(md5sum <"$tmp/arm64.kernel")" "$(echo "$machine" | md5sum)" 'arm64 compiles for itself what amd64 compiles for it'
out=$(in_amd64 plan 2>&1); is $? 1 'without a node it fails'
like "$out" '/host' 'on the root that it takes by default'
out=$("$tmp/arm64/usr/libexec/cloud-audit-setup/cloud-audit-runtime" 2>&1 || qemu-aarch64-static "$tmp/arm64/usr/libexec/cloud-audit-setup/cloud-audit-runtime" 2>&1)
like "$out" 'cloud-audit-runtime: ' 'arm64: the program for hosts runs without any library'

# --- the bill of materials ---
for arch in amd64 arm64; do
	out=$(t/image/bom "$tmp/one/cloud-audit-setup-$version-$arch.spdx.json" "$tmp/$arch" "$digest" 2>&1)
	ok $? "$arch: the bill of materials is valid, and has every file's hash, its Debian packages, their date, and the image's digest" "$out"
done

# --- the Containerfile ---
# The toolchain is copied while nobody builds in it: what another build has there would be in the image.
box=$(engine from scratch) && (flock 9 && engine copy --quiet "$box" build/image/toolchain / >/dev/null) 9>>build/image/lock &&
	engine commit --quiet --rm "$box" docker.io/library/debian:trixie-slim >/dev/null
out=$(engine bud --isolation chroot --layers=false --pull-never -q \
	--build-arg "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)" -f container/Containerfile -t other . 2>&1)
ok $? 'the Containerfile builds, on a Debian that is here' "$out"
box=$(engine from --pull-never other) && cp -a "$(engine mount "$box")" "$tmp/other"
diff -r "$tmp/amd64" "$tmp/other" >"$tmp/diff" 2>&1; ok $? 'and gives the same files' "$(cat "$tmp/diff")"
engine inspect "$box" >"$tmp/other.json"
for fact in '"Entrypoint":\[[^]]*\]' '"User":"[^"]*"' '"org.opencontainers.image.[dtlv][a-z]*":"[^"]*"'; do
	facts() { tr -d ' \n' <"$1" | grep -o "$fact" | sort -u; }
	is "$(facts "$tmp/other.json")" "$(facts "$tmp/amd64.json")" "and the same $fact"
done

echo "1..$tap_n"
exit "$tap_failed"
