# Read by the tests t/6?-vm-events-*.t after t/vm/lib.sh, on the host.

# Made without a C library, so that the 32-bit one needs no packages.
build_act() {
	gcc "-m$1" -O1 -Wall -Wextra -Werror -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie \
		-isystem /usr/include/x86_64-linux-gnu -o "$vm_tmp/act$1" t/vm-events/act.c
	ok $? "the $1-bit actor is built"
}

# events_up NAME SHAPE SUITE: a machine whose journal takes the audit records.
events_up() {
	vm_up "$@"
	build_act 64
	build_act 32
	t/vm/vm push "$vm" "$vm_tmp/act64" "$vm_tmp/act32" t/vm-events/*.pm t/vm-events/*.pl t/vm-events/*.sh "$cas" || exit 1
	vm_guest <<-'EOT'
		mkdir -p $cas/none
		journal_takes_audit
		auditctl -e 1 >/dev/null
		journal_mark
		auditctl -m 'journal takes records' >/dev/null
		journal_has 'journal takes records'; ok $? 'the journal takes audit records'
	EOT
}

# events PART [ASSIGNMENT]: runs t/vm-events/PART.sh in the guest.
events() {
	vm_guest --timeout 300 <<-EOT
		cd \$cas
		$2
		. ./rows.sh
		. ./$1.sh
	EOT
}

all_events() {
	for part in calls kernel logins terminals filters; do
		events $part
	done
	# The lock lasts until the machine ends, or is set back.
	t/vm/vm save "$vm" unlocked || exit 1
	events lock lock=on
	t/vm/vm load "$vm" unlocked || exit 1
	events lock lock=off
}
