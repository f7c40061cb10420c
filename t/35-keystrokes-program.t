#!/bin/sh
# cloud-audit-runtime before a runtime whose keystrokes are recorded, where the kernel refuses: it must still run the
# program. It is run without CAP_AUDIT_CONTROL, so that nothing changes on this machine.
tty=${BUILD:-build}/cloud-audit-runtime
n=0
failed=0
is() {
	n=$((n + 1))
	[ "$1" = "$2" ] && echo "ok $n - $3" && return
	failed=1
	printf 'not ok %d - %s\n# got: %s\n# wanted: %s\n' "$n" "$3" "$1" "$2"
}
[ -x "$tty" ] || { echo "1..0 # SKIP $tty is not built: make"; exit 0; }
if [ "$(id -u)" = 0 ]; then
	without() { setpriv --bounding-set=-audit_control --inh-caps=-audit_control "$@"; }
else
	without() { "$@"; }
fi
without true 2>/dev/null || { echo '1..0 # SKIP setpriv cannot drop a capability here'; exit 0; }

is "$(without "$tty" /bin/echo 'a b' '' c 2>/dev/null)" 'a b  c' 'the program runs, with its very arguments'
is "$(without "$tty" --log-passwords /bin/echo x 2>/dev/null)" x 'and with --log-passwords in front'
is "$(without "$tty" /bin/true 2>&1 | grep -c 'keystrokes are not recorded: the kernel refuses AUDIT_TTY_SET: ')" 1 \
	'it says that nothing is recorded'
without "$tty" /bin/sh -c 'exit 7' 2>/dev/null
is $? 7 "its exit status is the program's"
without "$tty" --check 2>/dev/null
is $? 1 '--check fails where the kernel refuses'
without "$tty" /nowhere 2>/dev/null
is $? 127 'a program that is not there is exit status 127'
for arguments in '' '--log-passwords' '--check /bin/true' '--nonsense'; do
	without "$tty" $arguments 2>/dev/null
	is $? 2 "usage: '$arguments'"
done
is "$(without "${BUILD:-build}/cloud-audit-tty" /bin/true 2>&1 | grep -c '^cloud-audit-tty: keystrokes are not')" 1 \
	'so it does under the name that drop-ins of version 0.1 call it by'
is "$(readelf -l "$tty" | grep -c INTERP)" 0 'it needs no library of the host'
[ "$(wc -c <"$tty")" -lt 65536 ]
is $? 0 'it is small'
echo "1..$n"
exit $failed
