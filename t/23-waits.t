#!/bin/sh
# What tests in machines wait for: by the clock, since a try, such as reading the journal, may take long on a busy machine;
# and what they read of a journal that journalctl passes over, as it does with a file that journald just changes.
. t/vm/guest.sh
slow() { sleep 1; false; }
third() { [ "$((tried += 1))" -ge 3 ]; }

begun=$(uptime_seconds)
! wait_for 2 slow; ok $? 'what never comes is waited for in vain'
took=$(($(uptime_seconds) - begun))
[ $took -ge 2 ] && [ $took -le 5 ]; ok $? 'as many seconds as were said, and the last try' "$took s"
tried=0; wait_for 60 third; is $? 0 'what comes later is waited for'
is "$tried" 3 'and no longer'

# --- a journal that every other look passes over ---
top=$PWD tmp=$(mktemp -d) && trap 'rm -r "$tmp"' EXIT
journal_kept=$tmp PATH=$tmp:$PATH
cat >"$tmp/journalctl" <<-END
	#!/bin/sh
	case "\$*" in *--sync | *--show-cursor*) exit ;; esac
	echo look >>$tmp/looks
	[ \$((\$(wc -l <$tmp/looks) % 2)) = 0 ] || cat $tmp/journal
END
cat >"$tmp/auditctl" <<-END
	#!/bin/sh
	printf "_AUDIT_ID=2\nMESSAGE=USER msg='text=%s'\n" "\$2" >>$tmp/journal
END
chmod +x "$tmp/journalctl" "$tmp/auditctl"
printf '_AUDIT_ID=1\nMESSAGE=BPF prog-id=1 op=LOAD\n\n' >"$tmp/journal"
! journal_lacks 'BPF.*op=LOAD'; ok $? 'a record that was shown at one look alone is not lacking'
: >"$tmp/looks"
printf '_AUDIT_ID=1\nMESSAGE=BPF prog-id=1 op=LOAD\n\n' >"$tmp/journal"
cp t/vm-events/rows.pl t/vm-events/Records.pm "$tmp"
. t/vm-events/rows.sh
cd "$tmp" || exit 1
rows
anyone=1
row 'what was recorded' 'BPF op=LOAD' true
judge on rows
cd "$top" || exit 1

is "$(grep -nE '\(\([a-z_]+ -= 1\)\)|for (second|_) in ' t/[2-9]*.t t/vm/*.sh t/vm-*/*.sh t/cluster/lib.sh t/cluster/scenes/* t/smoke | grep -v '^t/23-')" '' \
	'no test counts the tries of a wait'
echo "1..$tap_n"
