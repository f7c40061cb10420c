# A user and an SSH server on this machine, in the guest.

id alice >/dev/null 2>&1 || useradd -m -s /bin/sh alice
echo alice:right | chpasswd
systemctl start ssh
ssh_listens() { ss -Hltn 'sport = 22' | grep -q .; }
wait_for 60 ssh_listens

# ssh_as USER PASSWORD [OPTION...] COMMAND
ssh_as() {
	user=$1 password=$2
	shift 2
	sshpass -p "$password" ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-l "$user" "$@"
}
