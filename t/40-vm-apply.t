#!/bin/sh
# The main job on an ordinary Debian node, before anything is locked.
. t/vm/lib.sh
vm_up apply plain

vm_guest --timeout 300 <<'EOF'
	cd $cas
	journal_takes_audit
	cas() { ./cloud-audit-setup "$@"; }
	conf=/etc/cloud-audit-setup
	mkdir -p $conf/rules.d
	printf '[audit]\nlock = no\n' >$conf/config.ini
	state() { auditctl -l; systemctl is-enabled cloud-audit-setup; systemctl is-active cloud-audit-setup
		ls /etc/audit /etc/systemd/system; }
	reloads() { journalctl --quiet --sync; journalctl --quiet -b _PID=1 | grep -c 'Reloading'; }
	before=$(state 2>&1)

	out=$(cas plan 2>&1); got=$?
	is $got 4 'plan on a fresh node says that it differs'
	like "$out" '^Rules +[0-9]+ to add' 'plan says how many rules come'
	like "$out" '^Lock ' 'and what becomes of the lock'
	is "$(cas plan 2>/dev/null | wc -l | awk '{ print ($1 <= 24) }')" 1 'in a screenful'
	out=$(cas plan --diff 2>&1)
	like "$out" '^\+\+\+ /etc/systemd/system/cloud-audit-setup.service$' 'plan --diff shows the unit'
	like "$out" '^\+-a always,exit -F arch=b64 -S execve,execveat -k exec  # shipped 30-exec.rules:[0-9]+$' 'and the rules as they are written'
	is "$(state 2>&1)" "$before" 'plan changes nothing'
	out=$(cas verify 2>&1); is $? 4 'verify on a fresh node says that it differs'

	out=$(cas apply 2>&1); ok $? 'the first apply succeeds' "$out"
	is "$(stat -c '%a %U' /etc/audit/cloud-audit-setup.rules)" '640 root' 'the rules file is 0640 root'
	is "$(systemctl is-enabled cloud-audit-setup)" enabled 'the unit is enabled'
	is "$(systemctl is-active cloud-audit-setup)" active 'the unit is active'
	is "$(ls /etc/systemd/system/cloud-audit-lock.service 2>&1 | grep -c cannot)" 1 'lock = no writes no lock unit'
	like "$(auditctl -s)" '^enabled 1$' 'lock = no leaves auditing on and unlocked'
	is "$(auditctl -l | wc -l)" "$(grep -c '^-[aA]' /etc/audit/cloud-audit-setup.rules)" 'every rule of the file is in the kernel'
	out=$(cas verify 2>&1); ok $? 'verify after apply succeeds' "$out"
	out=$(cas plan 2>/dev/null); is "$? $out" '0 ' 'plan after apply is empty'
	out=$(systemd-analyze verify /etc/systemd/system/cloud-audit-setup.service 2>&1); is "$? $out" '0 ' 'the unit passes systemd-analyze verify'
	out=$(cas -o tap verify 2>/dev/null); like "$out" '^1\.\.[0-9]+$' 'verify -o tap prints a plan'
	is "$(printf '%s\n' "$out" | grep '^not ok' | grep -v ' # TODO')" '' 'verify -o tap fails nothing after apply, notices aside'
	show() { echo "# printed $1: $(base64 -w 0)"; }
	cas -o tap verify 2>/dev/null | show tap
	for command in verify plan apply; do cas -o json $command 2>/dev/null | show $command; done

	# --- real events ---
	journal_mark
	chage -d 2020-01-01 daemon
	perl -MIO::Socket::INET -e '
		$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
		IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $l->sockport) or die'
	/bin/true
	journal_has 'SYSCALL.*_COMM":"chage".*logins|logins.*_COMM":"chage"'; ok $? 'a watched file written is in the journal with its key'
	journal_has '"exec\\".*"_EXE":"(/usr)?/bin/true"|_EXE":"(/usr)?/bin/true".*"exec\\"'; ok $? 'a program executed is in the journal with its key'
	journal_has '_COMM":"perl".*network|network.*_COMM":"perl"'; ok $? 'a connection made is in the journal with its key'
	journal_has 'SOCKADDR.*saddr=02'; ok $? 'the address connected to is in the journal'

	# --- again ---
	files='/etc/audit /etc/audit/cloud-audit-setup.rules /etc/systemd/system /etc/systemd/system/cloud-audit-setup.service'
	stat -c '%n %i %Y %Z' $files >/run/stat1; n=$(reloads)
	out=$(cas apply 2>&1); ok $? 'a second apply succeeds' "$out"
	like "$out" 'nothing to do' 'a second apply says that there is nothing to do'
	is "$(stat -c '%n %i %Y %Z' $files)" "$(cat /run/stat1)" 'a second apply touches no file'
	is "$(reloads)" "$n" 'a second apply does not reload systemd'

	# --- changed configuration ---
	mkdir -p /srv/watched
	{ echo '-w /srv/watched/ -p wa -k mine'; path_rules; } >$conf/rules.d/10-mine.rules
	out=$(cas verify 2>&1); is $? 4 'a rule added to the configuration is a difference'
	like "$(set -f; echo $out)" 'wanted: 10-mine.rules:1: -w /srv/watched/ .* there: not in force' 'verify names the missing rule with its FILE:LINE'
	out=$(cas apply 2>&1); ok $? 'the changed configuration is applied' "$out"
	like "$(auditctl -l)" 'mine' "the user's rule is in force"
	journal_mark; echo x >/srv/watched/file
	journal_has 'mine'; ok $? "the user's rule records"
	path_events 'a rule is on the path as the host has it'
	echo '-w /srv/watched/ -p wa -k mine' >$conf/rules.d/10-mine.rules
	cas -q apply
	before=$(state); cp /etc/audit/cloud-audit-setup.rules /run/rules1
	printf -- '-w /srv/watched/ -p zz -k mine\n-a always,exit -F bogus=1\n' >$conf/rules.d/20-bad.rules
	out=$(cas apply 2>&1); is $? 3 'a mistake in the rules is exit status 3'
	like "$out" 'error: /etc/cloud-audit-setup/rules.d/20-bad.rules:1: ' 'the first mistake is named with FILE:LINE'
	like "$out" 'error: /etc/cloud-audit-setup/rules.d/20-bad.rules:2: ' 'so is the second'
	is "$(state)" "$before" 'bad rules leave the node untouched'
	rm $conf/rules.d/20-bad.rules

	# --- drift ---
	auditctl -D >/dev/null; auditctl -w /etc/hostname -p wa -k stray; auditctl -b 64 >/dev/null
	out=$(cas -v verify 2>/dev/null); is $? 4 'rules changed behind our back are a difference'
	flat=$(set -f; echo $out)
	like "$flat" 'none of the [0-9]+ rules is in force' 'verify says in one sentence that all are gone'
	like "$flat" "in force, and not asked for: -w /etc/hostname -p wa -k stray" 'and names the rule that nobody asked for'
	like "$flat" 'wanted: kernel setting -b 8192 there: the kernel has -b 64' 'and the changed setting'
	out=$(cas apply 2>&1); ok $? 'apply brings a node back that drifted' "$out"
	unlike "$(auditctl -l)" stray 'the stray rule is gone'
	rm /etc/systemd/system/multi-user.target.wants/cloud-audit-setup.service; systemctl daemon-reload
	out=$(cas verify 2>&1); is $? 4 'a disabled unit is a difference'
	out=$(cas apply 2>&1); ok $? 'apply enables it again' "$out"
	is "$(systemctl is-enabled cloud-audit-setup)" enabled 'the unit is enabled again'

	# --- settings ---
	out=$(cas -s audit.backlog_limit=4096 -s audit.failure=silent -s audit.rate_limit=500 -s audit.backlog_wait_time=1000 apply 2>&1)
	ok $? 'changed settings are applied' "$out"
	is "$(auditctl -s | grep -E '^(failure|rate_limit|backlog_limit|backlog_wait_time) ' | tr '\n' ' ')" \
		'failure 0 rate_limit 500 backlog_limit 4096 backlog_wait_time 1000 ' 'the kernel has the settings'

	# --- remove ---
	echo '-w /etc/hosts -p wa -k host-own' >/etc/audit/rules.d/50-own.rules
	auditd=$(pidof auditd)
	out=$(cas -o json remove 2>&1 >/run/removed); ok $? 'remove on an unlocked node succeeds' "$out"
	is "$(pidof auditd)" "$auditd" 'remove leaves auditd running, whatever loads the rules'
	show remove </run/removed
	is "$(auditctl -l)" '-w /etc/hosts -p wa -k host-own' "after remove the kernel has the host's own rules"
	is "$(ls /etc/audit /etc/systemd/system /etc/systemd/system/* | grep -c cloud-audit)" 0 'remove leaves no file and no link'
	is "$(systemctl show -P LoadState cloud-audit-setup)" not-found 'systemd does not know the unit any more'
	out=$(cas remove 2>&1); ok $? 'a second remove succeeds' "$out"
	like "$out" 'nothing to remove' 'a second remove says that there is nothing'

	# A host without the directory has a file that somebody has written, which a boot loads although augenrules fails.
	mv /etc/audit/rules.d /etc/audit/saved
	printf '%s\n' -D '-w /etc/motd -p wa -k by-hand' | tee /etc/audit/audit.rules >/run/by-hand
	out=$(augenrules --load 2>&1); is "$? $(auditctl -l)" '1 -w /etc/motd -p wa -k by-hand' 'without its directory augenrules loads what is there, and fails' "$out"
	cas -q -s rules.scanner_copy=yes apply
	out=$(cas remove 2>&1); ok $? 'remove on a host whose rules are written by hand' "$out"
	is "$(auditctl -l)" '-w /etc/motd -p wa -k by-hand' 'has them loaded'
	cmp /run/by-hand /etc/audit/audit.rules && [ ! -e /etc/audit/rules.d ]; ok $? 'and leaves them as they are' "$(ls /etc/audit)"
	rm /etc/audit/audit.rules; mv /etc/audit/saved /etc/audit/rules.d
	augenrules --load >/dev/null
