#!/bin/sh
# The program and its unit tests compile on Debian bullseye, with its gcc 10, C library 2.31, systemd 247 and audit
# 3.0, and the unit tests pass there (on this machine's kernel).
. t/vm/guest.sh
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip_all 'building a folder of another Debian needs root'
[ "$(uname -m)" = x86_64 ] || skip_all 'it is built on x86_64'
command -v mmdebstrap >/dev/null || skip_all 'mmdebstrap is not installed'

said=$(mktemp)
built=$(t/vm/program bullseye 2>"$said"); status=$?; ok $status 'everything compiles there' "$(tail -n 20 "$said")"
rm -f "$said"
# Without its folder, what follows would be about this machine's own /dev and /proc.
[ "$status" -eq 0 ] && [ -n "$built" ] || { echo "1..$tap_n"; exit 1; }
tools=${built%/src/build}
tests=$(for t in t/20-unit-*.t; do basename "$t" .t; done | sed 's/^20-unit-//'; echo rules_lint rules_optimise rules_print rules_read rules_show)
mount --bind /dev "$tools/dev" && mount -t proc proc "$tools/proc" || exit 1
trap 'umount "$tools/dev" "$tools/proc"' EXIT
for name in $tests; do
	out=$(timeout 300 chroot "$tools" sh -c "cd /src && build/t/unit/$name" 2>&1 </dev/null); status=$?
	n=$(printf '%s\n' "$out" | grep -c '^ok ')
	[ "$status" -eq 0 ] && [ "$n" -gt 0 ]; ok $? "$name: its tests pass there" "$(printf '%s\n' "$out" | grep -v '^ok ' | head -n 20)"
done
echo "1..$tap_n"
exit "$tap_failed"
