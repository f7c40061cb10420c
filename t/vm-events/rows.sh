# Events as a table, in the guest; guest.sh is read before.
#
#	rows                                       begin a table
#	row SENTENCE SPEC COMMAND...               the command causes such an event (rows.pl says what SPEC is)
#	row SENTENCE SPEC                          so does the same command
#	not SENTENCE SPEC [COMMAND...]             it does not
#	kept SENTENCE SPEC [COMMAND...]            it does with the group off
#	once SENTENCE SPEC [COMMAND...]            it does with the group on; with it off is of no interest
#	judge on|off GROUP                         look: group on, or group off, when no row may have left a record
#
# An event is of the command's process or of a child of it; of anybody while anyone=1.

rows_n=0 anyone=

rows() {
	: >rows
	journal_mark
}

# add_row KIND SENTENCE SPEC [COMMAND...]
add_row() {
	row_kind=$1 row_sentence=$2 row_spec=$3
	shift 3
	if [ $# -gt 0 ]; then
		"$@" >row.out 2>&1 </dev/null &
		row_pid=$!
		wait "$row_pid"
	fi
	row_who=$row_pid
	[ -z "$anyone" ] || row_who=0
	printf '%s\t%s\t%s\t%s\036' "$row_kind" "$row_who" "$row_sentence" "$row_spec" >>rows
}

row() { add_row has "$@"; }
not() { add_row not "$@"; }
kept() { add_row kept "$@"; }
once() { add_row once "$@"; }

# What is judged is what was read up to the mark; another look could miss it (guest.sh, journal_audit).
marked() {
	journal_audit export >records
	grep -aq "text=$mark" records
}

judge() {
	mark=rows-mark-$((rows_n += 1))-$$
	auditctl -m "$mark" >/dev/null
	# It is the last record of interest.
	wait_for 60 marked || diag "$mark: $(auditctl -s | grep -E '^(pid|lost|backlog) ' | tr '\n' ' ')
		$(journalctl -q -b -n 5 -u systemd-journald) $(df -h /var | tail -n 1)"
	perl rows.pl "$1" records "$mark" rows >judged || ok $? 'rows.pl ends'
	while IFS='	' read -r judged_status judged_kind judged_sentence judged_there; do
		case $1-$judged_kind in
		on-has | on-once) judged_sentence="$2: $judged_sentence" ;;
		on-not) judged_sentence="$2, not in the journal: $judged_sentence" ;;
		off-has) judged_sentence="$2 off, not in the journal: $judged_sentence" ;;
		off-kept) judged_sentence="$2 off, still in the journal: $judged_sentence" ;;
		esac
		tap_result "$judged_status" "$judged_sentence" || diag "$(printf '%s' "$judged_there" | tr '\r' '\n')"
	done <judged
}

# --- what is applied ---

events='audit-config apparmor exec socket mmap network logins tty'

# The rules as apply would write them, loaded by the host's auditctl without systemd's help, which takes
# ten times as long. 40-vm-apply.t tests that apply does the same.
# auditctl gives up on a kernel that is slow to list what -D is to delete, and then says "Rule exists": a busy
# test machine is no failure of the rules, so it may try again, and says so.
load() {
	./cloud-audit-setup -q -s rules.directory="$PWD/none" "$@" render rules >loaded.rules 2>loaded ||
		{ ok 1 "render $*" "$(cat loaded)"; return; }
	for load_try in 1 2 3; do
		auditctl -R loaded.rules >loaded 2>&1 && return
		diag "auditctl -R, try $load_try, $*: $(grep -i -e error -e exists loaded)"
		sleep 2
	done
	ok 1 "load $*" "$(cat loaded)"
}

# only GROUP[=VALUE] [SETTING...]: that group alone.
only() {
	only_group=${1%%=*} only_value=yes only_off=
	case $1 in *=*) only_value=${1#*=} ;; esac
	shift
	for only_event in $events; do
		[ "$only_event" = "$only_group" ] || only_off="$only_off -s events.$only_event=no"
	done
	load $only_off -s "events.$only_group=$only_value" "$@"
}

# without GROUP: the default, but not that group.
without() { load -s "events.$1=no"; }

# on_and_off GROUP[=VALUE]: a table of the function rows_GROUP (_ for -), found with the group alone, not
# found without it.
on_and_off() {
	group=${1%%=*}
	only "$1"
	rows
	"rows_$(echo "$group" | tr - _)"
	judge on "$1"
	without "$group"
	rows
	"rows_$(echo "$group" | tr - _)"
	judge off "$group"
}
