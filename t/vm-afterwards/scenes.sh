# For tests of what is left behind: a saved machine, in which each scene begins. To be read after vm_up NAME plain.
cat >"$vm_tmp/shared.sh" <<'EOF'
cd "$cas"
# A few rules of the user's, so that no run takes long.
none='-s events.audit-config=no -s events.apparmor=no -s events.exec=no -s events.socket=no -s events.mmap=no
	-s events.network=no -s events.logins=no -s events.tty=no'
none="$none -s filter.exclude_types= -s rules.directory=/srv/rules.d"
cas() { ./cloud-audit-setup $none "$@"; }
free() { cas -s audit.lock=no "$@"; }
keep() { free -s rules.existing=keep "$@"; }
mkdir -p /srv/rules.d
mine() { for key; do echo "-a always,exit -F arch=b64 -S mount -F auid=4711 -k $key"; done >/srv/rules.d/mine.rules; }
refused='-a always,exit -F arch=b64 -S getpid -F subj_role=no-such-profile -k absent'
keys() { auditctl -l | grep -o 'key=[a-z-]*' | grep -Ev '=(CONFIG|logins)' | sort | tr '\n' ' '; }
setting() { auditctl -s | sed -n "s/^$1 //p"; }
EOF
cat >"$vm_tmp/auditctl" <<'EOF'
#!/bin/sh
# The host's auditctl, which does what a test has put into /run/before-OPTION first.
[ ! -e "/run/before$1" ] || . "/run/before$1"
exec /usr/sbin/auditctl.real "$@"
EOF
t/vm/vm push "$vm" "$vm_tmp/shared.sh" "$vm_tmp/auditctl" "$cas" || exit 1
vm_guest <<EOF
	mv /usr/sbin/auditctl /usr/sbin/auditctl.real && cp $cas/auditctl /usr/sbin/auditctl && chmod 755 /usr/sbin/auditctl
	auditctl -s >/dev/null; ok \$? "the host's auditctl may be slowed down"
EOF
t/vm/vm save "$vm" fresh || exit 1
# scene < SCRIPT: in the machine as it was saved, time enough for a busy one.
scene() { t/vm/vm load "$vm" fresh || exit 1; { echo ". $cas/shared.sh"; cat; } >"$vm_tmp/scene"; vm_guest --timeout 300 <"$vm_tmp/scene"; }
