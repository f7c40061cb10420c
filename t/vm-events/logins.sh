# logins: a real SSH server, su, and the tools for accounts. Runs in the guest.
. ./sshd.sh

change_password() { printf 'right\nright\n' | passwd alice; }
log_in() {
	ssh_as alice right "$@"
	# sshd ends the session after the client has gone.
	sleep 1
}

rows_logins() {
	anyone=1
	remote='hostname=127.0.0.1 addr=127.0.0.1 terminal=ssh exe~/sshd'
	row 'an SSH login: who it is' "USER_AUTH op=PAM:authentication acct=alice res=success $remote" log_in 127.0.0.1 true
	row 'an SSH login: that he may' "USER_ACCT op=PAM:accounting acct=alice res=success $remote"
	row 'an SSH session opened' "USER_START op=PAM:session_open acct=alice auid=$alice ses!=4294967295 res=success $remote"
	row 'an SSH session closed' "USER_END op=PAM:session_close acct=alice auid=$alice ses!=4294967295 res=success $remote"
	row 'an SSH login with a terminal' "USER_LOGIN op=login id=$alice auid=$alice ses!=4294967295 addr=127.0.0.1
		terminal~^/dev/pts/ res=success" log_in -tt 127.0.0.1 true
	for database in wtmpdb lastlog2; do
		# What Debian has from forky on, in place of wtmp and lastlog.
		[ ! -e "/usr/lib/x86_64-linux-gnu/security/pam_$database.so" ] ||
			row "the database of $database written" "SYSCALL key=logins@ success=yes PATH name~^/var/lib/${database%2}/"
	done
	row 'a wrong password over SSH' "USER_AUTH acct=alice res=failed $remote" ssh_as alice wrong 127.0.0.1 true
	row 'a failed SSH login' 'USER_LOGIN op=login acct=alice addr=127.0.0.1 terminal=sshd res=failed'
	row 'an SSH login as nobody known' "USER_AUTH acct=mallory res=failed $remote" ssh_as mallory wrong 127.0.0.1 true
	row 'su' 'USER_AUTH op=PAM:authentication acct=alice exe=/usr/bin/su res=success' su alice -c true
	row 'a session of su opened' 'USER_START op=PAM:session_open acct=alice exe=/usr/bin/su res=success'
	row 'a session of su closed' 'USER_END op=PAM:session_close acct=alice exe=/usr/bin/su res=success'
	row 'a wrong password for su' "USER_AUTH acct=alice exe=/usr/bin/su uid=65534 res=failed" \
		su nobody -s /bin/sh -c 'echo wrong | su alice -c true'
	row 'a password changed with passwd' 'USER_CHAUTHTOK op=PAM:chauthtok acct=alice exe=/usr/bin/passwd res=success' \
		change_password
	row 'the file of passwords written' 'SYSCALL key=logins@ comm=passwd success=yes PATH name=/etc/shadow'
	row 'a password changed with chpasswd' 'USER_CHAUTHTOK op=PAM:chauthtok acct=alice exe=/usr/sbin/chpasswd res=success' \
		sh -c 'echo alice:right | chpasswd'
	row 'a group added' 'ADD_GROUP exe=/usr/sbin/groupadd res=success' groupadd crew
	row 'a user added' 'ADD_USER exe=/usr/sbin/useradd res=success' useradd bob
	row 'the file of users written' 'SYSCALL key=logins@ comm=useradd success=yes PATH name=/etc/passwd'
	row 'a user deleted' 'DEL_USER exe=/usr/sbin/userdel res=success' userdel bob
	row 'a group deleted' 'DEL_GROUP exe=/usr/sbin/groupdel res=success' groupdel crew
	row 'what wtmpdb has beside its database written' 'SYSCALL key=logins@ comm=touch success=yes PATH name=/var/lib/wtmpdb/ev' \
		touch /var/lib/wtmpdb/ev
	row 'what lastlog2 has beside its database written' 'SYSCALL key=logins@ comm=touch success=yes PATH name=/var/lib/lastlog/ev' \
		touch /var/lib/lastlog/ev
	row "sshd's configuration written" 'SYSCALL key=logins@ comm=touch success=yes PATH name=/etc/ssh/ev' touch /etc/ssh/ev
	# What no program here writes, from a program that claims to.
	for type in 1102:USER_MGMT 1109:USER_ERR 1113:USER_LOGOUT 1119:CHGRP_ID 1125:CHUSER_ID 1132:GRP_MGMT 1133:GRP_CHAUTHTOK \
		1126:GRP_AUTH 1135:ACCT_LOCK 1136:ACCT_UNLOCK 1103:CRED_ACQ 1104:CRED_DISP 1110:CRED_REFR 2100:ANOM_LOGIN_FAILURES \
		2101:ANOM_LOGIN_TIME 2102:ANOM_LOGIN_SESSIONS 2103:ANOM_LOGIN_ACCT 2104:ANOM_LOGIN_LOCATION; do
		row "${type#*:} of a program" "${type#*:} op=test exe=/usr/bin/perl res=success" \
			perl send.pl "${type%:*}" 'op=test exe="/usr/bin/perl" res=success'
	done
	kept 'a command run by sudo' 'USER_CMD cmd=test exe=/usr/bin/perl' perl send.pl 1123 'cmd="test" exe="/usr/bin/perl" res=success'
	kept 'a service started' 'SERVICE_START unit=ev' systemd-run --unit=ev --wait -q true
	anyone=
	rm -f /etc/ssh/ev /var/lib/wtmpdb/ev /var/lib/lastlog/ev
}

alice=$(id -u alice)
mkdir -p /var/lib/wtmpdb /var/lib/lastlog
on_and_off logins
