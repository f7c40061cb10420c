#!/bin/bash
# Does to the audit system what the node image's own script does: all rules
# away, a few record types, unusual sockets, programs run, locked.
set -e
auditctl -D
for type in AVC TTY USER_ACCT USER_START USER_END EXECVE SYSCALL INTEGRITY_RULE; do
	types+=(-F "msgtype!=$type")
done
auditctl -a always,exclude "${types[@]}"
auditctl -a always,exit -F arch=b64 -S socket -F success=1 \
	-F a0!=0 -F a0!=1 -F a0!=2 -F a0!=10 -F a0!=16 -F a0!=17
auditctl -a always,exit -F arch=b64 -S execve
auditctl -a always,exit -F arch=b32 -S execve
auditctl -e 2
