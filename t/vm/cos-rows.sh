# What COS.md says of the machine with the shape cos, row by row, by the rows' names; t/90 has the same names of both. In the
# guest, where guest.sh is read, on a machine that has just booted. Rows that are shown elsewhere:
# elsewhere 'IMA_WRITE_POLICY': t/70, a second policy in one boot
# elsewhere 'journald's restart': t/72
# elsewhere 'cloud-audit-setup.service': t/42, ours comes over it; t/90, it locks
# elsewhere 'root's SSH': t/85, by t/vm/vm ssh-config

# Those options of a mount that forbid something.
forbids() { findmnt -no OPTIONS --mountpoint "$1" | tail -n 1 | tr , '\n' | grep -xE 'ro|nosuid|nodev|noexec' | sort | paste -sd ' '; }
# of ROW FORBIDDEN MOUNT...: each of them is a mount that forbids just that.
of() {
	of_row=$1 of_what=$2
	shift 2
	for mount; do is "$(forbids "$mount")" "$of_what" "COS.md, $of_row: $mount"; done
}
# here ROW COMMAND...: succeeds; without ROW not.
here() { here_row=$1; shift; here_said=$("$@" 2>&1); ok $? "COS.md, $here_row: $*" "$here_said"; }
no() { ! "$@"; }
# A file of the image's own /etc.
below_etc() {
	mkdir -p /run/image
	mount --bind / /run/image && cat "/run/image/etc/$1"
	umount /run/image
}
# A name that the kernel has.
has() { grep -qE " [tTdDrRbB] $1\$" /proc/kallsyms; }
lsm() { tr , '\n' </sys/kernel/security/lsm | grep -qx "$1"; }
# The kernel's own ticks a second, by its own clock.
hz() {
	for time in 1 2; do
		sed -n -e 's/^now at \([0-9]*\).*/\1/p' -e 's/^jiffies: //p' /proc/timer_list | head -n 2 | paste -sd ' '
		sleep 2
	done | awk 'NR == 1 { now = $1; jiffies = $2 } NR == 2 { print int(($2 - jiffies) / (($1 - now) / 1e9) + 0.5) }'
}
about() { [ "$1" -gt $(($2 * 9 / 10)) ] && [ "$1" -lt $(($2 * 11 / 10)) ]; }
reads_multicast() { awk '$2 == 9 && $4 ~ /1$/ { found = 1 } END { exit !found }' /proc/net/netlink; }

of '/' ro /
here '/' no test -e /dev/dm-0
of '/etc' '' /etc
here '/etc' test "$(findmnt -no FSTYPE /etc)" = overlay
of '/run' 'nodev noexec nosuid' /run
of '/tmp, /dev/shm' 'nodev noexec nosuid' /tmp /dev/shm
of '/home, /var, /mnt/stateful_partition' 'nodev noexec nosuid' /home /var /mnt/stateful_partition
of '/var/lib/google, docker, containerd' 'nodev nosuid' /var/lib/google /var/lib/docker /var/lib/containerd
of '/var/lib/toolbox' 'nodev nosuid' /var/lib/toolbox
of '/var/lib/cloud' 'nodev nosuid' /var/lib/cloud
of '/home/kubernetes/bin' 'nodev nosuid' /home/kubernetes/bin
here '/mnt/disks' no test -e /mnt/disks
here '/dev/hugepages' no mountpoint -q /dev/hugepages
here '/etc/machine-id' test "$(below_etc machine-id)" = "$(cat /etc/machine-id)"

# The table has Debian 12's kernel.
case $(uname -r) in 6.1.*)
	here 'AUDIT, AUDITSYSCALL, IA32_EMULATION' has __audit_syscall_entry
	here 'AUDIT, AUDITSYSCALL, IA32_EMULATION' has 'ia32_sys_call(_table)?'
	here 'command line' no grep -q 'audit=' /proc/cmdline
	here 'HZ' about "$(hz)" 250
	here 'JUMP_LABEL, PREEMPT' has __start___jump_table
	here 'JUMP_LABEL, PREEMPT' sh -c "dmesg | grep -q 'Dynamic Preempt: voluntary'"
	here 'AppArmor, SELinux' grep -qx Y /sys/module/apparmor/parameters/enabled
	here 'AppArmor, SELinux' has avc_has_perm
	for module in lockdown yama apparmor bpf landlock tomoyo; do here 'LSM' lsm $module; done
	here 'LSM' test -d /sys/kernel/security/integrity
	here 'lockdown' grep -q '\[none\]' /sys/kernel/security/lockdown
	here 'LoadPin' no lsm loadpin
	here 'IMA, INTEGRITY_AUDIT' test -e /sys/kernel/security/ima/policy
	here 'IMA_APPRAISE' has ima_appraise_measurement
	here 'IO_URING' has __x64_sys_io_uring_setup
	here 'nf_tables' modprobe -n nf_tables
	here 'loginuid, sessionid' test -r /proc/self/loginuid
	here 'hung_task_panic, softlockup_panic' test "$(sysctl -n kernel.hung_task_panic kernel.softlockup_panic | paste -sd ' ')" = '0 0'
	here 'audit-rules.service' sh -c 'systemctl cat auditd | grep -q "^ExecStartPost=.*augenrules --load"'
	here 'who takes the records' reads_multicast ;;
esac

here 'who takes the records' test "$(auditctl -s | sed -n 's/^pid //p')" = "$(systemctl show -P MainPID auditd)"
here 'auditd, ausearch' command -v ausearch
here 'rules at boot' test "$(auditctl -l)" = 'No rules'
here 'who starts it' test "$(systemctl is-enabled cloud-audit-setup)" = disabled
here "SSH sessions' keystrokes" no grep -rq pam_tty_audit /etc/pam.d
here 'pam_systemd' no grep -q pam_systemd /etc/pam.d/common-session /etc/pam.d/sshd
here 'sysctl, presets of systemd' test -e /usr/lib/systemd/system-preset/90-systemd.preset
