# TAP for tests, on both sides: lib.sh reads this file on the host, vm_guest in
# the guest. Every assertion prints one line; a failed one says what it got.
# tap_n counts on across calls and reboots (vm_guest passes it in).

tap_n=${tap_n:-0}
tap_failed=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# tap_result STATUS SENTENCE
tap_result() {
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_n - $2"
	else
		tap_failed=1
		echo "not ok $tap_n - $2"
	fi
	return "$1"
}

# These return 0 when they pass, else 1.
#
# ok STATUS SENTENCE [SHOWN]: passes when STATUS is 0; SHOWN is printed if not.
ok() {
	tap_result "$1" "$2" && return
	diag "status $1${3:+
$3}"
	return 1
}

# is GOT WANT SENTENCE
is() {
	[ "$1" = "$2" ]
	tap_result $? "$3" && return
	diag "got:
$1
wanted:
$2"
	return 1
}

# like GOT REGEX SENTENCE: some line of GOT matches (grep -E).
like() {
	printf '%s\n' "$1" | grep -Eq -- "$2"
	tap_result $? "$3" && return
	diag "got:
$1
wanted a line like: $2"
	return 1
}

# unlike GOT REGEX SENTENCE: no line of GOT matches.
unlike() {
	! printf '%s\n' "$1" | grep -Eq -- "$2"
	tap_result $? "$3" && return
	diag "got:
$1
wanted no line like: $2"
	return 1
}

# auditd_with_room [BYTES]: begins auditd anew, with room for all that a work leaves, or that many bytes of it; where its unit
# has them loaded the host's rules are, too. What its socket has no room for, while it waits for a busy
# machine, is printed, dropped and not counted as lost (kauditd_hold_skb() in kernel/audit.c), but with audit=1.
auditd_with_room() {
	echo "${1:-67108864}" >/proc/sys/net/core/rmem_default
	audit_pid=$(auditctl -s | sed -n 's/^pid //p')
	[ "$audit_pid" = 0 ] || kill "$audit_pid"
	wait_for 60 sh -c '! systemctl -q is-active auditd' && systemctl start auditd
	ok $? "auditd is started with room for ${1:-all records}"
}

# skip WHAT WHY: what has no sense here, in the place of its assertions.
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# wait_for SECONDS COMMAND...: until it succeeds, but no new try after SECONDS, by a clock that is never set: on a busy machine a
# try may take long itself.
wait_for() {
	wait_begun=$(uptime_seconds) wait_end=$(($(uptime_seconds) + $1))
	shift
	until "$@"; do
		wait_now=$(uptime_seconds)
		[ "$wait_now" -lt "$wait_end" ] || return 1
		# What takes long is not looked for as often.
		[ "$wait_now" -lt $((wait_begun + 5)) ] && sleep 0.25 || sleep 1
	done
}
uptime_seconds() { cut -d. -f1 /proc/uptime; }

# host_rules_settle: until nothing loads the host's own rules any more. audit 4.1's audit-rules.service does that after auditd,
# whose start or restart has ended by then.
host_rules_settle() { wait_for 120 host_rules_settled; }
host_rules_settled() { ! systemctl list-jobs --no-legend 2>/dev/null | grep -q ' audit[^ ]*\.service '; }

# path_rules: rules on paths that a loader with fewer rights, or in a sandbox, would not find, or find elsewhere.
path_rules() {
	mkdir -p /home/private/own
	chown -R 1000 /home/private
	chmod 700 /home/private
	echo '-w /home/private/own/file -p wa -k at-private
-w /usr/lib/modules/ -p wa -k at-modules
-w /proc/sys/net/ipv4/ -p wa -k at-sysctl
-w /sys/kernel/mm/ -p wa -k at-sysfs'
}

# path_events SENTENCE: they record what is done at the host's own paths.
path_events() {
	journal_mark
	: >/home/private/own/file
	touch /usr/lib/modules/new 2>/dev/null
	: >/proc/sys/net/ipv4/ip_forward
	: >/sys/kernel/mm/transparent_hugepage/enabled
	for path_key in at-private at-modules at-sysctl at-sysfs; do
		journal_has "SYSCALL.*key=.*$path_key"
		ok $? "$1: $path_key"
	done
}

# journal_takes_audit: switches journald's audit socket on where it is off, as on trixie.
journal_takes_audit() {
	[ "$(systemctl is-active systemd-journald-audit.socket)" != active ] || return 0
	systemctl enable -q systemd-journald-audit.socket
	systemctl restart systemd-journald
}

# Where what is looked for, and what was read, is kept.
journal_kept=${journal_kept:-/run}

# journal_mark: journal_has looks only at what comes after this. The mark is an
# audit record: --after-cursor also skips the first match when the cursor's own
# entry is not a match (systemd 252).
journal_mark() {
	journalctl --quiet --sync
	journal_cursor=$(journalctl --quiet -n 0 --show-cursor _TRANSPORT=audit | sed -n 's/^-- cursor: //p')
}

# journal_audit [FORMAT]: the audit records since the mark, one JSON object a line, or as journalctl -o FORMAT has them.
# journalctl passes over a file that it meets while journald changes it: what one look has not shown may be there.
journal_audit() {
	journalctl --quiet --sync
	journalctl --quiet --all -o "${1:-json}" ${journal_cursor:+"--after-cursor=$journal_cursor"} _TRANSPORT=audit
}

# journal_has REGEX [SECONDS]: such an audit record comes within SECONDS (60); $journal_kept/journal-read has it then. The
# regex is in a file, because the arguments of grep are in the journal, too, where programs executed are recorded.
journal_has() {
	printf '%s\n' "$1" >"$journal_kept/journal-has"
	wait_for "${2:-60}" journal_matches
}
journal_matches() {
	journal_audit >"$journal_kept/journal-read"
	grep -Eqf "$journal_kept/journal-has" "$journal_kept/journal-read"
}

# journal_lacks REGEX: no such audit record has come when one that is made now has, which is after all others. Both are
# looked for in what was read at once: a look that passes over the journal's file would find none, whatever has come.
journal_lacks() {
	journal_end=nothing-more-$$-$(cat /proc/sys/kernel/random/uuid)
	auditctl -m "$journal_end" >/dev/null
	wait_for 60 journal_ended || return 1
	printf '%s\n' "$1" >"$journal_kept/journal-has"
	! grep -Eqf "$journal_kept/journal-has" "$journal_kept/journal-read"
}
journal_ended() {
	journal_audit >"$journal_kept/journal-read"
	grep -qF "$journal_end" "$journal_kept/journal-read"
}
