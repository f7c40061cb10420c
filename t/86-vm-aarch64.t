#!/bin/sh
# aarch64: the program, the one for hosts and the unit tests, cross compiled, on an emulated machine with a kernel and a
# systemd of its own: plan, apply, verify, remove, the lock; each group's events; what permissions match, optimised and not;
# whose the records of containers are, under containerd; the unit tests but bus. Other tests of machines do not run there.
# A quarter of an hour and more: only for VM_SUITE=aarch64.
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
[ "${VM_SUITE:-}" = aarch64 ] || skip_all 'aarch64 machines are emulated at length: make check-suites runs this'
[ "$(id -u)" = 0 ] || skip_all "building a machine's disk needs root"
while read -r need package; do
	command -v "$need" >/dev/null 2>&1 || skip_all "$need is not installed: apt-get install $package"
done <<EOT
qemu-system-aarch64 qemu-system-arm
aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
mmdebstrap mmdebstrap
mke2fs e2fsprogs
cpio cpio
depmod kmod
EOT

out=$(t/vm/aarch64) || { echo 'Bail out! the machine cannot be built'; exit 1; }
tmp=$(mktemp -d)
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM
: >"$tmp/tap"
# A write to the disk stays in a temporary file; the machine ends with this test.
setpriv --pdeathsig KILL timeout 3900 qemu-system-aarch64 -nodefaults -no-user-config -display none -no-reboot \
	-machine virt -accel tcg,thread=multi -cpu cortex-a72 -smp 2 -m 768 \
	-kernel "$out/kernel" -initrd "$out/initrd" -append 'console=ttyAMA0 mitigations=off rw quiet' \
	-drive "if=none,id=root,format=raw,snapshot=on,file=$out/root.raw" -device virtio-blk-pci,drive=root \
	-chardev "file,id=console,path=$tmp/console" -serial chardev:console \
	-chardev "file,id=tap,path=$tmp/tap" -device virtio-serial-pci \
	-device virtserialport,chardev=tap,name=tap,nr=1 &
qemu=$!
wait "$qemu"
status=$?
qemu=
cat "$tmp/tap"
if ! grep -q '^1\.\.' "$tmp/tap"; then
	echo "# The machine ended before its tests did; qemu's status is $status. Its console says:"
	tail -n 40 "$tmp/console" | tr -d '\r' | sed 's/^/# /'
	exit 1
fi
! grep -q '^not ok' "$tmp/tap"
