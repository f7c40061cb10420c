# audit-config, apparmor: what the kernel records by itself, and the files and tools. Runs in the guest.

listen_to_records() {
	perl -e 'use Socket; socket(S, 16, SOCK_RAW, 9) && bind(S, pack("SSLL", 16, 0, 0, 1)) or die $!'
}

rows_audit_config() {
	anyone=1
	row 'auditctl run' "SYSCALL key=audit-config@ syscall=${execve:-59} exe=/usr/sbin/auditctl EXECVE a1=-l" auditctl -l
	row 'a rule added, and by whom' 'CONFIG_CHANGE op=add_rule key=added@ res=1 SYSCALL comm=auditctl' \
		auditctl -w /etc/hostname -p wa -k added
	row 'a rule removed, and by whom' 'CONFIG_CHANGE op=remove_rule key=added@ res=1 SYSCALL comm=auditctl' \
		auditctl -W /etc/hostname -p wa -k added
	row 'a setting changed, and by whom' 'CONFIG_CHANGE op=set audit_backlog_limit=8200 res=1 SYSCALL comm=auditctl' \
		auditctl -b 8200
	row 'a file of /etc/audit written' 'SYSCALL key=audit-config@ comm=touch success=yes
		PATH name=/etc/audit/rules.d/ev.rules' touch /etc/audit/rules.d/ev.rules
	row 'a unit added' 'SYSCALL key=audit-config@ comm=touch success=yes PATH name=/etc/systemd/system/ev.service' \
		touch /etc/systemd/system/ev.service
	row 'a unit masked' 'SYSCALL key=audit-config@ comm=ln success=yes
		PATH name=/etc/systemd/system/ev-masked.service nametype=CREATE' ln -s /dev/null /etc/systemd/system/ev-masked.service
	row 'a unit below /run written' 'SYSCALL key=audit-config@ comm=touch success=yes
		PATH name=/run/systemd/system/ev.service' touch /run/systemd/system/ev.service
	row 'who asked systemd to mask a unit' 'SYSCALL key=audit-config@ comm=systemctl EXECVE a1=mask a2=ev-other.service' \
		systemctl mask ev-other.service
	row "journald's configuration changed" 'SYSCALL key=audit-config@ comm=touch success=yes
		PATH name=/etc/systemd/journald.conf.d/ev.conf' touch /etc/systemd/journald.conf.d/ev.conf /run/systemd/journald.conf.d/ev.conf
	row "journald's configuration changed until the next boot" 'SYSCALL key=audit-config@ comm=touch success=yes
		PATH name=/run/systemd/journald.conf.d/ev.conf' touch /run/systemd/journald.conf.d/ev.conf
	row "who asked to stop journald's audit socket" 'SYSCALL key=audit-config@ comm=systemctl
		EXECVE a1=stop a2=systemd-journald-audit.socket' systemctl stop systemd-journald-audit.socket
	row 'somebody else begins to read the records' 'EVENT_LISTENER op=connect exe=/usr/bin/perl res=1' listen_to_records
	row 'and ceases' 'EVENT_LISTENER op=disconnect exe=/usr/bin/perl res=1'
	kept 'auditctl run, by group exec' 'SYSCALL key=exec@ exe=/usr/sbin/auditctl EXECVE a1=-v' auditctl -v
	# Last: with auditd, Debian loads its own rules, which begins with deleting all.
	row 'who asked to stop auditd' 'SYSCALL key=audit-config@ comm=systemctl EXECVE a1=stop a2=auditd' systemctl stop auditd
	row 'auditd stopped' 'CONFIG_CHANGE op=set audit_pid=0 res=1'
	kept 'auditd stopped, said by systemd' 'SERVICE_STOP unit=auditd res=success'
	once 'auditd started' 'CONFIG_CHANGE op=set audit_pid~[1-9] res=1 SYSCALL comm=auditd' systemctl start auditd
	host_rules_settle
	anyone=
	rm -f /etc/audit/rules.d/ev.rules /etc/systemd/system/ev*.service /run/systemd/system/ev.service /etc/systemd/journald.conf.d/ev.conf
	auditctl -b 8192 >/dev/null
}

# A profile for a copy of cat, in both modes.
make_profiles() {
	cp /usr/bin/cat cat-confined
	for mode in enforce complain; do
		flags=attach_disconnected
		[ $mode = enforce ] || flags=$flags,complain
		cat >$mode.profile <<-END
			include <tunables/global>
			profile ev-$mode flags=($flags) {
				include <abstractions/base>
				$PWD/cat-confined mr,
				/etc/hostname r,
				audit /etc/issue r,
			}
		END
	done
}

# A changed profile is replaced, an equal one is not.
change_profile() {
	sed -i 's/hostname/hosts/' enforce.profile
	apparmor_parser -r enforce.profile
}

rows_apparmor() {
	make_profiles
	anyone=1
	row 'a profile loaded, and by whom' 'AVC apparmor=STATUS operation=profile_load name=ev-enforce
		SYSCALL exe=/usr/sbin/apparmor_parser success=yes' apparmor_parser -a enforce.profile
	row 'a profile replaced, and by whom' 'AVC apparmor=STATUS operation=profile_replace name=ev-enforce
		SYSCALL exe=/usr/sbin/apparmor_parser success=yes' change_profile
	row 'a denial, and of whom' 'AVC apparmor=DENIED operation=open profile=ev-enforce name=/etc/passwd denied_mask=r
		SYSCALL exe~/cat-confined$ success=no exit=-13 PATH name=/etc/passwd' \
		aa-exec -p ev-enforce -- ./cat-confined /etc/passwd
	row 'what a profile says to audit' 'AVC apparmor=AUDIT operation=open profile=ev-enforce name=/etc/issue
		SYSCALL exe~/cat-confined$ success=yes' aa-exec -p ev-enforce -- ./cat-confined /etc/issue
	not 'what a profile allows' 'AVC name=/etc/hosts' aa-exec -p ev-enforce -- ./cat-confined /etc/hosts
	apparmor_parser -a complain.profile
	row 'what a complaining profile would deny' 'AVC apparmor=ALLOWED operation=open profile=ev-complain
		name=/etc/passwd SYSCALL exe~/cat-confined$ success=yes' aa-exec -p ev-complain -- ./cat-confined /etc/passwd
	row 'a profile removed, and by whom' 'AVC apparmor=STATUS operation=profile_remove name=ev-enforce
		SYSCALL exe=/usr/sbin/apparmor_parser success=yes' apparmor_parser -R enforce.profile
	row 'a profile on disk written' 'SYSCALL key=apparmor@ comm=touch success=yes PATH name=/etc/apparmor.d/ev' \
		touch /etc/apparmor.d/ev
	kept "another security program's own record" 'USER_AVC exe=/usr/bin/perl res=success' \
		perl send.pl 1107 'op=test exe="/usr/bin/perl" res=success'
	anyone=
	apparmor_parser -R complain.profile
	rm -f /etc/apparmor.d/ev
}

mkdir -p /etc/systemd/journald.conf.d /run/systemd/journald.conf.d
on_and_off audit-config
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	on_and_off apparmor
else
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - apparmor # SKIP this kernel has AppArmor off"
fi
