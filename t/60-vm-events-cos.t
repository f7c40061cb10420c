#!/bin/sh
# Every event that is promised, in the journal of a node shaped like Container-Optimized OS.
. t/vm/lib.sh
. t/vm-events/lib.sh
events_up events cos bookworm
all_events
done_testing
