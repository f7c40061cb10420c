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

# entries: what the shippers make of all those events, and of a fixed number of execs (t/vm-events/volume).
entries() {
	command -v ruby >/dev/null || { ok 0 'entries # SKIP ruby is missing: apt-get install ruby'; return; }
	vm_guest --timeout 300 <<-'EOT'
		cd $cas
		. ./rows.sh
		exported() { journal_audit export >/run/$1.export; [ -s /run/$1.export ]; }
		journal_cursor=; wait_for 60 exported all
		load
		journal_mark
		for i in 1 2 3 4 5 6 7 8 9 10; do
			for j in 1 2 3 4 5; do /usr/bin/true; /usr/bin/stat -c %a /etc/hostname; ./act64 nothing; done >/dev/null 2>&1
		done
		# For the rules of t/shipper/rules.rb.
		cp /usr/bin/true /run/program
		(cd /run && sh -c 'chmod u+s /run/program; echo eA== | base64 -d; :') >/dev/null
		# At once where it can: what wait_for executes would be counted, too.
		exported execs || wait_for 60 exported execs
	EOT
	for part in all execs; do t/vm/vm pull "$vm" /run/$part.export >"$vm_tmp/$part.export" || exit 1; done
	again=$(ruby t/shipper/again.rb <"$vm_tmp/all.export" 2>"$vm_tmp/again")
	ok $? "the text of $again can be made again of log entries" "$(cat "$vm_tmp/again")"
	ruby t/shipper/rules.rb <"$vm_tmp/execs.export" >"$vm_tmp/found"
	ok $? 'rules for detection are tried on entries'
	while read -r status text; do
		case $status in
		ok) ok 0 "${text#* - }" ;;
		not) ok 1 "${text#* - }" ;;
		esac
	done <"$vm_tmp/found"
	ruby t/shipper/bytes.rb <"$vm_tmp/execs.export" >"$vm_tmp/bytes"
	read -r execs _ _ theirs ours inside around <"$vm_tmp/bytes"
	diag "payload bytes an exec, of $execs: $theirs in 2 entries, with COS's rules and Google's manifest; $ours in one here," \
		"$inside with container and Pod; around each entry $around"
	[ "$execs" -ge 100 ] && [ $((2 * inside)) -le "$theirs" ]
	ok $? "an exec's entry has at most half the bytes, with directory, files, container and Pod"
}

all_events() {
	for part in calls kernel logins terminals filters; do
		events $part
	done
	entries
	# The lock lasts until the machine ends, or is set back.
	t/vm/vm save "$vm" unlocked || exit 1
	events lock lock=on
	t/vm/vm load "$vm" unlocked || exit 1
	events lock lock=off
}
