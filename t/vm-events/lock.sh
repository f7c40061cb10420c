# audit-config on a locked node, with the group on or off as $lock says: nothing can be changed afterwards.
# Runs in the guest.

rows_lock() {
	anyone=1
	row 'a rule refused on a locked node' 'CONFIG_CHANGE op=add_rule audit_enabled=2 res=0' perl send.pl 1011 1040
	row 'a removal refused on a locked node' 'CONFIG_CHANGE op=remove_rule audit_enabled=2 res=0' perl send.pl 1012 1040
	row 'unlocking refused' 'CONFIG_CHANGE op=set audit_enabled=0 old=2 res=0 SYSCALL comm=auditctl' auditctl -e 0
	row 'auditctl run on a locked node' 'SYSCALL key=audit-config@ exe=/usr/sbin/auditctl EXECVE a1=-D' auditctl -D
}

off=
for event in $events; do [ $event = audit-config ] || off="$off -s events.$event=no"; done
[ "$lock" = on ] || off='-s events.audit-config=no'
out=$(./cloud-audit-setup -s rules.directory="$PWD/none" $off apply 2>&1); ok $? 'apply locks the node' "$out"
like "$(auditctl -s)" '^enabled 2$' 'it is locked'
rows
rows_lock
judge "$lock" audit-config
