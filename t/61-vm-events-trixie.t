#!/bin/sh
# Every event that is promised, in the journal of Debian trixie: newer kernel, systemd and auditctl.
. t/vm/lib.sh
. t/vm-events/lib.sh
events_up events-trixie plain trixie
all_events
done_testing