EOF

# --- what was printed there, read here ---
printed() { sed -n "s/^# printed $1: //p" "$vm_tmp/output" | base64 -d; }
printed tap >"$vm_tmp/verify.tap"
out=$(prove --exec cat "$vm_tmp/verify.tap" 2>&1); ok $? 'prove is content with verify -o tap of a node that matches' "$out"
for command in verify plan apply remove; do
	printed $command >"$vm_tmp/$command.json"
	out=$(t/unit/validate $command "$vm_tmp/$command.json"); ok $? "-o json $command keeps to the schema" "$out"
	like "$(cat "$vm_tmp/$command.json")" '"boot_id":"[0-9a-f-]{36}"' "-o json $command says which boot of which node"
done
like "$(cat "$vm_tmp/verify.json")" '"matches":true,"status":0,' '-o json verify says that the node matches'
is "$(sed 's/.*"wanted":{"rules":\([^}]*\)}.*/\1/' "$vm_tmp/verify.json")" \
	"$(sed 's/.*"in_force":{"rules":\([^}]*\)}.*/\1/' "$vm_tmp/verify.json")" \
	'the digest of the rules that the kernel lists is that of the rules wanted'

# --- a kernel that refuses half-way ---
vm_guest --timeout 300 <<'EOF'
	cd $cas
	cas() { ./cloud-audit-setup "$@"; }
	conf=/etc/cloud-audit-setup
	printf '[audit]\nlock = no\n[rules]\nexisting = keep\noptimise = no\n' >$conf/config.ini
	printf -- '-w /etc/hostname -p wa -k one\n-w /etc/hosts -p wa -k host-own\n-w /etc/issue -p wa -k three\n' >$conf/rules.d/10-mine.rules
	before=$(auditctl -l; auditctl -s | grep -Ev '^(pid|lost|backlog )'; ls /etc/audit /etc/systemd/system)
	out=$(cas apply 2>&1); is $? 1 'a rule that the kernel refuses half-way is exit status 1'
	like "$out" "RestartUnit cloud-audit-setup.service: the job ended with 'failed', exit status 1" "the error has the job's result and the exit status"
	like "$out" 'Rule exists' "the error has auditctl's words from the journal"
	like "$out" 'files, units and kernel rules are as before' 'the error says that the node is as before'
	is "$(auditctl -l; auditctl -s | grep -Ev '^(pid|lost|backlog )'; ls /etc/audit /etc/systemd/system)" "$before" 'the node is as before'
	is "$(systemctl is-failed cloud-audit-setup)" inactive 'no unit is left failed'

	printf -- '-w /etc/hostname -p wa -k one\n' >$conf/rules.d/10-mine.rules
	out=$(cas apply 2>&1); ok $? 'existing = keep adds our rules' "$out"
	is "$(auditctl -l | grep -v ' always,user ' | head -n 1)" '-w /etc/hosts -p wa -k host-own' 'what the kernel held stays before ours'
	out=$(cas apply 2>&1); ok $? 'a second apply succeeds with existing = keep' "$out"
	like "$out" 'nothing to do' 'and has nothing to do'
	good=$(auditctl -l; cat /etc/audit/cloud-audit-setup.rules)
	printf -- '-w /etc/issue -p wa -k three\n' >$conf/rules.d/10-mine.rules
	out=$(cas apply 2>&1); ok $? 'changed rules are applied with existing = keep' "$out"
	is "$(auditctl -l | grep -Ec 'host-own|three'; auditctl -l | grep -c 'k one')" "$(printf '2\n0')" 'our earlier rule is gone, the host has its own and the new one'
	printf -- '-w /etc/hostname -p wa -k one\n' >$conf/rules.d/10-mine.rules
	cas -q apply
	printf -- '-w /etc/issue -p wa -k three\n-w /etc/hosts -p wa -k host-own\n' >$conf/rules.d/10-mine.rules
	out=$(cas apply 2>&1); is $? 1 'a refusal on a configured node is exit status 1, too'
	is "$(auditctl -l; cat /etc/audit/cloud-audit-setup.rules)" "$good" 'the node has the earlier rules and files again'
	is "$(systemctl is-active cloud-audit-setup)" active 'the unit is active as it was'
	out=$(cas remove 2>&1); ok $? 'remove with existing = keep succeeds' "$out"
	is "$(auditctl -l)" '-w /etc/hosts -p wa -k host-own' "remove takes only our rules away"
