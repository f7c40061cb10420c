# [filter]: each takes away what it says and nothing else. Runs in the guest.
. ./sshd.sh

alice=$(id -u alice)
# work: a command here, one of another program, one of another user, and one of a login session.
work() {
	stat -c %a /etc/hostname
	./act64 execve
	setpriv --reuid=nobody --clear-groups stat -c %b /etc/hostname
	ssh_as alice right 127.0.0.1 stat -c %i /etc/hostname
	sleep 1
}
exec_of_stat="SYSCALL key=exec exe=/usr/bin/stat EXECVE a2=%a"
exec_of_act="SYSCALL key=exec exe~/act64$ EXECVE a1=nothing"
exec_of_nobody="SYSCALL key=exec exe=/usr/bin/stat uid=65534 EXECVE a2=%b"
exec_of_alice="SYSCALL key=exec exe=/usr/bin/stat auid=$alice EXECVE a2=%i"
# filter SETTING...: applies and works under exec and logins, and no other group.
filter() {
	only exec -s events.logins=yes "$@"
	rows
	anyone=1
}

filter
row 'the program' "$exec_of_stat PATH name=/usr/bin/stat CWD cwd=$PWD" work
row 'the other program' "$exec_of_act PATH name=./act64 CWD cwd=$PWD"
row 'the other user' "$exec_of_nobody PATH name=/usr/bin/stat CWD cwd=$PWD"
row 'the login session' "$exec_of_alice PATH name=/usr/bin/stat CWD cwd~/alice$"
row 'the login' "USER_START acct=alice auid=$alice"
judge on 'no filter'

filter -s filter.exclude_types=CWD,PATH
row 'the program' "$exec_of_stat" work
row 'the other program' "$exec_of_act"
row 'the other user' "$exec_of_nobody"
row 'the login session' "$exec_of_alice"
row 'the login' "USER_START acct=alice auid=$alice"
not 'the directory of the program' 'CWD'
not 'the path of the program' 'PATH'
judge on exclude_types=CWD,PATH

filter -s filter.exclude_exe=/usr/bin/stat
not 'the program' 'SYSCALL exe=/usr/bin/stat' work
not 'its arguments' 'EXECVE a3=/etc/hostname'
row 'the other program' "$exec_of_act PATH name=./act64 CWD cwd=$PWD"
row 'the login' "USER_START acct=alice auid=$alice"
judge on exclude_exe=/usr/bin/stat

filter -s filter.exclude_uid=nobody
row 'the program' "$exec_of_stat PATH name=/usr/bin/stat CWD cwd=$PWD" work
row 'the other program' "$exec_of_act PATH name=./act64 CWD cwd=$PWD"
not 'the user' 'SYSCALL uid=65534'
not 'his arguments' 'EXECVE a2=%b'
row 'the login session' "$exec_of_alice PATH name=/usr/bin/stat CWD cwd~/alice$"
row 'the login' "USER_START acct=alice auid=$alice"
judge on exclude_uid=nobody

filter -s filter.min_auid=1000
not 'the program' 'EXECVE a2=%a' work
not 'the other program' 'SYSCALL exe~/act64$'
not 'the other user' 'SYSCALL uid=65534'
row 'the login session' "$exec_of_alice PATH name=/usr/bin/stat CWD cwd~/alice$"
row 'the login' "USER_START acct=alice auid=$alice"
row 'who may log in, said before there is a session' 'USER_ACCT acct=alice res=success'
judge on min_auid=1000
anyone=
