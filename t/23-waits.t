#!/bin/sh
# What tests in machines wait for: by the clock, since a try, such as reading the journal, may take long on a busy machine.
. t/vm/guest.sh
slow() { sleep 1; false; }
third() { [ "$((tried += 1))" -ge 3 ]; }

begun=$(uptime_seconds)
! wait_for 2 slow; ok $? 'what never comes is waited for in vain'
took=$(($(uptime_seconds) - begun))
[ $took -ge 2 ] && [ $took -le 5 ]; ok $? 'as many seconds as were said, and the last try' "$took s"
tried=0; wait_for 60 third; is $? 0 'what comes later is waited for'
is "$tried" 3 'and no longer'
is "$(grep -nE '\(\([a-z_]+ -= 1\)\)|for (second|_) in ' t/[2-9]*.t t/vm/*.sh t/vm-*/*.sh t/cluster/lib.sh t/cluster/scenes/* t/smoke | grep -v '^t/23-')" '' \
	'no test counts the tries of a wait'
echo "1..$tap_n"
