# A user and an SSH server on this machine, in the guest.

id alice >/dev/null 2>&1 || useradd -m -s /bin/sh alice
echo alice:right | chpasswd
systemctl start ssh
for second in $(seq 60); do
	ss -Hltn 'sport = 22' | grep -q . && break
	sleep 1
done

# ssh_as USER PASSWORD [OPTION...] COMMAND
ssh_as() {
	user=$1 password=$2
	shift 2
	sshpass -p "$password" ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-l "$user" "$@"
}
