# Events as a table, in the guest; guest.sh is read before.
#
#	rows                                       begin a table
#	row SENTENCE SPEC COMMAND...               the command causes such an event (rows.pl says what SPEC is)
#	row SENTENCE SPEC                          so does the same command
#	not SENTENCE SPEC [COMMAND...]             it does not
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

judge() {
	rows_n=$((rows_n + 1))
	auditctl -m "rows-mark-$rows_n-$$" >/dev/null
	perl rows.pl "$1" "$journal_cursor" "rows-mark-$rows_n-$$" rows >judged || ok $? 'rows.pl ends'
	while IFS='	' read -r judged_status judged_sentence judged_there; do
		case $1 in
		on) judged_sentence="$2: $judged_sentence" ;;
		off) judged_sentence="$2 off, not in the journal: $judged_sentence" ;;
		esac
		tap_result "$judged_status" "$judged_sentence" || diag "$(printf '%s' "$judged_there" | tr '\r' '\n')"
	done <judged
}

# --- what is applied ---

events='audit-config apparmor exec socket mmap network logins tty'

apply() {
	./cloud-audit-setup -q -s audit.lock=no -s rules.directory="$PWD/none" "$@" apply >applied 2>&1 ||
		ok $? "apply $*" "$(cat applied)"
}

# only GROUP[=VALUE] [SETTING...]: that group alone.
only() {
	only_group=${1%%=*} only_value=yes
	case $1 in *=*) only_value=${1#*=} ;; esac
	shift
	for only_event in $events; do
		set -- "$@" -s "events.$only_event=$([ "$only_event" = "$only_group" ] && echo "$only_value" || echo no)"
	done
	apply "$@"
}

# without GROUP: the default, but not that group.
without() { apply -s "events.$1=no"; }

# on_and_off GROUP: a table of the function rows_GROUP, found with the group alone, not found without it.
on_and_off() {
	only "$1"
	rows
	"rows_${1%%=*}"
	judge on "$1"
	without "${1%%=*}"
	rows
	"rows_${1%%=*}"
	judge off "${1%%=*}"
}