EOF

# --- what the host lacks, who comes first, and what nobody set ---
vm_guest --timeout 300 <<'EOF'
	cd $cas
	cas() { ./cloud-audit-setup "$@"; }
	conf=/etc/cloud-audit-setup
	auditctl -D >/dev/null; rm -f $conf/rules.d/*; mkdir /run/gone
	printf '[audit]\nlock = no\n' >$conf/config.ini
	printf -- '-w /opt/later/dir/file -p wa -k late\n-w /opt/slash/ -p wa -k slash\n-w /run/gone/file -p wa -k gone\n' >$conf/rules.d/10-mine.rules
	out=$(cas apply 2>&1); ok $? 'rules whose directory is not there do not keep the others from being loaded' "$out"
	is "$(printf '%s\n' "$out" | grep left.out)" "cloud-audit-setup: warning: $conf/rules.d/10-mine.rules:1: left out: /opt/later/dir is not on the host, and the kernel would refuse the rule; the rest is loaded [lint: left-out] (the first of 2; --verbose shows all)" 'which is told once'
	is "$(auditctl -l | grep -Ec 'key=gone|-k gone') $(auditctl -l | grep -Ec 'late|slash')" '1 0' 'they are not in the kernel, the others are'
	is "$(grep -c '^#-.*/opt/' /etc/audit/cloud-audit-setup.rules)" 2 'and stand in the rules file as comments'
	out=$(cas verify 2>&1); ok $? 'verify agrees' "$out"
	is "$(cas -o tap verify 2>/dev/null | grep -Ec '^not ok .* - rule not left out: 10-mine.rules:[12]: .* # TODO')" 2 'in TAP each is a notice that does not hold'
	out=$(cas apply 2>&1); like "$out" 'nothing to do' 'a second apply has nothing to do'
	systemctl restart cloud-audit-setup; ok $? 'the unit loads the file again'
	mkdir -p /opt/later/dir
	out=$(cas verify 2>&1); ok $? 'a directory that has come is no difference' "$out"
	like "$out" '10-mine.rules:1: left out when rules were loaded' 'but is told'
	out=$(cas apply 2>&1); ok $? 'apply' "$out"
	is "$(auditctl -l | grep -Ec 'key=late|-k late')" 1 'loads the rule'
	rm -r /run/gone
	out=$(cas -v verify 2>/dev/null); is $? 4 'a rule that was loaded and whose directory has gone'
	like "$(set -f; echo $out)" 'wanted: 10-mine.rules:3: -w .* there: not in force' 'is missing'
	out=$(cas -s rules.absent=fail apply 2>&1); is $? 3 'absent = fail is exit status 3'
	like "$out" '10-mine.rules:2: the kernel would refuse this rule: /opt/slash is not on the host' 'with the place'
	out=$(cas apply 2>&1); ok $? 'the next load leaves it out' "$out"
	out=$(cas verify 2>&1); ok $? 'as verify says' "$out"

	printf -- '-w /etc/shadow -p wa -k identity\n' >$conf/rules.d/10-mine.rules
	shadow() { journal_mark; chage -d "$1" daemon; journal_has "SYSCALL.*_COMM\":\"chage\".*$2|$2.*_COMM\":\"chage\""; }
	cas -q apply 2>/dev/null; shadow 2020-02-01 logins; ok $? 'a rule behind the group that has its events gives them no key'
	out=$(cas -s rules.order=user-first apply 2>&1); ok $? 'order = user-first' "$out"
	like "$out" 'info: .*10-mine.rules:1: events of the group logins that this rule matches carry its key' 'tells the group whose events change their key'
	shadow 2020-03-01 identity; ok $? 'and they carry the key of the user'
	out=$(cas -s rules.order=user-first verify 2>&1); ok $? 'verify agrees' "$out"

	setting() { auditctl -s | sed -n "s/^$1 //p"; }
	auditctl -b 65536 >/dev/null
	out=$(cas apply 2>&1); ok $? 'apply with a larger backlog in the kernel' "$out"
	is "$(setting backlog_limit) $(grep -c '^-b 65536$' /etc/audit/cloud-audit-setup.rules)" '65536 1' 'does not lower what nobody set, and writes it into the file'
	out=$(cas verify 2>&1); ok $? 'verify agrees' "$out"
	auditctl -b 8192 >/dev/null
	out=$(cas verify 2>&1); is $? 4 'and sees it lowered'
	out=$(cas -s audit.backlog_limit=9000 apply 2>&1); is "$(setting backlog_limit)" 9000 'a limit that is set is what the kernel gets'
	auditctl -f 0 >/dev/null
	out=$(cas apply 2>&1); is "$(setting failure)" 0 'while auditd holds the audit PID failure is as the kernel has it'
	out=$(cas verify 2>&1); ok $? 'which is no difference' "$out"
	kill "$(setting pid)"; unheld() { [ "$(setting pid)" = 0 ]; }; wait_for 60 unheld
	out=$(cas apply 2>&1); is "$(setting failure)" 1 'where nobody holds it failure is printk'
	printf -- '-D\n-b 70000\n-f 2\n-i\n-w /etc/shadow -p wa -k identity\n-e 2\n' >$conf/rules.d/10-mine.rules
	out=$(cas -s audit.lock=yes -v plan 2>&1); like "$out" '10-mine.rules:3: -f 2: not done: only the configuration sets this; .audit. failure = panic sets it' 'what a rules file asks for besides is told'
	sed -i '/^-e/d' $conf/rules.d/10-mine.rules
	out=$(cas apply 2>&1); is "$? $(setting backlog_limit) $(setting failure)" '0 70000 1' 'and -b raises the limit' || diag "$out"
	out=$(cas remove 2>&1); ok $? 'remove' "$out"
EOF
done_testing
