# For tests that need a machine; read from a test t/NN-vm-topic.t, run by prove
# from the project's top folder:
#
#	. t/vm/lib.sh
#	vm_up topic plain
#	vm_guest <<'EOF'
#	$cas/cloud-audit-setup --version
#	ok $? 'the program runs'
#	EOF
#	done_testing
#
# $vm is the machine's name, for calls of t/vm/vm between those.

. t/vm/guest.sh

# Machines end with this test even when it is killed before its trap runs.
VM_OWNER=$$
export VM_OWNER

vm_machines=
vm_tmp=$(mktemp -d)
trap 'for vm in $vm_machines; do t/vm/vm stop "$vm"; done; rm -rf "$vm_tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

skip_all() { echo "1..0 # SKIP $*"; exit 0; }

# done_testing: the plan, and the exit status.
done_testing() { echo "1..$tap_n"; exit "$tap_failed"; }

# vm_up NAME SHAPE [SUITE [--append ARGS]]: start a machine with what is to be
# tested in its folder $cas, where programs may be executed. With VM_SUITE in the
# environment it is of that suite, whatever the test says, and $vm ends with it.
vm_up() {
	for vm_need in qemu-system-x86_64 qemu-img mmdebstrap mke2fs; do
		command -v "$vm_need" >/dev/null 2>&1 || skip_all "$vm_need is not installed"
	done
	[ "$(uname -m)" = x86_64 ] || skip_all "machines are built on x86_64"
	[ "$(id -u)" = 0 ] || skip_all "building a machine's disk needs root"
	case $2 in
	plain) cas=/opt/cas ;;
	cos) cas=/var/lib/google/cas ;;
	esac
	vm=$1${VM_SUITE:+-$VM_SUITE} vm_shape=$2 vm_suite=${VM_SUITE:-${3:-bookworm}}
	vm_machines="$vm_machines $vm"
	[ $# -lt 3 ] && shift 2 || shift 3
	t/vm/vm start "$vm" "$vm_shape" "$vm_suite" "$@" || { echo "Bail out! $vm: the machine does not start"; exit 1; }
	vm_built=$(t/vm/program "$vm_suite") || { echo "Bail out! the program cannot be built for $vm_suite"; exit 1; }
	set -- t/vm/guest.sh
	for vm_file in "$vm_built/cloud-audit-setup" "$vm_built/cloud-audit-runtime" "$vm_built/cloud-audit-tty" rules; do
		[ ! -e "$vm_file" ] || set -- "$@" "$vm_file"
	done
	t/vm/vm push "$vm" "$@" "$cas" || exit 1
}

# vm_compile SOURCE OUT FLAG...: a program for the machine, whose C library may be older than the one here.
vm_compile() {
	vm_source=$1 vm_out=$2
	shift 2
	case $vm_built in
	*/toolchain/*)
		vm_tools=${vm_built%/src/build}
		chroot "$vm_tools" gcc -O2 -o "/src/helper.$$" -x c - "$@" <"$vm_source" && mv "$vm_tools/src/helper.$$" "$vm_out"
		;;
	*) gcc -O2 -o "$vm_out" "$vm_source" "$@" ;;
	esac
}

# vm_has PROGRAM: skip the whole test, before its first assertion, if the machine has no such program.
vm_has() {
	echo "command -v $1 >/dev/null" | t/vm/vm run "$vm" || skip_all "$1 is not among the packages of $vm_suite here"
}

# vm_guest [--timeout SECONDS] < SCRIPT: run a test script inside $vm; its
# assertions count as this test's. A script that fails itself is a failed test.
# VM_SLOW=N, for hosts that do much else: it may take N times as long.
vm_guest() {
	[ "${1:-}" = --timeout ] || set -- --timeout 60
	set -- --timeout $(($2 * ${VM_SLOW:-1}))
	{
		echo "tap_n=$tap_n cas=$cas; . $cas/guest.sh"
		cat
		# The last command's status says nothing.
		echo; echo :
	} >"$vm_tmp/script"
	{ t/vm/vm run "$vm" "$@" <"$vm_tmp/script"; echo $? >"$vm_tmp/status"; } | tee "$vm_tmp/output"
	tap_n=$((tap_n + $(grep -Ec '^(not )?ok [0-9]' "$vm_tmp/output")))
	! grep -q '^not ok' "$vm_tmp/output" || tap_failed=1
	vm_status=$(cat "$vm_tmp/status")
	[ "$vm_status" -eq 0 ] || ok "$vm_status" 'the script in the guest runs to its end'
}
